//! The database that the batch lane loads: the world that a student of Airflow and Postgres comes
//! from.
//!
//! Every hour a job writes what the hour brought: trips, swipes with what the run said of them,
//! clicks per item, speeds per road. The tables are typed, and loading them is *idempotent*: each
//! row has a natural key, and loading an hour again writes the same rows over themselves. That is
//! what makes it safe for a scheduler to run a job again that may or may not have finished.
//!
//! All SQL of the program is handed to the trait [`Warehouse`]. What holds for every business is in
//! this folder, which names none; which tables a business has, which rows its events make and what
//! can be asked of them is its [data mart](processor::mart), declared in the `mart.rs` of its
//! domain.
//!
//! ```text
//! //! rows.rs      events to rows, each by the mart of its business
//! tables.rs    the rows of a run, also as lines of a file
//! schema.rs    the migrations: those of the run log, and those of the marts
//! sql.rs       statements, made from the tables
//! sqlite.rs    a file
//! postgres.rs  a server
//! runs.rs      what the run log knows
//! report.rs    what can be asked of the rows
//! ```
//!
//! # Simplifications
//! - No table of recommended pages and none of single clicks: they are read from the log.
//! - Rows of a table are loaded by one statement each in SQLite, and ten thousand a statement in
//!   Postgres; neither uses a bulk copy.
//! - No TLS to Postgres: it is one on the same machine, or behind a tunnel.

mod error;
mod postgres;
#[cfg(test)]
pub(crate) mod postgres_server;
#[cfg(test)]
mod postgres_tests;
pub mod report;
mod rows;
mod runs;
mod schema;
mod sql;
mod sqlite;
mod tables;
#[cfg(test)]
mod tests;

use std::path::Path;

use events::{Timestamp, Topic};
use processor::mart::{Cell, Kind, Mart};
use serde::{Deserialize, Serialize};

pub use self::postgres::Postgres;
pub use error::WarehouseError;
pub use rows::Rows;
pub use runs::{LoggedRun, runs_near};
pub use sqlite::Sqlite;
pub use tables::TableRows;

/// One run of a job, for the run log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Which job.
    pub job: String,
    /// Which run: unique for ever.
    pub batch_id: String,
    /// First instant of event time in the window.
    pub window_start: Timestamp,
    /// First instant of event time after it.
    pub window_end: Timestamp,
    /// Records processed.
    pub records: u64,
    /// When it began, in wall-clock time.
    pub started_at: Timestamp,
    /// What it read, for each partition of its inputs.
    pub offsets: Vec<RunOffsets>,
}

/// Which stretch of a partition a run read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOffsets {
    /// The input.
    #[serde(with = "runs::topic_name")]
    pub topic: Topic,
    /// Its partition.
    pub partition: i32,
    /// Before this offset, what is older than the window belongs to earlier runs.
    pub settled: i64,
    /// The first offset that the run did not look at.
    pub end: i64,
}

/// Where runs load their rows.
pub trait Warehouse: Send {
    /// Loads the rows of a run and its line in the run log, all or nothing. Loading the same run
    /// again changes nothing but its line, which counts the attempts. Returns how many rows
    /// there were.
    fn load(&mut self, run: &Run, rows: &TableRows) -> Result<u64, WarehouseError>;

    /// Notes in the run log when the run's answers could be seen: `finished_at` in
    /// wall-clock time, `visible_from` in event time.
    fn finish(
        &mut self,
        batch_id: &str,
        finished_at: Timestamp,
        visible_from: Timestamp,
    ) -> Result<(), WarehouseError>;

    /// Asks `sql`, in which `$1`, `$2`, … stand for `values` in the order of their first mention.
    /// Each row has a cell for each of `kinds`.
    fn query(&mut self, sql: &str, values: &[Cell], kinds: &[Kind])
    -> Result<Vec<Vec<Cell>>, WarehouseError>;
}

/// What `--database` names, as it may be shown: without a password.
pub fn shown(database: &str) -> String {
    self::postgres::without_password(database)
}

/// Opens what `--database` names: a file's name for SQLite, or `postgres://user@host:5432/name`.
/// The tables of `marts`, of which there are always all, are made or brought up to date.
pub fn open(database: &str, marts: &[&'static Mart]) -> Result<Box<dyn Warehouse>, WarehouseError> {
    match database.split_once("://") {
        Some(("postgres" | "postgresql", _)) => Ok(Box::new(Postgres::open(database, marts)?)),
        Some((scheme, _)) => Err(WarehouseError::NoAddress {
            database: database.to_owned(),
            reason: format!("freshet knows no databases of the kind {scheme}"),
        }),
        None => Ok(Box::new(Sqlite::open(Path::new(database), marts)?)),
    }
}

/// The same to ask it and no more: a file on a medium that can't be written is read as it is, if
/// its tables are up to date.
pub fn open_read_only(database: &str, marts: &[&'static Mart]) -> Result<Box<dyn Warehouse>, WarehouseError> {
    match open(database, marts) {
        Err(error @ WarehouseError::ReadOnly { .. }) if !database.contains("://") => {
            let readable = Sqlite::open_to_read(Path::new(database), marts);
            Ok(Box::new(readable.ok().flatten().ok_or(error)?))
        }
        other => other,
    }
}
