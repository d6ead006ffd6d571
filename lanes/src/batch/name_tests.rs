//! The run that an answer names is one that `batch_runs` and the warehouse know.

use std::collections::BTreeSet;

use events::{Batched, Event, HOUR_MS, Topic};

use super::super::tests::World;
use super::super::{Control, name_run};
use super::moody::Moody;
use super::run_batch;
use super::tests::{by_hand, config, hour, minute, send_swipes, sqlite, toy};
use crate::warehouse::Warehouse;
use processor::mart::Kind;

/// The answers on `fraud_batch`.
fn answers(world: &World) -> Vec<Batched<events::FraudDecision>> {
    let all = world.read(Topic::FraudBatch).into_iter();
    all.map(|(_, event)| match event {
        Event::FraudBatch(batched) => batched,
        other => panic!("{other:?}"),
    })
    .collect()
}

/// Every answer names the run whose window holds its question, as the topic of runs and the
/// database name it.
fn every_answer_names_its_run(world: &World, warehouse: &mut dyn Warehouse) {
    let mut told = BTreeSet::new();
    let mut windows = Vec::new();
    for (_, event) in world.read(Topic::BatchRuns) {
        let Event::BatchRuns(run) = event else { panic!("{event:?}") };
        told.insert(run.batch_id.clone());
        windows.push(run);
    }
    let rows = warehouse.query("SELECT batch_id FROM batch_runs", &[], &[Kind::Text]).unwrap();
    let logged: BTreeSet<_> =
        rows.iter().flatten().filter_map(|cell| cell.text().map(str::to_owned)).collect();
    assert_eq!(told, logged);
    for Batched { answer, batch_id, .. } in answers(world) {
        let run = windows.iter().find(|run| run.batch_id == batch_id);
        let run = run.unwrap_or_else(|| panic!("{batch_id:?} is none of {told:?}"));
        assert!(run.window_start <= answer.ts && answer.ts < run.window_end, "{answer:?} in {run:?}");
    }
}

#[test]
fn under_a_dial_that_moves() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    let control = Control::new();
    for (minutes, period_ms) in [(0..130, HOUR_MS), (130..200, HOUR_MS / 4), (200..320, HOUR_MS)] {
        send_swipes(&world, minutes);
        control.set_period_ms(period_ms);
        run_batch(&config(&world), &toy, &mut warehouse, &control).unwrap();
    }
    every_answer_names_its_run(&world, &mut warehouse);
    let names: BTreeSet<_> = answers(&world).into_iter().map(|batched| batched.batch_id).collect();
    assert!(names.contains("toy-batch-1970-01-01T02:15") && names.len() >= 7, "{names:?}");
}

#[test]
fn in_windows_by_hand_and_again() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    send_swipes(&world, 0..200);
    let config = config(&world);
    for n in [1, 0, 2, 1] {
        by_hand(&config, hour(n), folder.path(), &mut warehouse).unwrap();
    }
    every_answer_names_its_run(&world, &mut warehouse);
    assert_eq!(answers(&world).len(), 180);
}

#[test]
fn a_replay_gives_the_names_that_the_lane_gives() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let mut warehouse = Moody::open(&sqlite(&folder, "w.db"));
    send_swipes(&world, 0..190);
    run_batch(&config(&world), &toy, &mut warehouse, &Control::new()).unwrap();
    let lane = answers(&world);
    assert_eq!(lane.len(), 180);
    for batched in lane {
        let end = batched.answer.ts.floor(HOUR_MS).plus_ms(HOUR_MS);
        let mut replayed = Event::FraudBatch(Batched::as_of(batched.answer, end));
        name_run(&mut replayed, "toy-batch", HOUR_MS);
        let Event::FraudBatch(Batched { batch_id, .. }) = replayed else { unreachable!("the same kind") };
        assert_eq!(batch_id, batched.batch_id);
    }
}

#[test]
fn an_answer_that_rests_on_the_run_before_names_the_run_that_gives_it() {
    let Event::FraudDecisions(answer) = toy_answer(minute(70)) else { unreachable!("a decision") };
    let mut stale = Event::FraudBatch(Batched::as_of(answer, minute(60)));
    name_run(&mut stale, "toy-batch", HOUR_MS);
    let Event::FraudBatch(Batched { batch_id, valid_from, .. }) = stale else { unreachable!("the same") };
    assert_eq!((batch_id.as_str(), valid_from), ("toy-batch-1970-01-01T01", minute(60)));
}

fn toy_answer(ts: events::Timestamp) -> Event {
    let mut answers = Vec::new();
    processor::Processor::process(
        &mut super::super::toy::Toy::default(),
        &super::super::toy::swipe_at(ts, "s", "c", 1),
        &mut answers,
    );
    answers.swap_remove(0)
}
