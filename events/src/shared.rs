//! What belongs to no single business: texts to people, runs of the batch lane, letters that could
//! not be read.

use serde::{Deserialize, Serialize};

use crate::check::{Broken, id};
use crate::{Business, Timestamp};

/// How a notification travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// A text message.
    Sms,
}

/// What a notification is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// The car ends the trip in about five minutes.
    FiveMinutesAway,
    /// The trip is over, with its distance and time.
    TripReceipt,
    /// A swipe went through.
    SwipeReceipt,
    /// A swipe was refused, and why.
    SwipeDeclined,
}

/// `notifications`: a text to a person. Key: the recipient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// The event time of what it tells.
    pub ts: Timestamp,
    /// Rider or card holder.
    pub recipient: String,
    /// How it travels.
    pub channel: Channel,
    /// What it is about.
    pub kind: NotificationKind,
    /// What the person reads.
    pub text: String,
}

/// `eta_batch`, `fraud_batch` and every other topic of the batch lane: the streaming twin's answer,
/// with the run that gave it and the instant from which anyone could have seen it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Batched<T> {
    /// The answer, in the shape of its streaming twin.
    #[serde(flatten)]
    pub answer: T,
    /// The run that published it, as `batch_runs` and the warehouse name it. Empty until a lane has
    /// stamped it: a processor knows periods, and no runs.
    pub batch_id: String,
    /// From when it could be seen, in event time: in a replay the period's end, live when the run
    /// really finished.
    pub valid_from: Timestamp,
}

/// What a batch answer says of its run, to be changed in place.
#[derive(Debug, PartialEq)]
pub struct BatchedMut<'a> {
    /// See [`Batched::batch_id`].
    pub batch_id: &'a mut String,
    /// See [`Batched::valid_from`].
    pub valid_from: &'a mut Timestamp,
}

impl<T> Batched<T> {
    /// An answer as of the run that ended with `period_end`: what a processor says. The lane that
    /// publishes it stamps the name of its run, and when the answer could really be seen.
    pub fn as_of(answer: T, period_end: Timestamp) -> Self {
        Self { answer, batch_id: String::new(), valid_from: period_end }
    }

    /// What it says of its run.
    pub(crate) fn run_mut(&mut self) -> BatchedMut<'_> {
        BatchedMut { batch_id: &mut self.batch_id, valid_from: &mut self.valid_from }
    }
}

/// `batch_runs`: one run of a batch job. Key: the job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchRun {
    /// The event time at which the run's answers could be seen.
    pub ts: Timestamp,
    /// Which job.
    pub job: String,
    /// Which run.
    pub batch_id: String,
    /// First instant of event time in the window.
    pub window_start: Timestamp,
    /// First instant of event time after the window.
    pub window_end: Timestamp,
    /// Records read.
    pub records: u64,
    /// Rows loaded into the database.
    pub rows: u64,
    /// When the run began, in wall-clock time.
    pub started_at: Timestamp,
    /// When its answers were published, in wall-clock time.
    pub finished_at: Timestamp,
}

/// `dead_letters`: a record that its consumer could not read. Key: the topic it came from. A record
/// that several consumers read is one letter of each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// From which topic.
    pub topic: String,
    /// Partition of that topic.
    pub partition: i32,
    /// Offset in that partition.
    pub offset: i64,
    /// The last of the offsets that it is about, when they are several: those of a batch that
    /// cannot be decompressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_offset: Option<i64>,
    /// Whose letter it is: the group of a consumer, or the name of a job. Absent in letters of
    /// older programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consumer: Option<String>,
    /// What is wrong with it.
    pub error: String,
    /// Its value, as it was, in base 64.
    pub value_base64: String,
}

impl NotificationKind {
    /// Whose business a text of this kind is.
    pub fn business(self) -> Business {
        match self {
            Self::FiveMinutesAway | Self::TripReceipt => Business::RideShare,
            Self::SwipeReceipt | Self::SwipeDeclined => Business::Payments,
        }
    }
}

impl Notification {
    pub(crate) fn check(&self) -> Result<(), Broken> {
        id(&self.recipient, "recipient")
    }
}
