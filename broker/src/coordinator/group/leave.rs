//! `LeaveGroup`.

use super::{Effect, Group, GroupError};
use crate::coordinator::LeavingMember;

impl Group {
    /// Takes one member out. The others don't wait for it any longer.
    pub(in crate::coordinator) fn leave(
        &mut self,
        now_ms: i64,
        leaving: &LeavingMember,
        effects: &mut Vec<Effect>,
    ) -> Result<(), GroupError> {
        let instance = leaving.group_instance_id.as_deref();
        // An administrator names a static member by its instance alone.
        let by_instance = instance.filter(|_| leaving.member_id.is_empty());
        let member_id = match by_instance {
            Some(instance) => {
                self.static_members.get(instance).cloned().ok_or(GroupError::UnknownMemberId)?
            }
            None => leaving.member_id.clone(),
        };
        if instance.is_none() && self.remove_pending(now_ms, &member_id, effects) {
            return Ok(());
        }
        self.check_member(&member_id, instance)?;
        self.remove_member(now_ms, &member_id, effects);
        Ok(())
    }
}
