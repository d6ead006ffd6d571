//! The names of properties: what of a client's configuration says how a cluster is reached, and
//! what of it is not ours to take.

/// What becomes of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It says how the cluster is reached.
    Connection,
    /// Our programs decide that themselves; a file that sets it is told of.
    Ours,
    /// Only Java's client knows it, or it is for another server, or it makes no difference to what
    /// is read and answered.
    Foreign,
}

/// librdkafka takes these as they are.
pub(super) const TAKEN_AS_IT_IS: [&str; 32] = [
    "api.version.fallback.ms",
    "api.version.request.timeout.ms",
    "broker.address.family",
    "broker.address.ttl",
    "broker.version.fallback",
    "client.rack",
    "connections.max.idle.ms",
    "debug",
    "enable.ssl.certificate.verification",
    "log.connection.close",
    "log.thread.name",
    "message.copy.max.bytes",
    "message.max.bytes",
    "metadata.max.age.ms",
    "receive.message.max.bytes",
    "socket.keepalive.enable",
    "socket.max.fails",
    "socket.nagle.disable",
    "socket.receive.buffer.bytes",
    "socket.send.buffer.bytes",
    "ssl.ca.pem",
    "ssl.certificate.pem",
    "ssl.crl.location",
    "ssl.curves.list",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.sigalgs.list",
    "statistics.interval.ms",
    "topic.metadata.propagation.max.ms",
    "topic.metadata.refresh.fast.interval.ms",
    "topic.metadata.refresh.interval.ms",
    "topic.metadata.refresh.sparse",
];

/// The others that say how a cluster is reached, in Java's words and in librdkafka's.
const CONNECTION: [&str; 20] = [
    "bootstrap.servers",
    "metadata.broker.list",
    "sasl.jaas.config",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.password",
    "sasl.username",
    "security.protocol",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.endpoint.identification.algorithm",
    "ssl.key.location",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.type",
];

const OURS: [&str; 11] = [
    "auto.offset.reset",
    "client.id",
    "compression.type",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "isolation.level",
    "partition.assignment.strategy",
    "transactional.id",
];

const FOREIGN: [&str; 80] = [
    "acks",
    "allow.auto.create.topics",
    "api.version.request",
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.include.jmx.reporter",
    "batch.num.messages",
    "batch.size",
    "buffer.memory",
    "builtin.features",
    "check.crcs",
    "client.dns.lookup",
    "consume.callback.max.messages",
    "coordinator.query.interval.ms",
    "default.api.timeout.ms",
    "delivery.report.only.error",
    "delivery.timeout.ms",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.metrics.push",
    "enable.partition.eof",
    "enable.random.seed",
    "enable.sasl.oauthbearer.unsecure.jwt",
    "exclude.internal.topics",
    "fetch.error.backoff.ms",
    "fetch.max.bytes",
    "fetch.max.wait.ms",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "fetch.queue.backoff.ms",
    "fetch.wait.max.ms",
    "group.protocol.type",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "linger.ms",
    "log.queue",
    "log_level",
    "max.block.ms",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "max.poll.records",
    "max.request.size",
    "message.send.max.retries",
    "message.timeout.ms",
    "metadata.max.idle.ms",
    "plugin.library.paths",
    "produce.offset.report",
    "receive.buffer.bytes",
    "reconnect.backoff.jitter.ms",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "request.required.acks",
    "request.timeout.ms",
    "retries",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "send.buffer.bytes",
    "session.timeout.ms",
    "socket.blocking.max.ms",
    "socket.connection.setup.timeout.max.ms",
    "socket.connection.setup.timeout.ms",
    "socket.timeout.ms",
    "ssl.ca.certificate.stores",
    "ssl.cipher.suites",
    "ssl.enabled.protocols",
    "ssl.keymanager.algorithm",
    "ssl.protocol",
    "ssl.provider",
    "ssl.providers",
    "ssl.secure.random.implementation",
    "ssl.trustmanager.algorithm",
    "ssl.truststore.password",
    "sticky.partitioning.linger.ms",
    "topic.blacklist",
    "topic.metadata.refresh.fast.cnt",
    "transaction.timeout.ms",
    "transaction.two.phase.commit.enable",
    "use.latest.version",
];

/// The beginnings of further names that are not for us.
const FOREIGN_FAMILIES: [&str; 29] = [
    "admin.",
    "auto.register.",
    "basic.auth.",
    "bearer.auth.",
    "bootstrap.controllers",
    "compression.",
    "config.providers",
    "consumer.",
    "https.ca.",
    "interceptor",
    "internal.",
    "key.",
    "metadata.recovery.",
    "metric",
    "offset.store.",
    "partitioner",
    "producer.",
    "queue",
    "queuing.",
    "sasl.client.",
    "sasl.kerberos.",
    "sasl.login.",
    "sasl.oauthbearer.",
    "schema.registry.",
    "security.providers",
    "share.",
    "specific.avro.",
    "ssl.engine.",
    "value.",
];

/// What becomes of the property of this name; none where it is not known.
pub(super) fn kind(name: &str) -> Option<Kind> {
    if TAKEN_AS_IT_IS.contains(&name) || CONNECTION.contains(&name) {
        Some(Kind::Connection)
    } else if OURS.contains(&name) {
        Some(Kind::Ours)
    } else if FOREIGN.contains(&name) || FOREIGN_FAMILIES.iter().any(|family| name.starts_with(family)) {
        Some(Kind::Foreign)
    } else {
        None
    }
}

/// The property that is taken and whose name this may have been meant to be.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let all = TAKEN_AS_IT_IS.iter().chain(&CONNECTION);
    let (apart, known) = all.map(|known| (distance(name, known), *known)).min()?;
    (apart <= known.len() / 4).then_some(known)
}

/// In how many letters two names differ, one of which may lack letters of the other (Levenshtein's
/// distance).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, of_a) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, of_b) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(of_a != *of_b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// Whether a property's value must be seen by nobody.
pub(crate) fn is_secret(name: &str) -> bool {
    let parts = [
        "password",
        "passphrase",
        "secret",
        "jaas",
        "user.info",
        "key.pem",
        "keystore.key",
        "oauthbearer.config",
    ];
    parts.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        for (slip, meant) in [
            ("sasl.mechanim", "sasl.mechanism"),
            ("security.protocl", "security.protocol"),
            ("bootstrap.server", "bootstrap.servers"),
            ("ssl.trustore.location", "ssl.truststore.location"),
        ] {
            assert_eq!(nearest(slip), Some(meant), "{slip}");
            assert_eq!(kind(slip), None);
        }
        assert_eq!(nearest("my.own.invention"), None);
        assert_eq!((distance("", "abc"), distance("kitten", "sitting")), (3, 3));
    }

    /// Those of the clients of Kafka 3.9 and 4.3 and of librdkafka 2.12, but for what is set by
    /// code alone.
    #[test]
    fn every_name_that_a_client_of_kafkas_has_is_known() {
        let names: Vec<&str> = include_str!("client_names.txt").lines().collect();
        assert!(names.len() > 200, "{}", names.len());
        let unknown: Vec<_> = names.into_iter().filter(|name| kind(name).is_none()).collect();
        assert_eq!(unknown, [""; 0]);
    }

    #[test]
    fn a_property_is_known_once() {
        let mut all: Vec<&str> = [&TAKEN_AS_IT_IS[..], &CONNECTION, &OURS, &FOREIGN].concat();
        all.sort_unstable();
        let of_two = all.windows(2).find(|pair| pair[0] == pair[1]);
        assert_eq!(of_two, None);
        for secret in
            ["sasl.password", "ssl.key.password", "ssl.key.pem", "ssl.keystore.key", "sasl.jaas.config"]
        {
            assert!(is_secret(secret) && kind(secret).is_some(), "{secret}");
        }
        assert!(!is_secret("sasl.username") && !is_secret("ssl.ca.location"));
    }
}
