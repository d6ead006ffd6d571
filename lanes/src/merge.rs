//! Brings the inputs of a task into one order.
//!
//! A task that reads pings and trips must not read an hour of trips before the pings of that hour,
//! only because they were fetched sooner. While everything is live there is nothing to decide:
//! records come when they happen. But a worker that was away, paused or overrun finds both inputs
//! full, and then the records are taken by their timestamps, which are the wall clocks of their
//! sending. (Kafka Streams calls this stream time synchronisation; see KIP-353 and KIP-695.)
//!
//! The difficulty is an input that is empty *here*: has it nothing more, or has it not been fetched
//! yet? So a late record is held while another input is silent, until the end of that input is
//! known to have been read after the record's timestamp. A record that is fresh is never held: the
//! answer is to be given at once.

use std::collections::VecDeque;

/// A record younger than this, in milliseconds of the wall clock, is not held back for anything.
const FRESH_MS: i64 = 1_000;

/// Records of several inputs on their way into one order.
///
/// The caller looks at [`silent`](Self::silent) and feeds the next record of those inputs: one of
/// each input is enough to know whose turn it is, and the rest waits where it came from.
#[derive(Debug)]
pub(crate) struct Merge<T> {
    inputs: Vec<Queue<T>>,
}

#[derive(Debug)]
struct Queue<T> {
    waiting: VecDeque<(i64, T)>,
    /// At this instant of the wall clock, everything in the input had been read.
    drained_at: i64,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next<T> {
    /// Process this.
    Take(T),
    /// There are records, the first of them sent at this instant, but the silent inputs may have
    /// earlier ones.
    Wait(i64),
    /// Nothing here.
    Empty,
}

impl<T> Merge<T> {
    /// For that many inputs.
    pub(crate) fn new(inputs: usize) -> Self {
        let input = |_| Queue { waiting: VecDeque::new(), drained_at: i64::MIN };
        Self { inputs: (0..inputs).map(input).collect() }
    }

    /// Adds a record of `input` with its timestamp.
    pub(crate) fn push(&mut self, input: usize, timestamp_ms: i64, record: T) {
        self.inputs[input].waiting.push_back((timestamp_ms, record));
    }

    /// Everything that was in `input` at the instant `wall_ms` has been pushed.
    pub(crate) fn drained(&mut self, input: usize, wall_ms: i64) {
        let known = &mut self.inputs[input].drained_at;
        *known = (*known).max(wall_ms);
    }

    /// The next record in order, if it is certain enough.
    pub(crate) fn next(&mut self, now_ms: i64) -> Next<T> {
        let heads =
            self.inputs.iter().enumerate().filter_map(|(n, input)| Some((input.waiting.front()?.0, n)));
        let Some((timestamp, first)) = heads.min() else { return Next::Empty };
        let held_up = timestamp < now_ms - FRESH_MS
            && self.inputs.iter().any(|input| input.waiting.is_empty() && input.drained_at < timestamp);
        if held_up { Next::Wait(timestamp) } else { self.take(first) }
    }

    /// The next record in order of what is here, whatever the other inputs may have.
    pub(crate) fn next_of_all(&mut self) -> Option<T> {
        match self.next(i64::MIN + FRESH_MS) {
            Next::Take(record) => Some(record),
            Next::Wait(ms) => unreachable!("at the beginning of time nothing is late, not even {ms}"),
            Next::Empty => None,
        }
    }

    /// Up to which instant all that `input` had has been pushed.
    pub(crate) fn drained_at(&self, input: usize) -> i64 {
        self.inputs[input].drained_at
    }

    /// Whether `input` has nothing here.
    pub(crate) fn is_silent(&self, input: usize) -> bool {
        self.inputs[input].waiting.is_empty()
    }

    /// The inputs that have nothing here.
    pub(crate) fn silent(&self) -> impl Iterator<Item = usize> {
        self.inputs.iter().enumerate().filter(|(_, input)| input.waiting.is_empty()).map(|(n, _)| n)
    }

    /// Forgets what is held: it will be read again.
    pub(crate) fn clear(&mut self) {
        self.inputs.iter_mut().for_each(|input| {
            input.waiting.clear();
            input.drained_at = i64::MIN;
        });
    }

    fn take(&mut self, input: usize) -> Next<T> {
        let (_, record) =
            self.inputs[input].waiting.pop_front().expect("only inputs with a head are taken from");
        Next::Take(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 100_000;

    #[test]
    fn late_records_come_in_the_order_of_their_timestamps() {
        let mut merge = Merge::new(2);
        for ms in [10, 30, 50] {
            merge.push(0, ms, ms);
        }
        for ms in [20, 40] {
            merge.push(1, ms, ms);
        }
        let taken: Vec<_> = std::iter::from_fn(|| match merge.next(NOW) {
            Next::Take(ms) => Some(ms),
            _ => None,
        })
        .collect();
        assert_eq!(taken, [10, 20, 30, 40], "50 waits: the other input may have a 45");
        assert_eq!(merge.next(NOW), Next::Wait(50));
        assert_eq!(merge.silent().collect::<Vec<_>>(), [1]);
        merge.drained(1, 60);
        assert_eq!(merge.next(NOW), Next::Take(50));
        assert_eq!(merge.next(NOW), Next::Empty);
    }

    #[test]
    fn what_was_drained_before_a_record_says_nothing_about_it() {
        let mut merge = Merge::new(2);
        merge.drained(1, 40);
        merge.push(0, 50, "x");
        assert_eq!(merge.next(NOW), Next::Wait(50));
    }

    #[test]
    fn a_fresh_record_is_never_held() {
        let mut merge = Merge::new(2);
        merge.push(0, NOW - 5, "x");
        assert_eq!(merge.next(NOW), Next::Take("x"));
    }

    #[test]
    fn a_single_input_is_taken_as_it_comes() {
        let mut merge = Merge::new(1);
        for ms in [30, 10, 20] {
            merge.push(0, ms, ms);
        }
        assert_eq!(
            [(); 4].map(|()| merge.next(NOW)),
            [Next::Take(30), Next::Take(10), Next::Take(20), Next::Empty]
        );
    }
}
