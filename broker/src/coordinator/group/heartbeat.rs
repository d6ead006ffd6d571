//! `Heartbeat`.

use super::{Group, GroupError, GroupState};
use crate::coordinator::HeartbeatRequest;

impl Group {
    /// Prolongs the session, and says whether to join again.
    pub(in crate::coordinator) fn heartbeat(
        &mut self,
        now_ms: i64,
        request: &HeartbeatRequest,
    ) -> Result<(), GroupError> {
        self.check_member(&request.member_id, request.group_instance_id.as_deref())?;
        self.check_generation(request.generation)?;
        self.renew_session(now_ms, &request.member_id);
        match self.state {
            GroupState::PreparingRebalance => Err(GroupError::RebalanceInProgress),
            GroupState::CompletingRebalance | GroupState::Stable => Ok(()),
            GroupState::Empty | GroupState::Dead => Err(GroupError::UnknownMemberId),
        }
    }
}
