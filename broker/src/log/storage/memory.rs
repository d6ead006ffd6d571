//! [`Storage`] in memory, for tests: it can lose what was not synced, fail, and run full.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Storage, StorageFile, total_len};

/// A file system that lives as long as its clones do.
///
/// What is written is seen at once, as in the page cache; a [`crash`](MemoryStorage::crash) takes
/// back what no `sync` has made lasting. Names last at once (most journalling file systems order
/// them before data; what a test may rely on is the data).
#[derive(Clone, Debug, Default)]
pub struct MemoryStorage(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    files: BTreeMap<PathBuf, Arc<MemoryFile>>,
    faults: Arc<Mutex<Faults>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Faults {
    /// Bytes that may still be written before the disk is full.
    capacity: Option<u64>,
    /// Every sync fails.
    sync_fails: bool,
    /// Changes that still succeed.
    changes_left: Option<usize>,
}

impl Faults {
    /// One more change of files or names.
    fn change(&mut self) -> io::Result<()> {
        match &mut self.changes_left {
            Some(0) => Err(io::Error::other("the disk is gone")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

#[derive(Debug)]
struct MemoryFile {
    /// All files share them. Not the file system itself: it has the files, and the two would keep
    /// each other for ever.
    faults: Arc<Mutex<Faults>>,
    bytes: Mutex<Contents>,
}

#[derive(Clone, Debug, Default)]
struct Contents {
    now: Vec<u8>,
    synced: Vec<u8>,
}

impl Shared {
    /// Removes files, and gives back the room that they took.
    fn remove_if(&mut self, goes: impl Fn(&Path) -> bool) {
        let mut freed = 0;
        self.files.retain(|path, file| {
            let stays = !goes(path);
            freed += if stays { 0 } else { file.contents().now.len() as u64 };
            stays
        });
        if let Some(capacity) = &mut lock(&self.faults).capacity {
            *capacity += freed;
        }
    }
}

impl MemoryStorage {
    /// An empty one without faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on only `bytes` more can be written, and as much as is removed; `None` lifts it.
    pub fn limit_capacity(&self, bytes: Option<u64>) {
        lock(&self.shared().faults).capacity = bytes;
    }

    /// From now on every sync fails, or none does.
    pub fn fail_syncs(&self, fails: bool) {
        lock(&self.shared().faults).sync_fails = fails;
    }

    /// From now on `changes` of files and names succeed, and all that come after them fail; `None`
    /// lifts it.
    pub fn fail_after(&self, changes: Option<usize>) {
        lock(&self.shared().faults).changes_left = changes;
    }

    fn change(&self) -> io::Result<()> {
        lock(&self.shared().faults).change()
    }

    /// What is on the disk after the power went: a new file system with all that was synced and,
    /// of what was written after it, as much as `keep` says. `keep` gets how many bytes of a file
    /// were appended unsynced and answers how many of them made it; a torn write is a smaller
    /// number. A change to bytes that had been synced before is either whole or not at all there.
    #[must_use]
    pub fn crash(&self, mut keep: impl FnMut(&Path, usize) -> usize) -> Self {
        let survivor = Self::new();
        for (path, file) in &self.shared().files {
            let contents = file.contents();
            let common = contents.now.len().min(contents.synced.len());
            let rewritten =
                contents.now[..common] != contents.synced[..common] || contents.now.len() < common;
            let left = if rewritten || contents.now.len() < contents.synced.len() {
                if keep(path, 1) == 0 { contents.synced.clone() } else { contents.now.clone() }
            } else {
                let unsynced = contents.now.len() - common;
                contents.now[..common + keep(path, unsynced).min(unsynced)].to_vec()
            };
            let file = survivor.new_file(Contents { synced: left.clone(), now: left });
            survivor.shared().files.insert(path.clone(), file);
        }
        survivor
    }

    /// What is there after `kill -9`: everything written, for the page cache is the kernel's; what
    /// was not synced is still not. A copy: the old one goes on by itself.
    #[must_use]
    pub fn kill(&self) -> Self {
        let survivor = Self::new();
        for (path, file) in &self.shared().files {
            let file = survivor.new_file(file.contents().clone());
            survivor.shared().files.insert(path.clone(), file);
        }
        survivor
    }

    /// A file's bytes, or `None`.
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        self.shared().files.get(path).map(|file| file.contents().now.clone())
    }

    /// Puts a file there, synced.
    pub fn put(&self, path: &Path, bytes: &[u8]) {
        let file = self.new_file(Contents { now: bytes.to_vec(), synced: bytes.to_vec() });
        self.shared().files.insert(path.into(), file);
    }

    /// All files with their sizes, in order of their paths.
    pub fn sizes(&self) -> Vec<(PathBuf, usize)> {
        let shared = self.shared();
        shared.files.iter().map(|(path, file)| (path.clone(), file.contents().now.len())).collect()
    }

    fn new_file(&self, contents: Contents) -> Arc<MemoryFile> {
        let faults = Arc::clone(&self.shared().faults);
        Arc::new(MemoryFile { faults, bytes: Mutex::new(contents) })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        lock(&self.0)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of this lock panics")
}

impl Storage for MemoryStorage {
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let shared = self.shared();
        let below = shared.files.keys().filter_map(|path| path.strip_prefix(dir).ok()?.components().next());
        let mut names: Vec<_> = below.map(|name| name.as_os_str().to_string_lossy().into_owned()).collect();
        names.dedup();
        Ok(names)
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn StorageFile>> {
        if !self.exists(path) {
            self.change()?;
        }
        let file = self.new_file(Contents::default());
        Ok(self.shared().files.entry(path.into()).or_insert(file).clone())
    }

    fn exists(&self, path: &Path) -> bool {
        self.shared().files.contains_key(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change()?;
        let mut shared = self.shared();
        let file = shared.files.remove(from).ok_or(ErrorKind::NotFound)?;
        shared.files.insert(to.into(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        if self.exists(path) {
            self.change()?;
        }
        self.shared().remove_if(|file| file == path);
        Ok(())
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        self.change()?;
        self.shared().remove_if(|file| file.starts_with(dir));
        Ok(())
    }

    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        self.change()
    }
}

impl MemoryFile {
    fn contents(&self) -> MutexGuard<'_, Contents> {
        lock(&self.bytes)
    }
}

impl StorageFile for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.contents().now.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let contents = self.contents();
        let rest = contents.now.get(position as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn read_to(&self, buffer: &mut Vec<u8>, position: u64, len: usize) -> io::Result<()> {
        let contents = self.contents();
        let rest = contents.now.get(position as usize..).unwrap_or_default();
        buffer.extend_from_slice(rest.get(..len).ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, slices: [&[u8]; 2], position: u64) -> io::Result<()> {
        let mut all = slices.concat();
        let mut faults = lock(&self.faults);
        faults.change()?;
        let mut result = Ok(());
        if let Some(capacity) = &mut faults.capacity {
            // As a real one does: write what fits, then fail.
            if total_len(slices) as u64 > *capacity {
                all.truncate(*capacity as usize);
                result = Err(ErrorKind::StorageFull.into());
            }
            *capacity -= all.len() as u64;
        }
        let mut contents = self.contents();
        let end = position as usize + all.len();
        if contents.now.len() < end {
            contents.now.resize(end, 0);
        }
        contents.now[position as usize..end].copy_from_slice(&all);
        result
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        lock(&self.faults).change()?;
        self.contents().now.resize(len as usize, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut faults = lock(&self.faults);
        faults.change()?;
        if faults.sync_fails {
            return Err(io::Error::other("the disk is broken"));
        }
        drop(faults);
        let mut contents = self.contents();
        let Contents { now, synced } = &mut *contents;
        synced.clone_from(now);
        Ok(())
    }

    fn as_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests make a million of them.
    #[test]
    fn a_file_system_goes_with_its_last_clone() {
        let storage = MemoryStorage::new();
        storage.put(Path::new("a"), b"bytes");
        let survivors = [storage.kill(), storage.crash(|_, _| 0)];
        let all: Vec<_> =
            survivors.iter().chain([&storage]).map(|storage| Arc::downgrade(&storage.0)).collect();
        drop((storage, survivors));
        assert!(all.iter().all(|storage| storage.upgrade().is_none()));
    }
}
