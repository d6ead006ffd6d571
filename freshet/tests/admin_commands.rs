//! The commands that arrange a cluster: `freshet topics` (`create`, `alter`, `describe`, `delete`)
//! and `freshet groups` (`describe`, `reset`, `delete`); and `freshet send`.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Child, Stdio};

use client::{
    Admin, GroupConsumer, GroupOptions, Outgoing, Polled, Producer, ProducerOptions, Settings, TopicPartition,
};
use common::{Broker, PATIENCE, freshet, lines, signal, until};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A broker, and the program run against it.
struct World {
    broker: Broker,
    _folder: tempfile::TempDir,
}

/// What a run came to: its exit code, and what it wrote and said.
type Ran = (i32, String, String);

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { broker: Broker::start(folder.path()), _folder: folder }
    }

    /// Runs a command whose words are parted by blanks, with nobody to ask.
    fn run(&self, words: &str) -> Ran {
        self.run_with(words, "")
    }

    /// The same, with this on standard input.
    fn run_with(&self, words: &str, input: &str) -> Ran {
        let mut running = self.start(words);
        // It may end before it has read all of it.
        let _ = running.stdin.take().unwrap().write_all(input.as_bytes());
        let ran = running.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (ran.status.code().unwrap(), text(ran.stdout), text(ran.stderr))
    }

    fn start(&self, words: &str) -> Child {
        freshet()
            .args(words.split_whitespace())
            .env("FRESHET_BOOTSTRAP_SERVERS", &self.broker.address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// What it says when it does what it is asked for.
    fn done(&self, words: &str) -> String {
        let (code, out, said) = self.run(words);
        assert_eq!(code, 0, "{words}: {said}");
        out + &said
    }

    /// Expects a refusal that says so, in one line.
    fn refused(&self, words: &str, because: &str) {
        let (code, out, said) = self.run(words);
        assert_eq!((code, &*out), (1, ""), "{words}: {said}");
        assert!(said.contains(because) && said.lines().count() == 1, "{words}: {said}");
    }

    /// Sends so many records without a key to one partition.
    fn fill(&self, topic: &str, partition: i32, records: usize) {
        let producer =
            Producer::new(&Settings::new(&self.broker.address), &ProducerOptions::stream()).unwrap();
        for _ in 0..records {
            let record = Outgoing {
                topic,
                partition: Some(partition),
                key: Some(b"k"),
                value: Some(b"v"),
                ..Outgoing::default()
            };
            producer.send(record, PATIENCE).unwrap();
        }
        producer.flush(PATIENCE).unwrap();
    }

    /// What the group has committed for the two partitions of `log`.
    fn committed(&self, group: &str) -> [Option<i64>; 2] {
        let partitions = [0, 1].map(|partition| TopicPartition::new("log", partition));
        self.admin().committed_offsets(group, &partitions).unwrap().try_into().unwrap()
    }

    fn admin(&self) -> Admin {
        Admin::connect(&Settings::new(&self.broker.address), PATIENCE).unwrap()
    }
}

#[test]
fn topics_are_created_altered_and_described_in_kafkas_words() {
    let world = World::new();
    let said = world.done("topics create pay --partitions 3 --config retention.ms=3600000");
    assert_eq!(said, "created pay: 3 partitions, replication factor 1\n");
    world.refused("topics create pay", "there is a topic pay already");
    let said = world.done("topics create pay --partitions 9 --if-not-exists");
    assert_eq!(said, "pay is there already: 3 partitions, replication factor 1; it stays as it is\n");
    assert_eq!(world.done("topics create usual"), "created usual: 4 partitions, replication factor 1\n");
    // The cluster's own words, which librdkafka's binding does not hand on.
    world.refused("topics create no --config foo.bar=1", "unknown topic config foo.bar");
    world.refused("topics create no/no", "\"no/no\" can't be the name of a topic");
    world.refused("topics create no --replication-factor 2", "there is one broker");
    for usage in ["topics create no --partitions 0", "topics create no --config =a", "topics alter pay"] {
        assert_eq!(world.run(usage).0, 2, "{usage}");
    }

    let said = world.done("topics alter pay --config cleanup.policy=compact --delete-config retention.ms");
    let expected = "pay: cleanup.policy delete (default) → compact\n\
                    pay: retention.ms 3600000 → 604800000 (default)\n";
    assert_eq!(said, expected);
    let settings = world.admin().configs("pay").unwrap();
    assert!(settings.contains(&("cleanup.policy".to_owned(), "compact".to_owned())), "{settings:?}");
    world.refused("topics alter pay --config nope=1 --config retention.ms=1", "unknown topic config nope");
    world.refused("topics alter pay --delete-config nope", "pay has no setting nope");
    world.refused("topics alter pay --config a=1 --delete-config a", "a stands behind --config and");
    world.refused("topics alter pay --partitions 3", "pay has 3 partitions already");
    world.refused("topics alter pay --partitions 2", "a topic can't get fewer");
    assert_eq!(world.admin().configs("pay").unwrap(), settings, "all settings are altered or none");
    assert!(world.done("topics alter pay --partitions 5").starts_with("pay: 3 → 5 partitions"));

    world.fill("pay", 1, 1_200);
    let said = world.done("topics describe pay");
    let expected = "pay: 5 partitions, replication factor 1, cleanup.policy compact\n\n\
                    partition  leader  replicas  ISR  log start  log end  records\n";
    assert!(said.starts_with(expected), "{said}");
    assert!(said.contains("\n        1       1         1    1          0     1200  ≤ 1,200\n"), "{said}");
    assert!(
        said.ends_with("\n\nsetting         value    set by\ncleanup.policy  compact  topic\n"),
        "{said}"
    );
    assert!(world.done("topics describe pay --all").contains("\nmax.message.bytes "));
    let json: serde_json::Value =
        serde_json::from_str(&world.done("topics describe pay --format jsonl")).unwrap();
    let of_one = &json["partitions"][1];
    assert_eq!((&of_one["log_end"], &of_one["elr"]), (&1_200.into(), &serde_json::json!([])), "{json}");
    let alone = serde_json::json!([{ "name": "cleanup.policy", "value": "compact", "set_by": "topic" }]);
    assert_eq!(json["settings"], alone);
    assert!(
        world
            .done("topics describe usual")
            .ends_with("All settings have their defaults (--all shows them).\n")
    );
    for command in ["describe nope", "alter nope --partitions 9"] {
        world.refused(&format!("topics {command}"), "has no topic nope");
    }
    assert_eq!(world.admin().topics().unwrap().len(), 2, "to ask for a topic makes none");
}

/// Offsets of a compacted topic are no count of its records, and the broker's own topic is told
/// from those of others.
#[test]
fn the_list_of_topics_says_how_each_is_kept() {
    let world = World::new();
    world.done("topics create table --partitions 1 --config cleanup.policy=compact");
    world.done("topics create log --partitions 2");
    world.fill("table", 0, 1_200);
    world.fill("log", 1, 1_200);
    world.done("groups reset reader --topic log:1 --to 7 --execute");
    let said = world.done("topics");
    let expected = "topic               partitions  replication  cleanup.policy  records now  total written  internal\n\
                    __consumer_offsets          12            1  compact                 ≤ 1              1  yes\n\
                    log                          2            1  delete                1,200          1,200  no\n\
                    table                        1            1  compact             ≤ 1,200          1,200  no\n";
    assert_eq!(said, expected);
    let said = world.done("topics --format jsonl");
    let lines: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["internal"], true);
    assert_eq!(lines[2]["cleanup_policy"], "compact");
    assert_eq!(lines[1]["partitions"][1]["log_end"], 1_200);
}

#[test]
fn topics_are_deleted_all_or_none_and_only_when_it_is_meant() {
    let world = World::new();
    for topic in ["one", "two", "three"] {
        world.done(&format!("topics create {topic} --partitions 2"));
    }
    world.fill("one", 0, 1);
    let names = || world.admin().topics().unwrap().into_iter().map(|topic| topic.name).collect::<Vec<_>>();
    world.refused("topics delete one", "to delete the topic one with 1 record can't be undone");
    world.refused("topics delete one nope --yes", "has no topic nope");
    assert_eq!(names(), ["one", "three", "two"], "nothing is gone");
    let said = world.done("topics delete one nope two one --yes --if-exists");
    assert_eq!(said, "there is no topic nope\ndeleted 2 topics (one, two) with 1 record\n");
    assert_eq!(names(), ["three"]);
}

#[test]
fn topics_that_kafka_keeps_for_itself_are_deleted_by_none_who_has_not_said_so() {
    let world = World::new();
    world.done("topics create log --partitions 1");
    world.done("groups reset reader --topic log --to beginning --execute");
    let lost = "says how far all consumer groups are: that would be lost; add --internal";
    world.refused("topics delete log __consumer_offsets --yes", lost);
    // Ours keeps it whatever is said, and says why itself.
    world.refused("topics delete __consumer_offsets --yes --internal", "is the broker's own");
    assert_eq!(world.admin().topics().unwrap().len(), 2);
}

/// What it means is for the broker to say.
#[test]
fn a_setting_may_be_nothing() {
    let world = World::new();
    world.done("topics create pay --config leader.replication.throttled.replicas=");
    let said = world.done("topics alter pay --config follower.replication.throttled.replicas=");
    assert!(said.ends_with(" → (empty)\n"), "{said}");
}

#[test]
fn a_group_of_which_nothing_is_known_but_that_it_is_there_is_listed() {
    let world = World::new();
    world.done("topics create log --partitions 1");
    world.done("groups reset reader --topic log --to beginning --execute");
    world.done("groups delete reader --topic log --yes");
    let said = world.done("groups");
    assert!(
        said.contains("\nreader  Empty      –          –          –        –    –      –     –\n"),
        "{said}"
    );
    let line: serde_json::Value = serde_json::from_str(&world.done("groups --format jsonl")).unwrap();
    assert_eq!((&line["group"], &line["topic"]), (&"reader".into(), &serde_json::Value::Null));
}

/// Both ends of a terminal: the one with the keyboard, and the one that programs see.
fn pseudo_terminal() -> (File, File) {
    let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&keyboard).unwrap();
    unlockpt(&keyboard).unwrap();
    let name = ptsname(&keyboard, Vec::new()).unwrap();
    let terminal = File::options().read(true).write(true).open(OsStr::from_bytes(name.as_bytes())).unwrap();
    (File::from(keyboard), terminal)
}

#[test]
fn on_a_terminal_it_is_asked_and_only_yes_deletes() {
    let world = World::new();
    world.done("topics create pay --partitions 2");
    for (answer, code, left) in [("\n", 1, 1), ("no\n", 1, 1), ("\u{4}", 1, 1), ("yes\n", 0, 0)] {
        let (mut keyboard, terminal) = pseudo_terminal();
        let mut asked = freshet()
            .args(["topics", "delete", "pay", "--bootstrap-servers", &world.broker.address])
            .stdin(terminal.try_clone().unwrap())
            .stdout(Stdio::null())
            .stderr(terminal)
            .spawn()
            .unwrap();
        // The terminal keeps what is typed until it is read.
        keyboard.write_all(answer.as_bytes()).unwrap();
        assert_eq!(asked.wait().unwrap().code(), Some(code), "{answer:?}");
        assert_eq!(world.admin().topics().unwrap().len(), left, "{answer:?}");
    }
}

#[test]
fn offsets_are_moved_only_when_it_is_said_and_to_where_records_are() {
    let world = World::new();
    world.done("topics create log --partitions 2");
    world.fill("log", 0, 10);
    world.fill("log", 1, 4);
    world.refused("groups describe reader", "has no group reader");
    let said = world.done("groups reset reader --topic log --to 7");
    let expected = "topic  partition  old  new  lag then  note\n\
                    log            0    –    7         3\n\
                    log            1    –    4         0  7 is not there\n\
                    reader (a group that is not there yet): nothing is moved; with --execute 2 partitions would be\n";
    assert_eq!(said, expected);
    assert_eq!(world.committed("reader"), [None, None]);
    world.refused("groups reset reader --all-topics --to end", "reader has committed nothing yet");
    world.refused("groups reset reader --topic log --to -3", "log/0: nothing is committed to count from");
    world.refused(
        "groups reset reader --topic log:0,2 --to 3",
        "log has no partition 2: they are numbered from 0 to 1",
    );
    world.refused("groups reset reader --topic nope --to 3", "has no topic nope");
    for usage in ["--to end", "--topic log", "--topic log --all-topics --to end", "--topic log: --to end"] {
        assert_eq!(world.run(&format!("groups reset reader {usage}")).0, 2, "{usage}");
    }
    for (to, expected) in [
        ("--topic log --to 7", [7, 4]),
        ("--all-topics --to -2", [5, 2]),
        ("--topic log:1 --to +1", [5, 3]),
        ("--all-topics --to -4", [1, 0]),
        ("--all-topics --to end", [10, 4]),
        ("--topic log:0 --to 15m", [0, 4]),
        ("--topic log:0 --to 2100-01-01", [10, 4]),
        ("--all-topics --to beginning", [0, 0]),
        ("--topic log:0,0 --topic log:0 --to +9223372036854775807", [10, 0]),
    ] {
        let said = world.done(&format!("groups reset reader {to} --execute"));
        assert!(said.contains("reader: the committed offsets of "), "{to}: {said}");
        assert_eq!(world.committed("reader"), expected.map(Some), "{to}");
    }
    let said = world.done("groups reset reader --topic log:0 --to 3 --format jsonl");
    let line: serde_json::Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    let expected = serde_json::json!({
        "group": "reader", "topic": "log", "partition": 0, "old": 10, "new": 3, "wanted": 3, "executed": false,
    });
    assert_eq!(line, expected);
}

#[test]
fn a_group_with_members_is_described_and_neither_moved_nor_deleted() {
    let world = World::new();
    world.done("topics create log --partitions 2");
    world.done("topics create other --partitions 1");
    world.fill("log", 0, 10);
    world.done("groups reset reader --topic log --topic other --to beginning --execute");
    let settings = Settings::new(&world.broker.address).with_client_id("me-1");
    let options = GroupOptions::default();
    let member = GroupConsumer::join(&settings, "reader", &["log"], &options).unwrap();
    while !matches!(member.poll(PATIENCE).unwrap(), Polled::Assigned(_)) {}

    let stop = "the group reader is Stable with 1 member: stop me-1 on 127.0.0.1, then ";
    world.refused("groups reset reader --all-topics --to end --execute", &format!("{stop}move its offsets"));
    world.refused("groups reset reader --all-topics --to end", stop);
    world.refused("groups delete reader --yes", &format!("{stop}delete it"));
    world.refused("groups delete reader --topic log --yes", &format!("{stop}delete its offsets"));
    let said = world.done("groups delete reader --topic other --yes");
    assert_eq!(
        said, "deleted what the group reader had committed for other (1 partition)\n",
        "none of it reads that"
    );
    world.refused(
        "groups delete reader --topic other --yes",
        "the group reader has committed nothing for other",
    );

    let said = world.done("groups describe reader");
    let first = format!(
        "reader: Stable, 1 member, protocol type consumer, assignor range, coordinator 1 ({})\n",
        world.broker.address
    );
    assert!(said.starts_with(&first), "{said}");
    assert!(said.contains("\nme-1    127.0.0.1  log:0,1     "), "{said}");
    let json: serde_json::Value =
        serde_json::from_str(&world.done("groups describe reader --format jsonl")).unwrap();
    let [full, empty] = &json["partitions"].as_array().unwrap()[..] else { panic!("two partitions: {json}") };
    assert_eq!((&full["committed"], &full["lag_records"]), (&0.into(), &10.into()), "{json}");
    let sent = full["next_unread_sent"].as_str().unwrap();
    assert!(sent.parse::<events::Timestamp>().is_ok() && empty["next_unread_sent"].is_null(), "{json}");

    drop(member);
    world.refused(
        "groups delete reader",
        "to delete the group reader with all that was committed can't be undone",
    );
    world.refused("groups delete reader nope --yes", "has no group nope");
    assert_eq!(world.done("groups delete reader --yes"), "deleted the group reader\n");
    world.refused("groups describe reader", "has no group reader");
}

/// Sends `input` to a new topic of one partition; what is said, and what a table of it holds.
fn sent(world: &World, topic: &str, words: &str, input: &str) -> (Ran, String) {
    world.done(&format!("topics create {topic} --partitions 1"));
    let ran = world.run_with(&format!("send {topic} {words}"), input);
    (ran, world.run(&format!("tail {topic} --as-table")).1)
}

#[test]
fn lines_are_sent_as_records_and_it_is_said_where_they_are() {
    let world = World::new();
    let said = |words: &str| (0, String::new(), words.to_owned());
    let (ran, table) = sent(&world, "a", "--key-separator :", "ada:3\nbob:4:5\r\nada:6\n:x\nlast:");
    assert_eq!(ran, said("a/0: 5 records, offsets 0 to 4\n"));
    assert_eq!(table, "0@3    x\n0@2  ada  6\n0@1  bob  4:5\n0@4  last  \n");
    assert_eq!(world.done("send a --key ada --tombstone"), "a/0: 1 record, offset 5\n");
    let table = world.run("tail a --as-table --values").1;
    assert_eq!(table, "x\n4:5\n\n", "a tombstone removes its key");
    let (ran, table) =
        sent(&world, "b", "--key k --header from=me --header from=you -m one -m two", "not read");
    assert_eq!((ran, &*table), (said("b/0: 2 records, offsets 0 to 1\n"), "0@1  k  two\n"));
    let stored = world.admin().record(&TopicPartition::new("b", 0), 1).unwrap().unwrap();
    let header = |value: &str| (b"from".to_vec(), Some(value.as_bytes().to_vec()));
    assert_eq!(stored.headers, [header("me"), header("you")]);
    for (number, codec) in (0..).zip(["gzip", "snappy", "lz4", "zstd"]) {
        let said =
            world.done(&format!("send b --key k --compression {codec} --acks 1 --partition 0 -m {codec}"));
        assert_eq!(said, format!("b/0: 1 record, offset {}\n", number + 2));
    }
    assert_eq!(world.done("send b -m x --acks 0"), "b/0: 1 record, sent without acknowledgement\n");
    // What is wrong is found before it is sent, and what stands before it is sent.
    let (code, _, said) = world.run_with("send b --key-separator :", "k:1\nno key\nk:2\n");
    let expected =
        "b/0: 1 record, offset 7\nfreshet: line 2: there is no \":\" in it to part its key from its value\n";
    assert_eq!((code, &*said), (1, expected));
    world.refused("send nope -m x", "has no topic nope");
    world.refused("send b --partition 1 -m x", "b has no partition 1: they are numbered from 0 to 0");
    for usage in ["send", "send b --tombstone", "send b --json -m x", "send b --key k --key-separator :"] {
        assert_eq!(world.run(usage).0, 2, "{usage}");
    }
    assert!(world.admin().partitions("nope").is_err(), "to send to a topic makes none");
}

#[test]
fn what_a_broker_refuses_is_told_with_its_line_and_reason() {
    let world = World::new();
    world.done("topics create small --partitions 1 --config max.message.bytes=1000");
    world.done("topics create table --partitions 1 --config cleanup.policy=compact");
    let (code, _, said) = world.run_with("send small", &"x".repeat(2_000));
    assert_eq!(code, 1, "{said}");
    let expected = "freshet: 1 of 1 records were refused (a batch is, as a whole): line 1 for small: MessageSizeTooLarge";
    assert!(said.starts_with(expected), "{said}");
    let (_, remedy) = said.split_once("`freshet ").unwrap();
    assert_eq!(world.run(remedy.split('`').next().unwrap()).0, 0, "{said}");
    assert_eq!(world.run_with("send small", &"x".repeat(2_000)).0, 0, "the remedy helps");
    // Far over what librdkafka sends unless told otherwise: the topic has to say.
    let large = "x".repeat(3_000_000);
    assert!(world.run_with("send small", &large).2.contains("max.message.bytes=3001000"), "{said}");
    world.done("topics alter small --config max.message.bytes=3001000");
    assert_eq!(world.run_with("send small", &large).2, "small/0: 1 record, offset 1\n");
    world.refused(
        "send table -m x",
        "record 1: table is compacted, and a compacted topic can't accept a record without a key",
    );
    assert_eq!(world.done("send table --key k -m x"), "table/0: 1 record, offset 0\n");
}

/// Keys, values and their order; and a line may say more.
#[test]
fn what_record_writes_send_reads() {
    let world = World::new();
    for topic in ["one", "two"] {
        // The records are older than any that is kept.
        world.done(&format!("topics create {topic} --partitions 1 --config retention.ms=-1"));
    }
    let lines = r#"{"key":"a","value":{"x": "\u001b"},"headers":{"h":"v"},"partition":0,"timestamp":1772535600000}

{"key":null,"value":"text"}
{"key":"b\"","value":[1],"timestamp":"2026-03-03T11:00:00Z"}
"#;
    let (code, _, said) = world.run_with("send one --json", lines);
    assert_eq!((code, &*said), (0, "one/0: 3 records, offsets 0 to 2\n"));
    let stored = world.admin().record(&TopicPartition::new("one", 0), 0).unwrap().unwrap();
    assert_eq!(
        (stored.timestamp_ms, stored.headers),
        (1_772_535_600_000, vec![(b"h".to_vec(), Some(b"v".to_vec()))])
    );
    let recorded = world.run("record one").1;
    assert_eq!(recorded.lines().count(), 3, "{recorded}");
    assert_eq!(world.run_with("send two --json", &recorded).0, 0);
    assert_eq!(world.run("record two").1, recorded.replace(r#""topic":"one""#, r#""topic":"two""#));
    // Without a topic each goes to its own.
    assert_eq!(world.run_with("send --json", &recorded).2, "one/0: 3 records, offsets 3 to 5\n");
    let (code, _, said) = world.run_with("send --json", "{\"value\":null}");
    assert_eq!((code, said.contains("line 1 names no topic")), (1, true), "{said}");
    let (code, _, said) = world.run_with("send one --json", "\n{\"vlaue\":1}\n");
    assert_eq!((code, said.contains("line 2: it is not of the form")), (1, true), "{said}");
}

#[test]
fn a_send_that_is_interrupted_has_sent_what_it_took() {
    let world = World::new();
    world.done("topics create log --partitions 1");
    let mut sending = world.start("send log");
    let mut input = sending.stdin.take().unwrap();
    let said = lines(sending.stderr.take().unwrap());
    input.write_all(b"one\ntwo\n").unwrap();
    let at = [TopicPartition::new("log", 0)];
    until("both are there", || world.admin().ends(&at).unwrap() == [Some(2)]);
    signal(sending.id(), "INT");
    assert_eq!(sending.wait().unwrap().code(), Some(130));
    let expected =
        ["interrupted: what was taken is sent", "log/0: 2 records, offsets 0 to 1", "freshet: interrupted"];
    assert_eq!(said.iter().collect::<Vec<_>>(), expected);
    drop(input);
}
