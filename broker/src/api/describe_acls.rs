//! `DescribeAcls`: who may do what.
//!
//! # Behaviour
//! There is no access control, and the answer says so: tools take it as such, where an empty list
//! would say that nobody has given any rights.

use protocol::ErrorCode;
use protocol::describe_acls::{DescribeAclsRequest, DescribeAclsResponse};

pub(super) fn handle(_: &DescribeAclsRequest) -> DescribeAclsResponse {
    DescribeAclsResponse {
        error_code: ErrorCode::SECURITY_DISABLED,
        error_message: Some("No Authorizer is configured on the broker".into()),
        ..Default::default()
    }
}
