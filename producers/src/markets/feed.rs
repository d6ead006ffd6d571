//! The feeds that carry trades from the exchanges to us, with delays and outages.

use events::{Timestamp, Trade};
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus as Rng;
use rand_distr::{Distribution, Exp1};

use super::MarketsConfig;
use super::pairs::EXCHANGES;

/// Delay of a trade on its feed: the least, and the mean of what comes on top.
const WAY_MS: i64 = 20;
const MORE_MS: f64 = 80.0;
/// How late a late trade is, in seconds; uniform on a logarithmic scale.
const LATE_S: std::ops::Range<f64> = 5.0..120.0;
/// How long an outage lasts, in seconds.
const OUTAGE_S: std::ops::Range<f64> = 20.0..150.0;
/// How much of the time before an outage a feed sends a second time after it.
const AGAIN_MS: i64 = 2_000;

/// The next outage of each exchange's feed.
#[derive(Debug)]
pub(super) struct Feeds {
    outages: [Outage; EXCHANGES.len()],
}

/// From when to when a feed is down.
#[derive(Clone, Copy, Debug)]
struct Outage {
    from: Timestamp,
    to: Timestamp,
}

impl Outage {
    /// The first after `now`; at the end of time when there are no outages.
    fn after(now: Timestamp, per_day: f64, rng: &mut Rng) -> Self {
        let wait: f64 = Exp1.sample(rng);
        let length_s = rng.random_range(OUTAGE_S);
        let from = if per_day > 0.0 { now.plus_seconds(wait / per_day * 86_400.0) } else { Timestamp::MAX };
        Self { from, to: from.plus_seconds(length_s) }
    }
}

impl Feeds {
    pub(super) fn new(config: &MarketsConfig, rng: &mut Rng) -> Self {
        let outage = |_| Outage::after(config.start, config.outages_per_day, rng);
        Self { outages: std::array::from_fn(outage) }
    }

    /// A second begins: draws the next outage of each feed whose last one is over.
    pub(super) fn step(&mut self, now: Timestamp, config: &MarketsConfig, rng: &mut Rng) {
        for outage in &mut self.outages {
            if outage.to <= now {
                *outage = Outage::after(now, config.outages_per_day, rng);
            }
        }
    }

    /// When a trade of this exchange arrives, and when its duplicate does, if there is one.
    pub(super) fn arrivals(
        &self,
        exchange: usize,
        trade: &Trade,
        config: &MarketsConfig,
        rng: &mut Rng,
    ) -> (Timestamp, Option<Timestamp>) {
        let more: f64 = Exp1.sample(rng);
        let mut way_ms = WAY_MS + (more * MORE_MS) as i64;
        let shuffled_ms = EXCHANGES[exchange].shuffled_ms;
        if shuffled_ms > 0 {
            way_ms += rng.random_range(0..shuffled_ms);
        }
        if rng.random_bool(config.late) {
            let factor: f64 = rng.random();
            let late_s = LATE_S.start * (LATE_S.end / LATE_S.start).powf(factor);
            way_ms += (late_s * 1_000.0) as i64;
        }
        let mut first = trade.ts.plus_ms(way_ms);
        let mut again = rng.random_bool(config.repeated).then(|| first.plus_ms(rng.random_range(300..5_000)));
        let Outage { from, to } = self.outages[exchange];
        if (from..to).contains(&first) {
            first = to.plus_ms(way_ms.min(WAY_MS));
            again = again.map(|at| at.max(first));
        } else if first < from && from.since_ms(first) < AGAIN_MS {
            again = Some(to.plus_ms(WAY_MS));
        }
        (first, again)
    }
}
