//! `ListGroups`: all groups.

use crate::ErrorCode;

request!(ListGroups: ListGroupsRequest => ListGroupsResponse);

messages! {
    /// Which groups: none named means all states, and all types.
    pub struct ListGroupsRequest {
        [4..] states_filter: Vec<String>,
        [5..] types_filter: Vec<String>,
    }

    /// The groups.
    pub struct ListGroupsResponse {
        [1..] throttle_time_ms: i32,
        error_code: ErrorCode,
        groups: Vec<ListedGroup>,
    }

    /// One group.
    pub struct ListedGroup {
        group_id: String,
        protocol_type: String,
        [4..] group_state: String,
        [5..] group_type: String,
    }
}
