//! No voter cuts what it knows to be committed. (KAFKA-12460)

use super::{Event, Invariant};

pub(super) struct NothingCommittedIsCut;

impl Invariant for NothingCommittedIsCut {
    fn name(&self) -> &'static str {
        "nothing committed is cut"
    }

    fn see(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Cut { node, at, high_watermark, .. } if at < high_watermark => {
                Err(format!("node {node} cuts at {at}, its high watermark is {high_watermark}"))
            }
            _ => Ok(()),
        }
    }
}
