//! `IncrementalAlterConfigs`: change settings one by one.

use crate::ErrorCode;

request!(IncrementalAlterConfigs: IncrementalAlterConfigsRequest => IncrementalAlterConfigsResponse);

/// `config_operation`: set the value.
pub const SET: i8 = 0;
/// `config_operation`: return to the default.
pub const DELETE: i8 = 1;
/// `config_operation`: add to a list.
pub const APPEND: i8 = 2;
/// `config_operation`: remove from a list.
pub const SUBTRACT: i8 = 3;

messages! {
    /// What to change.
    pub struct IncrementalAlterConfigsRequest {
        resources: Vec<AlterConfigsResource>,
        validate_only: bool,
    }

    /// What to change on one resource.
    pub struct AlterConfigsResource {
        resource_type: i8,
        resource_name: String,
        configs: Vec<AlterableConfig>,
    }

    /// One change.
    pub struct AlterableConfig {
        name: String,
        config_operation: i8,
        value: Option<String>,
    }

    /// What became of it.
    pub struct IncrementalAlterConfigsResponse {
        throttle_time_ms: i32,
        responses: Vec<AlterConfigsResourceResponse>,
    }

    /// What became of the changes on one resource: all were made, or none.
    pub struct AlterConfigsResourceResponse {
        error_code: ErrorCode,
        error_message: Option<String>,
        resource_type: i8,
        resource_name: String,
    }
}
