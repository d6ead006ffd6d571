//! One window by hand: the four steps, each of which may be a command of its own.

use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;

use client::ProducerOptions;
use events::{Timestamp, Topic};
use serde::{Deserialize, Serialize};

use super::super::outbox::Outbox;
use super::super::progress::Progress;
use super::super::window::Window;
use super::BatchConfig;
use super::files::{Extracted, FileRecord, Files, LineReader, Stage};
use super::publish::{OnTopics, Publisher, answers_there, beginnings, earlier_runs};
use super::shared_state::SharedState;
use super::steps::Steps;
use super::transform::RunOutput;
use crate::warehouse::{TableRows, Warehouse};
use crate::{Control, WindowError};
use processor::Processor;

/// A window of a job of the batch lane, to be run step by step. The job's period and its `once`
/// don't count here.
pub struct WindowRun<'a> {
    pub(super) steps: Steps<'a>,
    pub(super) files: Files,
    pub(super) shared: Option<&'a SharedState<'a>>,
}

/// What `transform` has made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transformed {
    /// Rows for the database.
    pub rows: u64,
    /// Answers for the topics.
    pub answers: u64,
    /// Records that could not be read.
    pub dead_letters: u64,
}

/// What `load` has done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loaded {
    /// Rows loaded.
    pub rows: u64,
}

/// What `publish` has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Published {
    /// Answers sent, the line on `batch_runs` among them.
    pub answers: u64,
    /// Answers that were there already.
    pub already: u64,
}

impl<'a> WindowRun<'a> {
    /// The window from `start` to before `end`, with the files of its steps in a folder of `folder`
    /// that has the run's name.
    pub fn new(
        config: &'a BatchConfig,
        (start, end): (Timestamp, Timestamp),
        folder: &Path,
        control: &'a Control,
    ) -> Self {
        let steps = Steps::new(config, control, Window::new(start, end), Some(config.retries));
        let files = Files::new(folder.join(&steps.batch_id));
        Self { steps, files, shared: None }
    }

    /// The same as one of several, which learn what they have in common once. The files that it
    /// leaves are of use to no later command.
    #[must_use]
    pub fn with_shared_state(self, shared: &'a SharedState<'a>) -> Self {
        Self { shared: Some(shared), ..self }
    }

    /// The name of the run, such as `batch-fraud-2026-03-03T11`.
    pub fn batch_id(&self) -> &str {
        &self.steps.batch_id
    }

    /// Gives each processor its past and then the window, and writes `rows.jsonl` and
    /// `answers.jsonl`.
    pub fn transform(&self, factory: &dyn Fn() -> Box<dyn Processor>) -> Result<Transformed, WindowError> {
        let Extracted { run, past: all, partitions, .. } = self.files.left_by(Stage::Extract)?;
        self.files.begin(Stage::Transform)?;
        let config = self.steps.config;
        let mut past = Lines::open(self.files.open("past.jsonl")?)?;
        let mut records = Lines::open(self.files.open("records.jsonl")?)?;
        let mut out = self.files.create("answers.jsonl")?;
        let mut output = RunOutput::new(config);
        let mut answers = 0;
        let mut progress = Progress::new(format!("{}: processing", self.batch_id()), all + run.records);
        for (task, partitions) in config.tasks(partitions).into_iter().enumerate() {
            let known = self.shared.and_then(|shared| shared.fork(task));
            let (mut processor, mut has_past) = known.unwrap_or_else(|| (factory(), false));
            while let Some(record) = past.next_of(&partitions)? {
                progress.step();
                if let Ok(event) = &record.content {
                    processor.learn(event);
                    has_past = true;
                }
            }
            if has_past {
                processor.finish(&mut Vec::new());
            }
            let mut hand_on = |output: &mut RunOutput<'_>, partition| {
                output.hand_on(|answer| {
                    answers += 1;
                    out.answer(partition, &answer)
                })
            };
            while let Some(record) = records.next_of(&partitions)? {
                progress.step();
                output.process(&mut *processor, record.content);
                hand_on(&mut output, record.partition)?;
            }
            output.end(&mut *processor);
            hand_on(&mut output, partitions.start)?;
            self.steps.check_stop()?;
        }
        out.close()?;
        let rows = output.tables(self.batch_id());
        let mut file = self.files.create("rows.jsonl")?;
        file.with(|to| rows.write_jsonl(to))?;
        file.close()?;
        let dead_letters = output.dead_letters;
        let transformed = Transformed { rows: rows.len() as u64, answers, dead_letters };
        self.files.done(Stage::Transform, &transformed)?;
        Ok(transformed)
    }

    /// Loads `rows.jsonl` and the run's line in the run log, all or nothing. Loading it again
    /// changes nothing.
    pub fn load(&self, warehouse: &mut dyn Warehouse) -> Result<Loaded, WindowError> {
        let Extracted { run, .. } = self.files.left_by(Stage::Extract)?;
        let _: Transformed = self.files.left_by(Stage::Transform)?;
        self.files.begin(Stage::Load)?;
        let marts = &self.steps.config.marts;
        let rows = self.files.open("rows.jsonl")?.with(|from| TableRows::read_jsonl(from, marts))?;
        // Looked up again: another run may have been loaded since these records were extracted.
        self.steps.overlapping_runs(warehouse)?;
        let loaded = Loaded { rows: self.steps.load(warehouse, &run, &rows)? };
        self.files.done(Stage::Load, &loaded)?;
        Ok(loaded)
    }

    /// Publishes `answers.jsonl` and the run's line on `batch_runs`, and notes in the run log when
    /// that was. What an earlier attempt has published is left out.
    pub fn publish(&self, warehouse: &mut dyn Warehouse) -> Result<Published, WindowError> {
        let Extracted { run, partitions, .. } = self.files.left_by(Stage::Extract)?;
        let Transformed { answers: all, .. } = self.files.left_by(Stage::Transform)?;
        let Loaded { rows } = self.files.left_by(Stage::Load)?;
        let Steps { config, control, .. } = self.steps;
        let admin = self.steps.admin()?;
        let topics = config.answers_on();
        let mut outbox =
            Outbox::new(&config.settings, &ProducerOptions::stream(), &admin, &topics, &config.job)?;

        // Windows are run in any order, so the answers of an earlier attempt may lie anywhere.
        let from = beginnings(&admin, outbox.all_places(partitions).iter())?;
        let own = RefCell::default();
        let (on_topics, prefix) = match self.shared {
            Some(shared) => (&shared.on_topics, &*config.job),
            None => (&own, self.batch_id()),
        };
        let mut on_topics = on_topics.borrow_mut();
        let OnTopics { there, seen_from } = match &mut *on_topics {
            Some(known) => known,
            unknown => unknown.insert(OnTopics {
                there: answers_there(config, &admin, &from, prefix)?,
                seen_from: earlier_runs(config, &admin, outbox.place(Topic::BatchRuns, 0), control)?,
            }),
        };

        let mut publisher = Publisher::new(&self.steps, &mut outbox, there, seen_from);
        let finished = publisher.finish(run.started_at);
        let mut answers = self.files.open("answers.jsonl")?;
        let mut progress = Progress::new(format!("{}: publishing", self.batch_id()), all);
        while let Some(FileRecord { partition, content }) = answers.next()? {
            progress.step();
            let Some(answer) = content.ok().filter(|answer| topics.contains(&answer.topic())) else {
                continue;
            };
            publisher.publish(partition, answer)?;
            self.steps.check_stop()?;
        }
        publisher.end(&run, rows, warehouse)?;
        let published = Published { answers: publisher.given, already: publisher.already };
        seen_from.entry(run.window_end).or_insert(finished.visible_from);
        self.files.done(Stage::Publish, &published)?;
        Ok(published)
    }
}

/// The lines of a file in which each processor's stand together.
struct Lines {
    from: LineReader,
    head: Option<FileRecord>,
}

impl Lines {
    fn open(mut from: LineReader) -> Result<Self, WindowError> {
        let head = from.next()?;
        Ok(Self { from, head })
    }

    fn next_of(&mut self, partitions: &Range<i32>) -> Result<Option<FileRecord>, WindowError> {
        if self.head.as_ref().is_none_or(|head| !partitions.contains(&head.partition)) {
            return Ok(None);
        }
        let next = self.from.next()?;
        Ok(std::mem::replace(&mut self.head, next))
    }
}
