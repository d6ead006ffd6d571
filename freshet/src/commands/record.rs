//! `freshet record`: topics to a file, one record a line, in the order in which they were sent.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::time::Duration;

use anyhow::{Result, bail};
use client::{Admin, LogReader, NoSuchTopic, Settings};
use serde_json::value::RawValue;

use super::settings;
use crate::cli::RecordArgs;
use crate::output::{one_line, stdout};
use bill::{SEND_TIME_HEADER, SimulatedSendTime};
use scenarios::lines::Line;

/// How long to wait for a record that the broker says is there.
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes everything from the beginning of the topics to where they end now.
///
/// Within a partition the order is the log's. Between partitions a broker keeps none. What our
/// simulators sent says itself in which order, so it comes out as `freshet produce --print` writes
/// it: line for line, whichever broker kept it, and whatever wall-clock time did. (On a topic that
/// several of them share, records of two may have changed places in the log itself.) Where a
/// partition begins with a record that does not say, all are merged by the records' timestamps; of
/// equal ones the topic named first comes first.
pub(crate) fn run(args: &RecordArgs) -> Result<()> {
    let settings = settings(&args.cluster, "record")?;
    let admin = Admin::connect(&settings, Duration::from_secs(5))?;
    let known = admin.topics()?;
    let mut logs = Vec::new();
    for name in &args.topics {
        let Some(topic) = known.iter().find(|topic| topic.name == *name) else {
            let servers = settings.servers().to_owned();
            return Err(NoSuchTopic { topic: name.clone(), servers }.into());
        };
        let partitions: Vec<_> =
            (0..topic.partitions).map(|partition| client::TopicPartition::new(&**name, partition)).collect();
        for (at, offsets) in partitions.iter().zip(admin.offsets(&partitions)?) {
            let Some(offsets) = offsets else {
                bail!("{at}: the cluster doesn't say where it ends: try again")
            };
            logs.push(LogTail::open(&settings, name, at.partition, offsets.earliest, offsets.latest)?);
        }
    }
    let mut out = BufWriter::with_capacity(1 << 16, stdout());
    let (written, skipped) = match merge(&mut logs, &mut out) {
        Err(error) if broken_pipe(&error) => return Ok(()),
        other => other?,
    };
    out.flush()?;
    say!("{written} records written");
    let unread: u64 = logs.iter().map(|log| log.reader.passed_over()).sum();
    if unread > 0 {
        say!("{unread} unreadable records skipped: see `freshet tail`");
    }
    if skipped > 0 {
        say!("{skipped} records skipped whose value is not JSON");
    }
    Ok(())
}

fn broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// One partition, read up to a fixed end, with its next record in hand.
struct LogTail {
    topic: String,
    reader: LogReader,
    /// The newest sequence number of sending of the records here.
    send_time: Option<SimulatedSendTime>,
}

struct Next {
    key: Option<String>,
    value: Vec<u8>,
    timestamp_ms: i64,
    send_time: Option<SimulatedSendTime>,
}

impl LogTail {
    fn open(settings: &Settings, topic: &str, partition: i32, from: i64, to: i64) -> Result<Self> {
        Ok(Self {
            topic: topic.to_owned(),
            reader: LogReader::range(settings, topic, &[(partition, from, to)])?,
            send_time: None,
        })
    }

    fn next(&mut self) -> Result<Option<Next>> {
        let topic = self.topic.clone();
        if let Some(record) = self.reader.next(PATIENCE)? {
            let key = record.key().map(|key| String::from_utf8_lossy(key).into_owned());
            let value = record.value().unwrap_or_default().to_vec();
            let timestamp_ms = record.timestamp_ms().unwrap_or(0);
            // Records of other producers come after those that were there.
            self.send_time =
                record.header(SEND_TIME_HEADER).and_then(SimulatedSendTime::parse).or(self.send_time);
            return Ok(Some(Next { key, value, timestamp_ms, send_time: self.send_time }));
        }
        if !self.reader.is_finished() {
            bail!(
                "{topic}: the broker did not send a record within {} s: is it still running?",
                PATIENCE.as_secs()
            );
        }
        Ok(None)
    }
}

fn merge(logs: &mut [LogTail], out: &mut impl Write) -> Result<(u64, u64)> {
    let (mut written, mut skipped) = (0, 0);
    let mut first = Vec::new();
    for (place, log) in logs.iter_mut().enumerate() {
        if let Some(next) = log.next()? {
            first.push((place, next));
        }
    }
    let all_say = first.iter().all(|(_, next)| next.send_time.is_some());
    let order = |next: &Next| match next.send_time {
        Some(send_time) if all_say => (send_time.at.ms(), send_time.number),
        _ => (next.timestamp_ms, 0),
    };
    // The next record of each log, by the order of sending and then by the log's place.
    let mut heads: BTreeMap<_, _> =
        first.into_iter().map(|(place, next)| ((order(&next), place), next)).collect();
    while let Some(((_, place), head)) = heads.pop_first() {
        match std::str::from_utf8(&head.value)
            .ok()
            .and_then(|text| serde_json::from_str::<&RawValue>(text).ok())
        {
            Some(value) => {
                let value = one_line(value);
                let line = Line {
                    topic: logs[place].topic.as_str().into(),
                    key: head.key.as_deref().map(Into::into),
                    value: &value,
                };
                serde_json::to_writer(&mut *out, &line).map_err(io::Error::from)?;
                out.write_all(b"\n")?;
                written += 1;
            }
            None => skipped += 1,
        }
        if let Some(next) = logs[place].next()? {
            heads.insert((order(&next), place), next);
        }
    }
    Ok((written, skipped))
}
