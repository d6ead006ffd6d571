//! One file a command.

pub(crate) mod batch;
pub(crate) mod bench;
pub(crate) mod broker;
pub(crate) mod brokers;
pub(crate) mod compare;
mod confirm;
pub(crate) mod consume;
pub(crate) mod dashboard;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod groups;
pub(crate) mod ledger;
pub(crate) mod manual;
pub(crate) mod map;
mod own_cluster;
pub(crate) mod preferences;
pub(crate) mod produce;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod screen;
pub(crate) mod send;
pub(crate) mod tail;
pub(crate) mod topics;

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use client::{ConfigFile, Settings};

use crate::cli::{ClusterArgs, ControlArgs, DEFAULT_ADDRESS};

/// How long a cluster may take to answer one question.
const PATIENCE: Duration = Duration::from_secs(5);

/// How this process reaches the cluster, and what it calls itself there.
fn settings(cluster: &ClusterArgs, name: &str) -> Result<Settings> {
    cluster_settings(cluster, Sayings::Said).map(|settings| settings.with_client_id(name))
}

/// The same for a part of a show, which its supervisor may have started and named.
fn worker_settings(cluster: &ClusterArgs, control: &ControlArgs, usual_name: &str) -> Result<Settings> {
    // The supervisor that has started it has read the same file, and has said what there is to say.
    let sayings = if control.supervised { Sayings::Unsaid } else { Sayings::Said };
    let name = control.client_id.as_deref().unwrap_or(usual_name);
    cluster_settings(cluster, sayings).map(|settings| settings.with_client_id(name))
}

/// The same for a command that goes without librdkafka.
fn direct_settings(cluster: &ClusterArgs, name: &str) -> Result<Settings> {
    let ClusterArgs { bootstrap_servers, client_config } = cluster;
    let file = client_config.as_deref().map(ConfigFile::read_for_direct).transpose()?;
    let settings = connection_by(bootstrap_servers.as_deref(), file, Sayings::Said)?;
    Ok(settings.unwrap_or_else(|| Settings::new(DEFAULT_ADDRESS)).with_client_id(name))
}

fn cluster_settings(cluster: &ClusterArgs, sayings: Sayings) -> Result<Settings> {
    let ClusterArgs { bootstrap_servers, client_config } = cluster;
    let settings = connection(bootstrap_servers.as_deref(), client_config.as_deref(), sayings)?;
    Ok(settings.unwrap_or_else(|| Settings::new(DEFAULT_ADDRESS)))
}

/// Whether a person is told what is odd about a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sayings {
    Said,
    Unsaid,
}

/// The cluster that a command line names, by its address, by a client's configuration file, or by
/// both; none where it names none.
fn connection(servers: Option<&str>, file: Option<&Path>, sayings: Sayings) -> Result<Option<Settings>> {
    connection_by(servers, file.map(ConfigFile::read).transpose()?, sayings)
}

fn connection_by(
    servers: Option<&str>,
    file: Option<ConfigFile>,
    sayings: Sayings,
) -> Result<Option<Settings>> {
    let Some(file) = file else { return servers.map(Settings::new).map(agreeing).transpose() };
    let shown = file.path().display();
    let Some(used) = servers.or(file.servers()) else {
        bail!("{shown} names no bootstrap.servers: add that line to it, or pass --bootstrap-servers");
    };
    if sayings == Sayings::Said {
        for warning in file.warnings() {
            tracing::warn!("{warning}");
        }
        if let Some(theirs) = file.servers().filter(|theirs| *theirs != used) {
            tracing::warn!("--bootstrap-servers {used} is used, not {theirs} as {shown} has it");
        }
        let passed_over = file.passed_over();
        if !passed_over.is_empty() {
            tracing::info!("{shown}: passed over, with no effect here: {}", passed_over.join(", "));
        }
    }
    agreeing(Settings::new(used).with_file(&file)).map(Some)
}

/// The same settings, if an address that names its protocol names the one that is spoken.
fn agreeing(settings: Settings) -> Result<Settings> {
    if let Some((written, spoken)) = settings.other_protocol() {
        bail!(
            "the address {} names {written}, and security.protocol is {}: leave {written}:// away, or write \
             security.protocol={written} into the file of --client-config",
            settings.servers(),
            spoken.to_uppercase()
        );
    }
    Ok(settings)
}
