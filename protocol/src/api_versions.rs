//! `ApiVersions`: which requests a broker answers, in which versions. A client's first question.

use crate::ErrorCode;

request!(ApiVersions: ApiVersionsRequest => ApiVersionsResponse);

messages! {
    /// Who asks.
    pub struct ApiVersionsRequest {
        [3..] client_software_name: String,
        [3..] client_software_version: String,
    }

    /// What the broker speaks.
    pub struct ApiVersionsResponse {
        error_code: ErrorCode,
        api_keys: Vec<ApiVersion>,
        [1..] throttle_time_ms: i32,
        [3.., tag 0] supported_features: Vec<SupportedFeature>,
        [3.., tag 1] finalized_features_epoch: i64 = -1,
        [3.., tag 2] finalized_features: Vec<FinalizedFeature>,
        [3.., tag 3] zk_migration_ready: bool,
    }

    /// The versions of one request.
    pub struct ApiVersion {
        api_key: i16,
        min_version: i16,
        max_version: i16,
    }

    /// A feature of the cluster that could be switched on.
    pub struct SupportedFeature {
        name: String,
        min_version: i16,
        max_version: i16,
    }

    /// A feature of the cluster that is on.
    pub struct FinalizedFeature {
        name: String,
        max_version_level: i16,
        min_version_level: i16,
    }
}
