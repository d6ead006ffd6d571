//! The network between a phone and the broker: sometimes it delays or repeats a position.
//!
//! # Simplifications
//! - Nothing is lost: a position that is never delivered would be one that was never measured.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use events::{Event, Timestamp};
use rand::RngExt;
use rand::rngs::StdRng;
use rand_distr::Exp1;

use super::config::Delivery;
use super::noise::{Purpose, rng};
use crate::emission::Emission;

/// Events on their way, in the order of their sending.
#[derive(Debug)]
pub(super) struct Outbox {
    rng: StdRng,
    delivery: Delivery,
    /// In order, for nothing delays them.
    ready: VecDeque<Emission>,
    delayed: BinaryHeap<Delayed>,
    /// Counts what is delayed, so that two that are sent at one instant keep an order.
    sequence: u64,
    newest: Timestamp,
}

#[derive(Debug)]
struct Delayed {
    emission: Emission,
    sequence: u64,
}

impl PartialEq for Delayed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Delayed {}

impl Ord for Delayed {
    fn cmp(&self, other: &Self) -> Ordering {
        // Reversed: the standard heap returns its greatest first.
        (other.emission.at, other.sequence).cmp(&(self.emission.at, self.sequence))
    }
}

impl PartialOrd for Delayed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Outbox {
    pub(super) fn new(seed: u64, delivery: &Delivery, start: Timestamp) -> Outbox {
        let share = |share: f64| if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        Outbox {
            rng: rng(seed, Purpose::Delivering, 0),
            delivery: Delivery {
                reordered: share(delivery.reordered),
                late: share(delivery.late),
                duplicated: share(delivery.duplicated),
            },
            ready: VecDeque::new(),
            delayed: BinaryHeap::new(),
            sequence: 0,
            newest: start,
        }
    }

    /// Sends at once. Calls come in the order of time.
    pub(super) fn send(&mut self, at: Timestamp, event: impl Into<Event>) {
        debug_assert!(at >= self.newest, "{at} after {}", self.newest);
        self.newest = at;
        self.ready.push_back(Emission { at, event: event.into() });
    }

    /// Sends over the network of phones, which may delay or repeat it.
    pub(super) fn send_over_network(&mut self, at: Timestamp, event: impl Into<Event>) {
        let event = event.into();
        let Delivery { reordered, late, duplicated } = self.delivery;
        let draw: f64 = self.rng.random();
        let delay_s = if draw < late {
            (5.0 + 55.0 * self.rng.sample::<f64, _>(Exp1)).min(600.0)
        } else if draw < late + reordered {
            self.rng.random_range(1.0..5.0)
        } else {
            0.0
        };
        let sent = at.plus_seconds(delay_s);
        if duplicated > 0.0 && self.rng.random_bool(duplicated) {
            let again = sent.plus_seconds(self.rng.random_range(0.0..5.0));
            self.delay(again, event.clone());
        }
        if delay_s > 0.0 { self.delay(sent, event) } else { self.send(at, event) }
    }

    fn delay(&mut self, at: Timestamp, event: Event) {
        self.sequence += 1;
        self.delayed.push(Delayed { emission: Emission { at, event }, sequence: self.sequence });
    }

    /// The next to be sent; none while an event may still come that is sent before all delayed
    /// ones.
    pub(super) fn take(&mut self) -> Option<Emission> {
        let ready = self.ready.front()?;
        if self.delayed.peek().is_some_and(|delayed| delayed.emission.at < ready.at) {
            return self.delayed.pop().map(|delayed| delayed.emission);
        }
        self.ready.pop_front()
    }
}
