//! `AlterConfigs`: replace all settings at once. Deprecated since Kafka 2.3, still sent by
//! librdkafka and kafka-python.

use crate::ErrorCode;

request!(AlterConfigs: AlterConfigsRequest => AlterConfigsResponse);

messages! {
    /// The settings from now on.
    pub struct AlterConfigsRequest {
        resources: Vec<AlterConfigsResource>,
        validate_only: bool,
    }

    /// The settings of one resource; all that are not named return to their defaults.
    pub struct AlterConfigsResource {
        resource_type: i8,
        resource_name: String,
        configs: Vec<AlterableConfig>,
    }

    /// One setting.
    pub struct AlterableConfig {
        name: String,
        value: Option<String>,
    }

    /// What became of it.
    pub struct AlterConfigsResponse {
        throttle_time_ms: i32,
        responses: Vec<AlterConfigsResourceResponse>,
    }

    /// What became of one resource: all was replaced, or nothing.
    pub struct AlterConfigsResourceResponse {
        error_code: ErrorCode,
        error_message: Option<String>,
        resource_type: i8,
        resource_name: String,
    }
}
