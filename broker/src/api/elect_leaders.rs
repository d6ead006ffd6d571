//! `ElectLeaders`: make the preferred replicas lead, or any that lives.
//!
//! # Behaviour
//! A partition that is led already by whom it should be is answered with an error that says so, and
//! one that is not there with another. Who asks for all learns of each topic that nothing had to be
//! done.
//!
//! # Simplifications
//! No leader moves: who does not lead now can't be made to.
//!
//! # Versions
//! 1 adds the kind of election, and an error for the request as a whole.

use protocol::ErrorCode;
use protocol::elect_leaders::{
    ElectLeadersRequest, ElectLeadersResponse, PREFERRED, PartitionResult, ReplicaElectionResult, UNCLEAN,
};

use super::{Context, asked};
use crate::controller::PartitionRegistration;

pub(super) fn handle(context: &Context<'_>, request: ElectLeadersRequest) -> ElectLeadersResponse {
    let is_known = matches!(request.election_type, PREFERRED | UNCLEAN);
    let metadata = &context.node.metadata;
    let Some(named) = request.topic_partitions else {
        let all = if is_known { metadata.topics() } else { Vec::new() };
        let results = all.iter().map(|topic| ReplicaElectionResult {
            topic: topic.name.to_string(),
            partition_result: Vec::new(),
        });
        return ElectLeadersResponse {
            error_code: if is_known { ErrorCode::NONE } else { ErrorCode::INVALID_REQUEST },
            replica_election_results: results.collect(),
            ..Default::default()
        };
    };
    let named = asked::partitions(named.into_iter().map(|asked| (asked.topic, asked.partitions)));
    let error_code = if is_known || named.is_empty() { ErrorCode::NONE } else { ErrorCode::INVALID_REQUEST };
    let results = named.into_iter().map(|(name, numbers)| {
        let topic = metadata.topic(&name);
        let results = numbers.into_iter().map(|partition_id| {
            let partition = topic.as_ref().and_then(|topic| topic.partition(partition_id));
            let (error_code, error_message) = elect(request.election_type, partition);
            PartitionResult { partition_id, error_code, error_message: Some(error_message.to_owned()) }
        });
        ReplicaElectionResult { partition_result: results.collect(), topic: name }
    });
    ElectLeadersResponse { error_code, replica_election_results: results.collect(), ..Default::default() }
}

fn elect(election_type: i8, partition: Option<&PartitionRegistration>) -> (ErrorCode, &'static str) {
    let not_needed = (ErrorCode::ELECTION_NOT_NEEDED, "Leader election not needed for topic partition.");
    match (election_type, partition) {
        (PREFERRED | UNCLEAN, None) => (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, "there is no such partition"),
        (PREFERRED, Some(partition)) if partition.leader == partition.replicas.first().copied() => not_needed,
        (PREFERRED, Some(_)) => {
            (ErrorCode::PREFERRED_LEADER_NOT_AVAILABLE, "The preferred leader was not available.")
        }
        (UNCLEAN, Some(partition)) if partition.leader.is_some() => not_needed,
        (UNCLEAN, Some(_)) => {
            (ErrorCode::ELIGIBLE_LEADERS_NOT_AVAILABLE, "No eligible leader was available.")
        }
        _ => (ErrorCode::INVALID_REQUEST, "there is no such type of elections"),
    }
}
