//! Whom this broker refused: the last of those whose connections it closed, or whose records it
//! could not take, because they speak something else or something too old.
//!
//! A client that is refused so learns no reason: the protocol has no place for one. It sees a
//! closed connection, and its user a word like `NoBrokersAvailable`. So the broker remembers, and
//! tells who asks (`api/refused_connections.rs`).
//!
//! # Simplifications
//! - In memory only: after a restart nobody has been refused.
//! - Clients on one machine that are refused for the same reason are one entry.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard};

/// So many are remembered. A client tries again for ever, and is one entry however often.
const MOST: usize = 16;
/// A reason is a sentence of ours, of which a part may come from outside.
const LONGEST_REASON: usize = 300;

/// How `freshet doctor` calls itself. It says hello in many ways, most of which are refused, and is
/// no client whose user looks for a reason.
pub(crate) const DOCTOR: &str = "freshet-doctor";

/// Those of one machine who were refused for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Where they connect from, as `/127.0.0.1`.
    pub(crate) client_host: String,
    pub(crate) reason: String,
    /// How often, and when last, in ms since 1970.
    pub(crate) count: u64,
    pub(crate) last_ms: i64,
}

/// The last refusals, the latest at the end.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<VecDeque<Refusal>>);

impl Refusals {
    /// One more, unless it is the doctor.
    pub(crate) fn note(&self, now_ms: i64, client_host: &str, reason: &dyn fmt::Display) {
        let mut reason = reason.to_string().replace(char::is_control, " ");
        if reason.contains(DOCTOR) {
            return;
        }
        reason.truncate(reason.floor_char_boundary(LONGEST_REASON));
        let mut all = self.all();
        let same = all.iter().position(|known| known.client_host == client_host && known.reason == reason);
        let known = same.and_then(|place| all.remove(place));
        if all.len() >= MOST {
            all.pop_front();
        }
        let count = known.map_or(0, |known| known.count) + 1;
        all.push_back(Refusal { client_host: client_host.to_owned(), reason, count, last_ms: now_ms });
    }

    /// All that are remembered, the latest first.
    pub(crate) fn latest(&self) -> Vec<Refusal> {
        self.all().iter().rev().cloned().collect()
    }

    fn all(&self) -> MutexGuard<'_, VecDeque<Refusal>> {
        self.0.lock().expect("no thread panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_are_remembered_and_the_same_is_counted() {
        let refusals = Refusals::default();
        refusals.note(5, "/10.0.0.1", &"a TLS handshake");
        for number in 0..20 {
            refusals.note(10 + number, "/10.0.0.2", &format!("reason {}", number % 2));
        }
        refusals.note(90, "/10.0.0.1", &"a TLS handshake");
        refusals.note(95, "/10.0.0.1", &"no login (client.id=\"freshet-doctor\")");
        let all = refusals.latest();
        let told = |refusal: &Refusal| (refusal.client_host.clone(), refusal.count, refusal.last_ms);
        assert_eq!(
            all.iter().map(told).collect::<Vec<_>>(),
            [
                ("/10.0.0.1".to_owned(), 2, 90),
                ("/10.0.0.2".to_owned(), 10, 29),
                ("/10.0.0.2".to_owned(), 10, 28),
            ]
        );
    }

    #[test]
    fn who_is_refused_in_many_ways_takes_no_more_memory() {
        let refusals = Refusals::default();
        for number in 0..1_000 {
            refusals.note(number, "/10.0.0.1", &format!("{number}\n\t{}", "é".repeat(1_000)));
        }
        let all = refusals.latest();
        assert_eq!((all.len(), all[0].last_ms), (MOST, 999));
        assert!(all.iter().all(|refusal| refusal.reason.len() <= LONGEST_REASON));
        assert!(!all[0].reason.contains(char::is_control));
    }
}
