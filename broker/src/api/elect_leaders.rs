//! `ElectLeaders`: make the preferred replicas lead, or any that lives.
//!
//! # Behaviour
//! This broker leads every partition already, so each that is named is answered with an error that
//! says so, and one that is not there with another. Who asks for all learns of each topic that
//! nothing had to be done.
//!
//! # Versions
//! 1 adds the kind of election, and an error for the request as a whole.

use protocol::ErrorCode;
use protocol::elect_leaders::{
    ElectLeadersRequest, ElectLeadersResponse, PREFERRED, PartitionResult, ReplicaElectionResult, UNCLEAN,
};

use super::{Context, asked};

pub(super) fn handle(context: &Context<'_>, request: ElectLeadersRequest) -> ElectLeadersResponse {
    let is_known = matches!(request.election_type, PREFERRED | UNCLEAN);
    let topics = &context.node.topics;
    let Some(named) = request.topic_partitions else {
        let all = if is_known { topics.all() } else { Vec::new() };
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
        let topic = topics.get(&name);
        let results = numbers.into_iter().map(|partition_id| {
            let is_here = topic.as_ref().is_some_and(|topic| topic.partition(partition_id).is_some());
            let (error_code, error_message) = match (is_known, is_here) {
                (false, _) => (ErrorCode::INVALID_REQUEST, "there is no such type of elections"),
                (true, false) => (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, "there is no such partition"),
                (true, true) => {
                    (ErrorCode::ELECTION_NOT_NEEDED, "Leader election not needed for topic partition.")
                }
            };
            PartitionResult { partition_id, error_code, error_message: Some(error_message.to_owned()) }
        });
        ReplicaElectionResult { partition_result: results.collect(), topic: name }
    });
    ElectLeadersResponse { error_code, replica_election_results: results.collect(), ..Default::default() }
}
