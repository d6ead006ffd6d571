//! How much of the disk a show may take, and takes.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use scenarios::controller::free_bytes;
use scenarios::kept::{Kept, TooLittle, USUAL_BYTES, rounded_up};
use serde::Serialize;

use crate::cli::DemoArgs;

/// So many files are open in the process of a show with its own broker: three of each segment of a
/// log, and the connections (562 were counted).
const FILES: u64 = 640;

/// Says in one sentence that a show can't run where so few files may be open.
pub(super) fn enough_files() -> Result<()> {
    match rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum {
        Some(most) if most < FILES => bail!(
            "a show with its own broker opens some {FILES} files, and the hard limit is {most} (ulimit -Hn): \
             raise it, or run the broker elsewhere and pass --bootstrap-servers"
        ),
        Some(_) | None => Ok(()),
    }
}

/// What is kept of the show. Where a period of the batch lane is more than the usual bound holds,
/// the bound is raised, and that is said; one that a person gave is too small then.
pub(super) fn kept(args: &DemoArgs) -> Result<Kept> {
    let (businesses, period_ms) = (&args.scenario.businesses, args.batch_period.ms());
    let Some(given) = args.disk else {
        let kept = Kept::at_least(USUAL_BYTES, businesses, args.drivers, period_ms, args.time.speed);
        if kept.bytes() > USUAL_BYTES {
            let size = Size(kept.bytes());
            say!("a batch period of this length needs {size} of disk, so the show may take as much");
        }
        return Ok(kept);
    };
    let kept = Kept::within(given, businesses, args.drivers, period_ms, args.time.speed);
    kept.map_err(|TooLittle { needed }| {
        anyhow!(
            "--disk: {} do not hold what the jobs read and publish in a batch period: pass --disk {}, a shorter \
             --batch-period or fewer --drivers",
            Size(given),
            Size(rounded_up(needed)).to_string().replace(' ', "")
        )
    })
}

/// Says when there is less room than the show may take.
pub(super) fn warn_if_small(folder: &Path, kept: &Kept) {
    if let Some(free) = free_bytes(folder).filter(|free| *free < kept.bytes()) {
        tracing::warn!(
            "{} has {} free, and the show may take {}: it stops where the disk is full (TMPDIR or --data-dir \
             name another disk)",
            folder.display(),
            Size(free),
            Size(kept.bytes())
        );
    }
}

/// What a show took of the disk.
#[derive(Debug, Serialize)]
pub(crate) struct DiskUse {
    /// Its folder as the show ends.
    pub(crate) bytes: u64,
    /// What it may take.
    pub(crate) most_bytes: u64,
    /// How far the log reaches back, in hours of event time.
    pub(crate) reach_h: f64,
}

impl DiskUse {
    pub(super) fn new(folder: &Path, kept: &Kept) -> Self {
        Self {
            bytes: size_of_folder(folder),
            most_bytes: kept.bytes(),
            reach_h: kept.reach().as_secs_f64() / 3_600.0,
        }
    }
}

impl fmt::Display for DiskUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, most_bytes, reach_h } = *self;
        write!(
            f,
            "disk: {} at the end and {} at most (--disk), which keeps the newest {reach_h:.1} h of the log",
            Size(bytes),
            Size(most_bytes)
        )
    }
}

/// Bytes as people say them.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 as f64 {
            bytes if bytes < 1e9 => write!(f, "{:.0} MB", bytes / 1e6),
            bytes => write!(f, "{:.1} GB", bytes / 1e9),
        }
    }
}

/// The bytes of all files below; what goes away meanwhile takes nothing.
fn size_of_folder(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_of_folder(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.filter_map(Result::ok).map(size).sum()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use client::{Admin, Settings};
    use events::{HOUR_MS, Topic};
    use scenarios::businesses::Scenario;
    use scenarios::topics;

    use super::*;

    /// The topics of a broker of ours keep more when they are told so, and lose no other setting.
    #[test]
    fn a_raised_bound_reaches_the_topics() {
        let folder = tempfile::tempdir().expect("a folder");
        let listeners = vec![broker::Listener::on_this_machine()];
        let config = broker::BrokerConfig { listeners, ..broker::BrokerConfig::new(folder.path()) };
        let broker = broker::Cluster::start(config).expect("a broker");
        let settings = Settings::new(broker.bootstrap_servers());
        let admin = Admin::connect(&settings, Duration::from_secs(10)).expect("a client");
        let all = Scenario::named("all").expect("a scenario").businesses;
        let usual = Kept::within(USUAL_BYTES, &all, 160, HOUR_MS, 60.0).expect("room for an hour");
        let setting = |topic: Topic, key: &str| {
            let configs = admin.configs(topic.name()).expect("its settings");
            configs.into_iter().find(|(name, _)| name == key).expect("a setting").1
        };
        topics::ensure_kept(&admin, Topic::ALL, |topic| usual.retention(topic)).expect("topics");
        let raised = usual.with_period(4 * HOUR_MS);
        topics::keep(&admin, Topic::ALL, |topic| raised.retention(topic)).expect("more of them");
        for topic in [Topic::DriverLocations, Topic::CardSwipes, Topic::EtaBatch] {
            let bytes = raised.retention(topic).bytes;
            assert!(bytes > usual.retention(topic).bytes, "{topic}");
            assert_eq!(setting(topic, "retention.bytes"), bytes.to_string(), "{topic}");
            let segment: i64 = setting(topic, "segment.bytes").parse().expect("a number");
            assert!(segment <= bytes / 2, "{topic}: segments of {segment} in {bytes}");
            assert_eq!(setting(topic, "retention.ms"), raised.retention(topic).ms.to_string(), "{topic}");
        }
        drop(admin);
        broker.shutdown().expect("an end");
    }
}
