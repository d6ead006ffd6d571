//! Both lanes of several businesses: the sum of their parts, which names none of them.

use events::{Event, HOUR_MS, Timestamp};

use crate::lines::Line;
use crate::part::{BusinessBill, Part, Terms};

/// From when on a show that begins at `start` is billed: from the end of its first period, before
/// which no batch job has had a chance to run. A real one would have run the day before, and the
/// stream's models come with a history, so to count that time would be to bill the batch lane for
/// not having run yet. The bill waits for an hour of event time at most: a person who turns the
/// dial to a day wants to see what a day costs.
pub fn judged_from(start: Timestamp, period_ms: i64) -> Timestamp {
    let period_ms = period_ms.clamp(1, HOUR_MS);
    start.floor(period_ms).plus_ms(period_ms)
}

/// Both lanes of several businesses.
#[derive(Debug)]
pub struct Bill {
    parts: Vec<(&'static Part, Box<dyn BusinessBill>)>,
}

impl Bill {
    /// An empty bill of these businesses, judged by these terms.
    pub fn new(parts: &[&'static Part], terms: &Terms) -> Self {
        for (at, part) in parts.iter().enumerate() {
            assert!(!parts[..at].contains(part), "{} is billed twice", part.name);
        }
        Self { parts: parts.iter().map(|&part| (part, (part.new)(terms))).collect() }
    }

    /// The businesses, in order, each with what was judged of it.
    pub fn parts(&self) -> impl Iterator<Item = (&'static Part, &dyn BusinessBill)> {
        self.parts.iter().map(|(part, bill)| (*part, bill.as_ref()))
    }

    /// Takes a record that was visible from the simulated instant `seen` on, with the broker's
    /// timestamp `wall_ms`.
    pub fn observe(&mut self, event: &Event, seen: Timestamp, wall_ms: i64) {
        for (_, bill) in &mut self.parts {
            bill.observe(event, seen, wall_ms);
        }
    }

    /// Judges every case up to `until`: all that was published by then has been observed.
    pub fn settle(&mut self, until: Timestamp) {
        self.settle_each(|_| Some(until));
    }

    /// Judges every case of each business up to an instant of its own, or none of it.
    pub(crate) fn settle_each(&mut self, until: impl Fn(&Part) -> Option<Timestamp>) {
        for (part, bill) in &mut self.parts {
            if let Some(until) = until(part) {
                bill.settle(until);
            }
        }
    }

    /// Every line that has a case.
    pub fn lines(&self) -> Vec<Line> {
        self.parts.iter().flat_map(|(_, bill)| bill.lines()).collect()
    }
}
