//! Questions about offsets: where inputs end, what a task commits, whether inputs belong together.

use client::{Admin, Commit, TopicPartition};
use events::Topic;

use super::super::LaneError;
use super::super::bookmark::Bookmark;
use super::super::clock::wall_ms;
use super::super::task::Task;

/// Finds out how far the inputs reach that have nothing for the task at the moment.
pub(super) fn find_ends(admin: &Admin, task: &mut Task) {
    let asked_at = wall_ms();
    let silent = task.silent();
    let places: Vec<_> =
        silent.iter().map(|(topic, _)| TopicPartition::new(topic.name(), task.partition)).collect();
    match admin.ends(&places) {
        Ok(ends) => {
            for ((topic, _), end) in silent.into_iter().zip(ends) {
                task.ends(topic, end.unwrap_or(0), asked_at);
            }
        }
        Err(error) => tracing::debug!("waiting for the other inputs: {error}"),
    }
}

/// What is committed for a task that stands at `positions`.
pub(super) fn commits(partition: i32, positions: &[(Topic, i64)], bookmark: &Bookmark) -> Vec<Commit> {
    let metadata = bookmark.to_string();
    let commit = |&(topic, offset): &(Topic, i64)| Commit {
        at: TopicPartition::new(topic.name(), partition),
        offset,
        metadata: metadata.clone(),
    };
    positions.iter().map(commit).collect()
}

/// All inputs must be there, with the same number of partitions: else partition *n* of one would
/// not belong to partition *n* of another.
pub(crate) fn co_partitioned(admin: &Admin, inputs: &[Topic]) -> Result<(), LaneError> {
    let mut first: Option<(Topic, i32)> = None;
    for &topic in inputs {
        let partitions = admin.partitions(topic.name())?;
        match first {
            None => first = Some((topic, partitions)),
            Some((other, count)) if count != partitions => {
                return Err(LaneError::NotCoPartitioned {
                    one: other,
                    ones: count,
                    other: topic,
                    others: partitions,
                });
            }
            Some(_) => {}
        }
    }
    Ok(())
}
