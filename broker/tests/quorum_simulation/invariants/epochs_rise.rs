//! The epoch of a voter never falls, as long as it has its disk, and is on that disk before anyone
//! hears of it.

use super::{Event, Invariant};

pub(super) struct EpochsRise {
    epochs: Vec<i32>,
}

impl EpochsRise {
    pub(super) fn new(voters: usize) -> Self {
        Self { epochs: vec![0; voters] }
    }
}

impl Invariant for EpochsRise {
    fn name(&self) -> &'static str {
        "epochs rise"
    }

    fn see(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Seen { node, quorum, disk_epoch, .. } => {
                let epoch = quorum.epoch().0;
                let before = std::mem::replace(&mut self.epochs[*node], epoch);
                if epoch < before {
                    Err(format!("node {node} falls from epoch {before} to {epoch}"))
                } else if epoch != *disk_epoch {
                    Err(format!("node {node} is in epoch {epoch}, its disk in {disk_epoch}"))
                } else {
                    Ok(())
                }
            }
            Event::Wiped { node } => {
                self.epochs[*node] = 0;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
