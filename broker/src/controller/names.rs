//! Which names topics may have, and whose they are.

use super::error::TopicError;
use crate::coordinator::OFFSETS_TOPIC;

/// The topic that the metadata log is, for Kafka's tools. No client reads or writes it.
pub(crate) const METADATA_TOPIC: &str = "__cluster_metadata";

/// Kafka's rule (`Topic.validate`): a name is also that of a directory.
pub(super) fn check_name(name: &str) -> Result<(), TopicError> {
    let legal = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    let reason = match name {
        "" => "it is empty",
        "." | ".." => "it is a directory of its own",
        METADATA_TOPIC => "the broker keeps its topics under it",
        _ if name.len() > 249 => "it has more than 249 characters",
        _ if !name.chars().all(legal) => "only ASCII letters, digits, '.', '_' and '-' are legal",
        _ => return Ok(()),
    };
    Err(TopicError::InvalidName { name: name.to_owned(), reason })
}

/// A name as metrics write it: names that differ in nothing but `.` and `_` are one there
/// (`Topic.hasCollision`).
pub(super) fn in_metrics(name: &str) -> String {
    name.replace('.', "_")
}

/// Whether a topic is kept by the brokers for themselves: clients read it, and change nothing in
/// it.
pub(crate) fn is_internal(name: &str) -> bool {
    name == OFFSETS_TOPIC
}
