//! The batch lane: the same processors, run over a window at a time.
//!
//! A *run* takes the records of one window of simulated time from the log, gives them to the
//! processors in one pass, loads rows into a database, and publishes the answers when all that is
//! done. That is how a DAG in Airflow works: wait for the period, extract, transform, load. Between
//! runs nothing runs.
//!
//! There are two ways to have it run. [`run_batch`] is a job with a scheduler inside. Where there
//! is a scheduler already (Airflow, cron, a person), what is wanted of a program is less: do *this*
//! window, or one step of it, so that doing it again is harmless. That is a [`WindowRun`]. Both are
//! the same four steps:
//!
//! ```text
//!  cluster, run log               processors               database   topics
//!         |                           |                       ^         ^
//!      extract ------------------> transform --------------> load    publish
//!     cut.rs, reading.rs         transform.rs              steps.rs  publish.rs
//! ```
//!
//! What differs is what lies between the steps, and what the processors know when a window begins:
//!
//! | state | of | how the processors come to know what lies before the window |
//! |---|---|---|
//! | fresh | a window by hand | `extract` brings it along, as far back as their memory reaches |
//! | shared | windows of one command | copies of one that learns it once ([`SharedState`]) |
//! | live | a job on its schedule | they have processed it, or after a crash read it again |
//!
//! The steps of a job hand on values, those of a window by hand files, so that a scheduler may run
//! each as a task of its own, show which one failed, and repeat that one (`files.rs`).
//!
//! ```text
//! job.rs         a job: one run after the other       window_run.rs    a window by hand
//! schedule.rs    which window is due                  cut.rs           its records, and its past
//! resume.rs      where an earlier life left off       files.rs         what its steps leave
//!
//! edges.rs       where a window is cut out, for both
//! newest.rs      how far event time has come, for both
//! ```
//!
//! Most jobs have the tasks of the stream lane, one processor for each partition, so that both
//! lanes know the same and differ in timing only. Where the stream's tasks tell each other what
//! they learn (how fast the roads are), the job has one for all partitions
//! ([`BatchConfig::whole`]): data at rest lies in one place.
//!
//! # The same window is the same records
//! A window is cut out of the log between two offsets of each partition, its *edges* (see
//! `window.rs`). An edge that was made stays. It is loaded with the rows of its window, in one
//! transaction, and everybody looks there first: a window by hand that is run again, or whose
//! neighbour was run, and a schedule that comes to a window that was run by hand. Such a window may
//! be longer or shorter than the schedule's own; it is run as it was. An edge that is not there yet
//! is looked for in the log, by one rule (`edges.rs`). So each record belongs to exactly one
//! window, in whatever order windows are run and by whom, and a rerun changes nothing.
//!
//! A run that a schedule has begun is not in the database yet, and answers that rest on earlier
//! runs leave while it processes. So before it begins, the job writes down its edges as a *plan*,
//! in the metadata of its committed offsets; they move when the run is done. A job that dies in
//! between finds the plan, rebuilds its processors from the log and repeats the run over exactly
//! the same records; a window by hand finds it, too. The commits also outlive the database: a job
//! that is given another one goes on where it was.
//!
//! # When an answer could be seen
//! A processor stamps a batched answer with the end of the period whose data it rests on. Live,
//! it could not be seen then: the run for that period had yet to be made. So the lane replaces
//! the period's end by the instant at which that period's run really finished. (An answer that
//! rests on this run waits for its end; on a schedule, one that rests on an earlier run, as a quote
//! with last hour's speeds does, leaves at once.)
//!
//! # What goes wrong
//! A run that is repeated is harmless in every step. The database replaces rows by their keys; of
//! the answers, as many as are there already are left out, for the same run gives the same answers
//! in the same order. By hand, a step's `.json` is written last, by renaming, and taken away first:
//! without it the next step refuses to begin.
//!
//! A database that is down, locked, full or not writable is retried with exponential back-off,
//! after one second to half a minute; nothing is read again meanwhile, and no answer that rests on
//! this run is published before its rows are in. A cluster that goes away in the middle of a
//! scheduled run ends the run: the job starts again, as if it had died. A job that runs once, or a
//! window by hand, gives up after `retries` attempts, one on a schedule never does.
//!
//! The wall clock may jump. Which windows have been run stands in the commits, so no jump makes one
//! run twice: one back makes the job wait, one ahead makes it run a window before its hour is over,
//! and what comes late belongs to the next.
//!
//! # Simplifications
//! - One worker a job, and one run of a window at a time. Two would publish twice; Airflow says
//!   `max_active_runs=1`.
//! - What can't be read has no time: on a schedule it belongs to the run that meets it first, by
//!   hand to the window before. It makes no row and no answer.
//! - A database knows the windows that were loaded into it. A schedule whose earlier runs are in
//!   another one goes on where its commits say; where that is in the middle of a window by hand, it
//!   ends with an error.
//! - That a database speaks of a log that is gone is told by offsets that are not there, and on a
//!   schedule by records that were sent after the run that is said to have read them.
//! - A window without records is not run on a schedule, where Airflow would run it over nothing.
//! - State that is rebuilt after a crash sees its history in one pass, not cut into runs.
//! - By hand, the history is extracted for each window of its own. Only windows that are run by one
//!   command, without files that are kept, share it, and only for processors that can be copied and
//!   remember everything: those with a horizon read no more than that.
//! - By hand, an answer passes through a file as decimal digits; its last bit may differ from the
//!   scheduled job's.

mod cut;
#[cfg(test)]
mod cut_tests;
mod edges;
mod files;
#[cfg(test)]
mod hostile_tests;
mod job;
#[cfg(test)]
mod moody;
#[cfg(test)]
mod name_tests;
mod newest;
#[cfg(test)]
mod order_tests;
mod publish;
mod reading;
mod resume;
mod schedule;
mod shared_state;
#[cfg(test)]
mod shared_state_tests;
mod steps;
#[cfg(test)]
mod tests;
mod transform;
mod window_run;

use std::ops::Range;
use std::time::Duration;

use client::Settings;
use events::Topic;

use super::clock::SimulatedClock;
use processor::mart::Mart;

pub use files::{Extracted, Stage};
pub use job::run_batch;
pub use shared_state::SharedState;
pub use window_run::{Loaded, Published, Transformed, WindowRun};

/// How long a question to the cluster may take.
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);
/// How often it is looked for new records, when no clock says when a period ends.
const LOOK: Duration = Duration::from_millis(500);

/// When a period is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Schedule {
    /// When this clock says so: a simulation that is running.
    Clock(SimulatedClock),
    /// When records past its end are there, of two keys or several in a row of one: anybody's
    /// topics.
    EventTime,
}

/// What a job of the batch lane is to do.
#[derive(Clone, Debug)]
pub struct BatchConfig {
    /// Where the cluster is.
    pub settings: Settings,
    /// The job's name, which is also the group that it commits its offsets for.
    pub job: String,
    /// The topics that the processor answers on. Dead letters and the run log are added by the
    /// lane.
    pub outputs: Vec<Topic>,
    /// What of the warehouse the job loads.
    pub marts: Vec<&'static Mart>,
    /// The length of a window, in milliseconds of event time.
    pub period_ms: i64,
    /// How long after its end a window is left open for late records, in milliseconds of event
    /// time.
    pub grace_ms: i64,
    /// When a period is over.
    pub schedule: Schedule,
    /// Run what is due, and end; otherwise go on until stopped.
    pub once: bool,
    /// How much event time the processor's state reaches back, in milliseconds; none for all that
    /// the log keeps.
    pub horizon_ms: Option<i64>,
    /// Whether one processor is given all partitions. Otherwise each has its own.
    pub whole: bool,
    /// How often what may pass is tried again, by a job that runs once. One on a schedule goes on
    /// for ever.
    pub retries: u32,
    /// How long is waited before the first of them; before each further one twice as long, up to
    /// half a minute.
    pub first_wait: Duration,
}

impl BatchConfig {
    /// An hourly job that leaves windows open for 30 s and loads nothing.
    pub fn hourly(settings: Settings, job: impl Into<String>, outputs: &[Topic], schedule: Schedule) -> Self {
        Self {
            settings,
            job: job.into(),
            outputs: outputs.to_vec(),
            marts: Vec::new(),
            period_ms: events::HOUR_MS,
            grace_ms: 30_000,
            schedule,
            once: false,
            horizon_ms: None,
            whole: false,
            retries: 5,
            first_wait: Duration::from_secs(1),
        }
    }

    /// The partitions that each processor is given.
    pub(super) fn tasks(&self, partitions: i32) -> Vec<Range<i32>> {
        assert!(partitions >= 0, "{} has {partitions} partitions", self.job);
        let each = if self.whole { partitions.max(1) } else { 1 };
        (0..partitions).step_by(each as usize).map(|first| first..first + each).collect()
    }

    /// The topics that its answers, its dead letters and its runs go to.
    fn answers_on(&self) -> Vec<Topic> {
        let ours = [Topic::DeadLetters, Topic::BatchRuns];
        let mut all: Vec<_> = self.outputs.iter().copied().chain(ours).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// How often a job on its schedule tries again what may pass; none for as often as it takes.
    fn job_retries(&self) -> Option<u32> {
        self.once.then_some(self.retries)
    }
}
