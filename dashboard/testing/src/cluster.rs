//! Synthetic topics, groups, workers and events.

use super::{Lcg, NOON_MS};
use dashboard::{
    Group, GroupPartition, GroupState, Member, Notice, NoticeKind as Kind, Severity, Timeline, Topic, Trend,
    Waiting, Worker, WorkerState,
};

pub(super) fn topics(dice: &mut Lcg) -> Vec<Topic> {
    [
        ("driver_locations", 8_412.0, 2_900.0, 6, true),
        ("truck_gps_coordinates", 1_204.0, 260.0, 6, true),
        ("trips", 38.0, 21.0, 6, true),
        ("road_traversals", 612.0, 240.0, 6, false),
        ("traffic", 480.0, 160.0, 6, false),
        ("eta_updates", 2_980.0, 900.0, 6, false),
        ("card_swipes", 310.0, 160.0, 4, true),
        ("fraud_decisions", 310.0, 160.0, 4, false),
        ("clicks", 1_120.0, 520.0, 4, true),
        ("recommendations", 1_118.0, 520.0, 4, false),
        ("notifications", 4.0, 3.0, 2, false),
        ("chargebacks", 0.0, 0.0, 4, false),
    ]
    .into_iter()
    .map(|(name, rate, swing, partitions, ours)| {
        let history = dice.wave(rate, swing / 2.0);
        let now = history.last().copied().unwrap_or(0.0).round();
        Topic {
            name: name.into(),
            ours: true,
            in_per_second: Some(now),
            out_per_second: (name != "notifications").then_some((now * 0.99).round()),
            committed_per_second: (name == "clicks").then_some(40.0),
            total_records: Some((rate * 3_600.0) as u64),
            bytes: Some((rate * 3_600.0 * 148.0) as u64),
            partitions: Some(partitions),
            can_burst: ours,
            bursting: name == "card_swipes",
            history_per_second: history,
        }
    })
    .chain(["eta_batch", "recommendations_batch", "dead_letters"].map(silent))
    .collect()
}

/// A topic of the show that never had a record.
fn silent(name: &str) -> Topic {
    Topic {
        name: name.into(),
        ours: true,
        in_per_second: Some(0.0),
        out_per_second: Some(0.0),
        total_records: Some(0),
        partitions: Some(4),
        history_per_second: vec![0.0; 30],
        ..Topic::default()
    }
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
            lag_is_minimum: false,
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
                name: (*owner).into(),
                host: "/127.0.0.1".into(),
                partitions: Some((lags.len() / owners.len().max(1)) as u32),
            })
            .collect(),
        partitions: partitions.collect(),
        lag_records: Some(records as u64),
        lag_ms: lags.iter().map(|(_, ms, _)| *ms).reduce(f64::max),
        lag_is_minimum: false,
        committed_per_second: Some(800.0),
        lag_history_records: (0..120).map(rising).collect(),
        trend,
        waiting: None,
    }
}

pub(super) fn groups() -> Vec<Group> {
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
    let mut groups = vec![
        group("eta", "driver_locations", 5_046_000, &["eta-1", "eta-2"], &six(2, 14.0), well),
        group("traffic", "road_traversals", 367_000, &["traffic-1"], &six(0, 6.0), well),
        group(
            "fraud",
            "card_swipes",
            279_000,
            &["fraud-1"],
            &[(124, 1_800.0, behind), (101, 1_600.0, behind), (98, 1_500.0, behind), (97, 1_500.0, behind)],
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
    ];
    // The jobs of the batch lane have read up to the last full hour, 41 s of wall-clock time ago.
    let behind_by = |records: [i64; 6]| {
        let due = Trend::Scheduled { due_in_ms: Some(19_000.0) };
        records.map(|lag| (lag, 41_000.0, due))
    };
    let job = |id: &str, topic: &str, ends: i64, lags: &[(i64, f64, Trend)]| {
        let mut job = group(id, topic, ends, &[], lags, Trend::Scheduled { due_in_ms: Some(19_000.0) });
        (job.state, job.committed_per_second) = (GroupState::Empty, Some(0.0));
        job
    };
    let [eta, fraud, clicks] = [58_000, 3_200, 11_000].map(|lag| behind_by([lag; 6]));
    groups.extend([
        job("batch-eta", "driver_locations", 5_046_000, &eta),
        job("batch-fraud", "card_swipes", 279_000, &fraud[..4]),
        job("batch-recommendations", "clicks", 1_008_000, &clicks[..4]),
    ]);
    let waiting = |cases, what: &str, cents| Some(Waiting { cases, what: what.into(), cents });
    groups[0].waiting = waiting(18, "positions without an ETA", None);
    groups[2].waiting = waiting(418, "swipes unscored", Some(2_140_625));
    groups[3].waiting = waiting(180, "clicks without a new page", None);
    groups
}

pub(super) fn workers() -> Vec<Worker> {
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

pub(super) fn timeline() -> Timeline {
    let notice = |ago_s: i64, kind, severity, subject: &str, text: &str, duration_ms| Notice {
        at_ms: NOON_MS - ago_s * 1000,
        kind,
        severity,
        subject: subject.into(),
        text: text.into(),
        duration_ms,
    };
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
