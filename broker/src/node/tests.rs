//! What the cluster has through crashes, and ways out of a full disk.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::arbitrary::any;
use proptest::collection::vec;
use proptest::strategy::Strategy;
use proptest::{prop_assert, prop_assert_eq, proptest};
use protocol::Uuid;
use protocol::describe_configs::{BROKER, GROUP};
use protocol::records::{BatchBuilder, Offset, check_batch};

use super::{Node, OpenError};
use crate::BrokerConfig;
use crate::controller::{Image, Metadata, Placement, ResourceConfig, Topic, TopicConfig, TopicError};
use crate::log::{LogConfig, LogDir, MemoryStorage, Storage, StorageError};
use crate::replica::PartitionHandle;

fn open(storage: &MemoryStorage) -> Node {
    try_open(storage).unwrap()
}

fn try_open(storage: &MemoryStorage) -> Result<Node, OpenError> {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let storage: Arc<dyn Storage> = Arc::new(storage.clone());
    let log = LogConfig { index_interval_bytes: 0, ..LogConfig::default() };
    let config = BrokerConfig { log, ..BrokerConfig::new("data") };
    Node::open(config, &storage, || LAST.fetch_add(1, Ordering::Relaxed), 0)
}

/// Makes a topic of as many partitions, on this broker.
fn create(node: &Node, name: &str, id: u8, partitions: i32) -> Result<Arc<Topic>, TopicError> {
    let placement = Placement::Spread { partitions, replication_factor: 1 };
    node.create_topic(name, Uuid([id; 16]), &placement, TopicConfig::default())
}

/// The replica of a topic's first partition.
fn first(node: &Node, topic: &str) -> Arc<PartitionHandle> {
    Arc::clone(node.replicas.topic(topic).unwrap().partition(0).unwrap())
}

/// Appends to a topic until its disk is full.
fn fill(storage: &MemoryStorage, node: &Node, name: &str) {
    let mut batch = BatchBuilder::new();
    batch.push(1_000, None, Some(&[7; 1_000]));
    let batch = batch.finish();
    storage.limit_capacity(Some(20_000));
    while first(node, name).lock().append(&batch, 1_000).is_ok() {}
    // And the last bytes, on which a change would just fit.
    storage.limit_capacity(Some(0));
}

/// What is remembered of the topics.
fn topics(node: &Node) -> Vec<Topic> {
    node.metadata.topics().iter().map(|topic| Topic::clone(topic)).collect()
}

fn names(node: &Node) -> Vec<String> {
    node.metadata.topics().iter().map(|topic| topic.name.to_string()).collect()
}

/// What is set for the broker and for groups stands in the log of topics, and must outlive what is
/// written again of it.
#[test]
fn settings_of_resources_outlive_a_snapshot_and_a_kill() {
    let storage = MemoryStorage::new();
    let node = open(&storage);
    let config = |values: &[(&str, &str)]| -> ResourceConfig {
        values.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let of_broker = config(&[("log.segment.bytes", "1000"), ("of.a.newer.program", "1")]);
    node.configure_resource(BROKER, "", &of_broker).unwrap();
    // Much that is undone again, so that the snapshot pays.
    for number in 0..20 {
        let often = config(&[("share.delivery.count.limit", &format!("{}", number % 9 + 2))]);
        node.configure_resource(GROUP, "g", &often).unwrap();
    }
    node.configure_resource(GROUP, "gone", &config(&[("streams.num.standby.replicas", "1")])).unwrap();
    node.configure_resource(GROUP, "gone", &config(&[])).unwrap();
    let of_group = node.metadata.resource_config(GROUP, "g");
    for written_again in [false, true] {
        if written_again {
            node.metadata.make_log_due();
            let before = node.metadata.leader();
            node.checkpoint().unwrap();
            assert_ne!(node.metadata.leader(), before, "nothing was written again");
        }
        let again = open(&storage.kill());
        assert_eq!(again.metadata.resource_config(BROKER, ""), of_broker);
        assert_eq!(again.metadata.resource_config(GROUP, "g"), of_group);
        assert_eq!(again.metadata.resources_of(GROUP), ["g"]);
        assert_eq!(again.metadata.defaults().log_config(&TopicConfig::default()).segment_bytes, 1_000);
    }
}

#[test]
fn a_topic_can_be_deleted_to_make_room_on_a_full_disk_again_and_again() {
    let storage = MemoryStorage::new();
    let node = open(&storage);
    for name in ["a", "b", "kept"] {
        create(&node, name, name.as_bytes()[0], 1).unwrap();
    }
    for name in ["a", "b"] {
        fill(&storage, &node, name);
        node.delete_topic(name).unwrap();
        // What the topic had is free now, and some of it is set aside again.
        node.checkpoint().unwrap();
    }
    assert_eq!(names(&node), ["kept"]);
    assert_eq!(names(&open(&storage.kill())), ["kept"]);
}

#[test]
fn retention_can_be_shortened_on_a_full_disk() {
    let storage = MemoryStorage::new();
    let node = open(&storage);
    create(&node, "t", 1, 1).unwrap();
    fill(&storage, &node, "t");
    let mut config = TopicConfig::default();
    config.set("retention.ms", "1").unwrap();
    node.configure_topic("t", &config).unwrap();
    assert_eq!(open(&storage.kill()).metadata.topic("t").unwrap().config, config);
}

#[test]
fn what_was_killed_on_a_full_disk_is_opened_and_read() {
    let storage = MemoryStorage::new();
    let node = open(&storage);
    create(&node, "t", 1, 1).unwrap();
    fill(&storage, &node, "t");
    let end = first(&node, "t").lock().log_end_offset();
    assert!(end.0 > 5, "{end} records fit");
    let killed = storage.kill();
    killed.limit_capacity(Some(0));
    let again = open(&killed);
    assert_eq!(first(&again, "t").lock().log_end_offset(), end);
    again.delete_topic("t").unwrap();
}

#[test]
fn a_topic_that_could_not_be_made_leaves_nothing() {
    let storage = MemoryStorage::new();
    let node = open(&storage);
    create(&node, "t", 1, 1).unwrap();
    let before = storage.sizes();
    storage.limit_capacity(Some(0));
    let full = |error: &TopicError| matches!(error, TopicError::Storage(StorageError { .. }));
    assert!(create(&node, "u", 2, 3).is_err_and(|error| full(&error)));
    assert!(node.grow_topic("t", 3, None).is_err_and(|error| full(&error)));
    assert_eq!(storage.sizes(), before);
    storage.limit_capacity(None);
    create(&node, "u", 2, 3).unwrap();
    node.grow_topic("t", 3, None).unwrap();
}

/// A change of what the cluster has, drawn from a row of numbers.
fn change(node: &Node, [kind, number, value]: [u8; 3]) -> bool {
    let name = format!("t{}", number % 5);
    let id = Uuid([kind, number, value, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    let mut config = TopicConfig::default();
    config.set("retention.ms", &value.to_string()).unwrap();
    let of_resource = |name: &str| -> ResourceConfig { [(name.to_owned(), value.to_string())].into() };
    match kind % 8 {
        0 | 1 => {
            let partitions = i32::from(value % 3) + 1;
            let placement = Placement::Spread { partitions, replication_factor: 1 };
            node.create_topic(&name, id, &placement, config).is_ok()
        }
        2 => node.delete_topic(&name).is_ok(),
        3 => node.grow_topic(&name, i32::from(value % 6), None).is_ok(),
        4 => node.configure_topic(&name, &config).is_ok(),
        5 => node.configure_topic(&name, &TopicConfig::default()).is_ok(),
        6 => node.configure_resource(BROKER, "", &of_resource("log.roll.ms")).is_ok(),
        _ if value < 99 => node.configure_resource(GROUP, &name, &ResourceConfig::new()).is_ok(),
        _ => node.configure_resource(GROUP, &name, &of_resource("consumer.session.timeout.ms")).is_ok(),
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
            let node = open(&storage);
            prop_assert_eq!(&topics(&node), &promised);
            let mut maybe = Vec::new();
            for (at, &drawn) in changes.iter().enumerate() {
                if at == usize::from(trouble.after % 12) {
                    storage.limit_capacity(trouble.capacity.map(u64::from));
                    storage.fail_syncs(trouble.syncs_fail);
                }
                if trouble.snapshot {
                    node.metadata.make_log_due();
                    let _fails_in_trouble = node.checkpoint();
                }
                let before = topics(&node);
                // What the change would have come to, had it been promised.
                let wanted = {
                    let healthy = storage.kill();
                    let other = open(&healthy);
                    prop_assert!(trouble.syncs_fail || topics(&other) == before);
                    change(&other, drawn);
                    topics(&other)
                };
                if !change(&node, drawn) {
                    prop_assert_eq!(&topics(&node), &before, "half a change in memory");
                    if trouble.syncs_fail {
                        maybe.push(wanted);
                    }
                }
            }
            promised = topics(&node);
            drop(node);
            storage = if trouble.power_loss {
                storage.crash(|_, unsynced| unsynced * usize::from(trouble.kept) / 255)
            } else {
                storage.kill()
            };
            let found = topics(&open(&storage));
            prop_assert!(found == promised || maybe.contains(&found), "{found:?} is neither {promised:?} nor of {maybe:?}");
            promised = found;
        }
    }

    /// An image is what its log says, whatever has changed and however often the log was written
    /// again.
    #[test]
    fn an_image_is_its_log_replayed(
        lives in vec((vec(any::<[u8; 3]>(), 1..12), any::<bool>()), 1..6),
    ) {
        let mut storage = MemoryStorage::new();
        for (changes, snapshot) in lives {
            let node = open(&storage);
            for drawn in changes {
                change(&node, drawn);
                prop_assert_eq!(&replayed(&storage), &*node.metadata.image());
            }
            if snapshot {
                node.metadata.make_log_due();
                node.checkpoint().unwrap();
                prop_assert_eq!(&replayed(&storage), &*node.metadata.image());
            }
            storage = storage.kill();
        }
    }
}

/// What the log comes to.
fn replayed(storage: &MemoryStorage) -> Image {
    let killed: Arc<dyn Storage> = Arc::new(storage.kill());
    let log_dir = LogDir::open(Arc::clone(&killed), "data".into()).unwrap();
    let metadata =
        Metadata::open(&killed, &log_dir, Path::new("data"), 1, LogConfig::default(), 7, 0).unwrap();
    metadata.image().clone()
}

#[test]
fn the_log_of_topics_is_written_again_when_it_is_mostly_old_changes() {
    let storage = MemoryStorage::new();
    let node = open(&storage);
    create(&node, "kept", 1, 2).unwrap();
    let size = || -> usize {
        let sizes = storage.sizes().into_iter();
        sizes.filter(|(path, _)| path.starts_with("data/__cluster_metadata-0")).map(|(_, size)| size).sum()
    };
    let few = size();
    let mut config = TopicConfig::default();
    for round in 0..50_000 {
        config.set("retention.ms", &round.to_string()).unwrap();
        node.configure_topic("kept", &config).unwrap();
        if round % 100 == 0 {
            node.checkpoint().unwrap();
            assert!(size() < few + 4_300 * 120, "{} bytes for one topic after {round} changes", size());
            assert_eq!(topics(&open(&storage.kill())), topics(&node), "after {round} changes");
        }
    }
}

#[test]
fn a_change_costs_the_same_however_many_topics_there_are() {
    let storage = MemoryStorage::new();
    let node = open(&storage);
    let written = |number: u32| {
        let before: usize = storage.sizes().iter().map(|(_, size)| size).sum();
        let id = Uuid(u128::from(number + 1).to_be_bytes());
        let placement = Placement::Spread { partitions: 1, replication_factor: 1 };
        node.create_topic(&format!("t{number:04}"), id, &placement, TopicConfig::default()).unwrap();
        storage.sizes().iter().map(|(_, size)| size).sum::<usize>() - before
    };
    written(0);
    let first = written(1);
    for number in 2..500 {
        written(number);
    }
    assert_eq!(written(500), first);
    assert!(first < 300, "{first} bytes for one topic");
}

/// A change must not copy ten thousand topics.
#[test]
fn a_change_copies_no_topic_but_its_own() {
    let storage = MemoryStorage::new();
    let node = open(&storage);
    for (id, name) in (1..).zip(["a", "b", "c"]) {
        create(&node, name, id, 3).unwrap();
    }
    let before = node.metadata.topics();
    create(&node, "d", 9, 1).unwrap();
    node.grow_topic("b", 5, None).unwrap();
    let after = node.metadata.topics();
    let same = |at: usize| Arc::ptr_eq(&before[at], &after[at]);
    assert_eq!([same(0), same(1), same(2)], [true, false, true]);
    assert_eq!((before[1].partitions.len(), after[1].partitions.len()), (3, 5));
}

#[test]
fn the_text_file_of_an_older_broker_is_moved_into_the_log_whenever_a_crash_comes() {
    const OLD: &str = "version 1\ntopic clicks BwcHBwcHBwcHBwcHBwcHBw 4\nconfig retention.ms 7000\n\
                       topic trips CQkJCQkJCQkJCQkJCQkJCQ 1\n";
    let storage = MemoryStorage::new();
    let file = Path::new("data/topics");
    storage.put(file, OLD.as_bytes());
    let node = open(&storage);
    let old = topics(&node);
    let told: Vec<_> = old
        .iter()
        .map(|topic| (&*topic.name, topic.id, topic.partitions.len(), topic.config.get("retention.ms")))
        .collect();
    assert_eq!(told, [("clicks", Uuid([7; 16]), 4, Some("7000")), ("trips", Uuid([9; 16]), 1, None)]);
    assert!(old.iter().flat_map(|topic| &topic.partitions).all(|partition| partition.leader == Some(1)));
    assert!(!storage.exists(file));
    node.delete_topic("trips").unwrap();
    assert_eq!(topics(&open(&storage.crash(|_, _| 0))), old[..1]);
    // A crash between the last record and the file's end: the file counts, and none of it twice.
    let killed = storage.kill();
    killed.put(file, OLD.as_bytes());
    assert_eq!(topics(&open(&killed)), old);
    assert_eq!(topics(&open(&killed.kill())), old);
}

#[test]
fn damage_in_the_middle_is_an_error_and_a_torn_end_is_not() {
    let storage = MemoryStorage::new();
    let node = open(&storage);
    for name in ["a", "b", "c"] {
        create(&node, name, name.as_bytes()[0], 1).unwrap();
    }
    let path = Path::new("data/__cluster_metadata-0/00000000000000000000.log");
    let whole = storage.bytes(path).unwrap();
    // The broker is registered by the first batch, and each topic made by one.
    let mut at = 0;
    for _ in 0..3 {
        let len = check_batch(&whole[at..]).unwrap().total_len();
        for in_batch in 0..len {
            let damaged = storage.kill();
            let mut bytes = whole.clone();
            bytes[at + in_batch] ^= 1;
            damaged.put(path, &bytes);
            // What the broker writes into a batch itself no checksum covers.
            let is_covered = in_batch >= 8 && !(12..16).contains(&in_batch);
            assert!(!is_covered || try_open(&damaged).is_err(), "byte {in_batch} at {at}");
        }
        at += len;
    }
    let torn = storage.kill();
    torn.put(path, &whole[..whole.len() - 1]);
    assert_eq!(names(&open(&torn)), ["a", "b"]);
}

/// What a broker may do with a partition depends on its id.
#[test]
fn a_directory_of_another_broker_is_refused_and_left_as_it_is() {
    let storage = MemoryStorage::new();
    create(&open(&storage), "t", 1, 1).unwrap();
    let path = Path::new("data/meta.properties");
    let others = String::from_utf8(storage.bytes(path).unwrap()).unwrap().replace("node.id=1", "node.id=3");
    storage.put(path, others.as_bytes());
    let before = storage.sizes();
    let refused = try_open(&storage).unwrap_err();
    let says = "it is that of broker 3, and this is broker 1: give each a directory of its own";
    assert_eq!((refused.to_string(), storage.sizes()), (says.to_owned(), before));
}

/// The checkpoints of a deleted topic must not be those of the next that has its name, and on a
/// full disk they can't be written again at the start.
#[test]
fn a_start_on_a_full_disk_behind_a_deletion_succeeds_and_what_is_made_again_inherits_nothing() {
    let storage = MemoryStorage::new();
    let node = open(&storage);
    create(&node, "t", 1, 1).unwrap();
    let mut batch = BatchBuilder::new();
    (0..9).for_each(|_| batch.push(1_000, None, Some(b"old")));
    let old = batch.finish();
    first(&node, "t").lock().append(&old, 1_000).unwrap();
    first(&node, "t").lock().delete_records(Some(Offset(9))).unwrap();
    node.checkpoint().unwrap();
    node.delete_topic("t").unwrap();
    let killed = storage.kill();
    killed.limit_capacity(Some(0));
    let again = open(&killed);
    assert!(create(&again, "t", 2, 1).is_err());
    killed.limit_capacity(None);
    create(&again, "t", 2, 1).unwrap();
    first(&again, "t").lock().append(&old, 1_000).unwrap();
    let third = open(&killed.kill());
    let partition = first(&third, "t");
    let partition = partition.lock();
    assert_eq!((partition.log_start_offset(), partition.log_end_offset()), (Offset(0), Offset(9)));
}

/// The epoch of each reign that the metadata log tells of.
fn reigns(storage: &MemoryStorage) -> Vec<i32> {
    let path = Path::new("data/__cluster_metadata-0/00000000000000000000.log");
    let bytes = storage.bytes(path).expect("the log is there");
    let (mut rest, mut epochs) = (bytes.as_slice(), Vec::new());
    while let Ok(header) = check_batch(rest) {
        if header.attributes.is_control() {
            epochs.push(header.partition_leader_epoch.0);
        }
        rest = &rest[header.total_len()..];
    }
    epochs
}

#[test]
fn a_broker_that_is_alone_is_elected_at_each_start_in_a_later_epoch() {
    let mut storage = MemoryStorage::new();
    for start in 1..=3 {
        let node = open(&storage);
        let leader = node.metadata.leader();
        assert_eq!((leader.leader_id, leader.leader_epoch.0), (1, start));
        create(&node, &format!("t{start}"), start as u8, 1).unwrap();
        assert!(node.metadata.leader().high_watermark > leader.high_watermark);
        storage = storage.crash(|_, _| 0);
    }
    assert_eq!(reigns(&storage), [1, 2, 3]);
    assert_eq!(names(&open(&storage)), ["t1", "t2", "t3"]);
}

/// What a version left that knew of no elections, and what is left when the file is lost.
#[test]
fn without_its_state_a_voter_takes_the_epochs_of_its_log() {
    let storage = MemoryStorage::new();
    drop(open(&storage));
    drop(open(&storage));
    let state = Path::new("data/__cluster_metadata-0/quorum-state");
    let old = storage.bytes(state).unwrap();
    storage.remove(state).unwrap();
    assert_eq!(open(&storage).metadata.leader().leader_epoch.0, 3);
    // Restored from a copy that is older than the log.
    storage.put(state, &old);
    assert_eq!(open(&storage).metadata.leader().leader_epoch.0, 4);
    assert_eq!(reigns(&storage), [1, 2, 3, 4]);
}

#[test]
fn a_state_that_can_not_be_believed_stops_the_start_and_is_left_as_it_is() {
    let storage = MemoryStorage::new();
    drop(open(&storage));
    let state = Path::new("data/__cluster_metadata-0/quorum-state");
    let long = vec![0xff; 90_000];
    for bytes in [&b""[..], b"{}", b"{\"leaderEpoch\":-7}", &long] {
        storage.put(state, bytes);
        let error = try_open(&storage).unwrap_err().to_string();
        assert!(error.contains("quorum-state"), "{error}");
        assert_eq!(storage.bytes(state).as_deref(), Some(bytes));
    }
}
