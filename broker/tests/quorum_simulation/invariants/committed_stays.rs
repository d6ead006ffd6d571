//! What was once below a high watermark is there for ever, at its offset: in every log that says it
//! is committed, in every later leader, and no one who has it cuts it.

use broker::quorum::Role;

use super::{Event, Invariant};
use crate::log::Entry;

#[derive(Default)]
pub(super) struct CommittedStays {
    /// What is committed, and in which epoch it first was.
    committed: Vec<(Entry, i32)>,
    /// The reign that was looked at last, by node and epoch.
    reign: Option<(usize, i32)>,
}

impl CommittedStays {
    /// Where a log first differs from what is committed up to `end`.
    fn difference(&self, log: &[Entry], end: usize) -> Option<usize> {
        (0..end.min(self.committed.len())).find(|&at| log.get(at) != Some(&self.committed[at].0))
    }
}

impl Invariant for CommittedStays {
    fn name(&self) -> &'static str {
        "what is committed stays"
    }

    fn see(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Seen { node, quorum, log, .. } => {
                let (epoch, end) = (quorum.epoch().0, quorum.high_watermark().0 as usize);
                if end > log.len() {
                    return Err(format!("node {node} has a high watermark of {end}, a log of {}", log.len()));
                }
                // A log grows at its end, so what was compared once need not be compared again
                // but where it could have been cut and written again: at the end.
                let from = end.saturating_sub(8);
                let differs =
                    (from..end.min(self.committed.len())).find(|&at| log[at] != self.committed[at].0);
                if let Some(at) = differs {
                    return Err(format!("node {node} has another record committed at {at}"));
                }
                for entry in log.iter().take(end).skip(self.committed.len()) {
                    self.committed.push((*entry, epoch));
                }
                let reign = (quorum.role() == Role::Leader).then_some((*node, epoch));
                if reign.is_some() && reign != self.reign {
                    self.reign = reign;
                    let before = self.committed.partition_point(|(_, committed_in)| *committed_in < epoch);
                    if let Some(at) = self.difference(log, before) {
                        return Err(format!("node {node} leads epoch {epoch} without what is at {at}"));
                    }
                }
                Ok(())
            }
            Event::Cut { node, at, entries, .. } => {
                let first = self.committed.get(*at as usize).map(|(entry, _)| entry);
                if first.is_some() && first == entries.first() {
                    Err(format!("node {node} cuts what is committed at {at}"))
                } else {
                    Ok(())
                }
            }
            Event::End { nodes } => nodes.iter().try_for_each(|node| {
                match self.difference(&node.disk.log.entries, self.committed.len()) {
                    Some(at) => Err(format!("node {} lacks what is at {at} at the end", node.index)),
                    None => Ok(()),
                }
            }),
            _ => Ok(()),
        }
    }
}
