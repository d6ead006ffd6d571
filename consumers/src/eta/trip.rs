//! One trip: its phase, the route it is expected to take, and what the model learns from it when it
//! is over.
//!
//! # Simplifications
//! - The car takes the fastest route. When it was seen beside it twice, or not on it for ten
//!   seconds, another route is searched from where it is.

use events::{Place, Timestamp};
use streets::{LinkId, Spot};

use super::learn::{Bands, Correction, Kerb};
use super::route::{PlannedRoute, Remaining, RoutePlanner};
use super::traffic::TrafficModel;

/// A car within so many metres of its stop, by road and in a straight line, has arrived.
const ARRIVED_M: f64 = 40.0;
/// A car that is so far from where it stopped has departed.
const DEPARTED_M: f64 = 150.0;
/// A rider gets in where the car was this near to the pin, in a straight line …
const PICK_UP_RADIUS_M: f64 = 150.0;
/// … or, when the pin is that wrong, where the car went away from it by so much, and towards the
/// destination by half of that.
const TURNED_AWAY_M: f64 = 600.0;
/// Where most trips announce the pick-up, a car must have gone so far before an unannounced one is
/// inferred.
const FAR_DEPARTED_M: f64 = 1500.0;
/// The seconds of a route are recomputed so often …
const RECOMPUTE_EVERY_MS: i64 = 15_000;
/// … and those of a ride that has not begun so often.
const RECOMPUTE_RIDE_EVERY_MS: i64 = 60_000;
/// A car that was seen so often beside its route, or not on it for so long, has left it: one
/// position alone may be an error.
const OFF_ROUTE_SIGHTINGS: u8 = 2;
const OFF_ROUTE_MS: i64 = 10_000;
/// Where no route was found, the search is not repeated before this.
const SEARCH_RETRY_MS: i64 = 60_000;
/// A prediction is kept so often, and at most so many a trip; then every second one is dropped.
const PREDICTION_EVERY_MS: i64 = 20_000;
const MAX_PREDICTIONS: usize = 64;

/// The phase of a trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The car is on its way to the rider.
    ToRider,
    /// The rider is in the car.
    OnBoard,
    /// The trip ended at this instant.
    Over(Timestamp),
}

/// What was learnt from finished trips: one model for the way to the rider, one for the ride
/// itself.
#[derive(Clone, Debug, Default)]
pub(super) struct TripModel {
    to_rider: PhaseModel,
    on_board: PhaseModel,
    /// How many of the trips that have ended had announced their pick-up: where that is not usual,
    /// it must be inferred.
    announced: u32,
    ended: u32,
}

#[derive(Clone, Debug, Default)]
struct PhaseModel {
    correction: Correction,
    /// The correction of a ride that has not begun. Its route is not known yet either, so the
    /// expected time is wrong by more, and mostly too short: the fastest route is only one of those
    /// that a driver may take.
    ride_ahead: Correction,
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
    /// Seconds by which the rest of the route is expected to differ from the usual.
    pub(super) contested_s: f64,
}

/// What was predicted at an earlier moment.
#[derive(Clone, Copy, Debug)]
struct Prediction {
    at: Timestamp,
    phase: Phase,
    /// Expected driving time to the next stop in seconds, before the correction.
    driving_s: f64,
    /// The same of the ride, as long as the car is on its way to the rider.
    ride_s: f64,
    /// Predicted time to the end of the trip in seconds, and by how much its route differs from the
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
    /// The time of its latest event or ping.
    pub(super) last_event: Timestamp,
    /// Whether one of its pings has been answered.
    pub(super) answered: bool,
    pub(super) forecast: Option<Forecast>,
    plan: Plan,
    /// Since when the car stands at its stop.
    stopped: Option<Timestamp>,
    /// Where the car was nearest to the rider, until the rider is in it.
    nearest: Option<Nearest>,
    pick_up_announced: bool,
    picked_up: Option<Timestamp>,
    predictions: Vec<Prediction>,
    prediction_every_ms: i64,
}

/// The nearest that the car has come to the rider: metres in a straight line to the rider and to
/// the destination.
#[derive(Clone, Copy, Debug)]
struct Nearest {
    from_m: f64,
    to_m: f64,
}

#[derive(Clone, Debug, Default)]
struct Plan {
    /// To the next stop.
    next: Option<PlannedRoute>,
    /// From the rider to the destination, while the car is on its way to the rider.
    ride: Option<PlannedRoute>,
    off_route: u8,
    /// When the car was last seen on the route to the next stop.
    last_on_route: Option<Timestamp>,
    /// When a search for a route last found none: to the next stop, and for the ride.
    no_route_since: Option<Timestamp>,
    no_ride_since: Option<Timestamp>,
}

/// What a forecast is made with.
pub(super) struct ForecastContext<'a> {
    pub(super) planner: &'a mut RoutePlanner,
    pub(super) map: &'a streets::Map,
    pub(super) traffic: &'a TrafficModel,
    pub(super) trip_model: &'a TripModel,
}

/// Where and when the car is.
#[derive(Clone, Copy, Debug)]
pub(super) struct CarPosition {
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
            last_event: at,
            answered: false,
            forecast: None,
            plan: Plan::default(),
            stopped: None,
            nearest: None,
            pick_up_announced: false,
            picked_up: None,
            predictions: Vec::new(),
            prediction_every_ms: PREDICTION_EVERY_MS,
        }
    }

    /// Whether the last search for a route found none.
    pub(super) fn is_unreachable(&self) -> bool {
        self.plan.no_route_since.is_some() || self.plan.no_ride_since.is_some()
    }

    /// Whether the car stands at the kerb, as far as is known.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Makes a new forecast from where the car is now.
    pub(super) fn update_forecast(
        &mut self,
        car: &CarPosition,
        context: &mut ForecastContext<'_>,
    ) -> Forecast {
        self.infer_pick_up(car, context.trip_model);
        let next = match car.spot {
            Some(spot) => self.remaining_by_road(spot, car, context),
            None => self.remaining_off_map(car, context),
        };
        let goal = if self.phase == Phase::ToRider { self.origin } else { self.destination };
        let straight_m = distance_m(car.place, goal);
        let next = next.unwrap_or_else(|| remaining_straight(straight_m, context.traffic, car.ts));
        // Where pick-ups are not announced, a car that starts beside the rider's pin need not drive
        // round the block first.
        let beside = self.phase == Phase::ToRider && !context.trip_model.pick_ups_are_announced();
        if (next.metres <= ARRIVED_M || beside) && straight_m <= 2.0 * ARRIVED_M {
            self.stopped.get_or_insert(car.ts);
        } else if straight_m > DEPARTED_M {
            self.stopped = None;
        }

        let driving_s = if self.stopped.is_some() { 0.0 } else { next.seconds * car.driver_ratio };
        let stood_s = self.stopped.map_or(0.0, |since| car.ts.since_seconds(since).max(0.0));
        let phase_model = context.trip_model.of(self.phase);
        let mut all_s = phase_model.correction.apply(driving_s) + phase_model.kerb.left_s(stood_s);
        let (mut metres, mut contested_s, mut ride_s) = (next.metres, next.contested_s, 0.0);
        if self.phase == Phase::ToRider {
            let ride = self.ride(car.ts, context);
            let phase_model = &context.trip_model.on_board;
            ride_s = ride.seconds * car.driver_ratio;
            all_s += phase_model.ride_ahead.apply(ride_s) + phase_model.kerb.left_s(0.0);
            metres += ride.metres;
            contested_s += ride.contested_s;
        }
        self.record(Prediction { at: car.ts, phase: self.phase, driving_s, ride_s, all_s, contested_s });
        let forecast = Forecast { eta: car.ts.plus_seconds(all_s), metres, contested_s };
        self.forecast = Some(forecast);
        forecast
    }

    /// What remains to the next stop by road; none when there is no route.
    fn remaining_by_road(
        &mut self,
        spot: Spot,
        car: &CarPosition,
        context: &mut ForecastContext<'_>,
    ) -> Option<Remaining> {
        if let Some(route) = &mut self.plan.next {
            if route.follow(spot, car.twin) {
                self.plan.off_route = 0;
                self.plan.last_on_route = Some(car.ts);
                if car.ts.since_ms(route.computed_at()) >= RECOMPUTE_EVERY_MS {
                    route.recompute(context.traffic, context.map, car.ts);
                }
                return Some(route.remaining());
            }
            self.plan.off_route += 1;
            let recently = self.plan.last_on_route.is_some_and(|last| car.ts.since_ms(last) < OFF_ROUTE_MS);
            if self.plan.off_route < OFF_ROUTE_SIGHTINGS && recently {
                // As if it stood where it was last seen on its route.
                return Some(route.remaining());
            }
        }
        if self.plan.no_route_since.is_some_and(|at| car.ts.since_ms(at) < SEARCH_RETRY_MS) {
            return None;
        }
        let goal = if self.phase == Phase::ToRider { self.origin } else { self.destination };
        self.plan.off_route = 0;
        // The map has corners that no route leaves. The car will leave all the same: by a street
        // beside it.
        self.plan.next = context
            .planner
            .route_from_car(context.traffic, spot, car.twin, goal, car.ts)
            .or_else(|| context.planner.route_between_pins(context.traffic, car.place, goal, car.ts));
        self.plan.no_route_since = self.plan.next.is_none().then_some(car.ts);
        self.plan.last_on_route = Some(car.ts);
        self.plan.next.as_ref().map(PlannedRoute::remaining)
    }

    /// What remains to the next stop for a car that is on no known street: as from the nearest
    /// street.
    fn remaining_off_map(
        &mut self,
        car: &CarPosition,
        context: &mut ForecastContext<'_>,
    ) -> Option<Remaining> {
        let recently = self.plan.last_on_route.is_some_and(|last| car.ts.since_ms(last) < SEARCH_RETRY_MS);
        let searched = self.plan.no_route_since.is_some_and(|at| car.ts.since_ms(at) < SEARCH_RETRY_MS);
        if !(searched || recently && self.plan.next.is_some()) {
            let goal = if self.phase == Phase::ToRider { self.origin } else { self.destination };
            self.plan.next = context.planner.route_between_pins(context.traffic, car.place, goal, car.ts);
            self.plan.no_route_since = self.plan.next.is_none().then_some(car.ts);
            self.plan.last_on_route = Some(car.ts);
        }
        self.plan.next.as_ref().map(PlannedRoute::remaining)
    }

    /// What the ride will take once the rider is in the car.
    fn ride(&mut self, now: Timestamp, context: &mut ForecastContext<'_>) -> Remaining {
        let searched = self.plan.no_ride_since.is_some_and(|at| now.since_ms(at) < SEARCH_RETRY_MS);
        if self.plan.ride.is_none() && !searched {
            self.plan.ride =
                context.planner.route_between_pins(context.traffic, self.origin, self.destination, now);
            self.plan.no_ride_since = self.plan.ride.is_none().then_some(now);
        }
        match &mut self.plan.ride {
            Some(route) => {
                if now.since_ms(route.computed_at()) >= RECOMPUTE_RIDE_EVERY_MS {
                    route.recompute(context.traffic, context.map, now);
                }
                route.remaining()
            }
            None => remaining_straight(distance_m(self.origin, self.destination), context.traffic, now),
        }
    }

    /// The rider is in the car.
    pub(super) fn pick_up(&mut self, at: Timestamp, announced: bool, trip_model: Option<&mut TripModel>) {
        if self.phase != Phase::ToRider {
            return;
        }
        if let (Some(trip_model), true) = (trip_model, announced) {
            self.learn_driving(at, &mut trip_model.to_rider);
        }
        self.pick_up_announced |= announced;
        self.picked_up = Some(at);
        self.phase = Phase::OnBoard;
        self.stopped = None;
        // The route that was expected for the ride stays, if the car is on it.
        self.plan = Plan { next: self.plan.ride.take(), last_on_route: Some(at), ..Plan::default() };
        self.forecast = None;
    }

    /// The rider has left the car: all predictions can be compared with what happened.
    pub(super) fn drop_off(&mut self, at: Timestamp, trip_model: &mut TripModel) {
        if let Phase::Over(_) = self.phase {
            return;
        }
        if self.phase == Phase::OnBoard {
            self.learn_driving(at, &mut trip_model.on_board);
            self.learn_ride_ahead(at, trip_model);
        }
        trip_model.ended = trip_model.ended.saturating_add(1);
        trip_model.announced = trip_model.announced.saturating_add(u32::from(self.pick_up_announced));
        for prediction in &self.predictions {
            let phase_model = if prediction.phase == Phase::ToRider {
                &mut trip_model.to_rider
            } else {
                &mut trip_model.on_board
            };
            phase_model.bands.learn(
                prediction.all_s,
                prediction.contested_s,
                at.since_seconds(prediction.at).max(0.0),
            );
        }
        for (phase, phase_model) in
            [(Phase::ToRider, &mut trip_model.to_rider), (Phase::OnBoard, &mut trip_model.on_board)]
        {
            if self.predictions.iter().any(|prediction| prediction.phase == phase) {
                phase_model.bands.trip_ended();
            }
        }
        self.end(at);
    }

    /// The trip is over, for whatever reason: no more events are expected.
    pub(super) fn end(&mut self, at: Timestamp) {
        self.phase = Phase::Over(at);
        self.plan = Plan::default();
        self.predictions = Vec::new();
    }

    fn learn_driving(&self, at: Timestamp, phase_model: &mut PhaseModel) {
        let arrived = self.stopped.unwrap_or(at);
        phase_model.kerb.learn(at.since_seconds(arrived).max(0.0));
        let predictions = self
            .predictions
            .iter()
            .filter(|prediction| prediction.phase == self.phase && prediction.at < arrived);
        phase_model.correction.learn(
            predictions.map(|prediction| (prediction.driving_s, arrived.since_seconds(prediction.at))),
        );
    }

    /// Compares what was expected of the ride before it began with how long it took.
    fn learn_ride_ahead(&self, at: Timestamp, trip_model: &mut TripModel) {
        // Where others announce their pick-up, one that does not is noticed long after it.
        let known = self.pick_up_announced || !trip_model.pick_ups_are_announced();
        let Some(picked_up) = self.picked_up.filter(|_| known) else { return };
        let took_s = self.stopped.unwrap_or(at).since_seconds(picked_up).max(0.0);
        let before = self.predictions.iter().filter(|prediction| prediction.phase == Phase::ToRider);
        trip_model.on_board.ride_ahead.learn(before.map(|prediction| (prediction.ride_s, took_s)));
    }

    fn record(&mut self, prediction: Prediction) {
        let due = self
            .predictions
            .last()
            .is_none_or(|last| prediction.at.since_ms(last.at) >= self.prediction_every_ms);
        if !due {
            return;
        }
        if self.predictions.len() == MAX_PREDICTIONS {
            let mut at = 0;
            self.predictions.retain(|_| {
                at += 1;
                at % 2 == 1
            });
            self.prediction_every_ms *= 2;
        }
        self.predictions.push(prediction);
    }

    /// Where pick-ups are not announced, a car that was where the rider is and has gone again has
    /// the rider in it.
    fn infer_pick_up(&mut self, car: &CarPosition, trip_model: &TripModel) {
        if self.phase != Phase::ToRider {
            return;
        }
        let from_m = distance_m(car.place, self.origin);
        let to_m = distance_m(car.place, self.destination);
        let nearest = self.nearest.get_or_insert(Nearest { from_m, to_m });
        if from_m < nearest.from_m {
            *nearest = Nearest { from_m, to_m };
        }
        let (departed_m, nearer_m) = (from_m - nearest.from_m, nearest.to_m - to_m);
        let there = nearest.from_m <= PICK_UP_RADIUS_M;
        let picked_up = if trip_model.pick_ups_are_announced() {
            there && departed_m > FAR_DEPARTED_M && nearer_m > 0.5 * FAR_DEPARTED_M
        } else {
            (there && departed_m > DEPARTED_M)
                || (departed_m > TURNED_AWAY_M && nearer_m > 0.5 * TURNED_AWAY_M)
        };
        if picked_up {
            self.pick_up(car.ts, false, None);
        }
    }
}

impl TripModel {
    /// Whether most trips announce their pick-up.
    fn pick_ups_are_announced(&self) -> bool {
        self.announced * 2 > self.ended
    }

    fn of(&self, phase: Phase) -> &PhaseModel {
        if phase == Phase::ToRider { &self.to_rider } else { &self.on_board }
    }

    /// The band around a prediction of `left_s` seconds, whose route differs by `contested_s` from
    /// the usual.
    pub(super) fn band(&self, phase: Phase, left_s: f64, contested_s: f64) -> (f64, f64) {
        self.of(phase).bands.around(left_s, contested_s)
    }
}

/// Without a route by road: streets are about this much longer than the straight line.
const DETOUR: f64 = 1.4;

fn remaining_straight(metres: f64, traffic: &TrafficModel, now: Timestamp) -> Remaining {
    let metres = DETOUR * metres;
    Remaining { seconds: metres / traffic.usual_mps(now), metres, contested_s: 0.0 }
}

fn distance_m(a: Place, b: Place) -> f64 {
    streets::distance_m(a.lat, a.lon, b.lat, b.lon)
}
