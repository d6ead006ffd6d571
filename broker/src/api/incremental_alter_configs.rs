//! `IncrementalAlterConfigs`: change settings one by one.
//!
//! # Behaviour
//! All changes of one resource are made, or none. They hold at once and after a restart. Only
//! topics can be changed.
//!
//! # Versions
//! Both alike; 1 is flexible.

use protocol::ErrorCode;
use protocol::incremental_alter_configs::{
    APPEND, AlterConfigsResource, AlterConfigsResourceResponse, DELETE, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse, SET, SUBTRACT,
};

use super::Context;
use super::configs::{self, Refusal};
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
    let topic = configs::topic_named(context, resource.resource_type, &resource.resource_name)?;
    let mut config = topic.config.clone();
    for change in &resource.configs {
        match (change.config_operation, &change.value) {
            (SET, Some(value)) => config.set(&change.name, value)?,
            (DELETE, _) => config.unset(&change.name)?,
            (APPEND | SUBTRACT, Some(value)) => {
                let setting = Setting::find(&change.name);
                let Some(list) = setting.filter(|setting| setting.kind == SettingKind::List) else {
                    let message = format!("{} is not a list that can grow or shrink: set it", change.name);
                    return Err(Refusal::new(ErrorCode::INVALID_CONFIG, message));
                };
                let old = config.value(list, context.node.topics.defaults());
                config.set(list.name, &edited(&old, value, change.config_operation == APPEND))?;
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

/// A list with more parts, each once, or without some.
fn edited(list: &str, parts: &str, append: bool) -> String {
    let split = |list| str::split(list, ',').map(str::trim).filter(|part| !part.is_empty());
    let mut kept: Vec<&str> = split(list).collect();
    for part in split(parts) {
        if !append {
            kept.retain(|old| *old != part);
        } else if !kept.contains(&part) {
            kept.push(part);
        }
    }
    kept.join(",")
}
