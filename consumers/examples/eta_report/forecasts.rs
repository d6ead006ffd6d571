//! How wrong the forecasts of both lanes were, beside those of three simple methods and of the
//! oracle.

use std::collections::HashMap;
use std::sync::Arc;

use events::{DriverLocation, EtaUpdate, Event, Place, SimulationTruth, Timestamp, Trip, TripKind};
use streets::{FreeFlow, Map, Router, Spot};

/// The answers of one lane by trip.
#[derive(Default)]
pub(crate) struct Answers(HashMap<String, Vec<EtaUpdate>>);

impl Answers {
    pub(crate) fn add(&mut self, update: &EtaUpdate) {
        assert!(
            update.eta >= update.ts && update.p10 <= update.eta && update.eta <= update.p90,
            "{update:?}"
        );
        self.0.entry(update.trip_id.clone()).or_default().push(update.clone());
    }

    /// What a user saw at this instant.
    fn at(&self, trip_id: &str, at: Timestamp) -> Option<&EtaUpdate> {
        let answers = self.0.get(trip_id)?;
        let after = answers.partition_point(|answer| answer.ts <= at);
        answers.get(after.saturating_sub(1))
    }
}

/// One trip at one quarter of its path: seconds left, as they were and as they were said.
pub(crate) struct Case {
    quarter: usize,
    pub(crate) incident: bool,
    /// Whether all incidents on its route had begun.
    pub(crate) foreseeable: bool,
    pub(crate) actual_s: f64,
    pub(crate) said_s: [f64; METHODS.len()],
    covered: [bool; 2],
}

const METHODS: [&str; 6] = ["stream", "frozen hour", "free flow × f", "constant", "oracle", "with foresight"];
const ORACLE: usize = 4;
/// The two oracles agree to so many seconds where no incident is still to begin.
const SAME_S: f64 = 1.0;

pub(crate) fn cases(events: &[Event], lanes: &[Answers; 2], map: &Arc<Map>, from: Timestamp) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut trips: HashMap<&str, (&Trip, Option<Timestamp>)> = HashMap::new();
    let mut pings: HashMap<&str, Vec<&DriverLocation>> = HashMap::new();
    let mut plain = Plain { map: map.clone(), router: Router::new(), sums: [(0.0, 0.0, 0.0); 4] };
    let mut skipped = 0;
    for event in events {
        match event {
            Event::Trips(trip) => {
                let known = trips.entry(&trip.trip_id).or_insert((trip, None));
                if trip.kind == TripKind::PickedUp {
                    known.1 = Some(trip.ts);
                }
            }
            Event::DriverLocations(ping) => {
                if let Some(trip_id) = &ping.trip_id {
                    pings.entry(trip_id).or_default().push(ping);
                }
            }
            Event::SimulationTruth(SimulationTruth::Trip {
                ts,
                id,
                quarters,
                oracle_s: Some(oracle_s),
                foresight_s: Some(foresight_s),
                incident,
                ..
            }) => {
                let (Some((trip, picked_up)), Some(pings)) =
                    (trips.get(id.as_str()), pings.remove(id.as_str()))
                else {
                    skipped += 1;
                    continue;
                };
                for (quarter, at) in quarters.iter().enumerate() {
                    let actual_s = ts.since_seconds(*at);
                    let ping =
                        pings.iter().min_by_key(|ping| ping.ts.since_ms(*at).abs()).expect("it has pings");
                    let riding = picked_up.is_some_and(|picked_up| picked_up <= *at);
                    let free_s = plain.free_s(ping, trip, riding);
                    let (constant_s, factor) = plain.learnt(quarter, free_s, actual_s);
                    let answers = lanes.each_ref().map(|lane| lane.at(id, *at));
                    let [Some(stream), Some(batch)] = answers else {
                        skipped += 1;
                        continue;
                    };
                    if *at < from || quarters[0] < from {
                        continue;
                    }
                    let said = |update: &EtaUpdate| update.eta.since_seconds(*at).max(0.0);
                    cases.push(Case {
                        quarter,
                        incident: *incident,
                        actual_s,
                        foreseeable: foresight_s[quarter] - oracle_s[quarter] < SAME_S,
                        said_s: [
                            said(stream),
                            said(batch),
                            free_s * factor,
                            constant_s,
                            oracle_s[quarter],
                            foresight_s[quarter],
                        ],
                        covered: [stream, batch].map(|update| update.p10 <= *ts && *ts <= update.p90),
                    });
                }
            }
            _ => {}
        }
    }
    println!("{} cases, {skipped} without an answer, a ping or an oracle", cases.len());
    cases
}

/// The two methods that know no traffic: the mean, and the empty road times a factor.
struct Plain {
    map: Arc<Map>,
    router: Router,
    /// Per quarter: trips, actual seconds, free-flow seconds.
    sums: [(f64, f64, f64); 4],
}

impl Plain {
    /// What was learnt so far, before this trip is learnt from.
    fn learnt(&mut self, quarter: usize, free_s: f64, actual_s: f64) -> (f64, f64) {
        let (trips, actual, free) = &mut self.sums[quarter];
        let learnt = if *trips > 0.0 { (*actual / *trips, *actual / free.max(1.0)) } else { (600.0, 1.5) };
        (*trips, *actual, *free) = (*trips + 1.0, *actual + actual_s, *free + free_s);
        learnt
    }

    fn free_s(&mut self, ping: &DriverLocation, trip: &Trip, riding: bool) -> f64 {
        let spot = |place: Place| {
            let near = self.map.near(place.lat, place.lon, 300.0, 1);
            near.first().map(|near| Spot { link: near.link, offset_m: near.offset_m })
        };
        let car = spot(Place { lat: ping.lat, lon: ping.lon });
        let (origin, destination) = (spot(trip.origin), spot(trip.destination));
        let costs = FreeFlow { map: &self.map, u_turn_s: 30.0 };
        let mut leg = |from: Option<Spot>, to: Option<Spot>| {
            let route = from.zip(to).and_then(|(from, to)| self.router.route(&self.map, from, to, &costs));
            route.map_or(0.0, |route| route.cost)
        };
        if riding { leg(car, destination) } else { leg(car, origin) + leg(origin, destination) }
    }
}

pub(crate) fn table<'a>(title: &str, cases: impl Iterator<Item = &'a Case>) {
    let cases: Vec<&Case> = cases.collect();
    println!("\n{title}");
    println!("  path  cases  method           MAE s   wMAPE %   bias s    P90 s   regret s  band %");
    for quarter in 0..=4 {
        let of: Vec<&&Case> = cases.iter().filter(|case| quarter == 4 || case.quarter == quarter).collect();
        if of.is_empty() {
            continue;
        }
        let count = of.len() as f64;
        let mae = |method: usize| {
            of.iter().map(|case| (case.said_s[method] - case.actual_s).abs()).sum::<f64>() / count
        };
        let actual: f64 = of.iter().map(|case| case.actual_s).sum();
        for (method, name) in METHODS.iter().enumerate() {
            let mut errors: Vec<f64> =
                of.iter().map(|case| (case.said_s[method] - case.actual_s).abs()).collect();
            errors.sort_by(f64::total_cmp);
            let bias = of.iter().map(|case| case.said_s[method] - case.actual_s).sum::<f64>() / count;
            let band = if method < 2 {
                let covered = of.iter().filter(|case| case.covered[method]).count();
                format!("{:.1}", 100.0 * covered as f64 / count)
            } else {
                String::new()
            };
            let path = if quarter == 4 { " all".to_owned() } else { format!("{:3}%", quarter * 25) };
            println!(
                "  {path} {:6}  {name:14} {:7.1}   {:7.1}  {bias:7.1}  {:7.1}    {:7.1}  {band:>6}",
                of.len(),
                mae(method),
                100.0 * mae(method) * count / actual,
                errors[errors.len() * 9 / 10],
                mae(method) - mae(ORACLE),
            );
        }
    }
}

/// Which cases are of a kind.
type Filter = fn(&Case) -> bool;

/// The cost of waiting for the hour, and where there is none.
pub(crate) fn verdict(cases: &[Case]) {
    println!(
        "\nregret of the stream and of the frozen hour, and their ratio; and if the oracle had foreseen incidents"
    );
    let kinds: [(&str, Filter); 4] = [
        ("all trips", |_| true),
        ("met an incident", |case| case.incident),
        ("  that had begun", |case| case.incident && case.foreseeable),
        ("met none", |case| !case.incident),
    ];
    for (title, kept) in kinds {
        let of: Vec<&Case> = cases.iter().filter(|case| kept(case)).collect();
        if of.is_empty() {
            continue;
        }
        let count = of.len() as f64;
        let error = |method: usize| {
            of.iter().map(|case| (case.said_s[method] - case.actual_s).abs()).sum::<f64>() / count
        };
        let [(stream, batch), (stream_less, batch_less)] =
            [ORACLE, ORACLE + 1].map(|oracle| (error(0) - error(oracle), error(1) - error(oracle)));
        let inside = of.iter().filter(|case| case.covered[0]).count() as f64 / count;
        let note = if stream < 0.9 * batch { "" } else { ": here the hourly job errs at most a tenth more" };
        println!(
            "  {title:17} {:6} cases  oracle {:5.1}  stream {stream:6.1}  frozen hour {batch:6.1}  {:.2}  \
             ({:.2} with foresight)  in the band {:.1} %{note}",
            of.len(),
            error(ORACLE),
            stream / batch,
            stream_less / batch_less,
            100.0 * inside,
        );
        for quarter in 0..4 {
            let of: Vec<&&Case> = of.iter().filter(|case| case.quarter == quarter).collect();
            let error = |method: usize| {
                of.iter().map(|case| (case.said_s[method] - case.actual_s).abs()).sum::<f64>()
            };
            if error(0) > 0.95 * error(1) {
                println!(
                    "    at {} % of the path the hourly job errs at most a twentieth more than the stream",
                    quarter * 25
                );
            }
        }
    }
}
