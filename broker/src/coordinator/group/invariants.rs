//! What holds of a group between any two calls. The types can't say it, so it is asserted after
//! every call that may change who is in the group, who waits or in which state it is. Nothing that
//! a client sends may break it: requests are judged before they change anything.

use super::{Group, GroupState};

impl Group {
    /// Panics if the group contradicts itself, which would be a mistake of this module.
    pub(in crate::coordinator) fn assert_consistent(&self) {
        let state = self.state;
        let is_preparing = state == GroupState::PreparingRebalance;
        let is_completing = state == GroupState::CompletingRebalance;
        let in_generation = is_completing || state == GroupState::Stable;
        let is_empty = self.members.is_empty();

        assert_ne!(state, GroupState::Dead, "a dead group is not kept");
        assert_eq!(state == GroupState::Empty, is_empty, "a group is empty when it has no members");
        assert_eq!(self.empty_since_ms.is_some(), is_empty, "only an empty group knows since when");
        assert!(
            in_generation || self.sync_deadline_ms.is_none(),
            "{state}: assignments are only waited for once a generation has begun"
        );
        for (instance, member_id) in &self.static_members {
            assert!(self.members.contains_key(member_id), "instance {instance} is held by no member");
        }
        for member_id in self.pending.keys() {
            assert!(!self.members.contains_key(member_id), "{member_id} is a member and yet to become one");
        }
        for (member_id, member) in &self.members {
            assert!(is_preparing || member.joining.is_none(), "{state}: the join of {member_id} is parked");
            assert!(is_completing || member.syncing.is_none(), "{state}: the sync of {member_id} is parked");
            assert!(in_generation || !member.must_sync, "{state}: {member_id} must sync without a round");
            assert!(
                !in_generation || member.supports(&self.protocol_name),
                "{state}: {member_id} does not know the elected protocol {:?}",
                self.protocol_name
            );
        }
        if in_generation {
            let leader = self.leader.as_ref().and_then(|leader| self.members.get(leader));
            assert!(leader.is_some(), "{state}: the leader {:?} is no member", self.leader);
        }
        if is_preparing {
            let someone_is_missing =
                !self.pending.is_empty() || self.members.values().any(|member| member.joining.is_none());
            assert!(
                someone_is_missing || self.initial_delay_until_ms.is_some(),
                "all members have joined, and the round does not end"
            );
        }
    }
}
