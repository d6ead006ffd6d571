//! `CreatePartitions`: give topics more partitions.
//!
//! # Behaviour
//! A topic can only grow, and its records stay where they are: keys that hash to a new partition
//! part from their past.
//!
//! # Versions
//! All alike; 2 is flexible, 3 may be throttled.

use protocol::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic, CreatePartitionsTopicResult,
};
use protocol::describe_configs::TOPIC;

use super::Context;
use super::configs::{self, Refusal};
use crate::controller::topics;

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
    let assigned = asked
        .assignments
        .as_ref()
        .map(|assignments| assignments.iter().map(|assignment| assignment.broker_ids.clone()).collect());
    if validate_only {
        topics::grow(&context.node.metadata.image(), &asked.name, asked.count, assigned)?;
    } else {
        context.node.grow_topic(&asked.name, asked.count, assigned)?;
    }
    Ok(())
}
