//! What administrators see.

use bytes::Bytes;

use super::subscription::subscribes_to;
use super::{Group, GroupState};
use crate::coordinator::{GroupDescription, MemberDescription};

impl Group {
    /// `DescribeGroups`. Subscriptions and assignments are only told while they hold.
    pub(in crate::coordinator) fn describe(&self, group_id: &str) -> GroupDescription {
        let stable = self.state == GroupState::Stable;
        let members = self.members.iter().map(|(member_id, member)| MemberDescription {
            member_id: member_id.clone(),
            group_instance_id: member.group_instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            metadata: if stable { member.metadata(&self.protocol_name) } else { Bytes::new() },
            assignment: if stable { member.assignment.clone() } else { Bytes::new() },
        });
        GroupDescription {
            group_id: group_id.to_owned(),
            state: self.state,
            protocol_type: self.protocol_type.clone(),
            protocol_name: if stable { self.protocol_name.clone() } else { String::new() },
            members: members.collect(),
        }
    }

    /// Whether any member consumes `topic`. Of members whose subscription can't be read: yes, so
    /// that nothing is taken from under them.
    pub(in crate::coordinator) fn is_subscribed_to(&self, topic: &str) -> bool {
        let mut subscriptions = self.members.values().flat_map(|member| &member.protocols);
        subscriptions.any(|(_, metadata)| subscribes_to(metadata, topic).unwrap_or(true))
    }
}
