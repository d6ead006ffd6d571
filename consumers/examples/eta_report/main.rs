//! How good are the ETAs, and what does waiting cost? Runs the simulated city through both lanes
//! and compares what they said with what happened.
//!
//! ```sh
//! cargo run --release -p consumers --example eta_report -- --hours 6 --every 1 --shuffle
//! ```
//!
//! Per trip, at 0, 25, 50 and 75 % of its path: mean absolute error, error as a share of all
//! seconds (weighted MAPE), bias (predicted − actual), 90th percentile of the error, share of trips
//! inside the P10–P90 band, and regret, which is the mean absolute error less the oracle's. The
//! oracle knows the true expected pace of every street, now and later, and all about every incident
//! that has begun, but no noise; the one with foresight also knows of incidents that have not
//! begun. Beside it, the share of the driven length that the matcher got right, and pings a second;
//! and, trip for trip, where the hourly job errs hardly more than the stream.
//!
//! `--map FILE`, `--gps METRES`, `--gps-memory S` and `--bare` (no speed, no heading) make another
//! city and other phones of it, and `--matching-only` leaves the forecasts out. With `--shuffle`
//! all of it is measured again on disturbed pings: shuffled within 30 s, 2 % of them twice and 2 %
//! of them 60 m off. The last line says what that costs.

mod forecasts;
mod matching;

use std::sync::Arc;
use std::time::Instant;

use consumers::eta::{EtaConfig, MultiPeriodEta};
use events::{Event, Timestamp};
use forecasts::{Answers, cases, table, verdict};
use matching::matching;
use producers::city::{City, CityConfig, Gps};
use streets::Map;

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

/// Runs the city through both lanes and prints how good they were. Gives the stream's mean absolute
/// error over all trips, in seconds; none when nothing but the matching is to be measured.
fn measure(arguments: &Arguments, shuffle: bool) -> Option<f64> {
    let mut config =
        CityConfig { seed: arguments.seed, incidents_per_hour: arguments.incidents, ..CityConfig::default() };
    if let Some(path) = &arguments.map {
        let bytes =
            std::fs::read(path).unwrap_or_else(|error| panic!("could not read the map {path}: {error}"));
        config.map =
            Arc::new(Map::read(&bytes).unwrap_or_else(|error| panic!("{path} is not a map: {error}")));
    }
    config.gps.median_m = arguments.gps_m;
    config.gps.memory_s = arguments.gps_memory_s;
    let map = config.map.clone();
    let start = config.start;
    let events = record(City::new(config), arguments, shuffle, start);
    println!("{} events of {} hours, seed {}", events.len(), arguments.hours, arguments.seed);

    let mut ride_config = EtaConfig::new(map.clone());
    ride_config.tell_traversals = true;
    ride_config.lateness_ms = arguments.lateness_s * 1000;
    let periods_ms: &[i64] = if arguments.matching_only { &[] } else { &[events::HOUR_MS] };
    let (stream, batch) = run(&mut MultiPeriodEta::new(&ride_config, periods_ms), &events, periods_ms.len());
    if arguments.matching_only {
        matching(&events, &stream.iter().collect::<Vec<_>>(), &map, start);
        return None;
    }
    let mut lanes = [Answers::default(), Answers::default()];
    for (answers, lane) in [&stream, &batch].into_iter().zip(&mut lanes) {
        for answer in answers {
            match answer {
                Event::EtaUpdates(update) => lane.add(update),
                Event::EtaBatch(batched) => lane.add(&batched.answer),
                _ => {}
            }
        }
    }
    matching(&events, &stream.iter().collect::<Vec<_>>(), &map, start);
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

const USAGE: &str = "--hours H --warm H --seed N --every S --incidents PER_HOUR --lateness S --map FILE --gps METRES \
                     --gps-memory S, and alone --shuffle --matching-only --bare";

struct Arguments {
    hours: f64,
    warm_hours: f64,
    seed: u64,
    every: i64,
    shuffle: bool,
    matching_only: bool,
    incidents: f64,
    lateness_s: i64,
    map: Option<String>,
    gps_m: f64,
    gps_memory_s: f64,
    bare: bool,
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
            map: None,
            gps_m: Gps::default().median_m,
            gps_memory_s: Gps::default().memory_s,
            bare: false,
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
            if word == "--bare" {
                arguments.bare = true;
                continue;
            }
            let Some(value) = words.next() else { panic!("{word} wants a value, or is unknown: {USAGE}") };
            if word == "--map" {
                arguments.map = Some(value);
                continue;
            }
            let value: f64 = value.parse().unwrap_or_else(|_| panic!("{word} wants a number: {USAGE}"));
            match word.as_str() {
                "--hours" => arguments.hours = value,
                "--warm" => arguments.warm_hours = value,
                "--seed" => arguments.seed = value as u64,
                "--every" => arguments.every = value as i64,
                "--incidents" => arguments.incidents = value,
                "--lateness" => arguments.lateness_s = value as i64,
                "--gps" => arguments.gps_m = value,
                "--gps-memory" => arguments.gps_memory_s = value,
                _ => panic!("{word} is unknown: {USAGE}"),
            }
        }
        arguments
    }
}

/// What the city says, thinned to one position in `every` seconds, and when it is to be `shuffle`d,
/// disturbed as well.
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
        if arguments.bare
            && let Event::DriverLocations(ping) = &mut event
        {
            (ping.speed_mps, ping.heading_deg) = (None, None);
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

/// What both lanes say: the stream lane with the links that were driven, and the batch lanes one
/// after the other.
#[expect(clippy::disallowed_methods, reason = "a report on speed needs a clock")]
fn run(lanes: &mut MultiPeriodEta, events: &[Event], batches: usize) -> (Vec<Event>, Vec<Event>) {
    let (mut stream, mut batch) = (Vec::with_capacity(events.len()), vec![Vec::new(); batches]);
    let started = Instant::now();
    let mut pings = 0;
    for event in events {
        if !matches!(event, Event::SimulationTruth(_)) {
            pings += u64::from(matches!(event, Event::DriverLocations(_) | Event::TruckGpsCoordinates(_)));
            lanes.process(event, &mut stream, &mut batch);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{} lanes: {pings} pings in {seconds:.2} s, {:.0} a second",
        1 + batches,
        pings as f64 / seconds
    );
    println!(
        "        {:?}",
        lanes.counters().into_iter().filter(|(_, count)| *count > 0).collect::<Vec<_>>()
    );
    (stream, batch.concat())
}
