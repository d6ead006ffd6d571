//! `ListGroups`: all groups.
//!
//! # Behaviour
//! Groups that have members or committed offsets.
//!
//! # Versions
//! 4 can ask for groups in certain states, 5 for groups of certain types: all of ours are classic.

use protocol::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};

use super::Context;

/// The type of every group here, as Kafka calls it. Its other one is that of the new
/// group protocol (KIP-848).
const CLASSIC: &str = "classic";

pub(super) fn handle(context: &Context<'_>, request: &ListGroupsRequest) -> ListGroupsResponse {
    let groups = context.node.groups().list().into_iter().map(|group| ListedGroup {
        group_id: group.group_id,
        protocol_type: group.protocol_type,
        group_state: group.state.to_string(),
        group_type: CLASSIC.into(),
    });
    let any_of = |filter: &[String], value: &str| {
        filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(value))
    };
    let groups = groups.filter(|group| {
        any_of(&request.states_filter, &group.group_state) && any_of(&request.types_filter, &group.group_type)
    });
    ListGroupsResponse { groups: groups.collect(), ..Default::default() }
}
