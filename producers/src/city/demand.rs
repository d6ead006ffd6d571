//! Who wants to go where, and when.
//!
//! # Simplifications
//! - Riders have no home: each trip starts near a free driver.

use rand::RngExt;
use rand::rngs::StdRng;
use rand_distr::{Distribution, Exp1, LogNormal};
use streets::{LinkId, Map, RoadClass, Spot, distance_m};

use super::config::CityConfig;
use super::noise::{Purpose, rng};

/// Popular places: how many, and how far their attraction reaches.
const HOT_SPOTS: usize = 6;
const HOT_SPOT_M: f64 = 1500.0;

/// How far riders want to go as the crow flies: the median in metres and the
/// deviation of the logarithm.
const DISTANCE: (f64, f64) = (1800.0, 0.6);

#[derive(Debug)]
pub(super) struct Demand {
    /// Up to each link, the sum of the weights of it and all before.
    weights: Vec<f64>,
    centre: (f64, f64),
    utc_offset_s: f64,
    factor: f64,
    /// Where each link is, for distances.
    middles: Vec<(f64, f64)>,
    distance: LogNormal<f64>,
}

impl Demand {
    pub(super) fn new(config: &CityConfig, map: &Map) -> Demand {
        let mut rng = rng(config.seed, Purpose::Places, 0);
        let middles: Vec<(f64, f64)> = map
            .link_ids()
            .map(|link| {
                let middle = map.place_at(link, map.link(link).length_m / 2.0);
                (middle.lat, middle.lon)
            })
            .collect();
        // A link chosen at random is likely to be where there are many: dense quarters become hot.
        let hot: Vec<(f64, f64)> = if middles.is_empty() {
            Vec::new()
        } else {
            (0..HOT_SPOTS).map(|_| middles[rng.random_range(0..middles.len())]).collect()
        };
        let mut sum = 0.0;
        let weights = map.link_ids().zip(&middles).map(|(id, &(lat, lon))| {
            let heat: f64 = hot.iter().map(|&(a, o)| (-distance_m(lat, lon, a, o) / HOT_SPOT_M).exp()).sum();
            let class = match map.link(id).class {
                RoadClass::Motorway => 0.0,
                RoadClass::Trunk => 0.05,
                RoadClass::Primary | RoadClass::Unclassified => 0.5,
                RoadClass::Tertiary | RoadClass::Secondary => 1.2,
                _ => 1.0,
            };
            sum += map.link(id).length_m * class * (0.2 + heat);
            sum
        });
        Demand {
            weights: weights.collect(),
            centre: hot.first().copied().unwrap_or_default(),
            utc_offset_s: config.utc_offset_h * 3600.0,
            factor: config.demand.max(0.0),
            middles,
            distance: LogNormal::new(DISTANCE.0.ln(), DISTANCE.1).expect("the deviation is finite"),
        }
    }

    /// Where the morning rush goes.
    pub(super) fn centre(&self) -> (f64, f64) {
        self.centre
    }

    /// The middle of a link.
    pub(super) fn place(&self, link: LinkId) -> (f64, f64) {
        self.middles[link.index()]
    }

    /// A random place for a rider, by demand; none in a city without streets.
    pub(super) fn anywhere(&self, map: &Map, rng: &mut StdRng) -> Option<Spot> {
        let sum = *self.weights.last()?;
        let drawn = rng.random_range(0.0..sum.max(f64::MIN_POSITIVE));
        let row = self.weights.partition_point(|&weight| weight <= drawn).min(self.weights.len() - 1);
        let link = LinkId(row as u32);
        Some(Spot::new(link, map.link(link).length_m * rng.random_range(0.05..0.95)))
    }

    /// Where a rider near this place waits: dispatch sends a driver who is near.
    pub(super) fn origin(&self, map: &Map, near: Spot, rng: &mut StdRng) -> Option<Spot> {
        self.at_distance(map, near, 450.0, 32, rng)
    }

    /// Where a rider who waits here wants to go.
    pub(super) fn destination(&self, map: &Map, origin: Spot, rng: &mut StdRng) -> Option<Spot> {
        let wish_m = self.distance.sample(rng);
        self.at_distance(map, origin, wish_m, 16, rng)
    }

    /// Of some random places, the one whose distance is nearest to `wish_m`.
    fn at_distance(
        &self,
        map: &Map,
        from: Spot,
        wish_m: f64,
        tries: usize,
        rng: &mut StdRng,
    ) -> Option<Spot> {
        let here = self.place(from.link);
        let mut best: Option<(f64, Spot)> = None;
        for _ in 0..tries {
            let to = self.anywhere(map, rng)?;
            let there = self.place(to.link);
            let off = (distance_m(here.0, here.1, there.0, there.1) / wish_m).max(0.05).ln().abs();
            if to.link != from.link && best.is_none_or(|(least, _)| off < least) {
                best = Some((off, to));
            }
        }
        best.map(|(_, to)| to)
    }

    /// Seconds until a driver who has just become free is called again.
    pub(super) fn idle_s(&self, t: f64, rng: &mut StdRng) -> f64 {
        let mean_s = 240.0 / (self.busy(t) * self.factor).max(1e-3);
        15.0 + mean_s * rng.sample::<f64, _>(Exp1)
    }

    /// The share of drivers that are on a trip at `t`, roughly: what a city
    /// that starts now looks like.
    pub(super) fn occupied(&self, t: f64) -> f64 {
        let busy = self.busy(t) * self.factor;
        let trip_s = 900.0;
        trip_s / (trip_s + 15.0 + 240.0 / busy.max(1e-3))
    }

    /// The level of demand, about 1 by day.
    fn busy(&self, t: f64) -> f64 {
        let hour = ((t + self.utc_offset_s) / 3600.0).rem_euclid(24.0);
        // (hour, level), a line from each to the next.
        let levels = [
            (0.0, 0.45),
            (1.0, 0.3),
            (3.0, 0.15),
            (5.0, 0.2),
            (6.5, 0.7),
            (8.0, 1.4),
            (9.5, 1.0),
            (12.0, 0.9),
            (13.5, 1.1),
            (16.0, 0.9),
            (18.5, 1.5),
            (20.0, 1.1),
            (22.0, 0.8),
            (24.0, 0.45),
        ];
        let after = levels.iter().position(|&(at, _)| at > hour).unwrap_or(levels.len() - 1).max(1);
        let ((from, a), (to, b)) = (levels[after - 1], levels[after]);
        a + (b - a) * (hour - from) / (to - from)
    }
}
