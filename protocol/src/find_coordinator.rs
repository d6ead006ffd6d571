//! `FindCoordinator`: which broker looks after a group.

use crate::ErrorCode;

request!(FindCoordinator: FindCoordinatorRequest => FindCoordinatorResponse);

messages! {
    /// One key until version 3, several since version 4.
    pub struct FindCoordinatorRequest {
        [..=3] key: String,
        /// 0: the keys are groups. 1: they are transactional ids.
        [1..] key_type: i8,
        [4..] coordinator_keys: Vec<String>,
    }

    /// How to reach the coordinators.
    pub struct FindCoordinatorResponse {
        [1..] throttle_time_ms: i32,
        [..=3] error_code: ErrorCode,
        [1..=3] error_message: Option<String>,
        [..=3] node_id: i32,
        [..=3] host: String,
        [..=3] port: i32,
        [4..] coordinators: Vec<Coordinator>,
    }

    /// How to reach the coordinator of one key.
    pub struct Coordinator {
        key: String,
        node_id: i32,
        host: String,
        port: i32,
        error_code: ErrorCode,
        error_message: Option<String>,
    }
}
