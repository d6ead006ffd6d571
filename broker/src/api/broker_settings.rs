//! Which settings a broker of Kafka has, beside those that topics take their defaults from, and
//! what is true of them here.
//!
//! What describes something that works here has our own value. What would only count once
//! something else is set up (a second broker, remote storage, tokens, Kerberos, OAuth), and is idle
//! in a Kafka that has its default, is as idle here: the default is told. What would speak of
//! something that every Kafka has and that is not here is not told ([`NOT_TOLD`]).

use super::mechanisms::MECHANISMS;
use super::{Context, Endpoint};
use crate::controller::SettingKind::{
    self, Boolean, Class, Double, Int, List, Long, Password, Short, String as Text,
};
use crate::listener::address;
use crate::node::{OFFSETS_PARTITIONS, OFFSETS_SEGMENT_BYTES};

/// A setting that can't be altered while the broker runs.
pub(super) struct BrokerSetting {
    pub(super) name: &'static str,
    pub(super) kind: SettingKind,
    /// Kafka's default, if it has a value.
    pub(super) default: Option<&'static str>,
    pub(super) value: Value,
}

/// What a setting is here.
pub(super) enum Value {
    /// As in a Kafka in which nothing is set.
    Usual,
    /// This.
    Own(fn(&Context<'_>) -> String),
    /// Whether it is set; what to is never told.
    Secret(fn(&Context<'_>) -> bool),
}

const fn usual(name: &'static str, kind: SettingKind, default: &'static str) -> BrokerSetting {
    BrokerSetting { name, kind, default: Some(default), value: Value::Usual }
}

/// Without a value.
const fn unset(name: &'static str, kind: SettingKind) -> BrokerSetting {
    BrokerSetting { name, kind, default: None, value: Value::Usual }
}

const fn own(
    name: &'static str,
    kind: SettingKind,
    default: Option<&'static str>,
    value: fn(&Context<'_>) -> String,
) -> BrokerSetting {
    BrokerSetting { name, kind, default, value: Value::Own(value) }
}

const fn secret(name: &'static str, is_set: fn(&Context<'_>) -> bool) -> BrokerSetting {
    BrokerSetting { name, kind: Password, default: None, value: Value::Secret(is_set) }
}

/// What the clients of each listener are told; of a listener that tells each the address by which
/// it has come, what this one is told, or where the others come.
fn advertised(context: &Context<'_>) -> String {
    let listeners = context.node.config.listeners.iter().enumerate();
    let advertised = listeners.map(|(index, listener)| {
        let Endpoint { listener: own, host, port } = context.endpoint;
        let (host, port) = match &listener.advertised {
            _ if index == *own => (host, *port),
            Some(told) => (&told.host, told.port.unwrap_or(listener.port)),
            None => (&listener.host, listener.port),
        };
        format!("{}://{}", listener.protocol, address(host, port))
    });
    advertised.collect::<Vec<_>>().join(",")
}

fn listeners(context: &Context<'_>) -> String {
    let listeners: Vec<_> = context.node.config.listeners.iter().map(ToString::to_string).collect();
    listeners.join(",")
}

fn mechanisms(context: &Context<'_>) -> String {
    context.node.config.users.as_ref().map_or_else(|| "GSSAPI".to_owned(), |_| MECHANISMS.join(","))
}

fn has_certificate(context: &Context<'_>) -> bool {
    context.node.config.certificate.is_some()
}

/// Those that are told, by name.
#[rustfmt::skip]
pub(super) const TOLD: &[BrokerSetting] = &[
    own("advertised.listeners", List, None, advertised),
    unset("alter.config.policy.class.name", Class),
    usual("authorizer.class.name", Text, ""),
    own("auto.create.topics.enable", Boolean, Some("true"), |c| c.node.config.auto_create_topics.to_string()),
    usual("auto.leader.rebalance.enable", Boolean, "true"),
    own("broker.id", Int, Some("-1"), |c| c.node.config.node_id.to_string()),
    unset("broker.rack", Text),
    unset("client.quota.callback.class", Class),
    usual("config.providers", List, ""),
    own("connection.failed.authentication.delay.ms", Int, Some("100"), |_| super::FAILED_LOGIN_DELAY_MS.to_string()),
    own("connections.max.idle.ms", Long, Some("600000"), |c| c.node.config.connections_max_idle_ms.to_string()),
    usual("connections.max.reauth.ms", Long, "0"),
    usual("controlled.shutdown.enable", Boolean, "true"),
    own("controller.quorum.append.linger.ms", Int, Some("25"), |_| "0".into()),
    usual("controller.quorum.auto.join.enable", Boolean, "false"),
    usual("controller.quorum.bootstrap.servers", List, ""),
    usual("controller.quorum.election.backoff.max.ms", Int, "1000"),
    usual("controller.quorum.election.timeout.ms", Int, "1000"),
    usual("controller.quorum.fetch.max.bytes", Int, "1048576"),
    usual("controller.quorum.fetch.snapshot.max.bytes", Int, "1048576"),
    usual("controller.quorum.fetch.timeout.ms", Int, "2000"),
    usual("controller.quorum.request.timeout.ms", Int, "2000"),
    usual("controller.quorum.retry.backoff.ms", Int, "20"),
    usual("controller.socket.timeout.ms", Int, "30000"),
    usual("cordoned.log.dirs", List, ""),
    unset("create.topic.policy.class.name", Class),
    usual("default.replication.factor", Int, "1"),
    usual("delegation.token.expiry.check.interval.ms", Long, "3600000"),
    usual("delegation.token.expiry.time.ms", Long, "86400000"),
    usual("delegation.token.max.lifetime.ms", Long, "604800000"),
    secret("delegation.token.secret.key", |_| false),
    usual("delete.topic.enable", Boolean, "true"),
    unset("early.start.listeners", List),
    own("fetch.max.bytes", Int, Some("57671680"), |_| super::fetch::MAX_BYTES.to_string()),
    usual("follower.fetch.last.tiered.offset.enable", Boolean, "false"),
    own("group.consumer.migration.policy", Text, Some("bidirectional"), |_| "disabled".into()),
    own("group.coordinator.append.linger.ms", Int, Some("-1"), |_| "0".into()),
    own("group.coordinator.rebalance.protocols", List, Some("classic,consumer,streams"), |_| "classic".into()),
    own("group.initial.rebalance.delay.ms", Int, Some("3000"), |c| c.node.config.groups.initial_rebalance_delay_ms.to_string()),
    own("group.max.session.timeout.ms", Int, Some("1800000"), |c| c.node.config.groups.max_session_timeout_ms.to_string()),
    own("group.max.size", Int, Some("2147483647"), |c| c.node.config.groups.max_size.to_string()),
    own("group.min.session.timeout.ms", Int, Some("6000"), |c| c.node.config.groups.min_session_timeout_ms.to_string()),
    unset("inter.broker.listener.name", Text),
    usual("kafka.metrics.reporters", List, ""),
    usual("leader.imbalance.check.interval.seconds", Long, "300"),
    usual("listener.security.protocol.map", Text, "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT"),
    own("listeners", List, Some("PLAINTEXT://:9092"), listeners),
    own("log.cleaner.backoff.ms", Long, Some("15000"), |_| super::LOGS_DELAY_MS.to_string()),
    usual("log.cleaner.dedupe.buffer.size", Long, "134217728"),
    usual("log.cleaner.enable", Boolean, "true"),
    usual("log.cleaner.io.max.bytes.per.second", Double, "1.7976931348623157E308"),
    usual("log.cleaner.threads", Int, "1"),
    own("log.dir", List, Some("/tmp/kafka-logs"), |c| c.node.config.data_dir.display().to_string()),
    own("log.dirs", List, None, |c| c.node.config.data_dir.display().to_string()),
    own("log.flush.offset.checkpoint.interval.ms", Int, Some("60000"), |c| c.node.config.checkpoint_interval_ms.to_string()),
    own("log.flush.start.offset.checkpoint.interval.ms", Int, Some("60000"), |c| c.node.config.checkpoint_interval_ms.to_string()),
    usual("max.connection.creation.rate", Int, "2147483647"),
    usual("max.connections", Int, "2147483647"),
    usual("max.connections.per.ip", Int, "2147483647"),
    usual("max.connections.per.ip.overrides", Text, ""),
    own("max.incremental.fetch.session.cache.slots", Int, Some("1000"), |_| "0".into()),
    own("max.request.partition.size.limit", Int, Some("2000"), |_| super::describe_topic_partitions::MAX_PARTITIONS.to_string()),
    unset("metadata.log.dir", Text),
    own("metadata.log.max.snapshot.interval.ms", Long, Some("3600000"), |_| "0".into()),
    usual("metadata.log.segment.bytes", Int, "1073741824"),
    own("metadata.log.segment.ms", Long, Some("604800000"), |_| i64::MAX.to_string()),
    own("metadata.max.idle.interval.ms", Int, Some("500"), |_| "0".into()),
    own("metric.reporters", List, Some("org.apache.kafka.common.metrics.JmxReporter"), |_| String::new()),
    own("node.id", Int, None, |c| c.node.config.node_id.to_string()),
    own("num.network.threads", Int, Some("3"), |c| c.node.config.threads.to_string()),
    own("num.partitions", Int, Some("1"), |c| c.node.config.num_partitions.to_string()),
    own("num.recovery.threads.per.data.dir", Int, Some("2"), |_| "1".into()),
    unset("num.replica.alter.log.dirs.threads", Int),
    usual("num.replica.fetchers", Int, "1"),
    own("offset.metadata.max.bytes", Int, Some("4096"), |c| c.node.config.groups.max_metadata_bytes.to_string()),
    usual("offsets.commit.timeout.ms", Int, "5000"),
    own("offsets.retention.minutes", Int, Some("10080"), |c| (c.node.config.groups.offsets_retention_ms / 60_000).to_string()),
    usual("offsets.topic.compression.codec", Int, "0"),
    own("offsets.topic.num.partitions", Int, Some("50"), |_| OFFSETS_PARTITIONS.to_string()),
    own("offsets.topic.replication.factor", Short, Some("3"), |_| "1".into()),
    own("offsets.topic.segment.bytes", Int, Some("104857600"), |_| OFFSETS_SEGMENT_BYTES.to_string()),
    own("process.roles", List, None, |_| "broker,controller".into()),
    usual("producer.id.expiration.ms", Int, "86400000"),
    own("queued.max.request.bytes", Long, Some("-1"), |c| c.node.config.queued_request_bytes.to_string()),
    usual("remote.fetch.max.wait.ms", Int, "500"),
    usual("remote.list.offsets.request.timeout.ms", Long, "30000"),
    usual("remote.log.index.file.cache.total.size.bytes", Long, "1073741824"),
    usual("remote.log.manager.copier.thread.pool.size", Int, "10"),
    usual("remote.log.manager.copy.max.bytes.per.second", Long, "9223372036854775807"),
    usual("remote.log.manager.copy.quota.window.num", Int, "11"),
    usual("remote.log.manager.copy.quota.window.size.seconds", Int, "1"),
    usual("remote.log.manager.expiration.thread.pool.size", Int, "10"),
    usual("remote.log.manager.fetch.max.bytes.per.second", Long, "9223372036854775807"),
    usual("remote.log.manager.fetch.quota.window.num", Int, "11"),
    usual("remote.log.manager.fetch.quota.window.size.seconds", Int, "1"),
    usual("remote.log.manager.follower.thread.pool.size", Int, "2"),
    usual("remote.log.manager.task.interval.ms", Long, "30000"),
    usual("remote.log.manager.thread.pool.size", Int, "2"),
    usual("remote.log.metadata.custom.metadata.max.bytes", Int, "128"),
    unset("remote.log.metadata.manager.class.path", Text),
    usual("remote.log.metadata.manager.impl.prefix", Text, "rlmm.config."),
    unset("remote.log.metadata.manager.listener.name", Text),
    usual("remote.log.reader.max.pending.tasks", Int, "100"),
    usual("remote.log.reader.threads", Int, "10"),
    unset("remote.log.storage.manager.class.name", Text),
    unset("remote.log.storage.manager.class.path", Text),
    usual("remote.log.storage.manager.impl.prefix", Text, "rsm.config."),
    usual("remote.log.storage.system.enable", Boolean, "false"),
    usual("replica.fetch.backoff.ms", Int, "1000"),
    usual("replica.fetch.max.bytes", Int, "1048576"),
    usual("replica.fetch.min.bytes", Int, "1"),
    usual("replica.fetch.response.max.bytes", Int, "10485760"),
    usual("replica.fetch.wait.max.ms", Int, "500"),
    usual("replica.lag.time.max.ms", Long, "30000"),
    unset("replica.selector.class", Text),
    usual("replica.socket.receive.buffer.bytes", Int, "65536"),
    usual("replica.socket.timeout.ms", Int, "30000"),
    usual("request.timeout.ms", Int, "30000"),
    unset("sasl.client.callback.handler.class", Class),
    own("sasl.enabled.mechanisms", List, Some("GSSAPI"), mechanisms),
    secret("sasl.jaas.config", |_| false),
    usual("sasl.kerberos.kinit.cmd", Text, "/usr/bin/kinit"),
    usual("sasl.kerberos.min.time.before.relogin", Long, "60000"),
    usual("sasl.kerberos.principal.to.local.rules", List, "DEFAULT"),
    unset("sasl.kerberos.service.name", Text),
    usual("sasl.kerberos.ticket.renew.jitter", Double, "0.05"),
    usual("sasl.kerberos.ticket.renew.window.factor", Double, "0.8"),
    unset("sasl.login.callback.handler.class", Class),
    unset("sasl.login.class", Class),
    unset("sasl.login.connect.timeout.ms", Int),
    unset("sasl.login.read.timeout.ms", Int),
    usual("sasl.login.refresh.buffer.seconds", Short, "300"),
    usual("sasl.login.refresh.min.period.seconds", Short, "60"),
    usual("sasl.login.refresh.window.factor", Double, "0.8"),
    usual("sasl.login.refresh.window.jitter", Double, "0.05"),
    usual("sasl.login.retry.backoff.max.ms", Long, "10000"),
    usual("sasl.login.retry.backoff.ms", Long, "100"),
    usual("sasl.mechanism.controller.protocol", Text, "GSSAPI"),
    usual("sasl.mechanism.inter.broker.protocol", Text, "GSSAPI"),
    usual("sasl.oauthbearer.assertion.algorithm", Text, "RS256"),
    unset("sasl.oauthbearer.assertion.claim.aud", Text),
    usual("sasl.oauthbearer.assertion.claim.exp.seconds", Int, "300"),
    unset("sasl.oauthbearer.assertion.claim.iss", Text),
    usual("sasl.oauthbearer.assertion.claim.jti.include", Boolean, "false"),
    usual("sasl.oauthbearer.assertion.claim.nbf.seconds", Int, "60"),
    unset("sasl.oauthbearer.assertion.claim.sub", Text),
    unset("sasl.oauthbearer.assertion.file", Text),
    unset("sasl.oauthbearer.assertion.private.key.file", Text),
    secret("sasl.oauthbearer.assertion.private.key.passphrase", |_| false),
    unset("sasl.oauthbearer.assertion.template.file", Text),
    unset("sasl.oauthbearer.client.credentials.client.id", Text),
    secret("sasl.oauthbearer.client.credentials.client.secret", |_| false),
    usual("sasl.oauthbearer.clock.skew.seconds", Int, "30"),
    usual("sasl.oauthbearer.expected.audience", List, ""),
    unset("sasl.oauthbearer.expected.issuer", Text),
    usual("sasl.oauthbearer.jwks.endpoint.refresh.ms", Long, "3600000"),
    usual("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms", Long, "10000"),
    usual("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms", Long, "100"),
    unset("sasl.oauthbearer.jwks.endpoint.url", Text),
    unset("sasl.oauthbearer.scope", Text),
    usual("sasl.oauthbearer.scope.claim.name", Text, "scope"),
    usual("sasl.oauthbearer.sub.claim.name", Text, "sub"),
    unset("sasl.oauthbearer.token.endpoint.url", Text),
    unset("sasl.server.callback.handler.class", Class),
    usual("sasl.server.max.receive.size", Int, "524288"),
    usual("security.inter.broker.protocol", Text, "PLAINTEXT"),
    unset("security.providers", Text),
    usual("socket.connection.setup.timeout.max.ms", Long, "30000"),
    usual("socket.connection.setup.timeout.ms", Long, "10000"),
    own("socket.receive.buffer.bytes", Int, Some("102400"), |_| "-1".into()),
    own("socket.request.max.bytes", Int, Some("104857600"), |c| c.node.config.max_request_bytes.to_string()),
    own("socket.send.buffer.bytes", Int, Some("102400"), |_| "-1".into()),
    usual("ssl.allow.dn.changes", Boolean, "false"),
    usual("ssl.allow.san.changes", Boolean, "false"),
    usual("ssl.cipher.suites", List, ""),
    usual("ssl.client.auth", Text, "none"),
    usual("ssl.enabled.protocols", List, "TLSv1.2,TLSv1.3"),
    usual("ssl.endpoint.identification.algorithm", Text, "https"),
    unset("ssl.engine.factory.class", Class),
    secret("ssl.key.password", |_| false),
    secret("ssl.keystore.certificate.chain", has_certificate),
    secret("ssl.keystore.key", has_certificate),
    unset("ssl.keystore.location", Text),
    secret("ssl.keystore.password", |_| false),
    own("ssl.keystore.type", Text, Some("JKS"), |_| "PEM".into()),
    usual("ssl.principal.mapping.rules", Text, "DEFAULT"),
    usual("ssl.protocol", Text, "TLSv1.3"),
    unset("ssl.provider", Text),
    unset("ssl.secure.random.implementation", Text),
    secret("ssl.truststore.certificates", |_| false),
    unset("ssl.truststore.location", Text),
    secret("ssl.truststore.password", |_| false),
    usual("ssl.truststore.type", Text, "JKS"),
    usual("transaction.two.phase.commit.enable", Boolean, "false"),
];

/// Those of Kafka's that would not be true, whatever the value. They can't be altered either.
#[rustfmt::skip]
pub(super) const NOT_TOLD: &[&str] = &[
    // Transactions: there are none.
    "add.partitions.to.txn.retry.backoff.max.ms", "add.partitions.to.txn.retry.backoff.ms",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms", "transaction.max.timeout.ms",
    "transaction.partition.verification.enable",
    "transaction.remove.expired.transaction.cleanup.interval.ms",
    "transaction.state.log.load.buffer.size", "transaction.state.log.min.isr",
    "transaction.state.log.num.partitions", "transaction.state.log.replication.factor",
    "transaction.state.log.segment.bytes", "transactional.id.expiration.ms",
    // Groups of the new protocol (KIP-848), share groups and streams groups: there are none.
    "group.consumer.assignment.interval.ms", "group.consumer.assignors",
    "group.consumer.heartbeat.interval.ms", "group.consumer.max.assignment.interval.ms",
    "group.consumer.max.heartbeat.interval.ms", "group.consumer.max.session.timeout.ms",
    "group.consumer.max.size", "group.consumer.min.assignment.interval.ms",
    "group.consumer.min.heartbeat.interval.ms", "group.consumer.min.session.timeout.ms",
    "group.consumer.session.timeout.ms", "group.share.assignment.interval.ms",
    "group.share.assignors", "group.share.delivery.count.limit",
    "group.share.heartbeat.interval.ms", "group.share.max.assignment.interval.ms",
    "group.share.max.delivery.count.limit", "group.share.max.heartbeat.interval.ms",
    "group.share.max.partition.max.record.locks", "group.share.max.record.lock.duration.ms",
    "group.share.max.session.timeout.ms", "group.share.max.share.sessions", "group.share.max.size",
    "group.share.min.assignment.interval.ms", "group.share.min.delivery.count.limit",
    "group.share.min.heartbeat.interval.ms", "group.share.min.partition.max.record.locks",
    "group.share.min.record.lock.duration.ms", "group.share.min.session.timeout.ms",
    "group.share.partition.max.record.locks", "group.share.record.lock.duration.ms",
    "group.share.session.timeout.ms", "group.streams.assignment.interval.ms",
    "group.streams.heartbeat.interval.ms", "group.streams.initial.rebalance.delay.ms",
    "group.streams.max.assignment.interval.ms", "group.streams.max.heartbeat.interval.ms",
    "group.streams.max.session.timeout.ms", "group.streams.max.size",
    "group.streams.max.standby.replicas", "group.streams.min.assignment.interval.ms",
    "group.streams.min.heartbeat.interval.ms", "group.streams.min.session.timeout.ms",
    "group.streams.num.standby.replicas", "group.streams.session.timeout.ms",
    "share.coordinator.append.linger.ms", "share.coordinator.cached.buffer.max.bytes",
    "share.coordinator.load.buffer.size", "share.coordinator.snapshot.update.records.per.snapshot",
    "share.coordinator.state.topic.compression.codec", "share.coordinator.state.topic.min.isr",
    "share.coordinator.state.topic.num.partitions",
    "share.coordinator.state.topic.replication.factor",
    "share.coordinator.state.topic.segment.bytes", "share.coordinator.threads",
    "share.coordinator.write.timeout.ms", "share.fetch.purgatory.purge.interval.requests",
    // Quotas and clients' metrics: there are none.
    "alter.log.dirs.replication.quota.window.num",
    "alter.log.dirs.replication.quota.window.size.seconds", "controller.quota.window.num",
    "controller.quota.window.size.seconds", "quota.window.num", "quota.window.size.seconds",
    "replication.quota.window.num", "replication.quota.window.size.seconds", "telemetry.max.bytes",
    // Threads, queues and buffers: work is divided otherwise here.
    "background.threads", "delete.records.purgatory.purge.interval.requests",
    "fetch.purgatory.purge.interval.requests", "group.coordinator.background.threads",
    "group.coordinator.cached.buffer.max.bytes", "group.coordinator.threads",
    "log.cleaner.io.buffer.load.factor", "log.cleaner.io.buffer.size", "num.io.threads",
    "offsets.load.buffer.size", "producer.purgatory.purge.interval.requests", "queued.max.requests",
    "socket.listen.backlog.size",
    // What Kafka looks at from time to time: here it is done when it is due.
    "log.retention.check.interval.ms", "offsets.retention.check.interval.ms",
    "replica.high.watermark.checkpoint.interval.ms",
    // The controller is a part of the broker, without a listener, and its log is kept otherwise.
    "broker.heartbeat.interval.ms", "broker.session.timeout.ms", "controller.listener.names",
    "controller.quorum.voters", "initial.broker.registration.timeout.ms",
    "log.dir.failure.timeout.ms", "metadata.log.max.record.bytes.between.snapshots",
    "metadata.max.retention.bytes", "metadata.max.retention.ms",
    // Classes of Java, and what measures them.
    "kafka.metrics.polling.interval.secs", "metrics.num.samples", "metrics.recording.level",
    "metrics.sample.window.ms", "principal.builder.class", "remote.log.metadata.manager.class.name",
    "sasl.oauthbearer.jwt.retriever.class", "sasl.oauthbearer.jwt.validator.class",
    "ssl.keymanager.algorithm", "ssl.trustmanager.algorithm",
];
