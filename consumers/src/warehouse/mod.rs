//! The database that the batch lane loads: the world that a student of Airflow and Postgres comes from.
//!
//! Every hour a job writes what the hour brought: trips, swipes with what the run said of them, clicks per item, speeds per road. The tables
//! are typed, and loading them is *idempotent*: each row has a natural key, and loading an hour again writes the same rows over
//! themselves. That is what makes it safe for a scheduler to run a job again that may or may not have finished.
//!
//! All SQL of the program is in this folder, behind the trait [`Warehouse`].
//!
//! # Simplifications
//! - SQLite only; the trait is small so that Postgres fits behind it.
//! - No table of recommended pages and none of single clicks: they are read from the log.

mod rows;
mod sqlite;

use events::Timestamp;
use thiserror::Error;

pub use rows::Rows;
pub use sqlite::Sqlite;

/// One run of a job, for the run log.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// When it began, on the wall.
    pub started_at: Timestamp,
}

/// Where runs load their rows.
pub trait Warehouse: Send {
    /// Loads the rows of a run and its line in the run log, all or nothing. Loading the same run again changes nothing but the log's times.
    /// Returns how many rows there were.
    fn load(&mut self, run: &Run, rows: &Rows) -> Result<u64, WarehouseError>;

    /// Notes in the run log when the run's answers could be seen: `finished_at` on the wall, `visible_from` in event time.
    fn finish(
        &mut self,
        batch_id: &str,
        finished_at: Timestamp,
        visible_from: Timestamp,
    ) -> Result<(), WarehouseError>;
}

/// Why the database did not take a run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WarehouseError {
    /// The file can't be made or opened.
    #[error("cannot open the database {path}: {reason}; name another with --database")]
    CannotOpen {
        /// The file.
        path: String,
        /// SQLite's reason.
        reason: String,
    },
    /// Somebody holds the write lock.
    #[error(
        "the database {path} was locked by another program for {seconds} s: end that program, or its open transaction"
    )]
    Locked {
        /// The file.
        path: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The file, its folder or its file system does not allow writing.
    #[error(
        "the database {path} cannot be written: make the file and its folder writable, or name another with --database"
    )]
    ReadOnly {
        /// The file.
        path: String,
    },
    /// No room.
    #[error(
        "no room left for the database {path}: nothing of this run was loaded; free some space, the run is repeated"
    )]
    Full {
        /// The file.
        path: String,
    },
    /// Not SQLite, or damaged.
    #[error("{path} is not a database, or is damaged: move it away, and a new one is made")]
    NotADatabase {
        /// The file.
        path: String,
    },
    /// Tables of a later version.
    #[error(
        "the database {path} has schema {found}, this program knows {known}: use the newer freshet, or name another file with --database"
    )]
    TooNew {
        /// The file.
        path: String,
        /// The version in the file.
        found: i64,
        /// The latest version that this program knows.
        known: i64,
    },
    /// Anything else.
    #[error("the database {path} refused: {reason}")]
    Refused {
        /// The file.
        path: String,
        /// SQLite's reason.
        reason: String,
    },
}
