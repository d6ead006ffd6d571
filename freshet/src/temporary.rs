//! A folder for as long as a process runs, which is gone afterwards however that ends.
//!
//! Where a destructor runs, it removes the folder. A process that is ended by force removes it
//! first (see `scenarios::control`). One that is killed can remove nothing: so each folder
//! holds a file that its process keeps locked, and the next one that makes such a folder removes
//! those whose lock is free.
//!
//! # Simplifications
//! - Only folders in the present temporary directory are found, not those made under another
//!   `TMPDIR`.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use scenarios::control;

/// What all of them are called, before a random part.
const PREFIX: &str = "freshet-";
/// The file whose lock says that the folder is in use.
const LOCK: &str = "in-use.lock";
/// The file that names the database of a show.
const DATABASE: &str = "database";
/// The longest name of a database.
const LONGEST_NAME: u64 = 4_096;
/// A lock file is younger than this while its process may not have locked it yet.
const YOUNG: Duration = Duration::from_secs(30);

/// A temporary folder.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
    /// Held until the process ends.
    _lock: File,
}

impl Folder {
    /// Makes one, and removes those that killed processes have left.
    pub(crate) fn new() -> Result<Self> {
        let beside = std::env::temp_dir();
        remove_abandoned(&beside);
        Self::within(&beside).with_context(|| {
            format!(
                "could not make a temporary folder in {}: make room there, or set TMPDIR",
                beside.display()
            )
        })
    }

    fn within(beside: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(beside)?;
        control::remove_at_forced_end(folder.path());
        let lock = File::create(folder.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self { folder, _lock: lock })
    }

    /// Leaves the name of the show's database where [`databases_in_use`] finds it.
    pub(crate) fn names_database(&self, name: &str) -> Result<()> {
        let file = self.path().join(DATABASE);
        fs::write(&file, name).with_context(|| format!("could not write {}", file.display()))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the folders of processes that have ended, and logs each at the level `info`.
fn remove_abandoned(beside: &Path) {
    let Ok(entries) = fs::read_dir(beside) else { return };
    for entry in entries.filter_map(Result::ok) {
        let ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let path = entry.path();
        // A link may lead anywhere; none is ours.
        if ours && entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_abandoned(&path.join(LOCK)) {
            match fs::remove_dir_all(&path) {
                Ok(()) => tracing::info!("removed {}, which a killed process had left", path.display()),
                Err(error) => tracing::debug!("could not remove {}: {error}", path.display()),
            }
        }
    }
}

/// The databases of the shows that this user runs on this machine, as far as they are found.
pub(crate) fn databases_in_use() -> Vec<String> {
    databases_within(&std::env::temp_dir())
}

fn databases_within(beside: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(beside) else { return Vec::new() };
    let ours = |path: &Path| {
        let name = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        // Who may write into the directory may make such a folder: another user's is none.
        let of_this_user = fs::symlink_metadata(path)
            .is_ok_and(|folder| folder.is_dir() && folder.uid() == rustix::process::geteuid().as_raw());
        name && of_this_user && is_locked(&path.join(LOCK))
    };
    let folders = entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| ours(path));
    let mut names: Vec<String> = folders.filter_map(|folder| name_in(&folder.join(DATABASE))).collect();
    names.sort();
    names
}

/// What the file says, if it is one and says something.
fn name_in(file: &Path) -> Option<String> {
    let metadata = fs::symlink_metadata(file).ok()?;
    let name = (metadata.is_file() && metadata.len() <= LONGEST_NAME).then(|| fs::read_to_string(file));
    name?.ok().filter(|name| !name.is_empty())
}

/// Whether a process holds the lock.
fn is_locked(lock: &Path) -> bool {
    let is_file = fs::symlink_metadata(lock).is_ok_and(|metadata| metadata.is_file());
    is_file && File::open(lock).is_ok_and(|file| file.try_lock().is_err())
}

/// Whether the lock is free.
fn is_abandoned(lock: &Path) -> bool {
    // In a directory that all may write, opening a pipe of this name would wait for ever.
    let Ok(metadata) = fs::symlink_metadata(lock) else { return false };
    let age = metadata.modified().ok().and_then(|at| at.elapsed().ok());
    if !metadata.is_file() || age.is_none_or(|age| age < YOUNG) {
        return false;
    }
    File::open(lock).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes the lock file seem as old as one of a process that was killed a while ago.
    fn age(folder: &Path) {
        let lock = File::options().write(true).open(folder.join(LOCK)).unwrap();
        lock.set_modified(lock.metadata().unwrap().modified().unwrap() - 2 * YOUNG).unwrap();
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_nothing_else() {
        let beside = tempfile::tempdir().unwrap();
        let alive = Folder::within(beside.path()).unwrap();
        let new = Folder::within(beside.path()).unwrap();
        age(alive.path());
        // Its lock is gone with its process; its folder is not.
        let killed = Folder::within(beside.path()).unwrap().folder.keep();
        fs::write(killed.join("log"), b"130 MB").unwrap();
        age(&killed);
        let of_others = beside.path().join("freshet-notes");
        fs::create_dir(&of_others).unwrap();

        alive.names_database("postgres://here/shows").unwrap();
        fs::write(killed.join(DATABASE), "of nobody").unwrap();
        assert_eq!(databases_within(beside.path()), ["postgres://here/shows"]);
        remove_abandoned(beside.path());
        assert!(!killed.exists());
        for path in [alive.path(), new.path(), &of_others] {
            assert!(path.exists(), "{}", path.display());
        }
    }
}
