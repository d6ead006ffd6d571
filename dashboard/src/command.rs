//! What the controls ask of the supervisor, and how the answer comes back.
//!
//! A key never changes anything by itself. It makes a [`Command`] with a number; the supervisor reports its progress in
//! the next snapshots, as a [`ControlState`] with the same number. The dashboard shows all three steps with the time since:
//! *asked* (the key was pressed), *acknowledged* (the supervisor has done its part: the signal is sent), and *seen* (the
//! effect has been observed from outside: the member has left its group). The gap between the last two is the lesson.
//!
//! # Simplifications
//! - The supervisor may forget a command some seconds after it was seen or has failed; the dashboard keeps it until then.

use serde::{Deserialize, Serialize};

/// Something to do, to someone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Counts the commands of this run, from 1.
    pub id: u64,
    /// What to do.
    pub action: Action,
    /// To whom: captured when the key went down, whatever the cursor points at since.
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
        }
    }
}

/// To whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Target {
    /// One process, by the name in [`crate::Worker::name`].
    Worker(String),
    /// All workers of a group, by group id.
    Group(String),
    /// The producer of a topic, by the topic's name.
    Topic(String),
}

impl Target {
    /// The name alone.
    pub fn name(&self) -> &str {
        match self {
            Target::Worker(name) | Target::Group(name) | Target::Topic(name) => name,
        }
    }
}

/// How one command is getting on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlState {
    /// [`Command::id`].
    pub id: u64,
    /// How far it is.
    pub progress: Progress,
}

/// How far a command is. [`Progress::Asked`] is where every command starts, before the supervisor has said anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "progress", rename_all = "snake_case")]
pub enum Progress {
    /// The key was pressed.
    Asked,
    /// The supervisor has done its part.
    Acknowledged,
    /// The effect was observed from outside.
    Seen,
    /// It could not be done.
    Failed {
        /// Why, in words.
        reason: String,
    },
}
