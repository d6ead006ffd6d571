//! What holds for every database, tried on SQLite here and on Postgres in `postgres_tests.rs`.

use events::{
    Batched, Business, Chargeback, Click, ClickKind, Decision, Event, FraudDecision, RoadTraversal,
    Timestamp, Topic,
};

use processor::mart::{BATCH_ID, Mart, Migration, Question, Table, key, take_later_row};
use serde_json::{Value, json};

use super::report::Latest;
use super::*;
use crate::toy::{MARTS, swipe, swipe_at};

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
    let mut rows = Rows::new(&MARTS);
    for event in events {
        rows.add(event);
    }
    rows.tables(batch_id)
}

pub(super) fn swipes(count: u32) -> Vec<Event> {
    (0..count).map(|n| swipe(&format!("s{n}"), "c", i64::from(n))).collect()
}

pub(super) fn count(warehouse: &mut dyn Warehouse, table: &str) -> i64 {
    let found = warehouse.query(&format!("SELECT COUNT(*) FROM {table}"), &[], &[Kind::Integer]).unwrap();
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
    for table in MARTS.iter().flat_map(|mart| mart.tables) {
        let columns: Vec<_> = table.columns.iter().map(|column| column.name).collect();
        let kinds: Vec<_> = table.columns.iter().map(|column| column.kind).collect();
        let sql = format!("SELECT {} FROM {} ORDER BY 1, 2, 3", columns.join(", "), table.name);
        all.extend(warehouse.query(&sql, &[], &kinds).unwrap().into_iter().map(|row| (table.name, row)));
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
    for (name, rows) in [("b", &later), ("a", &first)] {
        warehouse.load(&run(name), rows).unwrap();
        assert_eq!(dump(warehouse), both, "{name} is run once more");
    }
    // A run whose repetition brings less leaves nothing of what it had brought before.
    warehouse.load(&run("b"), &rows("b", &[])).unwrap();
    assert_eq!(count(warehouse, "item_hours"), 2);

    warehouse.finish("a", Timestamp::from_ms(7), Timestamp::from_ms(8)).unwrap();
    let known = runs_near(warehouse, "fraud-batch", Timestamp::from_ms(3_600_000), Timestamp::MAX).unwrap();
    assert_eq!(known.len(), 2, "they end where that begins: neighbours");
    let LoggedRun { attempts, finished_at, visible_from, offsets, .. } = &known[0];
    assert_eq!((*attempts, *finished_at), (3, Some(Timestamp::from_ms(7))));
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
    let nothing = report::report(warehouse, &MARTS, &question(10)).unwrap();
    assert!(nothing.iter().all(|section| section.lines.is_empty()), "{nothing:?}");

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
    assert_eq!(report::latest(warehouse), Ok(Some(Latest { window: hour, unfinished: None })));
    let found = report::report(warehouse, &MARTS, &question(2)).unwrap();
    let lines = |kind: &str| -> Vec<Value> {
        let section = found.iter().find(|section| section.query.kind == kind).unwrap();
        assert!(
            section.lines.iter().all(|line| line.text.len() == section.query.headings.len()),
            "{section:?}"
        );
        section.lines.iter().map(|line| line.json.clone()).collect()
    };
    assert_eq!(
        lines("revenue"),
        [json!({
            "currency": null, "swipes": 2, "cards": 2, "amount_cents": 350, "charged_back_cents": 250,
        })]
    );
    assert_eq!(
        lines("fraud"),
        [json!({
            "currency": null, "scored": 2, "declined": 1, "declined_cents": 250, "charged_back": 1,
            "charged_back_declined": 1,
        })]
    );
    assert_eq!(
        lines("road"),
        [
            json!({ "link_id": "busy", "name": "Busy Street", "traversals": 2, "speed_mps": 5.0 }),
            json!({ "link_id": "quiet", "name": null, "traversals": 1, "speed_mps": 10.0 }),
        ]
    );
    let sold: Vec<_> = lines("best_seller").into_iter().map(|line| line["purchases"].clone()).collect();
    assert_eq!(sold, [3, 2], "the best two");
    assert_eq!(lines("run").len(), 1);

    // Pasted into a shell for SQL, each says the same.
    for query in report::queries(&MARTS) {
        let asked = question(2);
        let told = warehouse.query(query.sql, &query.parameters(&asked), query.columns);
        assert!(told.as_ref().is_ok_and(|rows| !rows.is_empty()), "{}: {told:?}", query.title);
        assert_eq!(warehouse.query(&query.pasted(&asked), &[], query.columns), told, "{}", query.title);
    }

    // Another job has loaded the hour and the next one, in which this one still reads.
    let next = (Timestamp::from_ms(3_600_000), Timestamp::from_ms(7_200_000));
    let of_other = |batch_id: &str, (window_start, window_end)| Run {
        job: "other".into(),
        window_start,
        window_end,
        ..run(batch_id)
    };
    warehouse.load(&of_other("c", next), &rows("c", &[])).unwrap();
    let unfinished = Some((next, vec!["fraud-batch".to_owned()]));
    let latest = Latest { window: next, unfinished: unfinished.clone() };
    assert_eq!(report::latest(warehouse), Ok(Some(latest)), "no window has been loaded by both");
    warehouse.load(&of_other("b", hour), &rows("b", &[])).unwrap();
    let latest = Latest { window: hour, unfinished };
    assert_eq!(report::latest(warehouse), Ok(Some(latest)), "the newest that both have loaded");
}

/// A table whose rows hold as a whole.
pub(super) static DIAL: Mart = Mart {
    business: Business::Shop,
    tables: &[Table {
        name: "dials",
        by_run: false,
        columns: &[
            key("dial", Kind::Text),
            take_later_row("low", Kind::Integer),
            take_later_row("high", Kind::Integer),
            BATCH_ID,
        ],
    }],
    migrations: &[Migration {
        version: 1,
        sql: "CREATE TABLE dials (dial TEXT PRIMARY KEY, low {integer}, high {integer}, batch_id TEXT NOT NULL){strict};",
    }],
    rows: || unreachable!("no events"),
    queries: &[],
};

/// A row that is corrected is all of the later run, unknown values too, in whatever order they
/// come.
pub(super) fn corrects_rows(mut warehouse: Box<dyn Warehouse>) {
    let mut load = |id: &str, low: Cell, high: Cell| {
        let dial = vec![vec!["d".into(), low, high, id.into()]];
        warehouse.load(&run(id), &TableRows(vec![(&DIAL.tables[0], dial)])).unwrap();
        let kinds = [Kind::Integer, Kind::Integer, Kind::Text];
        warehouse.query("SELECT low, high, batch_id FROM dials", &[], &kinds).unwrap()
    };
    let whole = |id: &str, low: Cell, high: Cell| vec![vec![low, high, id.into()]];
    assert_eq!(load("b", 1.into(), 9.into()), whole("b", 1.into(), 9.into()));
    assert_eq!(load("c", 2.into(), Cell::Null), whole("c", 2.into(), Cell::Null), "the later one");
    assert_eq!(load("a", 3.into(), 7.into()), whole("c", 2.into(), Cell::Null), "an earlier one");
    assert_eq!(load("c", 4.into(), 5.into()), whole("c", 4.into(), 5.into()), "the same once more");
}

fn question(top: u32) -> Question<'static> {
    Question {
        start: Timestamp::from_ms(0),
        end: Timestamp::from_ms(3_600_000),
        top,
        street: &|link| (link == "busy").then(|| "Busy Street".to_owned()),
    }
}

#[test]
fn sqlite_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    keeps_its_promises(&mut *open(folder.path().join("a.db").to_str().unwrap(), &MARTS).unwrap());
    answers_questions(&mut *open(folder.path().join("b.db").to_str().unwrap(), &MARTS).unwrap());
    corrects_rows(open(folder.path().join("c.db").to_str().unwrap(), &[&DIAL]).unwrap());
}

#[test]
fn what_is_no_address_says_how_one_is_written() {
    let error = open("mysql://me@db/shop", &MARTS).err().unwrap();
    assert!(error.to_string().contains("no databases of the kind mysql"), "{error}");
    assert!(!error.is_transient());
}
