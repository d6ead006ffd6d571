//! `ListGroups`: all groups.
//!
//! # Behaviour
//! Groups that have members or committed offsets.
//!
//! # Versions
//! 4 can ask for groups in certain states.

use protocol::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};

use super::Context;

pub(super) fn handle(context: &Context<'_>, request: &ListGroupsRequest) -> ListGroupsResponse {
    let groups = context.node.groups().list().into_iter().map(|group| ListedGroup {
        group_id: group.group_id,
        protocol_type: group.protocol_type,
        group_state: group.state.to_string(),
    });
    let wanted = &request.states_filter;
    let is_wanted = |group: &ListedGroup| {
        wanted.is_empty() || wanted.iter().any(|state| state.eq_ignore_ascii_case(&group.group_state))
    };
    ListGroupsResponse { groups: groups.filter(is_wanted).collect(), ..Default::default() }
}
