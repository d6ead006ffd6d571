//! A leader that no majority fetches from doesn't go on: clients that reach it must not wait for
//! it. (KAFKA-15489)

use broker::quorum::Role;

use super::{Event, Invariant};
use crate::node::TIMEOUTS;

/// One and a half times the fetch timeout, and what a step takes.
const LONGEST_MS: i64 = TIMEOUTS.fetch_ms * 3 / 2 + 20;

pub(super) struct LeaderHasMajority {
    /// For each voter, its epoch as a leader, and when that began or each other has come.
    reigns: Vec<Option<(i32, Vec<i64>)>>,
}

impl LeaderHasMajority {
    pub(super) fn new(voters: usize) -> Self {
        Self { reigns: vec![None; voters] }
    }
}

impl Invariant for LeaderHasMajority {
    fn name(&self) -> &'static str {
        "a leader has a majority"
    }

    fn see(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Fetched { leader, peer, now_ms } => {
                if let Some((_, heard)) = &mut self.reigns[*leader] {
                    heard[*peer] = *now_ms;
                }
            }
            Event::Seen { node, quorum, .. } if quorum.role() != Role::Leader => self.reigns[*node] = None,
            Event::Seen { node, quorum, now_ms, .. } if self.reigns[*node].is_none() => {
                self.reigns[*node] = Some((quorum.epoch().0, vec![*now_ms; self.reigns.len()]));
            }
            // Who was stopped hears first what has come meanwhile, and then looks at its clock.
            Event::Ticked { node, now_ms } => {
                let (now_ms, voters) = (*now_ms, self.reigns.len());
                let Some((epoch, heard)) = &mut self.reigns[*node] else { return Ok(()) };
                heard[*node] = now_ms;
                let late = heard.iter().filter(|&&heard_ms| now_ms - heard_ms > LONGEST_MS).count();
                if late > (voters - 1) / 2 {
                    return Err(format!("node {node} leads epoch {epoch}, heard at {heard:?}"));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
