//! What holds for every database, tried on SQLite here and on Postgres in `postgres_tests.rs`.

use events::{
    Batched, Chargeback, Click, ClickKind, Decision, Event, FraudDecision, RoadTraversal, Timestamp, Topic,
};

use super::tables::TABLES;
use super::*;
use crate::toy::{swipe, swipe_at};

pub(super) fn run(id: &str) -> Run {
    Run {
        job: "fraud-batch".to_owned(),
        batch_id: id.to_owned(),
        window_start: Timestamp::from_ms(0),
        window_end: Timestamp::from_ms(3_600_000),
        records: 3,
        started_at: Timestamp::from_ms(1),
        offsets: vec![RunOffsets { topic: Topic::CardSwipes, partition: 0, settled: 2, end: 5 }],
    }
}

pub(super) fn rows(batch_id: &str, events: &[Event]) -> TableRows {
    let mut rows = Rows::default();
    for event in events {
        rows.add(event);
    }
    rows.tables(batch_id)
}

pub(super) fn swipes(count: u32) -> Vec<Event> {
    (0..count).map(|n| swipe(&format!("s{n}"), "c", i64::from(n))).collect()
}

pub(super) fn count(warehouse: &mut dyn Warehouse, table: &str) -> i64 {
    let found = warehouse.ask(&format!("SELECT COUNT(*) FROM {table}"), &[], &[Kind::Integer]).unwrap();
    found[0][0].integer().unwrap()
}

fn click(item: &str, kind: ClickKind) -> Event {
    Event::Clicks(Click {
        ts: Timestamp::from_ms(5),
        event_id: None,
        session_id: "x".to_owned(),
        shopper_id: None,
        kind,
        item_id: Some(item.to_owned()),
        dwell_ms: None,
        depth: None,
    })
}

fn verdict(id: &str, decision: Decision) -> Event {
    Event::FraudBatch(Batched {
        answer: FraudDecision {
            ts: Timestamp::from_ms(0),
            swipe_id: id.to_owned(),
            card_id: format!("card of {id}"),
            decision,
            probability: 0.1 + 0.2,
            reasons: Vec::new(),
            scored_in_us: None,
        },
        batch_id: "b".to_owned(),
        valid_from: Timestamp::from_ms(0),
    })
}

fn chargeback(id: &str) -> Event {
    Event::Chargebacks(Chargeback {
        ts: Timestamp::from_ms(9),
        swipe_id: id.to_owned(),
        card_id: "c".to_owned(),
        terminal_id: "t".to_owned(),
    })
}

fn drive(link: &str, metres: f64, seconds: f64) -> Event {
    Event::RoadTraversals(RoadTraversal {
        ts: Timestamp::from_ms(7),
        link_id: link.to_owned(),
        vehicle_id: "v".to_owned(),
        seconds,
        metres,
    })
}

/// Every row of every table of rows.
fn dump(warehouse: &mut dyn Warehouse) -> Vec<(&'static str, Vec<Cell>)> {
    let mut all = Vec::new();
    for table in &TABLES {
        let columns: Vec<_> = table.columns.iter().map(|column| column.name).collect();
        let kinds: Vec<_> = table.columns.iter().map(|column| column.kind).collect();
        let sql = format!("SELECT {} FROM {} ORDER BY 1, 2", columns.join(", "), table.name);
        all.extend(warehouse.ask(&sql, &[], &kinds).unwrap().into_iter().map(|row| (table.name, row)));
    }
    all
}

/// All promises, on an empty database.
pub(super) fn keeps_its_promises(warehouse: &mut dyn Warehouse) {
    let brought = [
        swipe("s1", "c", 100),
        verdict("s1", Decision::Decline),
        chargeback("s1"),
        click("i1", ClickKind::View),
        click("i1", ClickKind::Purchase),
        click("i2", ClickKind::View),
        drive("l1", 100.0, 10.0),
    ];
    let first = rows("a", &brought);
    assert_eq!(warehouse.load(&run("a"), &first), Ok(5));
    let once = dump(warehouse);
    assert_eq!(once.len(), 5, "{once:#?}");
    let probability = once.iter().find(|(table, _)| *table == "swipes").map(|(_, row)| row[10].clone());
    assert_eq!(probability, Some(Cell::Real(0.1 + 0.2)), "to the last bit");
    assert_eq!(warehouse.load(&run("a"), &first), Ok(5));
    assert_eq!(dump(warehouse), once, "a run that is loaded again changes nothing");

    // A later run adds to a row and takes nothing away; an earlier one that is run again takes
    // nothing back.
    let later = rows("b", &[verdict("s1", Decision::Approve), click("i1", ClickKind::View)]);
    warehouse.load(&run("b"), &later).unwrap();
    let both = dump(warehouse);
    let swipe_row = both.iter().find(|(table, _)| *table == "swipes").unwrap().1.clone();
    assert_eq!((&swipe_row[4], &swipe_row[11]), (&Cell::Integer(100), &Cell::from("b")));
    assert_eq!(count(warehouse, "item_hours"), 3, "each run has its own share of an hour");
    warehouse.load(&run("b"), &later).unwrap();
    assert_eq!(dump(warehouse), both);
    // A run whose repetition brings less leaves nothing of what it had brought before.
    warehouse.load(&run("b"), &rows("b", &[])).unwrap();
    assert_eq!(count(warehouse, "item_hours"), 2);

    warehouse.finish("a", Timestamp::from_ms(7), Timestamp::from_ms(8)).unwrap();
    let known = runs_near(warehouse, "fraud-batch", Timestamp::from_ms(3_600_000), Timestamp::MAX).unwrap();
    assert_eq!(known.len(), 2, "they end where that begins: neighbours");
    let LoggedRun { attempts, finished_at, visible_from, offsets, .. } = &known[0];
    assert_eq!((*attempts, *finished_at), (2, Some(Timestamp::from_ms(7))));
    assert_eq!(*visible_from, Some(Timestamp::from_ms(8)));
    assert_eq!(*offsets, run("a").offsets);
    assert_eq!(known[1].attempts, 3);
    let elsewhere = Timestamp::from_ms(3_600_001);
    assert_eq!(runs_near(warehouse, "fraud-batch", elsewhere, Timestamp::MAX), Ok(Vec::new()));
    assert_eq!(runs_near(warehouse, "other", Timestamp::MIN, Timestamp::MAX), Ok(Vec::new()));
}

/// A report tells what was loaded, on an empty database.
pub(super) fn answers_questions(warehouse: &mut dyn Warehouse) {
    assert_eq!(report::latest(warehouse), Ok(None));
    let hour = (Timestamp::from_ms(0), Timestamp::from_ms(3_600_000));
    let nothing = report::report(warehouse, hour, 10).unwrap();
    assert!(nothing.revenue.is_empty() && nothing.roads.is_empty(), "{nothing:?}");

    let mut events = vec![
        swipe("s1", "card of s1", 100),
        swipe("s2", "card of s2", 250),
        swipe_at(Timestamp::from_ms(3_600_000), "next hour", "d", 9_999),
        verdict("s1", Decision::Approve),
        verdict("s2", Decision::Decline),
        chargeback("s2"),
        drive("busy", 100.0, 10.0),
        drive("busy", 100.0, 30.0),
        drive("quiet", 50.0, 5.0),
    ];
    for (item, sold) in [("a", 1), ("b", 3), ("c", 2)] {
        events.push(click(item, ClickKind::View));
        events.extend((0..sold).map(|_| click(item, ClickKind::Purchase)));
    }
    events.push(click("never sold", ClickKind::View));
    warehouse.load(&run("a"), &rows("a", &events)).unwrap();
    assert_eq!(report::latest(warehouse), Ok(Some(hour)));
    let found = report::report(warehouse, hour, 2).unwrap();
    let revenue =
        report::Revenue { currency: None, swipes: 2, cards: 2, amount_cents: 350, charged_back_cents: 250 };
    assert_eq!(found.revenue, [revenue]);
    let fraud = report::Fraud {
        currency: None,
        scored: 2,
        declined: 1,
        declined_cents: 250,
        charged_back: 1,
        charged_back_declined: 1,
    };
    assert_eq!(found.fraud, [fraud]);
    let roads: Vec<_> = found.roads.iter().map(|road| (road.link_id.as_str(), road.speed_mps)).collect();
    assert_eq!(roads, [("busy", Some(5.0)), ("quiet", Some(10.0))]);
    let sellers: Vec<_> = found.sellers.iter().map(|item| (item.item_id.as_str(), item.purchases)).collect();
    assert_eq!(sellers, [("b", 3), ("c", 2)], "the best two");
    assert_eq!(found.runs.len(), 1);
}

#[test]
fn sqlite_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    keeps_its_promises(&mut *open(folder.path().join("a.db").to_str().unwrap()).unwrap());
    answers_questions(&mut *open(folder.path().join("b.db").to_str().unwrap()).unwrap());
}

#[test]
fn what_is_no_address_says_how_one_is_written() {
    let error = open("mysql://me@db/shop").err().unwrap();
    assert!(error.to_string().contains("no databases of the kind mysql"), "{error}");
    assert!(!error.may_pass());
}
