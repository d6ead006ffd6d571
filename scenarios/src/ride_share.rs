//! Ride-share: cars, lorries and trips on the streets, and what an old ETA costs.
//!
//! Positions and trips are the questions. The stream answers each ping with when the trip will end,
//! and tells all partitions how fast the roads are (`eta` and `traffic`); the batch lane does the
//! same once a period, over the whole city at once.

mod city;
mod delayed;
mod route;
mod trips;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use bill::{
    BusinessBill, DeterministicRideReplay, ETA_ERROR_MIN, Line, RIDES, RidesBill, WRONG_TEXTS_PERCENT,
};
use consumers::eta::{BatchEta, EtaConfig, EtaProcessor, EtaReplay, TrafficProcessor};
use dashboard::{BillItem, Pane};
use events::{Business as Id, DriverLocation, Event, HOUR_MS, SimulationTruth, Timestamp, Topic};
use processor::Processor;
use producers::city::{City, CityConfig};

use crate::business::{
    Business, Comparison, Emissions, Factory, Freshness, Job, Logic, Need, Producer, Replay, Replayed,
    Volume, Worker, World, map,
};
use crate::ledger::{AnswerRule, Expected, LedgerEntry, QuestionAnswerPair};
use crate::priority::Priority;
use crate::view::{item, judged, named};

pub use city::city_map;

/// How much event time a consumer of positions needs to be itself again after a crash: a trip lasts
/// no longer, and the estimate of the traffic has half-forgotten what is older.
const HORIZON_MS: i64 = HOUR_MS / 2;

/// How many times the usual comes on top of the usual in a burst.
const MORE: u32 = 9;

/// The business.
pub static RIDE_SHARE: Business = Business {
    id: Id::RideShare,
    name: "ride-share",
    help: "Cars, lorries and trips: what an old ETA costs",
    in_every_show: true,
    producer: Producer {
        name: "gps",
        help: "Cars, lorries and trips on the streets",
        topics: &[Topic::DriverLocations, Topic::TruckGpsCoordinates, Topic::Trips, Topic::SimulationTruth],
        bursts: &[Topic::DriverLocations, Topic::TruckGpsCoordinates, Topic::Trips],
        priority: Some(Priority::Moments),
        needs: &[Need::Drivers, Need::Map],
        simulate,
        burst,
        rename,
        history: None,
    },
    workers: &[
        Worker {
            name: "eta",
            help: "When each trip will end",
            serves: &[Id::RideShare],
            inputs: &[Topic::DriverLocations, Topic::TruckGpsCoordinates, Topic::Trips, Topic::Traffic],
            outputs: &[Topic::EtaUpdates, Topic::RoadTraversals],
            broadcast: &[Topic::Traffic],
            horizon_ms: Some(HORIZON_MS),
            gather: Duration::from_millis(10),
            priority: Some(Priority::Moments),
            needs: &[Need::Map],
            freshness: Some(Freshness {
                questions: &[Topic::DriverLocations, Topic::TruckGpsCoordinates, Topic::Trips],
                answers: Topic::EtaUpdates,
                is_answer: |_| true,
                asked_at: Event::ts,
            }),
            processors: |logic, _| {
                let config = config(logic)?;
                Ok(Box::new(move || Box::new(EtaProcessor::new(&config))))
            },
        },
        Worker {
            name: "traffic",
            help: "How fast each road is now",
            serves: &[Id::RideShare],
            inputs: &[Topic::RoadTraversals],
            outputs: &[Topic::Traffic],
            broadcast: &[],
            horizon_ms: Some(HORIZON_MS),
            gather: Duration::from_millis(20),
            priority: Some(Priority::Moments),
            needs: &[Need::Map],
            freshness: None,
            processors: |logic, _| {
                let config = config(logic)?;
                Ok(Box::new(move || Box::new(TrafficProcessor::new(&config))))
            },
        },
    ],
    job: Job {
        name: "eta",
        group: "batch-eta",
        help: "When each trip will end, with the speeds of the last finished hour",
        inputs: &[Topic::DriverLocations, Topic::TruckGpsCoordinates, Topic::Trips],
        outputs: &[Topic::EtaBatch],
        horizon_ms: Some(HORIZON_MS),
        // The estimate of a road rests on all cars that drove it, as in the stream lane.
        whole: true,
        needs: &[Need::Map],
        processors: batch,
    },
    replay: Replay { name: "eta", help: "Positions and trips to `eta_updates`", processor: replay },
    comparison: Comparison {
        alone_ms: HOUR_MS,
        together_ms: HOUR_MS,
        lanes: |logic, _, periods_ms| {
            let config = EtaConfig::new(map(logic.map.as_deref())?);
            Ok(Box::new(bill::compare::Rides::new(&config, periods_ms)))
        },
    },
    ledger: LedgerEntry {
        pair: QuestionAnswerPair {
            questions: Topic::DriverLocations,
            answers: Topic::EtaUpdates,
            group: "eta",
            every_record_is_answered: false,
        },
        rule: || Box::new(PingsThatAdvance::default()),
        waiting: "positions without an ETA",
    },
    mart: &consumers::eta::MART,
    bill: &RIDES,
    bill_items,
    answer_replay: Some(|map| Box::new(DeterministicRideReplay::new(EtaConfig::new(Arc::clone(map))))),
    volume: Volume {
        kib_per_hour: &[
            (Topic::DriverLocations, 600),
            (Topic::EtaUpdates, 600),
            (Topic::EtaBatch, 600),
            (Topic::Traffic, 110),
            (Topic::SimulationTruth, 110),
            (Topic::RoadTraversals, 48),
            (Topic::Notifications, 24),
            (Topic::TruckGpsCoordinates, 16),
            (Topic::Trips, 8),
        ],
        per_car: true,
        history_mib: 0,
    },
    pane: Pane::City,
    view: |map| Box::new(city::CityView::new(Arc::clone(map))),
    closing: None,
};

fn config(logic: &Logic) -> Result<EtaConfig> {
    Ok(EtaConfig { lateness_ms: logic.lateness_ms, ..EtaConfig::new(map(logic.map.as_deref())?) })
}

fn simulate(world: &World) -> Result<Emissions> {
    let map = map(world.map.as_deref())?;
    let &World { seed, start, drivers, .. } = world;
    let staged = world.opening();
    Ok(Box::new(City::new(CityConfig { seed, start, map, drivers, staged, ..CityConfig::default() })))
}

/// More cars on the same streets. Of crashes and lorries a burst knows nothing. When it is over,
/// its drivers send nothing again: to a consumer they are in a tunnel without an end.
fn burst(world: &World, moment: Timestamp) -> Result<Emissions> {
    Ok(Box::new(City::new(CityConfig {
        seed: world.seed,
        start: moment,
        map: map(world.map.as_deref())?,
        drivers: world.drivers.saturating_mul(MORE),
        lorries: 0,
        incidents_per_hour: 0.0,
        ..CityConfig::default()
    })))
}

fn rename(event: &mut Event, prefix: &str) {
    let to = |id: &mut String| id.insert_str(0, prefix);
    if let Event::DriverLocations(ping) = event {
        to(&mut ping.driver_id);
        ping.trip_id.as_mut().map(to);
    } else if let Event::TruckGpsCoordinates(ping) = event {
        to(&mut ping.truck_id);
    } else if let Event::Trips(trip) = event {
        to(&mut trip.trip_id);
        to(&mut trip.driver_id);
        trip.rider_id.as_mut().map(to);
    } else if let Event::SimulationTruth(SimulationTruth::Trip { id, driver_id, .. }) = event {
        to(id);
        to(driver_id);
    } else if let Event::SimulationTruth(
        SimulationTruth::Link { id, .. } | SimulationTruth::Incident { id, .. },
    ) = event
    {
        to(id);
    }
}

fn batch(logic: &Logic, period_ms: i64, _: &dyn Fn() -> bool) -> Result<Factory> {
    // The rows tell of roads too; who drove where is told to the database alone.
    let config = EtaConfig { period_ms, tell_traversals: true, ..EtaConfig::new(map(logic.map.as_deref())?) };
    Ok(Box::new(move || Box::new(BatchEta::new(&config))))
}

fn replay(logic: &Logic, period_ms: i64) -> Result<Box<dyn Replayed>> {
    let config = EtaConfig { period_ms: period_ms.max(1), ..config(logic)? };
    let processor: Box<dyn Processor> = match period_ms {
        0 => Box::new(EtaReplay::new(&config)),
        _ => Box::new(BatchEta::new(&config)),
    };
    Ok(Box::new(processor))
}

/// The screen shows sums: of the minutes that arrival times were wrong, and of wrong texts.
fn bill_items(bill: &dyn BusinessBill, lines: &[Line]) -> Vec<BillItem> {
    let Some(rides) = bill.of_type::<RidesBill>() else { return Vec::new() };
    let (fresh, late) = (&rides.stream_beside_batch, &rides.batch);
    let mut late_minutes = BillItem::default();
    if let (Some(fresh_min), Some(late_min)) = (fresh.mean_error_min(), late.mean_error_min()) {
        // A quote each lane could not give is no minute; the mean over its quotes stands for a
        // trip.
        let trips = (late.quotes + late.unanswered) as f64 / 4.0;
        late_minutes = item(fresh_min * trips, late_min * trips, trips as u64);
        (late_minutes.interval_95, late_minutes.verdict) = judged(lines, &ETA_ERROR_MIN, trips);
    }
    let mut wrong_texts = item(fresh.texts_wrong as f64, late.texts_wrong as f64, late.texts_due);
    (wrong_texts.interval_95, wrong_texts.verdict) =
        judged(lines, &WRONG_TEXTS_PERCENT, late.texts_due as f64 / 100.0);
    vec![
        named(
            "late_minutes",
            ("ETA error, minutes", "ETA error, min"),
            (1, "minutes of ETA error", "min"),
            late_minutes,
        ),
        named("wrong_texts", ("wrong texts", "wrong texts"), (3, "wrong texts", "texts"), wrong_texts),
    ]
}

/// A ping expects an answer when it has a trip and is newer than the driver's newest, or begins the
/// trip.
#[derive(Debug, Default)]
struct PingsThatAdvance {
    /// The newest ping of each driver and its trip.
    drivers: HashMap<String, (Timestamp, Option<String>)>,
}

impl AnswerRule for PingsThatAdvance {
    fn expected(&mut self, _place: (i32, i64), question: &Event) -> Expected {
        let Event::DriverLocations(DriverLocation { ts, driver_id, trip_id, .. }) = question else {
            return Expected::Answers(1);
        };
        let before = self.drivers.get_mut(driver_id);
        let advances = before.as_ref().is_none_or(|(newest, _)| ts > newest);
        let begins = before.as_ref().is_none_or(|(_, trip)| trip != trip_id);
        if advances {
            let newest = (*ts, trip_id.clone());
            match before {
                Some(before) => *before = newest,
                None => drop(self.drivers.insert(driver_id.clone(), newest)),
            }
        }
        if trip_id.is_some() && (advances || begins) { Expected::Answers(1) } else { Expected::Nothing }
    }
}
