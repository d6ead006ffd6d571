//! `AlterConfigs`: replace all settings at once.
//!
//! # Behaviour
//! What is not named returns to its default. That surprises people, which is why
//! `IncrementalAlterConfigs` came; librdkafka and kafka-python still send this one.
//!
//! # Versions
//! All alike; 2 is flexible.

use protocol::alter_configs::{
    AlterConfigsRequest, AlterConfigsResource, AlterConfigsResourceResponse, AlterConfigsResponse,
};

use super::Context;
use super::configs::{self, Refusal};
use crate::controller::TopicConfig;

pub(super) fn handle(context: &Context<'_>, request: AlterConfigsRequest) -> AlterConfigsResponse {
    let resources = request.resources.iter();
    let twice = configs::named_twice(resources.map(|r| (r.resource_type, r.resource_name.as_str())));
    let responses = request.resources.into_iter().map(|resource| {
        let result = if twice.contains(&(resource.resource_type, resource.resource_name.clone())) {
            Err(configs::refuse_twice(&resource.resource_name))
        } else {
            alter(context, &resource, request.validate_only)
        };
        let (error_code, error_message) = configs::fields(result);
        AlterConfigsResourceResponse {
            error_code,
            error_message,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
        }
    });
    AlterConfigsResponse { responses: responses.collect(), ..Default::default() }
}

fn alter(context: &Context<'_>, resource: &AlterConfigsResource, validate_only: bool) -> Result<(), Refusal> {
    configs::check_changes(resource.configs.iter().map(|entry| (entry.name.as_str(), &entry.value, true)))?;
    let topic = configs::topic_named(context, resource.resource_type, &resource.resource_name)?;
    let mut config = TopicConfig::default();
    for entry in &resource.configs {
        if let Some(value) = &entry.value {
            config.set(&entry.name, value)?;
        }
    }
    configs::store(context, &topic, &config, validate_only)
}
