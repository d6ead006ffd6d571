//! Who may commit offsets.

use super::{Generation, Group, GroupError, GroupState};

impl Group {
    /// Refuses the commits of those who no longer own what they commit. A good one counts as a sign
    /// of life.
    pub(in crate::coordinator) fn check_commit(
        &mut self,
        now_ms: i64,
        generation: Generation,
        member_id: &str,
        group_instance_id: Option<&str>,
    ) -> Result<(), GroupError> {
        // A consumer that assigned partitions to itself, or a tool that resets offsets.
        if generation < Generation(0) && self.state == GroupState::Empty {
            return Ok(());
        }
        self.check_member(member_id, group_instance_id)?;
        self.check_generation(generation)?;
        if self.state == GroupState::CompletingRebalance {
            // It knows the new generation but not what it gets in it.
            return Err(GroupError::RebalanceInProgress);
        }
        self.renew_session(now_ms, member_id);
        Ok(())
    }
}
