//! `SyncGroup`: the leader hands in the assignment, everybody receives its part.

use crate::ErrorCode;
use bytes::Bytes;

request!(SyncGroup: SyncGroupRequest => SyncGroupResponse);

messages! {
    /// Who asks, and from the leader the assignment.
    pub struct SyncGroupRequest {
        group_id: String,
        generation_id: i32,
        member_id: String,
        [3..] group_instance_id: Option<String>,
        [5..] protocol_type: Option<String>,
        [5..] protocol_name: Option<String>,
        assignments: Vec<SyncGroupAssignment>,
    }

    /// One member's part.
    pub struct SyncGroupAssignment {
        member_id: String,
        assignment: Bytes,
    }

    /// This member's part.
    pub struct SyncGroupResponse {
        [1..] throttle_time_ms: i32,
        error_code: ErrorCode,
        [5..] protocol_type: Option<String>,
        [5..] protocol_name: Option<String>,
        assignment: Bytes,
    }
}
