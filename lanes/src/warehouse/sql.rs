//! The statements, made from the tables. Both databases understand them; they differ in how the
//! values are handed over.
//!
//! SQLite takes `$2` for a name, not for a number, and counts parameters by their first mention: so
//! `$1` is mentioned before `$2` everywhere here.

use processor::mart::{OnConflict, Table};

/// Loads rows of `table` from `values`: a `VALUES (…)` or a `SELECT`. A row that is there is merged
/// with the new one, column by column.
pub(super) fn upsert(table: &Table, values: &str) -> String {
    let name = table.name;
    let columns: Vec<_> = table.columns.iter().map(|column| column.name).collect();
    let keys: Vec<_> = table
        .columns
        .iter()
        .filter(|column| column.on_conflict == OnConflict::Key)
        .map(|column| column.name)
        .collect();
    let run = table
        .columns
        .iter()
        .find(|column| column.on_conflict == OnConflict::Greatest)
        .map(|column| column.name);
    let is_later = run.map(|run| format!("excluded.{run} >= {name}.{run}"));
    let assignments: Vec<_> = table
        .columns
        .iter()
        .filter_map(|column| {
            let column_name = column.name;
            let (old, new) = (format!("{name}.{column_name}"), format!("excluded.{column_name}"));
            let value = match column.on_conflict {
                OnConflict::Key => return None,
                OnConflict::Overwrite => match &is_later {
                    Some(is_later) => format!(
                        "CASE WHEN {is_later} THEN COALESCE({new}, {old}) ELSE COALESCE({old}, {new}) END"
                    ),
                    None => format!("COALESCE({new}, {old})"),
                },
                OnConflict::TakeLaterRow => {
                    let is_later = is_later.as_ref().expect("a corrected row says which run it is of");
                    format!("CASE WHEN {is_later} THEN {new} ELSE {old} END")
                }
                OnConflict::KeepExisting => format!("COALESCE({old}, {new})"),
                OnConflict::Greatest => format!("CASE WHEN {new} > {old} THEN {new} ELSE {old} END"),
            };
            Some(format!("{column_name} = {value}"))
        })
        .collect();
    format!(
        "INSERT INTO {name} ({}) {values} ON CONFLICT ({}) DO UPDATE SET {}",
        columns.join(", "),
        keys.join(", "),
        assignments.join(", ")
    )
}

/// Takes away the share of the run `$1` in a table whose rows belong to runs.
pub(super) fn clear(table: &Table) -> String {
    format!("DELETE FROM {} WHERE batch_id = $1", table.name)
}

/// A run's line in the run log. A run that is repeated is the same line with one attempt more; one
/// that had ended keeps the time of its beginning, for its end stays as well.
pub(super) const RUN: &str = "\
INSERT INTO batch_runs (batch_id, job, window_start, window_end, records, rows, started_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (batch_id) DO UPDATE SET
    records = excluded.records, rows = excluded.rows,
    started_at = CASE WHEN batch_runs.finished_at IS NULL THEN excluded.started_at ELSE batch_runs.started_at END,
    attempts = batch_runs.attempts + 1";

/// Forgets what a run read, before it is written again.
pub(super) const CLEAR_OFFSETS: &str = "DELETE FROM batch_offsets WHERE batch_id = $1";

/// What a run read of one partition.
pub(super) const OFFSETS: &str = "\
INSERT INTO batch_offsets (batch_id, topic, partition_id, settled_offset, end_offset) VALUES ($1, $2, $3, $4, $5)";

/// When a run's answers were out.
pub(super) const FINISH: &str =
    "UPDATE batch_runs SET finished_at = $1, visible_from = $2 WHERE batch_id = $3";

/// The runs of the job `$1` whose windows touch that from `$2` to `$3`: overlapping ones, and
/// neighbours.
pub(super) const RUNS_NEAR: &str = "\
SELECT batch_id, window_start, window_end, records, rows, attempts, finished_at, visible_from, started_at FROM batch_runs
WHERE job = $1 AND window_end >= $2 AND window_start <= $3 ORDER BY window_start, batch_id";

/// What the run `$1` read.
pub(super) const OFFSETS_OF: &str = "\
SELECT topic, partition_id, settled_offset, end_offset FROM batch_offsets WHERE batch_id = $1 ORDER BY topic, partition_id";
