//! Heartbeat: stay a member, and learn whether the group rebalances.

use crate::ErrorCode;

request!(Heartbeat: HeartbeatRequest => HeartbeatResponse);

messages! {
    /// Who is alive.
    pub struct HeartbeatRequest {
        group_id: String,
        generation_id: i32,
        member_id: String,
        [3..] group_instance_id: Option<String>,
    }

    /// Whether it still belongs.
    pub struct HeartbeatResponse {
        [1..] throttle_time_ms: i32,
        error_code: ErrorCode,
    }
}
