//! Where an earlier life of the job left off, and what its processors knew then.

use client::{Commit, TopicPartition};
use events::Topic;

use super::super::bookmark::{Bookmark, Place};
use super::super::progress::Progress;
use super::super::rebuild::{Log, reach_back};
use super::super::window::{Cut, Cuts, Fate, Window};
use super::{Input, Job, Task};
use crate::{BatchError, Wish};

impl Job<'_> {
    /// Where the job stands, by its commits; a new job commits where it begins before anything
    /// else.
    pub(super) fn find_position(&mut self, topics: &[Topic], partitions: i32) -> Result<(), BatchError> {
        let at: Vec<_> = (0..partitions)
            .flat_map(|partition| {
                topics.iter().map(move |topic| TopicPartition::new(topic.name(), partition))
            })
            .collect();
        let commits = self.admin.committed(&self.config.job, &at)?;
        let offsets = self.admin.offsets(&at)?;
        let mut places: Vec<Place> =
            (0..partitions).flat_map(|partition| self.outbox.places(partition)).collect();
        places.sort_unstable();
        places.dedup();
        let ends_at: Vec<_> = places.iter().map(|(topic, n)| TopicPartition::new(topic.name(), *n)).collect();
        for (place, end) in places.into_iter().zip(self.admin.ends(&ends_at)?) {
            self.answers_from.insert(place, end.unwrap_or(0));
        }
        let mut fresh = false;
        for ((at, commit), offsets) in at.into_iter().zip(commits).zip(offsets) {
            let (Some(topic), Some(offsets)) = (Topic::named(&at.topic), offsets) else { continue };
            let bookmark = commit.as_ref().and_then(|commit| Bookmark::parse(&commit.metadata));
            let position = commit.map_or(offsets.earliest, |commit| commit.offset);
            // The log may have lost its beginning to retention, or have been made anew.
            let known = position <= offsets.latest;
            let position = if known { position.max(offsets.earliest) } else { offsets.earliest };
            let bookmark = bookmark.filter(|_| known);
            fresh |= bookmark.is_none();
            let bookmark = bookmark.unwrap_or_default();
            for (place, from) in &bookmark.answers_from {
                if let Some(known) = self.answers_from.get_mut(place) {
                    *known = (*known).min(*from);
                }
            }
            self.inputs.push(Input {
                topic,
                at,
                position,
                done: bookmark.read,
                plan: bookmark.plan,
                plan_start: bookmark.plan_start,
            });
        }
        if fresh { self.commit() } else { Ok(()) }
    }

    /// Gives the processors what earlier runs gave them.
    pub(super) fn rebuild(&mut self) -> Result<(), BatchError> {
        let control = self.control;
        let stopped = || control.wish() == Wish::Stop;
        for Task { partitions, processor, .. } in &mut self.tasks {
            let mut stretches = Vec::new();
            let mut cuts = Cuts::default();
            for input in self.inputs.iter().filter(|input| partitions.contains(&input.at.partition)) {
                let Some(done) = input.done else { continue };
                let offsets = self.admin.offsets(std::slice::from_ref(&input.at))?;
                let Some(Some(offsets)) = offsets.first() else { continue };
                let from = match self.config.horizon_ms {
                    Some(horizon_ms) => reach_back(
                        &self.config.settings,
                        input.topic,
                        input.at.partition,
                        offsets.earliest,
                        done.end,
                        horizon_ms,
                    )?,
                    None => offsets.earliest,
                };
                let place = (input.topic, input.at.partition);
                stretches.push((place, from, done.end));
                cuts.0.insert(place, Cut { done: None, until: done.until });
            }
            let mut log = Log::open(&self.config.settings, &stretches)?;
            let all = stretches.iter().map(|(_, from, to)| (to - from).max(0) as u64).sum();
            let of = format!("{}/{}: rebuilding from the log", self.config.job, partitions.start);
            let mut progress = Progress::new(of, all);
            while let Some(arrival) = log.next(&|arrival| cuts.turn(arrival), &stopped)? {
                progress.step();
                let Ok(event) = &arrival.content else { continue };
                if cuts.fate(&arrival) == Fate::Now {
                    processor.learn(event);
                    self.stats.rebuilt_from += 1;
                }
            }
            if stopped() {
                return Ok(());
            }
            if !stretches.is_empty() {
                processor.finish(&mut Vec::new());
            }
        }
        Ok(())
    }

    /// The window of a run that was begun and not finished.
    pub(super) fn begun(&self) -> Option<Window> {
        let begun = self.inputs.iter().find(|input| input.plan.is_some())?;
        let end = begun.plan?.until;
        Some(Window { start: begun.plan_start.unwrap_or(end.plus_ms(-self.period_ms)), end })
    }

    pub(super) fn commit(&self) -> Result<(), BatchError> {
        let commit = |input: &Input| {
            // Only what answers to this partition's questions: a commit's text is short.
            let places = self.outbox.places(input.at.partition);
            let runs = (input.at.partition == 0).then(|| self.outbox.place(Topic::BatchRuns, 0));
            let of = |place: &Place| Some((*place, *self.answers_from.get(place)?));
            let bookmark = Bookmark {
                answers_from: places.iter().chain(runs.iter()).filter_map(of).collect(),
                read: input.done,
                plan: input.plan,
                plan_start: input.plan.and(input.plan_start),
            };
            Commit { at: input.at.clone(), offset: input.position, metadata: bookmark.to_string() }
        };
        let commits: Vec<_> = self.inputs.iter().map(commit).collect();
        Ok(self.admin.commit(&self.config.job, &commits)?)
    }
}
