//! `ListConfigResources`: what there is that can have settings.

use crate::ErrorCode;

request!(ListConfigResources: ListConfigResourcesRequest => ListConfigResourcesResponse);

messages! {
    /// Of which types, none at all for all of them; version 0 asks for those of client metrics.
    pub struct ListConfigResourcesRequest {
        [1..] resource_types: Vec<i8>,
    }

    /// The resources.
    pub struct ListConfigResourcesResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode,
        config_resources: Vec<ConfigResource>,
    }

    /// One resource.
    pub struct ConfigResource {
        resource_name: String,
        [1..] resource_type: i8 = 16,
    }
}
