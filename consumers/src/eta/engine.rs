//! Pings and trips in, forecasts and traversals out: what the stream lane and the batch lane have
//! in common.

use std::sync::Arc;

use events::{DriverLocation, Place, Timestamp, TripKind};
use hashbrown::HashMap;
use streets::Map;

use super::matcher::{Fix, Matcher, Outcome, Track, Traversal};
use super::roads::Roads;
use super::route::RoutePlanner;
use super::traffic::TrafficModel;
use super::trip::{CarPosition, Forecast, ForecastContext, Phase, Trip, TripModel};
use processor::bounded::fingerprint;
use processor::event_time::{Plausibility, Watermark};

/// A trip without an event for so long is closed, as the contract says.
pub(super) const IDLE_MS: i64 = 600_000;
/// A time that is so far ahead of all others needs a second source to confirm it. Not less than the
/// silence that closes a trip: a single car that was in a tunnel has no broken clock.
const MAX_JUMP_MS: i64 = IDLE_MS;
/// Idle trips and drivers are removed so often, in event time.
const SWEEP_EVERY_MS: i64 = 60_000;
/// A position that is older than this is no start for a route.
const STALE_MS: i64 = 90_000;
/// How often it is checked how long a car has been on its link.
const WAITING_EVERY_MS: i64 = 15_000;

/// The state of all drivers and trips.
#[derive(Debug)]
pub(super) struct Engine {
    map: Arc<Map>,
    lateness_ms: i64,
    matcher: Matcher,
    planner: RoutePlanner,
    pub(super) traffic: TrafficModel,
    pub(super) trip_model: TripModel,
    watermark: Watermark,
    swept: Timestamp,
    drivers: HashMap<String, Driver>,
    trips: HashMap<String, Trip>,
    pub(super) counters: Counters,
    /// The links that the vehicle of the last ping has driven.
    pub(super) driven: Vec<Traversal>,
}

#[derive(Debug)]
struct Driver {
    track: Track,
    newest: Timestamp,
    /// A jump of this driver's clock that has not been confirmed.
    unconfirmed_jump: Option<Timestamp>,
    /// When riders last got in or out, or requested a ride: the car stood then.
    trip_event_times: [Timestamp; 3],
    waiting_checked: Timestamp,
}

/// See [`Processor::counters`](processor::Processor::counters).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    pub(super) pings: u64,
    pub(super) late: u64,
    pub(super) out_of_order: u64,
    pub(super) duplicates: u64,
    pub(super) off_map: u64,
    pub(super) misfits: u64,
    pub(super) clock_jumps: u64,
    pub(super) unknown_trips: u64,
    pub(super) after_trip: u64,
    pub(super) idle_trips: u64,
    pub(super) unreachable: u64,
    pub(super) unknown_links: u64,
    pub(super) traversals: u64,
}

/// The answer to one ping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) eta: Timestamp,
    pub(super) p10: Timestamp,
    pub(super) p90: Timestamp,
    pub(super) metres: f64,
    /// Whether it is the first of its trip.
    pub(super) first: bool,
}

impl Engine {
    pub(super) fn new(roads: &Arc<Roads>, lateness_ms: i64) -> Self {
        Self {
            lateness_ms,
            matcher: Matcher::new(roads.clone(), lateness_ms),
            planner: RoutePlanner::new(roads.clone()),
            traffic: TrafficModel::new(roads.clone()),
            map: roads.map().clone(),
            trip_model: TripModel::default(),
            watermark: Watermark::confirmed_by_other_source(MAX_JUMP_MS),
            swept: Timestamp::MIN,
            drivers: HashMap::new(),
            trips: HashMap::new(),
            counters: Counters::default(),
            driven: Vec::new(),
        }
    }

    /// The event time that the fleet agrees on.
    pub(super) fn now(&self) -> Option<Timestamp> {
        self.watermark.now()
    }

    /// Takes one ping; the links that its driver is now known to have driven are in
    /// [`Engine::driven`].
    pub(super) fn ping(&mut self, ping: &DriverLocation) -> Option<Answer> {
        self.counters.pings += 1;
        self.driven.clear();
        self.sweep();
        let advances = self.admit(ping)?;
        let driver = self.drivers.get_mut(ping.driver_id.as_str()).expect("admitted, so it is known");
        let late_ms = driver.newest.since_ms(ping.ts);
        let outcome = if late_ms > self.lateness_ms {
            self.counters.late += 1;
            Outcome::Skipped
        } else {
            let fix = Fix {
                ts: ping.ts,
                lat: ping.lat,
                lon: ping.lon,
                speed_mps: ping.speed_mps,
                heading_deg: ping.heading_deg,
            };
            self.matcher.observe(&mut driver.track, &fix, &mut self.driven)
        };
        match outcome {
            Outcome::OffMap => self.counters.off_map += 1,
            Outcome::Misfit => self.counters.misfits += 1,
            Outcome::Matched | Outcome::Skipped | Outcome::Inserted => {}
        }
        if !self.driven.is_empty() {
            // A link on which a rider got in or out was not driven but stood on, in part.
            let trip_event_times = driver.trip_event_times;
            self.driven
                .retain(|one| !trip_event_times.iter().any(|step| (one.entered..=one.left).contains(step)));
            self.counters.traversals += self.driven.len() as u64;
        }
        match &ping.trip_id {
            Some(trip_id) => self.answer(ping, trip_id, advances, outcome),
            None => None,
        }
    }

    /// Whether a ping is to be taken at all, and if so, whether it advances its driver's time.
    fn admit(&mut self, ping: &DriverLocation) -> Option<bool> {
        let time = self.watermark.observe_from(fingerprint(&("driver", &ping.driver_id)), ping.ts);
        let Some(driver) = self.drivers.get_mut(ping.driver_id.as_str()) else {
            let mut driver = Driver::new(ping.ts);
            if time == Plausibility::UnconfirmedJump {
                // Its first ping does not count, but its second will.
                driver.newest = Timestamp::MIN;
                driver.unconfirmed_jump = Some(ping.ts);
                self.counters.clock_jumps += 1;
            }
            self.drivers.insert(ping.driver_id.clone(), driver);
            return (time == Plausibility::Plausible).then_some(true);
        };
        let ahead_ms = ping.ts.since_ms(driver.newest);
        if ahead_ms > MAX_JUMP_MS && time == Plausibility::UnconfirmedJump {
            let confirmed =
                driver.unconfirmed_jump.is_some_and(|leap| ping.ts.since_ms(leap).abs() <= MAX_JUMP_MS);
            if !confirmed {
                driver.unconfirmed_jump = Some(ping.ts);
                self.counters.clock_jumps += 1;
                return None;
            }
        }
        driver.unconfirmed_jump = None;
        let now = self.watermark.now().unwrap_or(ping.ts);
        if ahead_ms < -MAX_JUMP_MS
            && driver.newest.since_ms(now) > MAX_JUMP_MS
            && ping.ts.since_ms(now).abs() <= MAX_JUMP_MS
        {
            // It was the driver's newest time that was wrong: all others agree with this one.
            self.counters.clock_jumps += 1;
            self.matcher.finish(&mut driver.track, &mut self.driven);
            self.driven.clear();
            driver.newest = ping.ts;
            return Some(true);
        }
        match ahead_ms {
            0 => self.counters.duplicates += 1,
            ahead_ms if ahead_ms < 0 => self.counters.out_of_order += 1,
            _ => driver.newest = ping.ts,
        }
        Some(ahead_ms > 0)
    }

    fn answer(
        &mut self,
        ping: &DriverLocation,
        trip_id: &str,
        advances: bool,
        outcome: Outcome,
    ) -> Option<Answer> {
        let Some(trip) = self.trips.get_mut(trip_id) else {
            self.counters.unknown_trips += 1;
            return None;
        };
        if let Phase::Over(end) = trip.phase {
            // Read after its trip's end, but sent before it: what happened is the answer.
            if ping.ts > end || !advances {
                self.counters.after_trip += u64::from(ping.ts > end);
                return None;
            }
            return Some(Answer { eta: end, p10: end, p90: end, metres: 0.0, first: false });
        }
        if ping.ts.since_ms(trip.last_event) > IDLE_MS {
            self.counters.idle_trips += 1;
            trip.end(trip.last_event);
            return None;
        }
        trip.last_event = trip.last_event.max(ping.ts);
        if trip.answered && !advances {
            return None;
        }
        let driver = self.drivers.get_mut(ping.driver_id.as_str()).expect("its ping was admitted");
        let position = driver.track.position().filter(|(_, at)| ping.ts.since_ms(*at) <= STALE_MS);
        let first = !trip.answered;
        trip.answered = true;
        let forecast = match trip.forecast {
            Some(forecast) if outcome != Outcome::Matched && position.is_some() => forecast,
            _ => {
                let car = CarPosition {
                    ts: ping.ts,
                    place: Place { lat: ping.lat, lon: ping.lon },
                    spot: position.map(|(spot, _)| spot),
                    twin: position.and_then(|(spot, _)| driver.track.may_face(&self.map, spot)),
                    driver_ratio: self.traffic.vehicle_ratio(&ping.driver_id, ping.ts),
                };
                let mut context = ForecastContext {
                    planner: &mut self.planner,
                    map: &self.map,
                    traffic: &self.traffic,
                    trip_model: &self.trip_model,
                };
                let could = !trip.is_unreachable();
                let forecast = trip.update_forecast(&car, &mut context);
                self.counters.unreachable += u64::from(could && trip.is_unreachable());
                forecast
            }
        };
        if outcome == Outcome::Matched
            && !trip.is_stopped()
            && ping.ts.since_ms(driver.waiting_checked) >= WAITING_EVERY_MS
        {
            driver.waiting_checked = ping.ts;
            if let Some((link, since)) = driver.track.on_link_since() {
                let stood = driver.trip_event_times.iter().any(|step| *step >= since);
                if !stood {
                    let seconds = ping.ts.since_seconds(since);
                    self.traffic.observe_waiting(link, &ping.driver_id, seconds, ping.ts);
                }
            }
        }
        Some(banded(&self.trip_model, trip.phase, ping.ts, forecast, first))
    }

    /// The forecast for a trip from the position of this ping, made with `traffic` and `trip_model`
    /// instead of the engine's own.
    pub(super) fn quote(
        &mut self,
        ping: &DriverLocation,
        trip_id: &str,
        traffic: &TrafficModel,
        trip_model: &TripModel,
    ) -> Option<Forecast> {
        let trip = self.trips.get(trip_id)?;
        let driver = self.drivers.get(ping.driver_id.as_str());
        let position = driver.and_then(|driver| driver.track.position());
        let spot = position.filter(|(_, at)| ping.ts.since_ms(*at) <= STALE_MS).map(|(spot, _)| spot);
        let car = CarPosition {
            ts: ping.ts,
            place: Place { lat: ping.lat, lon: ping.lon },
            spot,
            twin: driver.zip(spot).and_then(|(driver, spot)| driver.track.may_face(&self.map, spot)),
            driver_ratio: traffic.vehicle_ratio(&ping.driver_id, ping.ts),
        };
        let mut context = ForecastContext { planner: &mut self.planner, map: &self.map, traffic, trip_model };
        let mut quoted = Trip::new(trip.phase, trip.origin, trip.destination, ping.ts);
        Some(quoted.update_forecast(&car, &mut context))
    }

    /// Takes one event of a trip.
    pub(super) fn trip(&mut self, event: &events::Trip) {
        self.sweep();
        self.watermark.observe_from(fingerprint(&("trip", &event.trip_id)), event.ts);
        if let Some(driver) = self.drivers.get_mut(event.driver_id.as_str()) {
            driver.note_trip_event(event.ts);
        }
        if !self.trips.contains_key(event.trip_id.as_str()) {
            let phase = if event.kind == TripKind::Requested { Phase::ToRider } else { Phase::OnBoard };
            let mut trip = Trip::new(phase, event.origin, event.destination, event.ts);
            if matches!(event.kind, TripKind::DroppedOff | TripKind::Cancelled) {
                trip.end(event.ts);
            }
            self.trips.insert(event.trip_id.clone(), trip);
            return;
        }
        let trip = self.trips.get_mut(event.trip_id.as_str()).expect("just looked");
        if let Phase::Over(_) = trip.phase {
            return;
        }
        trip.last_event = trip.last_event.max(event.ts);
        match event.kind {
            TripKind::Requested => {}
            TripKind::PickedUp => trip.pick_up(event.ts, true, Some(&mut self.trip_model)),
            TripKind::DroppedOff => trip.drop_off(event.ts, &mut self.trip_model),
            TripKind::Cancelled => trip.end(event.ts),
        }
    }

    /// Removes drivers and trips without an event for long.
    fn sweep(&mut self) {
        let Some(now) = self.watermark.now() else { return };
        if now.since_ms(self.swept).abs() < SWEEP_EVERY_MS {
            return;
        }
        self.swept = now;
        // A minute more than the rule, so that the rule itself is applied by each trip's own time.
        let long_ms = IDLE_MS + SWEEP_EVERY_MS + self.lateness_ms;
        let mut idle = 0;
        self.trips.retain(|_, trip| {
            let keep = now.since_ms(trip.last_event).abs() <= long_ms;
            idle += u64::from(!keep && !matches!(trip.phase, Phase::Over(_)));
            keep
        });
        self.counters.idle_trips += idle;
        self.drivers.retain(|_, driver| {
            let last = driver.newest.max(driver.unconfirmed_jump.unwrap_or(Timestamp::MIN));
            now.since_ms(last).abs() <= long_ms
        });
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.drivers.len() + self.trips.len()
    }

    /// The counters, for [`Processor::counters`](processor::Processor::counters).
    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        let counters = &self.counters;
        vec![
            ("pings", counters.pings),
            ("late pings", counters.late),
            ("pings out of order", counters.out_of_order),
            ("duplicate pings", counters.duplicates),
            ("pings off the map", counters.off_map),
            ("pings that fit no way", counters.misfits),
            ("clocks that leapt", counters.clock_jumps),
            ("pings of unknown trips", counters.unknown_trips),
            ("pings after their trip", counters.after_trip),
            ("trips closed idle", counters.idle_trips),
            ("destinations without a way", counters.unreachable),
            ("ways searched", self.planner.searches),
            ("unknown links", counters.unknown_links),
            ("links driven", counters.traversals),
        ]
    }
}

impl Driver {
    fn new(at: Timestamp) -> Self {
        Self {
            track: Track::default(),
            newest: at,
            unconfirmed_jump: None,
            trip_event_times: [Timestamp::MIN; 3],
            waiting_checked: Timestamp::MIN,
        }
    }

    fn note_trip_event(&mut self, at: Timestamp) {
        let oldest = (0..self.trip_event_times.len())
            .min_by_key(|&step| self.trip_event_times[step])
            .expect("there are three");
        self.trip_event_times[oldest] = self.trip_event_times[oldest].max(at);
    }
}

/// An answer as of `ts`: never in the past, and its band around it.
pub(super) fn banded(
    trip_model: &TripModel,
    phase: Phase,
    ts: Timestamp,
    forecast: Forecast,
    first: bool,
) -> Answer {
    let eta = forecast.eta.max(ts);
    let (low_s, high_s) = trip_model.band(phase, eta.since_seconds(ts), forecast.contested_s);
    Answer {
        eta,
        p10: ts.plus_seconds(low_s).clamp(ts, eta),
        p90: ts.plus_seconds(high_s).max(eta),
        metres: forecast.metres,
        first,
    }
}
