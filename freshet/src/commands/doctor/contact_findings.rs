//! What is found at an address: who is there, and what to do where that is no Kafka.

use std::net::SocketAddr;

use client::direct::{Stranger, TlsError};

use super::contact::{Contact, split};
use super::finding::{Finding, finding};
use super::names::{harmless, listed, short};

/// What somebody at an address does, as the end of a sentence that begins with the address.
pub(super) fn clause(contact: &Contact) -> String {
    match contact {
        Contact::Kafka(_) => "is a Kafka".to_owned(),
        Contact::Controller => {
            "is a controller of a Kafka cluster, which serves brokers and no clients".to_owned()
        }
        Contact::PlainText => "is a Kafka without TLS, and security.protocol says that it has it".to_owned(),
        Contact::Tls(error) => harmless(&error.to_string()),
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
        Contact::PlainText => "no_tls",
        Contact::Tls(error) => match error {
            TlsError::Settings { .. } => "tls_settings",
            TlsError::Untrusted => "certificate_untrusted",
            TlsError::Expired(_) | TlsError::NotYetValid(_) => "certificate_dates",
            TlsError::WrongName { .. } => "certificate_name",
            TlsError::WantsCertificate => "certificate_wanted",
            TlsError::NotTls | TlsError::HungUp | TlsError::TimedOut | TlsError::Failed(_) => "tls_failed",
        },
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
fn remedy(contact: &Contact) -> &str {
    match contact {
        Contact::Kafka(_) => "nothing needs to be done",
        Contact::PlainText => TlsError::NotTls.remedy(),
        Contact::Tls(error) => error.remedy(),
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

pub(super) fn bracketed(address: SocketAddr) -> String {
    if address.is_ipv6() { format!("[{}]", address.ip()) } else { address.ip().to_string() }
}
