//! The one door to files. The log and everything above it reach bytes through [`Storage`] and
//! [`StorageFile`] only, so that tests can run it on [`MemoryStorage`], which forgets what was not
//! synced, tears writes, and fills up when told to.

mod disk;
mod memory;

use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

pub use disk::DiskStorage;
pub use memory::MemoryStorage;

/// Directories and names.
pub trait Storage: Debug + Send + Sync {
    /// Makes `dir` and its parents; fine if they exist.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// Names (not paths) of what lies in `dir`, sorted. Empty when `dir` does not exist.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Opens a file for reading and writing, made if it does not exist.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>>;
    /// Whether there is such a file.
    fn exists(&self, path: &Path) -> bool;
    /// Gives a file another name, replacing what had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file; fine if there is none.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory with what is in it; fine if there is none.
    fn remove_dir(&self, dir: &Path) -> io::Result<()>;
    /// Makes new names, renames and removals in `dir` survive a power loss.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// One open file. Reads and writes say where, so that many can share it without a cursor. A file
/// that was removed stays readable as long as someone holds it.
pub trait StorageFile: Debug + Send + Sync {
    /// Bytes it has.
    fn len(&self) -> io::Result<u64>;
    /// Whether it has none.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
    /// Reads what is there from `position`, up to `buffer`'s length; fewer at the end of the file.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;
    /// Appends exactly `len` bytes from `position` to `buffer`; `UnexpectedEof` if there are fewer.
    fn read_to(&self, buffer: &mut Vec<u8>, position: u64, len: usize) -> io::Result<()>;
    /// Writes both slices one after the other, in one system call unless it is interrupted.
    fn write_at(&self, slices: [&[u8]; 2], position: u64) -> io::Result<()>;
    /// Cuts or stretches (with zeros) to `len`.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Makes its bytes survive a power loss (`fdatasync`).
    fn sync(&self) -> io::Result<()>;
    /// The descriptor, for `sendfile`; `None` when there is none.
    fn as_fd(&self) -> Option<BorrowedFd<'_>>;
}

/// An open file with its name, for error messages.
pub(crate) type NamedFile = (PathBuf, Arc<dyn StorageFile>);

/// A file operation that failed.
#[derive(Debug, Error)]
#[error("can't {operation} {}: {source}", path.display())]
pub struct StorageError {
    /// What was tried, as a verb: "write", "sync".
    pub operation: &'static str,
    /// On which file or directory.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

impl StorageError {
    /// For `map_err`: names the operation and the path.
    pub fn of(operation: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self { operation, path, source }
    }

    /// Whether the disk is full, or a quota, or as many files are open as may be.
    pub(crate) fn lacks_room(&self) -> bool {
        let too_many =
            [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE].map(rustix::io::Errno::raw_os_error);
        matches!(self.source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            || self.source.raw_os_error().is_some_and(|number| too_many.contains(&number))
    }
}

/// The whole of a small file; `None` when it does not exist. Refuses more than `max_len` bytes.
pub fn read_file(storage: &dyn Storage, path: &Path, max_len: u64) -> Result<Option<Vec<u8>>, StorageError> {
    if !storage.exists(path) {
        return Ok(None);
    }
    let file = storage.open(path).map_err(StorageError::of("open", path))?;
    let len = file.len().map_err(StorageError::of("measure", path))?;
    if len > max_len {
        let source = io::Error::other(format!("it has {len} bytes, more than the {max_len} it may have"));
        return Err(StorageError { operation: "read", path: path.into(), source });
    }
    let mut bytes = Vec::new();
    file.read_to(&mut bytes, 0, len as usize).map_err(StorageError::of("read", path))?;
    Ok(Some(bytes))
}

/// Replaces a small file so that a crash leaves the old content or the new one, never a mixture:
/// writes beside it, syncs, renames, syncs the directory.
pub fn replace_file(storage: &dyn Storage, path: &Path, content: &[u8]) -> Result<(), StorageError> {
    let (beside, file) = write_beside(storage, path, content)?;
    if let Err(error) = file.sync() {
        let _the_first_error_counts = storage.remove(&beside);
        return Err(StorageError::of("sync", beside)(error));
    }
    storage.rename(&beside, path).map_err(StorageError::of("rename", &beside))?;
    let dir = path.parent().unwrap_or(Path::new("."));
    storage.sync_dir(dir).map_err(StorageError::of("sync", dir))
}

/// The same without waiting for the disk: for what can be made again. After a power loss the file
/// may be torn, and its reader must notice.
pub(crate) fn replace_file_lazily(
    storage: &dyn Storage,
    path: &Path,
    content: &[u8],
) -> Result<Arc<dyn StorageFile>, StorageError> {
    let (beside, file) = write_beside(storage, path, content)?;
    storage.rename(&beside, path).map_err(StorageError::of("rename", &beside))?;
    Ok(file)
}

fn write_beside(storage: &dyn Storage, path: &Path, content: &[u8]) -> Result<NamedFile, StorageError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".tmp");
    let beside = PathBuf::from(beside);
    let file = storage.open(&beside).map_err(StorageError::of("create", &beside))?;
    file.set_len(0).map_err(StorageError::of("truncate", &beside))?;
    if let Err(error) = file.write_at([content, &[]], 0) {
        // On a full disk what was written of it would take the last of the room.
        let _the_first_error_counts = storage.remove(&beside);
        return Err(StorageError::of("write", beside)(error));
    }
    Ok((beside, file))
}

/// Total length of two slices, for implementations.
fn total_len(slices: [&[u8]; 2]) -> usize {
    slices[0].len() + slices[1].len()
}

/// The slices that are left after the first `written` bytes went out.
fn remaining(slices: [&[u8]; 2], written: usize) -> [IoSlice<'_>; 2] {
    let [first, second] = slices;
    let of_first = written.min(first.len());
    [IoSlice::new(&first[of_first..]), IoSlice::new(&second[written - of_first..])]
}
