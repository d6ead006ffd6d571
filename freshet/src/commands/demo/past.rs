//! The bill of the hours before a show, from the cache or worked out beside the start.
//!
//! # Simplifications
//! - What is cached is known by what it depends on: the seed, the world and this very program (its
//!   version, length and time of change). A program that was built anew works it out again.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::UNIX_EPOCH;

use anyhow::{Context as _, Result};
use dashboard::PastBill;
use processor::bounded::fingerprint;
use scenarios::past::bill_of_the_past;
use scenarios::plan::Plan;

/// Files of the past, of which the newest so many are kept: a kilobyte or two each.
const KEPT: usize = 100;
/// What their names begin with.
const PREFIX: &str = "past-";
/// A longer file is none of ours.
const LONGEST: u64 = 1_000_000;

/// The bill of the hours before this show, as soon as it is there.
pub(super) fn of(plan: &Plan) -> Result<Receiver<Result<PastBill, String>>> {
    let (done, past) = channel();
    let plan = plan.clone();
    thread::Builder::new().name("past".into()).spawn(move || {
        let _ = done.send(load_or_work_out(&plan).map_err(|error| format!("{error:#}")));
    })?;
    Ok(past)
}

fn load_or_work_out(plan: &Plan) -> Result<PastBill> {
    let file = folder().map(|folder| folder.join(file_name(plan)));
    if let Some(past) = file.as_deref().and_then(load) {
        return Ok(past);
    }
    let past = bill_of_the_past(&plan.businesses, &plan.world)
        .context("the bill of the hours before could not be worked out")?;
    // The show is not worse for a folder that can't be written.
    if let Some(Err(error)) = file.map(|file| keep(&file, &past)) {
        tracing::debug!("the bill of the past is not kept: {error:#}");
    }
    Ok(past)
}

/// `$XDG_CACHE_HOME/freshet`, or that in the home directory (XDG Base Directory Specification).
fn folder() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(cache.join("freshet"))
}

/// A name for everything that the bill depends on.
fn file_name(plan: &Plan) -> String {
    let program = fs::metadata(&plan.paths.program).ok().map(|file| {
        let changed = file.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        (file.len(), changed.map(|since| since.as_nanos()))
    });
    let map = plan
        .world
        .map
        .as_deref()
        .map(|map| fs::metadata(map).map(|file| (file.len(), file.modified().ok())).ok());
    let businesses: Vec<&str> = plan.businesses.iter().map(|business| business.name).collect();
    let depends_on =
        format!("{} {program:?} {map:?} {:?} {businesses:?}", env!("CARGO_PKG_VERSION"), plan.world);
    format!("{PREFIX}{:016x}.json", fingerprint(&depends_on))
}

fn load(file: &Path) -> Option<PastBill> {
    let metadata = fs::symlink_metadata(file).ok()?;
    let text = (metadata.is_file() && metadata.len() <= LONGEST).then(|| fs::read(file).ok())??;
    serde_json::from_slice(&text).ok()
}

/// Writes it beside and moves it there, so that nobody reads half of it; removes the oldest.
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
