//! The whole program as a person runs it: the demo without a terminal, crashes, interruptions and
//! wrong input.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]
#![expect(clippy::disallowed_methods, reason = "a test of the whole program measures wall-clock time")]

mod common;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{Broker, PATIENCE, children, freshet, lines, signal, until};
use serde_json::{Value, json};

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_headless_demo_answers_everything_once_and_keeps_the_bill() {
    let ran = output(freshet().args([
        "demo",
        "--headless",
        "--duration",
        "30s",
        "--format",
        "jsonl",
        "--listen",
        "127.0.0.1:0",
        // Slow enough for a machine that runs the other tests beside it; it is billed from the
        // first boundary on, five seconds in.
        "--drivers",
        "30",
        "--batch-period",
        "5m",
    ]));
    assert!(ran.status.success(), "{}: {}", ran.status, stderr(&ran));
    let lines: Vec<Value> = ran
        .stdout
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect();
    assert!(lines.iter().all(|line| line["schema"] == 1), "every line says its schema");
    assert!(lines.iter().filter(|line| line["type"] == "snapshot").count() >= 20, "a snapshot a second");
    assert!(lines.iter().any(|line| line["type"] == "event"), "rebalances and runs are told");
    let summary = lines.last().unwrap();
    assert_eq!(summary["type"], "summary");
    let business = |name: &str| {
        let all = summary["businesses"].as_array().unwrap();
        all.iter().find(|business| business["business"] == name).unwrap_or_else(|| panic!("{name}")).clone()
    };
    for name in ["eta", "fraud", "recommendations", "notifications"] {
        assert!(business(name)["answers_out"].as_u64().unwrap() > 50, "{name}: {summary:#}");
        assert!(business(name)["freshness_p99_ms"].is_number(), "{name}: {summary:#}");
    }
    for name in ["fraud", "recommendations"] {
        assert_eq!((&business(name)["lost"], &business(name)["doubled"]), (&0.into(), &0.into()), "{name}");
    }
    let bill = &summary["bill"];
    assert!(bill["rides"]["stream"]["quotes"].as_u64().unwrap() > 12, "{bill:#}");
    assert!(bill["rides"]["batch"]["quotes"].as_u64().unwrap() > 0, "the batch lane has run: {bill:#}");
    assert!(bill["payments"]["stream"]["swipes"].as_u64().unwrap() > 200, "{bill:#}");
    assert!(bill["shop"]["stream"]["cases"].as_u64().unwrap() > 1000, "{bill:#}");
    assert!(
        bill["shop"]["stream"]["hits"].as_u64() > bill["shop"]["full_batch"]["hits"].as_u64(),
        "who answers at once knows the session: {bill:#}"
    );
    assert_eq!(summary["dead_letters"], 0);
}

/// A worker of a payments show on a broker of its own.
fn worker(broker: &Broker, args: &[&str]) -> Child {
    freshet()
        .args(args)
        .args(["--bootstrap-servers", &broker.address])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// How often each swipe stands on a topic.
fn swipes(broker: &Broker, topic: &str) -> HashMap<String, u32> {
    let recorded = output(freshet().args(["record", topic, "--bootstrap-servers", &broker.address]));
    assert!(recorded.status.success(), "{}", stderr(&recorded));
    let mut times = HashMap::new();
    for line in recorded.stdout.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let line: Value = serde_json::from_slice(line).unwrap();
        *times.entry(line["value"]["swipe_id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    times
}

/// A fraud consumer, and the topics that it made because they were missing.
fn fraud_consumer(broker: &Broker) -> Child {
    let fraud = worker(broker, &["consume", "fraud"]);
    until("the topics", || {
        let listed = output(freshet().args(["topics", "--bootstrap-servers", &broker.address]));
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        ["card_swipes", "chargebacks", "fraud_decisions", "dead_letters"]
            .iter()
            .all(|topic| text.contains(topic))
    });
    fraud
}

#[test]
fn nothing_is_lost_or_doubled_when_consumers_are_killed() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path());
    let mut fraud = fraud_consumer(&broker);
    let mut producer = worker(&broker, &["produce", "swipes", "--speed", "1200"]);
    for at_least in [300, 900, 1500] {
        until("decisions", || swipes(&broker, "fraud_decisions").len() >= at_least);
        fraud.kill().unwrap();
        fraud.wait().unwrap();
        fraud = worker(&broker, &["consume", "fraud"]);
    }
    // The broker dies under load as well, and comes back with what it had.
    let broker = broker.crash_and_restart();
    until("decisions after the crash", || swipes(&broker, "fraud_decisions").len() >= 2500);
    signal(producer.id(), "TERM");
    producer.wait().unwrap();
    let asked = swipes(&broker, "card_swipes");
    assert!(asked.len() >= 2500);
    until("every swipe is decided", || swipes(&broker, "fraud_decisions").len() >= asked.len());
    let decided = swipes(&broker, "fraud_decisions");
    let lost: Vec<_> = asked.keys().filter(|id| !decided.contains_key(*id)).collect();
    let doubled: Vec<_> = decided.iter().filter(|(_, times)| **times > 1).collect();
    assert!(lost.is_empty(), "{} of {} swipes have no decision: {:?}", lost.len(), asked.len(), lost.first());
    assert!(
        doubled.is_empty(),
        "{} of {} swipes were decided twice: {:?}",
        doubled.len(),
        asked.len(),
        doubled.first()
    );
    signal(fraud.id(), "TERM");
    assert!(fraud.wait().unwrap().success(), "a consumer that is asked to stop ends well");
    let (code, book) = ledger(&broker);
    let count = |book: &Value, name: &str| book[name].as_u64().unwrap();
    assert_eq!((code, count(&book, "lost"), count(&book, "doubled")), (Some(0), 0, 0), "{book:#}");
    let produced = count(&book, "produced");
    assert_eq!(count(&book, "answered") + count(&book, "repeated"), produced, "{book:#}");

    // Would it see a loss and a double? One of each, planted while no worker runs.
    let settings = client::Settings::new(&broker.address);
    let admin = client::Admin::connect(&settings, PATIENCE).unwrap();
    let producer = client::Producer::new(&settings, &client::ProducerOptions::stream()).unwrap();
    let swipe = br#"{"ts":"2026-03-03T23:00:00Z","swipe_id":"planted","card_id":"c","terminal_id":"t","amount_cents":100}"#;
    let planted = client::Outgoing {
        topic: "card_swipes",
        partition: Some(0),
        value: Some(swipe),
        ..client::Outgoing::default()
    };
    producer.send(planted, PATIENCE).unwrap();
    let decision = br#"{"ts":"2026-03-03T23:00:00Z","swipe_id":"again","card_id":"c","decision":"approve","probability":0.1,"reasons":[]}"#;
    let again = client::Outgoing {
        topic: "fraud_decisions",
        partition: Some(0),
        value: Some(decision),
        headers: &[("source", b"card_swipes/0/0")],
        ..client::Outgoing::default()
    };
    producer.send(again, PATIENCE).unwrap();
    producer.flush(PATIENCE).unwrap();
    let (code, book) = ledger(&broker);
    assert_eq!((code, count(&book, "in_flight"), count(&book, "doubled")), (Some(1), 1, 1), "{book:#}");
    let at = client::TopicPartition::new("card_swipes", 0);
    let offset = admin.ends(std::slice::from_ref(&at)).unwrap()[0].unwrap();
    admin.commit("fraud", &[client::Commit { at, offset, metadata: String::new() }]).unwrap();
    let (code, book) = ledger(&broker);
    assert_eq!((code, count(&book, "lost"), count(&book, "doubled")), (Some(1), 1, 1), "{book:#}");
}

/// What `freshet ledger` says of the swipes, and its exit code.
fn ledger(broker: &Broker) -> (Option<i32>, Value) {
    let audited =
        output(freshet().args(["ledger", "--format", "jsonl", "--bootstrap-servers", &broker.address]));
    let books = String::from_utf8_lossy(&audited.stdout).into_owned();
    let book = books
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .find(|book| book["questions"] == "card_swipes")
        .unwrap_or_else(|| panic!("no book of swipes: {books}{}", stderr(&audited)));
    (audited.status.code(), book)
}

#[test]
fn a_recorded_log_is_compared_twice_with_the_same_bill_and_what_it_lacks_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    let printed = output(freshet().args(["produce", "swipes", "--print", "5h"]));
    assert!(printed.status.success(), "{}", stderr(&printed));
    std::fs::write(&log, &printed.stdout).unwrap();
    let page = folder.path().join("page.html");
    let compare = |from: &Path, more: &[&str]| {
        output(
            freshet()
                .args(["compare", "--scenario", "payments", "--format", "jsonl", "--from"])
                .arg(from)
                .args(more),
        )
    };
    let periods = ["--periods", "0s,15m,1h,1d"];
    let picture = folder.path().join("plots.svg");
    let files = ["--html", page.to_str().unwrap(), "--svg", picture.to_str().unwrap()];
    let more = [&periods[..], &files].concat();
    let (one, other) = (compare(&log, &more), compare(&log, &periods));
    assert!(one.status.success(), "{}", stderr(&one));
    assert_eq!(one.stdout, other.stdout, "the same log, the same bill");
    let lines: Vec<Value> = String::from_utf8_lossy(&one.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let costs: Vec<(i64, bool)> = lines
        .iter()
        .filter(|line| line["type"] == "cost")
        .map(|line| (line["period_ms"].as_i64().unwrap(), line["ran_in_time"] != false))
        .collect();
    assert_eq!(
        costs,
        [(0, true), (900_000, true), (3_600_000, true), (86_400_000, false)],
        "a day is too long"
    );
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(
        html.contains("<svg") && !html.contains("http") && !html.contains("<script"),
        "needs nothing else"
    );
    let svg = std::fs::read_to_string(&picture).unwrap();
    assert!(
        svg.matches("<circle").count() > 1 && !svg.contains("var("),
        "the same plots, for any program: {svg}"
    );

    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let is_truth = |line: &&[u8]| line.starts_with(br#"{"topic":"simulation_truth""#);
    let untold: Vec<&[u8]> =
        printed.stdout.split_inclusive(|b| *b == b'\n').filter(|l| !is_truth(l)).collect();
    let short: Vec<&[u8]> =
        printed.stdout.split_inclusive(|b| *b == b'\n').filter(is_truth).take(1).collect();
    for (from, more, code, says) in [
        (write("empty", b""), &periods[..], 1, "holds no events of payments, nor any other that can be read"),
        (write("untold", &untold.concat()), &periods, 1, "holds no simulation_truth of it"),
        (write("short", &short.concat()), &periods, 1, "the log holds no events of it"),
        (folder.path().join("missing"), &periods, 1, "could not read"),
        (log.clone(), &["--periods", "0s"], 1, "name a period beside it"),
        (log.clone(), &["--periods", "soon"], 2, "`soon` is not a length of time"),
        (log.clone(), &["--seed", "8"], 2, "cannot be used with"),
    ] {
        let said = compare(&from, more);
        assert_eq!(said.status.code(), Some(code), "{says}: {}", stderr(&said));
        assert!(stderr(&said).contains(says), "{says}: {}", stderr(&said));
    }
}

#[test]
fn a_load_on_top_of_a_show_is_answered_to_the_last_question() {
    for (what, per_s) in [("swipes", 300), ("clicks", 200)] {
        let rate = per_s.to_string();
        let output = output(freshet().args(["bench", what, "--alone", "--rate", &rate]).args([
            "--duration",
            "2s",
            "--format",
            "jsonl",
        ]));
        assert!(output.status.success(), "{}", stderr(&output));
        let figures: Value = serde_json::from_slice(&output.stdout).unwrap();
        // Of two seconds the first is left out.
        assert_eq!(figures["answers"], json!(f64::from(per_s)), "{figures}");
        assert!(figures["p50_ms"].as_f64().unwrap() <= figures["p999_ms"].as_f64().unwrap(), "{figures}");
    }
}

/// A person is promised two seconds; beside other tests a third is allowed, or this would tell how
/// busy the machine is.
#[test]
fn ctrl_c_ends_everything_within_seconds() {
    let mut demo = freshet()
        .args(["demo", "--headless", "--listen", "127.0.0.1:0", "--drivers", "10"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = lines(demo.stdout.take().unwrap());
    said.recv_timeout(PATIENCE).expect("a line a second");
    until("every part is a process", || children(demo.id()).len() >= 11);
    said.recv_timeout(PATIENCE).expect("a line a second");
    let workers = children(demo.id());
    let began = Instant::now();
    signal(demo.id(), "INT");
    let status = demo.wait().unwrap();
    let took = began.elapsed();
    assert_eq!(status.code(), Some(130));
    assert!(took < Duration::from_secs(3), "it took {took:?}");
    let left: Vec<_> = workers.iter().filter(|pid| Path::new(&format!("/proc/{pid}")).exists()).collect();
    assert!(left.is_empty(), "processes are left: {left:?}");
}

#[test]
fn no_worker_outlives_a_demo_that_is_killed() {
    let mut demo = freshet()
        .args(["demo", "--headless", "--listen", "127.0.0.1:0", "--drivers", "10", "--scenario", "payments"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    lines(demo.stdout.take().unwrap()).recv_timeout(PATIENCE).expect("a line");
    let workers = children(demo.id());
    assert!(!workers.is_empty());
    demo.kill().unwrap();
    demo.wait().unwrap();
    until("the workers end", || workers.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()));
}

#[test]
fn what_is_wrong_is_said_in_one_sentence_with_the_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let busy = folder.path().join("busy");
    let broker = Broker::start(&busy);
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let free = |args: &[&str]| args.iter().map(ToString::to_string).collect::<Vec<_>>();
    let cases = [
        (
            free(&[
                "broker",
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--data-dir",
                &text(&folder.path().join("a")),
            ]),
            1,
            format!("port {port} is in use by another program: pass --listen 127.0.0.1:"),
        ),
        (
            free(&["broker", "--listen", "127.0.0.1:0", "--data-dir", &text(&busy)]),
            1,
            "is in use by".to_owned(),
        ),
        (
            free(&["broker", "--listen", "127.0.0.1:0", "--data-dir", &text(&file)]),
            1,
            "Pass a folder that can be written to (--data-dir)".to_owned(),
        ),
        (
            free(&["demo", "--headless", "--listen", "127.0.0.1:0", "--data-dir", &text(&file)]),
            1,
            "is a file, not a folder: pass another --data-dir".to_owned(),
        ),
        (
            free(&["tail", "no_such_topic", "--bootstrap-servers", &broker.address]),
            1,
            "freshet topics".to_owned(),
        ),
        (free(&["topics", "--bootstrap-servers", "127.0.0.1:1"]), 3, "is a broker running?".to_owned()),
        (free(&["dashboard", "--bootstrap-servers", "127.0.0.1:1"]), 3, "is a broker running?".to_owned()),
        (free(&["demo", "--speed", "fast"]), 2, "from 0.1 to 100000".to_owned()),
        (free(&["replay", "fraud", "--decline-margin", "NaN"]), 2, "from 0 to 1".to_owned()),
        (free(&["replay", "fraud", "--decline-cost-cents=-1"]), 2, "not in 0..".to_owned()),
        (free(&["demo", "--batch-period", "1 hour"]), 2, "such as 15m".to_owned()),
        (free(&["replay", "eta", "--map", &text(&file)]), 1, "freshet map build".to_owned()),
        (free(&["map", "build", &text(&file), "out"]), 1, "is not an .osm.pbf extract".to_owned()),
    ];
    for (args, code, words) in cases {
        let ran = output(freshet().args(&args));
        let said = stderr(&ran);
        assert_eq!(ran.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(&words), "{args:?} should say {words:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("backtrace"), "{args:?}: {said}");
        assert!(ran.stdout.is_empty(), "{args:?}: words go to standard error");
        if code != 2 {
            assert_eq!(said.trim_end().lines().count(), 1, "{args:?} says one sentence: {said}");
            assert!(said.matches("os error").count() <= 1, "{args:?} says its cause once: {said}");
        }
    }
}

#[test]
fn a_foreign_client_and_broken_records_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path());
    let mut fraud = fraud_consumer(&broker);
    for bytes in [&b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], &[0xff; 64], &[0, 0, 0, 4, 1, 2, 3, 4]] {
        let mut stranger = TcpStream::connect(&broker.address).unwrap();
        stranger.set_read_timeout(Some(PATIENCE)).unwrap();
        stranger.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        // Closed in order or by a reset; either way the client does not wait for ever.
        let _ = stranger.read_to_end(&mut answer);
        assert!(answer.is_empty(), "{answer:?}");
    }
    let mut kcat = Command::new("kcat")
        .args(["-b", &broker.address, "-P", "-t", "card_swipes"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let good = r#"{"ts":"2026-03-03T11:00:00.000Z","swipe_id":"good","card_id":"c","terminal_id":"t","amount_cents":100}"#;
    let input = format!("not json\n{{\"ts\":1}}\n{good}\n");
    kcat.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    assert!(kcat.wait().unwrap().success());
    until("the good one is decided", || swipes(&broker, "fraud_decisions").contains_key("good"));
    let letters = output(freshet().args([
        "tail",
        "dead_letters",
        "--from-beginning",
        "-n",
        "2",
        "--values",
        "--bootstrap-servers",
        &broker.address,
    ]));
    let letters: Vec<Value> = String::from_utf8(letters.stdout)
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let mut values: Vec<_> = letters.iter().map(|letter| letter["value_base64"].as_str().unwrap()).collect();
    values.sort_unstable();
    assert_eq!(values, ["bm90IGpzb24=", "eyJ0cyI6MX0="], "the two broken ones, as they were");
    assert!(letters.iter().all(|letter| letter["topic"] == "card_swipes" && letter["error"].is_string()));
    assert!(letters.iter().all(|letter| letter["consumer"] == "fraud"), "whose letters: {letters:?}");
    signal(fraud.id(), "TERM");
    assert!(fraud.wait().unwrap().success());
}
