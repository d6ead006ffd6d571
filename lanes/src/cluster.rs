//! A cluster for a test: the embedded broker, or the one that `FRESHET_TEST_SERVERS` names.

use std::path::Path;
use std::sync::Arc;

use broker::log::{DiskStorage, Log, LogConfig, LogDir, Storage, TopicPartition};
use protocol::records::{BatchBuilder, BatchHeader, HEADER_LEN, LeaderEpoch, checksum};

/// Runs as long as it is held.
pub(crate) struct TestCluster {
    servers: String,
    /// Dropped before its directory.
    broker: Option<broker::Cluster>,
    data: Option<tempfile::TempDir>,
}

impl TestCluster {
    pub(crate) fn start() -> Self {
        if let Ok(servers) = std::env::var("FRESHET_TEST_SERVERS") {
            return Self { servers, broker: None, data: None };
        }
        Self::on(tempfile::tempdir().unwrap(), "127.0.0.1:0")
    }

    fn on(data: tempfile::TempDir, listen: &str) -> Self {
        let mut config = broker::BrokerConfig {
            listeners: vec![listen.parse().unwrap()],
            auto_create_topics: false,
            ..broker::BrokerConfig::new(data.path())
        };
        config.groups.min_session_timeout_ms = 1_000;
        let broker = broker::Cluster::start(config).unwrap();
        Self { servers: broker.bootstrap_servers(), broker: Some(broker), data: Some(data) }
    }

    /// The same cluster on another port, with unchecked batches in its log: an older
    /// broker took them. None for a broker that isn't ours.
    pub(crate) fn with_stored(mut self, topic: &str, batches: &[(i32, Vec<u8>)]) -> Option<Self> {
        self.broker.take()?.shutdown().unwrap();
        let data = self.data.take()?;
        store(data.path(), topic, batches);
        Some(Self::on(data, "127.0.0.1:0"))
    }

    /// Whether a test may stop it.
    pub(crate) fn is_ours(&self) -> bool {
        self.broker.is_some()
    }

    /// The same cluster at the same address, after `away` was done without it.
    pub(crate) fn restarted(mut self, away: impl FnOnce()) -> Self {
        self.broker.take().unwrap().shutdown().unwrap();
        away();
        Self::on(self.data.take().unwrap(), &self.servers)
    }

    pub(crate) fn servers(&self) -> &str {
        &self.servers
    }
}

fn store(data: &Path, topic: &str, batches: &[(i32, Vec<u8>)]) {
    let storage: Arc<dyn Storage> = Arc::new(DiskStorage);
    // Opened and not closed: the next start finds the end of each log by itself.
    let log_dir = LogDir::open(Arc::clone(&storage), data.to_owned()).unwrap();
    for (partition, batch) in batches {
        let at = TopicPartition::new(topic, *partition);
        let config = LogConfig::default();
        let dir = log_dir.partition_dir(&at);
        let (mut log, _) = Log::open(Arc::clone(&storage), dir, config, log_dir.recovery_hints(&at)).unwrap();
        let header = BatchHeader::parse(batch).unwrap();
        log.append(batch, &header, LeaderEpoch(0), header.max_timestamp).unwrap();
    }
}

/// A batch whose header is right, with any bytes behind it: `codec` is what it claims to be
/// compressed with, in Kafka's numbers, and `count` how many records it claims to have.
pub(crate) fn batch_of(codec: i16, count: i32, timestamp_ms: i64, payload: &[u8]) -> Vec<u8> {
    let mut batch = BatchBuilder::new().attributes(codec);
    batch.push(timestamp_ms, None, None);
    let mut bytes = batch.finish()[..HEADER_LEN].to_vec();
    bytes.extend(payload);
    let length = bytes.len() as i32 - 12;
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes[23..27].copy_from_slice(&(count - 1).to_be_bytes());
    bytes[57..61].copy_from_slice(&count.to_be_bytes());
    let crc = checksum(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes
}
