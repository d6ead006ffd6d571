//! What was acknowledged is there after the broker was killed; the newest of each partition counts.

use std::collections::BTreeMap;

use super::{Event, Invariant};

#[derive(Default)]
pub(super) struct AcknowledgedCommitsSurvive {
    committed: BTreeMap<u8, i64>,
}

impl Invariant for AcknowledgedCommitsSurvive {
    fn name(&self) -> &'static str {
        "acknowledged commits survive"
    }

    fn see(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Committed { partition, offset, .. } => {
                self.committed.insert(*partition, *offset);
            }
            Event::BrokerStarted { committed } => {
                let expected: Vec<_> =
                    self.committed.iter().map(|(partition, at)| (*partition, *at)).collect();
                if *committed != expected {
                    return Err(format!("{committed:?} is there, {expected:?} was acknowledged"));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
