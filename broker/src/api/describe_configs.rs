//! `DescribeConfigs`: the settings of topics and brokers.
//!
//! # Behaviour
//! A topic tells every setting we know, whether it was set or is the default; the broker those that
//! topics take their defaults from and all of Kafka's that are true here; groups and subscriptions
//! to clients' metrics those of Kafka. What is asked for again in one request is told once.
//!
//! # Versions
//! 0 tells only whether a value is the default, 1 where it comes from and what else it could have
//! been, 3 its type and what it means.

use std::collections::{BTreeMap, BTreeSet};

use protocol::ErrorCode;
use protocol::describe_configs::{
    BROKER, DescribeConfigsEntry, DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResponse,
    DescribeConfigsResult, TOPIC,
};

use super::configs::{self, Refusal};
use super::{Context, refused_connections, resources};

/// Of so many resources of a type that are no topics the settings fit into one answer.
const MAX_UNSEEN: usize = 10_000;

pub(super) fn handle(context: &Context<'_>, request: DescribeConfigsRequest) -> DescribeConfigsResponse {
    let mut seen = BTreeSet::new();
    let once = request.resources.into_iter().filter(|asked| {
        let DescribeConfigsResource { resource_type, resource_name, configuration_keys } = asked;
        seen.insert((*resource_type, resource_name.clone(), configuration_keys.clone()))
    });
    let mut counts = BTreeMap::new();
    let results = once.map(|asked| {
        let (configs, (error_code, error_message)) = match describe(context, &asked, &mut counts) {
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
    counts: &mut BTreeMap<i8, usize>,
) -> Result<Vec<DescribeConfigsEntry>, Refusal> {
    let (of_type, name) = (asked.resource_type, asked.resource_name.as_str());
    let mut configs = if of_type == TOPIC {
        let topic = configs::topic_named(context, name)?;
        configs::of_topic(&context.node.metadata.defaults(), &topic.config)
    } else {
        let count = counts.entry(of_type).or_default();
        *count += 1;
        if *count > MAX_UNSEEN {
            let message = "the settings of so many do not fit into one answer: ask for fewer";
            return Err(Refusal::new(ErrorCode::UNKNOWN_SERVER_ERROR, message));
        }
        resources::describe(context, of_type, name)?
    };
    // As in Kafka no names at all ask for everything, like none.
    if let Some(keys) = asked.configuration_keys.as_ref().filter(|keys| !keys.is_empty()) {
        configs.retain(|config| keys.contains(&config.name));
        if of_type == BROKER && !name.is_empty() {
            configs.extend(refused_connections::if_named(context, keys));
        }
    }
    Ok(configs)
}
