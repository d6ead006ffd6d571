//! Records to rows and answers: the processors' part, which needs neither cluster nor database.

use std::ops::Range;

use events::{Event, Topic};

use super::files::{Extracted, Input, Stage, Taken, Transformed};
use super::{WindowError, WindowRun};
use crate::Wish;
use crate::progress::Progress;
use crate::warehouse::Rows;
use processor::Processor;

impl WindowRun<'_> {
    /// Gives each processor its past and then the window, and writes `rows.jsonl` and
    /// `answers.jsonl`.
    pub fn transform(&self, factory: &dyn Fn() -> Box<dyn Processor>) -> Result<Transformed, WindowError> {
        let extracted: Extracted = self.files.left_by(Stage::Extract)?;
        self.files.begin(Stage::Transform)?;
        let mut past = Lines::open(self.files.open("past.jsonl")?)?;
        let mut records = Lines::open(self.files.open("records.jsonl")?)?;
        let mut out = self.files.create("answers.jsonl")?;
        let mut rows = Rows::new(&self.config.marts);
        let mut transformed = Transformed { rows: 0, answers: 0, dead_letters: 0 };
        let (mut answers, mut told) = (Vec::new(), Vec::new());
        let all = extracted.past + extracted.records;
        let mut progress = Progress::new(format!("{}: processing", self.batch_id), all);
        for (task, partitions) in self.config.tasks(extracted.partitions).into_iter().enumerate() {
            let known = self.kept.and_then(|kept| kept.fork(task));
            let (mut processor, mut has_past) = known.unwrap_or_else(|| (factory(), false));
            while let Some(taken) = past.next_of(&partitions)? {
                progress.step();
                if let Ok(event) = &taken.content {
                    processor.learn(event);
                    has_past = true;
                }
            }
            if has_past {
                processor.finish(&mut Vec::new());
            }
            while let Some(taken) = records.next_of(&partitions)? {
                progress.step();
                match taken.content {
                    Ok(event) => {
                        rows.add(&event);
                        processor.process(&event, &mut answers);
                    }
                    Err(letter) => {
                        transformed.dead_letters += 1;
                        answers.push(Event::DeadLetters(letter));
                    }
                }
                told.extend(answers.drain(..).map(|answer| (taken.partition, answer)));
            }
            processor.finish(&mut answers);
            told.extend(answers.drain(..).map(|answer| (partitions.start, answer)));
            for (partition, answer) in told.drain(..) {
                rows.add(&answer);
                let topic = answer.topic();
                if topic == Topic::DeadLetters || self.config.outputs.contains(&topic) {
                    out.answer(partition, &answer)?;
                    transformed.answers += 1;
                }
            }
            if self.control.wish() == Wish::Stop {
                return Err(self.interrupted());
            }
        }
        out.close()?;
        let rows = rows.tables(&self.batch_id);
        let mut file = self.files.create("rows.jsonl")?;
        file.with(|to| rows.write_jsonl(to))?;
        file.close()?;
        transformed.rows = rows.len() as u64;
        self.files.done(Stage::Transform, &transformed)?;
        Ok(transformed)
    }
}

/// The lines of a file in which each processor's stand together.
struct Lines {
    from: Input,
    head: Option<Taken>,
}

impl Lines {
    fn open(mut from: Input) -> Result<Self, WindowError> {
        let head = from.next()?;
        Ok(Self { from, head })
    }

    fn next_of(&mut self, partitions: &Range<i32>) -> Result<Option<Taken>, WindowError> {
        if self.head.as_ref().is_none_or(|head| !partitions.contains(&head.partition)) {
            return Ok(None);
        }
        let next = self.from.next()?;
        Ok(std::mem::replace(&mut self.head, next))
    }
}
