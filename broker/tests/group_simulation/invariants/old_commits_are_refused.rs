//! Who was left behind by a round can't overwrite the progress of those who took over.

use super::{Event, Invariant};

#[derive(Default)]
pub(super) struct OldCommitsAreRefused {
    newest: i32,
}

impl Invariant for OldCommitsAreRefused {
    fn name(&self) -> &'static str {
        "commits of old generations are refused"
    }

    fn see(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Joined(joined) => {
                if joined.generation.0 < self.newest {
                    return Err(format!("generation {} after {}", joined.generation, self.newest));
                }
                self.newest = joined.generation.0;
            }
            Event::Committed { member_id, generation, .. } if generation.0 != self.newest => {
                return Err(format!("{member_id} committed in {generation}, the newest is {}", self.newest));
            }
            Event::BrokerStarted { .. } => self.newest = 0,
            _ => {}
        }
        Ok(())
    }
}
