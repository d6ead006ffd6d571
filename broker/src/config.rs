//! How a broker is set up.

use std::path::PathBuf;
use std::sync::Arc;

use crate::coordinator::GroupConfig;
use crate::listener::Listener;
use crate::log::LogConfig;
use crate::request_metrics::RequestMetrics;
use crate::users::Users;

/// Where the certificate of listeners with TLS comes from.
#[derive(Clone, Debug)]
pub enum Certificate {
    /// It is made for this broker and kept in the data directory, with its key.
    SelfSigned,
    /// Files of PEM.
    Files {
        /// The certificate, and those that lead to one that clients trust
        /// (`ssl.keystore.certificate.chain`).
        certificate: PathBuf,
        /// Its private key (`ssl.keystore.key`).
        key: PathBuf,
    },
}

/// Settings of a broker. Those with a Kafka name in their description mean what Kafka means by it.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    /// Where everything is kept (`log.dirs`). Made if it does not exist.
    pub data_dir: PathBuf,
    /// Where clients come, and what they are told (`listeners`, `advertised.listeners`); at least
    /// one.
    pub listeners: Vec<Listener>,
    /// What listeners with TLS show to their clients.
    pub certificate: Option<Certificate>,
    /// Who may come by the listeners that want a login.
    pub users: Option<Arc<Users>>,
    /// `node.id`.
    pub node_id: i32,
    /// `num.partitions`: what a topic has that does not say.
    pub num_partitions: i32,
    /// `auto.create.topics.enable`: asking for a topic that does not exist makes it.
    pub auto_create_topics: bool,
    /// What holds for topics that set nothing themselves.
    pub log: LogConfig,
    /// `log.flush.offset.checkpoint.interval.ms`: so often everything that was written is synced,
    /// and it is noted how far: a start after a crash reads no more than what came later.
    pub checkpoint_interval_ms: i64,
    /// Groups and committed offsets.
    pub groups: GroupConfig,
    /// `connections.max.idle.ms`: a connection on which nothing moves for so long is closed, unless
    /// it waits for an answer.
    pub connections_max_idle_ms: u32,
    /// `socket.request.max.bytes`: a larger request closes its connection.
    pub max_request_bytes: usize,
    /// `queued.max.request.bytes`: so much memory large requests have together while they arrive;
    /// those for which there is no room wait.
    pub queued_request_bytes: usize,
    /// Threads that serve connections. One serves two million records a second, and is cheapest:
    /// nothing has to be handed from core to core.
    pub threads: usize,
    /// Where it is noted how long requests take, if anybody wants to know.
    pub request_metrics: Option<RequestMetrics>,
}

impl BrokerConfig {
    /// The usual settings for a broker on this machine: `localhost:9092`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            listeners: vec![Listener { host: "localhost".into(), port: 9092, ..Listener::on_this_machine() }],
            certificate: None,
            users: None,
            node_id: 1,
            num_partitions: 4,
            auto_create_topics: true,
            log: LogConfig::default(),
            checkpoint_interval_ms: 60_000,
            groups: GroupConfig::default(),
            connections_max_idle_ms: 600_000,
            max_request_bytes: 100 << 20,
            queued_request_bytes: 128 << 20,
            threads: 1,
            request_metrics: None,
        }
    }
}
