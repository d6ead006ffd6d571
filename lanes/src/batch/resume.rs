//! Where an earlier life of the job left off, and what its processors knew then.

use client::{Commit, TopicPartition};
use events::Topic;

use super::super::commit_metadata::{CommitMetadata, PartitionId};
use super::super::offsets::{InputEnds, partitions_of};
use super::super::progress::Progress;
use super::super::rebuild::reach_back;
use super::super::window::{Assignment, Window};
use super::job::{InputPosition, Job, LiveTask};
use super::reading::{Reading, Slice, cut, records_in};
use crate::{BatchError, DesiredState};

impl Job<'_> {
    /// Where the job stands, by its commits; a new job commits where it begins before anything
    /// else.
    pub(super) fn find_position(&mut self, inputs: InputEnds, partitions: i32) -> Result<(), BatchError> {
        let at = partitions_of(inputs.iter().map(|(place, _)| place));
        let commits = self.admin.committed(&self.config.job, &at)?;
        let places = self.outbox.all_places(partitions);
        let ends = self.admin.ends(&partitions_of(&places))?;
        self.answers_from.extend(places.into_iter().zip(ends.into_iter().map(|end| end.unwrap_or(0))));
        let mut fresh = false;
        for ((place, offsets), commit) in inputs.into_iter().zip(commits) {
            let Some(offsets) = offsets else { continue };
            let marks = commit.as_ref().and_then(|commit| CommitMetadata::parse(&commit.metadata));
            let position = commit.map_or(offsets.earliest, |commit| commit.offset);
            // The log may have lost its beginning to retention, or have been recreated.
            let known = position <= offsets.latest;
            let position = if known { position.max(offsets.earliest) } else { offsets.earliest };
            let marks = marks.filter(|_| known);
            fresh |= marks.is_none();
            let mut marks = marks.unwrap_or_default();
            // Anybody may commit for the group, and retention may have passed a plan.
            for read in marks.read.iter_mut().chain(&mut marks.plan) {
                read.end = read.end.min(offsets.latest);
            }
            if let Some(plan) = &mut marks.plan {
                plan.end = plan.end.max(position);
            }
            for (place, from) in &marks.answers_from {
                if let Some(known) = self.answers_from.get_mut(place) {
                    *known = (*known).min(*from);
                }
            }
            self.inputs.push(InputPosition { place, position, marks });
        }
        if fresh { self.commit() } else { Ok(()) }
    }

    /// Gives the processors what earlier runs gave them.
    pub(super) fn rebuild(&mut self) -> Result<(), BatchError> {
        for LiveTask { partitions, processor } in &mut self.tasks {
            let (mut slices, mut last) = (Vec::new(), None);
            for input in self.inputs.iter().filter(|input| partitions.contains(&input.place.1)) {
                let Some(done) = input.marks.read else { continue };
                let place @ (topic, partition) = input.place;
                let Some(Some(offsets)) = self.admin.offsets(&partitions_of([&place]))?.pop() else {
                    continue;
                };
                let (settings, earliest) = (&self.config.settings, offsets.earliest);
                let from = match self.config.horizon_ms {
                    Some(ms) => {
                        let until = Some(done.until);
                        reach_back(settings, topic, partition, earliest, done.end, ms, until)?
                    }
                    None => earliest,
                };
                slices.push(Slice { place, from, done: Some(done), end: done.end });
                last = last.max(Some(done.until));
            }
            let Some(until) = last else { continue };
            let (stretches, cuts) = cut(&slices, until);
            self.log.reopen(&stretches)?;
            let of = format!("{}/{}: rebuilding from the log", self.config.job, partitions.start);
            let mut progress = Progress::new(of, records_in(&slices));
            let mut reading = Reading::new(&mut self.log, &cuts, &mut progress, self.control);
            while let Some((arrival, assignment)) = reading.next()? {
                if let (Ok(event), Assignment::Earlier) = (&arrival.content, assignment) {
                    processor.learn(event);
                    self.stats.rebuilt_from += 1;
                }
            }
            if self.control.desired_state() == DesiredState::Stop {
                return Ok(());
            }
            processor.finish(&mut Vec::new());
        }
        self.log.stop_fetching()?;
        Ok(())
    }

    /// The window of a run that was begun and not finished.
    pub(super) fn begun(&self) -> Option<Window> {
        let begun = self.inputs.iter().find(|input| input.marks.plan.is_some())?;
        let end = begun.marks.plan?.until;
        Some(Window { start: begun.marks.plan_start.unwrap_or(end.plus_ms(-self.period_ms)), end })
    }

    pub(super) fn commit(&self) -> Result<(), BatchError> {
        let commit = |InputPosition { place, position, marks }: &InputPosition| {
            // Only what answers to this partition's questions: a commit's text is short.
            let (topic, partition) = *place;
            let places = self.outbox.places(partition);
            let runs = (partition == 0).then(|| self.outbox.place(Topic::BatchRuns, 0));
            let of = |place: &PartitionId| Some((*place, *self.answers_from.get(place)?));
            let answers_from = places.iter().chain(runs.iter()).filter_map(of).collect();
            let metadata = CommitMetadata { answers_from, ..marks.clone() }.to_string();
            Commit { at: TopicPartition::new(topic.name(), partition), offset: *position, metadata }
        };
        let commits: Vec<_> = self.inputs.iter().map(commit).collect();
        Ok(self.admin.commit(&self.config.job, &commits)?)
    }
}
