//! Answers to their topics, those that are not there yet.

use std::collections::{BTreeMap, HashMap};

use client::{Admin, ProducerOptions, TopicPartition};
use events::{Event, Timestamp, Topic};

use super::super::batch::{
    Schedule, Sending, answers_there, earlier_runs, finish, finished_ms, neighbours, report,
};
use super::super::bookmark::Place;
use super::super::outbox::Outbox;
use super::super::progress::Progress;
use super::files::{Extracted, Loaded, Stage, Transformed};
use super::load::run;
use super::{WindowError, WindowRun};
use crate::Wish;
use crate::warehouse::Warehouse;

/// What `publish` has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Answers sent, the line on `batch_runs` among them.
    pub answers: u64,
    /// Answers that were there already.
    pub already: u64,
}

impl WindowRun<'_> {
    /// Publishes `answers.jsonl` and the run's line on `batch_runs`, and notes in the run log when
    /// that was. What an earlier attempt has published is left out.
    pub fn publish(&self, warehouse: &mut dyn Warehouse) -> Result<Published, WindowError> {
        let extracted: Extracted = self.files.left_by(Stage::Extract)?;
        let loaded: Loaded = self.files.left_by(Stage::Load)?;
        let (settings, window) = (&self.config.settings, self.window);
        let admin = self.admin()?;
        let mut outputs = self.config.outputs.clone();
        outputs.extend([Topic::DeadLetters, Topic::BatchRuns]);
        let mut outbox = Outbox::new(settings, &ProducerOptions::stream(), &admin, &outputs)?;

        let mut places: Vec<Place> =
            (0..extracted.partitions).flat_map(|partition| outbox.places(partition)).collect();
        places.sort_unstable();
        places.dedup();
        let at: Vec<_> = places.iter().map(|(topic, n)| TopicPartition::new(topic.name(), *n)).collect();
        let earliest = admin.offsets(&at)?.into_iter().map(|offsets| offsets.map_or(0, |at| at.earliest));
        let from: BTreeMap<Place, i64> = places.into_iter().zip(earliest).collect();
        let there = self.there(&admin, &from)?;
        let runs = outbox.place(Topic::BatchRuns, 0);
        let earlier = self.earlier(&admin, runs)?;

        let finished = finished_ms(&self.batch_id, extracted.started_at.ms());
        let visible_from = match self.config.schedule {
            Schedule::Clock(clock) => clock.simulated(finished).max(window.end),
            Schedule::EventTime => window.end,
        };
        let seen_from = |period_end: Timestamp| {
            if period_end > window.start { Some(visible_from) } else { earlier.get(&period_end).copied() }
        };
        let mut sending = Sending::new(&self.batch_id, there);
        let mut answers = self.files.open("answers.jsonl")?;
        let all = self.files.left_by::<Transformed>(Stage::Transform)?.answers;
        let mut progress = Progress::new(format!("{}: publishing", self.batch_id), all);
        while let Some(taken) = answers.next()? {
            progress.step();
            let Ok(answer) = taken.content else { continue };
            if !outbox.takes(answer.topic()) {
                continue;
            }
            sending.publish(&mut outbox, taken.partition, answer, &seen_from, self.control)?;
            if self.control.wish() == Wish::Stop {
                return Err(self.interrupted());
            }
        }
        // Whoever reads of the run finds its answers.
        sending.settle(&outbox, self.control)?;
        let finished_at = Timestamp::from_ms(finished);
        let line: Event = report(&run(&extracted), loaded.rows, finished_at, visible_from);
        sending.send(&mut outbox, 0, &line, self.control)?;
        sending.settle(&outbox, self.control)?;
        if let Some(kept) = self.kept
            && let Some(runs) = &mut *kept.runs.borrow_mut()
        {
            runs.entry(window.end).or_insert(visible_from);
        }

        // A rerun that had nothing to say leaves the run log as it was.
        let known = neighbours(warehouse, &self.config.job, window, self.backoff(), self.control)?;
        let finished_before =
            known.iter().any(|run| run.batch_id == self.batch_id && run.finished_at.is_some());
        if sending.given > 0 || !finished_before {
            let when = (finished_at, visible_from);
            finish(warehouse, &self.batch_id, when, self.backoff(), self.control)?;
        }
        let published = Published { answers: sending.given, already: sending.already };
        self.files.done(
            Stage::Publish,
            &serde_json::json!({ "answers": published.answers, "already": published.already }),
        )?;
        Ok(published)
    }

    /// How many answers of this run are there already. What is there of all runs is read by the
    /// first of several windows, since nobody else publishes meanwhile.
    fn there(
        &self,
        admin: &Admin,
        from: &BTreeMap<Place, i64>,
    ) -> Result<HashMap<(Place, String), u64>, WindowError> {
        let settings = &self.config.settings;
        let Some(kept) = self.kept else {
            return Ok(answers_there(settings, admin, from.iter(), &self.batch_id)?);
        };
        let mut there = kept.there.borrow_mut();
        if there.is_none() {
            *there = Some(answers_there(settings, admin, from.iter(), &self.config.job)?);
        }
        let ours = |(_, source): &&(Place, String)| source.starts_with(&self.batch_id);
        let all = there.iter().flatten();
        Ok(all.filter(|(at, _)| ours(at)).map(|(at, count)| (at.clone(), *count)).collect())
    }

    /// From when the answers of earlier runs could be seen, by the ends of their windows.
    fn earlier(&self, admin: &Admin, runs: Place) -> Result<BTreeMap<Timestamp, Timestamp>, WindowError> {
        let read = || earlier_runs(&self.config.settings, admin, runs, &self.config.job, self.control);
        let Some(kept) = self.kept else { return Ok(read()?) };
        let mut earlier = kept.runs.borrow_mut();
        if earlier.is_none() {
            *earlier = Some(read()?);
        }
        Ok(earlier.clone().unwrap_or_default())
    }
}
