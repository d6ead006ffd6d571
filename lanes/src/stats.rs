//! What a worker has done, in numbers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Counts durations in buckets that grow with them: each is at most an eighth wider than its start.
///
/// A bucket is found by the position of the highest bit and the three bits below it, so that 8
/// buckets stand between a power of two and the next: percentiles are exact to 12.5 %, from a
/// nanosecond to centuries, in 4 kB.
#[derive(Clone, PartialEq, Eq)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

const STEPS: u64 = 8;
const BUCKETS: usize = 62 * STEPS as usize;

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: vec![0; BUCKETS], count: 0, max: 0 }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(ns)] += 1;
        self.count += 1;
        self.max = self.max.max(ns);
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.max)
    }

    /// The duration that a share `q` (0 to 1) of all do not exceed, rounded up by at most an
    /// eighth; none without any.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        if self.count == 0 {
            return None;
        }
        let rank = ((self.count as f64 * q.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Some(Duration::from_nanos(last_of(index).min(self.max)));
            }
        }
        Some(self.max())
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Histogram({} durations, p50 {:?}, p99 {:?})",
            self.count,
            self.quantile(0.5),
            self.quantile(0.99)
        )
    }
}

fn bucket(ns: u64) -> usize {
    if ns < STEPS {
        return ns as usize;
    }
    let power = u64::from(ns.ilog2());
    let step = (ns >> (power - 3)) - STEPS;
    (((power - 2) * STEPS + step) as usize).min(BUCKETS - 1)
}

/// The longest duration, in nanoseconds, that falls into a bucket.
fn last_of(index: usize) -> u64 {
    let index = index as u64;
    if index < STEPS {
        return index;
    }
    let power = index / STEPS + 2;
    let step = index % STEPS;
    ((STEPS + step + 1) << (power - 3)).saturating_sub(1)
}

/// What one worker has done since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerStats {
    /// Records read and processed, rebuilding left out.
    pub records: u64,
    /// Answers sent, dead letters left out.
    pub answers: u64,
    /// Answers that were not sent because an earlier life of this worker had given them.
    pub already_answered: u64,
    /// Records that could not be read.
    pub dead_letters: u64,
    /// Partitions in which a question could be given neither an answer nor a dead letter.
    pub stopped_partitions: u64,
    /// Records read again to rebuild state.
    pub rebuilt_from: u64,
    /// Runs of the batch lane.
    pub runs: u64,
    /// Rows loaded into the database.
    pub rows: u64,
    /// Time spent on each record: reading its JSON, processing, and handing the answers over.
    pub processing: Histogram,
    /// What the processors noticed, summed over the tasks.
    pub counters: BTreeMap<&'static str, u64>,
}

/// One line for a person.
impl fmt::Display for WorkerStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records in, {} answers out", self.records, self.answers)?;
        let extras = [
            (self.dead_letters, "dead letters"),
            (self.stopped_partitions, "partitions stopped at a question that can't be answered"),
            (self.already_answered, "already answered"),
            (self.rebuilt_from, "records read again to rebuild state"),
            (self.runs, "runs"),
            (self.rows, "rows loaded"),
        ];
        for (count, name) in extras.into_iter().filter(|(count, _)| *count > 0) {
            write!(f, ", {count} {name}")?;
        }
        if let (Some(p50), Some(p99)) = (self.processing.quantile(0.5), self.processing.quantile(0.99)) {
            write!(
                f,
                ", a record took {p50:.1?} at the median, {p99:.1?} at p99, {:.1?} at most",
                self.processing.max()
            )?;
        }
        for (name, count) in self.counters.iter().filter(|(_, count)| **count > 0) {
            write!(f, ", {name} {count}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_of_a_thousand() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None);
        for us in 1..=1000 {
            histogram.record(Duration::from_micros(us));
        }
        for (q, us) in [(0.0, 1.0), (0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = histogram.quantile(q).unwrap().as_secs_f64() * 1e6;
            assert!((us..=us * 1.126).contains(&found), "p{q}: {found} for {us}");
        }
        assert_eq!(histogram.max(), Duration::from_millis(1));
    }

    proptest! {
        #[test]
        fn a_bucket_holds_what_is_put_into_it(ns: u64) {
            let index = bucket(ns);
            if index < BUCKETS - 1 {
                prop_assert!(ns <= last_of(index));
                prop_assert!(index == 0 || ns > last_of(index - 1));
                prop_assert!(last_of(index) as f64 <= ns as f64 * 1.126);
            }
        }
    }
}
