//! The fourth business as a person runs it: nothing lost through kills, one bill for a seed, and
//! the same candles and signals from both lanes.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::collections::{BTreeMap, HashSet};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use common::postgres_server::PostgresServer;
use common::{Broker, PATIENCE, freshet, signal, until};
use serde_json::Value;

fn output(command: &mut Command) -> Output {
    let ran = command.stdin(Stdio::null()).output().unwrap();
    assert!(ran.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&ran.stderr));
    ran
}

fn json_lines(output: &[u8]) -> Vec<Value> {
    let lines = output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

fn worker(broker: &Broker, args: &[&str]) -> Child {
    let mut command = freshet();
    command.args(args).args(["--bootstrap-servers", &broker.address]);
    command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn records(broker: &Broker, topic: &str) -> Vec<Value> {
    json_lines(&output(freshet().args(["record", topic, "--bootstrap-servers", &broker.address])).stdout)
}

/// What `freshet ledger` says of the minutes that are over.
fn ledger(broker: &Broker) -> Option<Value> {
    let audited = freshet()
        .args(["ledger", "--format", "jsonl", "--bootstrap-servers", &broker.address])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    json_lines(&audited.stdout).into_iter().find(|book| book["questions"] == "trades")
}

#[test]
fn every_minute_has_one_signal_though_the_consumer_and_the_broker_are_killed() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path());
    let mut signals = worker(&broker, &["consume", "signals"]);
    let topics = || output(freshet().args(["topics", "--bootstrap-servers", &broker.address]));
    until("the topics", || {
        let listed = String::from_utf8_lossy(&topics().stdout).into_owned();
        ["trades", "candles", "signals"].iter().all(|topic| listed.contains(topic))
    });
    let mut trades = worker(&broker, &["produce", "trades", "--speed", "300"]);
    for at_least in [200, 500] {
        until("signals", || records(&broker, "signals").len() >= at_least);
        signals.kill().unwrap();
        signals.wait().unwrap();
        signals = worker(&broker, &["consume", "signals"]);
    }
    let broker = broker.crash_and_restart();
    until("signals after the crash", || records(&broker, "signals").len() >= 900);
    signal(trades.id(), "TERM");
    trades.wait().unwrap();
    let mut book = Value::Null;
    until("an end to what is in flight", || {
        book = ledger(&broker).unwrap_or_default();
        book["in_flight"] == 0
    });
    let count = |name: &str| book[name].as_u64().unwrap();
    assert_eq!((count("lost"), count("doubled"), count("dead_lettered")), (0, 0, 0), "{book:#}");
    assert!(count("answered") >= 900, "{book:#}");
    signal(signals.id(), "TERM");
    assert!(signals.wait().unwrap().success());

    // A candle is published once, and once more for each change.
    let mut published = HashSet::new();
    for record in records(&broker, "candles") {
        let candle = &record["value"];
        let key = (candle["pair"].to_string(), candle["ts"].to_string(), candle["revision"].to_string());
        assert!(published.insert(key), "twice: {candle}");
    }
    assert!(published.len() as u64 >= count("answered"), "{} candles", published.len());
}

/// Two simulated hours of the markets alone, as the last line of the show: its summary.
fn show(speed: u32, database: &str) -> Value {
    let duration = format!("{}s", 2 * 60 * 60 / speed);
    let ran =
        output(freshet().args(["demo", "--headless", "--scenario", "markets", "--format", "jsonl"]).args([
            "--listen",
            "127.0.0.1:0",
            "--seed",
            "7",
            "--speed",
            &speed.to_string(),
            "--duration",
            &duration,
            "--batch-period",
            "15m",
            "--database",
            database,
        ]));
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    json_lines(&ran.stdout).pop().unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bill_of_the_markets_whatever_the_speed_and_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("markets.db").display().to_string();
    let server = PostgresServer::start();
    let database = server.database("markets");
    let (sqlite, postgres) = thread::scope(|scope| {
        let sqlite = scope.spawn(|| show(240, &file));
        let postgres = show(360, &database);
        (sqlite.join().unwrap(), postgres)
    });
    let bill = &sqlite["bill"];
    assert_eq!(bill, &postgres["bill"]);
    assert!(bill["markets"]["batch"]["orders"].as_u64() > Some(50), "{bill:#}");
    for show in [&sqlite, &postgres] {
        let signals = &show["businesses"][0];
        assert_eq!(
            (&signals["business"], &signals["lost"], &signals["doubled"]),
            (&"signals".into(), &0.into(), &0.into())
        );
    }
    // And both databases say the same of it.
    let report = |database: &str| {
        let window = ["--window", "2026-03-03T11:10Z..2026-03-03T12:30Z", "--format", "jsonl"];
        let lines =
            json_lines(&output(freshet().args(["report", "--database", database]).args(window)).stdout);
        lines.into_iter().filter(|line| line["type"] == "pair").collect::<Vec<_>>()
    };
    let pairs = report(&file);
    assert_eq!(pairs.len(), 20, "every pair was traded");
    assert_eq!(pairs, report(&database));
    assert!(pairs.iter().all(|pair| pair["minutes"].as_u64() <= Some(80)), "of the window alone: {pairs:?}");
    assert!(pairs.iter().any(|pair| pair["buy_signals"].as_u64() > Some(0)), "{pairs:?}");
}

/// Sends trades of one pair and one exchange, an event-time second and a name each.
fn send(broker: &Broker, trades: impl Iterator<Item = (i64, String)>) {
    let settings = client::Settings::new(&broker.address);
    let producer = client::Producer::new(&settings, &client::ProducerOptions::stream()).unwrap();
    for (second, name) in trades {
        let ts = format!("2026-03-03T{:02}:{:02}:{:02}Z", 11 + second / 3600, second / 60 % 60, second % 60);
        let trade = format!(
            r#"{{"ts":"{ts}","trade_id":"{name}","pair":"ADA-USD","exchange":"kelp","price_e8":100,"quantity_e8":1,"side":"buy"}}"#
        );
        let value = Some(trade.as_bytes());
        let outgoing =
            client::Outgoing { topic: "trades", partition: Some(0), value, ..client::Outgoing::default() };
        producer.send(outgoing, PATIENCE).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

/// How many trades each candle of the batch lane has in the end, with a job that is started a
/// second time before very late trades come, or only afterwards.
fn candles_with_late_trades(started_twice: bool) -> BTreeMap<String, u64> {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path());
    let run = || {
        let job = ["batch", "signals", "--once", "--bootstrap-servers", &broker.address, "--database"];
        let ran = output(freshet().args(job).arg(folder.path().join("markets.db")));
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    };
    send(&broker, (0..9_900).map(|second| (second, format!("t{second}"))));
    if started_twice {
        run();
    }
    // Two hours and a half late: of minutes that the run before still keeps.
    let late = [965, 1_930].map(|second| (second, format!("late{second}")));
    send(&broker, late.into_iter().chain((9_900..13_800).map(|second| (second, format!("t{second}")))));
    run();
    let value = |record: &Value| record["value"].clone();
    let candles = records(&broker, "candles_batch");
    candles
        .iter()
        .map(value)
        .map(|candle| (candle["ts"].to_string(), candle["trades"].as_u64().unwrap()))
        .collect()
}

#[test]
fn a_job_that_is_started_again_knows_the_candles_that_late_trades_change() {
    let candles = candles_with_late_trades(true);
    assert_eq!(candles, candles_with_late_trades(false));
    assert_eq!(
        candles.values().filter(|trades| **trades == 61).count(),
        2,
        "sixty trades a minute, and a late one"
    );
}

/// What a lane says last of each pair's minute, by the fields of the answer.
fn last_words(answers: &[Value], topic: &str) -> BTreeMap<(String, String), Value> {
    let mut last = BTreeMap::new();
    for record in answers.iter().filter(|record| record["topic"] == topic) {
        let mut value = record["value"].clone();
        let fields = value.as_object_mut().unwrap();
        // How often a candle was corrected, and by which run, is what the lanes differ in.
        fields.retain(|field, _| !["revision", "batch_id", "valid_from"].contains(&field.as_str()));
        last.insert((value["pair"].to_string(), value["ts"].to_string()), value);
    }
    last
}

#[test]
fn both_lanes_have_the_same_candles_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("trades.jsonl");
    let printed = output(freshet().args(["produce", "trades", "--print", "2h", "--seed", "11"]));
    std::fs::write(&log, printed.stdout).unwrap();
    let replay = |more: &[&str]| {
        let input = std::fs::File::open(&log).unwrap();
        let ran = freshet().args(["replay", "signals"]).args(more).stdin(input).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        json_lines(&ran.stdout)
    };
    let stream = last_words(&replay(&[]), "candles");
    let batch = last_words(&replay(&["--period", "1h"]), "candles_batch");
    assert!(stream.len() > 2_000, "{}", stream.len());
    // The stream has not closed the last minutes: no trade says that they are over.
    for (minute, candle) in &stream {
        assert_eq!(batch.get(minute), Some(candle), "{minute:?}");
    }
}
