//! How far a run reads.

use super::super::bookmark::Read;
use super::super::window::Window;
use super::{Job, probe};
use crate::BatchError;

impl Job<'_> {
    /// Decides how far the run of `window` reads, and writes that down before anything is done.
    pub(super) fn plan(&mut self, window: Window) -> Result<(), BatchError> {
        if self.inputs.iter().any(|input| input.plan.is_some()) {
            return Ok(());
        }
        let at: Vec<_> = self.inputs.iter().map(|input| input.at.clone()).collect();
        let ends = self.admin.ends(&at)?;
        let beyond = window.end.plus_ms(self.config.grace_ms.max(self.period_ms));
        for (input, end) in self.inputs.iter_mut().zip(ends) {
            let end = end.unwrap_or(0).max(input.position);
            // A job that is many periods behind must not read to the end of the log for each of
            // them.
            let probe = probe(&mut self.probes, &self.config.settings, input.topic)?;
            let end = probe.turn_to(input.at.partition).search(input.position, end, beyond)?.1;
            probe.rest()?;
            // What an earlier run has looked at stays looked at.
            let end = input.done.map_or(end, |done| end.max(done.end));
            input.plan = Some(Read { end, until: window.end });
            input.plan_start = Some(window.start);
        }
        self.commit()
    }
}
