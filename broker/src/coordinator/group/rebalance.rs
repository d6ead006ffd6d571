//! Beginning a round and ending its first half.

use super::{Effect, Generation, Group, GroupConfig, GroupError, GroupState};

impl Group {
    /// Someone joined: waits for the initial delay when the group was empty, otherwise as
    /// [`Group::begin_or_complete`].
    pub(super) fn rebalance(&mut self, now_ms: i64, config: &GroupConfig, effects: &mut Vec<Effect>) {
        if self.state == GroupState::Empty && config.initial_rebalance_delay_ms > 0 {
            self.initial_delay_until_ms = Some(now_ms.saturating_add(config.initial_rebalance_delay_ms));
        }
        self.begin_or_complete(now_ms, effects);
    }

    /// Begins a round if none is on, and completes it if no member is missing.
    pub(super) fn begin_or_complete(&mut self, now_ms: i64, effects: &mut Vec<Effect>) {
        if self.state != GroupState::PreparingRebalance {
            self.begin_round(now_ms, effects);
        }
        let delayed = self.initial_delay_until_ms.is_some_and(|until| now_ms < until);
        let all_joined =
            self.members.values().all(|member| member.joining.is_some()) && self.pending.is_empty();
        // Without members there is nothing to wait for, not even for those who are expected.
        if (all_joined && !delayed) || self.members.is_empty() {
            self.complete_join(now_ms, effects);
        }
    }

    fn begin_round(&mut self, now_ms: i64, effects: &mut Vec<Effect>) {
        for member in self.members.values_mut() {
            member.must_sync = false;
            if let Some(token) = member.syncing.take() {
                effects.push(Effect::Sync { token, result: Err(GroupError::RebalanceInProgress) });
                // It was excused while it waited.
                member.session_deadline_ms = now_ms.saturating_add(i64::from(member.session_timeout_ms));
            }
        }
        self.sync_deadline_ms = None;
        self.state = GroupState::PreparingRebalance;
        self.join_deadline_ms = now_ms.saturating_add(self.rebalance_timeout_ms());
    }

    /// The most patient member decides.
    fn rebalance_timeout_ms(&self) -> i64 {
        self.members.values().map(|member| i64::from(member.rebalance_timeout_ms)).max().unwrap_or_default()
    }

    /// Ends the wait for members: those who did not come are out, the others get a new generation.
    pub(super) fn complete_join(&mut self, now_ms: i64, effects: &mut Vec<Effect>) {
        self.members.retain(|_, member| member.joining.is_some() || member.group_instance_id.is_some());
        let leader_joined = self
            .leader
            .as_ref()
            .and_then(|id| self.members.get(id))
            .is_some_and(|leader| leader.joining.is_some());
        if !leader_joined {
            let first = self.members.iter().find(|(_, member)| member.joining.is_some());
            match first {
                Some((member_id, _)) => self.leader = Some(member_id.clone()),
                // Only static members are left and none of them came: wait for another round.
                None if !self.members.is_empty() => {
                    self.join_deadline_ms = now_ms.saturating_add(self.rebalance_timeout_ms());
                    return;
                }
                None => self.leader = None,
            }
        }
        self.generation = Generation(self.generation.0.checked_add(1).unwrap_or(1));
        self.initial_delay_until_ms = None;
        self.protocol_name = self.elect_protocol();
        if self.members.is_empty() {
            self.state = GroupState::Empty;
            self.empty_since_ms = Some(now_ms);
            return;
        }
        self.state = GroupState::CompletingRebalance;
        self.sync_deadline_ms = Some(now_ms.saturating_add(self.rebalance_timeout_ms()));
        let joined: Vec<String> = self
            .members
            .iter()
            .filter(|(_, member)| member.joining.is_some())
            .map(|(id, _)| id.clone())
            .collect();
        for member_id in joined {
            let answer = self.joined(&member_id);
            self.renew_session(now_ms, &member_id);
            let member = self.member_mut(&member_id);
            member.is_new = false;
            member.must_sync = true;
            let token = member.joining.take().expect("only members with a parked join are in the list");
            effects.push(Effect::Join { token, result: Ok(answer) });
        }
    }

    /// Takes a member out, answers what it had parked, and lets the others go on.
    pub(super) fn remove_member(&mut self, now_ms: i64, member_id: &str, effects: &mut Vec<Effect>) {
        let Some(member) = self.members.remove(member_id) else { return };
        if let Some(instance) = &member.group_instance_id {
            self.static_members.remove(instance);
        }
        if let Some(token) = member.joining {
            effects.push(Effect::Join { token, result: Err(GroupError::UnknownMemberId) });
        }
        if let Some(token) = member.syncing {
            effects.push(Effect::Sync { token, result: Err(GroupError::UnknownMemberId) });
        }
        if self.is_leader(member_id) {
            self.leader = self.members.keys().next().cloned();
        }
        self.begin_or_complete(now_ms, effects);
    }

    /// A member id that was given out will not be used.
    pub(super) fn remove_pending(&mut self, now_ms: i64, member_id: &str, effects: &mut Vec<Effect>) -> bool {
        let was_pending = self.pending.remove(member_id).is_some();
        if was_pending && self.state == GroupState::PreparingRebalance {
            self.begin_or_complete(now_ms, effects);
        }
        was_pending
    }
}
