//! The lanes: they run a [`Processor`](crate::Processor) as a worker process, live or as a scheduled job.
//!
//! A processor is plain logic. What stands between it and the world is here: reading from a cluster, answering exactly once,
//! surviving crashes, sharing the work. Two lanes run the same processors:
//!
//! - [`run_stream`]: each record is processed as it comes, and the answers leave at once;
//! - [`run_batch`](batch::run_batch): at each period's end the records of that period are processed at a stretch, rows are loaded into a database,
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
mod bookmark;
mod clock;
mod control;
mod merge;
mod outbox;
mod rebuild;
mod stats;
mod stream;
mod task;
mod told;
#[cfg(test)]
mod toy;

use events::Topic;
use thiserror::Error;

pub use answered::{SOURCE_HEADER, Source};
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
    /// The system gave no thread.
    #[error("could not start a thread to rebuild state: {reason}; the machine has too many already")]
    Thread {
        /// The system's reason.
        reason: String,
    },
}
