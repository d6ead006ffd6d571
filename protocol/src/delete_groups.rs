//! `DeleteGroups`: remove groups without members, and their committed offsets.

use crate::ErrorCode;

request!(DeleteGroups: DeleteGroupsRequest => DeleteGroupsResponse);

messages! {
    /// Which groups.
    pub struct DeleteGroupsRequest {
        groups_names: Vec<String>,
    }

    /// What became of them.
    pub struct DeleteGroupsResponse {
        throttle_time_ms: i32,
        results: Vec<DeletableGroupResult>,
    }

    /// What became of one group.
    pub struct DeletableGroupResult {
        group_id: String,
        error_code: ErrorCode,
    }
}
