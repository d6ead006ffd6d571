//! How good are the ETAs, and what does waiting cost? Runs the simulated city through both lanes and compares what they
//! said with what happened.
//!
//! ```sh
//! cargo run --release -p consumers --example eta_report -- --hours 6 --every 1 --shuffle
//! ```
//!
//! Per trip, at 0, 25, 50 and 75 % of its path: mean absolute error, error as a share of all seconds (weighted MAPE), bias
//! (predicted − actual), 90th percentile of the error, share of trips inside the P10–P90 band, and regret, which is the mean
//! absolute error less the oracle's. The oracle knows the true expected pace of every street, and no noise. Beside it, the
//! share of the driven length that the matcher got right, and pings a second; and, trip for trip, where the hourly job is as good.
//!
//! With `--shuffle` all of it is measured again on disturbed pings: shuffled within 30 s, 2 % of them twice and 2 % of them
//! 60 m off. The last line says what that costs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use consumers::Processor;
use consumers::eta::{EtaConfig, EtaReplay, FrozenHour};
use events::{DriverLocation, EtaUpdate, Event, Place, SimulationTruth, Timestamp, Trip, TripKind};
use producers::city::{City, CityConfig};
use streets::{FreeFlow, Map, Router, Spot};

fn main() {
    let arguments = Arguments::read();
    let Some(plain_s) = measure(&arguments, false) else { return };
    if arguments.shuffle {
        println!(
            "\nThe same with all pings shuffled within 30 s, 2 % of them twice and 2 % of them 60 m off:\n"
        );
        let Some(disturbed_s) = measure(&arguments, true) else { return };
        println!(
            "\ndisorder changes the stream's mean absolute error from {plain_s:.1} s to {disturbed_s:.1} s: {:+.1} %",
            100.0 * (disturbed_s / plain_s - 1.0)
        );
    }
}

/// Runs the city through both lanes and prints how good they were. Gives the stream's mean absolute error over all trips, in
/// seconds; none when nothing but the matching is to be measured.
fn measure(arguments: &Arguments, shuffle: bool) -> Option<f64> {
    let config =
        CityConfig { seed: arguments.seed, incidents_per_hour: arguments.incidents, ..CityConfig::default() };
    let map = config.map.clone();
    let start = config.start;
    let events = record(City::new(config), arguments, shuffle, start);
    println!("{} events of {} hours, seed {}", events.len(), arguments.hours, arguments.seed);

    let mut ride_config = EtaConfig::new(map.clone());
    ride_config.tell_traversals = true;
    ride_config.lateness_ms = arguments.lateness_s * 1000;
    let stream = run("stream", &mut EtaReplay::new(&ride_config), &events);
    if arguments.matching_only {
        matching(&events, &stream.iter().collect::<Vec<_>>(), &map, start);
        return None;
    }
    let batch = run("batch ", &mut FrozenHour::new(&ride_config), &events);
    let mut traversals: Vec<&Event> = Vec::new();
    let mut lanes = [Answers::default(), Answers::default()];
    for (answers, lane) in [&stream, &batch].into_iter().zip(&mut lanes) {
        for answer in answers {
            match answer {
                Event::EtaUpdates(update) => lane.add(update),
                Event::EtaBatch(batched) => lane.add(&batched.answer),
                _ => traversals.push(answer),
            }
        }
    }
    matching(&events, &traversals, &map, start);
    let from = start.plus_ms((arguments.warm_hours * 3_600_000.0) as i64);
    let cases = cases(&events, &lanes, &map, from);
    for (title, kept) in [
        ("all trips", None),
        ("trips that met an incident", Some(true)),
        ("trips that met none", Some(false)),
    ] {
        table(title, cases.iter().filter(|case| kept.is_none_or(|kept| case.incident == kept)));
    }
    verdict(&cases);
    let all_s: f64 = cases.iter().map(|case| (case.said_s[0] - case.actual_s).abs()).sum();
    Some(all_s / cases.len().max(1) as f64)
}

/// What waiting for the hour costs, and where it costs nothing.
fn verdict(cases: &[Case]) {
    println!();
    for (title, incident) in [("met an incident", true), ("met none", false)] {
        let of: Vec<&Case> = cases.iter().filter(|case| case.incident == incident).collect();
        let regret = |method: usize| {
            let error = |case: &Case, method: usize| (case.said_s[method] - case.actual_s).abs();
            of.iter().map(|case| error(case, method) - error(case, METHODS.len() - 1)).sum::<f64>()
                / of.len().max(1) as f64
        };
        let (stream, batch) = (regret(0), regret(1));
        let note = if stream < 0.9 * batch { "" } else { ": here the hourly job is as good" };
        println!(
            "trips that {title} ({} cases): the stream's regret is {:.2} of the frozen hour's{note}",
            of.len(),
            stream / batch
        );
        for quarter in 0..4 {
            let of: Vec<&&Case> = of.iter().filter(|case| case.quarter == quarter).collect();
            let error = |method: usize| {
                of.iter().map(|case| (case.said_s[method] - case.actual_s).abs()).sum::<f64>()
            };
            if error(0) > 0.95 * error(1) {
                println!("    at {} % of the path the hourly job errs no more than the stream", quarter * 25);
            }
        }
    }
}

struct Arguments {
    hours: f64,
    warm_hours: f64,
    seed: u64,
    every: i64,
    shuffle: bool,
    matching_only: bool,
    incidents: f64,
    lateness_s: i64,
}

impl Arguments {
    fn read() -> Self {
        let mut arguments = Self {
            hours: 6.0,
            warm_hours: 2.0,
            seed: 7,
            every: 1,
            shuffle: false,
            matching_only: false,
            incidents: 8.0,
            lateness_s: 30,
        };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            if word == "--shuffle" {
                arguments.shuffle = true;
                continue;
            }
            if word == "--matching-only" {
                arguments.matching_only = true;
                continue;
            }
            let value: f64 = words.next().and_then(|value| value.parse().ok()).unwrap_or_else(|| {
                panic!("{word} wants a number: --hours --warm --seed --every --incidents --lateness, or --shuffle or --matching-only alone")
            });
            match word.as_str() {
                "--hours" => arguments.hours = value,
                "--warm" => arguments.warm_hours = value,
                "--seed" => arguments.seed = value as u64,
                "--every" => arguments.every = value as i64,
                "--incidents" => arguments.incidents = value,
                "--lateness" => arguments.lateness_s = value as i64,
                _ => panic!(
                    "{word} is unknown: --hours --warm --seed --every --incidents --lateness --shuffle --matching-only"
                ),
            }
        }
        arguments
    }
}

/// What the city says, thinned to one position in `every` seconds, and when it is to be `shuffle`d, disturbed as well.
fn record(city: City, arguments: &Arguments, shuffle: bool, start: Timestamp) -> Vec<Event> {
    let end = start.plus_ms((arguments.hours * 3_600_000.0) as i64);
    let mut noise = Noise(arguments.seed);
    let mut events: Vec<(i64, Event)> = Vec::new();
    for emission in city {
        if emission.at >= end {
            break;
        }
        let mut event = emission.event;
        let is_ping = matches!(event, Event::DriverLocations(_) | Event::TruckGpsCoordinates(_));
        let second = event.ts().map_or(0, |ts| ts.ms().div_euclid(1000));
        if is_ping && second % arguments.every != 0 {
            continue;
        }
        let mut at = emission.at.ms();
        if shuffle && is_ping {
            at += (noise.uniform() * 30_000.0) as i64;
            if noise.uniform() < 0.02 {
                let angle = noise.uniform() * std::f64::consts::TAU;
                let (lat, lon) = (60.0 * angle.sin() / 111_195.0, 60.0 * angle.cos() / 96_000.0);
                match &mut event {
                    Event::DriverLocations(ping) => (ping.lat, ping.lon) = (ping.lat + lat, ping.lon + lon),
                    Event::TruckGpsCoordinates(ping) => {
                        (ping.lat, ping.lon) = (ping.lat + lat, ping.lon + lon);
                    }
                    _ => {}
                }
            }
            if noise.uniform() < 0.02 {
                events.push((at + (noise.uniform() * 5_000.0) as i64, event.clone()));
            }
        }
        events.push((at, event));
    }
    events.sort_by_key(|(at, _)| *at);
    events.into_iter().map(|(_, event)| event).collect()
}

struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[expect(clippy::disallowed_methods, reason = "a report on speed needs a clock")]
fn run(name: &str, processor: &mut dyn Processor, events: &[Event]) -> Vec<Event> {
    let mut answers = Vec::with_capacity(events.len());
    let started = Instant::now();
    let mut pings = 0;
    for event in events {
        if !matches!(event, Event::SimulationTruth(_)) {
            pings += u64::from(matches!(event, Event::DriverLocations(_) | Event::TruckGpsCoordinates(_)));
            processor.process(event, &mut answers);
        }
    }
    processor.finish(&mut answers);
    let seconds = started.elapsed().as_secs_f64();
    println!("{name}: {pings} pings in {seconds:.2} s, {:.0} a second", pings as f64 / seconds);
    println!(
        "        {:?}",
        processor.counters().into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>()
    );
    answers
}

/// The answers of one lane by trip.
#[derive(Default)]
struct Answers(HashMap<String, Vec<EtaUpdate>>);

impl Answers {
    fn add(&mut self, update: &EtaUpdate) {
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
struct Case {
    quarter: usize,
    incident: bool,
    actual_s: f64,
    said_s: [f64; METHODS.len()],
    covered: [bool; 2],
}

const METHODS: [&str; 5] = ["stream", "frozen hour", "free flow × f", "constant", "oracle"];

fn cases(events: &[Event], lanes: &[Answers; 2], map: &Arc<Map>, from: Timestamp) -> Vec<Case> {
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
                ts, id, quarters, oracle_s, incident, ..
            }) => {
                let (Some((trip, picked_up)), Some(oracle_s), Some(pings)) =
                    (trips.get(id.as_str()), oracle_s, pings.remove(id.as_str()))
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
                        said_s: [said(stream), said(batch), free_s * factor, constant_s, oracle_s[quarter]],
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

fn table<'a>(title: &str, cases: impl Iterator<Item = &'a Case>) {
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
                mae(method) - mae(METHODS.len() - 1),
            );
        }
    }
}

/// Times at which a vehicle came onto a link and left it, and whether that was reported.
type Stays = Vec<(Timestamp, Timestamp, bool)>;

/// Which share of the length that was driven the matcher reported, and which share of what it reported was driven. Of
/// drivers alone: a lorry's stops are left out on purpose. The links on which the recording begins and ends are seen in
/// part, and the last of them are not settled.
fn matching(events: &[Event], traversals: &[&Event], map: &Map, start: Timestamp) {
    let (start, end) =
        (start.plus_ms(60_000), events.iter().filter_map(Event::ts).max().expect("there are events"));
    let whole = |entered: Timestamp, left: Timestamp| start <= entered && left <= end.plus_ms(-180_000);
    let drivers: HashSet<&str> = events
        .iter()
        .filter_map(|event| {
            if let Event::DriverLocations(ping) = event { Some(ping.driver_id.as_str()) } else { None }
        })
        .collect();
    // What was driven, by vehicle and link: when from and to, and whether it was reported.
    let mut truth: HashMap<(&str, &str), Stays> = HashMap::new();
    let mut steps: HashMap<&str, Vec<Timestamp>> = HashMap::new();
    for event in events {
        match event {
            Event::SimulationTruth(SimulationTruth::Link { ts, id, link_id, entered })
                if drivers.contains(id.as_str()) =>
            {
                truth.entry((id, link_id)).or_default().push((*entered, *ts, false));
            }
            Event::Trips(trip) => steps.entry(&trip.driver_id).or_default().push(trip.ts),
            _ => {}
        }
    }
    let metres = |key: &str| map.link_of_key(key).map_or(0.0, |link| map.link(link).length_m);
    let (mut told_m, mut right_m, mut off_s, mut times) = (0.0, 0.0, 0.0, 0.0);
    for event in traversals {
        let Event::RoadTraversals(one) = event else { continue };
        let entered = one.ts.plus_seconds(-one.seconds);
        if !drivers.contains(one.vehicle_id.as_str()) || !whole(entered, one.ts) {
            continue;
        }
        told_m += one.metres;
        let driven = truth.get_mut(&(one.vehicle_id.as_str(), one.link_id.as_str()));
        let slack_ms = 20_000;
        let same = driven.and_then(|times| {
            times.iter_mut().find(|(from, to, found)| {
                !found && from.since_ms(one.ts) <= slack_ms && entered.since_ms(*to) <= slack_ms
            })
        });
        if let Some((from, to, found)) = same {
            *found = true;
            right_m += one.metres;
            off_s += (one.seconds - to.since_seconds(*from)).abs();
            times += to.since_seconds(*from);
        }
    }
    // Links on which a rider got in or out are left out on purpose, so they are no miss.
    let (mut driven_m, mut found_m) = (0.0, 0.0);
    for ((vehicle, link), times) in &truth {
        for (from, to, found) in times {
            let stood = steps.get(vehicle).is_some_and(|steps| {
                steps.iter().any(|step| from.plus_ms(-5_000) <= *step && *step <= to.plus_ms(5_000))
            });
            if !stood && whole(*from, *to) {
                driven_m += metres(link);
                found_m += if *found { metres(link) } else { 0.0 };
            }
        }
    }
    println!(
        "matching: {:.2} % of the driven length was reported, {:.2} % of the reported was driven; time on a link off by {:.1} %",
        100.0 * found_m / driven_m,
        100.0 * right_m / told_m,
        100.0 * off_s / times,
    );
}
