//! `freshet replay` as a person runs it: files in, answers out, with no broker.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use common::{freshet, lines};

/// How long anything here may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_mins(1);

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_recorded_topic_replays_to_the_same_answers() {
    let printed = output(freshet().args(["produce", "swipes", "--print", "1h"]));
    assert!(printed.status.success(), "{}", stderr(&printed));
    let again = output(freshet().args(["produce", "swipes", "--print", "1h", "--speed", "500"]));
    assert_eq!(printed.stdout, again.stdout, "same seed, same events, byte for byte, at any speed");
    let other = output(freshet().args(["produce", "swipes", "--print", "1h", "--seed", "8"]));
    assert_ne!(printed.stdout, other.stdout);

    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.jsonl");
    std::fs::write(&log, &printed.stdout).unwrap();
    let replay = |period: &str| {
        let ran = freshet()
            .args(["replay", "fraud", "--period", period])
            .stdin(std::fs::File::open(&log).unwrap())
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", stderr(&ran));
        String::from_utf8(ran.stdout).unwrap()
    };
    let stream = replay("0s");
    assert_eq!(stream, replay("0s"), "deterministic to the byte");
    let questions =
        String::from_utf8_lossy(&printed.stdout).lines().filter(|l| l.contains("\"card_swipes\"")).count();
    assert_eq!(stream.lines().count(), questions, "one decision a swipe");
    let batch = replay("1h");
    assert_eq!(batch.lines().count(), questions, "the batch lane has one too");
    assert!(batch.lines().all(|line| line.contains("\"fraud_batch\"") && line.contains("\"valid_from\"")));
}

#[test]
fn a_replay_answers_before_it_waits_for_more() {
    let mut replay = freshet()
        .args(["replay", "fraud"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = replay.stdin.take().unwrap();
    let answers = lines(replay.stdout.take().unwrap());
    for number in 0..3 {
        writeln!(
            input,
            r#"{{"topic":"card_swipes","key":"c","value":{{"ts":"2026-03-03T11:00:0{number}.000Z","swipe_id":"s{number}","card_id":"c","terminal_id":"t","amount_cents":100}}}}"#
        )
        .unwrap();
        let answer = answers.recv_timeout(PATIENCE).expect("the answer comes while the input stays open");
        assert!(answer.contains(&format!("\"s{number}\"")), "{answer}");
    }
    drop(input);
    assert!(replay.wait().unwrap().success());
}
