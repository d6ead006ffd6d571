//! One file a command.

pub(crate) mod batch;
pub(crate) mod bench;
pub(crate) mod broker;
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
pub(crate) mod preferences;
pub(crate) mod produce;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod report;
pub(crate) mod screen;
pub(crate) mod send;
pub(crate) mod tail;
pub(crate) mod topics;

use std::time::Duration;

use client::Settings;

use crate::cli::ClusterArgs;

/// How long a cluster may take to answer one question.
const PATIENCE: Duration = Duration::from_secs(5);

/// How this process reaches the cluster, and what it calls itself there.
pub(crate) fn settings(cluster: &ClusterArgs, name: &str) -> Settings {
    Settings::new(&cluster.bootstrap_servers).with_client_id(name)
}
