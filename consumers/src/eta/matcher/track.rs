//! The matcher's state of one vehicle.

use std::collections::VecDeque;

use events::Timestamp;
use streets::{LinkId, Map, Spot};

use super::{Fix, MOST_STATES, ODOMETER_STEP_MS};

/// A link that a vehicle has driven from end to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Traversal {
    pub(crate) link: LinkId,
    pub(crate) entered: Timestamp,
    pub(crate) left: Timestamp,
}

/// The path of one vehicle: settled up to a point, and a window of columns in which it is still
/// open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Track {
    pub(super) window: VecDeque<Column>,
    pub(super) settled: Option<PathEnd>,
    /// How many positions in a row did not fit.
    pub(super) misfits: u8,
    pub(super) odometer: Odometer,
}

/// The distance that a vehicle has driven, by the speeds that its receiver measured.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Odometer {
    /// Metres since the newest column; none when no speed is known of a part of them.
    pub(super) metres: Option<f64>,
    last: Option<(Timestamp, f64)>,
    /// Whether any speed was above 0: some receivers report 0 when they have no speed.
    moves: bool,
}

/// The end of the settled path.
#[derive(Clone, Copy, Debug)]
pub(super) struct PathEnd {
    pub(super) spot: Spot,
    pub(super) ts: Timestamp,
    /// When the vehicle entered the link; none when it was first seen in the middle of it.
    pub(super) entered: Option<Timestamp>,
}

/// One position and the links that may explain it.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) ts: Timestamp,
    pub(super) lat: f64,
    pub(super) lon: f64,
    /// Whether the receiver measured that the vehicle did not move.
    pub(super) standing: bool,
    /// Metres since the column before by the speeds that were measured; none when some were not.
    pub(super) odometer_m: Option<f64>,
    /// A bit for each state through which a possible path goes, and the state of the column before
    /// from which the best path to each comes. They are apart from the states because with each
    /// position the whole window is gone through, and nothing else of it is asked.
    alive: u8,
    backs: [u8; MOST_STATES],
    states: [State; MOST_STATES],
    len: u8,
}

const _: () = assert!(MOST_STATES <= u8::BITS as usize, "a bit for each state");

/// One link that may explain a position.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub(super) link: LinkId,
    /// Where on the link the position is nearest, and where the best path puts the car (not behind
    /// where it was).
    seen_m: f32,
    offset_m: f32,
    /// Where the position is, seen from the street: metres to the north and to the east.
    beside_m: [f32; 2],
    emission: f32,
    /// Log probability of the best path to it, relative to the best state of its column; minus
    /// infinity when there is none.
    score: f32,
}

/// Directions whose scores differ by less than this, in nats, are as good as each other.
const EITHER_WAY: f64 = 0.7;
const NO_BACK: u8 = u8::MAX;

impl Odometer {
    /// Counts the metres up to this position, if it is the newest.
    pub(super) fn roll(&mut self, fix: &Fix) {
        let step_ms = self.last.map(|(ts, _)| fix.ts.since_ms(ts));
        if step_ms.is_some_and(|ms| ms <= 0) {
            return;
        }
        let Some(mps) = fix.speed_mps else {
            (self.last, self.metres) = (None, None);
            return;
        };
        self.moves |= mps > 0.0;
        self.metres = match (self.last, step_ms, self.metres) {
            (Some((_, before_mps)), Some(ms), Some(metres)) if ms <= ODOMETER_STEP_MS && self.moves => {
                Some(metres + f64::midpoint(before_mps, mps) * ms as f64 / 1000.0)
            }
            _ => None,
        };
        self.last = Some((fix.ts, mps));
    }

    /// Whether a speed of 0 means that the vehicle stands.
    pub(super) fn is_trusted(&self) -> bool {
        self.moves
    }
}

impl State {
    pub(super) fn new(link: LinkId, seen_m: f64, beside_m: [f64; 2], emission: f64) -> Self {
        let (seen_m, emission) = (seen_m as f32, emission as f32);
        let beside_m = beside_m.map(|metres| metres as f32);
        Self { link, seen_m, offset_m: seen_m, beside_m, emission, score: emission }
    }

    /// By how many metres the error that this state supposes differs from the part of it that
    /// `before` supposed which is thought to have stayed.
    pub(super) fn new_error_m(&self, before: &State, stayed: f64) -> f64 {
        let [north, east] =
            [0, 1].map(|at| f64::from(self.beside_m[at]) - stayed * f64::from(before.beside_m[at]));
        north.hypot(east)
    }

    pub(super) fn seen_m(&self) -> f64 {
        f64::from(self.seen_m)
    }

    pub(super) fn offset_m(&self) -> f64 {
        f64::from(self.offset_m)
    }

    pub(super) fn score(&self) -> f64 {
        f64::from(self.score)
    }

    /// Whether a path to it of this score, without its own emission, is better than those that it
    /// was offered.
    pub(super) fn would_take(&self, score: f64) -> bool {
        score as f32 + self.emission > self.score
    }

    /// Offers a path to it, of this score without its own emission, and says whether it is better
    /// than those that it was offered.
    pub(super) fn offer(&mut self, score: f64, offset_m: f64) -> bool {
        let better = self.would_take(score);
        if better {
            self.score = score as f32 + self.emission;
            self.offset_m = offset_m as f32;
        }
        better
    }
}

impl Column {
    pub(super) fn new(ts: Timestamp, lat: f64, lon: f64) -> Self {
        Self {
            ts,
            lat,
            lon,
            standing: false,
            odometer_m: None,
            alive: 0,
            backs: [NO_BACK; MOST_STATES],
            states: [State::new(LinkId(0), 0.0, [0.0; 2], 0.0); MOST_STATES],
            len: 0,
        }
    }

    pub(super) fn push(&mut self, state: State) {
        self.states[usize::from(self.len)] = state;
        self.alive |= 1 << self.len;
        self.len += 1;
    }

    /// The same place at a later time, as if its streets were searched again: for a vehicle that
    /// stands, whose heading says nothing.
    pub(super) fn repeated(&self, ts: Timestamp) -> Self {
        let mut column = Column::new(ts, self.lat, self.lon);
        for state in self.states() {
            column.push(State { score: state.emission, offset_m: state.seen_m, ..*state });
        }
        column
    }

    pub(super) fn states(&self) -> &[State] {
        &self.states[..usize::from(self.len)]
    }

    /// The states, and for each where the best path to it comes from, for a step: no path to any is
    /// known.
    pub(super) fn reset(&mut self) -> (&mut [State], &mut [u8]) {
        self.backs = [NO_BACK; MOST_STATES];
        let states = &mut self.states[..usize::from(self.len)];
        for state in states.iter_mut() {
            state.score = f32::NEG_INFINITY;
        }
        (states, &mut self.backs)
    }

    /// Whether a possible path goes through a state.
    pub(super) fn is_alive(&self, at: usize) -> bool {
        self.alive & (1 << at) != 0
    }

    /// The state of the column before from which the best path to this one comes.
    pub(super) fn back(&self, at: usize) -> Option<usize> {
        (self.backs[at] != NO_BACK).then_some(usize::from(self.backs[at]))
    }

    /// The best state and its score; none when no state can be reached.
    pub(super) fn best(&self) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for (at, state) in self.states().iter().enumerate() {
            if self.is_alive(at) && best.is_none_or(|(_, score)| state.score() > score) {
                best = Some((at, state.score()));
            }
        }
        best
    }

    /// Ends a step: tells which states can be reached, and makes scores relative to the best, so
    /// that they stay within the precision of a float. Returns the best.
    pub(super) fn rebase(&mut self) -> f64 {
        let reached = self.states().iter().map(|state| u8::from(state.score > f32::NEG_INFINITY));
        self.alive = reached.enumerate().fold(0, |alive, (at, reached)| alive | reached << at);
        let best = self.best().map_or(f64::NEG_INFINITY, |(_, score)| score);
        if best.is_finite() {
            for state in &mut self.states[..usize::from(self.len)] {
                state.score -= best as f32;
            }
        }
        best
    }
}

impl Track {
    /// Where the vehicle most probably was at its newest used position, and when that was.
    pub(crate) fn position(&self) -> Option<(Spot, Timestamp)> {
        let newest = self.window.back()?;
        let (best, _) = newest.best()?;
        let state = &newest.states()[best];
        Some((Spot { link: state.link, offset_m: state.offset_m() }, newest.ts))
    }

    /// The other direction of the street on which the vehicle is, if it is about as likely: until
    /// it has moved, only a heading tells the two apart.
    pub(crate) fn may_face(&self, map: &Map, spot: Spot) -> Option<LinkId> {
        let twin = map.twin(spot.link)?;
        let states = self.window.back()?.states();
        let score = |link: LinkId| states.iter().find(|state| state.link == link).map(State::score);
        (score(twin)? > score(spot.link)? - EITHER_WAY).then_some(twin)
    }

    /// Since when the vehicle has been on its link, if it was seen to enter it.
    pub(crate) fn on_link_since(&self) -> Option<(LinkId, Timestamp)> {
        let newest = self.window.back()?;
        let (mut at, _) = newest.best()?;
        let link = newest.states()[at].link;
        let mut since = newest.ts;
        for column in self.window.iter().rev() {
            if column.states()[at].link != link {
                return Some((link, since));
            }
            since = column.ts;
            match column.back(at) {
                Some(back) => at = back,
                None => break,
            }
        }
        let settled = self.settled.filter(|settled| settled.spot.link == link)?;
        settled.entered.map(|entered| (link, entered))
    }

    /// The state of the first column on the best path, and whether all possible paths go through
    /// it.
    pub(super) fn ancestor(&self) -> Option<(usize, bool)> {
        let newest = self.window.back()?;
        let (mut best, _) = newest.best()?;
        let mut alive = newest.alive;
        for column in self.window.iter().skip(1).rev() {
            let mut before = 0;
            for at in (0..column.len.into()).filter(|at| alive & (1 << at) != 0) {
                before |= 1 << column.back(at)?;
            }
            alive = before;
            best = column.back(best)?;
        }
        Some((best, alive.is_power_of_two()))
    }

    /// Drops the first column, and every path that does not go through its state `chosen`.
    pub(super) fn pop_front(&mut self, chosen: usize) {
        self.window.pop_front();
        let mut alive: u8 = 1 << chosen;
        for (place, column) in self.window.iter_mut().enumerate() {
            let mut after = 0;
            for at in 0..column.len.into() {
                let reached = column.back(at).is_some_and(|back| alive & (1 << back) != 0);
                after |= u8::from(reached && column.is_alive(at)) << at;
            }
            column.alive = after;
            if place == 0 {
                // The column before is gone; the settled path continues from it.
                column.backs = [NO_BACK; MOST_STATES];
            }
            alive = after;
        }
    }
}
