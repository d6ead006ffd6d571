//! `DescribeGroups`: state and members of groups.
//!
//! # Behaviour
//! A group that does not exist is `Dead`, without an error. What members subscribe to and were assigned is told only
//! of a stable group: until then it is not decided.
//!
//! # Versions
//! 3 can ask what the client may do to the group; without access control that is not known. 4 adds static members.

use protocol::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};

use super::Context;
use crate::coordinator::{GroupDescription, GroupState};

pub(super) fn handle(context: &Context<'_>, request: DescribeGroupsRequest) -> DescribeGroupsResponse {
    let groups = context.node.groups();
    let described = request.groups.into_iter().map(|group_id| match groups.describe(&group_id) {
        Some(group) => describe(group),
        None => DescribedGroup { group_id, group_state: GroupState::Dead.to_string(), ..Default::default() },
    });
    DescribeGroupsResponse { groups: described.collect(), ..Default::default() }
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
