//! How a broker is reached.

use anyhow::{Result, bail};
use broker::{Advertised, Listener};
use clap::Args;

use super::DEFAULT_LISTEN;

/// Where a broker of ours listens.
#[derive(Debug, Clone, Args)]
pub(crate) struct ListenArgs {
    /// Where the broker listens; port 0 takes any free one. Given again, it listens there too
    #[arg(long, value_name = "HOST:PORT", default_value = DEFAULT_LISTEN)]
    listen: Vec<Listener>,
    /// What clients are told to connect to (for containers, port mappings and tunnels), one for
    /// each --listen, in the same order [default: each is told the address that it reached]
    #[arg(long, value_name = "HOST[:PORT]")]
    advertise: Vec<Advertised>,
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
        for (at, listener) in self.listen.iter().enumerate() {
            if let Some(other) = self.listen[..at].iter().find(|other| clash(listener, other)) {
                bail!(
                    "--listen {} and --listen {} want the same port: give each its own",
                    other.address(),
                    listener.address()
                );
            }
        }
        let mut listeners = self.listen.clone();
        for (listener, advertised) in listeners.iter_mut().zip(&self.advertise) {
            listener.advertised = Some(advertised.clone());
        }
        Ok(listeners)
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
    fn what_cannot_be_is_refused_with_the_remedy() {
        for (line, remedy) in [
            ("--listen a:1 --listen a:2 --advertise b", "one --advertise for each --listen"),
            ("--listen a:1 --listen a:1", "give each its own"),
            ("--listen localhost:1 --listen [::]:1", "give each its own"),
            ("--listen ::1", "[::1]:9092"),
            ("--advertise 0.0.0.0", "no client can connect"),
        ] {
            let error = listeners(line).unwrap_err().to_string();
            assert!(error.contains(remedy), "{line}: {error}");
        }
        assert_eq!(listeners("--listen a:0 --listen a:0 --listen b:1 --listen c:1").unwrap().len(), 4);
    }
}
