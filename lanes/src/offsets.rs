//! Questions about offsets: where inputs end, what a task commits, whether inputs belong together.

use std::collections::BTreeMap;

use client::{Admin, Commit, Offsets, TopicPartition};
use events::Topic;

use super::clock::wall_ms;
use super::commit_metadata::{CommitMetadata, PartitionId};
use super::task::{Gap, Task};
use super::{BatchError, InputError, NotCoPartitioned};

/// Places as the client names them.
pub(crate) fn partitions_of<'a>(places: impl IntoIterator<Item = &'a PartitionId>) -> Vec<TopicPartition> {
    places.into_iter().map(|(topic, partition)| TopicPartition::new(topic.name(), *partition)).collect()
}

/// Finds out how far these inputs of the task reach at the moment.
pub(crate) fn find_ends(admin: &Admin, task: &mut Task, inputs: &[Topic]) {
    let asked_at = wall_ms();
    let places: Vec<_> =
        inputs.iter().map(|topic| TopicPartition::new(topic.name(), task.partition)).collect();
    match admin.ends(&places) {
        Ok(ends) => {
            for (topic, end) in inputs.iter().zip(ends) {
                task.ends(*topic, end.unwrap_or(0), asked_at);
            }
        }
        Err(error) => tracing::debug!("waiting for the other inputs: {error}"),
    }
}

/// Says what retention took before anybody could answer it. Gaps alone are no loss: transactions
/// and compaction leave some.
pub(crate) fn tell_losses(admin: &Admin, gaps: BTreeMap<PartitionId, Gap>) {
    if gaps.is_empty() {
        return;
    }
    let at = partitions_of(gaps.keys());
    match admin.offsets(&at) {
        Ok(all) => {
            for ((at, gap), offsets) in at.iter().zip(gaps.into_values()).zip(all) {
                let lost = offsets.map_or(0, |offsets| offsets.earliest.min(gap.to) - gap.from);
                if lost > 0 {
                    tracing::warn!("{at}: retention took {lost} records before anybody answered them");
                }
            }
        }
        Err(error) => tracing::debug!("looking into gaps of the inputs: {error}"),
    }
}

/// What is committed for a task that stands at `positions`.
pub(crate) fn commits(partition: i32, positions: &[(Topic, i64)], metadata: &CommitMetadata) -> Vec<Commit> {
    let metadata = metadata.to_string();
    let commit = |&(topic, offset): &(Topic, i64)| Commit {
        at: TopicPartition::new(topic.name(), partition),
        offset,
        metadata: metadata.clone(),
    };
    positions.iter().map(commit).collect()
}

/// Partitions of inputs with their ends; none for one that the cluster does not know yet.
pub(crate) type InputEnds = Vec<(PartitionId, Option<Offsets>)>;

/// Every partition of the inputs.
/// Also how many partitions each input has: see [`co_partitioned`].
pub(crate) fn partitions_and_ends(admin: &Admin, inputs: &[Topic]) -> Result<(i32, InputEnds), BatchError> {
    let partitions = co_partitioned(admin, inputs)?;
    let places: Vec<PartitionId> =
        (0..partitions).flat_map(|partition| inputs.iter().map(move |topic| (*topic, partition))).collect();
    let ends = admin.offsets(&partitions_of(&places))?;
    Ok((partitions, places.into_iter().zip(ends).collect()))
}

/// All inputs must be there, with the same number of partitions: else partition *n* of one would
/// not belong to partition *n* of another. Returns that number.
pub(crate) fn co_partitioned(admin: &Admin, inputs: &[Topic]) -> Result<i32, InputError> {
    let mut first: Option<(Topic, i32)> = None;
    for &topic in inputs {
        let partitions = admin.partitions(topic.name())?;
        match first {
            None => first = Some((topic, partitions)),
            Some((other, count)) if count != partitions => {
                return Err(
                    NotCoPartitioned { one: other, ones: count, other: topic, others: partitions }.into()
                );
            }
            Some(_) => {}
        }
    }
    Ok(first.map_or(0, |(_, partitions)| partitions))
}
