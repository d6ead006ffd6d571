//! `LeaveGroup`: stop being a member, so that the others need not wait for the session to time out.

use crate::ErrorCode;

request!(LeaveGroup: LeaveGroupRequest => LeaveGroupResponse);

messages! {
    /// One member until version 2, several since version 3.
    pub struct LeaveGroupRequest {
        group_id: String,
        [..=2] member_id: String,
        [3..] members: Vec<MemberIdentity>,
    }

    /// A member by its id, or a static one by its instance id with an empty member id.
    pub struct MemberIdentity {
        member_id: String,
        group_instance_id: Option<String>,
        [5..] reason: Option<String>,
    }

    /// Who left.
    pub struct LeaveGroupResponse {
        [1..] throttle_time_ms: i32,
        error_code: ErrorCode,
        [3..] members: Vec<MemberResponse>,
    }

    /// Whether one member left.
    pub struct MemberResponse {
        member_id: String,
        group_instance_id: Option<String>,
        error_code: ErrorCode,
    }
}
