//! A disk that is full is said, once, in words that name the folder: what follows from it (lag,
//! missing answers) has no other cause, and waiting does not mend it.

use std::path::{Path, PathBuf};

use dashboard::{NoticeKind, Severity};

use super::ShowController;
use crate::clock::wall_ms;

/// With less than this, in bytes, the broker can't write a batch and its indexes.
const FULL: u64 = 4 << 20;
/// With more than this there is room again: not at each segment that retention removes.
const ROOM: u64 = 16 << 20;
/// How often it is looked at, in milliseconds of wall-clock time.
const LOOK_EVERY_MS: i64 = 1_000;

/// The disk of a show's log.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    looked_ms: i64,
    is_full: bool,
}

impl Disk {
    /// Takes what is free; says when that is news.
    fn look(&mut self, free: u64) -> Option<(Severity, String)> {
        let folder = self.folder.display();
        if !self.is_full && free < FULL {
            self.is_full = true;
            let text = format!(
                "the disk of {folder} is full: nothing is written until there is room; make some, or end the \
                 show and start it with TMPDIR or --data-dir on another disk"
            );
            return Some((Severity::Bad, text));
        }
        if self.is_full && free > ROOM {
            self.is_full = false;
            return Some((Severity::Good, format!("there is room in {folder} again")));
        }
        None
    }
}

/// How many bytes the user may still write where `folder` is; none where that can't be asked.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

impl ShowController {
    /// Looks after the disk that this folder is on.
    #[must_use]
    pub fn with_folder(mut self, folder: &Path) -> Self {
        self.disk = Some(Disk { folder: folder.to_owned(), looked_ms: 0, is_full: false });
        self
    }

    /// Whether nothing can be written to the log.
    pub fn disk_is_full(&self) -> bool {
        self.disk.as_ref().is_some_and(|disk| disk.is_full)
    }

    pub(super) fn look_after_disk(&mut self) {
        let now_ms = wall_ms();
        let Some(disk) = self.disk.as_mut().filter(|disk| now_ms - disk.looked_ms >= LOOK_EVERY_MS) else {
            return;
        };
        disk.looked_ms = now_ms;
        let news = free_bytes(&disk.folder).and_then(|free| disk.look(free));
        if disk.is_full {
            self.slow_machine.excuse();
        }
        if let Some((severity, text)) = news {
            self.note(NoticeKind::Crash, severity, "disk", text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_said_once_and_room_when_there_is_some() {
        let mut disk = Disk { folder: "show".into(), looked_ms: 0, is_full: false };
        let mut said = |free| disk.look(free).map(|(severity, _)| severity);
        assert_eq!([u64::MAX, FULL, FULL - 1, 0].map(&mut said), [None, None, Some(Severity::Bad), None]);
        assert_eq!([FULL, ROOM, ROOM + 1].map(&mut said), [None, None, Some(Severity::Good)]);
        assert_eq!(said(0), Some(Severity::Bad), "full again");
    }

    #[test]
    fn what_is_free_can_be_asked() {
        assert!(free_bytes(Path::new("/")).is_some());
        assert_eq!(free_bytes(Path::new("/not/there")), None);
    }
}
