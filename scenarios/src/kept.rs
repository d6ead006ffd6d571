//! How much of a show's log is kept: so much of the disk, and no more.
//!
//! Every topic has its share by what a show writes there in an hour of simulated time, so that all
//! of them reach back as far as each other; what the simulators say reaches back further, for that
//! is what the jobs of the batch lane read at the end of their period.
//!
//! A partition takes more than its `retention.bytes`: a segment goes as a whole, when what is left
//! is still that much. That is reckoned in.

use std::time::Duration;

use events::{HOUR_MS, Retention, Role, Topic};

use crate::business::{Business, Volume};
use crate::topics::{partitions, segment_bytes};

const KIB: i64 = 1 << 10;
const MIB: i64 = 1 << 20;

/// What a show may take of the disk unless told otherwise: 1.5 GB.
pub const USUAL_BYTES: u64 = 1_500_000_000;
/// What a day of every business is in the warehouse, of which nothing is removed.
const WAREHOUSE_BYTES: i64 = 24 * 5 * MIB;
/// The log is kept for so many periods of the batch lane at least: a run publishes a whole period
/// of answers at once.
const LEAST_PERIODS: f64 = 1.25;
/// What is read at the end of a period is kept so many times as long: for two periods at least.
const INPUTS: f64 = 1.6;
/// A show of other data than usual may write more; and partitions are not equally full. Little, for
/// a show takes less than is reckoned: after a quarter of an hour 1.2 of 1.5 GB.
const RESERVE: f64 = 0.97;
/// Of each partition at least so much is kept, in segments of half of it: Kafka makes none smaller.
const LEAST_BYTES: i64 = 2 * MIB;

/// What of a show is kept.
#[derive(Clone)]
pub struct Kept {
    businesses: Vec<&'static Business>,
    drivers: u32,
    /// Hours of event time.
    hours: f64,
    period_ms: i64,
    speed: f64,
    /// What all of it may take.
    bytes: u64,
}

/// So little of the disk can't hold what the jobs read in a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TooLittle {
    /// What would do.
    pub needed: u64,
}

/// A size in bytes to a tenth of a gigabyte.
pub fn rounded_up(bytes: u64) -> u64 {
    bytes.div_ceil(100_000_000) * 100_000_000
}

impl Kept {
    /// What `bytes` of the disk hold of a show of these businesses with so many cars, whose jobs
    /// run every `period_ms` of event time.
    pub fn within(
        bytes: u64,
        businesses: &[&'static Business],
        drivers: u32,
        period_ms: i64,
        speed: f64,
    ) -> Result<Self, TooLittle> {
        let businesses = businesses.to_vec();
        let mut kept = Self { businesses, drivers, hours: 0.0, period_ms, speed, bytes };
        let least = LEAST_PERIODS * period_ms as f64 / HOUR_MS as f64;
        let needed = kept.with_hours(least).takes();
        if needed > bytes {
            return Err(TooLittle { needed });
        }
        // What it takes grows with the hours: halving finds where it is enough.
        let (mut enough, mut too_many) = (least, least + 1e6);
        for _ in 0..60 {
            let middle = f64::midpoint(enough, too_many);
            if kept.with_hours(middle).takes() <= bytes { enough = middle } else { too_many = middle }
        }
        kept.hours = enough;
        Ok(kept)
    }

    /// The same of as much of the disk as `bytes`, or of what such a show needs where that is more.
    pub fn at_least(
        bytes: u64,
        businesses: &[&'static Business],
        drivers: u32,
        period_ms: i64,
        speed: f64,
    ) -> Self {
        let within = |bytes| Self::within(bytes, businesses, drivers, period_ms, speed);
        within(bytes).unwrap_or_else(|TooLittle { needed }| {
            let raised = rounded_up(needed);
            let kept = within(raised);
            kept.unwrap_or_else(|TooLittle { needed }| panic!("{raised} bytes do not hold {needed}"))
        })
    }

    /// What is kept where the jobs run every `period_ms` instead; no less of the disk than now.
    #[must_use]
    pub fn with_period(&self, period_ms: i64) -> Self {
        Self::at_least(self.bytes, &self.businesses, self.drivers, period_ms, self.speed)
    }

    fn with_hours(&self, hours: f64) -> Self {
        Self { hours, ..self.clone() }
    }

    /// What all of it may take of the disk, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The longest period of the batch lane for which it is enough, in milliseconds of event time.
    pub fn longest_period_ms(&self) -> i64 {
        (self.hours / LEAST_PERIODS * HOUR_MS as f64) as i64
    }

    /// How far it reaches back, in event time.
    pub fn reach(&self) -> Duration {
        Duration::from_secs((self.hours * 3_600.0) as u64)
    }

    /// How much of a topic is kept.
    pub fn retention(&self, topic: Topic) -> Retention {
        let as_far = if topic.role() == Role::Input { INPUTS } else { 1.0 };
        let bytes = self.hours * as_far * self.bytes_per_hour(topic) as f64 / f64::from(partitions(topic));
        let bytes = (bytes as i64).max(LEAST_BYTES);
        // A slow show takes as long for a period as a fast one takes for hours.
        let periods_ms = (3.0 * self.period_ms as f64 / self.speed) as i64;
        Retention { ms: topic.retention().ms.max(periods_ms), bytes }
    }

    /// What all topics, the histories and the warehouse come to at most.
    fn takes(&self) -> u64 {
        let is_of = |of| self.businesses.iter().any(|business| business.id == of);
        let here = |topic: &Topic| topic.business().is_none_or(is_of);
        let of_topic = |topic: Topic| {
            let Retention { bytes, .. } = self.retention(topic);
            i64::from(partitions(topic)) * (bytes + segment_bytes(bytes))
        };
        let log: i64 = Topic::ALL.iter().copied().filter(here).map(of_topic).sum();
        let histories: i64 = self.businesses.iter().map(|of| of.volume.history_mib * MIB).sum();
        (log as f64 / RESERVE) as u64 + (histories + WAREHOUSE_BYTES) as u64
    }

    /// What is written to a topic in an hour of event time.
    fn bytes_per_hour(&self, topic: Topic) -> i64 {
        let of_business = |business: &&Business| {
            let Volume { kib_per_hour, per_car, .. } = business.volume;
            let times = if per_car { i64::from(self.drivers) } else { 1 };
            kib_per_hour.iter().filter(move |(of, _)| *of == topic).map(move |(_, kib)| kib * times * KIB)
        };
        self.businesses.iter().flat_map(of_business).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::businesses::Scenario;

    fn kept(bytes: u64, period_ms: i64) -> Result<Kept, TooLittle> {
        Kept::within(bytes, &Scenario::named("all").unwrap().businesses, 160, period_ms, 60.0)
    }

    #[test]
    fn a_show_takes_no_more_than_it_may_and_keeps_what_a_run_reads() {
        for bytes in [USUAL_BYTES, 4 * USUAL_BYTES] {
            let kept = kept(bytes, HOUR_MS).unwrap();
            assert!(kept.takes() <= bytes && kept.takes() > bytes / 100 * 98, "{}", kept.takes());
            assert!(kept.longest_period_ms() >= HOUR_MS);
            for &topic in Topic::ALL {
                let Retention { ms, bytes } = kept.retention(topic);
                assert!(ms >= topic.retention().ms, "{topic}");
                let hours = if topic.role() == Role::Input { 2.0 } else { 1.25 };
                let least = kept.bytes_per_hour(topic) as f64 * hours * 0.999;
                assert!((bytes * i64::from(partitions(topic))) as f64 >= least, "{topic}: {bytes}");
            }
        }
    }

    #[test]
    fn a_longer_period_needs_more_and_says_how_much() {
        let TooLittle { needed } = kept(USUAL_BYTES, 24 * HOUR_MS).err().unwrap();
        assert!(needed > 5 * USUAL_BYTES, "{needed}");
        let kept = kept(needed, 24 * HOUR_MS).unwrap();
        assert!(kept.longest_period_ms() >= 24 * HOUR_MS - 1_000, "{:?}", kept.reach());
    }

    /// The dial reaches further than the log: it keeps more from then on, and goes on doing so when
    /// the dial is turned back.
    #[test]
    fn a_dial_that_is_turned_up_raises_what_is_kept() {
        let usual = kept(USUAL_BYTES, HOUR_MS).unwrap();
        assert!(usual.longest_period_ms() < 2 * HOUR_MS);
        let raised = usual.with_period(4 * HOUR_MS);
        assert!(
            raised.bytes() > 2 * USUAL_BYTES && raised.bytes().is_multiple_of(100_000_000),
            "{}",
            raised.bytes()
        );
        assert!(raised.longest_period_ms() >= 4 * HOUR_MS);
        for &topic in Topic::ALL {
            assert!(raised.retention(topic).bytes >= usual.retention(topic).bytes, "{topic}");
        }
        let back = raised.with_period(HOUR_MS);
        assert_eq!((back.bytes(), back.longest_period_ms() >= 4 * HOUR_MS), (raised.bytes(), true));
    }

    #[test]
    fn a_slow_show_keeps_its_records_as_long_as_a_run_needs_them() {
        let all = Scenario::named("all").unwrap().businesses;
        let slow = Kept::within(USUAL_BYTES, &all, 160, HOUR_MS, 1.0).unwrap();
        assert_eq!(slow.retention(Topic::DriverLocations).ms, 3 * HOUR_MS);
    }
}
