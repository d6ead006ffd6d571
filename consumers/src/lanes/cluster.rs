//! A cluster for a test: the embedded broker, or the one that `FRESHET_TEST_SERVERS` names.

/// Runs as long as it is held.
pub(crate) struct TestCluster {
    servers: String,
    /// Dropped before its directory.
    _broker: Option<broker::Cluster>,
    _data: Option<tempfile::TempDir>,
}

impl TestCluster {
    pub(crate) fn start() -> Self {
        if let Ok(servers) = std::env::var("FRESHET_TEST_SERVERS") {
            return Self { servers, _broker: None, _data: None };
        }
        let data = tempfile::tempdir().unwrap();
        let config = broker::BrokerConfig {
            listen: "127.0.0.1:0".to_owned(),
            auto_create_topics: false,
            ..broker::BrokerConfig::new(data.path())
        };
        let broker = broker::Cluster::start(config).unwrap();
        Self { servers: broker.bootstrap_servers(), _broker: Some(broker), _data: Some(data) }
    }

    pub(crate) fn servers(&self) -> &str {
        &self.servers
    }
}
