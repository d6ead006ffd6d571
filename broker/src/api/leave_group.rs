//! `LeaveGroup`: stop being a member, so that the others need not wait for the session to time out.
//!
//! # Behaviour
//! The group rebalances at once. A join of the same member that still waits is answered.
//!
//! # Versions
//! Up to 2 one member leaves, from 3 on several, each with its own error; an administrator can name
//! static members by their instance id alone. 5 gives a reason, which is only for logs.

use protocol::ErrorCode;
use protocol::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberResponse};

use super::errors::{ToErrorCode, code_of};
use super::{Answer, Changed, Context, Incoming, Outcome, RequestError};
use crate::coordinator::{LeaveRequest, LeavingMember};

pub(super) fn handle(context: &Context<'_>, mut incoming: Incoming) -> Result<Outcome, RequestError> {
    let request: LeaveGroupRequest = incoming.decode()?;
    let one_member = incoming.version < 3;
    let members = if one_member {
        vec![LeavingMember { member_id: request.member_id, group_instance_id: None }]
    } else {
        let members = request.members.into_iter();
        members
            .map(|m| LeavingMember { member_id: m.member_id, group_instance_id: m.group_instance_id })
            .collect()
    };
    let leave = LeaveRequest { group_id: request.group_id, members };
    let (result, effects) = context.node.groups().leave(context.now_ms, &leave);
    let (error_code, codes) = match &result {
        Ok(results) => (ErrorCode::NONE, results.iter().map(code_of).collect()),
        Err(error) => (error.code(), Vec::new()),
    };
    let response = if one_member {
        let error_code = codes.first().copied().unwrap_or(error_code);
        LeaveGroupResponse { error_code, ..Default::default() }
    } else {
        let members = leave.members.into_iter().zip(codes).map(|(member, error_code)| MemberResponse {
            member_id: member.member_id,
            group_instance_id: member.group_instance_id,
            error_code,
        });
        LeaveGroupResponse { error_code, members: members.collect(), ..Default::default() }
    };
    let answer = Answer::Reply(incoming.encode::<LeaveGroupRequest>(&response));
    Ok(Outcome { answer, effects, changed: Changed::Groups })
}
