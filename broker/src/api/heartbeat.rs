//! Heartbeat: stay a member, and learn whether the group rebalances.
//!
//! # Behaviour
//! `REBALANCE_IN_PROGRESS` asks the member to join again; it keeps the member alive all the same.
//!
//! # Versions
//! 3 adds static members.

use protocol::heartbeat::{HeartbeatRequest, HeartbeatResponse};

use super::Context;
use super::errors::code_of;
use crate::coordinator::{self, Generation};

pub(super) fn handle(context: &Context<'_>, request: HeartbeatRequest) -> HeartbeatResponse {
    let request = coordinator::HeartbeatRequest {
        group_id: request.group_id,
        generation: Generation(request.generation_id),
        member_id: request.member_id,
        group_instance_id: request.group_instance_id,
    };
    let result = context.node.groups().heartbeat(context.now_ms, &request);
    HeartbeatResponse { error_code: code_of(&result), ..Default::default() }
}
