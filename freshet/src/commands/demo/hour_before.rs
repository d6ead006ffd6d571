//! The bill of the hours before a show, from the cache or worked out before the start.
//!
//! It is the first thing that a newcomer sees of what waiting costs, and working it out takes the
//! processors for some ten seconds. Beside a show that begins it takes three times as long and
//! makes the show late; so a person waits for it, with a line that says how long. Where that would
//! take too long, the show begins and the rest is worked out beside it, with what the show leaves.
//!
//! # Simplifications
//! - What is cached is known by what it depends on: the seed, the world and this very program (its
//!   version, length and time of change). A program that was built again works it out again.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use dashboard::PastBill;
use processor::bounded::fingerprint;
use scenarios::business::{Business, World};
use scenarios::hour_before::{HourBeforeProgress, LONGEST_PERIOD_MS, bill_of_hour_before};

use crate::cli::DemoArgs;
use crate::progress::{ProgressLine, left_s};
use crate::xdg;

/// Cached bills, of which the newest so many are kept: a kilobyte or two each.
const KEPT: usize = 100;
/// What their names begin with.
const PREFIX: &str = "past-";
/// A longer file is none of ours.
const LONGEST: u64 = 1_000_000;

/// A show waits no longer than this before it begins.
const PATIENCE_S: f64 = 20.0;
/// How long it takes to know how long it takes: the processors learn from a history first.
const GUESS_S: f64 = 8.0;

/// What the hour before a show depends on.
#[derive(Debug, Clone)]
pub(super) struct HourBefore {
    businesses: Vec<&'static Business>,
    world: World,
    batch_period_ms: i64,
}

impl HourBefore {
    /// The hour before the show that is asked for.
    pub(super) fn before(args: &DemoArgs) -> Self {
        Self {
            businesses: args.scenario.businesses.clone(),
            world: args.world(),
            batch_period_ms: args.batch_period.ms(),
        }
    }

    /// Whether it has a bill: at the start that has an opening, for jobs that run at least once in
    /// it.
    pub(super) fn has_bill(&self) -> bool {
        self.world.opening().is_some() && self.batch_period_ms <= LONGEST_PERIOD_MS
    }

    /// Its bill, from the cache or worked out now. When this returns it is there, or takes longer
    /// than anybody should wait and comes later.
    pub(super) fn bill(self) -> Result<Receiver<Result<PastBill, String>>> {
        let file = xdg::folder("XDG_CACHE_HOME", ".cache").map(|folder| folder.join(self.file_name()));
        if let Some(known) = file.as_deref().and_then(load) {
            return Ok(already_there(Ok(known)));
        }
        let progress = Arc::new(HourBeforeProgress::new(&self.businesses));
        let simulated = Arc::clone(&progress);
        let (done, past) = channel();
        thread::Builder::new().name("past".into()).spawn(move || {
            let bill = self.work_out(file.as_deref(), &simulated);
            let _ = done.send(bill.map_err(|error| format!("{error:#}")));
        })?;
        let mut line = ProgressLine::new();
        loop {
            match past.recv_timeout(Duration::from_millis(100)) {
                Ok(bill) => return Ok(already_there(bill)),
                Err(RecvTimeoutError::Timeout) if is_worth_waiting(line.seconds(), progress.part()) => {
                    let took_s = line.seconds();
                    line.tell(|| words(took_s, progress.part()));
                }
                Err(_) => break,
            }
        }
        progress.continue_in_background();
        Ok(past)
    }

    fn work_out(&self, file: Option<&Path>, progress: &HourBeforeProgress) -> Result<PastBill> {
        let past = bill_of_hour_before(&self.businesses, &self.world, self.batch_period_ms, progress)
            .context("the bill of the hours before could not be worked out")?;
        // The show is not worse for a folder that can't be written.
        if let Some(Err(error)) = file.map(|file| keep(file, &past)) {
            tracing::debug!("the bill of the hour before is not kept: {error:#}");
        }
        Ok(past)
    }

    /// A name for everything that the bill depends on.
    fn file_name(&self) -> String {
        let state = |path: &Path| fs::metadata(path).and_then(|file| Ok((file.len(), file.modified()?))).ok();
        let program = std::env::current_exe().ok();
        let files = (program.as_deref().map(state), self.world.map.as_deref().map(state));
        let businesses: Vec<&str> = self.businesses.iter().map(|business| business.name).collect();
        let version = env!("CARGO_PKG_VERSION");
        let depends_on =
            format!("{version} {files:?} {:?} {} {businesses:?}", self.world, self.batch_period_ms);
        format!("{PREFIX}{:016x}.json", fingerprint(&depends_on))
    }
}

fn already_there(bill: Result<PastBill, String>) -> Receiver<Result<PastBill, String>> {
    let (done, past) = channel();
    let _ = done.send(bill);
    past
}

/// Whether it will be there soon, when `part` of it (0 to 1) took so many seconds.
fn is_worth_waiting(took_s: f64, part: f64) -> bool {
    if took_s < GUESS_S {
        return true;
    }
    took_s < PATIENCE_S && left_s(part, took_s).is_some_and(|left| left as f64 <= PATIENCE_S)
}

fn words(took_s: f64, part: f64) -> String {
    let left = left_s(part, took_s).map_or_else(String::new, |left| format!(", about {left} s left"));
    format!("simulating the hour before the show, once for this seed: {:.0} %{left}", 100.0 * part)
}

fn load(file: &Path) -> Option<PastBill> {
    let metadata = fs::symlink_metadata(file).ok()?;
    let text = (metadata.is_file() && metadata.len() <= LONGEST).then(|| fs::read(file).ok())??;
    serde_json::from_slice(&text).ok()
}

/// Writes it beside and moves it there, so that a reader finds all of it or none; removes the
/// oldest.
fn keep(file: &Path, past: &PastBill) -> Result<()> {
    let folder = file.parent().context("a file stands in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("could not make {}", folder.display()))?;
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&mut beside, past)?;
    beside.persist(file)?;
    let mut all: Vec<_> = fs::read_dir(folder)?
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    all.sort();
    let too_many = all.len().saturating_sub(KEPT);
    all[..too_many].iter().try_for_each(|(_, path)| fs::remove_file(path).map_err(Into::into))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_found_again_and_anything_else_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep").join("past-1.json");
        assert_eq!(load(&file), None);
        let past = PastBill { from_ms: 1, until_ms: 2, ..PastBill::default() };
        keep(&file, &past).unwrap();
        assert_eq!(load(&file), Some(past));
        fs::write(&file, b"{half of").unwrap();
        assert_eq!(load(&file), None, "a broken file is as good as none");
    }

    #[test]
    fn a_show_does_not_wait_for_what_takes_long() {
        assert!(is_worth_waiting(1.0, 0.0), "it can't be known yet");
        assert!(is_worth_waiting(5.0, 0.1), "the histories were read first, and it goes faster now");
        assert!(!is_worth_waiting(8.0, 0.01), "a guess would be ten minutes");
        assert!(is_worth_waiting(8.0, 0.4), "twelve seconds are left");
        assert!(!is_worth_waiting(8.0, 0.2), "32 s are left");
        assert!(!is_worth_waiting(21.0, 0.9), "all patience has an end");
        assert_eq!(
            words(6.0, 0.4),
            "simulating the hour before the show, once for this seed: 40 %, about 9 s left"
        );
    }

    #[test]
    fn the_newest_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("of somebody else"), b"").unwrap();
        for number in 0..KEPT + 3 {
            keep(&folder.path().join(format!("past-{number}.json")), &PastBill::default()).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), KEPT + 1);
        assert!(folder.path().join(format!("past-{}.json", KEPT + 2)).exists());
    }
}
