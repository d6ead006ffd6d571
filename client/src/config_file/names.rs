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
pub(super) const TAKEN_AS_IT_IS: [&str; 10] = [
    "broker.address.family",
    "client.rack",
    "connections.max.idle.ms",
    "enable.ssl.certificate.verification",
    "metadata.max.age.ms",
    "socket.keepalive.enable",
    "ssl.ca.pem",
    "ssl.certificate.pem",
    "ssl.key.password",
    "ssl.key.pem",
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

const FOREIGN: [&str; 46] = [
    "acks",
    "allow.auto.create.topics",
    "api.version.request",
    "auto.commit.interval.ms",
    "batch.size",
    "buffer.memory",
    "check.crcs",
    "client.dns.lookup",
    "default.api.timeout.ms",
    "delivery.timeout.ms",
    "enable.idempotence",
    "enable.metrics.push",
    "exclude.internal.topics",
    "fetch.max.bytes",
    "fetch.max.wait.ms",
    "fetch.min.bytes",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "linger.ms",
    "max.block.ms",
    "max.in.flight.requests.per.connection",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "max.poll.records",
    "max.request.size",
    "message.timeout.ms",
    "metadata.max.idle.ms",
    "receive.buffer.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "request.timeout.ms",
    "retries",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "send.buffer.bytes",
    "session.timeout.ms",
    "socket.connection.setup.timeout.max.ms",
    "socket.connection.setup.timeout.ms",
    "socket.timeout.ms",
    "ssl.cipher.suites",
    "ssl.enabled.protocols",
    "ssl.protocol",
    "ssl.provider",
    "ssl.truststore.password",
    "transaction.timeout.ms",
    "use.latest.version",
];

/// The beginnings of further names that are not for us.
const FOREIGN_FAMILIES: [&str; 20] = [
    "admin.",
    "auto.register.",
    "basic.auth.",
    "bearer.auth.",
    "bootstrap.controllers",
    "compression.gzip.",
    "config.providers",
    "consumer.",
    "interceptor.",
    "key.",
    "metadata.recovery.",
    "metric",
    "partitioner.",
    "producer.",
    "sasl.kerberos.",
    "sasl.login.",
    "schema.registry.",
    "security.providers",
    "specific.avro.",
    "value.",
];

/// What becomes of the property of this name, if Kafka's clients have it.
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

/// The property whose name this may have been meant to be.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let all = TAKEN_AS_IT_IS.iter().chain(&CONNECTION).chain(&OURS).chain(&FOREIGN);
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
    let parts = ["password", "secret", "jaas", "user.info", "key.pem", "keystore.key", "oauthbearer.config"];
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
