//! Which share of the length that was driven the matcher reported, which share of what it reported
//! was driven, and where it went wrong.

use std::collections::{BTreeMap, HashMap, HashSet};

use events::{Event, SimulationTruth, Timestamp};
use streets::{LinkId, Map};

/// A link that a vehicle was on, as it happened or as it was reported, and whether the two agree.
#[derive(Clone, Copy)]
struct Stay {
    link: LinkId,
    entered: Timestamp,
    left: Timestamp,
    agreed: bool,
}

impl Stay {
    fn overlaps(&self, other: &Stay, slack_ms: i64) -> bool {
        self.entered.since_ms(other.left) <= slack_ms && other.entered.since_ms(self.left) <= slack_ms
    }
}

/// One driver's day.
#[derive(Default)]
struct Day {
    truth: Vec<Stay>,
    told: Vec<Stay>,
    /// When riders got in or out, or asked.
    steps: Vec<Timestamp>,
    pings: Vec<(Timestamp, f64, f64)>,
}

/// Times of one traversal may differ by so much and it is still the same one.
const SLACK_MS: i64 = 20_000;
/// A vehicle whose positions are further from its street than this has bad reception.
const BAD_RECEPTION_M: f64 = 25.0;
const SHORT_M: f64 = 25.0;

/// Prints it, of drivers alone: a lorry's stops are left out on purpose. The links on which the
/// recording begins and ends are seen in part, and the last of them are not settled.
pub(crate) fn matching(events: &[Event], traversals: &[&Event], map: &Map, start: Timestamp) {
    let end = events.iter().filter_map(Event::ts).max().expect("there are events").plus_ms(-180_000);
    let start = start.plus_ms(60_000);
    let whole = |stay: &Stay| start <= stay.entered && stay.left <= end;
    let mut days = days(events, traversals, map);
    let (mut told_m, mut right_m, mut driven_m, mut found_m) = (0.0, 0.0, 0.0, 0.0);
    let (mut off_s, mut times) = (0.0, 0.0);
    let mut wrong: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    for day in days.values_mut() {
        (off_s, times) = day.agree((off_s, times));
        for stay in day.told.iter().filter(|stay| whole(stay)) {
            let metres = map.link(stay.link).length_m;
            told_m += metres;
            right_m += if stay.agreed { metres } else { 0.0 };
            if !stay.agreed {
                wrong.entry(day.situation(stay, &day.truth, map)).or_default()[1] += metres;
            }
        }
        for stay in day.truth.iter().filter(|stay| whole(stay)) {
            // Links on which a rider got in or out are left out on purpose, so they are no miss.
            let (from, to) = (stay.entered.plus_ms(-5_000), stay.left.plus_ms(5_000));
            if day.steps.iter().any(|step| (from..=to).contains(step)) {
                continue;
            }
            let metres = map.link(stay.link).length_m;
            driven_m += metres;
            found_m += if stay.agreed { metres } else { 0.0 };
            if !stay.agreed {
                wrong.entry(day.situation(stay, &day.told, map)).or_default()[0] += metres;
            }
        }
    }
    println!(
        "matching: {:.2} % of the driven length was reported, {:.2} % of the reported was driven; time on a link off by {:.1} %",
        100.0 * found_m / driven_m,
        100.0 * right_m / told_m,
        100.0 * off_s / times,
    );
    println!("  where it went wrong                                      missed %   made up %");
    for (situation, [missed_m, made_up_m]) in wrong {
        let shares = (100.0 * missed_m / driven_m, 100.0 * made_up_m / told_m);
        println!("    {situation:52} {:8.3}    {:8.3}", shares.0, shares.1);
    }
}

fn days<'a>(events: &'a [Event], traversals: &[&Event], map: &Map) -> HashMap<&'a str, Day> {
    let drivers: HashSet<&str> = events
        .iter()
        .filter_map(|event| {
            if let Event::DriverLocations(ping) = event { Some(ping.driver_id.as_str()) } else { None }
        })
        .collect();
    let mut days: HashMap<&str, Day> = drivers.iter().map(|driver| (*driver, Day::default())).collect();
    let stay = |key: &str, entered, left| {
        map.link_of_key(key).map(|link| Stay { link, entered, left, agreed: false })
    };
    for event in events {
        match event {
            Event::SimulationTruth(SimulationTruth::Link { ts, id, link_id, entered }) => {
                if let Some(day) = days.get_mut(id.as_str()) {
                    day.truth.extend(stay(link_id, *entered, *ts));
                }
            }
            Event::Trips(trip) => {
                if let Some(day) = days.get_mut(trip.driver_id.as_str()) {
                    day.steps.push(trip.ts);
                }
            }
            Event::DriverLocations(ping) => {
                if let Some(day) = days.get_mut(ping.driver_id.as_str()) {
                    day.pings.push((ping.ts, ping.lat, ping.lon));
                }
            }
            _ => {}
        }
    }
    for event in traversals {
        let Event::RoadTraversals(one) = event else { continue };
        let told = stay(&one.link_id, one.ts.plus_seconds(-one.seconds), one.ts);
        if let Some(day) = days.get_mut(one.vehicle_id.as_str()) {
            day.told.extend(told);
        }
    }
    for day in days.values_mut() {
        day.pings.sort_by_key(|(ts, ..)| *ts);
    }
    days
}

impl Day {
    /// Finds for each reported traversal the one that happened, and adds up how far their seconds
    /// are apart.
    fn agree(&mut self, (mut off_s, mut times): (f64, f64)) -> (f64, f64) {
        for told in &mut self.told {
            let mut same = self
                .truth
                .iter_mut()
                .filter(|one| !one.agreed && one.link == told.link && one.overlaps(told, SLACK_MS));
            if let Some(one) = same.next() {
                (one.agreed, told.agreed) = (true, true);
                let seconds = one.left.since_seconds(one.entered);
                off_s += (told.left.since_seconds(told.entered) - seconds).abs();
                times += seconds;
            }
        }
        (off_s, times)
    }

    /// What is special about a traversal on which truth and report do not agree; `others` are those
    /// of the other side.
    fn situation(&self, stay: &Stay, others: &[Stay], map: &Map) -> &'static str {
        let (from, to) = (stay.entered.plus_ms(-5_000), stay.left.plus_ms(5_000));
        let around = |ms: i64| {
            let (from, to) = (stay.entered.plus_ms(-ms), stay.left.plus_ms(ms));
            self.steps.iter().any(|step| (from..=to).contains(step))
        };
        let begin = self.pings.partition_point(|(ts, ..)| *ts < from).saturating_sub(1);
        let pings = || self.pings[begin..].iter().take_while(|(ts, ..)| *ts <= to.plus_ms(60_000));
        let longest_ms =
            pings().zip(pings().skip(1)).take_while(|(a, _)| a.0 <= to).map(|(a, b)| b.0.since_ms(a.0)).max();
        let mut apart = pings().filter(|(ts, ..)| (from..=to).contains(ts)).map(|(ts, lat, lon)| {
            let there = self.truth.iter().filter(|one| one.entered <= *ts && *ts <= one.left);
            let near = map.near(*lat, *lon, 200.0, 200);
            let metres =
                |link: LinkId| near.iter().find(|one| one.link == link).map_or(200.0, |one| one.distance_m);
            there.map(|one| metres(one.link)).fold(200.0, f64::min)
        });
        let there = |slack_ms: i64, link: LinkId| {
            others.iter().any(|one| !one.agreed && one.link == link && one.overlaps(stay, slack_ms))
        };
        if longest_ms.is_none_or(|ms| ms > 14_000) {
            "no position for 15 s and more"
        } else if apart.any(|metres| metres > BAD_RECEPTION_M) {
            "positions more than 25 m beside the street"
        } else if around(30_000) {
            "half a minute around a stop or a request"
        } else if map.twin(stay.link).is_some_and(|twin| there(SLACK_MS, twin)) {
            "the other direction of the same street"
        } else if there(300_000, stay.link) {
            "the same link at another time"
        } else if map.link(stay.link).length_m < SHORT_M {
            "a link of less than 25 m"
        } else if others.iter().any(|one| !one.agreed && one.overlaps(stay, 0)) {
            "another street instead"
        } else {
            "nothing in its place"
        }
    }
}
