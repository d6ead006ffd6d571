//! Map matching: which street is the car on, and since when?
//!
//! A satellite receiver is wrong by some metres, and by tens of metres between houses, so the
//! nearest street is often the wrong one. A *hidden Markov model* (Newson & Krumm 2009) asks
//! instead which *path* through the streets explains all positions best. Its hidden states are the
//! links near each position ([`Column`]); a state explains its position well when it is near it and
//! points where the car was heading (*emission*), and two states follow each other well when the
//! path between them by road is about as long as the straight line between the positions
//! (*transition*). The best sequence of states is found step by step (Viterbi 1967).
//!
//! Online (Goh et al. 2012) the last position is never there. The newest column's best state says
//! where the car is now; the path is settled a little later, when all states that are still
//! possible agree on it, or when it is old enough. Until then a late position can still be
//! inserted where it belongs.
//!
//! One position a second says little more than one every three seconds, because errors of
//! neighbouring seconds are correlated and the path between them is short. So positions closer in
//! time than [`STEP_MS`] are skipped, or than [`BARE_STEP_MS`] where a receiver measures nothing
//! but positions. Their speeds are not: a receiver measures speed independently of the position, by
//! Doppler shift, and summed over the seconds between two columns the speeds are an *odometer* that
//! no wall misleads. A car that has driven 25 m by its odometer has not been round the block,
//! wherever the position has jumped to.
//!
//! For the same reason the errors of positions are not treated as independent. What misleads a
//! receiver is mostly a wall, and the wall stays: a car that is 20 m beside a street for a while
//! may well be on it, while an error that jumps as the car turns means that it turned somewhere
//! else. So a step is scored by how the supposed error *changes* (it follows an Ornstein–Uhlenbeck
//! process), far more than by how large it is.
//!
//! # Simplifications
//! - The receiver's own estimate of its error is not in the events, so all positions have the same.
//! - The path between two positions is the shortest one, driven at an even speed.

mod track;

use std::sync::Arc;

use events::Timestamp;
use streets::{Candidate, LinkId, Spot};

use super::roads::Roads;

use track::{Column, State};
pub(crate) use track::{Track, Traversal};

/// Positions nearer than this to the last one that was used, in ms of event time, are skipped.
const STEP_MS: i64 = 3_000;
/// … and without a speed those nearer than this: then only a longer distance tells driving from
/// error.
const BARE_STEP_MS: i64 = 12_000;
/// After a silence of this length the car may be anywhere: its path starts again.
const GAP_MS: i64 = 90_000;
const METRES_PER_DEGREE: f64 = 111_195.0;
/// Links further away than this can't explain a position. Of so many of the nearest those become
/// states that explain it best: at a large junction the right street is not among the nearest if
/// the position is far off.
const RADIUS_M: f64 = 50.0;
const MOST_FOUND: usize = 24;
pub(crate) const MOST_STATES: usize = 8;
/// Standard deviation of a position's error in metres (Newson & Krumm measured 4 m in the open).
const SIGMA_M: f64 = 8.0;
/// A vehicle whose receiver measures less than this, in m/s, stands.
const STANDING_MPS: f64 = 0.8;
/// Beyond so many sigmas the error counts linearly: real receivers are far off more often than the
/// normal law allows.
const ROBUST_SIGMAS: f64 = 1.2;
/// After so many seconds a third of an error is left …
const ERROR_MEMORY_S: f64 = 20.0;
/// … so a position repeats most of what the one before said. The change of its error counts in
/// full, and its size only with this weight.
const POSITION_WEIGHT: f64 = 0.3;
/// Weight of the heading: a street in the opposite direction is worse by twice this (in nats).
const HEADING_WEIGHT: f64 = 3.0;
/// Below this speed in m/s the heading of a receiver is noise.
const HEADING_MPS: f64 = 2.5;
/// Scale of |path − straight line| in metres: for two positions at the same time, and more for each
/// second between them.
const BETA_M: f64 = 8.0;
const BETA_M_PER_S: f64 = 0.5;
/// A car that stands may seem to roll back by so much.
const JITTER_M: f64 = 20.0;
/// No vehicle drives faster, in m/s; a higher speed is an error of position (so many metres of it
/// are allowed) or of time.
const FASTEST_MPS: f64 = 60.0;
const SLACK_M: f64 = 100.0;
/// Distance beyond this multiple of the free-flow speed (of a town street at least) counts like a
/// detour; some metres may be error.
const HASTE: f64 = 1.6;
const TOWN_MPS: f64 = 14.0;
const HASTE_SLACK_M: f64 = 25.0;
/// An odometer is wrong by so much at most, and some metres.
const ODOMETER: f64 = 1.2;
/// It counts where speeds follow one another at least so closely, in ms.
const ODOMETER_STEP_MS: i64 = 2_500;
/// A position whose best explanation is worse than this (in nats) fits nothing …
const MISFIT: f64 = -14.0;
/// … and is skipped. But so many of them in a row can't all be wrong, unless they came so soon, in
/// ms, after the last that did fit: a wall misleads a receiver until the car has passed it.
const MOST_MISFITS: u8 = 2;
const MISFITS_MS: i64 = 20_000;
/// An open path is settled after so long, or so many columns.
const LAG_MS: i64 = 60_000;
const LAG_MIN_COLUMNS: usize = 4;
const LAG_MAX_COLUMNS: usize = 32;

/// One position report, of a driver or a lorry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fix {
    pub(crate) ts: Timestamp,
    pub(crate) lat: f64,
    pub(crate) lon: f64,
    pub(crate) speed_mps: Option<f64>,
    pub(crate) heading_deg: Option<f64>,
}

/// What the matcher did with a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The car's place is known as of this position.
    Matched,
    /// It came too soon after the last one to say anything new.
    Skipped,
    /// A late position found its place among those before.
    Inserted,
    /// No street is near.
    OffMap,
    /// It does not fit to the way before it.
    Misfit,
}

/// The matcher, for any number of vehicles. The state of one vehicle is its [`Track`].
#[derive(Debug)]
pub(crate) struct Matcher {
    roads: Arc<Roads>,
    lateness_ms: i64,
    found: Vec<Candidate>,
    /// The same with their emissions.
    explained: Vec<(f64, Candidate)>,
    path: Vec<LinkId>,
}

impl Matcher {
    /// A matcher that keeps what is newer than `lateness_ms` open for late positions.
    pub(crate) fn new(roads: Arc<Roads>, lateness_ms: i64) -> Self {
        Self { roads, lateness_ms, found: Vec::new(), explained: Vec::new(), path: Vec::new() }
    }

    /// Takes one position of the vehicle on `track`, and appends the links that it is now known to
    /// have driven from end to end to `driven`.
    pub(crate) fn observe(&mut self, track: &mut Track, fix: &Fix, driven: &mut Vec<Traversal>) -> Outcome {
        track.odometer.roll(fix);
        if let Some(last) = track.window.back() {
            let step_ms = fix.ts.since_ms(last.ts);
            if step_ms <= 0 {
                return self.insert(track, fix);
            } else if step_ms > GAP_MS {
                self.finish(track, driven);
            } else if step_ms < shortest_step_ms(fix) {
                return Outcome::Skipped;
            }
        }
        let stopped = track.window.back().filter(|last| stands_where_it_stopped(fix, last));
        let fix = &stopped.map_or(*fix, |last| Fix { lat: last.lat, lon: last.lon, ..*fix });
        let mut column = match stopped {
            Some(last) => last.repeated(fix.ts),
            None => self.column(fix, track.window.back()),
        };
        column.odometer_m = track.odometer.metres;
        column.standing = track.odometer.is_trusted() && is_standing(fix);
        if column.states().is_empty() {
            return Outcome::OffMap;
        }
        if let Some(last) = track.window.back() {
            let fit = self.step(last, &mut column);
            if fit < MISFIT {
                if track.misfits < MOST_MISFITS || fix.ts.since_ms(last.ts) < MISFITS_MS {
                    track.misfits = track.misfits.saturating_add(1);
                    return Outcome::Misfit;
                }
                if fit == f64::NEG_INFINITY {
                    self.finish(track, driven);
                    column = self.column(fix, None);
                }
            }
        }
        track.misfits = 0;
        track.odometer.metres = Some(0.0);
        track.window.push_back(column);
        self.settle(track, driven);
        Outcome::Matched
    }

    /// Ends the path of a vehicle: what is still open is settled now, and its next position starts
    /// a new path.
    pub(crate) fn finish(&mut self, track: &mut Track, driven: &mut Vec<Traversal>) {
        let mut best = track.window.back().and_then(Column::best).map(|(at, _)| at);
        let mut path = Vec::with_capacity(track.window.len());
        for column in track.window.iter().rev() {
            let Some(at) = best else { break };
            path.push((column.ts, column.states()[at]));
            best = column.back(at);
        }
        for (ts, state) in path.into_iter().rev() {
            self.drive(track, ts, state, driven);
        }
        track.window.clear();
        track.settled = None;
        track.misfits = 0;
        track.odometer.metres = None;
    }

    /// Puts a late position where it belongs, if there is room and it fits.
    fn insert(&mut self, track: &mut Track, fix: &Fix) -> Outcome {
        let at = track.window.partition_point(|column| column.ts < fix.ts);
        let far = |column: &Column| column.ts.since_ms(fix.ts).abs() >= shortest_step_ms(fix);
        // Before the first column all is settled; and a position close to another in time is
        // skipped.
        if at == 0 || !far(&track.window[at - 1]) || !track.window.get(at).is_none_or(far) {
            return Outcome::Skipped;
        }
        let mut tail = vec![self.column(fix, Some(&track.window[at - 1]))];
        tail.extend(track.window.iter().skip(at).cloned());
        // The odometer does not say how much of the path was driven before it and how much after.
        for column in tail.iter_mut().take(2) {
            column.odometer_m = None;
        }
        tail[0].standing = track.odometer.is_trusted() && is_standing(fix);
        for place in 0..tail.len() {
            let (before, after) = tail.split_at_mut(place);
            let before = before.last().unwrap_or(&track.window[at - 1]);
            if self.step(before, &mut after[0]) < MISFIT {
                return if place == 0 { Outcome::Misfit } else { Outcome::Skipped };
            }
        }
        track.window.truncate(at);
        track.window.extend(tail);
        Outcome::Inserted
    }

    /// The links that may explain a position, each with its emission.
    fn column(&mut self, fix: &Fix, before: Option<&Column>) -> Column {
        self.roads.map().near_into(fix.lat, fix.lon, RADIUS_M, MOST_FOUND, &mut self.found);
        let heading = fix.heading_deg.filter(|_| match fix.speed_mps {
            Some(speed) => speed >= HEADING_MPS,
            // Without a speed, a car that has come some way since its last position was moving.
            None => before.is_some_and(|before| {
                let metres = streets::distance_m(before.lat, before.lon, fix.lat, fix.lon);
                metres > 2.0 * SIGMA_M && metres > HEADING_MPS * fix.ts.since_seconds(before.ts)
            }),
        });
        self.explained.clear();
        for candidate in &self.found {
            let mut emission = -POSITION_WEIGHT * negative_log_likelihood(candidate.distance_m / SIGMA_M);
            if let Some(heading) = heading {
                emission -= HEADING_WEIGHT * (1.0 - (heading - candidate.bearing_deg).to_radians().cos());
            }
            self.explained.push((emission, *candidate));
        }
        if self.explained.len() > MOST_STATES {
            // The sort is stable: of two that are as good, the nearer one comes first.
            self.explained.sort_by(|a, b| b.0.total_cmp(&a.0));
        }
        let mut column = Column::new(fix.ts, fix.lat, fix.lon);
        for (emission, candidate) in self.explained.iter().take(MOST_STATES) {
            let place = self.roads.map().place_at(candidate.link, candidate.offset_m);
            let per_lon = METRES_PER_DEGREE * fix.lat.to_radians().cos();
            let beside_m = [(fix.lat - place.lat) * METRES_PER_DEGREE, (fix.lon - place.lon) * per_lon];
            column.push(State::new(candidate.link, candidate.offset_m, beside_m, *emission));
        }
        column
    }

    /// One step of Viterbi's algorithm: finds for each state of `column` the best state of `last`
    /// to come from. Returns the score of the best step in nats, emission included; minus infinity
    /// when no state can be reached.
    fn step(&mut self, last: &Column, column: &mut Column) -> f64 {
        let straight_m = streets::distance_m(last.lat, last.lon, column.lat, column.lon);
        let seconds = column.ts.since_seconds(last.ts);
        let furthest_m = (1.5 * straight_m + SLACK_M).min(FASTEST_MPS * seconds + SLACK_M);
        let beta_m = BETA_M + BETA_M_PER_S * seconds;
        let odometer_m = column.odometer_m;
        // An error that decays (an Ornstein–Uhlenbeck process): so much of it has stayed, and the
        // rest is new.
        let stayed = (-seconds / ERROR_MEMORY_S).exp();
        let new_sigma_m = SIGMA_M * (1.0 - stayed * stayed).sqrt();
        let map = self.roads.map();
        let mut distances = self.roads.distances();
        let mut free_mps = [0.0; MOST_STATES];
        for (free_mps, state) in free_mps.iter_mut().zip(column.states()) {
            *free_mps = map.free_flow_mps(state.link);
        }
        let (states, backs) = column.reset();
        for (from, before) in last.states().iter().enumerate().filter(|&(from, _)| last.is_alive(from)) {
            let rest_m = map.link(before.link).length_m - before.offset_m();
            let before_mps = map.free_flow_mps(before.link).max(TOWN_MPS);
            let table = distances.from(before.link, (furthest_m - rest_m).max(0.0));
            for ((state, back), free_mps) in states.iter_mut().zip(&mut *backs).zip(free_mps) {
                // What is found out about a step only makes it worse: it is given up as soon as
                // another is as good all the same.
                if !state.would_take(before.score()) {
                    continue;
                }
                let rolled_m = state.seen_m() - before.offset_m();
                let (path_m, offset_m) = if state.link == before.link && rolled_m >= -JITTER_M {
                    (rolled_m.max(0.0), state.seen_m().max(before.offset_m()))
                } else if let Some(metres) = table.metres(state.link) {
                    (rest_m + metres + state.seen_m(), state.seen_m())
                } else {
                    continue;
                };
                if path_m > furthest_m {
                    continue;
                }
                let mut detour_m = (path_m - straight_m).abs();
                // Where even the straight line is that long, the car was that fast.
                let mut possible_m =
                    (HASTE * before_mps.max(free_mps) * seconds + HASTE_SLACK_M).max(straight_m);
                if let Some(odometer_m) = odometer_m {
                    detour_m = detour_m.min((path_m - odometer_m).abs());
                    possible_m = ODOMETER * odometer_m + HASTE_SLACK_M;
                }
                let hasty_m = (path_m - possible_m).max(0.0);
                let misfit = (detour_m + hasty_m) / beta_m;
                if state.would_take(before.score() - misfit) {
                    let new_error = state.new_error_m(before, stayed) / new_sigma_m;
                    let misfit = misfit + negative_log_likelihood(new_error);
                    if state.offer(before.score() - misfit, offset_m) {
                        *back = from as u8;
                    }
                }
            }
        }
        let before = last.best().map_or(0.0, |(_, score)| score);
        column.rebase() - before
    }

    /// Settles the part of the path that no later position can change, or that has waited long
    /// enough.
    fn settle(&mut self, track: &mut Track, driven: &mut Vec<Traversal>) {
        while let (Some(first), Some(newest)) = (track.window.front(), track.window.back()) {
            let age_ms = newest.ts.since_ms(first.ts);
            let columns = track.window.len();
            let crowded = columns > LAG_MAX_COLUMNS;
            if columns < 2 || (age_ms < self.lateness_ms && !crowded) {
                return;
            }
            let Some((ancestor, agreed)) = track.ancestor() else { return };
            let overdue = crowded || (age_ms > LAG_MS && columns > LAG_MIN_COLUMNS);
            if !agreed && !overdue {
                return;
            }
            let (ts, state) = (first.ts, first.states()[ancestor]);
            self.drive(track, ts, state, driven);
            track.pop_front(ancestor);
        }
    }

    /// Extends the settled path to a state, and appends the links that it has left.
    fn drive(&mut self, track: &mut Track, ts: Timestamp, state: State, driven: &mut Vec<Traversal>) {
        let to = Spot { link: state.link, offset_m: state.offset_m() };
        let Some(settled) = &mut track.settled else {
            track.settled = Some(track::PathEnd { spot: to, ts, entered: None });
            return;
        };
        let rolled_m = to.offset_m - settled.spot.offset_m;
        if to.link == settled.spot.link && rolled_m >= -JITTER_M {
            settled.spot.offset_m = to.offset_m.max(settled.spot.offset_m);
            settled.ts = ts;
            return;
        }
        let rest_m = self.roads.map().link(settled.spot.link).length_m - settled.spot.offset_m;
        if !self.roads.distances().path(settled.spot.link, to.link, &mut self.path) {
            track.settled = Some(track::PathEnd { spot: to, ts, entered: None });
            return;
        }
        let between = &self.path[..self.path.len() - 1];
        let between_m: f64 = between.iter().map(|&link| self.roads.map().link(link).length_m).sum();
        let all_m = (rest_m + between_m + to.offset_m).max(0.1);
        let all_ms = ts.since_ms(settled.ts) as f64;
        let mut metres = rest_m;
        let mut left = settled.ts.plus_ms((all_ms * metres / all_m) as i64);
        if let Some(entered) = settled.entered {
            driven.push(Traversal { link: settled.spot.link, entered, left });
        }
        for &link in between {
            let entered = left;
            metres += self.roads.map().link(link).length_m;
            left = settled.ts.plus_ms((all_ms * metres / all_m) as i64);
            driven.push(Traversal { link, entered, left });
        }
        track.settled = Some(track::PathEnd { spot: to, ts, entered: Some(left) });
    }
}

/// The negative log likelihood of an error of so many sigmas, in nats, with a linear tail (Huber).
fn negative_log_likelihood(sigmas: f64) -> f64 {
    if sigmas < ROBUST_SIGMAS {
        0.5 * sigmas * sigmas
    } else {
        ROBUST_SIGMAS * (sigmas - 0.5 * ROBUST_SIGMAS)
    }
}

/// The error of a position drifts while a car stands, and would lead it round the block in a few
/// minutes. The speed is measured independently of the position (by Doppler shift), so a car that
/// does not move is where it stopped.
fn stands_where_it_stopped(fix: &Fix, last: &Column) -> bool {
    // Unless it was towed.
    last.standing && is_standing(fix) && streets::distance_m(last.lat, last.lon, fix.lat, fix.lon) <= RADIUS_M
}

/// How far in ms a position must be from the one before it to be used.
fn shortest_step_ms(fix: &Fix) -> i64 {
    if fix.speed_mps.is_some() { STEP_MS } else { BARE_STEP_MS }
}

fn is_standing(fix: &Fix) -> bool {
    fix.speed_mps.is_some_and(|speed| speed < STANDING_MPS)
}

#[cfg(test)]
mod tests;
