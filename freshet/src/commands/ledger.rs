//! `freshet ledger`: what became of every question, read back from the log.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Result, bail};
use client::Admin;
use serde_json::json;
use text::Table;

use super::settings;
use crate::cli::{Format, LedgerArgs};
use crate::output::print;
use scenarios::businesses::{ALL, ledger_entries};
use scenarios::ledger::{Ledger, QuestionAnswerPair, Sums, audit};

/// Audits, prints the sums, and fails when something was lost or answered twice.
pub(crate) fn run(args: &LedgerArgs) -> Result<()> {
    let settings = settings(&args.cluster, "ledger");
    let admin = Admin::connect(&settings, Duration::from_secs(5))?;
    say!("reading every question and every answer that {} keeps …", args.cluster.bootstrap_servers);
    let ledger = audit(&settings, &admin, &ledger_entries(ALL))?;
    let sums = ledger.sums();
    if sums.is_empty() {
        bail!(
            "there are no questions yet: card_swipes, clicks and driver_locations are empty or missing; start a \
             producer, such as `freshet produce swipes`"
        );
    }
    print(|out| match args.format {
        Format::Text => write!(out, "{}", table(&sums)),
        Format::Jsonl => sums.iter().try_for_each(|(pair, sums)| writeln!(out, "{}", json_line(pair, sums))),
    })?;
    let wrong: Vec<String> = sums.iter().filter_map(|(pair, sums)| wrong(&ledger, *pair, sums)).collect();
    if !wrong.is_empty() {
        bail!("{}", wrong.join("; "));
    }
    Ok(())
}

/// What is wrong with a pair's sums, in words; none when they are right.
pub(crate) fn wrong(ledger: &Ledger, pair: QuestionAnswerPair, sums: &Sums) -> Option<String> {
    let (lost, doubled) = (sums.lost.unwrap_or(0), sums.doubled);
    if lost + doubled == 0 {
        return None;
    }
    let first = ledger.lost(pair, 3);
    let which = if first.is_empty() { String::new() } else { format!(" (such as {})", first.join(", ")) };
    Some(format!(
        "{}: of {} questions {lost} lost{which}, {doubled} answered twice",
        pair.group, sums.produced
    ))
}

fn table(sums: &[(QuestionAnswerPair, Sums)]) -> Table {
    let mut table = Table::new(&[
        "questions",
        "answers",
        "produced",
        "answered",
        "in flight",
        "dead letters",
        "expired",
        "repeated",
        "nothing owed",
        "unanswered",
        "lost",
        "doubled",
        "replayed",
    ]);
    for (pair, sums) in sums {
        let mut row = vec![pair.questions.to_string(), pair.answers.to_string()];
        let counts = [
            sums.produced,
            sums.answered,
            sums.in_flight,
            sums.dead_lettered,
            sums.expired,
            sums.repeated,
            sums.nothing_owed,
            sums.unanswered,
        ];
        row.extend(counts.map(|count| count.to_string()));
        row.push(sums.lost.map_or("–".to_owned(), |lost| lost.to_string()));
        row.push(sums.doubled.to_string());
        row.push(sums.replayed.to_string());
        table.push(row);
    }
    table
}

fn json_line(pair: &QuestionAnswerPair, sums: &Sums) -> serde_json::Value {
    let mut line = serde_json::to_value(sums).expect("counts have a JSON form");
    for (name, value) in [
        ("schema", json!(dashboard::headless::SCHEMA)),
        ("type", json!("ledger")),
        ("questions", json!(pair.questions.name())),
        ("answers", json!(pair.answers.name())),
        ("group", json!(pair.group)),
    ] {
        line[name] = value;
    }
    line
}
