//! A show's first and last records: that none of them is lost or answered twice, however busy the
//! machine is.
//!
//! A consumer joins while the first questions are sent, and leaves while the last ones are; both
//! happen once a show, so only many shows tell. All of them share one processor here, five at a
//! time: what is late on a busy machine is late in them. They start a minute before 1970, so that
//! event time passes zero on the way.
//!
//! # Simplifications
//! - Only on Linux a process can be bound to a processor; elsewhere the shows share all of them.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::process::{Child, Command, Stdio};

use common::freshet;
use serde_json::Value;

/// A scenario, and its consumer whose questions the ledger judges.
const MARKETS: (&str, &str) = ("markets", "signals");
/// It has a history to learn from, which takes it most of its time: one in ten is of this kind.
const PAYMENTS: (&str, &str) = ("payments", "fraud");

/// So many shows run at once.
const AT_ONCE: usize = 5;

const fn at_once(round: usize) -> [(&'static str, &'static str); AT_ONCE] {
    let other = if round.is_multiple_of(2) { PAYMENTS } else { MARKETS };
    [MARKETS, other, MARKETS, MARKETS, MARKETS]
}

#[test]
fn ten_short_shows_on_one_busy_processor_lose_and_double_nothing() {
    short_shows(10);
}

#[test]
#[ignore = "takes hours: make torture"]
fn a_thousand_short_shows_lose_and_double_nothing() {
    short_shows(1_000);
}

fn short_shows(count: usize) {
    let mut judged = 0;
    for round in 0..count.div_ceil(AT_ONCE) {
        let running = at_once(round).map(|(scenario, consumer)| (start(scenario, round), consumer));
        for (show, consumer) in running {
            let ended = show.wait_with_output().expect("its end");
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            assert!(ended.status.success(), "{consumer}, seed {round}: {}: {said}", ended.status);
            judged += judge(&ended.stdout, consumer);
        }
        println!("{} shows, {judged} answers", (round + 1) * AT_ONCE);
    }
    assert!(judged > 50 * count as u64, "{judged} answers are too few to tell anything");
}

fn start(scenario: &str, seed: usize) -> Child {
    let mut show = on_one_processor();
    let seed = seed.to_string();
    show.args(["demo", "--headless", "--scenario", scenario, "--format", "jsonl", "--seed", &seed])
        .args(["--duration", "6s", "--start", "1969-12-31T23:59:00Z", "--listen", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    show.spawn().expect("a show")
}

/// How many questions a consumer has answered, each of them once.
fn judge(stdout: &[u8], consumer: &str) -> u64 {
    let last = stdout.split(|byte| *byte == b'\n').rfind(|line| !line.is_empty()).expect("a summary");
    let summary: Value = serde_json::from_slice(last).expect("a line of JSON");
    let all = summary["businesses"].as_array().expect("the consumers");
    let its = all.iter().find(|business| business["business"] == consumer).expect("the consumer");
    assert_eq!((&its["lost"], &its["doubled"]), (&0.into(), &0.into()), "{its:#}");
    its["answers_out"].as_u64().expect("a number")
}

#[cfg(target_os = "linux")]
fn on_one_processor() -> Command {
    let program = freshet();
    let mut bound = Command::new("taskset");
    bound.args(["--cpu-list", "0"]).arg(program.get_program());
    for (key, value) in program.get_envs() {
        match value {
            Some(value) => bound.env(key, value),
            None => bound.env_remove(key),
        };
    }
    bound
}

#[cfg(not(target_os = "linux"))]
fn on_one_processor() -> Command {
    freshet()
}
