//! `DescribeGroups`: state and members of groups.
//!
//! # Behaviour
//! A group that does not exist is `Dead`. What members subscribe to and were assigned is told only
//! of a stable group: until then it is not decided. A group that is named again is told once. What
//! members say may be large, so an answer ends at 64 MB: the groups behind that get an error.
//!
//! # Versions
//! 3 can ask what the client may do to the group: everything. 4 adds static members. Up to 5 a
//! group that does not exist is no error, and a client can't tell it from one that just died; in 6
//! it is (KIP-1043).

use std::collections::BTreeSet;

use protocol::ErrorCode;
use protocol::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};

use super::errors::sentence;
use super::{Context, Incoming, Outcome, RequestError, operations};
use crate::coordinator::{GroupDescription, GroupState};

/// So much of what members say fits into one answer.
const MAX_ANSWER_BYTES: usize = 64 << 20;

pub(super) fn handle(context: &Context<'_>, incoming: Incoming) -> Result<Outcome, RequestError> {
    let unknown_is_an_error = incoming.version >= 6;
    incoming.answer(|request: DescribeGroupsRequest| {
        let groups = context.node.groups();
        let mut seen = BTreeSet::new();
        let once = request.groups.into_iter().filter(|group_id| seen.insert(group_id.clone()));
        let mut told_bytes = 0;
        let asked = request.include_authorized_operations;
        let described = once.map(|group_id| match groups.describe(&group_id) {
            Some(group) => {
                let said = group.members.iter().map(|member| member.metadata.len() + member.assignment.len());
                told_bytes += said.sum::<usize>();
                if told_bytes <= MAX_ANSWER_BYTES { describe(group) } else { too_much(group_id) }
            }
            None => unknown(group_id, unknown_is_an_error),
        });
        let described = described.map(|group| DescribedGroup {
            authorized_operations: operations::if_asked(
                asked && group.error_code.is_none(),
                operations::GROUP,
            ),
            ..group
        });
        DescribeGroupsResponse { groups: described.collect(), ..Default::default() }
    })
}

fn unknown(group_id: String, is_an_error: bool) -> DescribedGroup {
    let dead = DescribedGroup { group_state: GroupState::Dead.to_string(), ..Default::default() };
    if is_an_error {
        let error_message = Some(sentence(format_args!("there is no group {group_id}")));
        DescribedGroup { error_code: ErrorCode::GROUP_ID_NOT_FOUND, error_message, group_id, ..dead }
    } else {
        DescribedGroup { group_id, ..dead }
    }
}

fn too_much(group_id: String) -> DescribedGroup {
    let message = "the groups in this request have more to say than fits into one answer: ask for fewer";
    DescribedGroup {
        error_code: ErrorCode::UNKNOWN_SERVER_ERROR,
        error_message: Some(message.into()),
        group_id,
        ..Default::default()
    }
}

fn describe(group: GroupDescription) -> DescribedGroup {
    let members = group.members.into_iter().map(|member| DescribedGroupMember {
        member_id: member.member_id,
        group_instance_id: member.group_instance_id,
        client_id: member.client_id,
        client_host: member.client_host,
        member_metadata: member.metadata,
        member_assignment: member.assignment,
    });
    DescribedGroup {
        members: members.collect(),
        group_id: group.group_id,
        group_state: group.state.to_string(),
        protocol_type: group.protocol_type,
        protocol_data: group.protocol_name,
        ..Default::default()
    }
}
