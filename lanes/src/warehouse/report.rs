//! Queries on the rows of a range of time, as far as it is loaded.
//!
//! Data at rest can be asked anything, as often as one likes, by anyone who knows SQL; it only has
//! to be there. Each question is one statement that both databases understand, so that it can be
//! pasted into `sqlite3` or `psql` and changed. The one about runs stands here; the others are
//! those of the [marts](processor::mart).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use events::Timestamp;
use processor::mart::{Kind, Line, Mart, Query, Question};
use serde_json::json;

use super::{Warehouse, WarehouseError};

/// The answer to one question: a table of lines, the first first.
#[derive(Clone, Debug)]
pub struct Section {
    /// What was asked.
    pub query: &'static Query,
    /// The lines.
    pub lines: Vec<Line>,
}

/// A window that a report can tell of, and what is still to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latest {
    /// Its start and its end.
    pub window: Window,
    /// A newer window that some jobs have loaded, with the jobs that have not; or this one, if all
    /// have yet to load any.
    pub unfinished: Option<(Window, Vec<String>)>,
}

/// A stretch of event time: its first instant, and the first after it.
pub type Window = (Timestamp, Timestamp);

/// How many of the newest runs are looked at. What a job ran longer ago does not say that it will
/// run again.
const NEWEST: &str = "
SELECT job, window_start, window_end, records FROM batch_runs
ORDER BY window_end DESC, window_start DESC LIMIT 200";

/// The runs whose windows lie in the stretch.
static RUNS: Query = Query {
    order: 0,
    title: "loaded by",
    empty: "no run: the hour is not loaded",
    headings: &["run", "records", "rows", "attempts", "answers out"],
    kind: "run",
    sql: "
SELECT job, batch_id, records, rows, attempts, finished_at FROM batch_runs
WHERE window_start >= $1 AND window_end <= $2 ORDER BY window_start, job",
    top_by_hour: false,
    columns: &[Kind::Text, Kind::Text, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Instant],
    line: |_, cells| {
        let (job, batch_id) = (cells[0].text(), cells[1].text().unwrap_or_default());
        let [records, rows, attempts] = [2, 3, 4].map(|place: usize| cells[place].count());
        let finished_at = cells[5].instant().map(|at| at.to_string());
        let out = finished_at.clone().unwrap_or_else(|| "not yet".to_owned());
        Line {
            text: vec![batch_id.to_owned(), records.to_string(), rows.to_string(), attempts.to_string(), out],
            json: json!({
                "job": job, "batch_id": batch_id, "records": records, "rows": rows, "attempts": attempts,
                "finished_at": finished_at,
            }),
        }
    },
};

/// What was loaded of a window.
#[derive(Default)]
struct Loaded {
    jobs: BTreeSet<String>,
    records: i64,
}

/// The newest window that all jobs have loaded and that brought anything: jobs that begin together
/// end one after another, and a report on a window that one of them has loaded would lack the
/// others' lines. If there is none, the newest that brought anything. None before the first run.
pub fn latest(warehouse: &mut dyn Warehouse) -> Result<Option<Latest>, WarehouseError> {
    let kinds = [Kind::Text, Kind::Instant, Kind::Instant, Kind::Integer];
    let mut all_jobs = BTreeSet::new();
    // By their ends, then their starts; newest first.
    let mut windows: BTreeMap<Reverse<Window>, Loaded> = BTreeMap::new();
    for cells in warehouse.query(NEWEST, &[], &kinds)? {
        let (Some(job), Some(start), Some(end)) = (cells[0].text(), cells[1].instant(), cells[2].instant())
        else {
            continue;
        };
        all_jobs.insert(job.to_owned());
        let loaded = windows.entry(Reverse((end, start))).or_default();
        loaded.jobs.insert(job.to_owned());
        loaded.records += cells[3].count();
    }
    windows.retain(|_, loaded| loaded.records > 0);
    let window = |&Reverse((end, start)): &Reverse<Window>| (start, end);
    let Some((newest, of_newest)) = windows.first_key_value() else { return Ok(None) };
    let of_all = windows.iter().find(|(_, loaded)| loaded.jobs == all_jobs);
    let chosen = of_all.map_or(newest, |(chosen, _)| chosen);
    let missing: Vec<String> = all_jobs.difference(&of_newest.jobs).cloned().collect();
    let unfinished = (!missing.is_empty()).then(|| (window(newest), missing));
    Ok(Some(Latest { window: window(chosen), unfinished }))
}

/// Everything that is asked: which runs there were, and then what the marts have to say.
pub fn queries(marts: &[&'static Mart]) -> Vec<&'static Query> {
    let of_marts = marts.iter().flat_map(|mart| mart.queries);
    let mut queries: Vec<&'static Query> = std::iter::once(&RUNS).chain(of_marts).collect();
    queries.sort_by_key(|query| query.order);
    queries
}

/// Asks everything.
pub fn report(
    warehouse: &mut dyn Warehouse,
    marts: &[&'static Mart],
    question: &Question<'_>,
) -> Result<Vec<Section>, WarehouseError> {
    let section = |query: &'static Query| {
        let found = warehouse.query(query.sql, &query.parameters(question), query.columns)?;
        Ok(Section { query, lines: found.iter().map(|cells| (query.line)(question, cells)).collect() })
    };
    queries(marts).into_iter().map(section).collect()
}
