//! Topics through crashes, and ways out of a full disk.

use std::path::Path;
use std::sync::Arc;

use proptest::arbitrary::any;
use proptest::collection::vec;
use proptest::strategy::Strategy;
use proptest::{prop_assert, prop_assert_eq, proptest};
use protocol::Uuid;
use protocol::describe_configs::{BROKER, GROUP};
use protocol::records::{BatchBuilder, Offset};

use super::resources::ResourceConfig;
use super::topics_file::{self, TopicEntry};
use super::{TopicConfig, TopicError, Topics};
use crate::log::{LogConfig, LogDir, MemoryStorage, Storage, StorageError};

fn open(storage: &MemoryStorage) -> Topics {
    try_open(storage).unwrap()
}

fn try_open(storage: &MemoryStorage) -> Result<Topics, TopicError> {
    let storage: Arc<MemoryStorage> = Arc::new(storage.clone());
    let log_dir = LogDir::open(storage.clone(), "data".into()).unwrap();
    let defaults = LogConfig { index_interval_bytes: 0, ..LogConfig::default() };
    Topics::open(storage, log_dir, Path::new("data"), 1, defaults)
}

/// Appends to a topic until its disk is full.
fn fill(storage: &MemoryStorage, topics: &Topics, name: &str) {
    let mut batch = BatchBuilder::new();
    batch.push(1_000, None, Some(&[7; 1_000]));
    let batch = batch.finish();
    storage.limit_capacity(Some(20_000));
    let topic = topics.get(name).unwrap();
    while topic.partitions[0].lock().append(&batch, 1_000).is_ok() {}
    // And the last bytes, on which the registry would just fit.
    storage.limit_capacity(Some(0));
}

fn names(topics: &Topics) -> Vec<String> {
    topics.all().iter().map(|topic| topic.name.to_string()).collect()
}

/// What is set for the broker and for groups stands in the log of topics, and must outlive what is
/// written again of it.
#[test]
fn settings_of_resources_outlive_a_snapshot_and_a_kill() {
    let storage = MemoryStorage::new();
    let topics = open(&storage);
    let config = |values: &[(&str, &str)]| -> ResourceConfig {
        values.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let of_broker = config(&[("log.segment.bytes", "1000"), ("of.a.newer.program", "1")]);
    topics.configure_resource(BROKER, "", of_broker.clone()).unwrap();
    // Much that is undone again, so that the snapshot pays.
    for number in 0..20 {
        let often = config(&[("share.delivery.count.limit", &format!("{}", number % 9 + 2))]);
        topics.configure_resource(GROUP, "g", often).unwrap();
    }
    topics.configure_resource(GROUP, "gone", config(&[("streams.num.standby.replicas", "1")])).unwrap();
    topics.configure_resource(GROUP, "gone", config(&[])).unwrap();
    let of_group = topics.resource_config(GROUP, "g");
    for written_again in [false, true] {
        if written_again {
            topics.make_log_due();
            let before = topics.metadata_end();
            topics.checkpoint().unwrap();
            assert_ne!(topics.metadata_end(), before, "nothing was written again");
        }
        let again = open(&storage.kill());
        assert_eq!(again.resource_config(BROKER, ""), of_broker);
        assert_eq!(again.resource_config(GROUP, "g"), of_group);
        assert_eq!(again.resources_of(GROUP), ["g"]);
        assert_eq!(again.defaults().log_config(&TopicConfig::default()).segment_bytes, 1_000);
    }
}

#[test]
fn a_topic_can_be_deleted_to_make_room_on_a_full_disk_again_and_again() {
    let storage = MemoryStorage::new();
    let topics = open(&storage);
    for name in ["a", "b", "kept"] {
        topics.create(name, Uuid([name.as_bytes()[0]; 16]), 1, TopicConfig::default()).unwrap();
    }
    for name in ["a", "b"] {
        fill(&storage, &topics, name);
        topics.delete(name).unwrap();
        // What the topic had is free now, and some of it is set aside again.
        topics.checkpoint().unwrap();
    }
    assert_eq!(names(&topics), ["kept"]);
    assert_eq!(names(&open(&storage.kill())), ["kept"]);
}

#[test]
fn retention_can_be_shortened_on_a_full_disk() {
    let storage = MemoryStorage::new();
    let topics = open(&storage);
    topics.create("t", Uuid([1; 16]), 1, TopicConfig::default()).unwrap();
    fill(&storage, &topics, "t");
    let mut config = TopicConfig::default();
    config.set("retention.ms", "1").unwrap();
    topics.configure("t", &config).unwrap();
    assert_eq!(open(&storage.kill()).get("t").unwrap().config, config);
}

#[test]
fn what_was_killed_on_a_full_disk_is_opened_and_read() {
    let storage = MemoryStorage::new();
    let topics = open(&storage);
    topics.create("t", Uuid([1; 16]), 1, TopicConfig::default()).unwrap();
    fill(&storage, &topics, "t");
    let end = topics.get("t").unwrap().partitions[0].lock().log_end_offset();
    assert!(end.0 > 5, "{end} records fit");
    let killed = storage.kill();
    killed.limit_capacity(Some(0));
    let again = open(&killed);
    assert_eq!(again.get("t").unwrap().partitions[0].lock().log_end_offset(), end);
    again.delete("t").unwrap();
}

#[test]
fn a_topic_that_could_not_be_made_leaves_nothing() {
    let storage = MemoryStorage::new();
    let topics = open(&storage);
    topics.create("t", Uuid([1; 16]), 1, TopicConfig::default()).unwrap();
    let before = storage.sizes();
    storage.limit_capacity(Some(0));
    let full = |error: &TopicError| matches!(error, TopicError::Storage(StorageError { .. }));
    let made = topics.create("u", Uuid([2; 16]), 3, TopicConfig::default());
    assert!(made.is_err_and(|error| full(&error)));
    assert!(topics.grow("t", 3).is_err_and(|error| full(&error)));
    assert_eq!(storage.sizes(), before);
    storage.limit_capacity(None);
    topics.create("u", Uuid([2; 16]), 3, TopicConfig::default()).unwrap();
    topics.grow("t", 3).unwrap();
}

/// What is remembered of the topics.
fn entries(topics: &Topics) -> Vec<TopicEntry> {
    topics.all().iter().map(|topic| topic.entry()).collect()
}

/// A change of topics, drawn from a row of numbers.
fn change(topics: &Topics, [kind, number, value]: [u8; 3]) -> bool {
    let name = format!("t{}", number % 5);
    let id = Uuid([kind, number, value, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    let mut config = TopicConfig::default();
    config.set("retention.ms", &value.to_string()).unwrap();
    match kind % 5 {
        0 => topics.create(&name, id, i32::from(value % 3) + 1, config).is_ok(),
        1 => topics.delete(&name).is_ok(),
        2 => topics.grow(&name, i32::from(value % 6)).is_ok(),
        3 => topics.configure(&name, &config).is_ok(),
        _ => topics.configure(&name, &TopicConfig::default()).is_ok(),
    }
}

/// How a life of the broker goes wrong, and how it ends.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    after: u8,
    capacity: Option<u16>,
    syncs_fail: bool,
    snapshot: bool,
    power_loss: bool,
    kept: u8,
}

fn troubles() -> impl Strategy<Value = Trouble> {
    any::<(u8, Option<u16>, bool, bool, bool, u8)>().prop_map(
        |(after, capacity, syncs_fail, snapshot, power_loss, kept)| Trouble {
            after,
            capacity: capacity.map(|bytes| bytes % 4_096),
            syncs_fail,
            snapshot,
            power_loss,
            kept,
        },
    )
}

proptest! {
    /// Whatever fails and whenever the end comes, the next run has what was promised: all changes
    /// that were answered, and of the one that was not, all or nothing.
    #[test]
    fn no_crash_loses_or_halves_a_change(
        lives in vec((vec(any::<[u8; 3]>(), 1..12), troubles()), 1..6),
    ) {
        let mut storage = MemoryStorage::new();
        let mut promised = Vec::new();
        for (changes, trouble) in lives {
            let topics = open(&storage);
            prop_assert_eq!(&entries(&topics), &promised);
            let mut maybe = Vec::new();
            for (at, &drawn) in changes.iter().enumerate() {
                if at == usize::from(trouble.after % 12) {
                    storage.limit_capacity(trouble.capacity.map(u64::from));
                    storage.fail_syncs(trouble.syncs_fail);
                }
                if trouble.snapshot {
                    topics.make_log_due();
                    let _fails_in_trouble = topics.checkpoint();
                }
                let before = entries(&topics);
                // What the change would have come to, had it been promised.
                let wanted = {
                    let healthy = storage.kill();
                    let other = open(&healthy);
                    prop_assert!(trouble.syncs_fail || entries(&other) == before);
                    change(&other, drawn);
                    entries(&other)
                };
                if !change(&topics, drawn) {
                    prop_assert_eq!(&entries(&topics), &before, "half a change in memory");
                    if trouble.syncs_fail {
                        maybe.push(wanted);
                    }
                }
            }
            promised = entries(&topics);
            drop(topics);
            storage = if trouble.power_loss {
                storage.crash(|_, unsynced| unsynced * usize::from(trouble.kept) / 255)
            } else {
                storage.kill()
            };
            let found = entries(&open(&storage));
            prop_assert!(found == promised || maybe.contains(&found), "{found:?} is neither {promised:?} nor of {maybe:?}");
            promised = found;
        }
    }
}

#[test]
fn the_log_of_topics_is_written_again_when_it_is_mostly_old_changes() {
    let storage = MemoryStorage::new();
    let topics = open(&storage);
    topics.create("kept", Uuid([1; 16]), 2, TopicConfig::default()).unwrap();
    let size = || -> usize {
        let sizes = storage.sizes().into_iter();
        sizes.filter(|(path, _)| path.starts_with("data/__cluster_metadata-0")).map(|(_, size)| size).sum()
    };
    let few = size();
    let mut config = TopicConfig::default();
    for round in 0..50_000 {
        config.set("retention.ms", &round.to_string()).unwrap();
        topics.configure("kept", &config).unwrap();
        if round % 100 == 0 {
            topics.checkpoint().unwrap();
            assert!(size() < few + 4_300 * 120, "{} bytes for one topic after {round} changes", size());
            assert_eq!(entries(&open(&storage.kill())), entries(&topics), "after {round} changes");
        }
    }
}

#[test]
fn a_change_costs_the_same_however_many_topics_there_are() {
    let storage = MemoryStorage::new();
    let topics = open(&storage);
    let written = |topics: &Topics, number: u32| {
        let before: usize = storage.sizes().iter().map(|(_, size)| size).sum();
        let id = Uuid(u128::from(number + 1).to_be_bytes());
        topics.create(&format!("t{number:04}"), id, 1, TopicConfig::default()).unwrap();
        storage.sizes().iter().map(|(_, size)| size).sum::<usize>() - before
    };
    written(&topics, 0);
    let first = written(&topics, 1);
    for number in 2..500 {
        written(&topics, number);
    }
    assert_eq!(written(&topics, 500), first);
    assert!(first < 300, "{first} bytes for one topic");
}

#[test]
fn the_text_file_of_an_older_broker_is_moved_into_the_log_whenever_a_crash_comes() {
    let mut config = TopicConfig::default();
    config.set("retention.ms", "7000").unwrap();
    let old = [
        TopicEntry { name: "clicks".into(), id: Uuid([7; 16]), partitions: 4, config },
        TopicEntry { name: "trips".into(), id: Uuid([9; 16]), partitions: 1, config: TopicConfig::default() },
    ];
    let storage = MemoryStorage::new();
    let file = Path::new("data/topics");
    storage.put(file, topics_file::encode(old.iter()).as_bytes());
    let topics = open(&storage);
    assert_eq!(entries(&topics), old);
    assert!(!storage.exists(file));
    topics.delete("trips").unwrap();
    assert_eq!(entries(&open(&storage.crash(|_, _| 0))), old[..1]);
    // A crash between the last record and the file's end: the file counts, and none of it twice.
    let killed = storage.kill();
    killed.put(file, topics_file::encode(old.iter()).as_bytes());
    assert_eq!(entries(&open(&killed)), old);
    assert_eq!(entries(&open(&killed.kill())), old);
}

#[test]
fn damage_in_the_middle_is_an_error_and_a_torn_end_is_not() {
    let storage = MemoryStorage::new();
    let topics = open(&storage);
    for name in ["a", "b", "c"] {
        topics.create(name, Uuid([name.as_bytes()[0]; 16]), 1, TopicConfig::default()).unwrap();
    }
    let path = Path::new("data/__cluster_metadata-0/00000000000000000000.log");
    let whole = storage.bytes(path).unwrap();
    let third = whole.len() / 3;
    for at in 0..third * 2 {
        let damaged = storage.kill();
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        // What the broker writes into a batch itself no checksum covers.
        let in_batch = at % third;
        damaged.put(path, &bytes);
        let opened = try_open(&damaged);
        assert!(in_batch < 8 || (12..16).contains(&in_batch) || opened.is_err(), "byte {at}");
    }
    let torn = storage.kill();
    torn.put(path, &whole[..whole.len() - 1]);
    assert_eq!(names(&open(&torn)), ["a", "b"]);
}

/// The checkpoints of a deleted topic must not be those of the next that has its name, and on a
/// full disk they can't be written again at the start.
#[test]
fn a_start_on_a_full_disk_behind_a_deletion_succeeds_and_what_is_made_again_inherits_nothing() {
    let storage = MemoryStorage::new();
    let topics = open(&storage);
    topics.create("t", Uuid([1; 16]), 1, TopicConfig::default()).unwrap();
    let mut batch = BatchBuilder::new();
    (0..9).for_each(|_| batch.push(1_000, None, Some(b"old")));
    let old = batch.finish();
    let partition = |topics: &Topics| Arc::clone(&topics.get("t").unwrap().partitions[0]);
    partition(&topics).lock().append(&old, 1_000).unwrap();
    partition(&topics).lock().delete_records(Some(Offset(9))).unwrap();
    topics.checkpoint().unwrap();
    topics.delete("t").unwrap();
    let killed = storage.kill();
    killed.limit_capacity(Some(0));
    let again = open(&killed);
    assert!(again.create("t", Uuid([2; 16]), 1, TopicConfig::default()).is_err());
    killed.limit_capacity(None);
    again.create("t", Uuid([2; 16]), 1, TopicConfig::default()).unwrap();
    partition(&again).lock().append(&old, 1_000).unwrap();
    let third = open(&killed.kill());
    let partition = partition(&third);
    let partition = partition.lock();
    assert_eq!((partition.log_start_offset(), partition.log_end_offset()), (Offset(0), Offset(9)));
}
