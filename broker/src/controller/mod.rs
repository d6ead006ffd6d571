//! Which topics there are, how many partitions each has, and how they are configured.
//!
//! In a Kafka of several brokers one of them is the controller: it decides this and who leads what,
//! and tells the others by a log of changes. On one broker nothing is left to elect, and no other
//! is told, but the log is there: each change of topics is a batch of records at its end. So a
//! crash leaves the state before or after it, and the next change costs the same beside ten
//! thousand topics as beside one.
//!
//! # Simplifications
//! One broker leads every partition and has its only replica.

mod alterations;
mod metadata_log;
mod resources;
mod settings;
#[cfg(test)]
mod tests;
mod topic_config;
mod topics;
mod topics_file;
mod values;

pub(crate) use metadata_log::METADATA_TOPIC;
pub(crate) use resources::Defaults;
pub(crate) use settings::{SETTINGS, Setting};
pub(crate) use topic_config::{InvalidConfig, TopicConfig};
pub(crate) use topics::{Topic, TopicError, Topics};
pub(crate) use values::SettingKind;
