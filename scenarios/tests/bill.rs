//! The bill of whole shows: for a seed it is the same, whichever broker carried the log, whichever database took the rows, and
//! however busy the machine was.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use common::apache::Apache;
use common::postgres_server::PostgresServer;
use common::{Broker, freshet};
use serde_json::Value;

/// Twenty simulated minutes with a run every five, as the last line of the show: its summary.
fn show(more: &[&str]) -> Value {
    let mut command = freshet();
    command.args(["demo", "--headless", "--format", "jsonl", "--seed", "7", "--duration", "20s"]);
    command.args(["--batch-period", "5m", "--drivers", "20"]).args(more);
    let ran = command.stdin(Stdio::null()).output().unwrap();
    assert!(ran.status.success(), "{more:?}: {}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(ran.stdout.trim_ascii_end().rsplit(|b| *b == b'\n').next().unwrap()).unwrap()
}

/// What must be the same in both, and what may differ a little: where partitions tell each other how fast the roads are, an answer hangs on
/// which of two records was read first.
fn same_bill(one: &Value, other: &Value) {
    let (one, other) = (&one["bill"], &other["bill"]);
    for business in ["payments", "shop"] {
        assert_eq!(one[business], other[business], "{business}, to the cent and the click");
    }
    let lines = |bill: &Value| -> Vec<Value> {
        let exact = |line: &&Value| {
            !matches!(line["measure"].as_str(), Some("eta_error_min" | "wrong_texts_percent"))
        };
        bill["lines"].as_array().unwrap().iter().filter(exact).cloned().collect()
    };
    assert!(lines(one).len() >= 3, "money, clicks, and clicks beside an old model: {one:#}");
    assert_eq!(lines(one), lines(other), "with their intervals");
    assert!(one["payments"]["stream"]["swipes"].as_u64() > Some(200), "{one:#}");
    assert!(one["shop"]["stale_model"]["cases"].as_u64() > Some(500), "{one:#}");
    for lane in ["stream_beside_batch", "batch"] {
        let (one, other) = (&one["rides"][lane], &other["rides"][lane]);
        assert!(one["quotes"].as_u64() > Some(8), "{one:#}");
        for count in ["quotes", "unanswered", "texts_due"] {
            assert_eq!(one[count], other[count], "{lane}: {one} and {other}");
        }
        let minutes = |lane: &Value| lane["mean_error_min"].as_f64().unwrap();
        assert!((minutes(one) - minutes(other)).abs() < 1.0, "{lane}: {one} and {other}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bill_with_sqlite_and_with_postgres() {
    let server = PostgresServer::start();
    let database = server.database("shop");
    // At once: each makes the machine busy for the other, which is what must not matter.
    let (sqlite, postgres) = thread::scope(|scope| {
        let sqlite = scope.spawn(|| show(&["--listen", "127.0.0.1:0"]));
        let postgres = show(&["--listen", "127.0.0.1:0", "--database", &database]);
        (sqlite.join().unwrap(), postgres)
    });
    same_bill(&sqlite, &postgres);
    assert!(server.holds("shop", "SELECT 1 FROM swipes WHERE decision IS NOT NULL"), "the rows are there");
}

#[test]
#[ignore = "needs Java and Maven: make clients"]
fn apache_kafka_and_postgres_give_the_bill_of_the_embedded_broker_and_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let apache = Apache::start(folder.path());
    let server = PostgresServer::start();
    let database = server.database("shop");
    let embedded = show(&["--listen", "127.0.0.1:0"]);
    let kafka = show(&["--bootstrap-servers", &apache.address, "--database", &database]);
    same_bill(&embedded, &kafka);
}

/// The lines of a topic's record, or of what the simulator prints.
fn lines(command: &mut Command) -> Vec<String> {
    let ran = command.stdin(Stdio::null()).output().unwrap();
    assert!(ran.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Of each business six simulated minutes, through a broker at `address` and back, must be line for line what its simulator prints.
fn comes_back_as_it_was_sent(address: &str) {
    let businesses: [(&str, &[&str]); 3] = [
        ("gps", &["driver_locations", "truck_gps_coordinates", "trips"]),
        ("swipes", &["card_swipes", "chargebacks"]),
        ("clicks", &["clicks"]),
    ];
    for (business, topics) in businesses {
        let until = ["--until", "2026-03-03T10:51:00Z", "--speed", "120"];
        let sent = freshet()
            .args(["produce", business, "--bootstrap-servers", address])
            .args(until)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(sent.success(), "{business}");
        let recorded = lines(freshet().args(["record", "--bootstrap-servers", address]).args(topics));
        let printed = lines(freshet().args(["produce", business, "--print", "6m"]));
        let printed: Vec<_> =
            printed.into_iter().filter(|line| !line.contains("\"topic\":\"simulation_truth\"")).collect();
        assert!(printed.len() > 50, "{business}: {}", printed.len());
        let differs = recorded.iter().zip(&printed).position(|(recorded, printed)| recorded != printed);
        assert_eq!((recorded.len(), differs), (printed.len(), None), "{business}");
    }
}

#[test]
fn a_recorded_show_is_line_for_line_what_its_simulator_prints() {
    let folder = tempfile::tempdir().unwrap();
    comes_back_as_it_was_sent(&Broker::start(folder.path()).address);
}

#[test]
#[ignore = "needs Java and Maven: make clients"]
fn an_apache_kafka_gives_back_the_same_lines() {
    let folder = tempfile::tempdir().unwrap();
    comes_back_as_it_was_sent(&Apache::start(Path::new(folder.path())).address);
}
