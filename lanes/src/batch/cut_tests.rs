//! A window has the same records, run by a schedule, by a person, or by one after the other.

use std::collections::BTreeMap;

use client::Outgoing;
use events::{HOUR_MS, Timestamp, Topic};

use super::super::clock::wall_ms;
use super::super::rebuild::OffsetSearcher;
use super::super::tests::{TIMEOUT, World};
use super::super::toy::swipe_at;
use super::moody::{Moody, When};
use super::tests::{answered, by_hand, config, each_once, hour, minute, once, send_swipes, sqlite};
use super::{BatchConfig, Schedule};
use crate::warehouse::{Run, RunOffsets, TableRows, Warehouse, runs_near};
use crate::{BatchError, SimulatedClock};
use processor::mart::Kind;

/// Swipes of one minute, each of a card of its own.
fn send_stragglers(world: &World, name: &str, at: u32, count: u32) {
    for n in 0..count {
        world.send(&swipe_at(minute(at), &format!("{name}{n}"), &format!("c{n}"), 1));
    }
    world.producer.flush(TIMEOUT).unwrap();
}

/// A swipe to the first partition, without a key.
fn send(world: &World, id: &str, ts: Timestamp) {
    let value = swipe_at(ts, id, "c", 1).to_json();
    let topic = Topic::CardSwipes.name();
    let record = Outgoing { topic, partition: Some(0), value: Some(&value), ..Outgoing::default() };
    world.producer.send(record, TIMEOUT).unwrap();
}

fn ten_seconds(n: i64) -> Timestamp {
    Timestamp::from_ms(n * 10_000)
}

/// Which run loaded each swipe.
fn loaded_by(warehouse: &mut dyn Warehouse) -> BTreeMap<String, String> {
    let rows = warehouse.query("SELECT swipe_id, batch_id FROM swipes", &[], &[Kind::Text; 2]).unwrap();
    let text = |cells: &[processor::mart::Cell], n: usize| cells[n].text().unwrap().to_owned();
    rows.iter().map(|cells| (text(cells, 0), text(cells, 1))).collect()
}

/// The windows that the run log knows, in minutes.
fn windows(warehouse: &mut dyn Warehouse) -> Vec<(i64, i64)> {
    let runs = runs_near(warehouse, "toy-batch", Timestamp::MIN, Timestamp::MAX).unwrap();
    runs.iter().map(|run| (run.window_start.ms() / 60_000, run.window_end.ms() / 60_000)).collect()
}

/// Every swipe of these minutes once, and the stragglers too.
fn each_and(minutes: std::ops::Range<u32>, stragglers: &[(&str, u32)]) -> BTreeMap<String, u32> {
    let late = stragglers.iter().flat_map(|&(name, count)| (0..count).map(move |n| format!("{name}{n}")));
    each_once(minutes).into_iter().chain(late.map(|id| (id, 1))).collect()
}

#[test]
fn a_schedule_cuts_a_window_where_it_was_cut_by_hand_whatever_came_late_between_the_two() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    send_swipes(&world, 0..200);
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    for n in [1, 0] {
        by_hand(&config(&world), hour(n), folder.path(), &mut warehouse).unwrap();
    }
    let by_hand = loaded_by(&mut warehouse);
    send_stragglers(&world, "early", 30, 5);
    send_stragglers(&world, "late", 90, 5);
    send_swipes(&world, 200..250);
    let stats = once(&config(&world), &mut warehouse).unwrap().unwrap();
    assert_eq!((stats.runs, stats.already_answered), (4, 122), "{stats}");
    assert_eq!(answered(&world), each_and(0..240, &[("early", 5), ("late", 5)]));
    let all = loaded_by(&mut warehouse);
    assert!(by_hand.iter().all(|(swipe, run)| all[swipe] == *run), "what was loaded stays where it was");
    assert!(all["early0"].ends_with("T02") && all["late0"].ends_with("T02"), "{all:?}");
}

#[test]
fn a_window_by_hand_is_cut_where_a_schedule_that_died_had_begun_it() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    send_swipes(&world, 0..70);
    let database = sqlite(&folder, "w.db");
    let mut dying = Moody { dies: Some(When::BeforeLoading), ..Moody::open(&database) };
    assert!(once(&config(&world), &mut dying).is_none(), "it was to die");
    send_stragglers(&world, "late", 30, 5);
    send_swipes(&world, 70..130);
    let mut warehouse = Moody::open(&database);
    let overlaps = by_hand(&config(&world), (minute(0), minute(30)), folder.path(), &mut warehouse);
    assert!(overlaps.unwrap_err().to_string().contains("overlaps that of toy-batch-1970-01-01T00"));
    let done = by_hand(&config(&world), hour(0), folder.path(), &mut warehouse).unwrap();
    assert_eq!(done, (60, 60, 61), "without what came after it was begun");
    let stats = once(&config(&world), &mut warehouse).unwrap().unwrap();
    assert_eq!((stats.runs, stats.already_answered), (2, 61), "{stats}");
    assert_eq!(answered(&world), each_and(0..120, &[("late", 5)]));
    assert!(loaded_by(&mut warehouse)["late0"].ends_with("T01"));
}

#[test]
fn a_schedule_that_is_behind_cuts_where_windows_by_hand_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    // Three hours in one partition, in which something is late for the first hour and for the
    // second: by some seconds, by minutes, and by the best part of an hour.
    let lateness = [(365, 355), (368, 350), (420, 340), (570, 180), (740, 700), (1_000, 500), (1_070, 2)];
    for n in 0..1_090 {
        send(&world, &format!("s{n}"), ten_seconds(n));
        for (at, of) in lateness.iter().filter(|(at, _)| *at == n) {
            send(&world, &format!("late{at}"), ten_seconds(*of));
        }
    }
    world.producer.flush(TIMEOUT).unwrap();
    let mut scheduled = Moody::open(&sqlite(&folder, "scheduled.db"));
    assert_eq!(once(&config(&world), &mut scheduled).unwrap().unwrap().runs, 3);
    let mut hands = Moody::open(&sqlite(&folder, "by-hand.db"));
    for n in [1, 2, 0] {
        let (.., sent) = by_hand(&config(&world), hour(n), folder.path(), &mut hands).unwrap();
        assert_eq!(sent, 0, "the schedule has sent every answer of this hour");
    }
    let rows = loaded_by(&mut scheduled);
    assert!(rows == loaded_by(&mut hands), "to the row");
    assert!(rows["late365"].ends_with("T00") && rows["late570"].ends_with("T01"), "{rows:?}");
    assert_eq!(rows.len(), 1_080 + lateness.len());
}

#[test]
fn an_edge_stays_where_it_is_when_the_log_grows_and_one_wrong_clock_moves_none() {
    let world = World::new();
    let far = Timestamp::from_ms(100 * 365 * 24 * HOUR_MS);
    let mut found = Vec::new();
    for minutes in [0..70, 70..71, 71..200, 200..1_000] {
        for n in minutes.start * 6..minutes.end * 6 {
            // One in sixteen is wrong, and stands where it is looked first.
            let wrong = n % 16 == 0;
            send(&world, &format!("s{n}"), if wrong { far } else { ten_seconds(n) });
        }
        world.producer.flush(TIMEOUT).unwrap();
        let mut searcher = OffsetSearcher::new(&world.settings, Topic::CardSwipes, 0).unwrap();
        let latest = minutes.end * 6;
        let mut edge = |known, at| searcher.edge((0, latest), known, at).unwrap();
        found.push(edge(0, minute(60)));
        assert_eq!(edge(200, minute(60)), found[0], "from wherever it is looked");
        assert_eq!(edge(380, minute(60)), 380, "no further back than known");
        assert_eq!(edge(380, minute(64)), edge(0, minute(64)));
        assert_eq!(edge(0, minute(2_000)), latest);
        assert_eq!(edge(0, Timestamp::MIN), 16, "never before the end of the first block");
    }
    // The block of offsets 352 to 367 is the first that is not older.
    assert_eq!(found, [368; 4]);
}

#[test]
fn one_record_of_the_future_or_a_few_of_one_key_make_no_window_due() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    send_swipes(&world, 0..40);
    for n in 0..3 {
        world.send(&swipe_at(minute(90 + n), &format!("ahead{n}"), "ahead", 1));
        world.producer.flush(TIMEOUT).unwrap();
        assert_eq!(once(&config(&world), &mut warehouse).unwrap().unwrap().runs, 0);
        let early = by_hand(&config(&world), hour(0), folder.path(), &mut warehouse).unwrap_err().to_string();
        assert!(early.contains("is not over before") && early.contains("one key alone"), "{early}");
    }
    send_swipes(&world, 40..62);
    assert_eq!(once(&config(&world), &mut warehouse).unwrap().unwrap().runs, 1, "another says so too");
    assert_eq!(answered(&world), each_once(0..60));
}

#[test]
fn a_schedule_takes_windows_of_any_length_as_they_were_run_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    send_swipes(&world, 0..250);
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    let mine = [(30, 60), (0, 30), (90, 150)];
    let mut sent = 0;
    for (start, end) in mine {
        let window = (minute(start), minute(end));
        sent += by_hand(&config(&world), window, folder.path(), &mut warehouse).unwrap().2;
    }
    send_stragglers(&world, "late", 40, 3);
    let stats = once(&config(&world), &mut warehouse).unwrap().unwrap();
    assert_eq!(stats.already_answered, sent, "{stats}");
    let expected = [(0, 30), (30, 60), (60, 90), (90, 150), (150, 180), (180, 240)];
    assert_eq!(windows(&mut warehouse), expected);
    assert_eq!(answered(&world), each_and(0..240, &[("late", 3)]));
    assert_eq!(once(&config(&world), &mut warehouse).unwrap().unwrap().runs, 0, "and all is done");

    // A day's job finds hours, and an hours' job a day.
    let world = World::new();
    send_swipes(&world, 0..250);
    let clock = Schedule::Clock(SimulatedClock {
        started_wall_ms: wall_ms(),
        start: Timestamp::from_ms(25 * HOUR_MS),
        speed: 1.0,
    });
    let daily = BatchConfig { period_ms: 24 * HOUR_MS, schedule: clock, ..config(&world) };
    let mut warehouse = Moody::open(&sqlite(&folder, "daily.db"));
    by_hand(&daily, hour(2), folder.path(), &mut warehouse).unwrap();
    once(&daily, &mut warehouse).unwrap().unwrap();
    assert_eq!(windows(&mut warehouse), [(0, 120), (120, 180), (180, 1_440)]);
    assert_eq!(answered(&world), each_once(0..250));

    let world = World::new();
    send_swipes(&world, 100..250);
    let hourly = BatchConfig { schedule: clock, ..config(&world) };
    let mut warehouse = Moody::open(&sqlite(&folder, "hourly.db"));
    let day = (minute(0), minute(1_440));
    by_hand(&hourly, day, folder.path(), &mut warehouse).unwrap();
    assert_eq!(once(&hourly, &mut warehouse).unwrap().unwrap().runs, 1);
    assert_eq!(windows(&mut warehouse), [(0, 1_440)]);
    assert_eq!(answered(&world), each_once(100..250));
}

#[test]
fn a_schedule_whose_last_run_lies_in_the_middle_of_one_by_hand_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    send_swipes(&world, 0..200);
    assert_eq!(once(&config(&world), &mut Moody::open(&sqlite(&folder, "one.db"))).unwrap().unwrap().runs, 3);
    // Another database, which knows nothing of that.
    let mut warehouse = Moody::open(&sqlite(&folder, "other.db"));
    send_swipes(&world, 200..400);
    by_hand(&config(&world), (minute(120), minute(360)), folder.path(), &mut warehouse).unwrap();
    let error = once(&config(&world), &mut warehouse).unwrap().unwrap_err();
    assert!(matches!(error, BatchError::Overlap { .. }), "{error}");
    assert!(error.to_string().contains("name another database with --database"), "{error}");
}

#[test]
fn what_came_in_a_gap_is_run_before_what_came_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    // Of the second hour there are two swipes, each hidden among those of the third: one where that
    // had hardly begun, and one that is late for both.
    let hours = |minutes: std::ops::Range<i64>| {
        (minutes.start * 6..minutes.end * 6).for_each(|n| send(&world, &format!("s{n}"), ten_seconds(n)));
    };
    hours(0..60);
    hours(120..123);
    send(&world, "hidden", minute(90));
    hours(123..125);
    send(&world, "late", minute(91));
    hours(125..185);
    world.producer.flush(TIMEOUT).unwrap();
    let mut scheduled = Moody::open(&sqlite(&folder, "scheduled.db"));
    once(&config(&world), &mut scheduled).unwrap().unwrap();
    let mut hands = Moody::open(&sqlite(&folder, "by-hand.db"));
    for n in [2, 0, 1] {
        by_hand(&config(&world), hour(n), folder.path(), &mut hands).unwrap();
    }
    let rows = loaded_by(&mut scheduled);
    assert!(rows["hidden"].ends_with("T01") && rows["late"].ends_with("T02"), "{rows:?}");
    assert!(rows == loaded_by(&mut hands), "to the row");
    assert_eq!(answered(&world).len(), 722);
}

#[test]
fn a_run_of_a_log_that_is_gone_cuts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    send_swipes(&world, 0..130);
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    let read = |partition, end| RunOffsets { topic: Topic::CardSwipes, partition, settled: 0, end };
    // Offsets that this log does not have, and some that it has, of before it was made.
    for end in [10_000, 3] {
        let old = Run {
            job: "toy-batch".to_owned(),
            batch_id: "toy-batch-1970-01-01T00".to_owned(),
            window_start: minute(0),
            window_end: minute(60),
            records: 3,
            started_at: minute(0),
            offsets: (0..4).map(|partition| read(partition, end)).collect(),
        };
        warehouse.load(&old, &TableRows::default()).unwrap();
        let config = BatchConfig { job: "toy-batch".to_owned(), ..config(&world) };
        if end == 10_000 {
            let error = by_hand(&config, hour(0), folder.path(), &mut warehouse).unwrap_err().to_string();
            assert!(error.contains("the topic was recreated since"), "{error}");
        } else {
            assert_eq!(once(&config, &mut warehouse).unwrap().unwrap().runs, 2);
        }
    }
    assert_eq!(answered(&world), each_once(0..120));
    let rows = loaded_by(&mut warehouse);
    assert!(rows.iter().filter(|(_, run)| run.ends_with("T00")).count() == 60, "{rows:?}");
}
