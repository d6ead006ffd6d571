//! `SyncGroup`.

use bytes::Bytes;

use super::{Effect, Group, GroupError, GroupState, Member, Token};
use crate::coordinator::{SyncRequest, Synced};

impl Group {
    /// Answers or parks; the leader's sets all parked ones free.
    pub(in crate::coordinator) fn sync(
        &mut self,
        now_ms: i64,
        token: Token,
        request: SyncRequest,
        effects: &mut Vec<Effect>,
    ) {
        if let Err(error) = self.check_sync(&request) {
            effects.push(Effect::Sync { token, result: Err(error) });
            return;
        }
        self.renew_session(now_ms, &request.member_id);
        if self.state == GroupState::Stable {
            let member = self.member_mut(&request.member_id);
            member.must_sync = false;
            let answer = member.assignment.clone();
            effects.push(Effect::Sync { token, result: Ok(self.synced(answer)) });
            return;
        }
        let member = self.member_mut(&request.member_id);
        member.must_sync = false;
        if let Some(superseded) = member.syncing.replace(token) {
            effects.push(Effect::Sync { token: superseded, result: Err(GroupError::UnknownMemberId) });
        }
        if self.is_leader(&request.member_id) {
            self.assign(now_ms, request.assignments, effects);
        }
    }

    fn check_sync(&self, request: &SyncRequest) -> Result<(), GroupError> {
        self.check_member(&request.member_id, request.group_instance_id.as_deref())?;
        self.check_generation(request.generation)?;
        let other = |said: &Option<String>, ours: &str| said.as_deref().is_some_and(|said| said != ours);
        if other(&request.protocol_type, &self.protocol_type)
            || other(&request.protocol_name, &self.protocol_name)
        {
            return Err(GroupError::InconsistentGroupProtocol);
        }
        match self.state {
            GroupState::CompletingRebalance | GroupState::Stable => Ok(()),
            GroupState::PreparingRebalance => Err(GroupError::RebalanceInProgress),
            GroupState::Empty | GroupState::Dead => Err(GroupError::UnknownMemberId),
        }
    }

    /// The leader has decided. A member that it left out gets an empty assignment.
    fn assign(&mut self, now_ms: i64, assignments: Vec<(String, Bytes)>, effects: &mut Vec<Effect>) {
        for member in self.members.values_mut() {
            member.assignment = Bytes::new();
        }
        for (member_id, assignment) in assignments {
            if let Some(member) = self.members.get_mut(&member_id) {
                member.assignment = assignment;
            }
        }
        self.state = GroupState::Stable;
        let answer = |member: &mut Member| Some((member.syncing.take()?, member.assignment.clone()));
        let answers: Vec<_> = self
            .members
            .values_mut()
            .filter_map(|member| {
                let answer = answer(member)?;
                member.session_deadline_ms = now_ms.saturating_add(i64::from(member.session_timeout_ms));
                Some(answer)
            })
            .collect();
        for (token, assignment) in answers {
            effects.push(Effect::Sync { token, result: Ok(self.synced(assignment)) });
        }
    }

    fn synced(&self, assignment: Bytes) -> Synced {
        Synced {
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol_name.clone(),
            assignment,
        }
    }
}
