//! `freshet ledger`: what it counts, since when, and what it says of it.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::process::Output;

use client::{Admin, Commit, NewTopic, Outgoing, Producer, ProducerOptions, Settings, TopicPartition};
use common::{Broker, PATIENCE, freshet};
use serde_json::Value;

/// When the morning's swipes were sent, 2026-03-03T11:00:00Z; those of the afternoon an hour later.
const MORNING_MS: i64 = 1_772_535_600_000;
const AFTERNOON_MS: i64 = MORNING_MS + 3_600_000;

struct Log {
    producer: Producer,
}

impl Log {
    fn send(&self, topic: &str, value: &str, source: Option<i64>, timestamp_ms: i64) {
        let source = source.map(|offset| format!("card_swipes/0/{offset}"));
        let headers: Vec<(&str, &[u8])> = source.iter().map(|source| ("source", source.as_bytes())).collect();
        let record = Outgoing {
            topic,
            partition: Some(0),
            value: Some(value.as_bytes()),
            headers: &headers,
            timestamp_ms: Some(timestamp_ms),
            ..Outgoing::default()
        };
        self.producer.send(record, PATIENCE).unwrap();
    }

    fn swipe(&self, id: u32, at_ms: i64) {
        let value = format!(
            r#"{{"ts":"2026-03-03T11:00:00Z","swipe_id":"{id}","card_id":"c","terminal_id":"t","amount_cents":100}}"#
        );
        self.send("card_swipes", &value, None, at_ms);
    }

    fn decision(&self, offset: i64, at_ms: i64) {
        let value = format!(
            r#"{{"ts":"2026-03-03T11:00:00Z","swipe_id":"{offset}","card_id":"c","decision":"approve","probability":0.1,"reasons":[]}}"#
        );
        self.send("fraud_decisions", &value, Some(offset), at_ms);
    }
}

/// In the morning twenty swipes were sent, one of which was lost and one answered twice. In the
/// afternoon came four more and a duplicate of one of the morning's; three of the four have their
/// answer.
fn morning_and_afternoon(broker: &Broker) {
    let settings = Settings::new(&broker.address);
    let admin = Admin::connect(&settings, PATIENCE).unwrap();
    for name in ["card_swipes", "fraud_decisions"] {
        // The records are of another year, and kept all the same.
        let configs = vec![("retention.ms".to_owned(), "-1".to_owned())];
        admin.create(&[NewTopic { name: name.to_owned(), partitions: 1, configs }]).unwrap();
    }
    let log = Log { producer: Producer::new(&settings, &ProducerOptions::stream()).unwrap() };
    for id in 0..20 {
        log.swipe(id, MORNING_MS);
    }
    for offset in (0..20).filter(|offset| *offset != 3).chain([7]) {
        log.decision(offset, MORNING_MS + 1_000);
    }
    for id in [20, 21, 19, 22, 23] {
        log.swipe(id, AFTERNOON_MS);
    }
    for offset in [20, 21, 23] {
        log.decision(offset, AFTERNOON_MS + 1_000);
    }
    log.producer.flush(PATIENCE).unwrap();
    let at = TopicPartition::new("card_swipes", 0);
    admin.commit("fraud", &[Commit { at, offset: 24, metadata: String::new() }]).unwrap();
}

fn ledger(broker: &Broker, args: &[&str]) -> Output {
    freshet().args(["ledger", "--bootstrap-servers", &broker.address]).args(args).output().unwrap()
}

/// The exit code and what is said on standard output.
fn text(broker: &Broker, args: &[&str]) -> (Option<i32>, String) {
    let ran = ledger(broker, args);
    (ran.status.code(), String::from_utf8(ran.stdout).unwrap())
}

#[test]
fn the_ledger_says_in_four_columns_and_a_sentence_what_became_of_every_question() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(folder.path());
    morning_and_afternoon(&broker);
    let (code, said) = text(&broker, &[]);
    assert_eq!(code, Some(1), "something was lost: {said}");
    let expected = "\
questions    asked  answered  waiting  lost  doubled
card_swipes     24        22        1     1        1

Of 24 questions 1 is lost (its group has committed past it, and no answer names
it), and 1 was answered twice.
";
    assert_eq!(said, expected);

    // The afternoon alone: one swipe waits, and the duplicate is known as one although its first
    // copy was sent in the morning.
    for since in ["2026-03-03T11:30:00Z", "2026-03-03T11:59:30Z"] {
        let (code, said) = text(&broker, &["--since", since]);
        let (head, sentence) = said.split_once("\n\n").unwrap();
        assert_eq!(code, Some(0), "{said}");
        assert!(head.ends_with("\ncard_swipes      4         3        1     0        0"), "{said}");
        let expected = "\
Nothing is lost and nothing answered twice: of 4 questions since
2026-03-03T11:30:00.000Z 3 have their answer, and 1 waits for its consumer.
";
        assert_eq!(sentence, expected.replace("2026-03-03T11:30:00", &since[..19]));
    }
    let (_, all) = text(&broker, &["--since", "2026-03-03T11:30:00Z", "--verbose"]);
    let duplicates = all.lines().find(|line| line.starts_with("  duplicate events"));
    assert!(duplicates.is_some_and(|line| line.ends_with("  1")), "{all}");
    assert!(all.lines().all(|line| line.chars().count() <= 80), "{all}");
    let line = ledger(&broker, &["--since", "2026-03-03T11:30:00Z", "--format", "jsonl"]).stdout;
    let line: Value = serde_json::from_slice(&line).unwrap();
    assert_eq!(
        [&line["produced"], &line["answered"], &line["repeated"], &line["lost"]],
        [5, 3, 1, 0],
        "{line}"
    );

    assert_eq!(line["since"], "2026-03-03T11:30:00.000Z", "it says since when it counts");

    let nothing = ledger(&broker, &["--since", "2026-03-03T13:00:00Z"]);
    let said = String::from_utf8_lossy(&nothing.stderr);
    assert!(nothing.status.code() == Some(1) && said.contains("no question was sent since"), "{said}");
}
