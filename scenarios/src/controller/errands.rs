//! Commands to the cluster and not to a worker: each takes as long as the cluster takes to answer,
//! so each is an errand of a thread of its own, with a client of its own. What came of it is said
//! in words when the thread is back.

use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use client::{Admin, NewTopic, Outgoing, Producer, ProducerOptions, Settings, TopicPartition};
use dashboard::{Action, NewRecord, OffsetSpec, Target};
use text::{grouped, plural};

use super::ShowController;
use crate::records::{self, redrive};

/// How long the cluster may take for each step.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What an errand came to: a sentence, or why it could not be done.
pub(super) type Outcome = Receiver<Result<String, String>>;

impl ShowController {
    /// Sends a thread on its way if a command is for the cluster; none when it is for a worker.
    pub(super) fn errand(&self, action: Action, target: &Target) -> Option<Result<Outcome, String>> {
        let topic = target.name().to_owned();
        let settings = self.admin.settings().clone();
        match action {
            Action::Redrive { only } => Some(start(move || redrive(&settings, &topic, only))),
            Action::CreateTopic { partitions, retention_ms } => {
                Some(start(move || create(&settings, &topic, partitions, retention_ms)))
            }
            Action::Send => {
                let Target::Record(record) = target.clone() else {
                    return Some(Err("there is no record to send".to_owned()));
                };
                Some(start(move || send(&settings, &record)))
            }
            Action::Reset(place) if !self.is_ours(&topic) => {
                let read = self.read_by(&topic);
                Some(start(move || reset(&settings, &topic, &read, place)))
            }
            Action::Pause
            | Action::Resume
            | Action::Restart
            | Action::Kill
            | Action::ScaleUp
            | Action::ScaleDown
            | Action::Burst
            | Action::Rewind
            | Action::Dial(_)
            | Action::Reset(_) => None,
        }
    }

    /// Whether a worker of ours is in the group.
    fn is_ours(&self, group: &str) -> bool {
        self.workers().any(|worker| worker.spec.group.as_deref() == Some(group))
    }

    /// The partitions that a group has committed offsets of.
    pub(super) fn read_by(&self, group: &str) -> Vec<TopicPartition> {
        let known = self.last_groups.iter().find(|known| known.id == group);
        let partitions = known.iter().flat_map(|known| &known.partitions);
        let committed = partitions.filter(|partition| partition.committed.is_some());
        committed.map(|at| TopicPartition::new(at.topic.clone(), at.partition)).collect()
    }
}

/// The offset of a place in each partition; those that are not there any more are left out.
pub(super) fn offsets_at(
    admin: &Admin,
    partitions: &[TopicPartition],
    place: OffsetSpec,
) -> Result<Vec<(TopicPartition, i64)>, String> {
    if partitions.is_empty() {
        return Err("it has committed no offset, so nothing says what it reads".to_owned());
    }
    let held = admin.offsets(partitions).map_err(|error| error.to_string())?;
    let there = partitions.iter().zip(held).filter_map(|(at, held)| Some((at.clone(), held?)));
    let there: Vec<_> = there.collect();
    let to = records::offsets_at(admin, place, &there).map_err(|error| error.to_string())?;
    Ok(there.into_iter().map(|(at, _)| at).zip(to).collect())
}

/// Sets the offsets of a group that is not ours.
fn reset(
    settings: &Settings,
    group: &str,
    partitions: &[TopicPartition],
    place: OffsetSpec,
) -> Result<String, String> {
    let admin = Admin::connect(settings, PATIENCE).map_err(|error| error.to_string())?;
    let to = offsets_at(&admin, partitions, place)?;
    admin.reset(group, &to).map_err(|error| error.to_string())?;
    Ok(set_words(&to))
}

/// Where the offsets are now: the nearest that are there to the place that was asked for.
fn set_words(to: &[(TopicPartition, i64)]) -> String {
    let (first, last) = (to.iter().map(|(_, at)| *at).min(), to.iter().map(|(_, at)| *at).max());
    let number = |offset: Option<i64>| grouped(offset.unwrap_or(0).max(0) as u64);
    let offsets = if first == last {
        format!("offset {}", number(first))
    } else {
        format!("offsets {} to {}", number(first), number(last))
    };
    format!("{} set to {offsets}", plural(to.len() as u64, "partition"))
}

fn create(
    settings: &Settings,
    topic: &str,
    partitions: i32,
    retention_ms: Option<i64>,
) -> Result<String, String> {
    let admin = Admin::connect(settings, PATIENCE).map_err(|error| error.to_string())?;
    let retention = retention_ms.map(|ms| ("retention.ms".to_owned(), ms.to_string()));
    let new = NewTopic { name: topic.to_owned(), partitions, configs: retention.into_iter().collect() };
    match admin.create(&[new]) {
        Ok(created) if created.is_empty() => Err("there is a topic of this name already".to_owned()),
        Ok(_) => Ok(format!("created with {}", plural(partitions.max(0) as u64, "partition"))),
        Err(error) => Err(error.to_string()),
    }
}

fn send(settings: &Settings, record: &NewRecord) -> Result<String, String> {
    let admin = Admin::connect(settings, PATIENCE).map_err(|error| error.to_string())?;
    // To send to a topic that is not there may make it.
    let partitions = admin.partitions(&record.topic).map_err(|error| error.to_string())?;
    let options = ProducerOptions { delivery_timeout: Some(PATIENCE), ..ProducerOptions::answers() };
    let producer = Producer::new(settings, &options).map_err(|error| error.to_string())?;
    let outgoing = Outgoing {
        topic: &record.topic,
        key: record.key.as_deref().map(str::as_bytes),
        value: Some(record.value.as_bytes()),
        ..Outgoing::default()
    };
    producer.send(outgoing, PATIENCE).map_err(|error| error.to_string())?;
    producer.flush(PATIENCE).map_err(|error| error.to_string())?;
    let end = |partition| Some((partition, producer.acknowledged_end(&record.topic, partition)?));
    Ok(match (0..partitions).find_map(end) {
        Some((partition, end)) => format!("partition {partition}, offset {}", end - 1),
        None => "sent".to_owned(),
    })
}

pub(super) fn start(
    errand: impl FnOnce() -> Result<String, String> + Send + 'static,
) -> Result<Outcome, String> {
    let (report, outcome) = channel();
    // The controller may be gone by then.
    let run = move || drop(report.send(errand()));
    let started = thread::Builder::new().name("errand".into()).spawn(run);
    started.map(|_| outcome).map_err(|error| format!("no thread for it: {error}"))
}
