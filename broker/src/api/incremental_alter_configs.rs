//! `IncrementalAlterConfigs`: change settings one by one.
//!
//! # Behaviour
//! All changes of one resource are made, or none. They hold at once and after a restart.
//!
//! # Versions
//! Both alike; 1 is flexible.

use protocol::ErrorCode;
use protocol::describe_configs::TOPIC;
use protocol::incremental_alter_configs::{
    APPEND, AlterConfigsResource, AlterConfigsResourceResponse, DELETE, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse, SET, SUBTRACT,
};

use super::Context;
use super::configs::{self, Refusal};
use super::resources::{self, Change};
use crate::controller::{Setting, SettingKind};

pub(super) fn handle(
    context: &Context<'_>,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let responses = configs::alter_each(
        request.resources,
        |resource| (resource.resource_type, &resource.resource_name),
        |resource| alter(context, resource, request.validate_only),
        |resource, (error_code, error_message)| AlterConfigsResourceResponse {
            error_code,
            error_message,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
        },
    );
    IncrementalAlterConfigsResponse { responses, ..Default::default() }
}

fn alter(context: &Context<'_>, resource: &AlterConfigsResource, validate_only: bool) -> Result<(), Refusal> {
    let changes = resource.configs.iter();
    configs::check_changes(
        changes.map(|change| (change.name.as_str(), &change.value, change.config_operation != DELETE)),
    )?;
    if resource.resource_type != TOPIC {
        let changes = resource.configs.iter().map(|change| Change {
            name: &change.name,
            operation: change.config_operation,
            value: change.value.as_deref(),
        });
        let named = (resource.resource_type, resource.resource_name.as_str());
        return resources::alter(context, named, changes, false, validate_only);
    }
    let topic = configs::topic_named(context, &resource.resource_name)?;
    let mut config = topic.config.clone();
    for change in &resource.configs {
        match (change.config_operation, &change.value) {
            (SET, Some(value)) => config.set(&change.name, value)?,
            // As in Kafka what is not known is not set either.
            (DELETE, _) => config.unset(&change.name),
            (APPEND | SUBTRACT, Some(value)) => {
                let setting = Setting::find(&change.name);
                let Some(list) = setting.filter(|setting| setting.kind == SettingKind::List) else {
                    let message = format!("{} is not a list that can grow or shrink: set it", change.name);
                    return Err(Refusal::new(ErrorCode::INVALID_CONFIG, message));
                };
                let old = context.node.metadata.defaults().value(&config, list);
                config.set(list.name, &configs::edited(&old, value, change.config_operation == APPEND))?;
            }
            (operation, _) => {
                return Err(Refusal::new(
                    ErrorCode::INVALID_REQUEST,
                    format!("there is no operation {operation}"),
                ));
            }
        }
    }
    configs::store(context, &topic, &config, validate_only)
}
