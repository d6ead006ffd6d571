//! Room on the disk for what is seldom read: a file without a name in the temporary folder, which
//! goes with its last owner, however that ends.
//!
//! # Simplifications
//! - What can't be written (a full disk, no temporary folder) is kept in memory.
//! - Room that was given back is used again for as many bytes only.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

/// The file; there is none before the first bytes.
#[derive(Debug, Default)]
pub(super) struct SpillFile(Mutex<Rooms>);

#[derive(Debug, Default)]
struct Rooms {
    file: Option<Arc<File>>,
    /// Where the next room begins.
    end: u64,
    /// Rooms that were given back, and their bytes.
    free: Vec<(u64, usize)>,
}

impl SpillFile {
    /// Where `bytes` stand from now on.
    fn write(&self, bytes: &[u8]) -> io::Result<(Arc<File>, u64)> {
        let mut rooms = self.rooms();
        let file = match &rooms.file {
            Some(file) => Arc::clone(file),
            None => Arc::clone(rooms.file.insert(Arc::new(tempfile::tempfile()?))),
        };
        let free = rooms.free.iter().position(|&(_, length)| length == bytes.len());
        let at = free.map_or(rooms.end, |place| rooms.free[place].0);
        file.write_all_at(bytes, at)?;
        match free {
            Some(place) => drop(rooms.free.swap_remove(place)),
            None => rooms.end += bytes.len() as u64,
        }
        Ok((file, at))
    }

    fn rooms(&self) -> std::sync::MutexGuard<'_, Rooms> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records of `WIDTH` bytes each, which do not change any more.
#[derive(Debug)]
pub(super) struct Spilled<const WIDTH: usize> {
    spill: Arc<SpillFile>,
    room: Room,
    len: usize,
}

#[derive(Debug)]
enum Room {
    File(Arc<File>, u64),
    Memory(Box<[u8]>),
}

impl<const WIDTH: usize> Spilled<WIDTH> {
    pub(super) fn new(spill: &Arc<SpillFile>, records: impl Iterator<Item = [u8; WIDTH]>) -> Self {
        Self::of_bytes(spill, records.flatten().collect())
    }

    /// Records that stand one behind the other already.
    pub(super) fn of_bytes(spill: &Arc<SpillFile>, bytes: Vec<u8>) -> Self {
        let len = bytes.len() / WIDTH;
        let room = match if len > 0 { spill.write(&bytes).ok() } else { None } {
            Some((file, at)) => Room::File(file, at),
            None => Room::Memory(bytes.into()),
        };
        Self { spill: Arc::clone(spill), room, len }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[cfg(test)]
    pub(super) fn is_on_disk(&self) -> bool {
        matches!(self.room, Room::File(..))
    }

    /// The record at `place`.
    pub(super) fn at(&self, place: usize) -> [u8; WIDTH] {
        let mut record = [0; WIDTH];
        self.read(place, &mut record);
        record
    }

    /// The bytes of so many records from `place` on.
    pub(super) fn range(&self, place: usize, records: usize) -> Vec<u8> {
        let mut bytes = vec![0; records * WIDTH];
        self.read(place, &mut bytes);
        bytes
    }

    /// The first place from which on no record is `before`, of records in such an order.
    pub(super) fn partition_point(&self, before: impl Fn([u8; WIDTH]) -> bool) -> usize {
        let (mut from, mut to) = (0, self.len);
        while from < to {
            let middle = usize::midpoint(from, to);
            if before(self.at(middle)) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }

    /// Fills `bytes` with the records from `place` on.
    ///
    /// # Panics
    /// When the disk does not give back what was written: no answer could be right without it.
    fn read(&self, place: usize, bytes: &mut [u8]) {
        let from = place * WIDTH;
        assert!(
            from + bytes.len() <= self.len * WIDTH,
            "{} bytes from record {place} of {}",
            bytes.len(),
            self.len
        );
        match &self.room {
            Room::Memory(all) => bytes.copy_from_slice(&all[from..from + bytes.len()]),
            Room::File(file, at) => file
                .read_exact_at(bytes, at + from as u64)
                .unwrap_or_else(|error| panic!("the temporary folder's file can't be read: {error}")),
        }
    }
}

impl<const WIDTH: usize> Drop for Spilled<WIDTH> {
    fn drop(&mut self) {
        if let Room::File(_, at) = self.room {
            self.spill.rooms().free.push((at, self.len * WIDTH));
        }
    }
}

/// How many records are read at once.
const AHEAD: usize = 64;

/// Reads records one behind the other, some at once.
#[derive(Clone, Debug)]
pub(super) struct ReadAhead<const WIDTH: usize> {
    from: usize,
    bytes: Vec<u8>,
}

impl<const WIDTH: usize> Default for ReadAhead<WIDTH> {
    fn default() -> Self {
        Self { from: 0, bytes: Vec::new() }
    }
}

impl<const WIDTH: usize> ReadAhead<WIDTH> {
    /// The record at `place`. What is read must be the same each time, or
    /// [forgotten](Self::forget) in between.
    pub(super) fn at(&mut self, records: &Spilled<WIDTH>, place: usize) -> [u8; WIDTH] {
        if place < self.from || (place - self.from) * WIDTH >= self.bytes.len() {
            self.bytes.resize(AHEAD.min(records.len() - place) * WIDTH, 0);
            records.read(place, &mut self.bytes);
            self.from = place;
        }
        let (at, mut record) = ((place - self.from) * WIDTH, [0; WIDTH]);
        record.copy_from_slice(&self.bytes[at..at + WIDTH]);
        record
    }

    pub(super) fn forget(&mut self) {
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(spill: &Arc<SpillFile>, range: std::ops::Range<u32>) -> Spilled<4> {
        Spilled::new(spill, range.map(u32::to_be_bytes))
    }

    #[test]
    fn what_is_spilled_is_read_again_and_room_is_used_again() {
        let spill = Arc::new(SpillFile::default());
        let one = numbers(&spill, 0..1_000);
        let other = numbers(&spill, 5_000..6_000);
        for place in [0, 1, 499, 999] {
            assert_eq!(one.at(place), (place as u32).to_be_bytes());
        }
        assert_eq!(other.partition_point(|number| u32::from_be_bytes(number) < 5_700), 700);
        drop(one);
        let third = numbers(&spill, 7_000..8_000);
        assert_eq!((third.at(3), other.at(3)), (7_003_u32.to_be_bytes(), 5_003_u32.to_be_bytes()));
        let rooms = spill.rooms();
        assert_eq!((rooms.end, rooms.free.len()), (8_000, 0), "the third has the room of the first");
        assert_eq!(rooms.file.as_ref().unwrap().metadata().unwrap().len(), 8_000);
    }

    #[test]
    fn records_are_read_ahead_and_the_same() {
        let spill = Arc::new(SpillFile::default());
        let (one, other) = (numbers(&spill, 0..200), numbers(&spill, 1_000..1_100));
        let mut ahead = ReadAhead::default();
        for place in (0..200).chain([3, 199, 64]) {
            assert_eq!(ahead.at(&one, place), (place as u32).to_be_bytes());
        }
        ahead.forget();
        assert_eq!(ahead.at(&other, 65), 1_065_u32.to_be_bytes());
    }

    #[test]
    fn what_can_not_be_written_is_kept_in_memory() {
        let spill = Arc::new(SpillFile::default());
        let read_only = Arc::new(File::open("/dev/null").unwrap());
        spill.rooms().file = Some(read_only);
        let held = numbers(&spill, 0..100);
        assert!(matches!(held.room, Room::Memory(_)));
        assert_eq!((held.len(), held.at(7)), (100, 7_u32.to_be_bytes()));
    }
}
