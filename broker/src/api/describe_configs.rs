//! `DescribeConfigs`: the settings of topics and brokers.
//!
//! # Behaviour
//! A topic tells every setting we know, whether it was set or is the default; the broker those that
//! matter to clients. What is asked for again in one request is told once.
//!
//! # Versions
//! 0 tells only whether a value is the default, 1 where it comes from and what else it could have
//! been, 3 its type and what it means.

use std::collections::BTreeSet;

use protocol::ErrorCode;
use protocol::describe_configs::{
    BROKER, DescribeConfigsEntry, DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResponse,
    DescribeConfigsResult,
};

use super::Context;
use super::configs::{self, Refusal};

pub(super) fn handle(context: &Context<'_>, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let mut seen = BTreeSet::new();
    let once = request.resources.into_iter().filter(|asked| {
        let DescribeConfigsResource { resource_type, resource_name, configuration_keys } = asked;
        seen.insert((*resource_type, resource_name.clone(), configuration_keys.clone()))
    });
    let results = once.map(|asked| {
        let (configs, (error_code, error_message)) = match describe(context, &asked) {
            Ok(mut configs) => {
                for config in &mut configs {
                    if !request.include_synonyms {
                        config.synonyms.clear();
                    }
                    if !request.include_documentation {
                        config.documentation = None;
                    }
                }
                (configs, (ErrorCode::NONE, None))
            }
            Err(refused) => (Vec::new(), configs::fields(Err(refused))),
        };
        DescribeConfigsResult {
            error_code,
            error_message,
            resource_type: asked.resource_type,
            resource_name: asked.resource_name,
            configs,
        }
    });
    DescribeConfigsResponse { results: results.collect(), ..Default::default() }
}

fn describe(
    context: &Context<'_>,
    asked: &DescribeConfigsResource,
) -> Result<Vec<DescribeConfigsEntry>, Refusal> {
    let mut configs = if asked.resource_type == BROKER {
        let node_id = context.node.config.node_id;
        // An empty name asks for what holds for all brokers of the cluster.
        if !asked.resource_name.is_empty() && asked.resource_name != node_id.to_string() {
            let message = format!("there is no broker {}: this one is {node_id}", asked.resource_name);
            return Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
        }
        configs::of_broker(context)
    } else {
        let topic = configs::topic_named(context, asked.resource_type, &asked.resource_name)?;
        configs::of_topic(context.node.topics.defaults(), &topic.config)
    };
    // As in Kafka no names at all ask for everything, like none.
    if let Some(keys) = asked.configuration_keys.as_ref().filter(|keys| !keys.is_empty()) {
        configs.retain(|config| keys.contains(&config.name));
    }
    Ok(configs)
}
