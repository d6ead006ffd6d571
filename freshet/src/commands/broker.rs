//! `freshet broker`: the broker alone, for anyone's client.

use std::io::Write;
use std::path::Path;

use anyhow::{Result, anyhow};
use broker::{BrokerConfig, Cluster, StartError};

use crate::cli::BrokerArgs;
use crate::output::print;
use scenarios::Interrupted;
use scenarios::control;

/// Serves until a signal comes.
pub(crate) fn run(args: &BrokerArgs) -> Result<()> {
    let orders = control::orders(false)?;
    let cluster = start(&args.listen, &args.data_dir, args.partitions, !args.no_auto_create)?;
    print(|out| {
        writeln!(out, "a broker that speaks the Kafka protocol listens on {}", cluster.bootstrap_servers())
    })?;
    say!("its log is in {}; Ctrl-C ends it", args.data_dir.display());
    let _ = orders.recv();
    cluster.shutdown()?;
    Err(Interrupted.into())
}

/// Starts a broker, or says in one sentence why not and what to do.
pub(crate) fn start(
    listen: &str,
    data_dir: &Path,
    partitions: i32,
    auto_create_topics: bool,
) -> Result<Cluster> {
    let config = BrokerConfig {
        listen: listen.to_owned(),
        num_partitions: partitions,
        auto_create_topics,
        ..BrokerConfig::new(data_dir)
    };
    Cluster::start(config).map_err(|error| match &error {
        StartError::AddressInUse { address } => anyhow!(
            "port {} is in use by another program: pass --listen {}:{}",
            address.port(),
            address.ip(),
            address.port().checked_add(100).unwrap_or(19_092)
        ),
        StartError::Locked { .. } => anyhow!("{error} (--data-dir)"),
        StartError::DataDir { .. } => anyhow!("{error}. Pass a folder that can be written to (--data-dir)"),
        StartError::Listen { .. }
        | StartError::InvalidListen { .. }
        | StartError::Open { .. }
        | StartError::Thread(_)
        | _ => anyhow!(error),
    })
}
