//! `JoinGroup`: become a member of a group, or say that one still is when it rebalances.
//!
//! # Behaviour
//! The answer waits until all live members have rejoined, or the rebalance has timed out, which is
//! the coordinator's to say. A first join that needs no other member is answered at once. Requests
//! that follow on the same connection are handled meanwhile: a `LeaveGroup` behind a waiting join
//! releases it.
//!
//! # Versions
//! 0 has one timeout for both. From 4 on a new member must join twice, the second time with the id
//! that the first answer gave it, so that a client that never reads its answer leaves no ghost
//! (KIP-394). 5 adds static members, 7 the protocol type in the answer, 9 lets a static leader keep
//! the assignment.

use bytes::Bytes;
use protocol::join_group::{JoinGroupMember, JoinGroupRequest, JoinGroupResponse};

use super::errors::ToErrorCode;
use super::{Answer, Changed, Context, Frame, Incoming, Outcome, Parked, RequestError};
use crate::coordinator::{GroupError, JoinRequest, Joined, Token};

/// A join that waits for the others.
#[derive(Debug)]
pub(crate) struct ParkedJoin {
    pub(crate) token: Token,
    version: i16,
    correlation_id: i32,
    member_id: String,
}

pub(super) fn handle(context: &Context<'_>, mut incoming: Incoming) -> Result<Outcome, RequestError> {
    let request: JoinGroupRequest = incoming.decode()?;
    let version = incoming.version;
    let parked = ParkedJoin {
        token: context.token,
        version,
        correlation_id: incoming.correlation_id,
        member_id: request.member_id.clone(),
    };
    let join = JoinRequest {
        group_id: request.group_id,
        member_id: request.member_id,
        group_instance_id: request.group_instance_id,
        client_id: incoming.client_id.take().unwrap_or_default(),
        client_host: context.client_host.to_owned(),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: if version == 0 {
            request.session_timeout_ms
        } else {
            request.rebalance_timeout_ms
        },
        protocol_type: request.protocol_type,
        protocols: request
            .protocols
            .into_iter()
            .map(|protocol| (protocol.name, copy_of(&protocol.metadata)))
            .collect(),
        requires_known_member_id: version >= 4,
        supports_skipping_assignment: version >= 9,
    };
    let effects = context.node.groups().join(context.now_ms, context.token, join);
    Ok(Outcome { answer: Answer::Delayed(Parked::Join(parked)), effects, changed: Changed::Groups })
}

/// What is kept beyond the request is copied, or a few bytes of it would keep all of the buffer
/// that it came in.
pub(super) fn copy_of(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

impl ParkedJoin {
    /// The coordinator has decided.
    pub(crate) fn respond(self, result: Result<Joined, GroupError>) -> Frame {
        let response = match result {
            Ok(joined) => JoinGroupResponse {
                generation_id: joined.generation.0,
                protocol_type: Some(joined.protocol_type),
                protocol_name: Some(joined.protocol_name),
                leader: joined.leader,
                skip_assignment: joined.skip_assignment,
                member_id: joined.member_id,
                members: joined
                    .members
                    .into_iter()
                    .map(|member| JoinGroupMember {
                        member_id: member.member_id,
                        group_instance_id: member.group_instance_id,
                        metadata: member.metadata,
                    })
                    .collect(),
                ..Default::default()
            },
            Err(error) => JoinGroupResponse {
                error_code: error.code(),
                protocol_name: (self.version < 7).then(String::new),
                member_id: match error {
                    GroupError::MemberIdRequired { member_id } => member_id,
                    _ => self.member_id,
                },
                ..Default::default()
            },
        };
        Frame::response::<JoinGroupRequest>(self.version, self.correlation_id, &response)
    }
}
