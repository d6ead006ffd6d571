//! From a record to its answers, and what is done when the cluster does not take them.
//!
//! A question is done with when its answers are acknowledged, or a dead letter about it is. An
//! answer that is larger than a record may be is replaced by such a letter. Should not even that be
//! taken (a topic can be set to take next to nothing), the partition stops before the question: its
//! offset stays where it is, whatever ends the worker afterwards, and the other partitions go on.

use std::time::Instant;

use client::Refused;
use events::{Event, Source, Topic};

use super::{Slot, StreamLane};
use crate::arrival::Arrival;
use crate::outbox::{Outbox, instead_of};
use crate::task::Task;
use crate::{AnswerError, Control, WorkerStats};

/// Has a record processed and sends what is owed to it. Only then does the task count it as
/// answered. `answers` is empty before and after.
#[expect(
    clippy::disallowed_methods,
    reason = "the edge: how long processing takes is measured in wall-clock time"
)]
pub(super) fn answer(
    task: &mut Task,
    arrival: Arrival,
    answers: &mut Vec<Event>,
    outbox: &mut Outbox,
    control: &Control,
    stats: &mut WorkerStats,
) -> Result<(), AnswerError> {
    let source = Source { topic: arrival.topic, partition: task.partition, offset: arrival.offset };
    let last_offset = arrival.last_offset;
    let began = Instant::now();
    let mut outcome = task.process(arrival, answers);
    let took_us = began.elapsed().as_micros() as u64;
    stats.records += 1;
    stats.already_answered += outcome.already_answered;
    for mut answer in answers.drain(..) {
        if let Some(told) = answer.took_us_mut() {
            *told = Some(took_us);
        }
        if !outbox.encode(&answer) && answer.topic() != Topic::DeadLetters {
            if outcome.given.has_next(Topic::DeadLetters) {
                stats.already_answered += 1;
                continue;
            }
            answer = instead_of(&answer, source.topic, source.partition, source.offset).into();
            outbox.encode(&answer);
        }
        let place = outbox.place(answer.topic(), source.partition);
        let replay = task.replay.as_ref().and_then(|replay| replay.header(source.topic, place));
        outbox.send_encoded(&answer, source.partition, format_args!("{source}"), replay, control)?;
        let dead_letter = answer.topic() == Topic::DeadLetters;
        stats.answers += u64::from(!dead_letter);
        stats.dead_letters += u64::from(dead_letter);
    }
    task.answered(source.topic, last_offset);
    Ok(())
}

impl StreamLane<'_> {
    /// Stops the partitions of questions whose answers were refused. Which of the questions since
    /// the last commit it was is not known, so all of them are left to the next life.
    pub(super) fn stop_refused(&mut self) {
        for Refused { tag, topic, reason, .. } in self.outbox.take_refused() {
            let Ok(partition) = i32::try_from(tag) else { continue };
            let question = format!("a record of partition {partition}");
            self.stop(partition, &AnswerError::Unanswerable { question, topic, reason });
        }
    }

    /// Reads and commits nothing more of a partition; said once.
    pub(super) fn stop(&mut self, partition: i32, why: &AnswerError) {
        self.parked.remove(&partition);
        match self.tasks.get_mut(&partition) {
            Some(slot @ (Slot::Running { .. } | Slot::Rebuilding { .. })) => *slot = Slot::Stopped,
            Some(Slot::Stopped) | None => return,
        }
        self.stats.stopped_partitions += 1;
        tracing::error!("{why}; partition {partition} is stopped, the others go on");
    }
}
