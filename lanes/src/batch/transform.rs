//! Records to rows and answers: the processors' part, which needs neither cluster nor database.

use events::{DeadLetter, Event, Topic};

use super::BatchConfig;
use crate::warehouse::{Rows, TableRows};
use processor::Processor;

/// What processors make of a window's records.
pub(super) struct RunOutput<'a> {
    config: &'a BatchConfig,
    pub(super) records: u64,
    pub(super) dead_letters: u64,
    rows: Rows,
    /// What was said last, on its way to whom it is handed on.
    answers: Vec<Event>,
}

impl<'a> RunOutput<'a> {
    pub(super) fn new(config: &'a BatchConfig) -> Self {
        Self { config, records: 0, dead_letters: 0, rows: Rows::new(&config.marts), answers: Vec::new() }
    }

    /// Gives a record of the window to its processor. What that answers is to be
    /// [handed on](Self::hand_on).
    pub(super) fn process(&mut self, processor: &mut dyn Processor, content: Result<Event, Box<DeadLetter>>) {
        assert!(self.answers.is_empty(), "answers to the record before were not handed on");
        self.records += 1;
        match content {
            Ok(event) => {
                self.rows.add(&event);
                processor.process(&event, &mut self.answers);
            }
            Err(letter) => {
                self.dead_letters += 1;
                self.answers.push(Event::DeadLetters(*letter));
            }
        }
    }

    /// The processor has been given all of the window.
    pub(super) fn end(&mut self, processor: &mut dyn Processor) {
        processor.finish(&mut self.answers);
    }

    /// Hands on what is to be published, in the order in which it was said. The rest was said to
    /// the database alone.
    pub(super) fn hand_on<E>(&mut self, mut to: impl FnMut(Event) -> Result<(), E>) -> Result<(), E> {
        for answer in self.answers.drain(..) {
            self.rows.add(&answer);
            let topic = answer.topic();
            if topic == Topic::DeadLetters || self.config.outputs.contains(&topic) {
                to(answer)?;
            }
        }
        Ok(())
    }

    /// The rows of the run.
    pub(super) fn tables(&self, batch_id: &str) -> TableRows {
        assert!(self.answers.is_empty(), "answers of {batch_id} were not handed on");
        self.rows.tables(batch_id)
    }
}
