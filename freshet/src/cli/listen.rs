//! How a broker is reached.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};
use broker::{Advertised, Certificate, InvalidAddress, Listener, SecurityProtocol, Users};
use clap::Args;

use super::DEFAULT_LISTEN;

/// Where a broker of ours listens.
#[derive(Debug, Clone, Args)]
pub(crate) struct ListenArgs {
    /// Where the broker listens; port 0 takes any free one. Given again, it listens there too. The
    /// protocol is `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL` [default: what --tls and
    /// --users make of it]
    #[arg(long, value_name = "[PROTOCOL://]HOST:PORT", default_value = DEFAULT_LISTEN, value_parser = Listen::read)]
    listen: Vec<Listen>,
    /// What clients are told to connect to (for containers, port mappings and tunnels), one for
    /// each --listen, in the same order [default: each is told the address that it reached]
    #[arg(long, value_name = "HOST[:PORT]")]
    advertise: Vec<Advertised>,
    /// Encrypt what is sent (TLS), with a certificate that the broker makes for itself and keeps in
    /// its data directory; it says how clients use that
    #[arg(long, conflicts_with = "tls_cert")]
    tls: bool,
    /// The same with a certificate of yours: PEM, with those that have signed it behind it
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The private key of --tls-cert: PEM, without a passphrase
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Let only these users in: a file with a line `name:password` for each, and comments behind
    /// `#`, that no other user can write to. They log in by SASL, with PLAIN, SCRAM-SHA-256 or
    /// SCRAM-SHA-512
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
}

/// A value of --listen.
#[derive(Debug, Clone)]
struct Listen {
    listener: Listener,
    /// Whether it names its protocol.
    has_protocol: bool,
}

impl Listen {
    fn read(text: &str) -> Result<Self, InvalidAddress> {
        Ok(Self { listener: text.parse()?, has_protocol: text.contains("://") })
    }
}

impl ListenArgs {
    /// The listeners, in their order, each with what it advertises.
    pub(crate) fn listeners(&self) -> Result<Vec<Listener>> {
        let (listeners, advertised) = (self.listen.len(), self.advertise.len());
        if advertised > 0 && advertised != listeners {
            bail!(
                "there is {advertised} --advertise and {listeners} --listen: give one --advertise for each \
                 --listen, in the same order, such as --listen localhost:9092 --advertise localhost \
                 --listen 0.0.0.0:9093 --advertise host.docker.internal"
            );
        }
        let mut listeners: Vec<Listener> = self.listen.iter().map(|listen| self.listener(listen)).collect();
        for (at, listener) in listeners.iter().enumerate() {
            if let Some(other) = listeners[..at].iter().find(|other| clash(listener, other)) {
                bail!(
                    "--listen {} and --listen {} want the same port: give each its own",
                    other.address(),
                    listener.address()
                );
            }
        }
        match (self.certificate(), listeners.iter().find(|listener| listener.protocol.has_tls())) {
            (None, Some(listener)) => bail!(
                "--listen {listener} needs a certificate: pass --tls, and the broker makes one, or --tls-cert \
                 and --tls-key with yours"
            ),
            (Some(_), None) => bail!(
                "there is a certificate, and no --listen uses it: leave PLAINTEXT:// out of one, or the \
                 certificate away"
            ),
            _ => {}
        }
        match (&self.users, listeners.iter().find(|listener| listener.protocol.has_login())) {
            (None, Some(listener)) => {
                bail!("--listen {listener} wants logins: pass --users with a file of users")
            }
            (Some(_), None) => bail!(
                "there are --users, and no --listen wants a login: leave PLAINTEXT:// or SSL:// out of one, or \
                 --users away"
            ),
            _ => {}
        }
        for (listener, advertised) in listeners.iter_mut().zip(&self.advertise) {
            listener.advertised = Some(advertised.clone());
        }
        Ok(listeners)
    }

    /// What listeners with TLS show to clients.
    pub(crate) fn certificate(&self) -> Option<Certificate> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificate), Some(key)) => {
                Some(Certificate::Files { certificate: certificate.clone(), key: key.clone() })
            }
            _ => self.tls.then_some(Certificate::SelfSigned),
        }
    }

    /// Who may log in.
    pub(crate) fn users(&self) -> Result<Option<Arc<Users>>> {
        Ok(self.users.as_deref().map(Users::read).transpose()?.map(Arc::new))
    }

    /// One that names no protocol has what there is.
    fn listener(&self, listen: &Listen) -> Listener {
        let protocol = if listen.has_protocol {
            listen.listener.protocol
        } else {
            SecurityProtocol::with(self.certificate().is_some(), self.users.is_some())
        };
        Listener { protocol, ..listen.listener.clone() }
    }
}

/// Whether two listeners can't both have their port.
fn clash(one: &Listener, other: &Listener) -> bool {
    let everywhere = |listener: &Listener| matches!(listener.host.as_str(), "0.0.0.0" | "::");
    one.port == other.port
        && one.port != 0
        && (one.host == other.host || everywhere(one) || everywhere(other))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        listen: ListenArgs,
    }

    fn listeners(line: &str) -> Result<Vec<Listener>> {
        Line::try_parse_from(format!("freshet {line}").split_ascii_whitespace())?.listen.listeners()
    }

    #[test]
    fn each_listener_has_what_it_advertises() {
        let told = |line| {
            let told = |listener: Listener| listener.advertised.map(|told| (told.host, told.port));
            listeners(line).unwrap().into_iter().map(told).collect::<Vec<_>>()
        };
        let at = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(told(""), [None]);
        assert_eq!(told("--advertise a:1"), [at("a", Some(1))]);
        assert_eq!(
            told("--listen localhost:1 --advertise a --listen 0.0.0.0:2 --advertise b:3"),
            [at("a", None), at("b", Some(3))]
        );
    }

    #[test]
    fn a_listener_without_a_protocol_has_what_there_is() {
        for (line, protocols) in [
            ("", &["PLAINTEXT"][..]),
            ("--tls", &["SSL"]),
            ("--tls-cert a --tls-key b", &["SSL"]),
            ("--users u", &["SASL_PLAINTEXT"]),
            ("--users u --tls", &["SASL_SSL"]),
            ("--users u --tls --listen a:1 --listen ssl://a:2", &["SASL_SSL", "SSL"]),
            ("--tls --listen a:1 --listen plaintext://a:2", &["SSL", "PLAINTEXT"]),
        ] {
            let listeners = listeners(line).unwrap();
            assert_eq!(
                listeners.iter().map(|listener| listener.protocol.name()).collect::<Vec<_>>(),
                protocols
            );
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_remedy() {
        for (line, remedy) in [
            ("--listen a:1 --listen a:2 --advertise b", "one --advertise for each --listen"),
            ("--listen a:1 --listen a:1", "give each its own"),
            ("--listen localhost:1 --listen [::]:1", "give each its own"),
            ("--listen ::1", "[::1]:9092"),
            ("--advertise 0.0.0.0", "no client can connect"),
            ("--listen ssl://a:1", "pass --tls"),
            ("--listen plaintext://a:1 --tls", "no --listen uses it"),
            ("--tls-cert a", "--tls-key"),
            ("--listen sasl_plaintext://a:1", "pass --users"),
            ("--listen ssl://a:1 --tls --users u", "no --listen wants a login"),
        ] {
            let error = listeners(line).unwrap_err().to_string();
            assert!(error.contains(remedy), "{line}: {error}");
        }
        assert_eq!(listeners("--listen a:0 --listen a:0 --listen b:1 --listen c:1").unwrap().len(), 4);
    }
}
