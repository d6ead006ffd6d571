//! What the records view of the dashboard reads of a real broker, and what redriving sends.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use client::{
    Admin, Commit, GroupConsumer, GroupOptions, NewTopic, Outgoing, Polled, Producer, ProducerOptions,
    Settings, Since, TopicPartition,
};
use common::{Broker, PATIENCE, call, until};
use dashboard::{
    Action, Command, NewRecord, OffsetSpec, PageStart, Progress, RecordAt, RecordPage, RecordQuery, Request,
    Source, Target,
};
use protocol::produce::{PartitionData, ProduceRequest, TopicData};
use protocol::records::{BatchBuilder, Compression, Header};
use scenarios::business::map;
use scenarios::controller::ShowController;
use scenarios::observe::watch::Watch;
use scenarios::observe::{Show, ShowConfig};
use scenarios::records::{MOST_ROWS, REDRIVE_HEADER, RecordReader, redrive};

/// A broker with topics, and a way to write to them.
struct World {
    broker: Broker,
    _folder: tempfile::TempDir,
    settings: Settings,
    admin: Admin,
    producer: Producer,
}

impl World {
    fn with(topics: &[(&str, i32)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let broker = Broker::start(&folder.path().join("log"));
        let settings = Settings::new(&broker.address);
        let admin = Admin::connect(&settings, PATIENCE).unwrap();
        let new = |&(name, partitions): &(&str, i32)| NewTopic {
            name: name.into(),
            partitions,
            configs: Vec::new(),
        };
        admin.create(&topics.iter().map(new).collect::<Vec<_>>()).unwrap();
        let producer = Producer::new(&settings, &ProducerOptions::stream()).unwrap();
        Self { broker, _folder: folder, settings, admin, producer }
    }

    fn send(&self, topic: &str, partition: i32, key: &str, value: &str, sent_ms: Option<i64>) {
        let record = Outgoing {
            topic,
            partition: Some(partition),
            key: Some(key.as_bytes()),
            value: Some(value.as_bytes()),
            timestamp_ms: sent_ms,
            ..Outgoing::default()
        };
        self.producer.send(record, PATIENCE).unwrap();
    }

    /// A dead letter about a record of `swipes`.
    fn send_letter(&self, consumer: &str, partition: i32, offset: i64) {
        let letter = format!(
            r#"{{"topic":"swipes","partition":{partition},"offset":{offset},"consumer":"{consumer}","error":"not JSON","value_base64":""}}"#
        );
        self.send("dead_letters", 0, "swipes", &letter, None);
        self.producer.flush(PATIENCE).unwrap();
    }

    /// Waits for a page that answers `query` and is as it should be. Each try asks the broker.
    fn page(
        &self,
        reader: &RecordReader,
        query: &RecordQuery,
        is_so: impl Fn(&RecordPage) -> bool,
    ) -> Arc<RecordPage> {
        reader.ask(query.clone());
        let mut found = None;
        until("the page", || {
            self.admin.topics().unwrap();
            let page = reader.page();
            found = page.filter(|page| page.query == *query && page.source == Source::Live && is_so(page));
            found.is_some()
        });
        found.unwrap()
    }
}

/// The controller of a dashboard that is attached to a cluster, and what its keys ask for.
struct Attached {
    controller: ShowController,
    ask: Sender<Request>,
    requests: Receiver<Request>,
    commands: u64,
}

impl Attached {
    fn to(settings: &Settings) -> Self {
        let show = Show::new(ShowConfig {
            name: "a cluster".into(),
            bootstrap: settings.servers().to_owned(),
            clock: None,
            seed: None,
            period_ms: 3_600_000,
            database: None,
            map: map(None).unwrap(),
            businesses: Vec::new(),
            ends: false,
        });
        let watch = Watch::start(settings, Since::Now).unwrap();
        let admin = Admin::connect(settings, PATIENCE).unwrap();
        let (ask, requests) = channel();
        Self { controller: ShowController::new(show, watch, admin, None), ask, requests, commands: 0 }
    }

    /// Takes observations until it knows of a group.
    fn await_group(&mut self, group: &str) {
        until("the group", || {
            self.controller.take_in(Duration::from_millis(50));
            let groups = self.controller.snapshot().groups.data;
            groups.iter().any(|known| known.id == group && !known.partitions.is_empty())
        });
    }

    /// What came of a command, in words, or why nothing did.
    fn run(&mut self, action: Action, target: Target) -> Result<String, String> {
        self.commands += 1;
        let id = self.commands;
        self.ask.send(Request::Control(Command { id, action, target })).unwrap();
        let mut came = None;
        until("what came of a command", || {
            self.controller.obey(&self.requests);
            self.controller.take_in(Duration::from_millis(20));
            let snapshot = self.controller.snapshot();
            let control = snapshot.controls.iter().find(|control| control.id == id).unwrap();
            came = match &control.progress {
                Progress::Requested | Progress::Accepted => None,
                Progress::Observed => Some(Ok(control.note.clone().unwrap_or_default())),
                Progress::Failed { reason } => Some(Err(reason.clone())),
            };
            came.is_some()
        });
        came.unwrap()
    }
}

fn offsets(page: &RecordPage, partition: i32) -> Vec<i64> {
    page.rows.iter().filter(|row| row.at.partition == partition).map(|row| row.at.offset).collect()
}

#[test]
fn the_records_of_a_topic_are_paged_filtered_and_followed() {
    let world = World::with(&[("mine", 2)]);
    let compacted = vec![("cleanup.policy".to_owned(), "compact".to_owned())];
    world.admin.set_configs(&[("mine", compacted)]).unwrap();
    // A thousand in each partition, a second apart, in turns.
    for number in 0..2_000_i64 {
        let key = format!("key-{}", number / 2 % 10);
        world.send("mine", (number % 2) as i32, &key, &format!("value {number}"), Some((number + 1) * 1_000));
    }
    world.producer.flush(PATIENCE).unwrap();
    let newest = RecordQuery::newest("mine");
    let reader = RecordReader::start(&world.settings, newest.clone()).unwrap();

    let page = world.page(&reader, &newest, |_| true);
    assert_eq!((page.rows.len(), page.partitions), (MOST_ROWS, 2));
    assert_eq!(page.cleanup_policy.as_deref(), Some("compact"));
    assert_eq!(page.rows.last().unwrap().value.as_deref(), Some("value 1999"));
    assert!(page.rows.is_sorted_by_key(|row| row.sent_ms), "merged by time");
    assert!(page.has_before && !page.has_after);

    let before = RecordQuery { start: PageStart::Before(page.from.clone()), ..newest.clone() };
    let page = world.page(&reader, &before, |_| true);
    assert_eq!(offsets(&page, 1), (500..750).collect::<Vec<_>>(), "the page before");
    let after = RecordQuery { start: PageStart::After(page.to.clone()), ..newest.clone() };
    let page = world.page(&reader, &after, |_| true);
    assert_eq!(offsets(&page, 1), (750..1_000).collect::<Vec<_>>(), "and there again");

    let from = |place| RecordQuery { start: PageStart::From(place), ..newest.clone() };
    let page = world.page(&reader, &from(OffsetSpec::Beginning), |_| true);
    assert_eq!((offsets(&page, 0)[0], page.has_before, page.has_after), (0, false, true));
    let page = world.page(&reader, &from(OffsetSpec::Offset(998)), |_| true);
    assert_eq!(page.rows.len(), 4, "two of each partition");
    let page = world.page(&reader, &from(OffsetSpec::At(1_991_500)), |_| true);
    assert_eq!(page.rows[0].value.as_deref(), Some("value 1991"));

    let one = RecordQuery { key: "key-3".into(), partition: Some(1), ..newest.clone() };
    let page = world.page(&reader, &one, |_| true);
    assert_eq!((page.rows.len(), page.examined), (100, 1_000));
    assert!(page.rows.iter().all(|row| row.at.partition == 1 && row.key.as_deref() == Some("key-3")));

    // What comes is seen while it is followed, and not while it is paused.
    world.page(&reader, &newest, |_| true);
    world.send("mine", 0, "key-0", "one more", None);
    world.producer.flush(PATIENCE).unwrap();
    let is_new = |page: &RecordPage| page.rows.last().unwrap().value.as_deref() == Some("one more");
    world.page(&reader, &newest, is_new);
    let paused = RecordQuery { paused: true, ..newest.clone() };
    world.page(&reader, &paused, is_new);
    world.send("mine", 0, "key-0", "another", None);
    world.producer.flush(PATIENCE).unwrap();
    let whole = Some(RecordAt { partition: 0, offset: 1_001 });
    let page = world.page(&reader, &RecordQuery { whole, ..paused }, |_| true);
    assert!(is_new(&page), "the page stands");
    assert_eq!(page.whole.as_ref().unwrap().value.as_deref(), Some("another"), "and any record can be seen");
}

/// Any client may write headers that are no text, on which the binding panics.
#[test]
fn a_record_is_shown_whole_whatever_is_in_it() {
    let world = World::with(&[("any", 1)]);
    let mut batch = BatchBuilder::new().compression(Compression::Gzip);
    let headers = [Header { key: b"\xff\x00", value: Some(b"\x9b2J") }, Header { key: b"none", value: None }];
    batch.push_with_headers(7_000, None, Some(&[0xfe, 0x1b, b'a']), &headers);
    let partitions = vec![PartitionData { index: 0, records: Some(batch.finish()) }];
    let topics = vec![TopicData { name: "any".into(), partitions }];
    let request = ProduceRequest { acks: -1, timeout_ms: 10_000, topics, ..Default::default() };
    call(&world.broker.address, 7, &request);

    let query =
        RecordQuery { whole: Some(RecordAt { partition: 0, offset: 0 }), ..RecordQuery::newest("any") };
    let reader = RecordReader::start(&world.settings, query.clone()).unwrap();
    let page = world.page(&reader, &query, |_| true);
    let whole = page.whole.as_ref().unwrap();
    assert_eq!((whole.sent_ms, whole.key.as_deref(), whole.bytes), (Some(7_000), None, 3));
    assert!(whole.value.as_ref().unwrap().starts_with("fe 1b 61"), "{whole:?}");
    assert_eq!(whole.headers[1], ("none".to_owned(), None));
    assert_eq!(whole.problem, None);
}

/// Once for each record, however many letters there are about it; with its key and headers, to
/// where it came from; and not in circles.
#[test]
fn the_records_of_dead_letters_are_sent_again() {
    let world = World::with(&[("swipes", 2), ("dead_letters", 1)]);
    let record = Outgoing {
        topic: "swipes",
        partition: Some(1),
        key: Some(b"card"),
        value: Some(b"rubbish"),
        headers: &[("trace", b"7")],
        ..Outgoing::default()
    };
    world.producer.send(record, PATIENCE).unwrap();
    world.send("swipes", 0, "card", "other rubbish", None);
    world.producer.flush(PATIENCE).unwrap();
    world.send_letter("fraud", 1, 0);
    world.send_letter("notifications", 1, 0);
    world.send_letter("fraud", 0, 0);
    // A record that is not there, and a letter that is none.
    world.send_letter("fraud", 0, 77);
    world.send("dead_letters", 0, "swipes", "{}", None);
    world.producer.flush(PATIENCE).unwrap();

    let all = redrive(&world.settings, "dead_letters", None);
    assert_eq!(all.as_deref(), Ok("2 records sent again · 1 gone or unreadable"));
    let again =
        |partition, offset| world.admin.record(&TopicPartition::new("swipes", partition), offset).unwrap();
    let first = again(1, 1).unwrap();
    assert_eq!((first.key.as_deref(), first.value.as_deref()), (Some(&b"card"[..]), Some(&b"rubbish"[..])));
    let header = |name: &str| {
        first.headers.iter().find(|(known, _)| known == name.as_bytes()).and_then(|(_, value)| value.clone())
    };
    assert_eq!(header("trace").unwrap(), b"7");
    assert_eq!(header(REDRIVE_HEADER).unwrap(), b"dead_letters/0@0");

    // A second time there is nothing to do.
    let all = redrive(&world.settings, "dead_letters", None);
    assert_eq!(all.as_deref(), Ok("no letters since they were redriven last"));
    assert!(again(1, 2).is_none(), "nothing was sent twice");
    // It dies again: it is sent a third time only if its letter is named.
    world.send_letter("fraud", 1, 1);
    let all = redrive(&world.settings, "dead_letters", None).unwrap();
    assert_eq!(all, "0 records sent again · 1 left out: redriven before, died again");
    let only = Some(RecordAt { partition: 0, offset: 5 });
    assert_eq!(redrive(&world.settings, "dead_letters", only).as_deref(), Ok("1 record sent again"));
    let no_letter = Some(RecordAt { partition: 0, offset: 4 });
    assert_eq!(redrive(&world.settings, "dead_letters", no_letter), Err("it is no dead letter".to_owned()));
}

/// A letter comes from outside: it may name any topic, partition and offset.
#[test]
fn a_letter_about_nothing_holds_up_no_other() {
    let world = World::with(&[("swipes", 1), ("dead_letters", 1)]);
    world.send("swipes", 0, "card", "rubbish", None);
    let nothing = [("nowhere", 0, 0), ("no\\u0000name", 0, 0), ("swipes", 99, 0), ("swipes", -1, i64::MIN)];
    for (topic, partition, offset) in nothing {
        let letter = format!(
            r#"{{"topic":"{topic}","partition":{partition},"offset":{offset},"error":"not JSON","value_base64":""}}"#
        );
        world.send("dead_letters", 0, "swipes", &letter, None);
    }
    world.send_letter("fraud", 0, 0);

    let all = redrive(&world.settings, "dead_letters", None);
    assert_eq!(all.as_deref(), Ok("1 record sent again · 4 gone or unreadable"));
    let only = Some(RecordAt { partition: 0, offset: 2 });
    let refused = redrive(&world.settings, "dead_letters", only).unwrap_err();
    assert!(refused.contains("swipes/99@0"), "{refused}");
    let names = world.admin.topics().unwrap().into_iter().map(|info| info.name);
    // The broker has one of its own, for the offsets of groups.
    let topics: Vec<_> = names.filter(|name| name != "__consumer_offsets").collect();
    assert_eq!(topics, ["dead_letters", "swipes"], "to ask for a topic makes none");
}

/// On any cluster, without a worker of ours: a topic is created, a record is sent to it, and a
/// group is set to a place once it is empty.
#[test]
fn topics_records_and_offsets_of_any_cluster() {
    let world = World::with(&[("theirs", 2)]);
    let mut attached = Attached::to(&world.settings);
    let mine = || Target::Topic("mine".into());
    let create = Action::CreateTopic { partitions: 3, retention_ms: Some(60_000) };
    assert_eq!(attached.run(create, mine()).as_deref(), Ok("created with 3 partitions"));
    assert_eq!(world.admin.partitions("mine"), Ok(3));
    let retention = world.admin.configs("mine").unwrap();
    assert!(retention.contains(&("retention.ms".to_owned(), "60000".to_owned())), "{retention:?}");
    let again = attached.run(create, mine());
    assert_eq!(again, Err("there is a topic of this name already".to_owned()));

    let record = |topic: &str| {
        Target::Record(NewRecord { topic: topic.into(), key: Some("k".into()), value: "v".into() })
    };
    let sent = attached.run(Action::Send, record("mine")).unwrap();
    let partition = sent.strip_prefix("partition ").and_then(|sent| sent.strip_suffix(", offset 0")).unwrap();
    let at = TopicPartition::new("mine", partition.parse().unwrap());
    assert_eq!(world.admin.record(&at, 0).unwrap().unwrap().key.as_deref(), Some(&b"k"[..]));
    let nowhere = attached.run(Action::Send, record("nowhere")).unwrap_err();
    assert!(nowhere.contains("has no topic nowhere"), "{nowhere}");

    for number in 0..20 {
        world.send("theirs", number % 2, "k", "v", Some(i64::from(number + 1) * 1_000));
    }
    world.producer.flush(PATIENCE).unwrap();
    let partitions = [0, 1].map(|partition| TopicPartition::new("theirs", partition));
    let commits = partitions.clone().map(|at| Commit { at, offset: 5, metadata: String::new() });
    world.admin.commit("reader", &commits).unwrap();
    attached.await_group("reader");
    let reader = || Target::Group("reader".into());
    let committed = || world.admin.committed_offsets("reader", &partitions).unwrap();
    for (place, expected, said) in [
        (OffsetSpec::Beginning, [0, 0], "offset 0"),
        (OffsetSpec::End, [10, 10], "offset 10"),
        (OffsetSpec::Offset(7), [7, 7], "offset 7"),
        // It says where they are now, and not what was asked for.
        (OffsetSpec::Offset(99), [10, 10], "offset 10"),
        (OffsetSpec::At(10_000), [5, 4], "offsets 4 to 5"),
    ] {
        let words = format!("2 partitions set to {said}");
        assert_eq!(attached.run(Action::Reset(place), reader()), Ok(words));
        assert_eq!(committed(), expected.map(Some), "{place}");
    }

    let options = GroupOptions::default();
    let member = GroupConsumer::join(&world.settings, "reader", &["theirs"], &options).unwrap();
    while !matches!(member.poll(PATIENCE).unwrap(), Polled::Assigned(_)) {}
    let refused = attached.run(Action::Reset(OffsetSpec::Beginning), reader()).unwrap_err();
    assert!(refused.contains("Stable with 1 members: stop them"), "{refused}");
    assert_eq!(committed(), [Some(5), Some(4)], "nothing was moved");
}
