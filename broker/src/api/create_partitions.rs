//! `CreatePartitions`: give topics more partitions.
//!
//! # Behaviour
//! A topic can only grow, and its records stay where they are: keys that hash to a new partition
//! part from their past.
//!
//! # Versions
//! All alike; 2 is flexible, 3 may be throttled.

use protocol::ErrorCode;
use protocol::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic, CreatePartitionsTopicResult,
};
use protocol::describe_configs::TOPIC;

use super::Context;
use super::configs::{self, Refusal};

pub(super) fn handle(context: &Context<'_>, request: CreatePartitionsRequest) -> CreatePartitionsResponse {
    let results = configs::alter_each(
        request.topics,
        |asked| (TOPIC, &asked.name),
        |asked| grow(context, asked, request.validate_only),
        |asked, (error_code, error_message)| CreatePartitionsTopicResult {
            name: asked.name,
            error_code,
            error_message,
        },
    );
    CreatePartitionsResponse { results, ..Default::default() }
}

fn grow(context: &Context<'_>, asked: &CreatePartitionsTopic, validate_only: bool) -> Result<(), Refusal> {
    let topics = &context.node.topics;
    let topic = topics.check_grow(&asked.name, asked.count)?;
    if let Some(assignments) = &asked.assignments {
        let (node_id, new) = (context.node.config.node_id, asked.count as usize - topic.partitions.len());
        if assignments.len() != new || assignments.iter().any(|assignment| assignment.broker_ids != [node_id])
        {
            let message = format!("each of the {new} new partitions must be on broker {node_id} alone");
            return Err(Refusal::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, message));
        }
    }
    if !validate_only {
        topics.grow(&asked.name, asked.count)?;
    }
    Ok(())
}
