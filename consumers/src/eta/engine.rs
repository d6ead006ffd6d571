//! Pings and trips in, forecasts and traversals out: what the stream lane and the batch lane have
//! in common.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use events::{DriverLocation, Place, Timestamp, TripKind};
use hashbrown::HashMap;
use streets::Map;

use super::matcher::{Fix, Matcher, Outcome, Track, Traversal};
use super::traffic::TrafficModel;
use super::trip::{Forecast, Lessons, Means, Phase, Seen, Trip};
use super::way::Planner;
use processor::event_time::{Plausibility, Watermark};

/// A trip of which nothing is heard for so long is closed, as the contract says.
pub(super) const IDLE_MS: i64 = 600_000;
/// A clock that is so far ahead of all others is wrong until somebody confirms it. Not sooner than
/// a trip is closed for its silence: a lone car that was in a tunnel is not a broken clock.
const LEAP_MS: i64 = IDLE_MS;
/// What is idle is looked for so often, in event time.
const SWEEP_EVERY_MS: i64 = 60_000;
/// A position that is older than this is no place to start from.
const STALE_MS: i64 = 90_000;
/// How long a car has been on its link is looked at so often.
const WAITING_EVERY_MS: i64 = 15_000;

/// Everything that is known of drivers and trips.
#[derive(Debug)]
pub(super) struct Engine {
    map: Arc<Map>,
    lateness_ms: i64,
    matcher: Matcher,
    planner: Planner,
    pub(super) traffic: TrafficModel,
    pub(super) lessons: Lessons,
    watermark: Watermark,
    swept: Timestamp,
    drivers: HashMap<String, Driver>,
    trips: HashMap<String, Trip>,
    pub(super) counters: Counters,
    /// What the vehicle of the last ping has driven.
    pub(super) driven: Vec<Traversal>,
}

#[derive(Debug)]
struct Driver {
    track: Track,
    newest: Timestamp,
    /// A leap of this driver's clock that has not been confirmed.
    leap: Option<Timestamp>,
    /// When riders last got in or out, or asked: the car stood then.
    steps: [Timestamp; 3],
    waiting_looked: Timestamp,
}

/// What was noticed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    pub(super) pings: u64,
    pub(super) late: u64,
    pub(super) out_of_order: u64,
    pub(super) duplicates: u64,
    pub(super) off_map: u64,
    pub(super) misfits: u64,
    pub(super) clock_leaps: u64,
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
    pub(super) fn new(map: Arc<Map>, lateness_ms: i64) -> Self {
        Self {
            lateness_ms,
            matcher: Matcher::new(map.clone(), lateness_ms),
            planner: Planner::new(map.clone()),
            traffic: TrafficModel::new(map.clone()),
            map,
            lessons: Lessons::default(),
            watermark: Watermark::confirmed_by_other_source(LEAP_MS),
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

    /// Takes one ping; what its driver is now known to have driven is in [`Engine::driven`].
    pub(super) fn ping(&mut self, ping: &DriverLocation) -> Option<Answer> {
        self.counters.pings += 1;
        self.driven.clear();
        self.sweep();
        let advances = self.admit(ping)?;
        let driver = self.drivers.get_mut(ping.driver_id.as_str()).expect("admitted, so it is known");
        let late_ms = driver.newest.since_ms(ping.ts);
        let outcome = if late_ms > self.lateness_ms {
            self.counters.late += 1;
            Outcome::PassedOver
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
            Outcome::Matched | Outcome::PassedOver | Outcome::Inserted => {}
        }
        if !self.driven.is_empty() {
            // A link on which a rider got in or out was not driven but stood on, in part.
            let steps = driver.steps;
            self.driven.retain(|one| !steps.iter().any(|step| (one.entered..=one.left).contains(step)));
            self.counters.traversals += self.driven.len() as u64;
        }
        match &ping.trip_id {
            Some(trip_id) => self.answer(ping, trip_id, advances, outcome),
            None => None,
        }
    }

    /// Whether a ping is to be taken at all, and if so, whether it advances its driver's time.
    fn admit(&mut self, ping: &DriverLocation) -> Option<bool> {
        let time = self.watermark.observe_from(source_id("driver", &ping.driver_id), ping.ts);
        let Some(driver) = self.drivers.get_mut(ping.driver_id.as_str()) else {
            let mut driver = Driver::new(ping.ts);
            if time == Plausibility::UnconfirmedJump {
                // Not even its first ping is believed, but its second will be.
                driver.newest = Timestamp::MIN;
                driver.leap = Some(ping.ts);
                self.counters.clock_leaps += 1;
            }
            self.drivers.insert(ping.driver_id.clone(), driver);
            return (time == Plausibility::Plausible).then_some(true);
        };
        let ahead_ms = ping.ts.since_ms(driver.newest);
        if ahead_ms > LEAP_MS && time == Plausibility::UnconfirmedJump {
            let confirmed = driver.leap.is_some_and(|leap| ping.ts.since_ms(leap).abs() <= LEAP_MS);
            if !confirmed {
                driver.leap = Some(ping.ts);
                self.counters.clock_leaps += 1;
                return None;
            }
        }
        driver.leap = None;
        let now = self.watermark.now().unwrap_or(ping.ts);
        if ahead_ms < -LEAP_MS
            && driver.newest.since_ms(now) > LEAP_MS
            && ping.ts.since_ms(now).abs() <= LEAP_MS
        {
            // It was the driver's newest that was wrong: everybody else says that it is now.
            self.counters.clock_leaps += 1;
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
        if ping.ts.since_ms(trip.heard) > IDLE_MS {
            self.counters.idle_trips += 1;
            trip.end(trip.heard);
            return None;
        }
        trip.heard = trip.heard.max(ping.ts);
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
                let seen = Seen {
                    ts: ping.ts,
                    place: Place { lat: ping.lat, lon: ping.lon },
                    spot: position.map(|(spot, _)| spot),
                    twin: position.and_then(|(spot, _)| driver.track.may_face(&self.map, spot)),
                    driver_ratio: self.traffic.vehicle_ratio(&ping.driver_id, ping.ts),
                };
                let mut means = Means {
                    planner: &mut self.planner,
                    map: &self.map,
                    traffic: &self.traffic,
                    lessons: &self.lessons,
                };
                let could = !trip.is_unreachable();
                let forecast = trip.look(&seen, &mut means);
                self.counters.unreachable += u64::from(could && trip.is_unreachable());
                forecast
            }
        };
        if outcome == Outcome::Matched
            && !trip.is_stopped()
            && ping.ts.since_ms(driver.waiting_looked) >= WAITING_EVERY_MS
        {
            driver.waiting_looked = ping.ts;
            if let Some((link, since)) = driver.track.on_link_since() {
                let stood = driver.steps.iter().any(|step| *step >= since);
                if !stood {
                    let seconds = ping.ts.since_seconds(since);
                    self.traffic.observe_waiting(link, &ping.driver_id, seconds, ping.ts);
                }
            }
        }
        Some(banded(&self.lessons, trip.phase, ping.ts, forecast, first))
    }

    /// What would be forecast for a trip from the position of this ping, by somebody who knew only
    /// `traffic` and `lessons`.
    pub(super) fn quote(
        &mut self,
        ping: &DriverLocation,
        trip_id: &str,
        traffic: &TrafficModel,
        lessons: &Lessons,
    ) -> Option<Forecast> {
        let trip = self.trips.get(trip_id)?;
        let driver = self.drivers.get(ping.driver_id.as_str());
        let position = driver.and_then(|driver| driver.track.position());
        let spot = position.filter(|(_, at)| ping.ts.since_ms(*at) <= STALE_MS).map(|(spot, _)| spot);
        let seen = Seen {
            ts: ping.ts,
            place: Place { lat: ping.lat, lon: ping.lon },
            spot,
            twin: driver.zip(spot).and_then(|(driver, spot)| driver.track.may_face(&self.map, spot)),
            driver_ratio: traffic.vehicle_ratio(&ping.driver_id, ping.ts),
        };
        let mut means = Means { planner: &mut self.planner, map: &self.map, traffic, lessons };
        let mut quoted = Trip::new(trip.phase, trip.origin, trip.destination, ping.ts);
        Some(quoted.look(&seen, &mut means))
    }

    /// Takes one event of a trip.
    pub(super) fn trip(&mut self, event: &events::Trip) {
        self.sweep();
        self.watermark.observe_from(source_id("trip", &event.trip_id), event.ts);
        if let Some(driver) = self.drivers.get_mut(event.driver_id.as_str()) {
            driver.step(event.ts);
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
        trip.heard = trip.heard.max(event.ts);
        match event.kind {
            TripKind::Requested => {}
            TripKind::PickedUp => trip.pick_up(event.ts, true, Some(&mut self.lessons)),
            TripKind::DroppedOff => trip.drop_off(event.ts, &mut self.lessons),
            TripKind::Cancelled => trip.end(event.ts),
        }
    }

    /// Forgets drivers and trips of whom nothing was heard for long.
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
            let keep = now.since_ms(trip.heard).abs() <= long_ms;
            idle += u64::from(!keep && !matches!(trip.phase, Phase::Over(_)));
            keep
        });
        self.counters.idle_trips += idle;
        self.drivers.retain(|_, driver| {
            let last = driver.newest.max(driver.leap.unwrap_or(Timestamp::MIN));
            now.since_ms(last).abs() <= long_ms
        });
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.drivers.len() + self.trips.len()
    }

    /// What was noticed, for [`Processor::counters`](processor::Processor::counters).
    pub(super) fn counts(&self) -> Vec<(&'static str, u64)> {
        let counters = &self.counters;
        vec![
            ("pings", counters.pings),
            ("late pings", counters.late),
            ("pings out of order", counters.out_of_order),
            ("duplicate pings", counters.duplicates),
            ("pings off the map", counters.off_map),
            ("pings that fit no way", counters.misfits),
            ("clocks that leapt", counters.clock_leaps),
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
            leap: None,
            steps: [Timestamp::MIN; 3],
            waiting_looked: Timestamp::MIN,
        }
    }

    fn step(&mut self, at: Timestamp) {
        let oldest = (0..self.steps.len()).min_by_key(|&step| self.steps[step]).expect("there are three");
        self.steps[oldest] = self.steps[oldest].max(at);
    }
}

/// An answer as of `ts`: never in the past, and its band around it.
pub(super) fn banded(
    lessons: &Lessons,
    phase: Phase,
    ts: Timestamp,
    forecast: Forecast,
    first: bool,
) -> Answer {
    let eta = forecast.eta.max(ts);
    let (low_s, high_s) = lessons.band(phase, eta.since_seconds(ts), forecast.contested_s);
    Answer {
        eta,
        p10: ts.plus_seconds(low_s).clamp(ts, eta),
        p90: ts.plus_seconds(high_s).max(eta),
        metres: forecast.metres,
        first,
    }
}

/// A number that tells one source of events from another. Its hasher has fixed keys, so it is the
/// same in every run.
fn source_id(kind: &str, id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (kind, id).hash(&mut hasher);
    hasher.finish()
}
