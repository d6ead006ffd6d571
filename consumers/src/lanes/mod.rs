//! The lanes: they run a [`Processor`](crate::Processor) as a worker process, live or as a scheduled job.
//!
//! A processor is plain logic. What stands between it and the world is here: reading from a cluster, answering exactly once,
//! surviving crashes, sharing the work. Two lanes run the same processors:
//!
//! - [`run_stream`]: each record is processed as it comes, and the answers leave at once;
//! - [`run_batch`]: at each period's end the records of that period are processed at a stretch, rows are loaded into a database,
//!   and the answers leave when all that is done.
//!
//! ```text
//!             arrival          merge           task              outbox
//! cluster --> bytes to events --> one order --> processor, --> JSON with its --> cluster
//!             or dead letters    of all inputs  answered before?  source
//! ```
//! The inner parts (`merge`, `task`, `answered`, `bookmark`, `window`) know neither a broker nor a clock; the runners (`stream`,
//! `batch`, `rebuild`, `outbox`) are the rim.

mod answered;
mod arrival;
mod batch;
mod bookmark;
mod clock;
#[cfg(test)]
mod cluster;
mod control;
mod merge;
mod outbox;
mod rebuild;
mod stats;
mod stream;
mod task;
#[cfg(test)]
mod tests;
mod told;
#[cfg(test)]
pub(crate) mod toy;
mod window;

use events::Topic;
use thiserror::Error;

pub use answered::{SOURCE_HEADER, Source};
pub use batch::{BatchConfig, Schedule, run_batch};
pub use clock::Clock;
pub use control::{Control, Wish};
pub use stats::{Histogram, WorkerStats};
pub use stream::{StreamConfig, run_stream};

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
    /// The database did not take a run. It is repeated by the next life of the job.
    #[error(transparent)]
    Warehouse(#[from] crate::warehouse::WarehouseError),
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
