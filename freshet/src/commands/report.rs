//! `freshet report`: questions to the database, which is data at rest.
//!
//! A stream pushes what happens to its consumers; a database is queried for what has happened. The
//! answer is as old as the last run that loaded it, which is why the runs stand first.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Result, bail};
use events::Timestamp;
use lanes::warehouse::report::{Section, latest, queries, report};
use lanes::{Control, open_read_only_with_retry};
use processor::mart::Question;
use serde_json::Value;
use text::Table;

use crate::cli::{DEFAULT_DATABASE, Format, ReportArgs};
use crate::output::print;
use crate::temporary;
use scenarios::business::map;
use scenarios::businesses;

/// How often a query is retried when the database is down: a person waits for the report.
const RETRIES: u32 = 2;

/// Prints what the window brought, or the latest one.
pub(crate) fn run(args: &ReportArgs) -> Result<()> {
    let (database, of_a_demo) = choose(args.database.as_deref(), &temporary::databases_in_use())?;
    if of_a_demo {
        say!("reading {}, the database of the running demo", lanes::warehouse::shown(&database));
    }
    if !database.contains("://") && !Path::new(&database).exists() {
        if of_a_demo {
            bail!("{}", nothing_yet(true));
        }
        bail!(
            "there is no database {database}: load one with `freshet batch fraud --once`, or name another with \
             --database"
        );
    }
    let marts = businesses::marts();
    let mut warehouse = open_read_only_with_retry(&database, &marts, Some(RETRIES), &Control::new())?;
    let window = match args.window {
        Some(span) => (span.start, span.end),
        None => match latest(&mut *warehouse)? {
            Some(latest) => {
                latest.unfinished.iter().for_each(|unfinished| say!("{}", still_loading(unfinished)));
                latest.window
            }
            None => bail!("{}", nothing_yet(of_a_demo)),
        },
    };
    let map = map(args.map.as_deref())?;
    let street = |link_id: &str| map.name(map.link_of_key(link_id)?).map(ToOwned::to_owned);
    let (start, end) = window;
    let question = Question { start, end, top: args.top, street: &street };
    if args.sql {
        return print(|out| {
            queries(&marts)
                .iter()
                .try_for_each(|query| writeln!(out, "-- {}\n{}\n", query.title, query.pasted(&question)))
        });
    }
    let sections = report(&mut *warehouse, &marts, &question)?;
    match args.format {
        Format::Text => print(|out| write!(out, "{}", text(window, &sections))),
        Format::Jsonl => {
            print(|out| jsonl(window, &sections).iter().try_for_each(|line| writeln!(out, "{line}")))
        }
    }
}

/// The database that is meant: the one that is named, or that of the demo that runs on this
/// machine, of which `running` are the databases; and whether it is a demo's.
fn choose(named: Option<&str>, running: &[String]) -> Result<(String, bool)> {
    if let Some(named) = named {
        return Ok((named.to_owned(), false));
    }
    match running {
        [] => Ok((DEFAULT_DATABASE.to_owned(), false)),
        [running] => Ok((running.clone(), true)),
        several => {
            let several: Vec<String> = several.iter().map(|one| lanes::warehouse::shown(one)).collect();
            bail!("several demos run: name a database with --database, one of {}", several.join(", "))
        }
    }
}

/// What is said about a window that some jobs have yet to load.
fn still_loading(((start, end), jobs): &((Timestamp, Timestamp), Vec<String>)) -> String {
    format!("not all of {start} to {end} is loaded yet: {} still to come", jobs.join(", "))
}

/// What is said of a database without a run.
fn nothing_yet(of_a_demo: bool) -> &'static str {
    if of_a_demo {
        "the database has no run yet: a demo's first comes at the next full period (line 2 of the dashboard counts \
         down), any other is loaded with `freshet batch fraud --once`"
    } else {
        "the database has no run yet: load one with `freshet batch fraud --once`"
    }
}

fn text((start, end): (Timestamp, Timestamp), sections: &[Section]) -> String {
    let mut text = format!("from {start} to {end}\n");
    for section in
        sections.iter().filter(|section| !section.lines.is_empty() || !section.query.empty.is_empty())
    {
        text += &format!("\n{}\n", section.query.title);
        if section.lines.is_empty() {
            text += &format!("  {}\n", section.query.empty);
            continue;
        }
        let mut table = Table::new(section.query.headings);
        for line in &section.lines {
            table.push(line.text.clone());
        }
        table.to_string().lines().for_each(|line| text += &format!("  {line}\n"));
    }
    text
}

fn jsonl((start, end): (Timestamp, Timestamp), sections: &[Section]) -> Vec<Value> {
    let lines = sections.iter().flat_map(|section| section.lines.iter().map(move |line| (section, line)));
    lines
        .map(|(section, line)| {
            let mut value = line.json.clone();
            value["type"] = section.query.kind.into();
            value["window_start"] = start.to_string().into();
            value["window_end"] = end.to_string().into();
            value
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use processor::mart::{Line, Query};
    use serde_json::json;

    use super::*;

    #[test]
    fn without_a_name_the_database_is_that_of_the_show_that_runs() {
        let running = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let one = running(&["/tmp/freshet-1/warehouse.sqlite"]);
        assert_eq!(choose(None, &one).unwrap(), (one[0].clone(), true));
        assert_eq!(choose(Some("other"), &one).unwrap(), ("other".to_owned(), false));
        assert_eq!(choose(None, &[]).unwrap(), (DEFAULT_DATABASE.to_owned(), false));
        let two = running(&["a.sqlite", "postgresql://me:secret@here/b"]);
        let error = choose(None, &two).unwrap_err().to_string();
        assert!(error.contains("a.sqlite") && error.contains("--database"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }

    static ROADS: Query = Query {
        order: 1,
        title: "busiest roads",
        empty: "no drives: `freshet batch eta` loads them",
        headings: &["road", "drives"],
        kind: "road",
        sql: "",
        top_by_hour: true,
        columns: &[],
        line: |_, _| unreachable!("nothing is asked here"),
    };

    #[test]
    fn what_is_not_loaded_is_said_and_not_shown_as_zero() {
        let window = (Timestamp::from_ms(0), Timestamp::from_ms(3_600_000));
        let mut section = Section { query: &ROADS, lines: Vec::new() };
        let said = text(window, &[section.clone()]);
        assert!(said.ends_with("\nbusiest roads\n  no drives: `freshet batch eta` loads them\n"), "{said}");
        assert!(jsonl(window, &[section.clone()]).is_empty());

        section.lines =
            vec![Line { text: vec!["Balmaceda".into(), "2".into()], json: json!({ "drives": 2 }) }];
        let said = text(window, &[section.clone()]);
        assert!(said.contains("Balmaceda") && !said.contains("no drives"), "{said}");
        let line = &jsonl(window, &[section])[0];
        assert_eq!((&line["type"], &line["drives"]), (&json!("road"), &json!(2)));
        assert_eq!(line["window_end"], "1970-01-01T01:00:00.000Z");
    }
}
