//! A thin typed layer over librdkafka: one place for its settings, its shutdown and its errors.
//!
//! Everything here speaks the Kafka protocol to whatever listens at the given address: the embedded
//! broker, an Apache Kafka, a managed cluster. It knows topics, partitions, offsets and bytes, and
//! nothing of what the bytes mean.
//!
//! | type | what for |
//! |---|---|
//! | [`Producer`] | sends records, blocks while the queue is full, counts failed deliveries |
//! | [`GroupConsumer`] | shares the partitions of its topics with the other members of its group |
//! | [`LogReader`] | reads a stretch of a topic, or follows it, without any group |
//! | [`Watcher`] | follows any number of topics at once, and more as they appear |
//! | [`Admin`] | creates and lists topics, reads offsets and groups as a dashboard does |
//! | [`direct::Connection`] | asks one broker what librdkafka can't, and why nothing connects |
//!
//! librdkafka does its network work in threads of its own and hands over *events*: records,
//! rebalances, delivery reports, log lines. All of that is served by the thread that calls us, so
//! that a program made of these types has no callback that runs at a surprising moment. Its log
//! lines go to `tracing` under the target `librdkafka`.
//!
//! # When the broker goes away
//! Nothing here gives up: librdkafka reconnects by itself, from 100 ms to one second apart. That
//! this fails is reported once, as a `tracing` warning, and so is the return; not every attempt,
//! nor a connection that a broker has closed because nothing moved on it. What needs an answer now
//! (metadata, a commit) fails with [`ClusterError::Unreachable`] after its timeout.
//!
//! # When a batch can't be read
//! A log may hold batches that are rubbish inside, where an older broker did not look. To
//! librdkafka such a batch is the end of its partition. The reader is told which offsets it has
//! ([`Unreadable`]) and goes on behind them.
//!
//! # Simplifications
//! - No transactions. How exactly one answer per event is reached without them stands in
//!   `lanes`.
//! - Header names and commit metadata that are not UTF-8 make the Rust binding panic.
//!   [`Record::header`] and [`Admin::committed`] are therefore for topics and groups of our own;
//!   [`Admin::committed_offsets`] and [`Admin::record`] are safe for those of others.
//! - For librdkafka, TLS and SASL other than PLAIN need the feature `ssl`: it uses OpenSSL for
//!   them. [`direct`] connections have both without it.

mod admin;
mod assignment;
mod broker_connection;
mod config_file;
mod context;
pub mod direct;
mod error;
mod group;
mod inbox;
mod producer;
mod reader;
mod record;
mod servers;
mod settings;
mod stored;
mod stretches;
mod survey;
mod unreadable;
mod watcher;
mod why;

pub use admin::{
    Admin, Brokers, Group, Member, NewTopic, Offsets, PartitionLayout, Setting, SettingSource, TopicInfo,
    TopicLayout,
};
pub use config_file::{ConfigFile, ConfigFileError};
pub use context::BACK;
pub use error::{
    ClusterError, GroupError, NoSuchTopic, NotAProperty, ReadError, ResetError, SendError, Undelivered,
};
pub use group::{GroupConsumer, GroupOptions, Inbox, Polled};
pub use producer::{Acknowledged, Compression, Outgoing, Producer, ProducerOptions, Refused};
pub use reader::{LogReader, Read};
pub use record::{Commit, Record, TopicPartition};
pub use servers::{InvalidServers, check_servers, without_protocol};
pub use settings::Settings;
pub use stored::StoredRecord;
pub use stretches::StretchReader;
pub use unreadable::Unreadable;
pub use watcher::{Since, Watcher};
