//! What the controls request of the supervisor, and how its progress comes back.
//!
//! A key never changes anything by itself. It makes a [`Command`] with a number; the supervisor
//! reports its progress in the next snapshots, as a [`ControlState`] with the same number. The
//! dashboard shows all three steps with the time since: *requested* (the key was pressed),
//! *accepted* (the supervisor has done its part: the signal is sent), and *observed* (the effect is
//! visible from outside: the member has left its group). The gap between the last two is the
//! lesson.
//!
//! # Simplifications
//! - The supervisor may forget a command some seconds after it was observed or has failed; the
//!   dashboard keeps it until then.
//! - In JSON the three steps have the names of schema 1: `asked`, `acknowledged`, `seen`.

use serde::{Deserialize, Serialize};

use crate::place::{OffsetSpec, RecordAt};

/// An action and its target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Counts the commands of this run, from 1.
    pub id: u64,
    /// What to do.
    pub action: Action,
    /// To what: captured when the key went down, whatever the cursor points at since.
    pub target: Target,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Stop reading, and stay a member of the group.
    Pause,
    /// Go on reading.
    Resume,
    /// End it in order, or find it dead, and start it again.
    Restart,
    /// End it at once, without a chance to clean up (SIGKILL), and do not start it again.
    Kill,
    /// One more instance.
    ScaleUp,
    /// One instance fewer.
    ScaleDown,
    /// Ten times as much for some seconds.
    Burst,
    /// Set the group's committed offsets back to the start of each log, and read everything again.
    Rewind,
    /// Change the batch lane's period: its jobs run at this step from their next boundary on.
    Dial(Step),
    /// Send the records again that the dead letters of a topic are about: of one letter, or of all.
    Redrive {
        /// The letter; `None`: all of them.
        only: Option<RecordAt>,
    },
    /// Set the group's committed offsets to this place of each partition.
    Reset(OffsetSpec),
    /// Create a topic.
    CreateTopic {
        /// How many partitions it gets.
        partitions: i32,
        /// For how long it keeps a record, in milliseconds; -1: for ever; `None`: as the cluster
        /// does by default.
        retention_ms: Option<i64>,
    },
    /// Send one record.
    Send,
}

/// A step of the dial: how often the batch lane's jobs run, in event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Step(usize);

/// The steps, from the shortest: milliseconds of event time, and the words.
const STEPS: [(u64, &str); 10] = [
    (10_000, "run every 10 s"),
    (60_000, "run every minute"),
    (5 * 60_000, "run every 5 min"),
    (15 * 60_000, "run every 15 min"),
    (30 * 60_000, "run every half hour"),
    (3_600_000, "run every hour"),
    (2 * 3_600_000, "run every 2 h"),
    (6 * 3_600_000, "run every 6 h"),
    (12 * 3_600_000, "run every 12 h"),
    (24 * 3_600_000, "run every day"),
];

impl Step {
    /// The period in milliseconds of event time; a step that is out of range, which only JSON can
    /// bring, is the longest.
    pub fn period_ms(self) -> u64 {
        self.entry().0
    }

    fn entry(self) -> (u64, &'static str) {
        STEPS.get(self.0).copied().unwrap_or(STEPS[STEPS.len() - 1])
    }

    /// The next shorter step than a period, if there is one.
    pub fn shorter_than(period_ms: f64) -> Option<Self> {
        STEPS.iter().rposition(|&(ms, _)| (ms as f64) < period_ms).map(Self)
    }

    /// The next longer one.
    pub fn longer_than(period_ms: f64) -> Option<Self> {
        STEPS.iter().position(|&(ms, _)| (ms as f64) > period_ms).map(Self)
    }
}

impl Action {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Action::Pause => "pause",
            Action::Resume => "resume",
            Action::Restart => "restart",
            Action::Kill => "kill",
            Action::ScaleUp => "scale up",
            Action::ScaleDown => "scale down",
            Action::Burst => "burst",
            Action::Rewind => "rewind",
            Action::Dial(step) => step.entry().1,
            Action::Redrive { .. } => "redrive",
            Action::Reset(_) => "reset",
            Action::CreateTopic { .. } => "create",
            Action::Send => "send to",
        }
    }
}

/// What an action acts on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Target {
    /// One process, by the name in [`crate::Worker::name`].
    Worker(String),
    /// All workers of a group, by group id.
    Group(String),
    /// The producer of a topic, by the topic's name.
    Topic(String),
    /// The jobs of the batch lane.
    Batch,
    /// A record that is not there yet.
    Record(NewRecord),
}

/// A record to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRecord {
    /// To which topic.
    pub topic: String,
    /// Its key, which decides the partition; none: any.
    pub key: Option<String>,
    /// Its value.
    pub value: String,
}

impl Target {
    /// The name alone.
    pub fn name(&self) -> &str {
        match self {
            Target::Worker(name) | Target::Group(name) | Target::Topic(name) => name,
            Target::Batch => "batch jobs",
            Target::Record(record) => &record.topic,
        }
    }
}

/// The progress of one command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlState {
    /// [`Command::id`].
    pub id: u64,
    /// How far it is.
    pub progress: Progress,
    /// What came of it, in words, once that is known: how many records, at which offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// How far a command is. [`Progress::Requested`] is where every command starts, before the
/// supervisor has said anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "progress", rename_all = "snake_case")]
pub enum Progress {
    /// The key was pressed.
    #[serde(rename = "asked")]
    Requested,
    /// The supervisor has done its part.
    #[serde(rename = "acknowledged")]
    Accepted,
    /// The effect was observed from outside.
    #[serde(rename = "seen")]
    Observed,
    /// It could not be done.
    Failed {
        /// Why, in words.
        reason: String,
    },
}

impl Progress {
    /// Whether nothing more is to come.
    pub fn is_finished(&self) -> bool {
        matches!(self, Progress::Observed | Progress::Failed { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dial_goes_from_ten_seconds_to_a_day_and_no_further() {
        let mut period_ms = 3_600_000.0;
        let mut words = Vec::new();
        while let Some(step) = Step::shorter_than(period_ms) {
            period_ms = step.period_ms() as f64;
            words.push(Action::Dial(step).word());
        }
        assert_eq!(words.first(), Some(&"run every half hour"));
        assert_eq!(words.last(), Some(&"run every 10 s"));
        assert_eq!(
            Step::longer_than(40.0 * 60_000.0).map(Step::period_ms),
            Some(3_600_000),
            "between two steps"
        );
        assert_eq!(Step::longer_than(86_400_000.0), None);
        assert_eq!(Step::longer_than(f64::NAN), None);
    }
}
