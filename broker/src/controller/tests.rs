//! Ways out of a full disk.

use std::path::Path;
use std::sync::Arc;

use protocol::Uuid;
use protocol::records::BatchBuilder;

use super::{TopicConfig, TopicError, Topics};
use crate::log::{LogConfig, LogDir, MemoryStorage, StorageError};

fn open(storage: &MemoryStorage) -> Topics {
    let storage: Arc<MemoryStorage> = Arc::new(storage.clone());
    let log_dir = LogDir::open(storage.clone(), "data".into()).unwrap();
    let defaults = LogConfig { index_interval_bytes: 0, ..LogConfig::default() };
    Topics::open(storage, log_dir, Path::new("data"), defaults).unwrap()
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
        topics.checkpoint(&[]).unwrap();
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
