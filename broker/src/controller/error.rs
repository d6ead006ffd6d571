//! Why topics are not changed.

use thiserror::Error;

use crate::log::StorageError;

/// Why topics were not changed.
#[derive(Debug, Error)]
pub(crate) enum TopicError {
    #[error("topic {name} already exists")]
    AlreadyExists { name: String },
    #[error("there is no topic {name}")]
    Unknown { name: String },
    #[error("{name} is the broker's own: it is read, and neither deleted nor given more partitions")]
    Internal { name: String },
    #[error("{name:?} can't be the name of a topic: {reason}")]
    InvalidName { name: String, reason: &'static str },
    /// Metrics of Kafka write `.` as `_`, so it keeps such names apart.
    #[error("topic {name:?} can't stand beside {other:?}: '.' and '_' in names are taken for the same")]
    Collides { name: String, other: String },
    #[error("{count} partitions: between {min} and {max} are possible")]
    InvalidPartitions { count: i32, min: i32, max: i32 },
    #[error("{asked} replicas of each partition: there {}", number_of(*brokers))]
    ReplicationFactor { asked: i32, brokers: usize },
    #[error("each new partition must be assigned, once, and {}", place_among(brokers))]
    Assignment { brokers: Vec<i32> },
    #[error(transparent)]
    Storage(#[from] StorageError),
}

fn number_of(brokers: usize) -> String {
    if brokers == 1 { "is one broker".to_owned() } else { format!("are {brokers} brokers") }
}

fn place_among(brokers: &[i32]) -> String {
    match brokers {
        [only] => format!("to broker {only} alone"),
        _ => format!("to as many of the brokers {brokers:?} as all others, to none of them twice"),
    }
}
