//! `freshet broker`: the broker alone, for anyone's client.

use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Result, anyhow};
use broker::{BrokerConfig, Cluster, Listener, Listening, StartError};

use crate::cli::BrokerArgs;
use crate::output::print;
use scenarios::Interrupted;
use scenarios::control;

/// Serves until a signal comes.
pub(crate) fn run(args: &BrokerArgs) -> Result<()> {
    let orders = control::orders(false)?;
    let listeners = args.listen.listeners()?;
    let cluster = start(listeners, &args.data_dir, args.partitions, !args.no_auto_create)?;
    print(|out| {
        writeln!(out, "a broker that speaks the Kafka protocol listens on {}", cluster.bootstrap_servers())
    })?;
    for (at, Listening { listener, address }) in cluster.listening().iter().enumerate() {
        let told = listener.advertised.as_ref().map(|told| told.address(address.port()));
        match (at, told) {
            (0, None) => {}
            (_, None) => say!("it listens on {address} too"),
            (_, Some(told)) => say!("clients that come by {address} are told to connect to {told}"),
        }
    }
    say!("its log is in {}; Ctrl-C ends it", args.data_dir.display());
    let _ = orders.recv();
    cluster.shutdown()?;
    Err(Interrupted.into())
}

/// Starts a broker, or says in one sentence why not and what to do.
pub(crate) fn start(
    listeners: Vec<Listener>,
    data_dir: &Path,
    partitions: i32,
    auto_create_topics: bool,
) -> Result<Cluster> {
    let config = BrokerConfig {
        listeners,
        num_partitions: partitions,
        auto_create_topics,
        ..BrokerConfig::new(data_dir)
    };
    Cluster::start(config).map_err(|error| match &error {
        StartError::AddressInUse { address } => anyhow!(
            "port {} is in use by another program: pass --listen {}",
            address.port(),
            SocketAddr::new(address.ip(), address.port().checked_add(100).unwrap_or(19_092))
        ),
        StartError::Locked { .. } => anyhow!("{error} (--data-dir)"),
        StartError::DataDir { .. } => anyhow!("{error}. Pass a folder that can be written to (--data-dir)"),
        StartError::Listen { .. }
        | StartError::NoListener
        | StartError::UnknownHost { .. }
        | StartError::Open { .. }
        | StartError::Thread(_)
        | _ => anyhow!(error),
    })
}
