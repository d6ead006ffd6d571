//! When trouble ends, every live member gets to work, in one generation, and every partition is
//! worked on.

use std::collections::BTreeSet;

use super::{Event, Invariant};
use crate::client::{PARTITIONS, Phase};

pub(super) struct EventuallyStable;

impl Invariant for EventuallyStable {
    fn name(&self) -> &'static str {
        "every live member is eventually stable"
    }

    fn see(&mut self, event: &Event<'_>) -> Result<(), String> {
        let Event::End { clients, .. } = event else { return Ok(()) };
        if let Some(index) = clients.iter().position(|client| client.phase != Phase::Working) {
            return Err(format!("client {index} is {:?} at the end", clients[index].phase));
        }
        let generations: BTreeSet<_> = clients.iter().map(|client| client.generation).collect();
        if generations.len() > 1 {
            return Err(format!("the clients are in generations {generations:?}"));
        }
        let mut owned: Vec<_> = clients.iter().flat_map(|client| client.owned.iter().copied()).collect();
        owned.sort_unstable();
        let wanted: Vec<u8> = (0..PARTITIONS).collect();
        if clients.is_empty() || owned == wanted {
            Ok(())
        } else {
            Err(format!("owned at the end: {owned:?}"))
        }
    }
}
