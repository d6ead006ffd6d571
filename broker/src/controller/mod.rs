//! What the cluster has: topics and where their partitions are, settings, brokers.
//!
//! In a Kafka of several brokers one of them is the controller: it decides what there is and who
//! leads what, and tells the others by a log of changes. On one broker no other is told, but the
//! way is the same:
//!
//! ```text
//! topics, resources      what is decided: (image, request) -> records, or why not
//!   place, elect         where replicas go, who leads
//!     records            what a change is in the log
//!       metadata_log     written and synced: from here on it counts
//!         image          applied: what every request is answered by
//! ```
//!
//! A crash leaves the state before or after a change, and the next one costs the same beside ten
//! thousand topics as beside one.
//!
//! # Simplifications
//! One broker: it leads the log alone, and nothing waits for others to have it.

mod brokers;
mod elect;
mod error;
mod image;
mod metadata;
mod metadata_log;
mod names;
mod place;
mod records;
mod resources;
mod settings;
mod topic_config;
pub(crate) mod topics;
mod topics_file;
mod values;
mod voter;

pub(crate) use brokers::{BrokerRegistration, Brokers};
pub(crate) use error::TopicError;
pub(crate) use image::{Image, PartitionRegistration, Topic};
pub(crate) use metadata::{Change, Metadata, MetadataLeader};
pub(crate) use metadata_log::MetadataLogError;
pub(crate) use names::{METADATA_TOPIC, is_internal};
pub(crate) use place::Placement;
pub(crate) use records::{alteration, resource_alteration};
pub(crate) use resources::{Defaults, ResourceConfig};
pub(crate) use settings::{SETTINGS, Setting};
pub(crate) use topic_config::{InvalidConfig, TopicConfig};
pub(crate) use values::SettingKind;
