//! What happens when nothing happens.

use super::{Effect, Group, GroupState, Member};

impl Group {
    /// Does what is due at `now_ms`.
    pub(in crate::coordinator) fn tick(&mut self, now_ms: i64, effects: &mut Vec<Effect>) {
        let unused: Vec<String> =
            self.pending.iter().filter(|(_, until)| **until <= now_ms).map(|(id, _)| id.clone()).collect();
        for member_id in unused {
            self.remove_pending(now_ms, &member_id, effects);
        }
        let silent =
            self.members.iter().filter(|(_, member)| member.deadline_ms().is_some_and(|due| due <= now_ms));
        let silent: Vec<String> = silent.map(|(id, _)| id.clone()).collect();
        for member_id in silent {
            self.remove_member(now_ms, &member_id, effects);
        }
        if self.sync_deadline_ms.is_some_and(|due| due <= now_ms) {
            self.sync_deadline_ms = None;
            let idle = self.members.iter().filter(|(_, member)| member.must_sync);
            let idle: Vec<String> = idle.map(|(id, _)| id.clone()).collect();
            for member_id in idle {
                self.remove_member(now_ms, &member_id, effects);
            }
        }
        if self.state == GroupState::PreparingRebalance {
            if self.join_deadline_ms <= now_ms {
                self.complete_join(now_ms, effects);
            } else if self.initial_delay_until_ms.is_some_and(|until| until <= now_ms) {
                self.initial_delay_until_ms = None;
                self.begin_or_complete(now_ms, effects);
            }
        }
    }

    /// When [`Group::tick`] has something to do next.
    pub(in crate::coordinator) fn next_deadline_ms(&self) -> Option<i64> {
        let members = self.members.values().filter_map(Member::deadline_ms);
        let round = (self.state == GroupState::PreparingRebalance).then_some(self.join_deadline_ms);
        let sync = self.sync_deadline_ms.filter(|_| self.members.values().any(|member| member.must_sync));
        let pending = self.pending.values().copied();
        members.chain(pending).chain(round).chain(self.initial_delay_until_ms).chain(sync).min()
    }
}

impl Member {
    /// When its session ends. A member whose question we hold can't send heartbeats on that
    /// connection, so its clock stands still, except for the long one of the first join.
    fn deadline_ms(&self) -> Option<i64> {
        let waits_for_us = self.joining.is_some() || self.syncing.is_some();
        (self.is_new || !waits_for_us).then_some(self.session_deadline_ms)
    }
}
