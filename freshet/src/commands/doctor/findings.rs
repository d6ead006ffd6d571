//! Everything that can be found, each with its sentence and its remedy: all words of the doctor are
//! here.

use std::net::SocketAddr;

use client::direct::{BrokerAddress, HostError, LogDir, Stranger};
use text::{grouped, plural};

use super::contact::{Contact, split};
use super::names::{listed, short};

/// What is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// A name for programs, which stays when the words change.
    pub(super) kind: &'static str,
    /// A sentence, without its full stop.
    pub(super) what: String,
    /// A sentence, without its full stop.
    pub(super) remedy: String,
}

fn finding(kind: &'static str, what: String, remedy: impl Into<String>) -> Finding {
    Finding { kind, what, remedy: remedy.into() }
}

/// Not `HOST:PORT`.
pub(super) fn no_address(server: &str) -> Finding {
    let what = format!("{} is no address that a client can use", short(server));
    finding("no_address", what, "write HOST:PORT without anything before it, such as localhost:9092")
}

/// The name leads nowhere.
pub(super) fn unknown_host(server: &str, host: &str, error: &HostError) -> Finding {
    let what = match error {
        HostError::Unknown(reason) => {
            format!(
                "{} can't be found: {} has no address on this machine ({})",
                short(server),
                short(host),
                short(reason)
            )
        }
        HostError::TimedOut => {
            format!(
                "{} can't be found: the name service that has the address of {} does not answer",
                short(server),
                short(host)
            )
        }
    };
    finding("unknown_host", what, remedy_of_name(host))
}

fn remedy_of_name(host: &str) -> String {
    if host.contains('.') {
        return "look for a mistake in the name, or write the broker's IP address".to_owned();
    }
    format!(
        "look for a mistake in the name; if {host} is a container, only containers of its network know that name: from \
         here use localhost and the port that is published",
        host = short(host)
    )
}

/// What somebody at an address does, as the end of a sentence that begins with the address.
pub(super) fn clause(contact: &Contact) -> String {
    match contact {
        Contact::Kafka(_) => "is a Kafka".to_owned(),
        Contact::Controller => {
            "is a controller of a Kafka cluster, which serves brokers and no clients".to_owned()
        }
        Contact::Refused => "refuses the connection: nothing listens there".to_owned(),
        Contact::NoAnswer => "does not answer: it neither takes the connection nor refuses it".to_owned(),
        Contact::Unreachable(reason) => format!("can't be reached: {}", short(reason)),
        Contact::Stranger(Stranger::Tls) => {
            "speaks TLS, and a client in plain text gets no answer".to_owned()
        }
        Contact::Stranger(stranger) => format!("is {}, and no Kafka", stranger.name()),
        Contact::Babble(said) if said.is_empty() => "does not speak Kafka's protocol".to_owned(),
        Contact::Babble(said) => {
            format!("does not speak Kafka's protocol: it says {:?}", short(&String::from_utf8_lossy(said)))
        }
        Contact::Silent => "takes the connection and says nothing".to_owned(),
        Contact::HungUp => "takes the connection and closes it without a word".to_owned(),
    }
}

fn kind(contact: &Contact) -> &'static str {
    match contact {
        Contact::Kafka(_) => "kafka",
        Contact::Controller => "controller",
        Contact::Refused => "refused",
        Contact::NoAnswer => "no_answer",
        Contact::Unreachable(_) => "unreachable",
        Contact::Stranger(Stranger::Tls) => "tls",
        Contact::Stranger(_) | Contact::Babble(_) => "not_kafka",
        Contact::Silent => "silent",
        Contact::HungUp => "hangs_up",
    }
}

/// What helps against it at the address with which a client begins.
fn remedy(contact: &Contact) -> &'static str {
    match contact {
        Contact::Kafka(_) => "nothing needs to be done",
        Contact::Controller => "use the port of a broker's listener for clients, usually 9092",
        Contact::Refused => {
            "start a broker there (`freshet broker`), or write the port on which yours listens; inside a container \
             localhost is that container alone, so write the name of the broker's container there"
        }
        Contact::NoAnswer => "look for a mistake in the host and for a firewall between here and there",
        Contact::Unreachable(_) => "look whether this machine's network leads there",
        Contact::Stranger(Stranger::Tls) => {
            "if it is a Kafka, set security.protocol=SSL in the client (SASL_SSL where it asks for a login as well) and \
             ssl.ca.location, or use the port of a listener without TLS; in kafka-python these are \
             security_protocol=\"SSL\" and ssl_cafile"
        }
        Contact::Stranger(Stranger::ZooKeeper) => {
            "write the port of a broker, usually 9092: clients of Kafka have not spoken to ZooKeeper for years"
        }
        Contact::Stranger(Stranger::Http | Stranger::WebSocket) => {
            "write the port of the broker, usually 9092: those of a schema registry (8081), of Kafka Connect (8083) and of \
             user interfaces (8080) speak HTTP"
        }
        Contact::Stranger(_) | Contact::Babble(_) => {
            "write the port on which your Kafka listens, usually 9092"
        }
        Contact::Silent => {
            "look whether it has just been started and needs a moment, or hangs; its log should say"
        }
        Contact::HungUp => {
            "if the port is published by a container, nothing listens inside it yet or only on its own localhost: wait, \
             or have the broker listen on 0.0.0.0 in there"
        }
    }
}

/// There is no Kafka at the address with which a client begins.
pub(super) fn at_door(server: &str, addresses: &[SocketAddr], contact: &Contact) -> Finding {
    let what = format!("{} {}", with_addresses(server, addresses), clause(contact));
    finding(kind(contact), what, remedy(contact))
}

/// There is a Kafka, but not where clients look first.
pub(super) fn not_first(
    server: &str,
    addresses: &[SocketAddr],
    contact: &Contact,
    kafka: SocketAddr,
) -> Finding {
    let first: Vec<_> = addresses.iter().map(|address| bracketed(*address)).collect();
    let what = format!(
        "{} is {} first, which {}; the Kafka is at {}, and some clients don't come so far",
        short(server),
        listed(&first),
        clause(contact),
        bracketed(kafka)
    );
    let remedy = format!(
        "write {kafka} in the client, or have the broker listen on all addresses of the name (`freshet broker` listens on \
         both of localhost's)"
    );
    finding("first_address", what, remedy)
}

/// `localhost:9092 (127.0.0.1)`; an address that is written as a number needs no explanation.
fn with_addresses(server: &str, addresses: &[SocketAddr]) -> String {
    let numbers: Vec<_> = addresses.iter().map(|address| bracketed(*address)).collect();
    match split(server) {
        Some((host, _)) if numbers.iter().any(|number| number == host) => short(server),
        _ => format!("{} ({})", short(server), listed(&numbers)),
    }
}

fn bracketed(address: SocketAddr) -> String {
    if address.is_ipv6() { format!("[{}]", address.ip()) } else { address.ip().to_string() }
}

/// It says what it speaks, and hangs up on everything else: it wants a login first.
pub(super) fn login_wanted(server: &str, mechanisms: &[String]) -> Finding {
    let mechanisms: Vec<_> = mechanisms.iter().take(8).map(|name| short(name)).collect();
    let one = mechanisms.first().cloned().unwrap_or_default();
    let what = format!("{} wants a login (SASL, by {})", short(server), listed(&mechanisms));
    let remedy = format!(
        "set security.protocol=SASL_PLAINTEXT, sasl.mechanism={one}, sasl.username and sasl.password in the client; in \
         kafka-python security_protocol=\"SASL_PLAINTEXT\", sasl_mechanism=\"{one}\", sasl_plain_username and \
         sasl_plain_password"
    );
    finding("login_wanted", what, remedy)
}

/// It does not let this user in.
pub(super) fn login_refused(server: &str, code: &str) -> Finding {
    finding(
        "login_refused",
        format!("{} refuses the login of --client-config: {}", short(server), short(code)),
        "look at user, password and mechanism in that file, and ask who runs the cluster",
    )
}

/// It speaks Kafka and does not tell of its cluster.
pub(super) fn no_metadata(server: &str, reason: &str) -> Finding {
    let what =
        format!("{} is a Kafka and does not say where its brokers are: {}", short(server), short(reason));
    finding(
        "no_metadata",
        what,
        "look into the broker's log; one that has just been started may need a moment",
    )
}

/// Clients are sent to an address where they don't find the broker.
pub(super) fn advertised_unreachable(server: &str, broker: &BrokerAddress, where_and_what: &str) -> Finding {
    let told = told(broker);
    let what = format!(
        "{} sends its clients on to {told} (broker {}), and {where_and_what}",
        short(server),
        broker.id
    );
    finding("advertised_unreachable", what, remedy_of_advertised(server))
}

/// What is wrong with the name to which clients are sent.
pub(super) fn advertised_name(broker: &BrokerAddress, error: &HostError) -> String {
    let host = short(&broker.host);
    match error {
        HostError::Unknown(_) => format!("{host} has no address on this machine"),
        HostError::TimedOut => format!("the name service that has the address of {host} does not answer"),
    }
}

/// What is wrong at the address to which clients are sent.
pub(super) fn advertised_contact(addresses: &[SocketAddr], contact: &Contact) -> String {
    let addresses: Vec<_> = addresses.iter().map(|address| bracketed(*address)).collect();
    format!("{} {}", listed(&addresses), clause(contact))
}

fn remedy_of_advertised(server: &str) -> String {
    format!(
        "tell the broker the address by which its clients reach it: `--advertise {server}` for `freshet broker`, \
         advertised.listeners=PLAINTEXT://{server} for Apache Kafka (KAFKA_ADVERTISED_LISTENERS in a container); or run the \
         client where that address works",
        server = short(server)
    )
}

/// Clients are sent to an address where another cluster is.
pub(super) fn advertised_elsewhere(server: &str, broker: &BrokerAddress, ids: (&str, &str)) -> Finding {
    let what = format!(
        "{} sends its clients on to {} (broker {}), where another cluster answers ({}, and not {})",
        short(server),
        told(broker),
        broker.id,
        short(ids.1),
        short(ids.0)
    );
    finding("advertised_elsewhere", what, remedy_of_advertised(server))
}

/// Clients on other machines are sent to themselves.
pub(super) fn advertised_loopback(server: &str, broker: &BrokerAddress) -> Finding {
    let what = format!(
        "{} sends its clients on to {} (broker {}), which for a client on another machine is that machine",
        short(server),
        told(broker),
        broker.id
    );
    finding("advertised_loopback", what, remedy_of_advertised(server))
}

/// `HOST:PORT`, as clients are told.
pub(super) fn told(BrokerAddress { host, port, .. }: &BrokerAddress) -> String {
    let host = short(host);
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// There are no brokers, or none that could be visited.
pub(super) fn no_brokers(server: &str) -> Finding {
    let what = format!("{} is a Kafka that knows of no broker", short(server));
    finding("no_brokers", what, "wait until a broker has registered, and look into the brokers' logs")
}

/// There is little room.
pub(super) fn disk_nearly_full(broker: i32, dir: &LogDir, usable: u64, total: u64) -> Finding {
    let what = format!(
        "the disk of broker {broker} is nearly full: {} of {} are left for {}",
        bytes(usable),
        bytes(total),
        short(&dir.path)
    );
    let remedy = "free some room, or keep less: a topic's retention.ms and retention.bytes say how much";
    finding("disk_nearly_full", what, remedy)
}

/// A directory that the broker does not use any more.
pub(super) fn disk_failed(broker: i32, dir: &LogDir, error: &str) -> Finding {
    let what = format!("broker {broker} can't use its directory {}: {}", short(&dir.path), short(error));
    finding("disk_failed", what, "look into the broker's log, mend the disk, and start the broker again")
}

/// An amount of bytes, as disks are sold.
pub(super) fn bytes(bytes: u64) -> String {
    match bytes {
        1_000_000_000_000.. => format!("{:.1} TB", bytes as f64 / 1e12),
        1_000_000_000.. => format!("{:.1} GB", bytes as f64 / 1e9),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// The broker has turned somebody away.
pub(super) fn refused_client(count: u64, host: &str, age_ms: u64, reason: &str) -> Finding {
    let times =
        if count == 1 { "a client".to_owned() } else { format!("{} connections of clients", grouped(count)) };
    let age = match age_ms / 1_000 {
        0..=1 => "a moment ago".to_owned(),
        seconds @ 2..=119 => format!("{seconds} s ago"),
        seconds => format!("{} minutes ago", seconds / 60),
    };
    let last = if count == 1 { "" } else { "last " };
    let what =
        format!("the broker has refused {times} at {}, {last}{age}: {}", short(host), reason_shown(reason));
    let remedy = if reason.contains(" version ") {
        "that client takes the broker for one of long ago: leave api_version=(0, 10) and the like out of its settings (in \
         kafka-python; broker.version.fallback and api.version.request in others), or take a newer release of it"
    } else if reason.contains("TLS handshake") {
        "set security.protocol=PLAINTEXT in that client (SASL_PLAINTEXT where it logs in), or use a port with TLS"
    } else if reason.contains("HTTP") {
        "open the address of a user interface in the browser: this port is for clients of Kafka"
    } else {
        "look at the settings of the program that runs there"
    };
    finding("refused_client", what, remedy)
}

fn reason_shown(reason: &str) -> String {
    let cut: String = reason.chars().take(300).collect();
    text::escape(&cut).into_owned()
}

/// No such topic.
pub(super) fn topic_missing(topic: &str, did_you_mean: Option<String>) -> Finding {
    let what = format!("there is no topic {}", short(topic));
    let create = format!("create it: `freshet topics create {}`", short(topic));
    let remedy = did_you_mean.map_or(create.clone(), |question| format!("{question} Else {create}"));
    finding("topic_missing", what, remedy)
}

/// The cluster does not tell of the topic.
pub(super) fn topic_refused(topic: &str, error: &str) -> Finding {
    let what = format!("the cluster does not tell of the topic {}: {}", short(topic), short(error));
    finding(
        "topic_refused",
        what,
        "wait a moment if it was just made; look at what this client may do otherwise",
    )
}

/// Nobody takes records, nobody gives any.
pub(super) fn no_leader(topic: &str, partitions: &[i32]) -> Finding {
    let shown: Vec<_> = partitions.iter().take(8).map(ToString::to_string).collect();
    let what = format!(
        "{} of the topic {} {} no leader ({}{}): nothing can be written or read there",
        plural(partitions.len() as u64, "partition"),
        short(topic),
        if partitions.len() == 1 { "has" } else { "have" },
        shown.join(", "),
        if partitions.len() > shown.len() { ", …" } else { "" }
    );
    finding(
        "no_leader",
        what,
        "start the brokers that keep its replicas: `freshet topics describe` names them",
    )
}

/// Groups can't work at all.
pub(super) fn no_coordinator(group: &str, reason: &str) -> Finding {
    let what = format!(
        "nobody coordinates the group {} ({}): its consumers wait, and poll() returns nothing",
        short(group),
        short(reason)
    );
    let remedy = "wait if the cluster was just started; a cluster with fewer than three brokers needs \
                  offsets.topic.replication.factor=1 (KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR in a container)";
    finding("no_coordinator", what, remedy)
}

/// No such group.
pub(super) fn group_missing(group: &str, did_you_mean: Option<String>) -> Finding {
    let what = format!("there is no group {}, and nothing that it has committed", short(group));
    let remedy = "start a consumer with this group.id: its first member makes the group";
    let remedy = did_you_mean.map_or(remedy.to_owned(), |question| format!("{question} Else {remedy}"));
    finding("group_missing", what, remedy)
}

/// Its members have gone, or were never there.
pub(super) fn group_empty(group: &str, lag: Option<u64>) -> Finding {
    let lag = lag.map_or(String::new(), |lag| {
        format!(", and {} {} for a member", plural(lag, "record"), if lag == 1 { "waits" } else { "wait" })
    });
    let what =
        format!("the group {} has no members (state Empty): what it has committed stays{lag}", short(group));
    finding("group_empty", what, "start its consumers: they go on where the last ones have committed")
}

/// Its members are not at work yet.
pub(super) fn group_rebalances(group: &str, state: &str) -> Finding {
    let what = format!(
        "the group {} is sharing out its partitions (state {}): until that is done poll() returns nothing",
        short(group),
        short(state)
    );
    let remedy = "wait some seconds; if it goes on, a member is slow to come back: look at max.poll.interval.ms and at \
                  consumers that start and end";
    finding("group_rebalances", what, remedy)
}

/// A consumer that begins with the newest record passes over what is there.
pub(super) fn nothing_committed(
    group: &str,
    topic: &str,
    partitions: (usize, usize),
    records: u64,
    did_you_mean: Option<String>,
) -> Finding {
    let (without, all) = partitions;
    let place = if without == all {
        short(topic)
    } else {
        format!("{without} of the {all} partitions of {}", short(topic))
    };
    let what = format!(
        "the group {} has committed nothing in {place}: with auto.offset.reset=latest, which is the default, the {} that \
         {} there will never be read",
        short(group),
        plural(records, "record"),
        if records == 1 { "is" } else { "are" }
    );
    let remedy = "set auto.offset.reset=earliest in its consumers (kafka-python: auto_offset_reset=\"earliest\") before they \
                  commit for the first time";
    let remedy = did_you_mean.map_or(remedy.to_owned(), |question| format!("{question} Else {remedy}"));
    finding("nothing_committed", what, remedy)
}

/// A question that was not answered.
pub(super) fn unanswered(question: &str, reason: &str) -> Finding {
    let what = format!("the broker does not answer {question}: {}", short(reason));
    finding("unanswered", what, "try again; if it stays so, look into the broker's log")
}

/// The record was not taken.
pub(super) fn write_refused(topic: &str, reason: &str) -> Finding {
    let what = format!("a record for the topic {} was not taken: {}", short(topic), short(reason));
    finding(
        "write_refused",
        what,
        "look at the topic (`freshet topics describe`) and at what this client may do",
    )
}

/// The record did not come back.
pub(super) fn write_lost(topic: &str, offset: i64, reason: &str) -> Finding {
    let what = format!(
        "the record at offset {offset} of the topic {} can't be read back: {}",
        short(topic),
        short(reason)
    );
    finding("write_lost", what, "look into the broker's log")
}

/// What was made for the trial is still there.
pub(super) fn topic_left(topic: &str, reason: &str) -> Finding {
    let what = format!("the topic {} of the trial could not be deleted: {}", short(topic), short(reason));
    let remedy = format!("delete it: `freshet topics delete {}`", short(topic));
    finding("topic_left", what, remedy)
}

/// Two clocks differ.
pub(super) fn clock_skew(skew_ms: i64) -> Finding {
    let (seconds, which) =
        (skew_ms.unsigned_abs() as f64 / 1_000.0, if skew_ms < 0 { "behind" } else { "ahead of" });
    let what = format!("the broker's clock is {seconds:.1} s {which} this machine's");
    let remedy = "set both by NTP (a virtual machine that slept needs its clock set again): windows, retention and lag in \
                  seconds are reckoned by these clocks";
    finding("clock_skew", what, remedy)
}
