//! Log compaction: of each key the newest record stays (`cleanup.policy=compact`).
//!
//! A topic whose records say what is *now* true of a key (the balance of an account, how fast a
//! street is) is a table, told as a log. Who reads it from the start knows the table. For that the
//! newest record of each key is enough, so a *cleaner* takes the others out, from time to time, and
//! leaves every offset as it is: readers find gaps, and go on behind them.
//!
//! ```text
//! offset   0    1    2    3    4    5    6  │  7    8        closed segments │ the active one
//! before   a=1  b=1  a=2  c=1  b=2  a=3  c=∅ │  a=4  b=3      ∅: a tombstone, c is gone
//! after                        b=2  a=3  c=∅ │  a=4  b=3      ∅ stays for delete.retention.ms
//! ```
//!
//! # How
//!
//! - The closed segments are *clean* up to an offset and *dirty* behind it. When dirty bytes are
//!   more than `min.cleanable.dirty.ratio` of all, or older than `max.compaction.lag.ms`, the log
//!   is cleaned. What is younger than `min.compaction.lag.ms`, and the active segment, is left
//!   alone.
//! - First the dirty part is read, and noted which record of each of its keys is the newest
//!   (`key_map.rs`, `key_row.rs`).
//! - Then all of it is written again, without the records that those make old (`filter.rs`). In the
//!   dirty part what is noted is marked (`survivors.rs`), and batches without a mark are passed
//!   over. Neighbours that have become small become one segment.
//! - A new segment replaces the old ones by renaming, so that a crash between any two steps leaves
//!   the old ones or the new one (`log/swap.rs`).
//!
//! None of the reading and writing holds the log: [`Log::begin_cleaning`] says what is to be done,
//! [`Cleaning::work`] does it on a thread that may block, and [`Log::advance_cleaning`] makes names
//! and puts the new segments in their place. While a cleaning is under way retention waits.
//!
//! Source: KIP-58, KIP-354, KIP-534, and Kafka's `Cleaner`.
//!
//! # Simplifications
//!
//! - One log is cleaned at a time (`log.cleaner.threads=1`), and as fast as the machine can.
//! - A segment is written before the old ones go, so the disk needs room for one more. Without it
//!   the cleaning is tried again a minute later.
//! - Transactions are not there yet: their markers would stay.

mod filter;
mod key_map;
mod key_row;
mod passes;
mod replacement;
mod survivors;

use std::collections::{HashMap, VecDeque};
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use protocol::records::Offset;

use self::key_map::KeyMap;
use self::replacement::Replacement;
use self::survivors::Survivors;
use super::segment::LogSegment;
use super::{Log, LogConfig, Storage, StorageError, StorageFile, swap};

/// After a cleaning that failed the next is tried so much later.
const RETRY_MS: i64 = 60_000;

/// What a cleaner may take.
#[derive(Clone, Debug)]
pub struct CleanerConfig {
    /// `log.cleaner.dedupe.buffer.size`: what the newest offsets of all keys may take, in bytes. A
    /// log with more keys is cleaned piece by piece.
    pub dedupe_buffer_bytes: usize,
    /// Must not be known to those who choose keys.
    pub hash_key: [u64; 2],
    /// When this is set, a cleaning under way ends in an error before its next step.
    pub stop: Arc<AtomicBool>,
}

impl CleanerConfig {
    /// With Kafka's limit.
    pub fn new(hash_key: [u64; 2]) -> Self {
        Self { dedupe_buffer_bytes: 128 << 20, hash_key, stop: Arc::default() }
    }
}

/// What a cleaning has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CleaningStats {
    /// Bytes of the segments that were cleaned.
    pub bytes_before: u64,
    /// Bytes of those that took their place.
    pub bytes_after: u64,
    /// Different keys in the dirty part.
    pub keys: usize,
    /// Bytes that they took.
    pub key_bytes: usize,
}

/// A cleaning under way.
#[derive(Debug)]
pub struct Cleaning {
    storage: Arc<dyn Storage>,
    dir: PathBuf,
    config: LogConfig,
    stop: Arc<AtomicBool>,
    now_ms: i64,
    sources: Vec<Source>,
    /// From here on keys are noted.
    first_dirty: Offset,
    producers: HashMap<i64, Offset>,
    newest: KeyMap,
    survivors: Survivors,
    /// Where the part ends whose keys are noted.
    map_end: Offset,
    /// What becomes one segment each, as places in `sources`.
    groups: VecDeque<Range<usize>>,
    state: State,
    /// A new segment counts on the disk, and not yet here.
    is_half_swapped: bool,
    stats: CleaningStats,
}

/// A closed segment.
#[derive(Debug)]
struct Source {
    base_offset: Offset,
    next_offset: Offset,
    size: u64,
    index_len: u64,
    file: Arc<dyn StorageFile>,
}

/// What comes next.
#[derive(Debug)]
enum State {
    /// Work: noting the keys.
    Keys,
    /// A name: that of the first group's new segment.
    Name,
    /// Work: writing the new segment.
    Write(Range<usize>, LogSegment),
    /// A name: the new segment is whole.
    Written(Range<usize>, Replacement),
    /// Work: the name must outlast a power loss before anything is removed.
    Named(Range<usize>, Replacement),
    /// Names: it takes the place of the old ones.
    Ready(Range<usize>, Replacement),
    /// Nothing.
    Done,
}

impl Cleaning {
    /// Does what takes long, without the log. May take as long as reading and writing all of it.
    pub fn work(&mut self) -> Result<(), StorageError> {
        self.state = match std::mem::replace(&mut self.state, State::Done) {
            State::Keys => {
                self.note_keys()?;
                State::Name
            }
            State::Write(group, segment) => {
                let written = self.write(&group, segment)?;
                State::Written(group, written)
            }
            State::Named(group, written) => {
                self.storage.sync_dir(&self.dir).map_err(StorageError::of("sync", &self.dir))?;
                State::Ready(group, written)
            }
            state => state,
        };
        Ok(())
    }

    /// What it has done so far.
    pub fn stats(&self) -> CleaningStats {
        CleaningStats { keys: self.newest.len(), key_bytes: self.newest.byte_len(), ..self.stats }
    }

    /// Whether there is still time for it.
    fn check(&self) -> Result<(), StorageError> {
        if self.stop.load(Ordering::Acquire) {
            let error = io::Error::new(io::ErrorKind::Interrupted, "the broker ends");
            return Err(StorageError::of("clean", &self.dir)(error));
        }
        Ok(())
    }
}

impl Log {
    /// When the log is dirty enough to be cleaned up to `limit`, ms since 1970; 0 when it is now.
    pub fn next_cleaning_ms(&self, limit: Offset) -> Option<i64> {
        if !self.config.cleanup.compact || self.cleaning || self.broken {
            return None;
        }
        let lag = self.config.min_compaction_lag_ms;
        let (mut clean, mut dirty, mut ready, mut first_ms) = (0, 0, 0, None);
        let mut due: Option<i64> = None;
        for segment in self.closed_before(limit) {
            if segment.next_offset <= self.first_dirty {
                clean += segment.size;
                continue;
            }
            dirty += segment.size;
            if lag > 0 {
                let (largest, _) = segment.max_timestamp.unwrap_or((0, Offset::ZERO));
                ready = ready.max(largest.saturating_add(lag));
            }
            let first_ms = *first_ms.get_or_insert(segment.first_timestamp_ms.unwrap_or(0));
            let is_dirty = dirty as f64 > self.config.min_cleanable_dirty_ratio * (clean + dirty) as f64;
            let at = if is_dirty {
                ready
            } else {
                ready.max(first_ms.saturating_add(self.config.max_compaction_lag_ms))
            };
            due = Some(due.map_or(at, |due| due.min(at)));
        }
        Some(due.filter(|due| *due < i64::MAX)?.max(self.cleaning_retry_ms))
    }

    /// Bytes that are not clean yet, of all that could be: the dirtiest log is cleaned first.
    pub fn dirty_ratio(&self, limit: Offset) -> f64 {
        let (mut dirty, mut all) = (0, 0);
        for segment in self.closed_before(limit) {
            all += segment.size;
            dirty += if segment.next_offset > self.first_dirty { segment.size } else { 0 };
        }
        if all == 0 { 0.0 } else { dirty as f64 / all as f64 }
    }

    /// Starts a cleaning of what lies before `limit`: `work` and [`Log::advance_cleaning`] in turn,
    /// then [`Log::finish_cleaning`]. `producers` are those that are remembered, each with the
    /// offset of its last record. `None` when nothing is due.
    pub fn begin_cleaning(
        &mut self,
        cleaner: &CleanerConfig,
        limit: Offset,
        producers: HashMap<i64, Offset>,
        now_ms: i64,
    ) -> Option<Cleaning> {
        self.next_cleaning_ms(limit).filter(|due_ms| *due_ms <= now_ms)?;
        let lag = self.config.min_compaction_lag_ms;
        let young = |segment: &LogSegment| {
            lag > 0
                && segment.next_offset > self.first_dirty
                && segment.max_timestamp.is_some_and(|(largest, _)| largest.saturating_add(lag) > now_ms)
        };
        let sources: Vec<_> = self
            .closed_before(limit)
            .take_while(|segment| !young(segment))
            .map(|segment| Source {
                base_offset: segment.base_offset,
                next_offset: segment.next_offset,
                size: segment.size,
                index_len: segment.index_len() as u64,
                file: Arc::clone(&segment.file),
            })
            .collect();
        self.cleaning = true;
        Some(Cleaning {
            storage: Arc::clone(&self.storage),
            dir: self.dir.clone(),
            config: self.config.clone(),
            stop: Arc::clone(&cleaner.stop),
            now_ms,
            sources,
            first_dirty: self.first_dirty,
            producers,
            newest: KeyMap::new(cleaner.dedupe_buffer_bytes, cleaner.hash_key),
            survivors: Survivors::new(),
            map_end: self.first_dirty,
            groups: VecDeque::new(),
            state: State::Keys,
            is_half_swapped: false,
            stats: CleaningStats::default(),
        })
    }

    /// Does what needs the log and takes no time. `false` when the cleaning is through, `true` when
    /// there is more to [`Cleaning::work`].
    pub fn advance_cleaning(&mut self, cleaning: &mut Cleaning) -> Result<bool, StorageError> {
        assert!(self.cleaning, "a cleaning goes on that was never begun, or has ended");
        cleaning.check()?;
        loop {
            cleaning.state = match std::mem::replace(&mut cleaning.state, State::Done) {
                State::Name => match cleaning.groups.pop_front() {
                    Some(group) => {
                        let base = cleaning.sources[group.start].base_offset;
                        let segment = LogSegment::create_beside(
                            &*self.storage,
                            &self.dir,
                            base,
                            swap::CLEANED,
                            &cleaning.config,
                        )?;
                        State::Write(group, segment)
                    }
                    None => State::Done,
                },
                State::Written(group, written) => {
                    written.name(&*self.storage)?;
                    cleaning.is_half_swapped = true;
                    State::Named(group, written)
                }
                State::Ready(group, written) => {
                    let bases = cleaning.sources[group].iter().map(|source| source.base_offset);
                    self.replace(&bases.collect::<Vec<_>>(), written)?;
                    cleaning.is_half_swapped = false;
                    cleaning.state = State::Name;
                    continue;
                }
                state => state,
            };
            return Ok(!matches!(cleaning.state, State::Done));
        }
    }

    /// Ends a cleaning, whether it is through or failed. `now_ms` counts from 1970. Drop it without
    /// holding the log: it has the last hold on the old files.
    pub fn finish_cleaning(&mut self, cleaning: &Cleaning, failed: bool, now_ms: i64) {
        self.cleaning = false;
        if failed {
            self.cleaning_retry_ms = now_ms.saturating_add(RETRY_MS);
            // The next start will have the new segment: nothing may be built on the old ones.
            self.broken |= cleaning.is_half_swapped;
            swap::remove_unfinished(&*self.storage, &self.dir);
        } else {
            self.cleaning_retry_ms = 0;
            self.first_dirty = self.first_dirty.max(cleaning.map_end);
        }
    }

    /// Cleans here and now, if that is due.
    pub fn clean(
        &mut self,
        cleaner: &CleanerConfig,
        limit: Offset,
        producers: HashMap<i64, Offset>,
        now_ms: i64,
    ) -> Result<Option<CleaningStats>, StorageError> {
        let Some(mut cleaning) = self.begin_cleaning(cleaner, limit, producers, now_ms) else {
            return Ok(None);
        };
        let done = loop {
            match self.advance_cleaning(&mut cleaning) {
                Ok(true) => {}
                Ok(false) => break Ok(Some(cleaning.stats())),
                Err(error) => break Err(error),
            }
            if let Err(error) = cleaning.work() {
                break Err(error);
            }
        };
        self.finish_cleaning(&cleaning, done.is_err(), now_ms);
        done
    }

    /// Closed segments that lie wholly before `limit`.
    fn closed_before(&self, limit: Offset) -> impl Iterator<Item = &LogSegment> {
        let closed = &self.segments[..self.segments.len() - 1];
        closed.iter().take_while(move |segment| segment.next_offset <= limit)
    }
}
