//! A high watermark never falls in a life, and never is where no majority has written to disk.

use std::collections::{BTreeMap, BTreeSet};

use super::{Event, Invariant};

pub(super) struct HighWatermarkIsWritten {
    voters: usize,
    /// By record: who has, or had, it on disk.
    written: BTreeMap<u64, BTreeSet<usize>>,
    /// By process.
    last: BTreeMap<u64, i64>,
}

impl HighWatermarkIsWritten {
    pub(super) fn new(voters: usize) -> Self {
        Self { voters, written: BTreeMap::new(), last: BTreeMap::new() }
    }
}

impl Invariant for HighWatermarkIsWritten {
    fn name(&self) -> &'static str {
        "the high watermark is written"
    }

    fn see(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Synced { node, entries } => {
                for entry in *entries {
                    self.written.entry(entry.number).or_default().insert(*node);
                }
            }
            Event::Seen { node, process, quorum, log, .. } => {
                let end = quorum.high_watermark().0;
                let before = self.last.insert(*process, end).unwrap_or_default();
                if end < before {
                    return Err(format!("node {node} falls from {before} to {end}"));
                }
                if end > before
                    && let Some(last) = log.get(end as usize - 1)
                {
                    let have = self.written.get(&last.number).map_or(0, BTreeSet::len);
                    if have * 2 <= self.voters {
                        return Err(format!("node {node} says {end}, which {have} have written"));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}
