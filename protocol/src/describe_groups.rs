//! `DescribeGroups`: state and members of groups.

use crate::ErrorCode;
use bytes::Bytes;

request!(DescribeGroups: DescribeGroupsRequest => DescribeGroupsResponse);

messages! {
    /// Which groups.
    pub struct DescribeGroupsRequest {
        groups: Vec<String>,
        [3..] include_authorized_operations: bool,
    }

    /// The groups.
    pub struct DescribeGroupsResponse {
        [1..] throttle_time_ms: i32,
        groups: Vec<DescribedGroup>,
    }

    /// One group. One that does not exist is `Dead`; since version 6 that is an error too.
    pub struct DescribedGroup {
        error_code: ErrorCode,
        [6..] error_message: Option<String>,
        group_id: String,
        group_state: String,
        protocol_type: String,
        protocol_data: String,
        members: Vec<DescribedGroupMember>,
        [3..] authorized_operations: i32 = i32::MIN,
    }

    /// One member, with what it said when it joined and what it was assigned.
    pub struct DescribedGroupMember {
        member_id: String,
        [4..] group_instance_id: Option<String>,
        client_id: String,
        client_host: String,
        member_metadata: Bytes,
        member_assignment: Bytes,
    }
}
