//! Everything that can be found, each with its sentence and its remedy: all words of the doctor are
//! here, and what is found at an address in `contact_findings`.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use client::direct::{BrokerAddress, HostError, LogDir};
use text::{grouped, plural};

use super::contact::{Contact, split};
use super::contact_findings::{bracketed, clause};
use super::finding::{Finding, finding};
use super::names::{harmless, listed, short};

/// Not `HOST:PORT`.
pub(super) fn no_address(server: &str) -> Finding {
    let what = format!("{} is no address that a client can use", short(server));
    finding("no_address", what, remedy_of_address(server))
}

fn remedy_of_address(server: &str) -> String {
    let bare = server.trim_matches(['"', '\'']);
    if bare != server && split(bare).is_some() {
        return format!("write it without quotes: {}", short(bare));
    }
    match server.rsplit_once(':') {
        Some((host, port)) if host.parse::<Ipv6Addr>().is_ok() && port.parse::<u16>().is_ok() => {
            format!("write [{host}]:{port}: an IPv6 address stands in brackets before its port")
        }
        Some((_, port)) if port.parse().is_ok_and(|port: u64| port == 0 || port > u16::MAX.into()) => {
            format!(
                "write the port on which the broker listens: {} is none, they go from 1 to 65535",
                short(port)
            )
        }
        _ => "write HOST:PORT without anything before it, such as localhost:9092".to_owned(),
    }
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

/// It says what it speaks, and hangs up on everything else: it wants a login first.
pub(super) fn login_wanted(server: &str, mechanisms: &[String], has_tls: bool) -> Finding {
    let protocol = if has_tls { "SASL_SSL" } else { "SASL_PLAINTEXT" };
    let mechanisms: Vec<_> = mechanisms.iter().take(8).map(|name| short(name)).collect();
    let one = mechanisms.first().cloned().unwrap_or_default();
    let what = format!("{} wants a login (SASL, by {})", short(server), listed(&mechanisms));
    let remedy = format!(
        "set security.protocol={protocol}, sasl.mechanism={one}, sasl.username and sasl.password in the client; in \
         kafka-python security_protocol=\"{protocol}\", sasl_mechanism=\"{one}\", sasl_plain_username and \
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
    // "All addresses of this machine" is for listening: no broker tells it to its clients.
    let server = match split(server) {
        Some((host, port)) if is_unspecified(host) => format!("HOST:{port}"),
        _ => short(server),
    };
    format!(
        "tell the broker the address by which its clients reach it: `--advertise {server}` for `freshet broker`, \
         advertised.listeners=PLAINTEXT://{server} for Apache Kafka (KAFKA_ADVERTISED_LISTENERS in a container); or run the \
         client where that address works"
    )
}

fn is_unspecified(host: &str) -> bool {
    let number = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    number.is_ok_and(|address| address.is_unspecified())
}

/// What was there before has taken so long that nothing can be said of this address.
pub(super) fn out_of_time(broker: &BrokerAddress) -> Finding {
    let what = format!(
        "there was no time left to look at {} (broker {}), to which clients are sent on",
        told(broker),
        broker.id
    );
    finding("out_of_time", what, "give it more time: --within 10s")
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
        format!("the broker has refused {times} at {}, {last}{age}: {}", short(host), harmless(reason));
    let remedy = if reason.contains(" version ") {
        "that client takes the broker for one of long ago: leave api_version=(0, 10) and the like out of its settings (in \
         kafka-python; broker.version.fallback and api.version.request in others), or take a newer release of it"
    } else if reason.contains("TLS handshake") {
        "set security.protocol=PLAINTEXT in that client (SASL_PLAINTEXT where it logs in), or use a port with TLS"
    } else if reason.starts_with("no login") {
        "look at user, password and sasl.mechanism of that client"
    } else if reason.contains("HTTP") {
        "open the address of a user interface in the browser: this port is for clients of Kafka"
    } else {
        "look at the settings of the program that runs there"
    };
    finding("refused_client", what, remedy)
}

fn can_be_a_topic(name: &str) -> bool {
    let legal = |char: char| char.is_ascii_alphanumeric() || "._-".contains(char);
    !matches!(name, "" | "." | "..") && name.len() <= 249 && name.chars().all(legal)
}

/// No such topic.
pub(super) fn topic_missing(topic: &str, did_you_mean: Option<String>) -> Finding {
    let what = format!("there is no topic {}", short(topic));
    if !can_be_a_topic(topic) {
        let remedy = "look for a mistake in the name: those of topics are of letters, digits, '.', '_' and '-', and of 249 \
                      of them at most";
        let remedy = did_you_mean.map_or(remedy.to_owned(), |question| format!("{question} Else {remedy}"));
        return finding("topic_missing", what, remedy);
    }
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

/// Records are neither taken nor given.
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

/// Groups can't work at all, or not yet.
pub(super) fn no_coordinator(group: &str, code: &str) -> Finding {
    let (what, remedy) = if code == "COORDINATOR_NOT_AVAILABLE" {
        (
            "no broker coordinates",
            "wait if the cluster was just started; a cluster with fewer than three brokers needs \
             offsets.topic.replication.factor=1 (KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR in a container)",
        )
    } else {
        (
            "no broker coordinates yet",
            "ask again in a moment: a broker that was just chosen for it reads first what its groups have committed",
        )
    };
    let what = format!(
        "{what} the group {} ({}): its consumers wait, and poll() returns nothing",
        short(group),
        short(code)
    );
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
    is_known: bool,
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
    let who = if is_known {
        format!("the group {} has committed nothing", short(group))
    } else {
        format!("there is no group {}, and nothing that it has committed", short(group))
    };
    let what = format!(
        "{who} in {place}: with auto.offset.reset=latest, which is the default, the {} that \
         {} there will never be read",
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What the remedy says is what `freshet broker` takes.
    #[test]
    fn what_shall_be_advertised_can_be() {
        let broker = BrokerAddress { id: 1, host: "127.0.0.1".to_owned(), port: 9092 };
        for server in ["127.0.0.1:9092", "127.1:9092", "0.0.0.0:9092", "[::]:9092", "[::1]:9092", "vm:9092"] {
            let Finding { remedy, .. } = advertised_loopback(server, &broker);
            let (_, rest) = remedy.split_once("--advertise ").unwrap();
            let (told, _) = rest.split_once('`').unwrap();
            let read: Result<broker::Advertised, _> = told.parse();
            assert!(read.is_ok(), "{server}: {told}: {read:?}");
        }
    }
}
