//! The quorum of a cluster's controllers, who keep the log of its metadata.

use protocol::ErrorCode;
use protocol::describe_quorum::{
    DescribeQuorumPartition, DescribeQuorumRequest, DescribeQuorumTopic, ReplicaState,
};

use super::error::check;
use super::{CallError, Connection};

/// The topic that the log of the metadata counts as.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// Who votes on the metadata, who leads, and how far each has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumView {
    /// The active controller; none while one is elected.
    pub leader: Option<i32>,
    /// How many elections there have been.
    pub epoch: i32,
    /// Those who vote.
    pub voters: Vec<QuorumMember>,
    /// Those who only follow: the brokers, where they do not vote as well.
    pub observers: Vec<QuorumMember>,
}

impl QuorumView {
    /// All, those who vote first.
    pub fn members(&self) -> impl Iterator<Item = &QuorumMember> {
        self.voters.iter().chain(&self.observers)
    }
}

/// A member of the quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuorumMember {
    /// Its number.
    pub id: i32,
    /// How many records of the metadata it lacks, of those that the leader has.
    pub behind: u64,
}

impl Connection {
    /// The quorum, as its leader tells; clusters with a `ZooKeeper` have none.
    pub fn quorum(&mut self) -> Result<QuorumView, CallError> {
        let topic = DescribeQuorumTopic {
            topic_name: METADATA_TOPIC.to_owned(),
            partitions: vec![DescribeQuorumPartition { partition_index: 0 }],
        };
        let response = self.call(|_| DescribeQuorumRequest { topics: vec![topic] })?;
        check(response.error_code)?;
        let mut partitions = response.topics.into_iter().flat_map(|topic| topic.partitions);
        let quorum = partitions.next().ok_or(CallError::Refused(ErrorCode::UNKNOWN_SERVER_ERROR))?;
        check(quorum.error_code)?;
        let all = || quorum.current_voters.iter().chain(&quorum.observers);
        let leader = all().find(|state| state.replica_id == quorum.leader_id);
        let end = leader.or_else(|| all().max_by_key(|state| state.log_end_offset));
        let end = end.map_or(0, |state| state.log_end_offset);
        let member = |state: &ReplicaState| QuorumMember {
            id: state.replica_id,
            behind: u64::try_from(end.saturating_sub(state.log_end_offset)).unwrap_or(0),
        };
        Ok(QuorumView {
            leader: Some(quorum.leader_id).filter(|leader| *leader >= 0),
            epoch: quorum.leader_epoch,
            voters: quorum.current_voters.iter().map(member).collect(),
            observers: quorum.observers.iter().map(member).collect(),
        })
    }
}
