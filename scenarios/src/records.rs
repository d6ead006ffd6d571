//! The records of a topic, while a person looks at them on the screen.
//!
//! A thread of its own reads them, with a client of its own and no group, and only while they are
//! asked for. It reads in stretches: it asks for the ends of the partitions, reads what is new, and
//! rests. So what it costs is bounded however fast the topic grows: in records a look, in bytes a
//! look, and in what a page keeps; what does not fit is left out and counted.
//!
//! ```text
//!   controller ── RecordQuery ──► reader ── stretches ──► LogReader
//!        ▲                          │
//!        └────── RecordPage ◄───────┘   the controller puts it into the next snapshot
//! ```
//!
//! # Simplifications
//! - The records of several partitions are merged by the time at which they were sent, as far as
//!   each partition's own order allows.
//! - A filter by key finds what is within [`MOST_EXAMINED`] records of the place where it looks.

mod page;
mod place;
mod redrive;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use client::{Admin, LogReader, NoSuchTopic, Offsets, Read, ReadError, Settings, TopicPartition};
use dashboard::{OffsetSpec, PageStart, RecordAt, RecordPage, RecordQuery, RecordRow, Source, WholeRecord};

use crate::priority::{Priority, lower_priority};
use page::{merge, row, unreadable, whole};

pub(crate) use place::offsets_at;
pub use redrive::{REDRIVE_HEADER, redrive};

/// A page has at most so many records.
pub const MOST_ROWS: usize = 500;
/// Of each partition at least so many are read for a page.
const LEAST_OF_EACH: i64 = 50;
/// While it looks for a key, a page examines at most so many records.
const MOST_EXAMINED: i64 = 50_000;
/// One look reads at most so many bytes of keys and values.
const MOST_BYTES: u64 = 8 << 20;
/// How often the newest records are looked for.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How soon it is tried again when the cluster did not answer.
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// One look takes at most so long.
const LOOK_PATIENCE: Duration = Duration::from_secs(2);
/// How long the cluster may take to answer a question.
const ANSWER_PATIENCE: Duration = Duration::from_secs(2);

/// A thread that reads the records of one query, until it is dropped.
pub struct RecordReader {
    desk: Arc<Desk>,
}

/// Where queries are left for the thread, and pages for the controller.
#[derive(Default)]
struct Desk {
    slot: Mutex<Slot>,
    wake: Condvar,
}

#[derive(Default)]
struct Slot {
    query: Option<RecordQuery>,
    page: Option<Arc<RecordPage>>,
    stopped: bool,
}

impl Desk {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `query` is no longer what is wanted.
    fn is_outdated(&self, query: &RecordQuery) -> bool {
        let slot = self.slot();
        slot.stopped || slot.query.as_ref() != Some(query)
    }

    /// Waits so long, or until something else is wanted than `query`; `None`: nothing more is.
    fn next(&self, query: Option<&RecordQuery>, at_most: Duration) -> Option<RecordQuery> {
        let same = |slot: &mut Slot| !slot.stopped && slot.query.as_ref() == query;
        let waiting = self.wake.wait_timeout_while(self.slot(), at_most, same);
        let (slot, _) = waiting.unwrap_or_else(PoisonError::into_inner);
        slot.query.clone().filter(|_| !slot.stopped)
    }
}

impl RecordReader {
    /// Begins to read what `query` asks for.
    pub fn start(settings: &Settings, query: RecordQuery) -> std::io::Result<Self> {
        let desk = Arc::new(Desk::default());
        desk.slot().query = Some(query);
        let (settings, its) = (settings.clone(), Arc::clone(&desk));
        thread::Builder::new().name("records".into()).spawn(move || run(&settings, &its))?;
        Ok(Self { desk })
    }

    /// Reads something else from now on.
    pub fn ask(&self, query: RecordQuery) {
        self.desk.slot().query = Some(query);
        self.desk.wake.notify_all();
    }

    /// The newest page, which may still be that of an earlier query.
    pub fn page(&self) -> Option<Arc<RecordPage>> {
        self.desk.slot().page.clone()
    }
}

impl Drop for RecordReader {
    /// Does not wait for the thread, which ends within the time of one answer.
    fn drop(&mut self) {
        self.desk.slot().stopped = true;
        self.desk.wake.notify_all();
    }
}

#[expect(clippy::disallowed_methods, reason = "the edge: how long a source is silent is wall-clock time")]
fn run(settings: &Settings, desk: &Desk) {
    lower_priority(Priority::Moments);
    let mut session = None::<Session>;
    let mut silent_since = None::<Instant>;
    let mut last = None::<RecordQuery>;
    let mut rest = Duration::ZERO;
    while let Some(query) = desk.next(last.as_ref(), rest) {
        let looked = look(settings, &mut session, &query, desk);
        rest = LOOK_EVERY;
        let page = match looked {
            Ok(page) => {
                silent_since = None;
                page
            }
            Err(error) => {
                // A client that met an error may have lost its place.
                session = None;
                rest = RETRY_EVERY;
                let since = *silent_since.get_or_insert_with(Instant::now);
                let for_ms = since.elapsed().as_millis() as u64;
                let source = Source::Stale { for_ms, reason: error.to_string() };
                let shown = desk.slot().page.clone().filter(|page| page.query.same_page(&query));
                let kept = shown.map_or_else(|| blank(&query), |page| (*page).clone());
                Some(Arc::new(RecordPage { source, ..kept }))
            }
        };
        if let Some(page) = page {
            desk.slot().page = Some(page);
        }
        last = Some(query);
    }
}

/// A page without records.
fn blank(query: &RecordQuery) -> RecordPage {
    RecordPage {
        query: query.clone(),
        source: Source::Waiting,
        partitions: 0,
        cleanup_policy: None,
        rows: Vec::new(),
        from: Vec::new(),
        to: Vec::new(),
        has_before: false,
        has_after: false,
        examined: 0,
        skipped: 0,
        whole: None,
    }
}

/// Reads what a query asks for, or what has come since; none when nothing has changed.
fn look(
    settings: &Settings,
    session: &mut Option<Session>,
    query: &RecordQuery,
    desk: &Desk,
) -> Result<Option<Arc<RecordPage>>, ReadError> {
    let held = match session {
        Some(held) if held.topic == query.topic => held,
        _ => session.insert(Session::open(settings, &query.topic)?),
    };
    // A page is copied only when something in it changes: it is looked at four times a second.
    let before = held.page.take();
    let mut page = match &before {
        Some(page) if page.query.same_page(query) => {
            let mut page = Arc::clone(page);
            if page.query != *query {
                Arc::make_mut(&mut page).query = query.clone();
            }
            if query.start == PageStart::Newest && !query.paused {
                held.follow(&mut page, desk)?;
            }
            page
        }
        Some(_) | None => {
            let mut page = blank(query);
            held.read(&mut page, desk)?;
            page.source = Source::Live;
            Arc::new(page)
        }
    };
    let shown = before.as_ref().and_then(|page| page.query.whole);
    match query.whole {
        Some(at) if page.whole.is_none() || shown != Some(at) => {
            Arc::make_mut(&mut page).whole = Some(Arc::new(read_whole(&held.admin, &query.topic, at)));
        }
        None if page.whole.is_some() => Arc::make_mut(&mut page).whole = None,
        Some(_) | None => {}
    }
    held.page = Some(Arc::clone(&page));
    let is_new = before.is_none_or(|before| !Arc::ptr_eq(&before, &page));
    Ok(is_new.then_some(page))
}

/// A client that reads one topic, and the page it is at.
struct Session {
    topic: String,
    admin: Admin,
    reader: LogReader,
    partitions: Vec<TopicPartition>,
    cleanup_policy: Option<String>,
    page: Option<Arc<RecordPage>>,
}

/// A part of each partition: partition, first offset, offset to stop before.
type Stretches = Vec<(i32, i64, i64)>;

/// What a look has read of each partition, and how far.
struct Found {
    rows: Vec<Vec<RecordRow>>,
    to: Vec<(i32, i64)>,
    examined: u64,
}

impl Session {
    fn open(settings: &Settings, topic: &str) -> Result<Self, ReadError> {
        let admin = Admin::unconnected(settings, ANSWER_PATIENCE)?;
        let partitions = admin.partitions(topic)?;
        let reader = LogReader::range(settings, topic, &[])?;
        let partitions = (0..partitions).map(|partition| TopicPartition::new(topic, partition)).collect();
        // Asked once, not at each look. Who may not read the settings may read the records.
        let mut configs = admin.configs(topic).unwrap_or_default().into_iter();
        let cleanup_policy = configs.find(|(key, _)| key == "cleanup.policy").map(|(_, policy)| policy);
        Ok(Self { topic: topic.to_owned(), admin, reader, partitions, cleanup_policy, page: None })
    }

    /// The partitions that a query is about, with the offsets that each holds.
    fn offsets(&self, query: &RecordQuery) -> Result<Vec<(i32, Offsets)>, ReadError> {
        let wanted = |at: &&TopicPartition| query.partition.is_none_or(|only| only == at.partition);
        let at: Vec<TopicPartition> = self.partitions.iter().filter(wanted).cloned().collect();
        let all = at.iter().zip(self.admin.offsets(&at)?);
        let known: Vec<_> = all.filter_map(|(at, offsets)| Some((at.partition, offsets?))).collect();
        if known.is_empty() && !at.is_empty() {
            let servers = self.admin.settings().servers().to_owned();
            return Err(NoSuchTopic { topic: self.topic.clone(), servers }.into());
        }
        Ok(known)
    }

    /// Reads a new page.
    fn read(&mut self, page: &mut RecordPage, desk: &Desk) -> Result<(), ReadError> {
        let query = page.query.clone();
        let offsets = self.offsets(&query)?;
        page.partitions = self.partitions.len() as i32;
        page.cleanup_policy.clone_from(&self.cleanup_policy);
        let several = offsets.len().max(1) as i64;
        let most = if query.key.is_empty() { MOST_ROWS as i64 } else { MOST_EXAMINED };
        let of_each = (most / several).max(LEAST_OF_EACH);
        let stretches = self.stretches(&query.start, &offsets, of_each)?;
        let backwards = matches!(query.start, PageStart::Newest | PageStart::Before(_));
        let found = self.read_stretches(&query, &stretches, desk)?;
        page.from = stretches.iter().map(|&(partition, from, _)| (partition, from)).collect();
        page.to = found.to;
        page.examined = found.examined;
        page.rows = merge(found.rows);
        shorten(page, backwards);
        mark_neighbours(page, &offsets);
        Ok(())
    }

    /// What of each partition a page is read from.
    fn stretches(
        &self,
        start: &PageStart,
        offsets: &[(i32, Offsets)],
        of_each: i64,
    ) -> Result<Stretches, ReadError> {
        let begins = match start {
            PageStart::From(place) => {
                let at = |&(partition, held): &(i32, Offsets)| {
                    (TopicPartition::new(&*self.topic, partition), held)
                };
                offsets_at(&self.admin, *place, &offsets.iter().map(at).collect::<Vec<_>>())?
            }
            PageStart::Newest | PageStart::After(_) | PageStart::Before(_) => Vec::new(),
        };
        let stretch = |(at, &(partition, held)): (usize, &(i32, Offsets))| {
            let Offsets { earliest, latest } = held;
            let forward = |from: i64| {
                let from = held.nearest(from);
                (partition, from, latest.min(from.saturating_add(of_each)))
            };
            let backward = |to: i64| {
                let to = held.nearest(to);
                (partition, earliest.max(to.saturating_sub(of_each)), to)
            };
            match start {
                PageStart::Newest | PageStart::From(OffsetSpec::End) => backward(latest),
                PageStart::From(OffsetSpec::Beginning | OffsetSpec::Offset(_) | OffsetSpec::At(_)) => {
                    forward(begins[at])
                }
                PageStart::After(list) => forward(offset_in(list, partition).unwrap_or(latest)),
                PageStart::Before(list) => backward(offset_in(list, partition).unwrap_or(earliest)),
            }
        };
        Ok(offsets.iter().enumerate().map(stretch).collect())
    }

    /// Adds to the newest page what has come since, and leaves out what came too fast.
    fn follow(&mut self, page: &mut Arc<RecordPage>, desk: &Desk) -> Result<(), ReadError> {
        let offsets = self.offsets(&page.query)?;
        let several = offsets.len().max(1) as i64;
        let of_each = (4 * MOST_ROWS as i64 / several).max(LEAST_OF_EACH);
        let (mut stretches, mut skipped) = (Stretches::new(), 0);
        for (partition, held) in &offsets {
            let next = offset_in(&page.to, *partition).unwrap_or(held.earliest);
            // A topic that was made again begins again.
            let next = if next > held.latest { held.earliest } else { next.max(held.earliest) };
            let from = next.max(held.latest.saturating_sub(of_each));
            skipped += (from - next) as u64;
            stretches.push((*partition, from, held.latest));
        }
        if stretches.iter().all(|(_, from, to)| from >= to) {
            return Ok(());
        }
        let found = self.read_stretches(&page.query, &stretches, desk)?;
        let page = Arc::make_mut(page);
        page.skipped += skipped;
        page.to = found.to;
        page.examined += found.examined;
        page.rows.extend(merge(found.rows));
        shorten(page, true);
        mark_neighbours(page, &offsets);
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "the edge: a look is bounded in wall-clock time")]
    fn read_stretches(
        &mut self,
        query: &RecordQuery,
        stretches: &[(i32, i64, i64)],
        desk: &Desk,
    ) -> Result<Found, ReadError> {
        let until = Instant::now() + LOOK_PATIENCE;
        let mut found = Found {
            rows: stretches.iter().map(|_| Vec::new()).collect(),
            to: stretches.iter().map(|&(partition, from, _)| (partition, from)).collect(),
            examined: 0,
        };
        let mut bytes = 0;
        self.reader.restart(stretches)?;
        while !self.reader.is_finished() && bytes < MOST_BYTES {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || desk.is_outdated(query) {
                break;
            }
            let (at, last, row) = match self.reader.next_or_unreadable(left.min(LOOK_EVERY))? {
                Some(Read::Record(record)) => {
                    let at = RecordAt { partition: record.partition(), offset: record.offset() };
                    (at, at.offset, row(&record))
                }
                Some(Read::Unreadable(lost)) => {
                    let at = RecordAt { partition: lost.at.partition, offset: lost.first };
                    (at, lost.last, unreadable(&lost))
                }
                None => continue,
            };
            let Some(place) = stretches.iter().position(|(partition, ..)| *partition == at.partition) else {
                continue;
            };
            bytes += row.bytes;
            found.examined += 1;
            found.to[place].1 = last + 1;
            if query.key.is_empty() || row.key.as_ref().is_some_and(|key| key.contains(&query.key)) {
                found.rows[place].push(row);
            }
        }
        if self.reader.is_finished() {
            // The last offsets may hold no records: compaction and transactions leave gaps.
            found.to = stretches.iter().map(|&(partition, from, to)| (partition, to.max(from))).collect();
        }
        // A client that rests fetches nothing.
        self.reader.restart(&[])?;
        Ok(found)
    }
}

/// What a list of partitions and offsets says of one.
fn offset_in(list: &[(i32, i64)], partition: i32) -> Option<i64> {
    list.iter().find(|(known, _)| *known == partition).map(|(_, offset)| *offset)
}

/// Cuts a page to its size, at its beginning or at its end, and moves its bounds there.
fn shorten(page: &mut RecordPage, at_its_beginning: bool) {
    let over = page.rows.len().saturating_sub(MOST_ROWS);
    if at_its_beginning {
        for row in page.rows.drain(..over) {
            let bound = page.from.iter_mut().find(|(partition, _)| *partition == row.at.partition);
            if let Some((_, from)) = bound {
                *from = row.at.offset + 1;
            }
        }
    } else {
        for row in page.rows.drain(MOST_ROWS.min(page.rows.len())..).rev() {
            let bound = page.to.iter_mut().find(|(partition, _)| *partition == row.at.partition);
            if let Some((_, to)) = bound {
                *to = row.at.offset;
            }
        }
    }
    assert!(page.rows.len() <= MOST_ROWS, "a page of {} records is too large", page.rows.len());
}

/// Whether there is more before and behind a page.
fn mark_neighbours(page: &mut RecordPage, offsets: &[(i32, Offsets)]) {
    let any = |list: &[(i32, i64)], is: fn(i64, Offsets) -> bool| {
        offsets
            .iter()
            .any(|&(partition, held)| offset_in(list, partition).is_some_and(|offset| is(offset, held)))
    };
    page.has_before = any(&page.from, |from, held| from > held.earliest);
    page.has_after = any(&page.to, |to, held| to < held.latest);
}

/// One record with everything, or why it can't be shown.
fn read_whole(admin: &Admin, topic: &str, at: RecordAt) -> WholeRecord {
    let problem = match admin.record(&TopicPartition::new(topic, at.partition), at.offset) {
        Ok(Some(record)) => return whole(&record),
        Ok(None) => "it is gone: retention or compaction has deleted it".to_owned(),
        Err(error) => error.to_string(),
    };
    WholeRecord { problem: Some(problem), ..WholeRecord::default() }
}
