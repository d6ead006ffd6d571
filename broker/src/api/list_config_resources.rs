//! `ListConfigResources`: what there is that can have settings.
//!
//! # Behaviour
//! Topics, and this broker, whose loggers are a resource of their own. Groups and subscriptions to
//! clients' metrics count once they have settings.
//!
//! # Versions
//! 0 asks for subscriptions to clients' metrics alone, 1 for any types, and with none for all.

use std::collections::BTreeSet;

use protocol::ErrorCode;
use protocol::describe_configs::{BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP, TOPIC};
use protocol::list_config_resources::{
    ConfigResource, ListConfigResourcesRequest, ListConfigResourcesResponse,
};

use super::{Context, Incoming, Outcome, RequestError};

const TYPES: [i8; 5] = [BROKER_LOGGER, BROKER, TOPIC, CLIENT_METRICS, GROUP];

pub(super) fn handle(context: &Context<'_>, incoming: Incoming) -> Result<Outcome, RequestError> {
    let of_client_metrics = incoming.version == 0;
    incoming.answer(|request: ListConfigResourcesRequest| {
        let wanted: BTreeSet<i8> = if of_client_metrics {
            BTreeSet::from([CLIENT_METRICS])
        } else {
            request.resource_types.into_iter().collect()
        };
        if wanted.iter().any(|wanted| !TYPES.contains(wanted)) {
            let error_code = ErrorCode::UNSUPPORTED_VERSION;
            return ListConfigResourcesResponse { error_code, ..Default::default() };
        }
        let resource = |resource_type, resource_name| ConfigResource { resource_name, resource_type };
        let mut config_resources = Vec::new();
        for of_type in TYPES.into_iter().filter(|of_type| wanted.is_empty() || wanted.contains(of_type)) {
            match of_type {
                BROKER | BROKER_LOGGER => {
                    config_resources.push(resource(of_type, context.node.config.node_id.to_string()));
                }
                TOPIC => {
                    let topics = context.node.metadata.topics();
                    config_resources
                        .extend(topics.iter().map(|topic| resource(TOPIC, topic.name.to_string())));
                }
                of_type => {
                    let named = context.node.metadata.resources_of(of_type).into_iter();
                    config_resources.extend(named.map(|name| resource(of_type, name)));
                }
            }
        }
        ListConfigResourcesResponse { config_resources, ..Default::default() }
    })
}
