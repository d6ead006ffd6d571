//! What holds for every compaction: who reads the log afterwards knows of each key what who reads
//! all of it knows, offsets stay as they are, and no crash between any two steps loses anything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use broker::log::{CleanerConfig, CleanupPolicy, LogConfig, MemoryStorage, RecoveryHints};
use broker::replica::Partition;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use protocol::records::codec::Levels;
use protocol::records::{
    BatchBuilder, Compression, LeaderEpoch, Offset, ProducerStamp, check_batch, opened, opened_records,
};

const DELETE_RETENTION_MS: i64 = 1_000;

/// Small enough that a few dozen batches make several segments and index entries.
fn config() -> LogConfig {
    LogConfig {
        cleanup: CleanupPolicy::COMPACT,
        segment_bytes: 1_000,
        index_interval_bytes: 150,
        timestamp_after_max_ms: i64::MAX,
        delete_retention_ms: DELETE_RETENTION_MS,
        min_cleanable_dirty_ratio: 0.0,
        ..LogConfig::default()
    }
}

fn cleaner(dedupe_buffer_bytes: usize) -> CleanerConfig {
    CleanerConfig { dedupe_buffer_bytes, ..CleanerConfig::new([1, 2]) }
}

fn open(storage: &MemoryStorage, hints: RecoveryHints) -> Partition {
    let dir = PathBuf::from("t-0");
    Partition::open(Arc::new(storage.clone()), dir, config(), LeaderEpoch(0), hints).expect("memory works").0
}

fn hints(partition: &Partition) -> RecoveryHints {
    let checkpoint = partition.checkpoint();
    RecoveryHints {
        clean_shutdown: false,
        recovery_point: checkpoint.recovery_point,
        log_start_offset: checkpoint.log_start_offset,
        first_dirty: checkpoint.first_dirty,
    }
}

/// A record as a reader gets it: its offset, its time, its key, its value.
type Read = (i64, i64, u8, Option<Vec<u8>>);

fn read_all(partition: &Partition) -> Vec<Read> {
    let (mut from, mut all) = (partition.log_start_offset(), Vec::new());
    while from < partition.log_end_offset() {
        let mut bytes = Vec::new();
        let region = partition.read(from, 700).expect("the offset is in range");
        region.read_to(&mut bytes).expect("memory works");
        let mut rest = bytes.as_slice();
        assert!(!rest.is_empty(), "a read at {from}, before the end, gives a batch");
        while !rest.is_empty() {
            let header = check_batch(rest).expect("only whole, right batches are handed out");
            assert!(header.base_offset >= from || header.last_offset() >= from, "batches come in order");
            let plain = opened(rest, &header).expect("what was taken can be opened");
            for record in opened_records(header, &plain) {
                let record = record.expect("what was taken can be read");
                let key = record.key.expect("every record has a key")[0];
                all.push((record.offset.0, record.timestamp_ms, key, record.value.map(<[u8]>::to_vec)));
            }
            from = header.next_offset();
            rest = &rest[header.total_len()..];
        }
    }
    assert!(all.is_sorted_by(|one, other| one.0 < other.0), "offsets count up: {all:?}");
    all
}

/// What a reader of all that knows: of each key the newest value, of those that are not gone.
fn table(records: &[Read]) -> BTreeMap<u8, Vec<u8>> {
    let mut table = BTreeMap::new();
    for (_, _, key, value) in records {
        match value {
            Some(value) => drop(table.insert(*key, value.clone())),
            None => drop(table.remove(key)),
        }
    }
    table
}

#[derive(Clone, Debug)]
enum Step {
    /// A batch of records; a value of no bytes is none.
    Append {
        compression: Compression,
        stamped: bool,
        records: Vec<(u8, u8)>,
    },
    Clean {
        dedupe_buffer_bytes: usize,
    },
    Wait {
        ms: i64,
    },
    /// The idempotent producer sends its last batch again.
    Resend,
    Flush,
    Kill,
}

fn append() -> impl Strategy<Value = Step> {
    let records = vec((0..12u8, 0..40u8), 1..6);
    (select(&Compression::ALL), any::<bool>(), records)
        .prop_map(|(compression, stamped, records)| Step::Append { compression, stamped, records })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => append(),
        3 => select(vec![48usize, 240, 1 << 20])
            .prop_map(|dedupe_buffer_bytes| Step::Clean { dedupe_buffer_bytes }),
        2 => (0..800i64).prop_map(|ms| Step::Wait { ms }),
        1 => Just(Step::Resend),
        1 => Just(Step::Flush),
        1 => Just(Step::Kill),
    ]
}

/// A partition and all that was ever appended to it.
struct World {
    storage: MemoryStorage,
    partition: Partition,
    all: Vec<Read>,
    /// When each tombstone was first met by a cleaning.
    cleaned_ms: BTreeMap<i64, i64>,
    sequence: i32,
    last_stamped: Option<(Offset, Vec<u8>)>,
    now_ms: i64,
}

impl World {
    fn new() -> Self {
        let storage = MemoryStorage::new();
        let partition = open(&storage, RecoveryHints::default());
        Self {
            storage,
            partition,
            all: Vec::new(),
            cleaned_ms: BTreeMap::new(),
            sequence: 0,
            last_stamped: None,
            now_ms: 1_000_000,
        }
    }

    fn append(&mut self, compression: Compression, stamped: bool, records: &[(u8, u8)]) {
        let mut batch = BatchBuilder::new().compression(compression);
        if stamped {
            let base_sequence = self.sequence;
            batch = batch.producer(ProducerStamp { producer_id: 7, producer_epoch: 0, base_sequence });
            self.sequence += records.len() as i32;
        }
        let end = self.partition.log_end_offset().0;
        for (offset, &(key, len)) in (end..).zip(records) {
            // Clocks are not in step.
            let timestamp_ms = self.now_ms + i64::from(key) * 7 - 40;
            let value = (len > 5).then(|| vec![offset as u8; usize::from(len)]);
            batch.push(timestamp_ms, Some(&[key]), value.as_deref());
            self.all.push((offset, timestamp_ms, key, value));
        }
        let batch = batch.finish().to_vec();
        let appended = self.partition.append(&batch, self.now_ms).expect("there is room");
        assert_eq!(appended.base_offset.0, end);
        if stamped {
            self.last_stamped = Some((appended.base_offset, batch));
        }
    }

    /// What is there is some of what was appended, unchanged, and tells the same table.
    fn check(&self) {
        let left = read_all(&self.partition);
        for record in &left {
            assert!(self.all.binary_search(record).is_ok(), "{record:?} was never appended");
        }
        assert_eq!(table(&left), table(&self.all));
        assert_eq!(self.partition.log_end_offset().0, self.all.len() as i64, "the end stays");
        let newest: BTreeMap<u8, &Read> = self.all.iter().map(|record| (record.2, record)).collect();
        for tombstone in newest.into_values().filter(|record| record.3.is_none()) {
            let cleaned_ms = self.cleaned_ms.get(&tombstone.0);
            if cleaned_ms.is_none_or(|cleaned_ms| self.now_ms < cleaned_ms + DELETE_RETENTION_MS) {
                assert!(left.contains(tombstone), "{tombstone:?} goes too early");
            }
        }
    }

    /// A cleaning for which there was room leaves one record of each key before the active segment.
    fn clean(&mut self, dedupe_buffer_bytes: usize) {
        let cleaned = self.partition.clean(&cleaner(dedupe_buffer_bytes), self.now_ms);
        let Some(_) = cleaned.expect("memory works") else { return };
        let first_dirty = self.partition.checkpoint().first_dirty.0;
        for (offset, ..) in self.all.iter().filter(|record| record.3.is_none() && record.0 < first_dirty) {
            self.cleaned_ms.entry(*offset).or_insert(self.now_ms);
        }
        let left = read_all(&self.partition);
        let clean: Vec<u8> = left.iter().filter(|read| read.0 < first_dirty).map(|read| read.2).collect();
        let keys: BTreeSet<u8> = clean.iter().copied().collect();
        assert_eq!(clean.len(), keys.len(), "before {first_dirty}: {clean:?}");
    }

    fn run(&mut self, step: &Step) {
        match step {
            Step::Append { compression, stamped, records } => self.append(*compression, *stamped, records),
            Step::Clean { dedupe_buffer_bytes } => self.clean(*dedupe_buffer_bytes),
            Step::Resend => {
                if let Some((base_offset, batch)) = &self.last_stamped {
                    let answer = self.partition.append(batch, self.now_ms).expect("it is known");
                    assert_eq!(answer.base_offset, *base_offset, "it is stored once");
                }
            }
            Step::Wait { ms } => self.now_ms += ms,
            Step::Flush => self.partition.flush().expect("memory works"),
            Step::Kill => {
                self.storage = self.storage.kill();
                self.partition = open(&self.storage, hints(&self.partition));
            }
        }
        self.check();
    }
}

/// What is written again is compressed as hard as the topic says.
#[test]
fn a_cleaned_batch_has_the_level_of_its_topic() {
    let text: String = (0..3_000u64).map(|n| (n * n).to_string()).collect();
    for (compression, levels) in [
        (Compression::Gzip, [1, 9].map(|gzip| Levels { gzip, ..Levels::default() })),
        (Compression::Zstd, [-5, 19].map(|zstd| Levels { zstd, ..Levels::default() })),
    ] {
        let [fast, slow] = levels.map(|compression_levels| {
            let storage: Arc<MemoryStorage> = Arc::default();
            let config = LogConfig { compression_levels, segment_bytes: 50_000, ..config() };
            let opened =
                Partition::open(storage, "t-0".into(), config, LeaderEpoch(0), RecoveryHints::default());
            let mut partition = opened.expect("memory works").0;
            let mut batch = BatchBuilder::new().compression(compression);
            for (key, value) in [("a", "old"), ("a", "new"), ("b", &text)] {
                batch.push(0, Some(key.as_bytes()), Some(value.as_bytes()));
            }
            let batch = batch.finish();
            for _ in 0..9 {
                partition.append(&batch, 0).expect("there is room");
            }
            partition.clean(&cleaner(1 << 20), 0).expect("memory works").expect("it is dirty");
            let left = read_all(&partition);
            assert!(left.len() < 27, "{} records are left", left.len());
            partition.size_bytes()
        });
        assert!(slow < fast, "{compression:?}: {slow} bytes at the highest level, {fast} at the lowest");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_reads_a_compacted_log_knows_what_who_reads_all_of_it_knows(steps in vec(step(), 1..60)) {
        let mut world = World::new();
        for step in &steps {
            world.run(step);
        }
    }

    /// The disk goes away after every one of a cleaning's changes; then a kill, or a power loss.
    #[test]
    fn a_crash_between_any_two_steps_loses_nothing(
        before in vec(append(), 12..30),
        behind in vec(append(), 1..12),
        dedupe_buffer_bytes in select(vec![240usize, 1 << 20]),
    ) {
        let mut world = World::new();
        for step in &before {
            world.run(step);
        }
        world.run(&Step::Clean { dedupe_buffer_bytes });
        for step in &behind {
            world.run(step);
        }
        // All that a power loss could take is what the cleaning itself writes.
        world.partition.flush().expect("memory works");
        let hints = hints(&world.partition);
        for changes in 0.. {
            let storage = world.storage.kill();
            let mut partition = open(&storage, hints);
            storage.fail_after(Some(changes));
            let done = partition.clean(&cleaner(dedupe_buffer_bytes), world.now_ms);
            storage.fail_after(None);
            for (crash, survivor) in [("kill", storage.kill()), ("power loss", storage.crash(|_, _| 0))] {
                let partition = open(&survivor, hints);
                let left = read_all(&partition);
                prop_assert_eq!(table(&left), table(&world.all), "{} after {} changes", crash, changes);
                prop_assert_eq!(partition.log_end_offset().0, world.all.len() as i64);
                prop_assert!(left.iter().all(|record| world.all.binary_search(record).is_ok()));
                let rest = survivor.sizes().iter().any(|(path, _)| {
                    path.extension().is_some_and(|end| end == "cleaned" || end == "swap")
                });
                prop_assert!(!rest, "what was not finished is gone after a start");
            }
            // And who reads meanwhile reads on.
            prop_assert_eq!(table(&read_all(&partition)), table(&world.all));
            if done.is_ok() {
                break;
            }
        }
    }
}
