//! The lanes: they run a [`Processor`](processor::Processor) as a worker process, live or as a
//! scheduled job.
//!
//! A processor is plain logic. What stands between it and the world is here: reading from a
//! cluster, answering exactly once, surviving crashes, sharing the work. Two lanes run the same
//! processors:
//!
//! - [`run_stream`]: each record is processed as it comes, and the answers leave at once;
//! - [`run_batch`]: at each period's end the records of that period are processed in one pass,
//!   rows are loaded into a database, and the answers leave when all that is done. [`WindowRun`]
//!   takes the same steps for one window by hand.
//!
//! ```text
//!             arrival          merge           task              outbox
//! cluster --> bytes to events --> one order --> processor, --> JSON with its --> cluster
//!             or dead letters    of all inputs  answered before?  source
//! ```
//! The inner parts (`merge`, `task`, `published_answers`, `commit_metadata`, `window`) know neither
//! a broker nor a clock; the runners (`stream`, `batch`, `rebuild`, `outbox`) are the rim.

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm))]

mod arrival;
mod batch;
mod broadcast;
mod clock;
#[cfg(test)]
mod cluster;
mod commit_metadata;
mod control;
mod error;
#[cfg(test)]
mod late_tests;
mod merge;
mod offsets;
mod outbox;
mod progress;
mod published_answers;
mod rebuild;
mod retry;
#[cfg(test)]
mod scripts;
mod stats;
mod stream;
mod task;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod toy;
pub mod warehouse;
mod window;

pub use batch::{
    BatchConfig, Extracted, Loaded, Published, Schedule, SharedState, Stage, Transformed, WindowRun,
    run_batch,
};
pub use clock::SimulatedClock;
pub use control::{Control, DesiredState};
pub use error::{AnswerError, BatchError, InputError, NotCoPartitioned, StreamError, WindowError};
pub use progress::{SUPERVISOR, WAITING};
pub use retry::{open_read_only_with_retry, open_with_retry};
pub use stats::{Histogram, WorkerStats};
pub use stream::{StreamConfig, run_stream};
pub use window::name_run;
