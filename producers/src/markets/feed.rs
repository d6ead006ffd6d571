//! The wires between the exchanges and us: slow, and seldom broken.

use events::{Timestamp, Trade};
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus as Rng;
use rand_distr::{Distribution, Exp1};

use super::MarketsConfig;
use super::pairs::EXCHANGES;

/// A trade's way from its exchange takes this long at least, and on average so much more.
const WAY_MS: i64 = 20;
const MORE_MS: f64 = 80.0;
/// How late a late trade is, in seconds; every factor is as likely as any other.
const LATE_S: std::ops::Range<f64> = 5.0..120.0;
/// How long a feed is broken, in seconds.
const OUTAGE_S: std::ops::Range<f64> = 20.0..150.0;
/// So much of what was sent before a feed broke is sent again afterwards.
const AGAIN_MS: i64 = 2_000;

/// When each exchange's feed breaks next, and for how long.
#[derive(Debug)]
pub(super) struct Feeds {
    outages: [Outage; EXCHANGES.len()],
}

/// From when to when a feed is broken.
#[derive(Clone, Copy, Debug)]
struct Outage {
    from: Timestamp,
    to: Timestamp,
}

impl Outage {
    /// The first after `now`; at the end of time when there are none.
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

    /// One second begins: feeds that were broken and are no longer will break again some time.
    pub(super) fn step(&mut self, now: Timestamp, config: &MarketsConfig, rng: &mut Rng) {
        for outage in &mut self.outages {
            if outage.to <= now {
                *outage = Outage::after(now, config.outages_per_day, rng);
            }
        }
    }

    /// When a trade of this exchange arrives, and when it does again, if it does.
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
