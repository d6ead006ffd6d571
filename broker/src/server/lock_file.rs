//! One broker per data directory.

use std::fs::{DirBuilder, File};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::StartError;

/// An exclusive lock on a data directory. The operating system lets go of it when the process ends,
/// however it ends, so there is no such thing as a stale lock.
#[derive(Debug)]
pub(super) struct LockFile {
    _file: File,
}

impl LockFile {
    /// Takes the lock and writes down who has it.
    pub(super) fn take(data_dir: &Path, listen: &str) -> Result<Self, StartError> {
        let path = data_dir.join(".lock");
        let failed = |path: PathBuf| move |source| StartError::DataDir { path, source };
        // Else it would be a folder that exists, which is no reason.
        if data_dir.is_file() {
            let source = std::io::Error::other("it is a file, not a folder");
            return Err(failed(data_dir.into())(source));
        }
        // Other users may not read a log; a folder that was there keeps its mode.
        DirBuilder::new().recursive(true).mode(0o700).create(data_dir).map_err(failed(data_dir.into()))?;
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed(path.clone()))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut holder = String::new();
            let _unknown_is_fine = std::io::Read::by_ref(&mut file).take(1024).read_to_string(&mut holder);
            let holder = if holder.is_empty() { "another process".into() } else { holder.trim().to_owned() };
            return Err(StartError::Locked { data_dir: data_dir.into(), holder });
        }
        let holder = format!("process {} listening on {listen}", std::process::id());
        let mut write = || {
            file.set_len(0)?;
            file.rewind()?;
            file.write_all(holder.as_bytes())
        };
        // The lock is held all the same; on a full disk its holder has no name.
        let _unnamed_is_fine = write();
        Ok(Self { _file: file })
    }
}
