//! One trip under way: where it is in its life, the way it is expected to take, and what it will teach when it is over.

use events::{Place, Timestamp};
use streets::Spot;

use super::learn::{Bands, Correction, Kerb};
use super::traffic::TrafficModel;
use super::way::{Planner, Remaining, Spots, Way};

/// A car within so many metres of where it is going to stop, by road and by air, has arrived.
const ARRIVED_M: f64 = 40.0;
/// A car that is so far from where it stopped has left.
const GONE_M: f64 = 150.0;
/// The seconds of a way are summed anew so often.
const SUM_EVERY_MS: i64 = 15_000;
/// … and of the second half of a trip, which is still to come, so often.
const SUM_LATER_EVERY_MS: i64 = 60_000;
/// A car that was seen so often beside its way has left it: one position alone may be an error.
const OFF_WAY: u8 = 2;
/// What was predicted is noted so often, and at most so many times a trip; then every second note is dropped.
const NOTE_EVERY_MS: i64 = 20_000;
const MOST_NOTES: usize = 64;

/// Where a trip is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The car is on its way to the rider.
    ToRider,
    /// The rider is in the car.
    OnBoard,
    /// The trip ended at this instant.
    Over(Timestamp),
}

/// What finished trips have taught. One set for the way to the rider, one for the ride itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Lessons {
    to_rider: Lesson,
    on_board: Lesson,
    /// Of the trips that have ended, how many had told of their pick-up: where nobody tells, it must be inferred.
    told: u32,
    ended: u32,
}

#[derive(Clone, Debug, Default)]
struct Lesson {
    correction: Correction,
    kerb: Kerb,
    bands: Bands,
}

/// What is predicted at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Forecast {
    /// The instant of drop-off.
    pub(super) eta: Timestamp,
    /// Metres of road still to drive.
    pub(super) metres: f64,
}

/// What was predicted at an earlier moment.
#[derive(Clone, Copy, Debug)]
struct Note {
    at: Timestamp,
    phase: Phase,
    /// Expected driving time to the next stop in seconds, before the correction.
    driving_s: f64,
    /// Predicted time to the end of the trip in seconds.
    all_s: f64,
}

/// One trip.
#[derive(Clone, Debug)]
pub(super) struct Trip {
    pub(super) phase: Phase,
    pub(super) origin: Place,
    pub(super) destination: Place,
    /// When anything was last heard of it.
    pub(super) heard: Timestamp,
    /// Whether one of its pings has been answered.
    pub(super) answered: bool,
    pub(super) forecast: Option<Forecast>,
    plan: Plan,
    /// Since when the car stands where it was going to.
    stopped: Option<Timestamp>,
    /// When the way to the rider ended: arrival and departure.
    told_pick_up: bool,
    notes: Vec<Note>,
    note_every_ms: i64,
}

#[derive(Clone, Debug, Default)]
struct Plan {
    /// To the next stop.
    next: Option<Way>,
    /// From the rider to the destination, while the car is on its way to the rider.
    ride: Option<Way>,
    off_way: u8,
    /// Why there is no way.
    pub(super) unreachable: bool,
}

/// What a forecast is made with.
pub(super) struct Means<'a> {
    pub(super) planner: &'a mut Planner,
    pub(super) map: &'a streets::Map,
    pub(super) traffic: &'a TrafficModel,
    pub(super) lessons: &'a Lessons,
}

/// Where and when the car is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) ts: Timestamp,
    pub(super) place: Place,
    /// On which street; none when it is off the map.
    pub(super) spot: Option<Spot>,
    /// By what factor this driver is slower than others.
    pub(super) driver_ratio: f64,
}

impl Trip {
    pub(super) fn new(phase: Phase, origin: Place, destination: Place, at: Timestamp) -> Self {
        Self {
            phase,
            origin,
            destination,
            heard: at,
            answered: false,
            forecast: None,
            plan: Plan::default(),
            stopped: None,
            told_pick_up: false,
            notes: Vec::new(),
            note_every_ms: NOTE_EVERY_MS,
        }
    }

    /// Whether the last search for a way found none.
    pub(super) fn is_unreachable(&self) -> bool {
        self.plan.unreachable
    }

    /// Whether the car stands at the kerb, for all that is known.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Makes a new forecast from where the car is now.
    pub(super) fn look(&mut self, seen: &Seen, means: &mut Means<'_>) -> Forecast {
        self.infer_pick_up(seen, means.lessons);
        let next = match seen.spot {
            Some(spot) => self.left_by_road(spot, seen, means),
            None => None,
        };
        let goal = if self.phase == Phase::ToRider { self.origin } else { self.destination };
        let straight_m = apart_m(seen.place, goal);
        let next = next.unwrap_or_else(|| by_air(straight_m, means.traffic, seen.ts));
        if next.metres <= ARRIVED_M && straight_m <= 2.0 * ARRIVED_M {
            self.stopped.get_or_insert(seen.ts);
        } else if straight_m > GONE_M {
            self.stopped = None;
        }

        let driving_s = if self.stopped.is_some() { 0.0 } else { next.seconds * seen.driver_ratio };
        let stood_s = self.stopped.map_or(0.0, |since| seen.ts.since_seconds(since).max(0.0));
        let lesson = means.lessons.of(self.phase);
        let mut all_s = lesson.correction.apply(driving_s) + lesson.kerb.left_s(stood_s);
        let mut metres = next.metres;
        if self.phase == Phase::ToRider {
            let ride = self.ride(seen.ts, means);
            let lesson = &means.lessons.on_board;
            all_s += lesson.correction.apply(ride.seconds * seen.driver_ratio) + lesson.kerb.left_s(0.0);
            metres += ride.metres;
        }
        self.note(Note { at: seen.ts, phase: self.phase, driving_s, all_s });
        let forecast = Forecast { eta: seen.ts.plus_seconds(all_s), metres };
        self.forecast = Some(forecast);
        forecast
    }

    /// What is left to the next stop by road; none when there is no way.
    fn left_by_road(&mut self, spot: Spot, seen: &Seen, means: &mut Means<'_>) -> Option<Remaining> {
        if let Some(way) = &mut self.plan.next {
            if way.follow(spot) {
                self.plan.off_way = 0;
                if seen.ts.since_ms(way.summed()) >= SUM_EVERY_MS {
                    way.sum(means.traffic, means.map, seen.ts);
                }
                return Some(way.left_from(spot.offset_m));
            }
            self.plan.off_way += 1;
            if self.plan.off_way < OFF_WAY {
                // As if it stood where it was last seen on its way.
                return Some(way.left_from(0.0));
            }
        }
        self.plan.off_way = 0;
        let goal = if self.phase == Phase::ToRider { self.origin } else { self.destination };
        let spots = means.planner.spots(goal);
        let found = means.planner.way(means.traffic, spot, spots, seen.ts);
        self.plan.unreachable = found.is_none();
        self.plan.next = found.map(|(way, _)| way);
        self.plan.next.as_ref().map(|way| way.left_from(spot.offset_m))
    }

    /// What the ride will take once the rider is in the car.
    fn ride(&mut self, now: Timestamp, means: &mut Means<'_>) -> Remaining {
        if self.plan.ride.is_none() && !self.plan.unreachable {
            let Spots([from, _]) = means.planner.spots(self.origin);
            let to = means.planner.spots(self.destination);
            let found = from
                .and_then(|from| means.planner.way(means.traffic, from, to, now).map(|way| (way.0, from)));
            self.plan.unreachable = found.is_none();
            self.plan.ride = found.map(|(way, _)| way);
        }
        match &mut self.plan.ride {
            Some(way) => {
                if now.since_ms(way.summed()) >= SUM_LATER_EVERY_MS {
                    way.sum(means.traffic, means.map, now);
                }
                way.left_from(0.0)
            }
            None => by_air(apart_m(self.origin, self.destination), means.traffic, now),
        }
    }

    /// The rider is in the car.
    pub(super) fn pick_up(&mut self, at: Timestamp, told: bool, lessons: Option<&mut Lessons>) {
        if self.phase != Phase::ToRider {
            return;
        }
        if let (Some(lessons), true) = (lessons, told) {
            self.teach_driving(at, &mut lessons.to_rider);
        }
        self.told_pick_up |= told;
        self.phase = Phase::OnBoard;
        self.stopped = None;
        self.plan = Plan::default();
        self.forecast = None;
    }

    /// The rider has left the car: everything that was predicted can be compared with what happened.
    pub(super) fn drop_off(&mut self, at: Timestamp, lessons: &mut Lessons) {
        if let Phase::Over(_) = self.phase {
            return;
        }
        if self.phase == Phase::OnBoard {
            self.teach_driving(at, &mut lessons.on_board);
        }
        lessons.ended = lessons.ended.saturating_add(1);
        lessons.told = lessons.told.saturating_add(u32::from(self.told_pick_up));
        for note in &self.notes {
            let lesson =
                if note.phase == Phase::ToRider { &mut lessons.to_rider } else { &mut lessons.on_board };
            lesson.bands.learn(note.all_s, at.since_seconds(note.at).max(0.0));
        }
        self.end(at);
    }

    /// The trip is over, for whatever reason, and nothing more will be heard of it.
    pub(super) fn end(&mut self, at: Timestamp) {
        self.phase = Phase::Over(at);
        self.plan = Plan::default();
        self.notes = Vec::new();
    }

    fn teach_driving(&self, at: Timestamp, lesson: &mut Lesson) {
        let arrived = self.stopped.unwrap_or(at);
        lesson.kerb.learn(at.since_seconds(arrived).max(0.0));
        let notes = self.notes.iter().filter(|note| note.phase == self.phase && note.at < arrived);
        lesson.correction.learn(notes.map(|note| (note.driving_s, arrived.since_seconds(note.at))));
    }

    fn note(&mut self, note: Note) {
        let due = self.notes.last().is_none_or(|last| note.at.since_ms(last.at) >= self.note_every_ms);
        if !due {
            return;
        }
        if self.notes.len() == MOST_NOTES {
            let mut at = 0;
            self.notes.retain(|_| {
                at += 1;
                at % 2 == 1
            });
            self.note_every_ms *= 2;
        }
        self.notes.push(note);
    }

    /// Where nobody tells of pick-ups, a car that was where the rider is and is gone again has the rider in it.
    fn infer_pick_up(&mut self, seen: &Seen, lessons: &Lessons) {
        let untold = lessons.told * 2 <= lessons.ended;
        if self.phase == Phase::ToRider
            && self.stopped.is_some()
            && untold
            && apart_m(seen.place, self.origin) > GONE_M
        {
            self.pick_up(seen.ts, false, None);
        }
    }
}

impl Lessons {
    fn of(&self, phase: Phase) -> &Lesson {
        if phase == Phase::ToRider { &self.to_rider } else { &self.on_board }
    }

    /// The band around a prediction of so many seconds.
    pub(super) fn band(&self, phase: Phase, left_s: f64) -> (f64, f64) {
        self.of(phase).bands.around(left_s)
    }
}

/// Without a way by road: streets are about this much longer than the straight line.
const DETOUR: f64 = 1.4;

fn by_air(metres: f64, traffic: &TrafficModel, now: Timestamp) -> Remaining {
    let metres = DETOUR * metres;
    Remaining { seconds: metres / traffic.usual_mps(now), metres }
}

fn apart_m(a: Place, b: Place) -> f64 {
    streets::distance_m(a.lat, a.lon, b.lat, b.lon)
}
