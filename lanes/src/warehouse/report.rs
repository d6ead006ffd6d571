//! Queries on the rows of a range of time, as far as it is loaded.
//!
//! Data at rest can be asked anything, as often as one likes, by anyone who knows SQL; it only has
//! to be there. Each question is one statement that both databases understand, so that it can be
//! pasted into `sqlite3` or `psql` and changed. The one about runs stands here; the others are
//! those of the [marts](processor::mart).

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

const LATEST: &str = "
SELECT window_start, window_end FROM batch_runs WHERE records > 0
ORDER BY window_end DESC, window_start DESC LIMIT 1";

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

/// The window of the latest run that brought anything; none before the first.
pub fn latest(warehouse: &mut dyn Warehouse) -> Result<Option<(Timestamp, Timestamp)>, WarehouseError> {
    let found = warehouse.query(LATEST, &[], &[Kind::Instant, Kind::Instant])?;
    Ok(found.first().and_then(|cells| Some((cells[0].instant()?, cells[1].instant()?))))
}

/// Asks everything: which runs there were, and then what the marts have to say.
pub fn report(
    warehouse: &mut dyn Warehouse,
    marts: &[&'static Mart],
    question: &Question<'_>,
) -> Result<Vec<Section>, WarehouseError> {
    let of_marts = marts.iter().flat_map(|mart| mart.queries);
    let mut queries: Vec<&'static Query> = std::iter::once(&RUNS).chain(of_marts).collect();
    queries.sort_by_key(|query| query.order);
    let section = |query: &'static Query| {
        let found = warehouse.query(query.sql, &query.parameters(question), query.columns)?;
        Ok(Section { query, lines: found.iter().map(|cells| (query.line)(question, cells)).collect() })
    };
    queries.into_iter().map(section).collect()
}
