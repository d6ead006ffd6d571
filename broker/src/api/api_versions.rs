//! `ApiVersions`: a client's first question.
//!
//! # Behaviour
//! Lists every request with its lowest and highest version. A client that asks in a version newer
//! than ours gets `UNSUPPORTED_VERSION` in the oldest form, which every client can read, together
//! with the range it may ask in; it then asks again. Closing the connection instead would make
//! every future client fail.
//!
//! # Versions
//! 3 is flexible, yet its response's header is not. 4 changes what supported
//! features mean; we have none.

use protocol::api_versions::{ApiVersion, ApiVersionsRequest, ApiVersionsResponse};
use protocol::{ApiKey, ErrorCode};

use super::Frame;

pub(super) fn handle(_request: &ApiVersionsRequest) -> ApiVersionsResponse {
    ApiVersionsResponse {
        api_keys: ApiKey::ALL.iter().copied().map(announce).collect(),
        ..Default::default()
    }
}

/// The answer to a version we have never heard of.
pub(super) fn unsupported(correlation_id: i32) -> Frame {
    let response = ApiVersionsResponse {
        error_code: ErrorCode::UNSUPPORTED_VERSION,
        api_keys: vec![announce(ApiKey::ApiVersions)],
        ..Default::default()
    };
    Frame::response::<ApiVersionsRequest>(0, correlation_id, &response)
}

fn announce(key: ApiKey) -> ApiVersion {
    let (min_version, max_version) = key.versions();
    ApiVersion { api_key: key.number(), min_version, max_version }
}
