//! Who may lead a partition when no replica is in sync any more.

use std::collections::BTreeMap;

use protocol::describe_topic_partitions::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsTopic};

use super::error::check;
use super::{CallError, Connection};

impl Connection {
    /// The eligible leader replicas (ELR) of each partition of `topic`, by its number: those that
    /// are no longer in sync and still have all that was acknowledged. Kafka tells them since 4.0,
    /// of partitions of which it keeps them.
    pub fn eligible_leaders(&mut self, topic: &str) -> Result<BTreeMap<i32, Vec<i32>>, CallError> {
        let mut told: BTreeMap<i32, Option<Vec<i32>>> = BTreeMap::new();
        let mut cursor = None;
        loop {
            let topics = vec![DescribeTopicPartitionsTopic { name: topic.to_owned() }];
            let request = DescribeTopicPartitionsRequest { topics, cursor, ..Default::default() };
            let response = self.call(|_| request)?;
            let known = told.len();
            for described in response.topics {
                check(described.error_code)?;
                let partitions = described.partitions.into_iter();
                told.extend(partitions.map(|at| (at.partition_index, at.eligible_leader_replicas)));
            }
            cursor = response.next_cursor;
            // A page that brings nothing new would be followed by the same for ever.
            if cursor.is_none() || told.len() == known {
                return Ok(told
                    .into_iter()
                    .filter_map(|(number, eligible)| Some((number, eligible?)))
                    .collect());
            }
        }
    }
}
