//! The broker that is measured: a given one, or one of ours in a separate process.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use client::{Admin, NewTopic, Settings};

use crate::cli::TargetArgs;
use crate::commands::{Sayings, connection};
use crate::temporary::Folder;

/// How long the cluster may take for any one answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A cluster to measure.
pub(super) struct Target {
    /// How it is reached.
    pub(super) settings: Settings,
    cluster: Settings,
    properties: Vec<String>,
    pub(super) partitions: i32,
    /// Its process, if known.
    pub(super) broker_pid: Option<u32>,
    /// Kept for its end.
    _own: Option<OwnBroker>,
}

impl Target {
    /// Reaches the cluster, or starts one.
    pub(super) fn open(args: &TargetArgs) -> Result<Self> {
        let given =
            connection(args.bootstrap_servers.as_deref(), args.client_config.as_deref(), Sayings::Said)?;
        let (own, cluster) = if let Some(cluster) = given {
            (None, cluster)
        } else {
            let own = OwnBroker::start(args.program.as_deref())?;
            let cluster = Settings::new(&own.address);
            (Some(own), cluster)
        };
        let cluster = cluster.with_client_id("freshet-bench");
        let broker_pid = own.as_ref().map(OwnBroker::pid).or(args.broker_pid);
        let properties = args.properties.clone();
        let settings = settings(&cluster, &[], &properties)?;
        Ok(Self { settings, cluster, properties, partitions: args.partitions, broker_pid, _own: own })
    }

    /// Settings for a client that needs some properties; what was given on the command line wins
    /// over them.
    pub(super) fn settings_with(&self, ours: &[(&str, &str)]) -> Result<Settings> {
        settings(&self.cluster, ours, &self.properties)
    }

    /// Creates an empty topic for this benchmark alone.
    pub(super) fn topic(&self, what: &str) -> Result<Topic> {
        let admin = Admin::connect(&self.settings, PATIENCE)?;
        let name = format!("freshet-bench-{what}-{}", std::process::id());
        let topic = NewTopic { name: name.clone(), partitions: self.partitions, configs: Vec::new() };
        if admin.create(&[topic])?.is_empty() {
            bail!("the topic {name} is there already: delete it, or look at who uses it");
        }
        Ok(Topic { name, admin })
    }
}

fn settings(cluster: &Settings, ours: &[(&str, &str)], given: &[String]) -> Result<Settings> {
    let settings =
        ours.iter().fold(cluster.clone(), |settings, (key, value)| settings.with_property(*key, *value));
    given.iter().try_fold(settings, |settings, property| Ok(settings.with_argument(property)?))
}

/// A topic that is deleted in the end.
pub(super) struct Topic {
    pub(super) name: String,
    admin: Admin,
}

impl Drop for Topic {
    fn drop(&mut self) {
        if let Err(error) = self.admin.delete(&[&self.name]) {
            tracing::warn!("{error}");
        }
    }
}

/// A broker of ours, on a folder of its own that goes with it.
pub(super) struct OwnBroker {
    child: Child,
    pub(super) address: String,
    _folder: Folder,
}

impl OwnBroker {
    /// Starts `program` (or this program) and returns when it listens.
    pub(super) fn start(program: Option<&Path>) -> Result<Self> {
        let program = program.map_or_else(std::env::current_exe, |path| Ok(PathBuf::from(path)))?;
        let folder = Folder::new()?;
        let mut child = Command::new(&program)
            .args(["broker", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.path().join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        let mut said = String::new();
        let output = child.stdout.take().expect("it was just piped");
        BufReader::new(output).read_line(&mut said)?;
        let address = said.rsplit(' ').next().unwrap_or_default().trim().to_owned();
        let own = Self { child, address, _folder: folder };
        if !own.address.contains(':') {
            bail!("{} did not start a broker; it said {said:?}", program.display());
        }
        Ok(own)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        // Its data goes too: there is nothing that it should close in order.
        let _already_gone = self.child.kill();
        let _status = self.child.wait();
    }
}
