//! Synthetic snapshots: for the tests, for the pictures in the documentation, and for looking at
//! the dashboard without a cluster.
//!
//! Nothing in here is measured, and no program that is released uses it: it is a crate of its own,
//! on which the tests, the examples and the benchmark of `dashboard` depend. It is deterministic:
//! the same call gives the same snapshot. [`Sample::Normal`] is a busy afternoon; each of the
//! others differs from it in one way. [`state`] and [`screen`] bring a snapshot onto a dashboard.

use std::sync::Arc;

pub use dashboard::Key;
use dashboard::{
    Cache, City, Cluster, Cmd, GroupState, Lanes, Markets, Msg, Notice, NoticeKind, Pane, Payments, Severity,
    Shop, Snapshot, Source, Sourced, State, Theme, Timeline, Title, Trend, Waiting, WorkerState, update,
    view,
};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

mod business;
mod city;
mod cluster;
mod extreme;
mod markets;
mod records;

pub use city::city_map;
pub use records::records;

/// The panes of the show that the samples are of.
pub fn panes() -> Vec<Pane> {
    Pane::of_show([Pane::City, Pane::Payments, Pane::Shop])
}

/// A dashboard of so many columns and rows, to which the streets and a sample have come.
pub fn state(sample: Sample, (width, height): (u16, u16)) -> State {
    let mut state = State::new(Theme::default().palette, &sample.panes());
    update(&mut state, Msg::Resize(width, height), 0);
    if width < 110 || height < 36 {
        // What is said once about larger windows is over.
        update(&mut state, Msg::Tick, 4_000);
    }
    update(&mut state, Msg::Map(Arc::new(city_map())), 0);
    update(&mut state, Msg::Snapshot(Arc::new(sample.snapshot())), 0);
    state
}

/// A dashboard that has watched the busy afternoon come to this, in the view for a projector.
pub fn presenting(size: (u16, u16)) -> State {
    let mut state = state(Sample::Normal, size);
    let last = normal(0);
    for minute in 0..=90 {
        let mut snapshot = last.clone();
        snapshot.title.clock_ms = last.title.clock_ms.map(|clock| clock - (90 - minute) * 60_000);
        // Each run of the hourly jobs tells what the hour before it has cost.
        let told = 0.5 * minute as f64 / 90.0 + 0.5 * (minute / 60) as f64;
        for item in &mut snapshot.lanes.data.bill.items {
            let cost = item.delay_cost().unwrap_or(0.0);
            item.batch = item.stream.map(|stream| stream + cost * told);
        }
        update(&mut state, Msg::Snapshot(Arc::new(snapshot)), 0);
    }
    update(&mut state, Msg::Key(Key::Char('P')), 0);
    state
}

/// What it shows after these keys.
pub fn screen(sample: Sample, size: (u16, u16), keys: &[Key]) -> Buffer {
    let mut state = state(sample, size);
    press(&mut state, sample, keys);
    draw(&state, size, &Theme::default())
}

/// Presses these keys; what they ask to read is there with the next snapshot.
pub fn press(state: &mut State, sample: Sample, keys: &[Key]) {
    for key in keys {
        for cmd in update(state, Msg::Key(*key), 0) {
            if let Cmd::Read(query) = cmd {
                let records = query.as_ref().map(|query| Arc::new(records(query)));
                update(state, Msg::Snapshot(Arc::new(Snapshot { records, ..sample.snapshot() })), 0);
            }
        }
    }
}

/// The keys of a text: `⏎` is Enter, `⎋` Esc, `⇥` Tab and `↓` Down; any other character is itself.
pub fn keys(text: &str) -> impl Iterator<Item = Key> {
    text.chars().map(|char| match char {
        '⏎' => Key::Enter,
        '⎋' => Key::Esc,
        '⇥' => Key::Tab,
        '↓' => Key::Down,
        other => Key::Char(other),
    })
}

/// Presses the keys of a text, and returns what is asked of the program beside drawing. It answers
/// nothing.
pub fn type_keys(state: &mut State, text: &str) -> Vec<Cmd> {
    let cmds = keys(text).flat_map(|key| update(state, Msg::Key(key), 10));
    cmds.filter(|cmd| *cmd != Cmd::Draw).collect()
}

/// The picture of a state, in so many columns and rows.
pub fn draw(state: &State, (width, height): (u16, u16), theme: &Theme) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buf = Buffer::empty(area);
    view(state, &mut Cache::default(), theme, area, &mut buf);
    buf
}

/// The characters of that picture, a line a row.
pub fn text(state: &State, size: (u16, u16)) -> String {
    let buf = draw(state, size, &Theme::default());
    let row = |y| (0..size.0).map(|x| buf[(x, y)].symbol()).collect::<String>();
    (0..size.1).map(row).collect::<Vec<_>>().join("\n")
}

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
    /// A show of the markets alone.
    Markets,
}

impl Sample {
    /// All of them.
    pub const ALL: [Sample; 8] = [
        Sample::Normal,
        Sample::Empty,
        Sample::Stale,
        Sample::Dead,
        Sample::Paused,
        Sample::Extreme,
        Sample::Foreign,
        Sample::Markets,
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
            Sample::Markets => "markets",
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
            Sample::Extreme => extreme::extreme(),
            Sample::Foreign => foreign(),
            Sample::Markets => markets_alone(),
        }
    }

    /// The panes of its show.
    pub fn panes(self) -> Vec<Pane> {
        if self == Sample::Markets { Pane::of_show([Pane::Markets]) } else { panes() }
    }
}

/// 2026-01-06 17:32:07 UTC, a Tuesday.
const NOON_MS: i64 = 1_767_720_727_000;

/// Numbers that look like chance and never change (Knuth's 64-bit linear congruential generator).
struct Lcg(u64);

impl Lcg {
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

/// A busy afternoon, `step` snapshots later: cars move and numbers drift, so that an example can be
/// watched.
pub fn normal(step: u64) -> Snapshot {
    let mut dice = Lcg(step.wrapping_add(11));
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
            remedy: None,
        },
        cluster: Sourced::live(Cluster { bootstrap: "127.0.0.1:9092".into(), brokers: Some(1) }),
        topics: Sourced::live(cluster::topics(&mut dice)),
        groups: Sourced::live(cluster::groups()),
        city: Sourced::live(city::city(step)),
        payments: Sourced::live(business::payments(passed)),
        shop: Sourced::live(business::shop()),
        markets: Sourced { data: Markets::default(), source: Source::Absent },
        lanes: Sourced::live(business::lanes()),
        workers: Sourced::live(cluster::workers()),
        timeline: cluster::timeline(),
        controls: Vec::new(),
        records: None,
    }
}

fn stale() -> Snapshot {
    let mut snapshot = normal(0);
    let reason = "listing the topics: could not reach 127.0.0.1:9092 within 2 s: is a broker running?";
    let gone = || Source::Stale { for_ms: 12_300, reason: reason.into() };
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
    (fraud.lag_records, fraud.lag_ms) = (Some(4_200), Some(38_000.0));
    fraud.waiting = Some(Waiting { cases: 4_187, what: "swipes unscored".into(), cents: Some(21_406_250) });
    for partition in &mut fraud.partitions {
        partition.lag_records = partition.lag_records.map(|records| records * 10);
        partition.lag_ms = partition.lag_ms.map(|ms| ms * 20.0);
        partition.committed = partition.log_end.zip(partition.lag_records).map(|(end, lag)| end - lag as i64);
    }
    let freshness = snapshot.lanes.data.freshness.iter_mut().find(|of| of.business == "fraud");
    freshness.expect("fraud answers").delay_ms = fraud.lag_ms;
    snapshot.lanes.data.stream_delay_ms = fraud.lag_ms;
    fraud.members.clear();
    fraud.trend = Trend::Dead;
    for partition in &mut fraud.partitions {
        partition.owner = None;
        partition.trend = Trend::Dead;
    }
    // Retention has deleted records past the committed offset of a group that has stopped.
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
        group.waiting = None;
    }
    for topic in &mut snapshot.topics.data {
        topic.ours = false;
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

fn markets_alone() -> Snapshot {
    let mut snapshot = normal(0);
    snapshot.city = Sourced { data: City::default(), source: Source::Absent };
    snapshot.payments = Sourced { data: Payments::default(), source: Source::Absent };
    snapshot.shop = Sourced { data: Shop::default(), source: Source::Absent };
    snapshot.markets = Sourced::live(markets::markets(&mut Lcg(3)));
    snapshot
}
