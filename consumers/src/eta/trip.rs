//! One trip under way: where it is in its life, the way it is expected to take, and what it will
//! teach when it is over.

use events::{Place, Timestamp};
use streets::{LinkId, Spot};

use super::learn::{Bands, Correction, Kerb};
use super::traffic::TrafficModel;
use super::way::{Planner, Remaining, Way};

/// A car within so many metres of where it is going to stop, by road and by air, has arrived.
const ARRIVED_M: f64 = 40.0;
/// A car that is so far from where it stopped has left.
const GONE_M: f64 = 150.0;
/// A rider gets in where the car was this near to the pin, by air …
const THERE_M: f64 = 150.0;
/// … or, when the pin is that wrong, where it turned away from it for so far, and towards the
/// destination by half of that.
const TURNED_AWAY_M: f64 = 600.0;
/// Where most trips tell of the pick-up, one that does not must be so far gone before it is
/// believed to have forgotten.
const LONG_GONE_M: f64 = 1500.0;
/// The seconds of a way are summed anew so often.
const SUM_EVERY_MS: i64 = 15_000;
/// … and of the second half of a trip, which is still to come, so often.
const SUM_LATER_EVERY_MS: i64 = 60_000;
/// A car that was seen so often beside its way, or not on it for so long, has left it: one position
/// alone may be an error.
const OFF_WAY: u8 = 2;
const OFF_WAY_MS: i64 = 10_000;
/// Where no way was found, none is looked for again so soon.
const SEARCH_AGAIN_MS: i64 = 60_000;
/// What was predicted is noted so often, and at most so many times a trip; then every second note
/// is dropped.
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
    /// Of the trips that have ended, how many had told of their pick-up: where nobody tells, it
    /// must be inferred.
    told: u32,
    ended: u32,
}

#[derive(Clone, Debug, Default)]
struct Lesson {
    correction: Correction,
    /// The correction of a ride that has not begun. Its way has not begun to show itself either, so
    /// it is wrong by more, and mostly too short, as the fastest way is only one that a driver
    /// may take.
    ahead: Correction,
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
    /// Seconds by which the way to drive is expected to differ from the usual.
    pub(super) contested_s: f64,
}

/// What was predicted at an earlier moment.
#[derive(Clone, Copy, Debug)]
struct Note {
    at: Timestamp,
    phase: Phase,
    /// Expected driving time to the next stop in seconds, before the correction.
    driving_s: f64,
    /// The same of the ride, as long as the car is on its way to the rider.
    ride_s: f64,
    /// Predicted time to the end of the trip in seconds, and by how much its way differs from the
    /// usual.
    all_s: f64,
    contested_s: f64,
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
    /// Where the car was nearest to the rider, as long as the rider is not in it.
    nearest: Option<Nearest>,
    told_pick_up: bool,
    picked_up: Option<Timestamp>,
    notes: Vec<Note>,
    note_every_ms: i64,
}

/// The nearest that the car has come to the rider: metres by air to there and to the destination.
#[derive(Clone, Copy, Debug)]
struct Nearest {
    from_m: f64,
    to_m: f64,
}

#[derive(Clone, Debug, Default)]
struct Plan {
    /// To the next stop.
    next: Option<Way>,
    /// From the rider to the destination, while the car is on its way to the rider.
    ride: Option<Way>,
    off_way: u8,
    /// When the car was last seen on the way to the next stop.
    followed: Option<Timestamp>,
    /// When a way was last looked for and there was none: to the next stop, and for the ride.
    no_way: Option<Timestamp>,
    no_ride: Option<Timestamp>,
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
    /// The same street in the other direction, if the car may as well face that way.
    pub(super) twin: Option<LinkId>,
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
            nearest: None,
            told_pick_up: false,
            picked_up: None,
            notes: Vec::new(),
            note_every_ms: NOTE_EVERY_MS,
        }
    }

    /// Whether the last search for a way found none.
    pub(super) fn is_unreachable(&self) -> bool {
        self.plan.no_way.is_some() || self.plan.no_ride.is_some()
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
            None => self.left_from_beside(seen, means),
        };
        let goal = if self.phase == Phase::ToRider { self.origin } else { self.destination };
        let straight_m = apart_m(seen.place, goal);
        let next = next.unwrap_or_else(|| by_air(straight_m, means.traffic, seen.ts));
        // Who sets out beside the rider's pin, where nobody tells of pick-ups, need not go round
        // the block first.
        let beside = self.phase == Phase::ToRider && !means.lessons.are_told();
        if (next.metres <= ARRIVED_M || beside) && straight_m <= 2.0 * ARRIVED_M {
            self.stopped.get_or_insert(seen.ts);
        } else if straight_m > GONE_M {
            self.stopped = None;
        }

        let driving_s = if self.stopped.is_some() { 0.0 } else { next.seconds * seen.driver_ratio };
        let stood_s = self.stopped.map_or(0.0, |since| seen.ts.since_seconds(since).max(0.0));
        let lesson = means.lessons.of(self.phase);
        let mut all_s = lesson.correction.apply(driving_s) + lesson.kerb.left_s(stood_s);
        let (mut metres, mut contested_s, mut ride_s) = (next.metres, next.contested_s, 0.0);
        if self.phase == Phase::ToRider {
            let ride = self.ride(seen.ts, means);
            let lesson = &means.lessons.on_board;
            ride_s = ride.seconds * seen.driver_ratio;
            all_s += lesson.ahead.apply(ride_s) + lesson.kerb.left_s(0.0);
            metres += ride.metres;
            contested_s += ride.contested_s;
        }
        self.note(Note { at: seen.ts, phase: self.phase, driving_s, ride_s, all_s, contested_s });
        let forecast = Forecast { eta: seen.ts.plus_seconds(all_s), metres, contested_s };
        self.forecast = Some(forecast);
        forecast
    }

    /// What is left to the next stop by road; none when there is no way.
    fn left_by_road(&mut self, spot: Spot, seen: &Seen, means: &mut Means<'_>) -> Option<Remaining> {
        if let Some(way) = &mut self.plan.next {
            if way.follow(spot, seen.twin) {
                self.plan.off_way = 0;
                self.plan.followed = Some(seen.ts);
                if seen.ts.since_ms(way.summed()) >= SUM_EVERY_MS {
                    way.sum(means.traffic, means.map, seen.ts);
                }
                return Some(way.left());
            }
            self.plan.off_way += 1;
            let lately = self.plan.followed.is_some_and(|last| seen.ts.since_ms(last) < OFF_WAY_MS);
            if self.plan.off_way < OFF_WAY && lately {
                // As if it stood where it was last seen on its way.
                return Some(way.left());
            }
        }
        if self.plan.no_way.is_some_and(|at| seen.ts.since_ms(at) < SEARCH_AGAIN_MS) {
            return None;
        }
        let goal = if self.phase == Phase::ToRider { self.origin } else { self.destination };
        self.plan.off_way = 0;
        // From a corner of the map that nobody can leave, the car will leave all the same: by a
        // street beside it.
        self.plan.next = means
            .planner
            .way_from_car(means.traffic, spot, seen.twin, goal, seen.ts)
            .or_else(|| means.planner.way_from_pin(means.traffic, seen.place, goal, seen.ts));
        self.plan.no_way = self.plan.next.is_none().then_some(seen.ts);
        self.plan.followed = Some(seen.ts);
        self.plan.next.as_ref().map(Way::left)
    }

    /// What is left to the next stop for a car that is on no street that is known: as by the street
    /// that is nearest.
    fn left_from_beside(&mut self, seen: &Seen, means: &mut Means<'_>) -> Option<Remaining> {
        let lately = self.plan.followed.is_some_and(|last| seen.ts.since_ms(last) < SEARCH_AGAIN_MS);
        let searched = self.plan.no_way.is_some_and(|at| seen.ts.since_ms(at) < SEARCH_AGAIN_MS);
        if !(searched || lately && self.plan.next.is_some()) {
            let goal = if self.phase == Phase::ToRider { self.origin } else { self.destination };
            self.plan.next = means.planner.way_from_pin(means.traffic, seen.place, goal, seen.ts);
            self.plan.no_way = self.plan.next.is_none().then_some(seen.ts);
            self.plan.followed = Some(seen.ts);
        }
        self.plan.next.as_ref().map(Way::left)
    }

    /// What the ride will take once the rider is in the car.
    fn ride(&mut self, now: Timestamp, means: &mut Means<'_>) -> Remaining {
        let searched = self.plan.no_ride.is_some_and(|at| now.since_ms(at) < SEARCH_AGAIN_MS);
        if self.plan.ride.is_none() && !searched {
            self.plan.ride = means.planner.way_from_pin(means.traffic, self.origin, self.destination, now);
            self.plan.no_ride = self.plan.ride.is_none().then_some(now);
        }
        match &mut self.plan.ride {
            Some(way) => {
                if now.since_ms(way.summed()) >= SUM_LATER_EVERY_MS {
                    way.sum(means.traffic, means.map, now);
                }
                way.left()
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
        self.picked_up = Some(at);
        self.phase = Phase::OnBoard;
        self.stopped = None;
        // The way that was expected for the ride is the way, if the car is on it.
        self.plan = Plan { next: self.plan.ride.take(), followed: Some(at), ..Plan::default() };
        self.forecast = None;
    }

    /// The rider has left the car: everything that was predicted can be compared with what
    /// happened.
    pub(super) fn drop_off(&mut self, at: Timestamp, lessons: &mut Lessons) {
        if let Phase::Over(_) = self.phase {
            return;
        }
        if self.phase == Phase::OnBoard {
            self.teach_driving(at, &mut lessons.on_board);
            self.teach_ahead(at, lessons);
        }
        lessons.ended = lessons.ended.saturating_add(1);
        lessons.told = lessons.told.saturating_add(u32::from(self.told_pick_up));
        for note in &self.notes {
            let lesson =
                if note.phase == Phase::ToRider { &mut lessons.to_rider } else { &mut lessons.on_board };
            lesson.bands.learn(note.all_s, note.contested_s, at.since_seconds(note.at).max(0.0));
        }
        for (phase, lesson) in
            [(Phase::ToRider, &mut lessons.to_rider), (Phase::OnBoard, &mut lessons.on_board)]
        {
            if self.notes.iter().any(|note| note.phase == phase) {
                lesson.bands.trip_ended();
            }
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

    /// What was expected of the ride before it began is compared with how long it took.
    fn teach_ahead(&self, at: Timestamp, lessons: &mut Lessons) {
        // Who forgets to tell of a pick-up where others do is noticed long after it.
        let known = self.told_pick_up || !lessons.are_told();
        let Some(picked_up) = self.picked_up.filter(|_| known) else { return };
        let took_s = self.stopped.unwrap_or(at).since_seconds(picked_up).max(0.0);
        let before = self.notes.iter().filter(|note| note.phase == Phase::ToRider);
        lessons.on_board.ahead.learn(before.map(|note| (note.ride_s, took_s)));
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

    /// Where nobody tells of pick-ups, a car that was where the rider is and is gone again has the
    /// rider in it.
    fn infer_pick_up(&mut self, seen: &Seen, lessons: &Lessons) {
        if self.phase != Phase::ToRider {
            return;
        }
        let from_m = apart_m(seen.place, self.origin);
        let to_m = apart_m(seen.place, self.destination);
        let nearest = self.nearest.get_or_insert(Nearest { from_m, to_m });
        if from_m < nearest.from_m {
            *nearest = Nearest { from_m, to_m };
        }
        let (gone_m, nearer_m) = (from_m - nearest.from_m, nearest.to_m - to_m);
        let there = nearest.from_m <= THERE_M;
        let picked_up = if lessons.are_told() {
            there && gone_m > LONG_GONE_M && nearer_m > 0.5 * LONG_GONE_M
        } else {
            (there && gone_m > GONE_M) || (gone_m > TURNED_AWAY_M && nearer_m > 0.5 * TURNED_AWAY_M)
        };
        if picked_up {
            self.pick_up(seen.ts, false, None);
        }
    }
}

impl Lessons {
    /// Whether one can count on being told of pick-ups.
    fn are_told(&self) -> bool {
        self.told * 2 > self.ended
    }

    fn of(&self, phase: Phase) -> &Lesson {
        if phase == Phase::ToRider { &self.to_rider } else { &self.on_board }
    }

    /// The band around a prediction of so many seconds, whose way differs by so many from the
    /// usual.
    pub(super) fn band(&self, phase: Phase, left_s: f64, contested_s: f64) -> (f64, f64) {
        self.of(phase).bands.around(left_s, contested_s)
    }
}

/// Without a way by road: streets are about this much longer than the straight line.
const DETOUR: f64 = 1.4;

fn by_air(metres: f64, traffic: &TrafficModel, now: Timestamp) -> Remaining {
    let metres = DETOUR * metres;
    Remaining { seconds: metres / traffic.usual_mps(now), metres, contested_s: 0.0 }
}

fn apart_m(a: Place, b: Place) -> f64 {
    streets::distance_m(a.lat, a.lon, b.lat, b.lon)
}
