//! What junctions cost: signals, giving way, turning.
//!
//! # Simplifications
//! - A wait depends on no other vehicle: giving way takes a random time with a fixed mean.

use rand::RngExt;
use rand::rngs::StdRng;
use rand_distr::Exp1;
use streets::{LinkId, Map, NodeId, RoadClass};

use super::noise::{Purpose, hash, unit};

#[derive(Debug)]
pub(super) struct Junctions {
    /// For each link, how it ends.
    ends: Vec<End>,
    /// Degrees at the beginning of each link.
    start_deg: Vec<f32>,
}

#[derive(Clone, Copy, Debug)]
struct End {
    control: Control,
    /// Degrees at the end of the link.
    deg: f32,
}

#[derive(Clone, Copy, Debug)]
enum Control {
    /// No junction to speak of.
    None,
    /// No link has the right of way, or this link has it.
    Open,
    /// The crossing road has the right of way.
    GiveWay,
    /// A signal with a fixed cycle: green for the first `green_s` of every
    /// `cycle_s`, counted from `offset_s`.
    Signal { cycle_s: f32, green_s: f32, offset_s: f32 },
}

/// Mean seconds of giving way, of a turn to the right, to the left (across the traffic; they drive
/// on the right), and back.
const GIVE_WAY_S: f64 = 4.0;
const RIGHT_S: f64 = 1.5;
const LEFT_S: f64 = 4.0;
const BACK_S: f64 = 10.0;

impl Junctions {
    pub(super) fn new(seed: u64, map: &Map) -> Junctions {
        let ends = map.link_ids().map(|link| {
            let deg = map.heading_at_end(link);
            End { control: control(seed, map, link, deg), deg: deg as f32 }
        });
        Junctions {
            ends: ends.collect(),
            start_deg: map.link_ids().map(|link| map.heading_at_start(link) as f32).collect(),
        }
    }

    /// Seconds from arriving at the end of a link at `t` to entering the next.
    pub(super) fn wait_s(&self, from: LinkId, into: LinkId, t: f64, rng: &mut StdRng) -> f64 {
        let mut about = |mean_s: f64| mean_s * rng.sample::<f64, _>(Exp1);
        let control_s = match self.ends[from.index()].control {
            Control::None => return 0.0,
            Control::Open => 0.0,
            Control::GiveWay => about(GIVE_WAY_S),
            Control::Signal { cycle_s, green_s, offset_s } => {
                let at = (t + f64::from(offset_s)).rem_euclid(f64::from(cycle_s));
                if at < f64::from(green_s) { 0.0 } else { f64::from(cycle_s) - at + about(1.5) }
            }
        };
        let turn_s = self.turn_s(from, into);
        control_s + if turn_s > 0.0 { about(turn_s) } else { 0.0 }
    }

    /// The mean of [`Junctions::wait_s`] over all arrival times.
    pub(super) fn expected_s(&self, from: LinkId, into: LinkId) -> f64 {
        let control_s = match self.ends[from.index()].control {
            Control::None => return 0.0,
            Control::Open => 0.0,
            Control::GiveWay => GIVE_WAY_S,
            Control::Signal { cycle_s, green_s, .. } => {
                let (cycle_s, red_s) = (f64::from(cycle_s), f64::from(cycle_s - green_s));
                red_s / cycle_s * (red_s / 2.0 + 1.5)
            }
        };
        control_s + self.turn_s(from, into)
    }

    /// Mean seconds that the turn alone costs.
    fn turn_s(&self, from: LinkId, into: LinkId) -> f64 {
        let turn = f64::from(self.start_deg[into.index()] - self.ends[from.index()].deg + 180.0)
            .rem_euclid(360.0)
            - 180.0;
        match turn {
            _ if turn.abs() > 160.0 => BACK_S,
            _ if turn > 40.0 => RIGHT_S,
            _ if turn < -40.0 => LEFT_S,
            _ => 0.0,
        }
    }
}

/// The control at the end of a link. Real signals are not on the map, so they are placed where they
/// are likely: at many of the crossings of larger streets.
fn control(seed: u64, map: &Map, link: LinkId, deg: f64) -> Control {
    let node = map.link(link).to;
    if neighbours(map, node, 9) < 3 {
        return Control::None;
    }
    let arms = map.arriving(node).iter().chain(map.leaving(node));
    let largest = arms.map(|&arm| rank(map.link(arm).class)).min().unwrap_or(9);
    let chance = match (largest, neighbours(map, node, 5)) {
        (2..=4, 3..) => 0.6,
        (5, 3..) => 0.3,
        (2..=4, _) => 0.06,
        // Motorways have ramps, and quiet streets need none.
        _ => 0.0,
    };
    let dice = |which| unit(hash(seed, Purpose::Signals, u64::from(node.0), which));
    if dice(0) < chance {
        let cycle_s = [60.0, 75.0, 90.0][(dice(1) * 3.0) as usize];
        // North and south go while east and west wait.
        let share = 0.38 + 0.2 * dice(2);
        let along = deg.to_radians().cos().abs() > std::f64::consts::FRAC_1_SQRT_2;
        let first_s = cycle_s * share;
        let lost_s = 4.0;
        return if along {
            Control::Signal {
                cycle_s: cycle_s as f32,
                green_s: (first_s - lost_s) as f32,
                offset_s: (dice(3) * cycle_s) as f32,
            }
        } else {
            let offset_s = dice(3) * cycle_s + cycle_s - first_s;
            Control::Signal {
                cycle_s: cycle_s as f32,
                green_s: (cycle_s - first_s - lost_s) as f32,
                offset_s: offset_s as f32,
            }
        };
    }
    if rank(map.link(link).class) > largest { Control::GiveWay } else { Control::Open }
}

/// How many junctions lie one link away from here, there or back, by roads of at least this rank.
fn neighbours(map: &Map, node: NodeId, least: u8) -> usize {
    let is_large = |link: &LinkId| rank(map.link(*link).class) <= least;
    let mut others: Vec<NodeId> = Vec::new();
    others.extend(map.arriving(node).iter().filter(|link| is_large(link)).map(|&link| map.link(link).from));
    others.extend(map.leaving(node).iter().filter(|link| is_large(link)).map(|&link| map.link(link).to));
    others.sort_unstable();
    others.dedup();
    others.len()
}

/// Larger roads first.
fn rank(class: RoadClass) -> u8 {
    match class {
        RoadClass::Motorway => 1,
        RoadClass::Trunk => 2,
        RoadClass::Primary => 3,
        RoadClass::Secondary => 4,
        RoadClass::Tertiary => 5,
        _ => 6,
    }
}
