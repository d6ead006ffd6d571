//! Records to answers and rows.

use std::time::Instant;

use client::TopicPartition;
use events::Event;

use super::super::progress::Progress;
use super::super::rebuild::Log;
use super::super::window::{Cut, Cuts, Fate, Window};
use super::taken::Taken;
use super::{Input, Job, Sending, Task};
use crate::{BatchError, Wish};

impl Job<'_> {
    /// Gives the processors the window's records, and publishes the answers that need not wait for
    /// the run's end.
    pub(super) fn process(&mut self, window: Window, sending: &mut Sending<'_>) -> Result<Taken, BatchError> {
        let control = self.control;
        let stopped = || control.wish() == Wish::Stop;
        let mut taken = Taken::new(&self.config.marts);
        let mut answers = Vec::new();
        let mut tasks = std::mem::take(&mut self.tasks);
        let ahead = |input: &Input| input.plan.map_or(0, |plan| (plan.end - input.position).max(0) as u64);
        let mut progress = Progress::new(
            format!("{}: processing", window.batch_id(&self.config.job)),
            self.inputs.iter().map(ahead).sum(),
        );
        for Task { partitions, processor, log } in &mut tasks {
            let inputs: Vec<_> =
                self.inputs.iter().filter(|input| partitions.contains(&input.at.partition)).collect();
            let stretches: Vec<_> = inputs
                .iter()
                .map(|input| {
                    let end = input.plan.map_or(input.position, |plan| plan.end);
                    ((input.topic, input.at.partition), input.position, end)
                })
                .collect();
            let cut = |input: &&Input| {
                ((input.topic, input.at.partition), Cut { done: input.done, until: window.end })
            };
            let cuts = Cuts(inputs.iter().map(cut).collect());
            let settings = &self.config.settings;
            let log = match log {
                Some(log) => {
                    log.reopen(settings, &stretches)?;
                    log
                }
                None => log.insert(Log::open(settings, &stretches)?),
            };
            while let Some(arrival) = log.next(&|arrival| cuts.turn(arrival), &stopped)? {
                progress.step();
                let partition = arrival.partition;
                match cuts.fate(&arrival) {
                    Fate::Done => continue,
                    Fate::Later => {
                        let at = TopicPartition::new(arrival.topic.name(), partition);
                        taken
                            .first_left
                            .entry(at)
                            .and_modify(|first| *first = (*first).min(arrival.offset))
                            .or_insert(arrival.offset);
                        continue;
                    }
                    Fate::Now => {}
                }
                taken.records += 1;
                let began = stopwatch();
                match arrival.content {
                    Ok(event) => {
                        taken.rows.add(&event);
                        processor.process(&event, &mut answers);
                    }
                    Err(letter) => {
                        self.stats.dead_letters += 1;
                        answers.push(Event::DeadLetters(*letter));
                    }
                }
                self.stats.processing.record(began.elapsed());
                self.dispatch(partition, window, &mut answers, &mut taken, sending)?;
                if taken.records.is_multiple_of(1024) && stopped() {
                    break;
                }
            }
            if stopped() {
                // The run is repeated by the next life: that is what its plan is for.
                return Err(BatchError::Interrupted { batch_id: window.batch_id(&self.config.job) });
            }
            log.rest()?;
            processor.finish(&mut answers);
            self.dispatch(partitions.start, window, &mut answers, &mut taken, sending)?;
        }
        self.tasks = tasks;
        Ok(taken)
    }
}

#[expect(clippy::disallowed_methods, reason = "the rim: processing time is measured on the wall")]
fn stopwatch() -> Instant {
    Instant::now()
}
