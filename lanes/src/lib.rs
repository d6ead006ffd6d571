//! The lanes: they run a [`Processor`](processor::Processor) as a worker process, live or as a
//! scheduled job.
//!
//! A processor is plain logic. What stands between it and the world is here: reading from a
//! cluster, answering exactly once, surviving crashes, sharing the work. Two lanes run the same
//! processors:
//!
//! - [`run_stream`]: each record is processed as it comes, and the answers leave at once;
//! - [`run_batch`]: at each period's end the records of that period are processed at a stretch,
//!   rows are loaded into a database, and the answers leave when all that is done. [`WindowRun`]
//!   does the same for one window by hand, step by step.
//!
//! ```text
//!             arrival          merge           task              outbox
//! cluster --> bytes to events --> one order --> processor, --> JSON with its --> cluster
//!             or dead letters    of all inputs  answered before?  source
//! ```
//! The inner parts (`merge`, `task`, `answered`, `bookmark`, `window`) know neither a broker nor a
//! clock; the runners (`stream`, `batch`, `rebuild`, `outbox`) are the rim.

mod answered;
mod arrival;
mod batch;
mod bookmark;
mod clock;
#[cfg(test)]
mod cluster;
mod control;
#[cfg(test)]
mod late_tests;
mod merge;
mod outbox;
mod progress;
mod rebuild;
mod retry;
mod stages;
mod stats;
mod stream;
mod task;
#[cfg(test)]
mod tests;
mod told;
#[cfg(test)]
pub(crate) mod toy;
pub mod warehouse;
mod window;

use events::{Timestamp, Topic};
use thiserror::Error;

pub use batch::{BatchConfig, Schedule, run_batch};
pub use clock::Clock;
pub use control::{Control, Wish};
pub use progress::{SUPERVISOR, WAITING};
pub use retry::{patiently_open, patiently_open_to_ask};
pub use stages::{Extracted, Kept, Loaded, Published, Stage, Transformed, WindowRun};
pub use stats::{Histogram, WorkerStats};
pub use stream::{StreamConfig, run_stream};
pub use window::name_run;

/// Why a lane ended before it was asked to.
#[derive(Debug, Error)]
pub enum LaneError {
    /// The cluster refused something, or could not be reached at the start.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// Two inputs that belong together are cut differently.
    #[error(
        "{one} has {ones} partitions and {other} has {others}: the inputs of one consumer need the same number, make one of them anew"
    )]
    NotCoPartitioned {
        /// One of them.
        one: Topic,
        /// Its partitions.
        ones: i32,
        /// The other.
        other: Topic,
        /// Its partitions.
        others: i32,
    },
    /// A question whose answer the cluster does not take, and whose dead letter neither.
    #[error(
        "{question} has neither an answer nor a dead letter: {topic} does not take it ({reason}); nothing past it is committed, so raise max.message.bytes of {topic} and start again"
    )]
    Unanswerable {
        /// The record or, where an answer is owed to many, their partition.
        question: String,
        /// The topic that refused.
        topic: String,
        /// Why.
        reason: String,
    },
    /// The database did not take a run. It is repeated by the next life of the job.
    #[error(transparent)]
    Warehouse(#[from] crate::warehouse::WarehouseError),
    /// Part of a window has been loaded by a run over another window.
    #[error(
        "the window {start}..{end} overlaps that of {other}, {other_start}..{other_end}, which is loaded: nothing was loaded twice; go on with the same --period, or name another database with --database"
    )]
    Overlap {
        /// Where the window begins.
        start: Timestamp,
        /// Where it ends.
        end: Timestamp,
        /// The run that was there first.
        other: String,
        /// Where its window begins.
        other_start: Timestamp,
        /// Where it ends.
        other_end: Timestamp,
    },
    /// A window that is to be run by hand may still grow.
    #[error(
        "the window {start}..{end} is not over before {due}, its end and the grace for late records, and {now}: nothing was extracted; try again later, or pass a shorter --grace"
    )]
    NotOver {
        /// Where the window begins.
        start: Timestamp,
        /// Where it ends.
        end: Timestamp,
        /// When it may be run.
        due: Timestamp,
        /// How far event time has come, in words.
        now: String,
    },
    /// The run log speaks of offsets that this log does not have.
    #[error(
        "the database knows a run that read {place} up to offset {known}, which ends at {latest}: the topic was made anew since, so name another database with --database"
    )]
    AnotherLog {
        /// Topic and partition.
        place: String,
        /// The offset in the run log.
        known: i64,
        /// Where the log ends.
        latest: i64,
    },
    /// A loaded window can't be run again.
    #[error(
        "{batch_id} is loaded with {known} records, of which the log still has {records}: retention has taken the others, so it can't be run again; what is loaded stays"
    )]
    Expired {
        /// Which run.
        batch_id: String,
        /// How many records it had.
        known: i64,
        /// How many there are.
        records: u64,
    },
    /// A step before this one is not done.
    #[error("{folder} has nothing from the step {stage}, or only a part: run `--stage {stage}` first")]
    StageMissing {
        /// The step.
        stage: &'static str,
        /// The run's folder.
        folder: String,
    },
    /// A file between two steps can't be written or read.
    #[error(
        "{path}: {reason}; make room or name another folder with --files, then repeat the steps from extract on"
    )]
    StageFile {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A job was stopped in the middle of a run.
    #[error("stopped in the middle of the run {batch_id}: the next start of the job repeats it")]
    Interrupted {
        /// Which run.
        batch_id: String,
    },
    /// The system gave no thread.
    #[error("could not start a thread to rebuild state: {reason}; the machine has too many already")]
    Thread {
        /// The system's reason.
        reason: String,
    },
}
