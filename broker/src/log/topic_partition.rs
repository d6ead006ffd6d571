//! Naming one partition.

use std::fmt;
use std::sync::Arc;

/// One partition of one topic. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: Arc<str>,
    /// Its number, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// Puts the two together.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }

    /// The name of its directory, as in Kafka: `clicks-3`.
    pub fn dir_name(&self) -> String {
        self.to_string()
    }

    /// Reads a directory name; `None` when it is none of ours.
    pub fn from_dir_name(name: &str) -> Option<Self> {
        let (topic, partition) = name.rsplit_once('-')?;
        let number: i32 = partition.parse().ok()?;
        // `-1`, `+1` and `01` parse too, but no partition is written that way.
        (!topic.is_empty() && number >= 0 && number.to_string() == partition)
            .then(|| Self::new(topic, number))
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directory_names_go_both_ways() {
        let partition = TopicPartition::new("card-swipes", 12);
        assert_eq!(TopicPartition::from_dir_name(&partition.dir_name()), Some(partition));
        for name in ["clicks", "clicks-", "-3", "clicks-x", "clicks-03", "clicks-+3", "clicks-99999999999"] {
            assert_eq!(TopicPartition::from_dir_name(name), None, "{name}");
        }
    }
}
