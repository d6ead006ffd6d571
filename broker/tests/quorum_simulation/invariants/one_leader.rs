//! In one epoch at most one voter leads, in one life.

use std::collections::BTreeMap;

use broker::quorum::Role;

use super::{Event, Invariant};

#[derive(Default)]
pub(super) struct OneLeader {
    leaders: BTreeMap<i32, (usize, u64)>,
}

impl Invariant for OneLeader {
    fn name(&self) -> &'static str {
        "one leader an epoch"
    }

    fn see(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Seen { node, process, quorum, .. } if quorum.role() == Role::Leader => {
                let epoch = quorum.epoch().0;
                let leader = *self.leaders.entry(epoch).or_insert((*node, *process));
                if leader == (*node, *process) {
                    Ok(())
                } else {
                    Err(format!("epoch {epoch} is led by node {} and by node {node}", leader.0))
                }
            }
            // A single voter without a disk is another quorum.
            Event::Wiped { .. } if self.leaders.values().all(|leader| leader.0 == 0) => {
                self.leaders.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
