//! The bill of the hours before a show, from the cache or worked out beside the start.
//!
//! # Simplifications
//! - What is cached is known by what it depends on: the seed, the world and this very program (its
//!   version, length and time of change). A program that was built again works it out again.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use anyhow::{Context as _, Result};
use dashboard::PastBill;
use processor::bounded::fingerprint;
use scenarios::past::{LONGEST_PERIOD_MS, bill_of_the_past};
use scenarios::plan::Plan;

use crate::xdg;

/// Files of the past, of which the newest so many are kept: a kilobyte or two each.
const KEPT: usize = 100;
/// What their names begin with.
const PREFIX: &str = "past-";
/// A longer file is none of ours.
const LONGEST: u64 = 1_000_000;

/// Whether the hour before this show has a bill: at the start that has an opening, for jobs that
/// run at least once in it.
pub(super) fn has_bill(plan: &Plan) -> bool {
    plan.world.opening().is_some() && plan.batch_period_ms <= LONGEST_PERIOD_MS
}

/// The bill of the hour before this show, as soon as it is there.
pub(super) fn of(plan: &Plan) -> Result<Receiver<Result<PastBill, String>>> {
    let (done, past) = channel();
    let plan = plan.clone();
    thread::Builder::new().name("past".into()).spawn(move || {
        let _ = done.send(load_or_work_out(&plan).map_err(|error| format!("{error:#}")));
    })?;
    Ok(past)
}

fn load_or_work_out(plan: &Plan) -> Result<PastBill> {
    let file = xdg::folder("XDG_CACHE_HOME", ".cache").map(|folder| folder.join(file_name(plan)));
    if let Some(past) = file.as_deref().and_then(load) {
        return Ok(past);
    }
    let past = bill_of_the_past(&plan.businesses, &plan.world, plan.batch_period_ms)
        .context("the bill of the hours before could not be worked out")?;
    // The show is not worse for a folder that can't be written.
    if let Some(Err(error)) = file.map(|file| keep(&file, &past)) {
        tracing::debug!("the bill of the past is not kept: {error:#}");
    }
    Ok(past)
}

/// A name for everything that the bill depends on.
fn file_name(plan: &Plan) -> String {
    let state = |path: &Path| fs::metadata(path).and_then(|file| Ok((file.len(), file.modified()?))).ok();
    let files = (state(&plan.paths.program), plan.world.map.as_deref().map(state));
    let businesses: Vec<&str> = plan.businesses.iter().map(|business| business.name).collect();
    let version = env!("CARGO_PKG_VERSION");
    let depends_on = format!("{version} {files:?} {:?} {} {businesses:?}", plan.world, plan.batch_period_ms);
    format!("{PREFIX}{:016x}.json", fingerprint(&depends_on))
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
