//! Why a lane ended before it was asked to: an enum for each way to run one, and what they have in
//! common below.
//!
//! ```text
//! run_stream    StreamError ----+--> InputError   an input is not there, or can't be read
//! run_batch     BatchError -----+--> AnswerError  an answer did not leave
//! WindowRun     WindowError --> BatchError, and what only a window by hand can meet
//! ```
//! Each passes its cause on word for word, and has it as its `source`.

use client::{ClusterError, GroupError, NoSuchTopic, ReadError, SendError, Undelivered};
use events::{Timestamp, Topic};
use thiserror::Error;

use crate::warehouse::WarehouseError;

/// Why [`run_stream`](crate::run_stream) ended before it was asked to.
#[derive(Debug, Error)]
pub enum StreamError {
    /// The cluster could not be reached at the start, or refused a question about its log.
    #[error("{0}")]
    Cluster(#[from] ClusterError),
    /// The group refused this member, or went on without it.
    #[error("{0}")]
    Group(#[from] GroupError),
    /// An input is not there, or can't be read.
    #[error("{0}")]
    Input(#[from] InputError),
    /// An answer did not leave. One that the cluster does not take stops its partition, and only an
    /// error of another kind ends the lane.
    #[error("{0}")]
    Answer(#[from] AnswerError),
    /// The system gave no thread.
    #[error("could not start a thread to rebuild state: {reason}; the machine has too many already")]
    Thread {
        /// The system's reason.
        reason: String,
    },
}

/// Why [`run_batch`](crate::run_batch) ended before it was asked to.
#[derive(Debug, Error)]
pub enum BatchError {
    /// The cluster could not be reached at the start, or refused.
    #[error("{0}")]
    Cluster(#[from] ClusterError),
    /// An input is not there, or can't be read.
    #[error("{0}")]
    Input(#[from] InputError),
    /// An answer did not leave, so the run is not done.
    #[error("{0}")]
    Answer(#[from] AnswerError),
    /// The database did not take a run. It is repeated by the next life of the job.
    #[error("{0}")]
    Warehouse(#[from] WarehouseError),
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
    /// The job was stopped in the middle of a run. [`run_batch`](crate::run_batch) itself takes
    /// that for an end in order; a window by hand passes it on.
    #[error("stopped in the middle of the run {batch_id}: the next start of the job repeats it")]
    Interrupted {
        /// Which run.
        batch_id: String,
    },
}

/// Why a step of a [`WindowRun`](crate::WindowRun) was not done.
#[derive(Debug, Error)]
pub enum WindowError {
    /// What the scheduled job could have met too.
    #[error("{0}")]
    Run(#[source] BatchError),
    /// `extract`: the window may still grow.
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
    /// `extract`: the run log speaks of offsets that this log does not have.
    #[error(
        "the database knows a run that read {place} up to offset {known}, which ends at {latest}: the topic was recreated since, so name another database with --database"
    )]
    TopicRecreated {
        /// Topic and partition.
        place: String,
        /// The offset in the run log.
        known: i64,
        /// Where the log ends.
        latest: i64,
    },
    /// `extract`: a loaded window can't be run again.
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
    /// All steps but `extract`: a step before this one is not done.
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
}

/// Why a lane can't read its inputs, in any of the three ways to run one.
#[derive(Debug, Error)]
pub enum InputError {
    /// A topic is not there, or can't be read.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// Two inputs that belong together are cut differently.
    #[error("{0}")]
    NotCoPartitioned(#[from] NotCoPartitioned),
}

/// Two inputs of one consumer have different numbers of partitions, so that partition *n* of one
/// does not belong to partition *n* of the other.
#[derive(Debug, Error)]
#[error(
    "{one} has {ones} partitions and {other} has {others}: the inputs of one consumer need the same number, recreate one of them"
)]
pub struct NotCoPartitioned {
    /// One of them.
    pub one: Topic,
    /// Its partitions.
    pub ones: i32,
    /// The other.
    pub other: Topic,
    /// Its partitions.
    pub others: i32,
}

/// Why an answer did not leave, in any of the three ways to run a lane.
#[derive(Debug, Error)]
pub enum AnswerError {
    /// The cluster could not be asked for the topics of the answers, or the producer not be made.
    #[error("{0}")]
    Cluster(#[from] ClusterError),
    /// A topic of the answers is not there.
    #[error("{0}")]
    NoSuchTopic(#[from] NoSuchTopic),
    /// An answer was not taken.
    #[error("{0}")]
    Send(#[from] SendError),
    /// Answers were taken, and never will be acknowledged.
    #[error("{0}")]
    Undelivered(#[from] Undelivered),
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
}

impl StreamError {
    /// Whether no broker answered, so that work may resume when the cluster is back.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::Cluster(error) => error.is_outage(),
            Self::Group(error) => error.is_outage(),
            Self::Input(error) => error.is_outage(),
            Self::Answer(error) => error.is_outage(),
            Self::Thread { .. } => false,
        }
    }
}

impl BatchError {
    /// Whether the cluster did not answer, so that the job may go on when it is back. A database
    /// that is away has been retried already.
    pub(crate) fn is_outage(&self) -> bool {
        match self {
            Self::Cluster(error) => error.is_outage(),
            Self::Input(error) => error.is_outage(),
            Self::Answer(error) => error.is_outage(),
            Self::Warehouse(_) | Self::Overlap { .. } | Self::Interrupted { .. } => false,
        }
    }
}

impl InputError {
    fn is_outage(&self) -> bool {
        match self {
            Self::Read(error) => error.is_outage(),
            Self::NotCoPartitioned(_) => false,
        }
    }
}

impl AnswerError {
    fn is_outage(&self) -> bool {
        match self {
            Self::Cluster(error) => error.is_outage(),
            Self::Send(error) => error.is_outage(),
            Self::NoSuchTopic(_) | Self::Undelivered(_) | Self::Unanswerable { .. } => false,
        }
    }
}

impl From<ReadError> for BatchError {
    fn from(error: ReadError) -> Self {
        Self::Input(error.into())
    }
}

/// Whatever a run can meet, a run by hand can.
impl<E: Into<BatchError>> From<E> for WindowError {
    fn from(error: E) -> Self {
        Self::Run(error.into())
    }
}

impl From<ReadError> for StreamError {
    fn from(error: ReadError) -> Self {
        Self::Input(error.into())
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::iter::successors;

    use super::*;

    fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
        successors(Some(error), |error| (*error).source())
    }

    fn outage() -> ClusterError {
        ClusterError::Unreachable { what: "reading".to_owned(), servers: "a:1".to_owned(), seconds: 5 }
    }

    /// The exit code of an outage is found among the causes, and what a person reads is the cause's
    /// own sentence, however deep it lies.
    #[test]
    fn an_outage_is_among_the_causes_and_is_told_in_its_own_words() {
        let errors: [Box<dyn Error>; 7] = [
            Box::new(StreamError::from(outage())),
            Box::new(StreamError::from(GroupError::from(outage()))),
            Box::new(StreamError::from(ReadError::from(outage()))),
            Box::new(StreamError::from(AnswerError::from(SendError::from(outage())))),
            Box::new(BatchError::from(ReadError::from(outage()))),
            Box::new(WindowError::from(outage())),
            Box::new(WindowError::from(InputError::from(ReadError::from(outage())))),
        ];
        for error in errors {
            assert!(causes(&*error).any(|cause| cause.downcast_ref() == Some(&outage())), "{error:?}");
            assert_eq!(error.to_string(), outage().to_string());
        }
    }

    #[test]
    fn a_database_that_is_away_is_among_the_causes() {
        let down = WarehouseError::Down { database: "db".to_owned(), reason: "no server there".to_owned() };
        let error = WindowError::from(down.clone());
        assert!(causes(&error).any(|cause| cause.downcast_ref() == Some(&down)), "{error:?}");
        assert_eq!(error.to_string(), down.to_string());
    }
}
