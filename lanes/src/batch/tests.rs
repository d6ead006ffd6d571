//! The batch lane against a cluster and a database: what dies, what is away, what is late, what is
//! run twice.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use events::{Batched, Event, HOUR_MS, Timestamp, Topic};

use super::super::tests::{TIMEOUT, World, wait_until};
use super::super::toy::{HourlyToy, swipe_at};
use super::super::{Stage, WindowRun};
use super::moody::{Moody, When};
use super::{BatchConfig, Schedule, run_batch};
use crate::toy::MARTS;
use crate::warehouse::postgres_server::PostgresServer;
use crate::warehouse::{Run, TableRows, Warehouse, runs_near};
use crate::{BatchError, Control, SimulatedClock, WindowError, WorkerStats};
use processor::Processor;
use processor::mart::{Cell, Kind};

pub(super) fn sqlite(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

pub(super) fn config(world: &World) -> BatchConfig {
    BatchConfig {
        once: true,
        marts: MARTS.to_vec(),
        first_wait: Duration::from_millis(1),
        ..BatchConfig::hourly(world.settings.clone(), "toy-batch", &[Topic::FraudBatch], Schedule::EventTime)
    }
}

pub(super) fn toy() -> Box<dyn Processor> {
    Box::new(HourlyToy::default())
}

/// Runs the hourly toy over what is due. None when it died.
pub(super) fn once(config: &BatchConfig, warehouse: &mut Moody) -> Option<Result<WorkerStats, BatchError>> {
    let control = Control::new();
    std::thread::scope(|scope| scope.spawn(|| run_batch(config, &toy, warehouse, &control)).join().ok())
}

pub(super) fn minute(n: u32) -> Timestamp {
    Timestamp::from_ms(i64::from(n) * 60_000)
}

fn swipe_of_minute(n: u32) -> Event {
    swipe_at(minute(n), &format!("s{n}"), &format!("c{}", n % 20), 1)
}

/// A swipe a minute, some early, some late.
pub(super) fn send_swipes(world: &World, minutes: std::ops::Range<u32>) {
    let mut order: Vec<u32> = minutes.collect();
    order.chunks_mut(7).for_each(<[u32]>::reverse);
    for n in order {
        world.send(&swipe_of_minute(n));
    }
    world.producer.flush(TIMEOUT).unwrap();
}

/// How often each swipe was answered.
pub(super) fn answered(world: &World) -> BTreeMap<String, u32> {
    let mut answered = BTreeMap::new();
    for (_, event) in world.read(Topic::FraudBatch) {
        let Event::FraudBatch(Batched { answer, valid_from, .. }) = event else {
            unreachable!("another topic")
        };
        assert!(valid_from > answer.ts, "it was not seen before its window ended");
        *answered.entry(answer.swipe_id).or_default() += 1;
    }
    answered
}

/// Each answer shows the state that it came from: it numbers the swipes of a card.
fn states_were_right(world: &World) {
    for (_, event) in world.read(Topic::FraudBatch) {
        let Event::FraudBatch(Batched { answer, .. }) = event else { unreachable!("another topic") };
        let n: u32 = answer.swipe_id[1..].parse().unwrap();
        assert_eq!(answer.reasons, [format!("swipe {} of this card", n / 20 + 1)], "{}", answer.swipe_id);
    }
}

pub(super) fn each_once(minutes: std::ops::Range<u32>) -> BTreeMap<String, u32> {
    minutes.map(|n| (format!("s{n}"), 1)).collect()
}

/// Each swipe with the run that loaded it and what that said of it.
fn loaded(warehouse: &mut dyn Warehouse) -> Vec<Vec<Cell>> {
    let sql = "SELECT swipe_id, batch_id, decision FROM swipes ORDER BY ts, swipe_id";
    warehouse.query(sql, &[], &[Kind::Text; 3]).unwrap()
}

fn runs_told(world: &World) -> Vec<(String, i64)> {
    let runs = world.read(Topic::BatchRuns).into_iter().map(|(_, event)| match event {
        Event::BatchRuns(run) => (run.batch_id, run.window_end.ms() / HOUR_MS),
        other => panic!("{other:?}"),
    });
    runs.collect()
}

fn named(n: i64) -> (String, i64) {
    (format!("toy-batch-1970-01-01T{:02}", n - 1), n)
}

/// Kills the job before, between and after its steps, and lets it come back.
fn dies_in_the_middle(database: &str) {
    let world = World::new();
    send_swipes(&world, 0..200);
    world.send_bytes(Topic::CardSwipes, "c1", b"not JSON");
    world.producer.flush(TIMEOUT).unwrap();
    for dies in [When::BeforeLoading, When::BeforePublishing, When::AfterPublishing, When::AfterPublishing] {
        let mut warehouse = Moody { dies: Some(dies), ..Moody::open(database) };
        assert!(once(&config(&world), &mut warehouse).is_none(), "it was to die {dies:?}");
    }
    let mut warehouse = Moody::open(database);
    let stats = once(&config(&world), &mut warehouse).unwrap().unwrap();
    assert!(stats.already_answered > 0, "nothing was repeated: {stats}");
    let idle = once(&config(&world), &mut warehouse).unwrap().unwrap();
    assert_eq!((idle.runs, idle.answers), (0, 0), "all that is due is done");

    assert_eq!(answered(&world), each_once(0..180), "three whole hours; the fourth is not over");
    states_were_right(&world);
    assert_eq!(world.count(Topic::DeadLetters), 1);
    assert_eq!(runs_told(&world), [named(1), named(2), named(3)], "one line for each run in the log of runs");
    let rows = loaded(&mut warehouse);
    assert_eq!(rows.len(), 180, "each swipe is one row");
    assert!(rows.iter().all(|row| row[2] == Cell::from("approve")), "with what the run said of it");
}

#[test]
fn a_job_that_dies_in_the_middle_repeats_its_run_and_gives_each_answer_once() {
    let folder = tempfile::tempdir().unwrap();
    dies_in_the_middle(&sqlite(&folder, "w.db"));
}

#[test]
fn a_job_that_dies_in_the_middle_loads_each_row_once_into_postgres() {
    let server = PostgresServer::start();
    dies_in_the_middle(&server.database("shop"));
}

#[test]
fn a_database_that_is_full_is_retried_and_nothing_is_loaded_twice() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    send_swipes(&world, 0..70);
    let mut warehouse = Moody { full: 3, ..Moody::open(&sqlite(&folder, "w.db")) };
    let stats = once(&config(&world), &mut warehouse).unwrap().unwrap();
    assert_eq!((stats.runs, stats.rows, warehouse.attempts), (1, 60, 4));
    assert_eq!(answered(&world), each_once(0..60));

    // One that stays full ends a job that runs once, with the sentence; the next life of the job
    // finds the run begun.
    send_swipes(&world, 70..130);
    warehouse.full = u32::MAX;
    let error = once(&config(&world), &mut warehouse).unwrap().unwrap_err();
    assert!(error.to_string().contains("nothing of this run was loaded; free some space"), "{error}");
    assert_eq!(answered(&world), each_once(0..60), "nothing is published before its rows are in");
    warehouse.full = 0;
    assert_eq!(once(&config(&world), &mut warehouse).unwrap().unwrap().runs, 1);
    assert_eq!(answered(&world), each_once(0..120));
    assert_eq!(loaded(&mut warehouse).len(), 120);
}

#[test]
fn a_job_that_waits_for_its_database_ends_when_it_is_told_to() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    send_swipes(&world, 0..70);
    let mut warehouse = Moody { full: u32::MAX, ..Moody::open(&sqlite(&folder, "w.db")) };
    let config = BatchConfig { once: false, first_wait: Duration::from_mins(1), ..config(&world) };
    let control = Control::new();
    let ended = std::thread::scope(|scope| {
        let job = scope.spawn(|| run_batch(&config, &toy, &mut warehouse, &control));
        // It has written down its plan: from here on it can only wait.
        wait_until("the plan", || {
            let at = [client::TopicPartition::new("card_swipes", 0)];
            let commits = world.admin.committed("toy-batch", &at).unwrap();
            commits[0].as_ref().is_some_and(|commit| commit.metadata.contains("plan="))
        });
        control.stop();
        job.join().unwrap()
    });
    assert_eq!(ended.unwrap().runs, 0, "stopping is no failure");
    let mut mended = Moody { full: 0, ..warehouse };
    assert_eq!(once(&BatchConfig { once: true, ..config }, &mut mended).unwrap().unwrap().runs, 1);
    assert_eq!(loaded(&mut mended).len(), 60);
}

#[test]
fn a_job_on_a_clock_sleeps_until_the_period_is_over() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    for n in 0..60 {
        world.send(&swipe_at(Timestamp::from_ms(n * 60_000), &format!("s{n}"), "c", 1));
    }
    world.producer.flush(TIMEOUT).unwrap();
    // It is eleven minutes to one, and an hour is six seconds.
    let clock = SimulatedClock {
        started_wall_ms: crate::clock::wall_ms(),
        start: Timestamp::from_ms(49 * 60_000),
        speed: 600.0,
    };
    let config = BatchConfig { once: false, schedule: Schedule::Clock(clock), ..config(&world) };
    let control = Control::new();
    let handle = control.clone();
    let job = std::thread::spawn(move || run_batch(&config, &toy, &mut warehouse, &handle));
    assert_eq!(world.count(Topic::FraudBatch), 0, "the hour is not over");
    wait_until("the run", || world.count(Topic::BatchRuns) == 1);
    control.stop();
    let stats = job.join().unwrap().unwrap();
    assert_eq!((stats.runs, stats.answers, stats.rows), (1, 61, 60));
    for (_, event) in world.read(Topic::FraudBatch) {
        let Event::FraudBatch(batched) = event else { unreachable!("another topic") };
        let late_ms = batched.valid_from.ms() - HOUR_MS;
        assert!(late_ms > 0, "a real run takes time, and the answer says so");
        assert!(late_ms < 3 * HOUR_MS, "{late_ms} ms of simulated time after the hour");
    }
}

#[test]
fn the_dial_is_taken_on_at_the_next_boundary_and_nothing_is_run_twice() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    let config = config(&world);
    let control = Control::new();
    for (minutes, period_ms) in [(0..130, None), (130..200, Some(HOUR_MS / 4)), (200..260, Some(HOUR_MS))] {
        send_swipes(&world, minutes);
        if let Some(period_ms) = period_ms {
            control.set_period_ms(period_ms);
        }
        run_batch(&config, &toy, &mut warehouse, &control).unwrap();
    }
    let windows: Vec<(i64, i64)> = world
        .read(Topic::BatchRuns)
        .into_iter()
        .map(|(_, event)| match event {
            Event::BatchRuns(run) => (run.window_start.ms() / 60_000, run.window_end.ms() / 60_000),
            other => panic!("{other:?}"),
        })
        .collect();
    let quarters = [(120, 135), (135, 150), (150, 165), (165, 180), (180, 195)];
    assert_eq!(windows[..2], [(0, 60), (60, 120)]);
    assert_eq!(windows[2..7], quarters);
    assert_eq!(windows[7..], [(195, 240)], "to where hours end, and on from there by the hour");
    assert_eq!(answered(&world), each_once(0..240));
    states_were_right(&world);
}

#[test]
fn a_clock_that_moved_runs_no_window_twice_and_loses_nothing() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    // The wall-clock time is one with when the show began: a machine whose clock is an hour ahead
    // has a show that began an hour earlier.
    let at = |now: Timestamp| {
        let clock = SimulatedClock { started_wall_ms: crate::clock::wall_ms(), start: now, speed: 0.001 };
        BatchConfig { schedule: Schedule::Clock(clock), ..config(&world) }
    };
    let mut runs = |now: Timestamp| once(&at(now), &mut warehouse).unwrap().unwrap().runs;
    send_swipes(&world, 0..150);
    assert_eq!(runs(minute(125)), 2);
    assert_eq!(runs(minute(65)), 0, "an hour back: those windows are done");
    assert_eq!(runs(minute(125)), 0);
    assert_eq!(runs(minute(500)), 1, "far ahead: the third hour is run before it is over");
    send_swipes(&world, 150..200);
    assert_eq!(runs(minute(185)), 0, "back again: the fourth hour is not over");
    assert_eq!(runs(minute(245)), 1, "it takes what came late for the third");
    assert_eq!(answered(&world), each_once(0..200));
    let rows = loaded(&mut warehouse);
    assert_eq!(rows.len(), 200);
    assert_eq!(rows[170][1], Cell::from("toy-batch-1970-01-01T03"), "late ones belong to the next run");
}

#[test]
fn a_producer_whose_clock_is_a_century_ahead_holds_up_no_window() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    // In every partition, before anything else.
    let far = Timestamp::from_ms(100 * 365 * 24 * HOUR_MS);
    for n in 0..20 {
        world.send(&swipe_at(far, &format!("far{n}"), &format!("c{n}"), 1));
    }
    send_swipes(&world, 0..130);
    assert_eq!(once(&config(&world), &mut warehouse).unwrap().unwrap().runs, 2);
    send_swipes(&world, 130..200);
    assert_eq!(once(&config(&world), &mut warehouse).unwrap().unwrap().runs, 1);
    assert_eq!(answered(&world), each_once(0..180));
}

pub(super) fn hour(n: u32) -> (Timestamp, Timestamp) {
    (minute(60 * n), minute(60 * (n + 1)))
}

/// The four steps of one window.
pub(super) fn by_hand(
    config: &BatchConfig,
    window: (Timestamp, Timestamp),
    folder: &Path,
    warehouse: &mut dyn Warehouse,
) -> Result<(u64, u64, u64), WindowError> {
    let control = Control::new();
    let run = WindowRun::new(config, window, folder, &control);
    let records = run.extract(&[Topic::CardSwipes], warehouse)?.run.records;
    run.transform(&toy)?;
    let rows = run.load(warehouse)?.rows;
    Ok((records, rows, run.publish(warehouse)?.answers))
}

#[test]
fn windows_by_hand_in_any_order_are_the_scheduled_ones_and_a_rerun_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    send_swipes(&world, 0..200);
    let mut warehouse = Moody::open(&sqlite(&folder, "scheduled.db"));
    assert_eq!(once(&config(&world), &mut warehouse).unwrap().unwrap().runs, 3);
    let scheduled = loaded(&mut warehouse);

    // The scheduled job's windows, run again by hand: the same records, the same rows, no answer
    // twice.
    assert_eq!(by_hand(&config(&world), hour(1), folder.path(), &mut warehouse).unwrap(), (60, 60, 0));
    assert_eq!(loaded(&mut warehouse), scheduled);
    assert_eq!(answered(&world), each_once(0..180));

    // Another world, where they were not run before: the last first, as a backfill may.
    let world = World::new();
    send_swipes(&world, 0..200);
    let mut warehouse = Moody::open(&sqlite(&folder, "by-hand.db"));
    for n in [2, 0, 1] {
        let done = by_hand(&config(&world), hour(n), folder.path(), &mut warehouse).unwrap();
        assert_eq!(done, (60, 60, 61), "hour {n}: its swipes, and the line on batch_runs");
    }
    assert_eq!(loaded(&mut warehouse), scheduled);
    assert_eq!(answered(&world), each_once(0..180));
    states_were_right(&world);

    // Stragglers of the first hour come after all that. They belong to the next window that is run,
    // and to no rerun of an earlier one.
    for n in 0..5 {
        world.send(&swipe_at(minute(30), &format!("late{n}"), &format!("c{n}"), 1));
    }
    send_swipes(&world, 200..250);
    for n in [0, 2, 1] {
        let again = by_hand(&config(&world), hour(n), folder.path(), &mut warehouse).unwrap();
        assert_eq!(again, (60, 60, 0), "hour {n} again");
    }
    assert_eq!(loaded(&mut warehouse), scheduled, "a rerun changes nothing");
    assert_eq!(by_hand(&config(&world), hour(3), folder.path(), &mut warehouse).unwrap(), (65, 65, 66));
    assert_eq!(answered(&world).values().max(), Some(&1));
    assert_eq!(answered(&world).len(), 245);
}

#[test]
fn a_schedule_that_comes_to_a_window_that_was_run_by_hand_answers_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    send_swipes(&world, 0..200);
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    for n in [1, 0] {
        by_hand(&config(&world), hour(n), folder.path(), &mut warehouse).unwrap();
    }
    let stats = once(&config(&world), &mut warehouse).unwrap().unwrap();
    assert_eq!((stats.runs, stats.answers, stats.already_answered), (3, 61, 122), "{stats}");
    assert_eq!(answered(&world), each_once(0..180));
    assert_eq!(loaded(&mut warehouse).len(), 180);
    assert_eq!(runs_told(&world).len(), 3);
}

#[test]
fn a_window_by_hand_that_dies_between_its_steps_is_repeated_from_any_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    send_swipes(&world, 0..70);
    let config = config(&world);
    let database = sqlite(&folder, "w.db");
    let control = Control::new();
    let run = WindowRun::new(&config, hour(0), folder.path(), &control);
    let error = run.transform(&toy).unwrap_err();
    assert!(error.to_string().contains("run `--stage extract` first"), "{error}");
    run.extract(&[Topic::CardSwipes], &mut Moody::open(&database)).unwrap();
    run.transform(&toy).unwrap();
    for dies in [When::BeforeLoading, When::BeforePublishing] {
        let mut warehouse = Moody { dies: Some(dies), ..Moody::open(&database) };
        let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run.load(&mut warehouse)));
        assert!(died.is_err());
        let error = run.publish(&mut Moody::open(&database)).unwrap_err();
        assert!(matches!(error, WindowError::StageMissing { stage, .. } if stage == Stage::Load.name()));
    }
    let mut warehouse = Moody::open(&database);
    assert_eq!(run.load(&mut warehouse).unwrap().rows, 60);
    warehouse.dies = Some(When::AfterPublishing);
    let died = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run.publish(&mut warehouse)));
    assert!(died.is_err());
    warehouse.dies = None;
    let published = run.publish(&mut warehouse).unwrap();
    assert_eq!((published.answers, published.already), (0, 61), "all were out when it died");
    assert_eq!(answered(&world), each_once(0..60));
    assert_eq!(loaded(&mut warehouse).len(), 60);
}

#[test]
fn what_is_no_window_to_run_is_said_and_nothing_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::new();
    let config = config(&world);
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    // A cluster of several brokers says that a topic is made before all of it knows.
    let at: Vec<_> = (0..4).map(|n| client::TopicPartition::new("card_swipes", n)).collect();
    wait_until("the topics", || world.admin.ends(&at).is_ok_and(|ends| ends.iter().all(Option::is_some)));
    let nothing = by_hand(&config, hour(0), folder.path(), &mut warehouse).unwrap_err();
    assert!(nothing.to_string().contains("there are no records at all"), "{nothing}");

    send_swipes(&world, 0..70);
    send_swipes(&world, 190..260);
    let not_over = by_hand(&config, hour(4), folder.path(), &mut warehouse).unwrap_err();
    let said = not_over.to_string();
    assert!(
        said.contains("is not over before 1970-01-01T05:00:30.000Z") && said.contains("it is 1970"),
        "{said}"
    );

    // An empty window is run, and the run log knows that there was nothing.
    assert_eq!(by_hand(&config, hour(2), folder.path(), &mut warehouse).unwrap(), (0, 0, 1));
    // A window that overlaps one that is loaded is refused.
    let half_past = (minute(150), minute(210));
    let overlap = by_hand(&config, half_past, folder.path(), &mut warehouse).unwrap_err().to_string();
    assert!(overlap.contains("overlaps that of toy-batch-1970-01-01T02, 1970-01-01T02:00"), "{overlap}");
    assert_eq!(loaded(&mut warehouse), Vec::<Vec<Cell>>::new(), "nothing was loaded twice, nor at all");

    // A window of which the log has lost a part since.
    assert_eq!(by_hand(&config, hour(0), folder.path(), &mut warehouse).unwrap().0, 60);
    let known = runs_near(&mut warehouse, "toy-batch", minute(0), minute(1)).unwrap().remove(0);
    let more = Run {
        job: "toy-batch".to_owned(),
        batch_id: known.batch_id,
        window_start: known.window_start,
        window_end: known.window_end,
        records: 61,
        started_at: minute(0),
        offsets: known.offsets,
    };
    warehouse.load(&more, &TableRows::default()).unwrap();
    let error = by_hand(&config, hour(0), folder.path(), &mut warehouse).unwrap_err();
    assert!(error.to_string().contains("61 records, of which the log still has 60"), "{error}");
    assert_eq!(loaded(&mut warehouse).len(), 60, "what is loaded stays");

    // A database that remembers another log than this one.
    let recreated = World::new();
    send_swipes(&recreated, 240..250);
    let config = BatchConfig { settings: recreated.settings.clone(), ..config };
    let error = by_hand(&config, hour(0), folder.path(), &mut warehouse).unwrap_err();
    assert!(error.to_string().contains("the topic was recreated since"), "{error}");
}
