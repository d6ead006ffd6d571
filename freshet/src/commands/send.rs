//! `freshet send`: lines as records, and where each went.
//!
//! # Simplifications
//! - A broker refuses a batch as a whole, so records beside the one at fault are refused with it.

mod input;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::sync::mpsc::{RecvTimeoutError, TryRecvError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use client::{Acknowledged, Admin, NoSuchTopic, Outgoing, Producer, ProducerOptions, Refused, Settings};
use scenarios::{Interrupted, control};
use text::{grouped, plural};

use super::{PATIENCE, settings};
use crate::cli::{Acks, Codec, SendArgs};
use crate::progress::ProgressLine;
use input::NewRecord;

/// How long a record may wait for its acknowledgement before it counts as lost.
const DELIVERY: Duration = Duration::from_secs(30);
/// How often it is looked whether the command is to end.
const LOOK: Duration = Duration::from_millis(50);
/// The largest record that is sent at all: how large one may be is for the topic to say, and no
/// Kafka takes a request of more than 100 MiB (`socket.request.max.bytes`), in which it is.
const LARGEST_RECORD: usize = (100 << 20) - (1 << 10);
/// One of these fits into the queue, in units of 1,024 bytes.
const QUEUE_KBYTES: usize = 128 << 10;
/// What a batch, or one that holds a single record, has besides keys and values.
const BESIDES_BYTES: usize = 1_000;
/// The most bytes of several records that librdkafka sends as a batch (`batch.size`).
const BATCH_BYTES: usize = 1_000_000;
/// So many of the records that were refused are named.
const NAMED: usize = 5;

/// Sends what there is to send, waits until all of it is acknowledged, and says where it is.
pub(crate) fn run(args: &SendArgs) -> Result<()> {
    let settings = settings(&args.cluster, "send")?;
    let topics = Topics::of(Admin::connect(&settings, PATIENCE)?)?;
    if let Some(topic) = &args.topic {
        topics.check(topic, args.partition)?;
    }
    let options = ProducerOptions { delivery_timeout: Some(DELIVERY), ..ProducerOptions::stream() };
    let producer = Producer::new(&with_options(settings, args), &options)?;
    let mut sending = Sending { args, topics, producer, line: ProgressLine::new(), taken: 0, largest: 0 };
    let read = sending.read();
    let sent = sending.wait();
    match read {
        // Why it ended too early is said last.
        Err(error) => {
            if let Err(error) = sent {
                say!("{error}");
            }
            Err(error)
        }
        Ok(()) => sent,
    }
}

fn with_options(settings: Settings, args: &SendArgs) -> Settings {
    let codec = match args.compression {
        Codec::None => "none",
        Codec::Gzip => "gzip",
        Codec::Snappy => "snappy",
        Codec::Lz4 => "lz4",
        Codec::Zstd => "zstd",
    };
    let settings = settings
        .with_property("compression.type", codec)
        .with_property("message.max.bytes", LARGEST_RECORD.to_string())
        .with_property("queue.buffering.max.kbytes", QUEUE_KBYTES.to_string());
    // Without all replicas there is no exactly once.
    let with_acks =
        |acks| settings.clone().with_property("enable.idempotence", "false").with_property("acks", acks);
    match args.acks {
        Acks::All => settings,
        Acks::Leader => with_acks("1"),
        Acks::None => with_acks("0"),
    }
}

/// What is known of the cluster's topics.
struct Topics {
    admin: Admin,
    /// How many partitions each has.
    partitions: BTreeMap<String, i32>,
    /// Whether it is compacted, of those of which it was asked.
    compacted: BTreeMap<String, bool>,
}

impl Topics {
    fn of(admin: Admin) -> Result<Self> {
        // Asked of the list: to send to a topic that is not there may make it.
        let partitions = admin.topics()?.into_iter().map(|topic| (topic.name, topic.partitions)).collect();
        Ok(Self { admin, partitions, compacted: BTreeMap::new() })
    }

    /// Whether the topic and the partition are there.
    fn check(&self, topic: &str, partition: Option<i32>) -> Result<()> {
        let Some(partitions) = self.partitions.get(topic) else {
            let servers = self.admin.settings().servers().to_owned();
            return Err(NoSuchTopic { topic: topic.to_owned(), servers }.into());
        };
        match partition {
            Some(none) if none >= *partitions => {
                bail!("{topic} has no partition {none}: they are numbered from 0 to {}", partitions - 1)
            }
            _ => Ok(()),
        }
    }

    /// A broker refuses a record without a key on a compacted topic, and all of its batch. Who may
    /// send need not be allowed to read settings: then the broker is left to refuse it.
    fn check_keyless(&mut self, topic: &str) -> Result<()> {
        if !self.compacted.contains_key(topic) {
            let settings = self.admin.configs(topic).unwrap_or_default();
            let policy = settings.iter().find(|(name, _)| name == "cleanup.policy");
            let is_compacted = policy.is_some_and(|(_, policy)| policy.contains("compact"));
            self.compacted.insert(topic.to_owned(), is_compacted);
        }
        if self.compacted[topic] {
            bail!(
                "{topic} is compacted, and a compacted topic can't accept a record without a key: give one with \
                 --key or --key-separator"
            );
        }
        Ok(())
    }
}

struct Sending<'a> {
    args: &'a SendArgs,
    topics: Topics,
    producer: Producer,
    line: ProgressLine,
    /// How many records the producer has taken.
    taken: u64,
    /// The most bytes that one of them has.
    largest: usize,
}

impl Sending<'_> {
    /// Hands over one record after the other, until the input or the patience of the person ends.
    fn read(&mut self) -> Result<()> {
        let args = self.args;
        if args.tombstone || !args.message.is_empty() {
            let values = args.message.iter().map(|value| Some(value.as_bytes()));
            for (value, number) in values.chain(args.tombstone.then_some(None)).zip(1..) {
                self.send(number, value)?;
            }
            return Ok(());
        }
        let orders = control::orders(false)?;
        if io::stdin().is_terminal() {
            let to = args.topic.as_deref().unwrap_or("the topic that it names");
            say!("each line is a record for {to}; Ctrl-D ends");
        }
        let lines = input::lines();
        let mut number = 0;
        loop {
            if !matches!(orders.try_recv(), Err(TryRecvError::Empty)) {
                say!("interrupted: what was taken is sent");
                return Err(Interrupted.into());
            }
            match lines.recv_timeout(LOOK) {
                Ok(line) => {
                    number += 1;
                    let line = line.with_context(|| format!("line {number} of standard input"))?;
                    self.send(number, Some(&line))?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.tell();
        }
    }

    /// Sends what a line says.
    fn send(&mut self, number: u64, line: Option<&[u8]>) -> Result<()> {
        let args = self.args;
        if args.json && line.is_some_and(|line| line.trim_ascii().is_empty()) {
            return Ok(());
        }
        let record = NewRecord::read(args, line).with_context(|| place(args, number))?;
        let Some(topic) = args.topic.as_deref().or(record.topic.as_deref()) else {
            bail!("line {number} names no topic: write \"topic\" there, or name one on the command line");
        };
        self.topics.check(topic, record.partition).with_context(|| place(args, number))?;
        if record.key.is_none() {
            self.topics.check_keyless(topic).with_context(|| place(args, number))?;
        }
        let headers: Vec<(&str, &[u8])> =
            record.headers.iter().map(|(name, value)| (&**name, value.as_bytes())).collect();
        let outgoing = Outgoing {
            topic,
            partition: record.partition,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &headers,
            timestamp_ms: record.timestamp_ms,
            tag: u32::try_from(number).ok(),
        };
        self.producer.send(outgoing, DELIVERY).with_context(|| place(args, number))?;
        self.taken += 1;
        let headers = headers.iter().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>();
        let parts = [&record.key, &record.value].into_iter().flatten().map(|part| part.len()).sum::<usize>();
        self.largest = self.largest.max(parts + headers);
        Ok(())
    }

    /// Says how far it is, where that takes longer than a second.
    fn tell(&mut self) {
        let waiting = self.producer.in_flight();
        let acknowledged = self.taken.saturating_sub(waiting);
        self.line.tell(|| {
            format!("{} records acknowledged, {} on their way", grouped(acknowledged), grouped(waiting))
        });
    }

    /// Waits until all that was taken is acknowledged or refused, and says where it is.
    fn wait(mut self) -> Result<()> {
        while self.producer.in_flight() > 0 {
            // Each record is acknowledged, refused or given up within its delivery timeout.
            let _ = self.producer.flush(LOOK);
            self.tell();
        }
        // What it wrote on the terminal goes with it.
        self.line = ProgressLine::new();
        for (topic, acknowledged) in self.producer.acknowledged() {
            for Acknowledged { partition, count, offsets } in acknowledged {
                let records = plural(count, "record");
                let which = match offsets {
                    Some((first, last)) if first == last => format!("offset {first}"),
                    Some((first, last)) => format!("offsets {first} to {last}"),
                    None => "sent without acknowledgement".to_owned(),
                };
                say!("{topic}/{partition}: {records}, {which}");
            }
        }
        let refused = self.producer.take_refused();
        if !refused.is_empty() {
            let named = refused.iter().take(NAMED);
            let named: Vec<_> = named
                .map(|Refused { tag, topic, reason, .. }| {
                    format!("{} for {topic}: {reason}", place(self.args, u64::from(*tag)))
                })
                .collect();
            let more = if refused.len() > NAMED { ", and so on" } else { "" };
            let first = &refused[0];
            let remedy = if first.is_too_large {
                // What a batch of several has, where one of its records alone has less.
                let enough = self.largest.max(if self.taken > 1 { BATCH_BYTES } else { 0 }) + BESIDES_BYTES;
                format!(
                    "to let {0} take it: `freshet topics alter {0} --config max.message.bytes={enough}`",
                    first.topic
                )
            } else {
                format!("`freshet topics describe {} --all` shows what the topic takes", first.topic)
            };
            bail!(
                "{} of {} records were refused (a batch is, as a whole): {}{more}; {remedy}",
                grouped(refused.len() as u64),
                grouped(self.taken),
                named.join(", "),
            );
        }
        Ok(self.producer.flush(Duration::ZERO)?)
    }
}

/// Where a record was read, in words.
fn place(args: &SendArgs, number: u64) -> String {
    let is_line = args.message.is_empty() && !args.tombstone;
    format!("{} {number}", if is_line { "line" } else { "record" })
}
