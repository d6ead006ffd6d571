//! Groups: where their coordinators are, their states, and what they have committed.

use protocol::ErrorCode;
use protocol::find_coordinator::FindCoordinatorRequest;
use protocol::list_groups::ListGroupsRequest;
use protocol::offset_fetch::{OffsetFetchGroup, OffsetFetchRequest};

use super::error::check;
use super::{BrokerAddress, CallError, Connection};
use crate::TopicPartition;

/// A group, as its coordinator lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupListing {
    /// Its id.
    pub id: String,
    /// `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Stable`, …; brokers before Kafka 2.6
    /// don't say.
    pub state: Option<String>,
}

impl Connection {
    /// The broker that looks after `group`.
    pub fn coordinator(&mut self, group: &str) -> Result<BrokerAddress, CallError> {
        let response = self.call(|version| {
            let coordinator_keys = if version >= 4 { vec![group.to_owned()] } else { Vec::new() };
            FindCoordinatorRequest { key: group.to_owned(), coordinator_keys, ..Default::default() }
        })?;
        check(response.error_code)?;
        let old = BrokerAddress { id: response.node_id, host: response.host, port: response.port };
        let Some(found) = response.coordinators.into_iter().next() else { return Ok(old) };
        check(found.error_code)?;
        Ok(BrokerAddress { id: found.node_id, host: found.host, port: found.port })
    }

    /// The groups that this broker looks after.
    pub fn groups(&mut self) -> Result<Vec<GroupListing>, CallError> {
        let response = self.call(|_| ListGroupsRequest::default())?;
        check(response.error_code)?;
        let listing = |group: protocol::list_groups::ListedGroup| GroupListing {
            id: group.group_id,
            state: Some(group.group_state).filter(|state| !state.is_empty()),
        };
        Ok(response.groups.into_iter().map(listing).collect())
    }

    /// All that `group` has committed. To be asked of its coordinator.
    pub fn committed(&mut self, group: &str) -> Result<Vec<(TopicPartition, i64)>, CallError> {
        let response = self.call(|_| OffsetFetchRequest {
            group_id: group.to_owned(),
            topics: None,
            groups: vec![OffsetFetchGroup { group_id: group.to_owned(), topics: None, ..Default::default() }],
            ..Default::default()
        });
        let response = response?;
        check(response.error_code)?;
        let mut topics = response.topics;
        for group in response.groups {
            // A broker may say so of a group that nobody has made.
            if group.error_code != ErrorCode::GROUP_ID_NOT_FOUND {
                check(group.error_code)?;
            }
            topics.extend(group.topics);
        }
        let mut committed = Vec::new();
        for topic in topics {
            for found in topic.partitions.iter().filter(|found| found.committed_offset >= 0) {
                committed
                    .push((TopicPartition::new(&*topic.name, found.partition_index), found.committed_offset));
            }
        }
        Ok(committed)
    }
}
