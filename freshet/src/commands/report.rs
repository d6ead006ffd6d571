//! `freshet report`: questions to the database, which is data at rest.
//!
//! A consumer of a stream is told what happens; a database is asked what has happened. The answer
//! is as old as the last run that loaded it, which is why the runs stand first.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Result, bail};
use lanes::warehouse::report::{Fraud, Report, Revenue, latest, report};
use lanes::{Control, patiently_open_to_ask};
use serde_json::{Value, json};
use streets::Map;
use text::Table;

use crate::cli::{Format, ReportArgs};
use crate::output::print;
use scenarios::business::map;

/// How often a database that is down is asked again: whoever waits for a report is a person.
const RETRIES: u32 = 2;

/// Prints what the window brought, or the latest one.
pub(crate) fn run(args: &ReportArgs) -> Result<()> {
    if !args.database.contains("://") && !Path::new(&args.database).exists() {
        bail!(
            "there is no database {}: load one with `freshet batch fraud --once`, or name another with --database",
            args.database
        );
    }
    let mut warehouse = patiently_open_to_ask(&args.database, Some(RETRIES), &Control::new())?;
    let window = match args.window {
        Some(span) => (span.start, span.end),
        None => match latest(&mut *warehouse)? {
            Some(window) => window,
            None => bail!("the database has no run yet: load one with `freshet batch fraud --once`"),
        },
    };
    let report = report(&mut *warehouse, window, args.top)?;
    let map = map(args.map.as_deref())?;
    match args.format {
        Format::Text => print(|out| write!(out, "{}", text(&report, &map))),
        Format::Jsonl => {
            print(|out| jsonl(&report, &map).iter().try_for_each(|line| writeln!(out, "{line}")))
        }
    }
}

fn text(report: &Report, map: &Map) -> String {
    let mut text = format!("from {} to {}\n", report.start, report.end);
    let mut section = |title: &str, empty: &str, table: Option<Table>| {
        text += &format!("\n{title}\n");
        match table {
            Some(table) => table.to_string().lines().for_each(|line| text += &format!("  {line}\n")),
            None => text += &format!("  {empty}\n"),
        }
    };
    let mut runs = Table::new(&["run", "records", "rows", "attempts", "answers out"]);
    for run in &report.runs {
        runs.row([
            run.batch_id.clone(),
            run.records.to_string(),
            run.rows.to_string(),
            run.attempts.to_string(),
            run.finished_at.map_or_else(|| "not yet".to_owned(), |at| at.to_string()),
        ]);
    }
    section("loaded by", "no run: the hour is not loaded", filled(runs, report.runs.len()));

    let mut revenue = Table::new(&["currency", "swipes", "cards", "amount", "charged back so far"]);
    for line in &report.revenue {
        revenue.row([
            currency(line.currency.as_ref()),
            line.swipes.to_string(),
            line.cards.to_string(),
            money(line.amount_cents),
            money(line.charged_back_cents),
        ]);
    }
    section("revenue", "no swipes: `freshet batch fraud` loads them", filled(revenue, report.revenue.len()));

    let mut fraud = Table::new(&[
        "currency",
        "scored",
        "declined by the run",
        "amount",
        "charged back so far",
        "of them declined",
    ]);
    for line in &report.fraud {
        fraud.row([
            currency(line.currency.as_ref()),
            line.scored.to_string(),
            line.declined.to_string(),
            money(line.declined_cents),
            line.charged_back.to_string(),
            line.charged_back_declined.to_string(),
        ]);
    }
    section("fraud", "no swipes: `freshet batch fraud` loads them", filled(fraud, report.fraud.len()));

    let mut roads = Table::new(&["road", "link", "drives", "km/h"]);
    for road in &report.roads {
        roads.row([
            name(map, &road.link_id).unwrap_or("–").to_owned(),
            road.link_id.clone(),
            road.traversals.to_string(),
            road.speed_mps.map_or_else(|| "–".to_owned(), |mps| format!("{:.1}", 3.6 * mps)),
        ]);
    }
    section("busiest roads", "no drives: `freshet batch eta` loads them", filled(roads, report.roads.len()));

    let mut sellers = Table::new(&["item", "purchases", "into carts", "views"]);
    for item in &report.sellers {
        sellers.row([
            item.item_id.clone(),
            item.purchases.to_string(),
            item.add_to_carts.to_string(),
            item.views.to_string(),
        ]);
    }
    let empty = "no purchases: `freshet batch recommendations` loads them";
    section("best sellers", empty, filled(sellers, report.sellers.len()));
    text
}

fn filled(table: Table, rows: usize) -> Option<Table> {
    (rows > 0).then_some(table)
}

/// The street of a link; none where the map has no such link, or no name for it.
fn name<'a>(map: &'a Map, link_id: &str) -> Option<&'a str> {
    map.name(map.link_of_key(link_id)?)
}

fn currency(code: Option<&String>) -> String {
    code.map_or_else(|| "–".to_owned(), Clone::clone)
}

/// Without separators between thousands: it is aligned as a number, and pasted into other programs.
fn money(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
}

fn jsonl(report: &Report, map: &Map) -> Vec<Value> {
    let mut lines = Vec::new();
    let mut line = |kind: &str, mut value: Value| {
        value["type"] = kind.into();
        value["window_start"] = report.start.to_string().into();
        value["window_end"] = report.end.to_string().into();
        lines.push(value);
    };
    for run in &report.runs {
        let finished_at = run.finished_at.map(|at| at.to_string());
        line(
            "run",
            json!({
                "job": run.job, "batch_id": run.batch_id, "records": run.records, "rows": run.rows,
                "attempts": run.attempts, "finished_at": finished_at,
            }),
        );
    }
    for Revenue { currency, swipes, cards, amount_cents, charged_back_cents } in &report.revenue {
        line(
            "revenue",
            json!({
                "currency": currency, "swipes": swipes, "cards": cards, "amount_cents": amount_cents,
                "charged_back_cents": charged_back_cents,
            }),
        );
    }
    for Fraud { currency, scored, declined, declined_cents, charged_back, charged_back_declined } in
        &report.fraud
    {
        line(
            "fraud",
            json!({
                "currency": currency, "scored": scored, "declined": declined, "declined_cents": declined_cents,
                "charged_back": charged_back, "charged_back_declined": charged_back_declined,
            }),
        );
    }
    for road in &report.roads {
        line(
            "road",
            json!({
                "link_id": road.link_id, "name": name(map, &road.link_id), "traversals": road.traversals,
                "speed_mps": road.speed_mps,
            }),
        );
    }
    for item in &report.sellers {
        line(
            "best_seller",
            json!({
                "item_id": item.item_id, "purchases": item.purchases, "add_to_carts": item.add_to_carts,
                "views": item.views,
            }),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::Timestamp;

    #[test]
    fn what_is_not_loaded_is_said_and_not_shown_as_zero() {
        let report = Report {
            start: Timestamp::from_ms(0),
            end: Timestamp::from_ms(3_600_000),
            runs: Vec::new(),
            revenue: Vec::new(),
            fraud: Vec::new(),
            roads: Vec::new(),
            sellers: Vec::new(),
        };
        let said = text(&report, &Map::la_serena());
        assert!(
            said.contains("the hour is not loaded") && said.contains("`freshet batch eta` loads them"),
            "{said}"
        );
        assert!(!said.contains('0') || !said.contains(" 0 "), "{said}");
        assert!(jsonl(&report, &Map::la_serena()).is_empty());
    }

    #[test]
    fn money_is_written_to_the_cent() {
        for (cents, text) in [(0, "0.00"), (5, "0.05"), (-123_456, "-1234.56")] {
            assert_eq!(money(cents), text);
        }
    }
}
