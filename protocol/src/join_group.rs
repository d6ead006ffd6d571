//! `JoinGroup`: become a member of a group, or say that one still is when it rebalances.

use crate::ErrorCode;
use bytes::Bytes;

request!(JoinGroup: JoinGroupRequest => JoinGroupResponse);

messages! {
    /// Who wants to join, and which assignment protocols it speaks.
    pub struct JoinGroupRequest {
        group_id: String,
        session_timeout_ms: i32,
        [1..] rebalance_timeout_ms: i32 = -1,
        /// Empty the first time.
        member_id: String,
        [5..] group_instance_id: Option<String>,
        protocol_type: String,
        /// Most preferred first.
        protocols: Vec<JoinGroupProtocol>,
        [8..] reason: Option<String>,
    }

    /// An assignment protocol, and what the member tells the leader in it.
    pub struct JoinGroupProtocol {
        name: String,
        metadata: Bytes,
    }

    /// The new generation.
    pub struct JoinGroupResponse {
        [2..] throttle_time_ms: i32,
        error_code: ErrorCode,
        generation_id: i32 = -1,
        [7..] protocol_type: Option<String>,
        [0.., null 7..] protocol_name: Option<String>,
        leader: String,
        [9..] skip_assignment: bool,
        member_id: String,
        /// Everybody, for the leader only.
        members: Vec<JoinGroupMember>,
    }

    /// A member, and what it tells the leader.
    pub struct JoinGroupMember {
        member_id: String,
        [5..] group_instance_id: Option<String>,
        metadata: Bytes,
    }
}
