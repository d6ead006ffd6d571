//! Where the cluster is, and how librdkafka is to be set up: every property that differs from its
//! default stands here or in the type that needs it, with its reason.

use std::fmt;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use crate::config_file::is_secret;
use crate::servers::protocol_of;
use crate::{ConfigFile, NotAProperty};

/// The address of a cluster, and properties that a person added.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    servers: String,
    client_id: String,
    properties: Vec<(String, String)>,
}

/// A login by user and password.
pub(crate) struct Login<'a> {
    pub(crate) mechanism: &'a str,
    pub(crate) user: &'a str,
    pub(crate) password: &'a str,
}

impl Settings {
    /// `servers` is what Kafka calls bootstrap servers: `host:port`, several of
    /// them separated by commas.
    pub fn new(servers: impl Into<String>) -> Self {
        Self { servers: servers.into(), client_id: "freshet".to_owned(), properties: Vec::new() }
    }

    /// The name under which the cluster's own tools show this client.
    #[must_use]
    pub fn with_client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = id.into();
        self
    }

    /// Adds what a file says of how the cluster is reached.
    #[must_use]
    pub fn with_file(mut self, file: &ConfigFile) -> Self {
        self.properties.extend_from_slice(file.properties());
        self
    }

    /// Adds one of librdkafka's properties. It wins over ours.
    #[must_use]
    pub fn with_property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.push((key.into(), value.into()));
        self
    }

    /// Adds a property written `key=value`, as after `-X` on a command line.
    pub fn with_argument(self, text: &str) -> Result<Self, NotAProperty> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok(self.with_property(key.trim(), value)),
            _ => Err(NotAProperty { text: text.to_owned() }),
        }
    }

    /// The bootstrap servers.
    pub fn servers(&self) -> &str {
        &self.servers
    }

    /// The protocol that is written before an address (`SSL://host:9092`) though another is spoken,
    /// and that other: librdkafka would pass the address over.
    pub fn other_protocol(&self) -> Option<(&str, &str)> {
        let spoken = self.properties.iter().rev().find(|(key, _)| key == "security.protocol");
        let spoken = spoken.map_or("plaintext", |(_, protocol)| protocol);
        let written = protocol_of(&self.servers)?;
        (!written.eq_ignore_ascii_case(spoken)).then_some((written, spoken))
    }

    /// What this client calls itself.
    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The last value of a property that a person added.
    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().rev().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }

    /// Whether the cluster is reached by TLS.
    pub fn has_tls(&self) -> bool {
        self.protocol().is_some_and(|protocol| protocol.to_ascii_lowercase().ends_with("ssl"))
    }

    /// Whether clients log in.
    pub fn has_login(&self) -> bool {
        self.protocol().is_some_and(|protocol| protocol.to_ascii_lowercase().starts_with("sasl_"))
    }

    fn protocol(&self) -> Option<&str> {
        self.property("security.protocol")
    }

    /// How clients log in, if they do.
    pub(crate) fn login(&self) -> Option<Login<'_>> {
        let mechanism = self.property("sasl.mechanism").or_else(|| self.property("sasl.mechanisms"))?;
        let (user, password) = (self.property("sasl.username")?, self.property("sasl.password")?);
        self.has_login().then_some(Login { mechanism, user, password })
    }

    /// What librdkafka tells at all: who asks it for details by `debug` is to see them.
    fn log_level(&self) -> RDKafkaLogLevel {
        let debugs = self.properties.iter().any(|(key, _)| key == "debug");
        if debugs { RDKafkaLogLevel::Debug } else { RDKafkaLogLevel::Info }
    }

    /// librdkafka's configuration with `ours` for the kind of client, and what the person added
    /// above all.
    pub(crate) fn config(&self, ours: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.servers)
            .set("client.id", &self.client_id)
            // A broker on this machine is back in a blink: look every second, not every ten.
            .set("reconnect.backoff.max.ms", "1000")
            // Requests that are not answered must not hold up the end of a program for a minute.
            .set("socket.timeout.ms", "10000")
            // Nor is a broker that takes connections and says nothing waited for longer.
            .set("socket.connection.setup.timeout.ms", "10000")
            // Nothing to report to: no cluster of ours collects its clients' metrics.
            .set("enable.metrics.push", "false")
            .set("log.connection.close", "false")
            // What was sent must be readable: a request has at most 100 MiB, and its answer more.
            .set("receive.message.max.bytes", "134217728")
            .set_log_level(self.log_level());
        for (key, value) in ours {
            config.set(*key, *value);
        }
        for (key, value) in &self.properties {
            config.set(key, value);
        }
        config
    }
}

/// Without values that are secret.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(key, value): &(String, String)| {
            if is_secret(key) { format!("{key}=(hidden)") } else { format!("{key}={value}") }
        };
        f.debug_struct("Settings")
            .field("servers", &self.servers)
            .field("client_id", &self.client_id)
            .field("properties", &self.properties.iter().map(shown).collect::<Vec<_>>())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_adds_wins() {
        let settings = Settings::new("a:1,b:2").with_client_id("eta-1").with_argument("linger.ms=7").unwrap();
        let config = settings.config(&[("linger.ms", "0"), ("acks", "all")]);
        assert_eq!(config.get("bootstrap.servers"), Some("a:1,b:2"));
        assert_eq!(config.get("client.id"), Some("eta-1"));
        assert_eq!(config.get("linger.ms"), Some("7"));
        assert_eq!(config.get("acks"), Some("all"));
    }

    #[test]
    fn secrets_are_shown_to_nobody() {
        let settings = Settings::new("a:1")
            .with_property("sasl.password", "s3cr3t")
            .with_property("ssl.key.pem", "s3cr3t");
        let shown = format!("{settings:?}");
        assert!(!shown.contains("s3cr3t") && shown.contains("sasl.password=(hidden)"), "{shown}");
        let refused =
            settings.with_property("session.password", "s3cr3t").with_property("broker.secret", "s3cr3t");
        let error =
            crate::Admin::unconnected(&refused, std::time::Duration::from_secs(1)).err().expect("no such");
        assert!(!format!("{error} {error:?}").contains("s3cr3t"), "{error:?}");
    }

    #[test]
    fn a_property_needs_a_name_and_a_value() {
        for text in ["", "linger", "=7", " =7"] {
            let error = Settings::new("a:1").with_argument(text).unwrap_err();
            assert!(error.to_string().contains("key=value"), "{error}");
        }
        assert!(Settings::new("a:1").with_argument("sasl.password=a=b").is_ok());
    }
}
