//! The one thing that both lanes run, the tools that every implementation of it needs, for time and
//! for what must not grow without bound, and the form in which it declares its tables.
//!
//! It stands in a crate of its own so that those who implement it (`consumers`) and those who run
//! it (`lanes`, a replay, the bill) need not know each other: a fraud rule compiles without a
//! broker or a database, and a lane without a fraud rule.

pub mod bounded;
pub mod event_time;
pub mod mart;

use events::{Event, Topic};

/// Plain logic: events in, answers out, state inside; no clock, no broker, no lane.
///
/// The stream lane hands a processor each event as it comes; the batch lane hands the same
/// processor an hour of them at once. Everything that a processor knows of time is in the events.
/// Two processors that were given the same events in the same order give the same answers to the
/// byte, which is what makes replay, recovery after a crash, and a fair comparison of the lanes
/// possible.
pub trait Processor: Send {
    /// The topics it wants to read.
    fn inputs(&self) -> &'static [Topic];

    /// Takes one event, in the order of arrival, and appends the answers it gives to `answers`.
    ///
    /// An event of a topic that is not among [`inputs`](Processor::inputs) is ignored.
    fn process(&mut self, event: &Event, answers: &mut Vec<Event>);

    /// Takes one event without answering it: how a state is rebuilt from the log. Must leave behind
    /// exactly what [`process`](Processor::process) leaves; a processor whose answers are costly
    /// may do so without making them.
    fn learn(&mut self, event: &Event) {
        self.process(event, &mut Vec::new());
    }

    /// The input has ended: appends what is still owed (the batch lane's last period). A streaming
    /// answer is never owed.
    fn finish(&mut self, _answers: &mut Vec<Event>) {}

    /// The batch lane runs so often from now on, in milliseconds of event time: at least one.
    /// Called between runs; a streaming processor has no period.
    fn set_period_ms(&mut self, _period_ms: i64) {}

    /// A copy that continues independently, and would give the same answers to the byte. None from
    /// a processor that can't be copied.
    fn fork(&self) -> Option<Box<dyn Processor>> {
        None
    }

    /// What was noticed and is worth a person's eye, as `(name, count)`: late records, vehicles off
    /// the map, duplicates.
    fn counters(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}
