//! `freshet ledger`: what became of every question, read back from the log.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Result, bail};
use client::Admin;
use events::Timestamp;
use serde_json::json;
use text::{Table, grouped};

use super::settings;
use crate::cli::{Format, LedgerArgs};
use crate::output::{paragraph, print, width};
use crate::progress::{ProgressLine, left_s};
use scenarios::businesses::{ALL, ledger_entries};
use scenarios::clock::wall_ms;
use scenarios::ledger::{AuditProgress, Ledger, QuestionAnswerPair, Sums, audit};

/// Audits, prints the sums, and fails when something was lost or answered twice.
pub(crate) fn run(args: &LedgerArgs) -> Result<()> {
    let settings = settings(&args.cluster, "ledger")?;
    let admin = Admin::connect(&settings, Duration::from_secs(5))?;
    let since_ms = args.since.map(|since| since.ms(wall_ms()));
    let mut line = ProgressLine::new();
    let ledger = audit(&settings, &admin, &ledger_entries(ALL), since_ms, |progress| {
        let took_s = line.seconds();
        line.tell(|| how_far(progress, took_s));
    })?;
    drop(line);
    let since = since_ms.map(Timestamp::from_ms);
    let sums = ledger.sums();
    if sums.is_empty() {
        match since {
            Some(since) => bail!("no question was sent since {since}: count from an earlier time"),
            None => bail!(
                "there are no questions yet: card_swipes, clicks and driver_locations are empty or missing; start a \
                 producer, such as `freshet produce swipes`"
            ),
        }
    }
    print(|out| match args.format {
        Format::Text if args.verbose => write!(out, "{}\n{}", all_columns(&sums), meaning(&sums, since)),
        Format::Text => write!(out, "{}\n{}", table(&sums), meaning(&sums, since)),
        Format::Jsonl => {
            sums.iter().try_for_each(|(pair, sums)| writeln!(out, "{}", json_line(pair, sums, since)))
        }
    })?;
    let wrong: Vec<String> = sums.iter().filter_map(|(pair, sums)| wrong(&ledger, *pair, sums)).collect();
    if !wrong.is_empty() {
        bail!("{}", wrong.join("; "));
    }
    Ok(())
}

/// How much of the log has been read.
fn how_far(AuditProgress { read, of }: AuditProgress, took_s: f64) -> String {
    let left = left_s(read as f64 / of.max(1) as f64, took_s);
    let left = left.map_or(String::new(), |left_s| format!(", about {left_s} s left"));
    format!("{} of {} records read{left}", grouped(read), grouped(of))
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

/// Questions that a consumer owes an answer, or has given it.
fn asked(sums: &Sums) -> u64 {
    sums.answered + sums.in_flight + sums.lost.unwrap_or(0)
}

/// What a person looks for: asked = answered + waiting + lost.
fn table(sums: &[(QuestionAnswerPair, Sums)]) -> Table {
    let mut table = Table::new(&["questions", "asked", "answered", "waiting", "lost", "doubled"]);
    for (pair, sums) in sums {
        let lost = sums.lost.map_or("–".to_owned(), grouped);
        table.row([
            pair.questions.to_string(),
            grouped(asked(sums)),
            grouped(sums.answered),
            grouped(sums.in_flight),
            lost,
            grouped(sums.doubled),
        ]);
    }
    table
}

/// One of the sums; none where it is unknown.
type Count = fn(&Sums) -> Option<u64>;

/// Everything that was counted, a line each, since no terminal has so many columns.
fn all_columns(sums: &[(QuestionAnswerPair, Sums)]) -> Table {
    let heads: Vec<&str> =
        std::iter::once("").chain(sums.iter().map(|(pair, _)| pair.questions.name())).collect();
    let mut table = Table::new(&heads);
    let counts: [(&str, Count); 12] = [
        ("records of questions", |sums| Some(sums.produced)),
        ("  asked: an answer is expected", |sums| Some(asked(sums))),
        ("    answered", |sums| Some(sums.answered)),
        ("    waiting", |sums| Some(sums.in_flight)),
        ("    lost", |sums| sums.lost),
        ("  dead letters", |sums| Some(sums.dead_lettered)),
        ("  expired", |sums| Some(sums.expired)),
        ("  duplicate events", |sums| Some(sums.repeated)),
        ("  no answer expected", |sums| Some(sums.nothing_owed)),
        ("  not judged", |sums| Some(sums.unanswered)),
        ("answered twice (doubled)", |sums| Some(sums.doubled)),
        ("answered again (replayed)", |sums| Some(sums.replayed)),
    ];
    for (name, count) in counts {
        let cells = sums.iter().map(|(_, sums)| count(sums).map_or("–".to_owned(), grouped));
        table.push(std::iter::once(name.to_owned()).chain(cells).collect());
    }
    table
}

/// What the sums mean: a sentence, and another for each thing that needs a word.
fn meaning(sums: &[(QuestionAnswerPair, Sums)], since: Option<Timestamp>) -> String {
    let total = |count: fn(&Sums) -> u64| sums.iter().map(|(_, sums)| count(sums)).sum::<u64>();
    let [asked, answered, waiting] =
        [total(asked), total(|sums| sums.answered), total(|sums| sums.in_flight)];
    let (lost, doubled) = (total(|sums| sums.lost.unwrap_or(0)), total(|sums| sums.doubled));
    let counted = match since {
        Some(since) => format!("since {since} "),
        None => String::new(),
    };
    let mut said = vec![if lost + doubled == 0 {
        let waiting = match waiting {
            1 => "1 waits for its consumer".to_owned(),
            waiting => format!("{} wait for their consumer", grouped(waiting)),
        };
        format!(
            "Nothing is lost and nothing answered twice: of {} questions {counted}{} have their answer, and {waiting}.",
            grouped(asked),
            grouped(answered),
        )
    } else {
        let lost = match lost {
            1 => "1 is lost (its group has committed past it, and no answer names it)".to_owned(),
            lost => {
                format!(
                    "{} are lost (their group has committed past them, and no answer names them)",
                    grouped(lost)
                )
            }
        };
        let was = if doubled == 1 { "was" } else { "were" };
        format!(
            "Of {} questions {counted}{lost}, and {} {was} answered twice.",
            grouped(asked),
            grouped(doubled)
        )
    }];
    for (pair, sums) in sums {
        if sums.lost.is_none() {
            said.push(format!(
                "Whether one of {} is lost can't be seen here: {} have no answer, and whether they need one \
                 (that of an unknown trip, or of one that is over, does not) their consumer alone knows.",
                pair.questions,
                grouped(sums.unanswered),
            ));
        }
    }
    said.extend(replayed_words(total(|sums| sums.replayed)));
    if total(|sums| sums.dead_lettered) > 0 {
        said.push(format!(
            "{} could not be read: dead letters name them.",
            grouped(total(|sums| sums.dead_lettered))
        ));
    }
    said.iter().map(|sentence| paragraph(sentence, width(), 0)).collect()
}

/// That so many questions were answered again after a rewind; none were: nothing.
pub(crate) fn replayed_words(questions: u64) -> Option<String> {
    let words = "questions were answered again, since a group's offset was reset: that is no fault.";
    (questions > 0).then(|| format!("{} {words}", grouped(questions)))
}

fn json_line(pair: &QuestionAnswerPair, sums: &Sums, since: Option<Timestamp>) -> serde_json::Value {
    let mut line = serde_json::to_value(sums).expect("counts have a JSON form");
    for (name, value) in [
        ("schema", json!(dashboard::headless::SCHEMA)),
        ("type", json!("ledger")),
        ("questions", json!(pair.questions.name())),
        ("answers", json!(pair.answers.name())),
        ("group", json!(pair.group)),
        // None: from the beginning of the log.
        ("since", json!(since)),
    ] {
        line[name] = value;
    }
    line
}
