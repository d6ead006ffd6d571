//! `DeleteGroups`: remove groups without members, and their committed offsets.
//!
//! # Behaviour
//! A group with members is refused; each group has its own answer.
//!
//! # Versions
//! All alike; 2 is flexible.

use protocol::delete_groups::{DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse};

use super::Context;
use super::errors::code_of;

pub(super) fn handle(context: &Context<'_>, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let mut groups = context.node.groups();
    let results = request.groups_names.into_iter().map(|group_id| {
        let result = groups.delete_group(context.now_ms, &group_id);
        DeletableGroupResult { group_id, error_code: code_of(&result) }
    });
    DeleteGroupsResponse { results: results.collect(), ..Default::default() }
}
