//! `DescribeAcls`: who may do what.

use crate::ErrorCode;

request!(DescribeAcls: DescribeAclsRequest => DescribeAclsResponse);

messages! {
    /// Which rules.
    pub struct DescribeAclsRequest {
        resource_type_filter: i8,
        resource_name_filter: Option<String>,
        pattern_type_filter: i8 = 3,
        principal_filter: Option<String>,
        host_filter: Option<String>,
        operation: i8,
        permission_type: i8,
    }

    /// The rules.
    pub struct DescribeAclsResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode,
        error_message: Option<String>,
        resources: Vec<DescribedAclResource>,
    }

    /// Those of a resource.
    pub struct DescribedAclResource {
        resource_type: i8,
        resource_name: String,
        pattern_type: i8 = 3,
        acls: Vec<AclDescription>,
    }

    /// One rule.
    pub struct AclDescription {
        principal: String,
        host: String,
        operation: i8,
        permission_type: i8,
    }
}
