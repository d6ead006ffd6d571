//! Events that were already heard: a producer that got no answer sends again.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use events::Click;
use hashbrown::HashSet;

/// How many events back a second coming is noticed. Retries come within seconds; this is over an
/// hour of a busy shop.
const REMEMBERED: usize = 1 << 17;

/// The latest events, as 64-bit hashes of session and event id (a false alarm is less likely than a
/// broken memory cell).
#[derive(Clone, Debug, Default)]
pub(super) struct Twice {
    heard: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Twice {
    /// Whether this event was heard before; from now on it was. An event without an id is always
    /// new.
    pub(super) fn heard(&mut self, click: &Click) -> bool {
        let Some(event_id) = &click.event_id else { return false };
        let mut hasher = DefaultHasher::new();
        (&click.session_id, event_id).hash(&mut hasher);
        let hash = hasher.finish();
        if !self.heard.insert(hash) {
            return true;
        }
        self.order.push_back(hash);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.heard.remove(&oldest);
        }
        false
    }
}
