//! `SyncGroup`: the leader hands in the assignment, everybody receives its part.
//!
//! # Behaviour
//! The answer waits for the leader's. A member that the leader has given nothing
//! gets an empty assignment.
//!
//! # Versions
//! 3 adds static members, 5 checks the protocol that the member believes was elected.

use protocol::sync_group::{SyncGroupRequest, SyncGroupResponse};

use super::errors::ToErrorCode;
use super::join_group::copy_of;
use super::{Answer, Changed, Context, Frame, Incoming, Outcome, Parked, RequestError};
use crate::coordinator::{Generation, GroupError, SyncRequest, Synced, Token};

/// A sync that waits for the leader.
#[derive(Debug)]
pub(crate) struct ParkedSync {
    pub(crate) token: Token,
    version: i16,
    correlation_id: i32,
}

pub(super) fn handle(context: &Context<'_>, mut incoming: Incoming) -> Result<Outcome, RequestError> {
    let request: SyncGroupRequest = incoming.decode()?;
    let parked = ParkedSync {
        token: context.token,
        version: incoming.version,
        correlation_id: incoming.correlation_id,
    };
    let sync = SyncRequest {
        group_id: request.group_id,
        generation: Generation(request.generation_id),
        member_id: request.member_id,
        group_instance_id: request.group_instance_id,
        protocol_type: request.protocol_type,
        protocol_name: request.protocol_name,
        assignments: request
            .assignments
            .into_iter()
            .map(|part| (part.member_id, copy_of(&part.assignment)))
            .collect(),
    };
    let effects = context.node.groups().sync(context.now_ms, context.token, sync);
    Ok(Outcome { answer: Answer::Delayed(Parked::Sync(parked)), effects, changed: Changed::Groups })
}

impl ParkedSync {
    /// The coordinator has decided.
    pub(crate) fn respond(self, result: Result<Synced, GroupError>) -> Frame {
        let response = match result {
            Ok(synced) => SyncGroupResponse {
                protocol_type: Some(synced.protocol_type),
                protocol_name: Some(synced.protocol_name),
                assignment: synced.assignment,
                ..Default::default()
            },
            Err(error) => SyncGroupResponse { error_code: error.code(), ..Default::default() },
        };
        Frame::response::<SyncGroupRequest>(self.version, self.correlation_id, &response)
    }
}
