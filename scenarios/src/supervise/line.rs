//! The lines of JSON in which a worker reports to its supervisor, on standard output.

use serde::{Deserialize, Serialize};

/// A line of a supervised worker, such as `{"kind":"resumed"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WorkerLine {
    /// It is blocked until something is available again.
    WaitingFor {
        /// What has to become available: `the database w.sqlite`.
        what: String,
        /// What is wrong, in a sentence.
        because: String,
        /// When it is tried again, in milliseconds.
        retry_in_ms: u64,
    },
    /// What it waited for is available: it works again.
    Resumed,
    /// How far something long has come.
    Progress {
        /// What is done.
        what: String,
        /// Records so far.
        done: u64,
        /// Of how many.
        of: u64,
    },
    /// What it has read of one input since it was started. Sent once a second while records come,
    /// and by a job of the batch lane when it has read a window.
    Read {
        /// The topic.
        topic: String,
        /// Records so far.
        records: u64,
    },
    /// What it has done since it was started. Sent when a run, or the worker, has ended.
    Statistics {
        /// Records read and processed.
        records: u64,
        /// Answers sent.
        answers: u64,
        /// Answers that an earlier process had published.
        already_answered: u64,
        /// Records that could not be read.
        dead_letters: u64,
        /// Runs of the batch lane.
        runs: u64,
        /// Rows loaded into the database.
        rows: u64,
    },
    /// Something that a person should know.
    Warning {
        /// The sentence.
        text: String,
    },
}

impl WorkerLine {
    /// Parses `line`; none if it is no such line. A worker may be of another version.
    pub fn read(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_they_are_written() {
        let lines = [
            WorkerLine::WaitingFor { what: "the cluster".into(), because: "no".into(), retry_in_ms: 1_000 },
            WorkerLine::Resumed,
            WorkerLine::Read { topic: "clicks".into(), records: u64::MAX },
            WorkerLine::Warning { text: "a \"quoted\"\nword".into() },
        ];
        for line in lines {
            let written = serde_json::to_string(&line).unwrap();
            assert!(!written.contains('\n'), "{written}");
            assert_eq!(WorkerLine::read(&written), Some(line));
        }
        assert_eq!(WorkerLine::read(r#"{"kind":"resumed"}"#), Some(WorkerLine::Resumed));
        for line in ["", "resumed", r#"{"kind":"dance"}"#, r#"{"kind":"warning"}"#, "[]"] {
            assert_eq!(WorkerLine::read(line), None, "{line}");
        }
    }
}
