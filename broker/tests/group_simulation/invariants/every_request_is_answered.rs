//! No request is parked for ever. (That none is answered twice, the world checks itself.)

use super::{Event, Invariant};

pub(super) struct EveryRequestIsAnswered;

impl Invariant for EveryRequestIsAnswered {
    fn name(&self) -> &'static str {
        "every request is answered"
    }

    fn see(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::End { waiting, .. } if *waiting > 0 => Err(format!("{waiting} requests wait at the end")),
            _ => Ok(()),
        }
    }
}
