//! What a worker has done, in numbers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// How durations are spread, to one part in a hundred, however many there are.
///
/// An `HdrHistogram` (Gil Tene): buckets that grow with what they hold, so that its room depends on
/// the longest duration and not on their number. It grows to some 25 kB at a second.
#[derive(Clone, PartialEq)]
pub struct Histogram {
    ns: hdrhistogram::Histogram<u64>,
}

/// Significant decimal digits of a duration.
const DIGITS: u8 = 2;

impl Default for Histogram {
    fn default() -> Self {
        Self { ns: hdrhistogram::Histogram::new(DIGITS).expect("two digits are of those it offers") }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.ns.record(ns).expect("it grows to whatever comes");
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.ns.len()
    }

    /// The longest; zero without any.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.ns.max())
    }

    /// The duration that a share `q` (0 to 1) of all do not exceed, by the nearest rank; none
    /// without any.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        (!self.ns.is_empty()).then(|| Duration::from_nanos(self.ns.value_at_quantile(q)).min(self.max()))
    }

    /// The share of all, 0 to 1, that took as long as `duration` or less; zero without any.
    pub fn up_to(&self, duration: Duration) -> f64 {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.ns.count_between(0, ns) as f64 / self.count().max(1) as f64
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p99) = (self.quantile(0.5), self.quantile(0.99));
        write!(f, "Histogram({} durations, p50 {p50:?}, p99 {p99:?})", self.count())
    }
}

/// What one worker has done since it started.
#[derive(Clone, Debug, Default, PartialEq)]
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

    #[test]
    fn quantiles_are_exact_to_a_hundredth() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), None, "nothing counted is not zero");
        (1..=1000).for_each(|us| histogram.record(Duration::from_micros(us)));
        for (q, us) in [(0.0, 1.0), (0.5, 500.0), (0.99, 990.0), (0.999, 999.0), (1.0, 1000.0)] {
            let found = histogram.quantile(q).unwrap().as_secs_f64() * 1e6;
            assert!((found / us - 1.0).abs() < 0.01, "p{q}: {found} for {us}");
        }
        assert_eq!((histogram.count(), histogram.max()), (1000, histogram.quantile(1.0).unwrap()));
        assert!((histogram.up_to(Duration::from_micros(250)) - 0.25).abs() < 0.01);
        assert!((histogram.up_to(Duration::MAX) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn no_duration_is_too_long_or_too_short() {
        let mut histogram = Histogram::default();
        histogram.record(Duration::ZERO);
        histogram.record(Duration::MAX);
        assert_eq!((histogram.count(), histogram.quantile(0.0)), (2, Some(Duration::ZERO)));
        assert!(histogram.max() > Duration::from_secs(u64::from(u32::MAX)));
    }
}
