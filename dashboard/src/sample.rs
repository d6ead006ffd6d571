//! Made-up snapshots: for the tests, the pictures in the documentation, and for looking at the dashboard without a cluster.
//!
//! Nothing in here is measured and nothing of it is used by a running demo. It is deterministic: the same call gives the
//! same snapshot. [`Sample::Normal`] is a busy afternoon; the others each break it in one way.

use crate::snapshot::{
    BatchEta, Bill, BillItem, City, CityMap, Cluster, Decision, Freshness, Group, GroupPartition, GroupState,
    Incident, Lanes, LinkSpeed, Member, Notice, NoticeKind, Page, Payments, Run, Severity, Shop, ShopEvent,
    ShopEventKind, Shopper, Snapshot, Source, Sourced, StreamEta, Street, StreetClass, Timeline, Title,
    Topic, Trend, Trending, Trip, Vehicle, VehicleKind, Verdict, Worker, WorkerState,
};

/// Which snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// Everything is there, one consumer is falling behind.
    Normal,
    /// Nothing has come yet.
    Empty,
    /// The cluster went away: all data is the last that was known.
    Stale,
    /// A worker was killed.
    Dead,
    /// A worker is paused.
    Paused,
    /// Values as large, as strange and as hostile as their types allow.
    Extreme,
    /// Somebody else's cluster: groups and topics, and nothing of ours.
    Foreign,
}

impl Sample {
    /// All of them.
    pub const ALL: [Sample; 7] = [
        Sample::Normal,
        Sample::Empty,
        Sample::Stale,
        Sample::Dead,
        Sample::Paused,
        Sample::Extreme,
        Sample::Foreign,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Sample::Normal => "normal",
            Sample::Empty => "empty",
            Sample::Stale => "stale",
            Sample::Dead => "dead",
            Sample::Paused => "paused",
            Sample::Extreme => "extreme",
            Sample::Foreign => "foreign",
        }
    }

    /// The snapshot.
    pub fn snapshot(self) -> Snapshot {
        match self {
            Sample::Normal => normal(0),
            Sample::Empty => Snapshot::default(),
            Sample::Stale => stale(),
            Sample::Dead => dead(),
            Sample::Paused => paused(),
            Sample::Extreme => extreme(),
            Sample::Foreign => foreign(),
        }
    }
}

/// 2026-01-06 17:32:07 UTC, a Tuesday.
const NOON_MS: i64 = 1_767_720_727_000;

/// Numbers that look like chance and never change (Knuth's 64-bit linear congruential generator).
struct Dice(u64);

impl Dice {
    /// 0 to 1.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, from: f64, to: f64) -> f64 {
        from + self.roll() * (to - from)
    }

    fn below(&mut self, end: usize) -> usize {
        ((self.roll() * end as f64) as usize).min(end.saturating_sub(1))
    }

    fn wave(&mut self, mean: f64, swing: f64) -> Vec<f64> {
        let mut level = mean;
        (0..120)
            .map(|at| {
                level += (mean - level) * 0.2 + self.between(-swing, swing);
                let tide = (f64::from(at) / 17.0).sin() * swing;
                (level + tide).max(0.0)
            })
            .collect()
    }
}

const SIDE: usize = 26;
const ORIGIN: (f64, f64) = (-71.36, -30.0);
const BLOCK: (f64, f64) = (0.0052, 0.0046);

/// A made-up city on a bay: a bent grid, avenues every fifth street, a road along the coast, a river with three bridges.
pub fn city_map() -> CityMap {
    let mut dice = Dice(7);
    let mut corner = vec![[(0.0, 0.0); SIDE + 1]; SIDE + 1];
    for (row, line) in corner.iter_mut().enumerate() {
        for (column, place) in line.iter_mut().enumerate() {
            let (x, y) = (column as f64, row as f64);
            let bend = (y / 9.0).sin() * 1.6 + dice.between(-0.14, 0.14);
            let rise = (x / 8.0).sin() * 1.1 + dice.between(-0.14, 0.14);
            *place = (ORIGIN.0 + (x + bend) * BLOCK.0, ORIGIN.1 + (y + rise) * BLOCK.1);
        }
    }
    // The bay cuts the north-west off, a river runs from the east to the sea.
    let land = |row: usize, column: usize| {
        let (x, y) = (column as f64, row as f64);
        (x - 2.0).powi(2) / 60.0 + (y - 21.0).powi(2) / 110.0 > 1.0
    };
    let wet = |row: usize, column: usize| {
        let river = 9.0 + (column as f64 / 4.0).sin() * 1.2;
        (row as f64 - river).abs() < 0.7 && ![8, 15, 22].contains(&column)
    };
    let mut streets = Vec::new();
    for row in 0..=SIDE {
        for column in 0..=SIDE {
            let class = |avenue: bool, important: bool| match (avenue, important) {
                (true, _) => StreetClass::Arterial,
                (false, true) => StreetClass::Collector,
                _ => StreetClass::Local,
            };
            let mut link = |to: (usize, usize), class| {
                if land(row, column) && land(to.0, to.1) && !wet(row, column) && !wet(to.0, to.1) {
                    streets.push(Street { class, line: vec![corner[row][column], corner[to.0][to.1]] });
                }
            };
            if column < SIDE {
                link((row, column + 1), class(row % 5 == 1, row % 5 == 3));
            }
            if row < SIDE {
                link((row + 1, column), class(column % 7 == 1, column % 7 == 4));
            }
        }
    }
    // The road along the bay.
    let coast: Vec<(f64, f64)> = (0..=40)
        .map(|at| {
            let angle = f64::from(at) / 40.0 * 2.6 - 1.35;
            let (x, y) = (2.6 + angle.cos() * 8.4, 21.0 + angle.sin() * 11.2);
            (ORIGIN.0 + x * BLOCK.0, ORIGIN.1 + y * BLOCK.1)
        })
        .collect();
    streets.extend(coast.windows(2).map(|pair| Street { class: StreetClass::Arterial, line: pair.to_vec() }));
    CityMap {
        name: "sample bay".into(),
        attribution: "made-up streets".into(),
        bounds: [
            (ORIGIN.0 - 0.004, ORIGIN.1 - 0.004),
            (ORIGIN.0 + 27.5 * BLOCK.0, ORIGIN.1 + 27.0 * BLOCK.1),
        ],
        streets,
    }
}

/// A busy afternoon, `step` snapshots later: cars move and numbers drift, so that an example can be watched.
pub fn normal(step: u64) -> Snapshot {
    let mut dice = Dice(step.wrapping_add(11));
    let passed = step as i64 * 250;
    Snapshot {
        taken_at_ms: NOON_MS + passed,
        title: Title {
            name: "sample bay".into(),
            clock_ms: Some(NOON_MS + passed * 60),
            utc_offset_min: -180,
            speed: Some(60.0),
            seed: Some(7),
            supervised: true,
        },
        cluster: Sourced::live(Cluster { bootstrap: "127.0.0.1:9092".into(), brokers: Some(1) }),
        topics: Sourced::live(topics(&mut dice)),
        groups: Sourced::live(groups()),
        city: Sourced::live(city(step)),
        payments: Sourced::live(payments(passed)),
        shop: Sourced::live(shop()),
        lanes: Sourced::live(lanes()),
        workers: Sourced::live(workers()),
        timeline: timeline(),
        controls: Vec::new(),
    }
}

fn topics(dice: &mut Dice) -> Vec<Topic> {
    [
        ("driver_locations", 8_412.0, 600.0, 6, true),
        ("truck_gps_coordinates", 1_204.0, 60.0, 6, true),
        ("trips", 38.0, 9.0, 6, true),
        ("road_traversals", 612.0, 90.0, 6, false),
        ("traffic", 480.0, 60.0, 6, false),
        ("eta_updates", 2_980.0, 240.0, 6, false),
        ("card_swipes", 310.0, 40.0, 4, true),
        ("fraud_decisions", 310.0, 40.0, 4, false),
        ("clicks", 1_120.0, 160.0, 4, true),
        ("recommendations", 1_118.0, 160.0, 4, false),
        ("notifications", 4.0, 3.0, 2, false),
        ("chargebacks", 0.0, 0.0, 4, false),
    ]
    .into_iter()
    .map(|(name, rate, swing, partitions, ours)| {
        let history = dice.wave(rate, swing / 2.0);
        let now = history.last().copied().unwrap_or(0.0).round();
        Topic {
            name: name.into(),
            in_per_second: Some(now),
            out_per_second: (name != "notifications").then_some((now * 0.99).round()),
            total_records: Some((rate * 3_600.0) as u64),
            bytes: Some((rate * 3_600.0 * 148.0) as u64),
            partitions: Some(partitions),
            can_burst: ours,
            bursting: name == "card_swipes",
            history_per_second: history,
        }
    })
    .collect()
}

/// A group of `owners`, whose partitions are so many records and milliseconds behind.
fn group(
    id: &str,
    topic: &str,
    ends: i64,
    owners: &[&str],
    lags: &[(i64, f64, Trend)],
    trend: Trend,
) -> Group {
    let partitions = lags.iter().enumerate().map(|(at, (lag, ms, trend))| {
        let log_end = ends + at as i64 * ends / 40;
        GroupPartition {
            topic: topic.into(),
            partition: at as i32,
            log_start: Some(ends / 9),
            log_end: Some(log_end),
            committed: Some(log_end - lag),
            lag_records: Some(*lag as u64),
            lag_ms: Some(*ms),
            owner: owners.get(at * owners.len() / lags.len().max(1)).map(ToString::to_string),
            trend: *trend,
        }
    });
    let records: i64 = lags.iter().map(|(lag, ..)| lag).sum();
    let rising = |at: i32| match trend {
        Trend::FallingBehind { .. } => records as f64 * (f64::from(at) / 120.0).powi(2),
        Trend::Draining { .. } => records as f64 * (9.0 - f64::from(at) / 15.0),
        _ => records as f64 * (1.0 + (f64::from(at) * 0.9).sin() * 0.6),
    };
    Group {
        id: id.into(),
        state: GroupState::Stable,
        ours: true,
        generation: Some(3),
        members: owners
            .iter()
            .map(|owner| Member {
                member_id: format!("{owner}-8d1c"),
                client_id: (*owner).into(),
                host: "/127.0.0.1".into(),
                partitions: Some((lags.len() / owners.len().max(1)) as u32),
            })
            .collect(),
        partitions: partitions.collect(),
        lag_records: Some(records as u64),
        lag_ms: lags.iter().map(|(_, ms, _)| *ms).reduce(f64::max),
        committed_per_second: Some(800.0),
        lag_history_records: (0..120).map(rising).collect(),
        trend,
    }
}

fn groups() -> Vec<Group> {
    let well = Trend::KeepingUp;
    let behind = Trend::FallingBehind { records_per_second: Some(210.0) };
    let draining = Trend::Draining { done_in_ms: Some(3_200.0) };
    let six =
        |lag: i64, ms: f64| [0, 1, 2, 3, 4, 5].map(|at| (lag + at % 3, ms + at as f64, Trend::KeepingUp));
    let mut mine = group(
        "my-first-app",
        "clicks",
        1_008_000,
        &["rdkafka"],
        &[(40, 1_100.0, well), (0, 0.0, well), (12, 380.0, well), (7, 200.0, well)],
        well,
    );
    mine.ours = false;
    mine.generation = Some(1);
    vec![
        group("eta", "driver_locations", 5_046_000, &["eta-1", "eta-2"], &six(2, 14.0), well),
        group("traffic", "road_traversals", 367_000, &["traffic-1"], &six(0, 6.0), well),
        group(
            "fraud",
            "card_swipes",
            279_000,
            &["fraud-1"],
            &[
                (1_240, 38_000.0, behind),
                (1_010, 31_000.0, behind),
                (980, 29_500.0, behind),
                (970, 29_000.0, behind),
            ],
            behind,
        ),
        group(
            "recommendations",
            "clicks",
            1_008_000,
            &["recommendations-1"],
            &[(60, 220.0, draining), (45, 180.0, draining), (40, 175.0, draining), (35, 160.0, draining)],
            draining,
        ),
        group("notifications", "eta_updates", 2_680_000, &["notifications-1"], &six(1, 9.0), well),
        mine,
    ]
}

fn workers() -> Vec<Worker> {
    [
        ("gps", None),
        ("swipes", None),
        ("clicks", None),
        ("eta-1", Some("eta")),
        ("eta-2", Some("eta")),
        ("traffic-1", Some("traffic")),
        ("fraud-1", Some("fraud")),
        ("recommendations-1", Some("recommendations")),
        ("notifications-1", Some("notifications")),
    ]
    .into_iter()
    .zip(4_242_u32..)
    .map(|((name, group), pid)| Worker {
        name: name.into(),
        group: group.map(Into::into),
        pid: Some(pid),
        state: WorkerState::Running,
        restarts: 0,
        since_ms: Some(724_000),
    })
    .collect()
}

fn city(step: u64) -> City {
    let map = city_map();
    let mut dice = Dice(23);
    let jammed = |at: (f64, f64), middle: (f64, f64), reach: f64| {
        ((at.0 - middle.0) / BLOCK.0).hypot((at.1 - middle.1) / BLOCK.1) < reach
    };
    let crash = (ORIGIN.0 + 15.8 * BLOCK.0, ORIGIN.1 + 12.2 * BLOCK.1);
    let works = (ORIGIN.0 + 20.0 * BLOCK.0, ORIGIN.1 + 19.4 * BLOCK.1);
    let mut speeds = Vec::new();
    for (link, street) in map.streets.iter().enumerate() {
        let known = street.class != StreetClass::Local || dice.roll() < 0.4;
        let at = street.line[0];
        let of_free_flow = if jammed(at, crash, 2.6) {
            dice.between(0.12, 0.38)
        } else if jammed(at, crash, 5.0) || jammed(at, works, 2.4) {
            dice.between(0.42, 0.68)
        } else {
            dice.between(0.74, 1.05)
        };
        if known {
            speeds.push(LinkSpeed { link: link as u32, of_free_flow });
        }
    }
    let mut vehicles: Vec<Vehicle> = Vec::new();
    for at in 0..150 {
        let street = &map.streets[dice.below(map.streets.len())];
        let (from, to) = (street.line[0], street.line[1]);
        let part = (dice.roll() + step as f64 * 0.02).fract();
        let heading = ((to.0 - from.0) / BLOCK.0).atan2((to.1 - from.1) / BLOCK.1).to_degrees();
        vehicles.push(Vehicle {
            id: format!("driver-{at}"),
            kind: if at % 18 == 5 { VehicleKind::Lorry } else { VehicleKind::Car },
            at: (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part),
            heading_deg: Some(heading),
            trip_id: (at % 5 < 2).then(|| format!("trip-{at}")),
        });
    }
    let corner = |column: f64, row: f64| {
        let (bend, rise) = ((row / 9.0).sin() * 1.6, (column / 8.0).sin() * 1.1);
        (ORIGIN.0 + (column + bend) * BLOCK.0, ORIGIN.1 + (row + rise) * BLOCK.1)
    };
    let mut route: Vec<(f64, f64)> = (0..=6).map(|at| corner(8.0, 3.0 + f64::from(at))).collect();
    route.extend((9..=15).map(|at| corner(f64::from(at), 9.0)));
    route.extend((10..=16).map(|at| corner(15.0, f64::from(at))));
    route.extend((16..=22).map(|at| corner(f64::from(at), 16.0)));
    let trip = |id: &str, driver: &str, seconds: f64| Trip {
        trip_id: id.into(),
        driver_id: driver.into(),
        at: route.first().copied(),
        destination: route.last().copied(),
        route: route.clone(),
        stream: Some(StreamEta { remaining_s: seconds, p10_s: seconds - 62.0, p90_s: seconds + 98.0 }),
        batch: Some(BatchEta { remaining_s: seconds + 215.0, age_s: 41.0 * 60.0 }),
        truth_s: Some(seconds + 21.0),
    };
    City {
        speeds,
        vehicles,
        incidents: vec![
            Incident { at: crash, what: "crash".into(), remaining_s: Some(11.0 * 60.0) },
            Incident { at: works, what: "jam".into(), remaining_s: Some(8.0 * 60.0) },
        ],
        trips: vec![trip("trip-88", "driver-12", 370.0), trip("trip-91", "driver-3", 512.0)],
        trips_under_way: Some(61),
    }
}

fn payments(passed: i64) -> Payments {
    let rows: [(&str, i64, Verdict, &[&str], f64, f64); 12] = [
        ("card-0412", 1_820, Verdict::Approved, &["usual merchant, usual hour"], 0.002, 2.1),
        (
            "card-2210",
            41_290,
            Verdict::Declined,
            &[
                "7 swipes under 2.00 in 4 minutes",
                "first purchase in electronics",
                "3 times the usual amount",
            ],
            0.93,
            3.2,
        ),
        ("card-0077", 640, Verdict::Approved, &["usual merchant, usual hour"], 0.001, 1.9),
        ("card-1530", 2_399, Verdict::Approved, &["usual amount"], 0.004, 2.4),
        (
            "card-0981",
            129_900,
            Verdict::Declined,
            &["1,140 km from the last swipe 20 minutes ago", "9 times the usual amount"],
            0.88,
            2.8,
        ),
        ("card-3301", 5_450, Verdict::StoodIn, &["no answer before the deadline"], 0.01, 134.0),
        ("card-0412", 310, Verdict::Approved, &["usual merchant, usual hour"], 0.002, 2.0),
        ("card-2875", 8_800, Verdict::Approved, &["a little late for this card"], 0.03, 2.6),
        ("card-1102", 1_150, Verdict::Approved, &["usual amount"], 0.002, 2.2),
        ("card-2210", 195, Verdict::Approved, &["5 swipes under 2.00 in 3 minutes"], 0.21, 2.3),
        ("card-0660", -2_000, Verdict::Approved, &["refund"], 0.0, 1.7),
        ("card-1944", 7_215, Verdict::Approved, &["usual merchant, usual hour"], 0.003, 2.0),
    ];
    Payments {
        recent: (0..36)
            .map(|at| {
                let (card, amount_cents, verdict, reasons, probability, latency) = rows[at % rows.len()];
                Decision {
                    at_ms: NOON_MS + passed * 60 - at as i64 * 700,
                    card_id: card.into(),
                    amount_cents: amount_cents + (at / rows.len()) as i64 * 130,
                    verdict,
                    probability: Some(probability),
                    reasons: reasons.iter().map(ToString::to_string).collect(),
                    latency_ms: Some(latency),
                    fraud: (at > 8).then_some(verdict == Verdict::Declined),
                }
            })
            .collect(),
        approved: Some(12_804),
        declined: Some(37),
        stood_in: Some(2),
        approved_cents: Some(61_230_455),
        declined_cents: Some(1_820_400),
        deadline_ms: Some(100.0),
        latency_p50_ms: Some(2.2),
        latency_p99_ms: Some(9.4),
    }
}

fn shop() -> Shop {
    let event = |at: i64, kind, item: &str, on_page, on_batch_page| ShopEvent {
        at_ms: NOON_MS - at * 1000,
        kind,
        item: (!item.is_empty()).then(|| item.into()),
        on_page,
        on_batch_page,
    };
    use ShopEventKind::{AddToCart, Click, Hover, Scroll, View};
    let trail = vec![
        event(240, View, "", None, None),
        event(221, Click, "tent-2p", Some(false), Some(false)),
        event(190, Scroll, "tent-2p", None, None),
        event(150, Hover, "tent-3p", None, None),
        event(141, Click, "sleeping-bag", Some(true), Some(false)),
        event(98, Click, "camp-stove", Some(true), Some(false)),
        event(60, AddToCart, "camp-stove", None, None),
        event(31, Click, "head-torch", Some(true), Some(true)),
        event(4, Click, "gas-230g", Some(true), Some(false)),
    ];
    let page = |items: &[&str], age_ms| Page {
        items: items.iter().map(ToString::to_string).collect(),
        age_ms: Some(age_ms),
    };
    let live = [
        "gas-450g",
        "cooking-set",
        "tent-3p",
        "mat-light",
        "pillow-air",
        "lantern",
        "water-filter",
        "mug-titanium",
        "chair-low",
        "rope-20m",
        "spork",
        "dry-bag",
        "coffee-press",
        "kettle",
        "hammock",
        "tarp-3x3",
        "boots-mid",
        "poles",
        "socks-wool",
        "knife",
    ];
    let batch = [
        "phone-case",
        "earbuds",
        "desk-lamp",
        "mug-titanium",
        "socks-wool",
        "backpack-20",
        "notebook",
        "usb-cable",
        "t-shirt",
        "umbrella",
        "head-torch",
        "charger",
        "water-bottle",
        "poster",
        "lantern",
        "keyboard",
        "mouse",
        "cap",
        "scarf",
        "belt",
    ];
    let stale = [
        "gas-450g",
        "cooking-set",
        "mat-light",
        "tent-3p",
        "lantern",
        "pillow-air",
        "mug-titanium",
        "water-filter",
        "spork",
        "chair-low",
        "dry-bag",
        "rope-20m",
        "kettle",
        "poles",
        "tarp-3x3",
        "coffee-press",
        "hammock",
        "knife",
        "socks-wool",
        "boots-mid",
    ];
    let shopper = |id: &str| Shopper {
        session_id: id.into(),
        trail: trail.clone(),
        page: page(&live, 900.0),
        batch_page: page(&batch, 41.0 * 60_000.0),
        stale_page: page(&stale, 900.0),
    };
    Shop {
        shoppers: vec![shopper("session-1207"), shopper("session-0930"), shopper("session-2114")],
        trending: [
            ("lantern", 48.0, 6.2),
            ("camp-stove", 31.0, 3.1),
            ("umbrella", 28.0, 4.0),
            ("phone-case", 22.0, 1.1),
            ("earbuds", 20.0, 0.9),
            ("boots-mid", 14.0, 2.4),
        ]
        .into_iter()
        .map(|(item, per_minute, lift)| Trending {
            item: item.into(),
            per_minute: Some(per_minute),
            lift: Some(lift),
        })
        .collect(),
        sessions: Some(412),
    }
}

fn lanes() -> Lanes {
    let item = |stream: f64, batch: f64, cases: u64| BillItem {
        stream: Some(stream),
        batch: Some(batch),
        stale_model: None,
        cases: Some(cases),
    };
    let mut missed_clicks = item(1_204.0, 2_016.0, 5_120);
    missed_clicks.stale_model = Some(1_212.0);
    Lanes {
        stream_delay_ms: Some(18.0),
        batch_age_ms: Some(41.0 * 60_000.0),
        batch_period_ms: Some(3_600_000.0),
        next_run_in_ms: Some(19_000.0),
        running: false,
        database: Some("data/warehouse.db".into()),
        runs: [
            ("eta", 812_204, 1_204, 840.0),
            ("fraud", 18_600, 18_600, 120.0),
            ("recommendations", 67_200, 4_031, 410.0),
            ("notifications", 21_030, 240, 64.0),
        ]
        .into_iter()
        .cycle()
        .zip(0..12)
        .map(|((job, records, rows, took), at): (_, i64)| Run {
            job: job.into(),
            batch_id: format!("{job}-2026-01-06T{:02}", 16 - at / 4),
            finished_at_ms: NOON_MS - 41_000 - at / 4 * 60_000 - at % 4 * 300,
            took_ms: Some(took),
            records: Some(records),
            rows: Some(rows),
        })
        .collect(),
        freshness: [
            ("eta", 5_046_204, 1_788_000, 14.0, 61.0),
            ("fraud", 186_112, 186_110, 2.2, 9.4),
            ("recommendations", 672_004, 671_998, 6.1, 31.0),
            ("notifications", 2_410, 2_410, 18.0, 88.0),
        ]
        .into_iter()
        .map(|(business, events, answers, p50, p99)| Freshness {
            business: business.into(),
            events: Some(events),
            answers: Some(answers),
            p50_ms: Some(p50),
            p99_ms: Some(p99),
        })
        .collect(),
        bill: Bill {
            late_minutes: item(812.4, 2_310.0, 418),
            wrong_texts: item(3.0, 40.0, 512),
            money_cents: item(10_400.0, 130_850.0, 8_204),
            missed_clicks,
        },
    }
}

fn timeline() -> Timeline {
    let notice = |ago_s: i64, kind, severity, subject: &str, text: &str, duration_ms| Notice {
        at_ms: NOON_MS - ago_s * 1000,
        kind,
        severity,
        subject: subject.into(),
        text: text.into(),
        duration_ms,
    };
    use NoticeKind as Kind;
    Timeline {
        dropped: 0,
        notices: vec![
            notice(724, Kind::Start, Severity::Info, "broker", "listening on 127.0.0.1:9092", Some(31.0)),
            notice(722, Kind::Rebalance, Severity::Info, "eta", "generation 1, 1 member", Some(412.0)),
            notice(610, Kind::Crash, Severity::Bad, "eta-1", "signal 9", None),
            notice(
                604,
                Kind::Start,
                Severity::Good,
                "eta-1",
                "pid 4245, state rebuilt from 84,120 records",
                Some(1_120.0),
            ),
            notice(603, Kind::Rebalance, Severity::Info, "eta", "generation 2, 1 member", Some(318.0)),
            notice(180, Kind::Control, Severity::Info, "eta", "scale up to 2", None),
            notice(178, Kind::Rebalance, Severity::Info, "eta", "generation 3, 2 members", Some(1_204.0)),
            notice(101, Kind::BatchRun, Severity::Info, "fraud", "18,600 records, 18,600 rows", Some(120.0)),
            notice(74, Kind::Incident, Severity::Warning, "city", "crash on Avenida 15, 25 minutes", None),
            notice(41, Kind::BatchRun, Severity::Info, "eta", "812,204 records, 1,204 rows", Some(840.0)),
            notice(12, Kind::Control, Severity::Warning, "card_swipes", "burst of 10 times for 30 s", None),
            notice(3, Kind::Rebalance, Severity::Info, "my-first-app", "generation 1, 1 member", Some(96.0)),
        ],
    }
}

fn stale() -> Snapshot {
    let mut snapshot = normal(0);
    let gone = || Source::Stale { for_ms: 12_300, reason: "connection refused".into() };
    snapshot.cluster.source = gone();
    snapshot.topics.source = gone();
    snapshot.groups.source = gone();
    snapshot.city.source = gone();
    snapshot.payments.source = gone();
    snapshot.shop.source = gone();
    snapshot.lanes.source = gone();
    snapshot
}

fn dead() -> Snapshot {
    let mut snapshot = normal(0);
    let fraud = &mut snapshot.groups.data[2];
    fraud.state = GroupState::Empty;
    fraud.members.clear();
    fraud.trend = Trend::Dead;
    for partition in &mut fraud.partitions {
        partition.owner = None;
        partition.trend = Trend::Dead;
    }
    // Retention went past a bookmark that nobody moves any more.
    fraud.partitions[0].log_start = fraud.partitions[0].committed.map(|committed| committed + 412);
    fraud.partitions[3].committed = None;
    fraud.partitions[3].lag_records = None;
    fraud.partitions[3].lag_ms = None;
    let worker = &mut snapshot.workers.data[6];
    worker.state = WorkerState::Dead { how: "signal 9".into() };
    worker.pid = None;
    worker.since_ms = Some(8_400);
    snapshot.timeline.push(Notice {
        at_ms: NOON_MS - 1_000,
        kind: NoticeKind::Crash,
        severity: Severity::Bad,
        subject: "fraud-1".into(),
        text: "signal 9".into(),
        duration_ms: None,
    });
    snapshot
}

fn paused() -> Snapshot {
    let mut snapshot = normal(0);
    snapshot.groups.data[2].trend = Trend::Paused;
    for partition in &mut snapshot.groups.data[2].partitions {
        partition.trend = Trend::Paused;
    }
    snapshot.workers.data[6].state = WorkerState::Paused;
    snapshot
}

fn foreign() -> Snapshot {
    let mut snapshot = normal(0);
    snapshot.title = Title { name: "kafka.example.com:9092".into(), ..Title::default() };
    snapshot.cluster.data.brokers = Some(3);
    for group in &mut snapshot.groups.data {
        group.ours = false;
    }
    for topic in &mut snapshot.topics.data {
        topic.can_burst = false;
        topic.bursting = false;
    }
    snapshot.city = Sourced { data: City::default(), source: Source::Absent };
    snapshot.payments = Sourced { data: Payments::default(), source: Source::Absent };
    snapshot.shop = Sourced { data: Shop::default(), source: Source::Absent };
    snapshot.lanes = Sourced { data: Lanes::default(), source: Source::Absent };
    snapshot.workers = Sourced { data: Vec::new(), source: Source::Absent };
    snapshot.timeline = Timeline::default();
    snapshot
}

/// What no view may trip over: wide characters, emoji, right-to-left marks, escape codes, 10 KB, the ends of every type.
fn extreme() -> Snapshot {
    let mut snapshot = normal(0);
    let long = "long-".repeat(2_000);
    let hostile = [
        "日本語のトピック",
        "👩‍👩‍👧‍👦🏳️‍🌈",
        "\u{202e}thgir ot tfel שלום مرحبا",
        "\u{1b}[2J\u{1b}]0;owned\u{7}\r\n\t\0",
        "e\u{301}\u{301}\u{301}\u{200d}",
        "",
        &long,
    ];
    let name = |at: usize| hostile[at % hostile.len()].to_string();
    let numbers = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -0.0, f64::MIN_POSITIVE, 1e300];
    let number = |at: usize| numbers[at % numbers.len()];
    snapshot.title.name = name(6);
    snapshot.title.clock_ms = Some(i64::MAX);
    snapshot.title.utc_offset_min = i32::MIN;
    snapshot.title.speed = Some(f64::NAN);
    snapshot.title.seed = Some(u64::MAX);
    for (at, topic) in snapshot.topics.data.iter_mut().enumerate() {
        topic.name = name(at);
        topic.in_per_second = Some(number(at));
        topic.out_per_second = Some(number(at + 1));
        topic.history_per_second = (0..200).map(number).collect();
        topic.total_records = Some(u64::MAX);
        topic.bytes = Some(u64::MAX);
    }
    for (at, group) in snapshot.groups.data.iter_mut().enumerate() {
        group.id = name(at + 1);
        group.lag_records = Some(u64::MAX);
        group.lag_ms = Some(number(at));
        group.lag_history_records = (0..200).map(number).collect();
        group.trend = Trend::FallingBehind { records_per_second: Some(number(at)) };
        for (at, partition) in group.partitions.iter_mut().enumerate() {
            partition.topic = name(at);
            partition.partition = [i32::MIN, i32::MAX][at % 2];
            partition.log_start = Some([i64::MIN, i64::MAX, 0][at % 3]);
            partition.log_end = Some([i64::MAX, i64::MIN, 0][at % 3]);
            partition.committed = Some([0, i64::MAX, i64::MIN][at % 3]);
            partition.lag_records = Some(u64::MAX);
            partition.owner = Some(name(at + 2));
            partition.trend = Trend::Draining { done_in_ms: Some(number(at)) };
        }
    }
    let city = &mut snapshot.city.data;
    for (at, speed) in city.speeds.iter_mut().enumerate() {
        speed.link = if at % 2 == 0 { u32::MAX } else { speed.link };
        speed.of_free_flow = number(at);
    }
    for (at, vehicle) in city.vehicles.iter_mut().enumerate() {
        vehicle.id = name(at);
        vehicle.heading_deg = Some(number(at));
        if at % 2 == 0 {
            vehicle.at = (number(at), number(at + 1));
        }
    }
    for (at, incident) in city.incidents.iter_mut().enumerate() {
        incident.what = name(at);
        incident.remaining_s = Some(number(at));
    }
    for (at, trip) in city.trips.iter_mut().enumerate() {
        trip.trip_id = name(at);
        trip.at = Some((number(at), 0.0));
        trip.route.push((number(at), number(at + 3)));
        trip.stream =
            Some(StreamEta { remaining_s: number(at), p10_s: number(at + 1), p90_s: number(at + 3) });
        trip.batch = Some(BatchEta { remaining_s: number(at + 3), age_s: number(at) });
        trip.truth_s = Some(number(at + 3));
    }
    for (at, decision) in snapshot.payments.data.recent.iter_mut().enumerate() {
        decision.card_id = name(at);
        decision.at_ms = [i64::MIN, i64::MAX][at % 2];
        decision.amount_cents = [i64::MIN, i64::MAX][at % 2];
        decision.latency_ms = Some(number(at));
        decision.probability = Some(number(at));
        decision.reasons = vec![name(at), name(at + 1)];
    }
    snapshot.payments.data.approved = Some(u64::MAX);
    for (at, shopper) in snapshot.shop.data.shoppers.iter_mut().enumerate() {
        shopper.session_id = name(at);
        shopper.page.items = (0..50).map(name).collect();
        shopper.page.age_ms = Some(number(at));
    }
    for (at, item) in snapshot.shop.data.trending.iter_mut().enumerate() {
        item.item = name(at);
        item.per_minute = Some(number(at));
        item.lift = Some(number(at + 3));
    }
    let lanes = &mut snapshot.lanes.data;
    lanes.stream_delay_ms = Some(f64::MAX);
    lanes.batch_age_ms = Some(f64::INFINITY);
    lanes.next_run_in_ms = Some(-1.0);
    lanes.database = Some(name(3));
    lanes.bill.money_cents =
        BillItem { stream: Some(-1e300), batch: Some(1e300), stale_model: None, cases: Some(u64::MAX) };
    lanes.bill.wrong_texts.batch = Some(f64::NAN);
    for (at, worker) in snapshot.workers.data.iter_mut().enumerate() {
        worker.name = name(at);
        worker.state = WorkerState::Dead { how: name(at + 3) };
        worker.restarts = u32::MAX;
        worker.since_ms = Some(u64::MAX);
    }
    for (at, notice) in snapshot.timeline.notices.iter_mut().enumerate() {
        notice.subject = name(at);
        notice.text = name(at + 1);
        notice.at_ms = i64::MIN;
        notice.duration_ms = Some(number(at));
    }
    snapshot.timeline.dropped = u64::MAX;
    snapshot
}
