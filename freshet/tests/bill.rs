//! The bill of whole shows: for a seed it is the same, whichever broker carried the log, whichever
//! database took the rows, and however busy the machine was.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use common::apache::Apache;
use common::postgres_server::PostgresServer;
use common::{Broker, freshet};
use serde_json::Value;

/// Twenty simulated minutes with a run every five at so many times the speed, as the last line of
/// the show: its summary.
fn show(speed: u32, more: &[&str]) -> Value {
    let mut command = freshet();
    command.args(["demo", "--headless", "--format", "jsonl", "--seed", "7"]);
    command.args(["--speed", &speed.to_string(), "--duration", &format!("{}s", 20 * 60 / speed)]);
    command.args(["--batch-period", "5m", "--drivers", "20"]).args(more);
    let ran = command.stdin(Stdio::null()).output().unwrap();
    assert!(ran.status.success(), "{more:?}: {}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(ran.stdout.trim_ascii_end().rsplit(|b| *b == b'\n').next().unwrap()).unwrap()
}

/// To the cent, the click and the millisecond, with the intervals.
fn same_bill(one: &Value, other: &Value) {
    let (bill, rides) = (&one["bill"], &one["bill"]["rides"]);
    assert_eq!(bill, &other["bill"]);
    let measures: Vec<_> =
        bill["lines"].as_array().unwrap().iter().map(|line| line["measure"].as_str().unwrap()).collect();
    let all = [
        "eta_error_min",
        "wrong_texts_percent",
        "money_cents",
        "missed_clicks_percent",
        "missed_clicks_stale_percent",
    ];
    assert_eq!(measures, all);
    assert!(bill["payments"]["stream"]["swipes"].as_u64() > Some(200), "{bill:#}");
    assert!(bill["shop"]["stale_model"]["cases"].as_u64() > Some(500), "{bill:#}");
    for lane in ["stream", "stream_beside_batch", "batch"] {
        assert!(rides[lane]["quotes"].as_u64() > Some(8), "{rides:#}");
    }
    // How far from that lies what the stream really said is measured.
    for show in [one, other] {
        let live = &show["live_arrivals"];
        assert!(live["answers"].as_u64() > Some(1_000), "{live}");
        assert!(live["mean_apart_s"].is_f64(), "{live}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bill_with_sqlite_and_with_postgres() {
    let server = PostgresServer::start();
    let database = server.database("shop");
    // At once: each makes the machine busy for the other, which is what must not matter. Nor must
    // it matter that one is quicker.
    let (sqlite, postgres) = thread::scope(|scope| {
        let sqlite = scope.spawn(|| show(60, &["--listen", "127.0.0.1:0"]));
        let postgres = show(100, &["--listen", "127.0.0.1:0", "--database", &database]);
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
    let embedded = show(60, &["--listen", "127.0.0.1:0"]);
    let kafka = show(60, &["--bootstrap-servers", &apache.address, "--database", &database]);
    same_bill(&embedded, &kafka);
}

/// The lines of a topic's record, or of what the simulator prints.
fn lines(command: &mut Command) -> Vec<String> {
    let ran = command.stdin(Stdio::null()).output().unwrap();
    assert!(ran.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Of each business six simulated minutes, through a broker at `address` and back, must be line for
/// line what its simulator prints.
fn comes_back_as_it_was_sent(address: &str) {
    let businesses: [(&str, &[&str]); 3] = [
        ("gps", &["driver_locations", "truck_gps_coordinates", "trips"]),
        ("swipes", &["card_swipes", "chargebacks"]),
        ("clicks", &["clicks"]),
    ];
    for (business, topics) in businesses {
        let until = ["--until", "2026-03-03T11:03:00Z", "--speed", "120"];
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
