//! One window by hand: extract, transform, load and publish as four steps, with files between them.
//!
//! [`run_batch`](super::run_batch) is a job with a scheduler inside. Where there is a scheduler
//! already (Airflow, cron, a person), what is wanted of a program is less: do *this* window, or one
//! step of it, and do it in such a way that doing it again is harmless. Each step reads what the
//! one before left in the run's folder and nothing else, so that a scheduler may run each as a task
//! of its own, show which one failed, and repeat that one.
//!
//! ```text
//!  cluster, run log               processors               database   topics
//!         |                           |                       ^         ^
//!      extract --> past.jsonl,  --> transform --> rows.jsonl, --> load   publish
//!                  records.jsonl                  answers.jsonl ----------'
//!                  extract.json                   transform.json  load.json
//! ```
//!
//! # The same window is the same records
//! A window is cut out of the log as the scheduled job cuts it (see `window.rs`): between two
//! offsets of each partition, which are found by event time and the lateness grace. Which offsets
//! these were is loaded with the rows. When a window is run again, or its neighbour is, they are
//! taken from there: so each record belongs to exactly one window, in whatever order windows are
//! run, and a rerun changes nothing.
//!
//! A processor knows more than its window: the fraud model has learnt from all chargebacks before.
//! That state is a function of the log, so what lies before the window is extracted too, as far
//! back as the processor's memory reaches.
//!
//! # A step that dies
//! A step's `.json` is written last, by renaming, and taken away first. Without it the next step
//! refuses to begin.
//!
//! # Simplifications
//! - One run of a window at a time: `max_active_runs=1` in Airflow, and no two people at once.
//! - The past is extracted anew for each step and each window of its own. Only windows that are run
//!   by one command, without files that are kept, have it in common ([`Kept`]), and only for
//!   processors that can be copied and remember everything: those with a horizon read no more than
//!   that.
//! - An answer that is published passes through a file as decimal digits; its last bit may differ
//!   from the scheduled job's.

mod extract;
mod files;
mod kept;
#[cfg(test)]
mod kept_tests;
mod load;
mod publish;
mod transform;

use std::path::Path;
use std::time::Duration;

use client::Admin;
use events::Timestamp;

use super::batch::BatchConfig;
use super::retry::Backoff;
use super::window::Window;
use super::{BatchError, Control, WindowError};
use files::Files;
pub use files::{Extracted, Loaded, Stage, Transformed};
pub use kept::Kept;
pub use publish::Published;

/// How long a question to the cluster may take.
const ASK: Duration = Duration::from_secs(5);

/// A window of a job of the batch lane, to be run step by step. The job's period and its `once`
/// don't count here.
pub struct WindowRun<'a> {
    config: &'a BatchConfig,
    control: &'a Control,
    window: Window,
    batch_id: String,
    files: Files,
    kept: Option<&'a Kept<'a>>,
}

impl<'a> WindowRun<'a> {
    /// The window from `start` to before `end`, with the files of its steps in a folder of `folder`
    /// that has the run's name.
    pub fn new(
        config: &'a BatchConfig,
        (start, end): (Timestamp, Timestamp),
        folder: &Path,
        control: &'a Control,
    ) -> Self {
        let window = Window { start, end };
        let batch_id = window.batch_id(&config.job);
        let files = Files::new(folder.join(&batch_id));
        Self { config, control, window, batch_id, files, kept: None }
    }

    /// The same as one of several, which learn what they have in common once. The files that it
    /// leaves are of use to no later command.
    #[must_use]
    pub fn keeping(self, kept: &'a Kept<'a>) -> Self {
        Self { kept: Some(kept), ..self }
    }

    /// The name of the run, such as `batch-fraud-2026-03-03T11`.
    pub fn batch_id(&self) -> &str {
        &self.batch_id
    }

    fn admin(&self) -> Result<Admin, WindowError> {
        Ok(Admin::connect(&self.config.settings, ASK)?)
    }

    fn interrupted(&self) -> WindowError {
        BatchError::Interrupted { batch_id: self.batch_id.clone() }.into()
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(Some(self.config.retries), self.config.first_wait)
    }
}
