//! Which topics there are, how many partitions each has, and how they are configured.
//!
//! In a Kafka of several brokers one of them is the controller: it decides this and who leads what,
//! and tells the others. On one broker nothing is left to elect, and what remains is a small
//! registry. It is kept in one text file, `topics`, that is replaced as a whole at each change, so
//! that a crash leaves the state before or after it.
//!
//! # Simplifications
//! - One broker leads every partition and has its only replica.
//! - A change of topics takes two disk syncs; thousands of topics would want
//!   a log of changes instead.

mod partition_handle;
#[cfg(test)]
mod tests;
mod topic_config;
mod topics;
mod topics_file;
mod waiters;

pub(crate) use partition_handle::PartitionHandle;
pub(crate) use topic_config::{InvalidConfig, SETTINGS, SettingKind, TopicConfig};
pub(crate) use topics::{Topic, TopicError, Topics};
pub(crate) use waiters::{Waiter, Waiters};
