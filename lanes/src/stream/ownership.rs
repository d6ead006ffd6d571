//! Partitions come and go: what a worker does when the group gives it some, and when it takes them
//! back.
//!
//! Given a partition, it finds out where the group stands, has the state rebuilt by a thread of its
//! own while the other tasks go on, and begins to answer when that is done. Before it gives one up
//! it answers what it has begun, commits, and keeps the state for a moment: with the `range`
//! assignor every partition is taken away at each rebalance, and most come back at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use client::TopicPartition;
use events::Topic;

use super::{FLUSH, LAST_FLUSH, METADATA_TIMEOUT, News, Pending, Slot, StreamLane, commits};
use crate::StreamError;
use crate::commit_metadata::{CommitMetadata, ReplayStart};
use crate::rebuild::Plan;
use crate::task::Task;

/// What the group and the log say of one input of a task.
struct Start {
    topic: Topic,
    /// The first offset that the log still has.
    earliest: i64,
    /// The next offset to process.
    position: i64,
    metadata: Option<CommitMetadata>,
    /// Whether an offset is committed with a text that isn't ours: somebody has reset it.
    was_reset: bool,
}

impl StreamLane<'_> {
    pub(super) fn assigned(&mut self, partitions: &[TopicPartition]) -> Result<(), StreamError> {
        self.assignment += 1;
        self.committed.clear();
        let commits = self.wait_for(|lane| lane.consumer.committed(partitions, METADATA_TIMEOUT))?;
        let bounds = self.wait_for(|lane| lane.admin.offsets(partitions))?;
        let (Some(commits), Some(bounds)) = (commits, bounds) else { return Ok(()) };
        let mut starts = Vec::new();
        let mut by_task: BTreeMap<i32, Vec<Start>> = BTreeMap::new();
        for ((at, commit), bounds) in partitions.iter().zip(commits).zip(bounds) {
            let (Some(topic), Some(bounds)) = (Topic::named(&at.topic), bounds) else { continue };
            let metadata = commit.as_ref().and_then(|commit| CommitMetadata::parse(&commit.metadata));
            let was_reset = commit.is_some() && metadata.is_none();
            let position = match commit {
                Some(commit) if commit.offset > bounds.latest => {
                    tracing::warn!(
                        "{at} ends at {} but {} was committed: it was recreated, and is read from its beginning",
                        bounds.latest,
                        commit.offset
                    );
                    bounds.earliest
                }
                Some(commit) if commit.offset < bounds.earliest => {
                    let lost = bounds.earliest - commit.offset;
                    tracing::warn!("{at}: retention took {lost} records before anybody answered them");
                    bounds.earliest
                }
                Some(commit) => commit.offset,
                None => bounds.earliest,
            };
            starts.push((at.clone(), position));
            let start = Start { topic, earliest: bounds.earliest, position, metadata, was_reset };
            by_task.entry(at.partition).or_default().push(start);
        }
        let inboxes = self.consumer.assign(&starts)?;
        for ((at, _), inbox) in starts.iter().zip(inboxes) {
            if let Some(topic) = Topic::named(&at.topic) {
                self.inboxes.insert((topic, at.partition), inbox);
            }
        }
        for (partition, inputs) in by_task {
            self.prepare(partition, &inputs)?;
        }
        self.parked.clear();
        Ok(())
    }

    /// Goes on with the task that this worker had of the partition, or has one rebuilt.
    fn prepare(&mut self, partition: i32, inputs: &[Start]) -> Result<(), StreamError> {
        let positions: Vec<_> = inputs.iter().map(|input| (input.topic, input.position)).collect();
        if let Some(mut task) = self.parked.remove(&partition)
            && positions.iter().all(|position| task.positions().any(|at| at == *position))
        {
            task.forget_unprocessed();
            self.broadcast.pass_on(&mut task);
            self.tasks.insert(partition, Slot::Running { task: Box::new(task), waiting: None });
            return Ok(());
        }
        let places = self.outbox.places(partition);
        let at: Vec<_> =
            places.iter().map(|(topic, place)| TopicPartition::new(topic.name(), *place)).collect();
        let Some(ends) = self.wait_for(|lane| lane.admin.ends(&at))? else { return Ok(()) };
        let mut metadata = CommitMetadata::default();
        let mut tails = Vec::new();
        let mut known = true;
        for (place, end) in places.into_iter().zip(ends) {
            let end = end.unwrap_or(0);
            // All inputs of a task are committed together; should one lack a metadata, the others'
            // is the same or earlier.
            let from = inputs
                .iter()
                .filter_map(|input| input.metadata.as_ref()?.answers_from.get(&place).copied())
                .min();
            known &= from.is_some() && inputs.iter().all(|input| input.metadata.is_some());
            // Nothing was ever committed here: nothing was answered either, for the first commit
            // comes before the first answer.
            let from = from.unwrap_or(end).min(end);
            metadata.answers_from.insert(place, from);
            tails.push((place, from, end));
        }
        // All inputs of a task are committed together, so each knows of the same replay.
        metadata.replay = inputs.iter().find_map(|input| input.metadata.as_ref()?.replay.clone());
        if inputs.iter().any(|input| input.was_reset) {
            let at = tails.iter().map(|(place, _, end)| (*place, *end)).collect();
            metadata.replay = Some(ReplayStart { from: positions.iter().copied().collect(), at });
        }
        if !known {
            let first = commits(partition, &positions, &metadata);
            match self.wait_for(|lane| lane.consumer.commit(&first)) {
                Ok(Some(())) => {}
                // The group is changing again: a revocation is on its way.
                Ok(None) | Err(StreamError::Group(client::GroupError::Fenced { .. })) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        let cancelled = Arc::new(AtomicBool::new(false));
        let plan = Plan {
            settings: self.config.settings.clone(),
            group: self.config.group.clone(),
            partition,
            inputs: inputs.iter().map(|input| (input.topic, input.earliest, input.position)).collect(),
            horizon_ms: self.config.horizon_ms,
            tails,
            broadcast: self.broadcast.latest(),
        };
        let broadcast_seen = self.broadcast.so_far();
        let pending = Box::new(Pending { positions, metadata, broadcast_seen });
        let slot = Slot::Rebuilding { pending, cancelled: Arc::clone(&cancelled) };
        self.tasks.insert(partition, slot);
        let (processor, news, assignment) = ((self.factory)(), self.rebuilt.0.clone(), self.assignment);
        std::thread::Builder::new()
            .name(format!("rebuild {partition}"))
            .spawn(move || {
                let result = plan.carry_out(processor, &cancelled);
                // The receiver is gone when the lane has ended meanwhile.
                let _ = news.send(News { assignment, partition, result });
            })
            .map_err(|error| StreamError::Thread { reason: error.to_string() })?;
        Ok(())
    }

    /// Sets the tasks to work whose state is back.
    pub(super) fn start_rebuilt(&mut self) -> Result<(), StreamError> {
        while let Ok(news) = self.rebuilt.1.try_recv() {
            let current = news.assignment == self.assignment
                && matches!(self.tasks.get(&news.partition), Some(Slot::Rebuilding { .. }));
            if !current {
                continue;
            }
            let Some(rebuilt) = news.result? else { continue };
            let Some(Slot::Rebuilding { pending, .. }) = self.tasks.remove(&news.partition) else {
                continue;
            };
            self.stats.rebuilt_from += rebuilt.records;
            let mut task = Task::new(
                news.partition,
                rebuilt.processor,
                &pending.positions,
                rebuilt.answered,
                pending.metadata.answers_from,
            );
            task.broadcast_seen = pending.broadcast_seen;
            task.replay = pending.metadata.replay;
            self.broadcast.pass_on(&mut task);
            self.tasks.insert(news.partition, Slot::Running { task: Box::new(task), waiting: None });
        }
        Ok(())
    }

    pub(super) fn revoked(&mut self, partitions: &[TopicPartition], lost: bool) -> Result<(), StreamError> {
        if lost {
            self.drop_tasks()?;
        } else {
            match self.commit(LAST_FLUSH, true) {
                Ok(()) => self.park(|partition| partitions.iter().any(|at| at.partition == partition)),
                // The next owner finds the answers by the metadata of the last commit.
                Err(error) if error.is_outage() => self.drop_tasks()?,
                Err(StreamError::Group(error @ client::GroupError::Fenced { .. })) => {
                    tracing::debug!("{error}");
                    self.drop_tasks()?;
                }
                Err(error) => return Err(error),
            }
        }
        self.consumer.release(partitions)?;
        self.inboxes.retain(|(topic, partition), _| {
            !partitions.iter().any(|at| at.partition == *partition && at.topic == topic.name())
        });
        Ok(())
    }

    /// Takes these tasks out of work, but keeps their state for a moment.
    fn park(&mut self, gone: impl Fn(i32) -> bool) {
        for (partition, slot) in self.tasks.extract_if(.., |partition, _| gone(*partition)) {
            match slot {
                Slot::Running { task, .. } => drop(self.parked.insert(partition, *task)),
                Slot::Rebuilding { cancelled, .. } => cancelled.store(true, Ordering::Relaxed),
                Slot::Stopped => {}
            }
        }
    }

    /// Gives up all tasks, with the answers that are still on their way: the next owner, be it this
    /// worker, looks for answers once, and gives those again that it does not find. So none may
    /// come later.
    pub(super) fn drop_tasks(&mut self) -> Result<(), StreamError> {
        self.park(|_| true);
        self.parked.clear();
        Ok(self.outbox.withdraw(FLUSH)?)
    }
}
