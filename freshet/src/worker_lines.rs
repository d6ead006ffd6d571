//! What a supervised process says, as lines of JSON on standard output.
//!
//! Everything that is said in this program is an event of `tracing`. To a person it is written as a
//! sentence on standard error. A supervisor is told the same by fields, so that it need not look
//! for words in a sentence: events of the target [`SUPERVISOR`] carry the fields of a
//! [`WorkerLine`], and any other warning is one by its message. That the cluster is back takes back
//! the warning that it was away, so that the next time is news again.
//!
//! # Simplifications
//! - A supervisor that stops reading for long holds up its worker, as with standard error: lines
//!   are few (one a second and input while records come), and a pipe holds hundreds.

use std::io::Write as _;

use lanes::{SUPERVISOR, WAITING};
use scenarios::supervise::WorkerLine;
use serde_json::Value;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::fields::Fields;

/// Writes events as [`WorkerLine`]s.
pub(crate) struct WorkerLines;

impl WorkerLines {
    /// Whether an event is for the supervisor. What is waited for comes in fields already.
    pub(crate) fn takes(metadata: &Metadata<'_>) -> bool {
        match metadata.target() {
            SUPERVISOR | client::BACK => true,
            WAITING => false,
            _ => *metadata.level() <= Level::WARN,
        }
    }
}

impl<S: Subscriber> Layer<S> for WorkerLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = line(event.metadata().target(), Fields::of(event));
        // The supervisor has gone, which the end of standard input tells, too.
        let _ = writeln!(crate::output::stdout(), "{line}");
    }
}

fn line(target: &str, fields: Fields) -> String {
    let line = match target {
        SUPERVISOR => serde_json::from_value(Value::Object(fields.0))
            .expect("an event for the supervisor has the fields of a line"),
        client::BACK => WorkerLine::Resumed,
        _ => WorkerLine::Warning { text: fields.message() },
    };
    serde_json::to_string(&line).expect("plain values")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_told_by_its_message_and_taken_back_by_the_return() {
        let mut fields = Fields::default();
        fields.0.insert("message".to_owned(), "the broker went away".into());
        assert_eq!(line("client::context", fields), r#"{"kind":"warning","text":"the broker went away"}"#);
        assert_eq!(line(client::BACK, Fields::default()), r#"{"kind":"resumed"}"#);
    }
}
