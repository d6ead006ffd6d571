//! Sends answers, each with the place of the record that it answers.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use client::{Admin, Outgoing, Producer, ProducerOptions, Refused, Settings};
use events::{DeadLetter, Event, REPLAY_HEADER, Replay, SOURCE_HEADER, Topic};

use super::arrival::{Excerpt, dead_letter};
use super::commit_metadata::PartitionId;
use super::{AnswerError, Control, DesiredState};

/// How long a send waits for room before it looks whether the lane is to end.
const PATIENCE: Duration = Duration::from_millis(200);

/// What a record has besides its key and its value, at most: its source, and what Kafka writes.
const BESIDES_BYTES: usize = 1_000;

/// Where answers leave.
pub(crate) struct Outbox {
    producer: Producer,
    partitions: HashMap<Topic, i32>,
    /// Whose letters the dead ones are.
    consumer: String,
    json: Vec<u8>,
    source: String,
    replay: String,
}

impl Outbox {
    /// For `consumer`'s answers on the given topics, which must be there.
    pub(crate) fn new(
        settings: &Settings,
        options: &ProducerOptions,
        admin: &Admin,
        topics: &[Topic],
        consumer: &str,
    ) -> Result<Self, AnswerError> {
        let known = admin.topics()?;
        let partitions = topics
            .iter()
            .map(|topic| match known.iter().find(|info| info.name == topic.name() && info.partitions > 0) {
                Some(info) => Ok((*topic, info.partitions)),
                None => Err(client::NoSuchTopic {
                    topic: topic.name().to_owned(),
                    servers: settings.servers().to_owned(),
                }),
            })
            .collect::<Result<_, _>>()?;
        let producer = Producer::new(settings, options)?;
        Ok(Self {
            producer,
            partitions,
            consumer: consumer.to_owned(),
            json: Vec::with_capacity(1024),
            source: String::with_capacity(64),
            replay: String::new(),
        })
    }

    /// The partition of `topic` that answers to questions of partition `partition` go to: the one
    /// of the same number, so that the order of a key is kept and one place can be searched for
    /// them. A topic with fewer partitions is wrapped around.
    pub(crate) fn place(&self, topic: Topic, partition: i32) -> PartitionId {
        assert!(partition >= 0, "partition {partition} has no questions");
        let count = self.partitions.get(&topic).copied().unwrap_or_else(|| {
            panic!(
                "a processor answers on {topic}, which its lane was not told: add it to the lane's outputs"
            )
        });
        (topic, partition % count)
    }

    /// The places of all topics for questions of that partition.
    pub(crate) fn places(&self, partition: i32) -> Vec<PartitionId> {
        let mut places: Vec<_> = self.partitions.keys().map(|topic| self.place(*topic, partition)).collect();
        places.sort_unstable();
        places
    }

    /// The places of all topics for questions of that many partitions, each once.
    pub(crate) fn all_places(&self, partitions: i32) -> Vec<PartitionId> {
        let mut places: Vec<_> = (0..partitions).flat_map(|partition| self.places(partition)).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Writes `answer` as it will be sent, a dead letter with its consumer, and says whether a
    /// record may be as large as that.
    pub(crate) fn encode(&mut self, answer: &Event) -> bool {
        self.json.clear();
        if let Event::DeadLetters(letter) = answer {
            let ours = DeadLetter { consumer: Some(self.consumer.clone()), ..letter.clone() };
            Event::from(ours).write_json(&mut self.json);
        } else {
            answer.write_json(&mut self.json);
        }
        self.json.len() + answer.key().len() + BESIDES_BYTES <= self.producer.largest_record()
    }

    /// Sends `answer`, which was [encoded](Self::encode) just before, to a question of partition
    /// `partition`. `source` is the header's value, and `replay` says whether it is given again.
    /// Waits as long as there is no room; ends with an
    /// error when the lane is to end meanwhile, or the answer is larger than a record may be.
    pub(crate) fn send_encoded(
        &mut self,
        answer: &Event,
        partition: i32,
        source: std::fmt::Arguments<'_>,
        replay: Option<Replay>,
        control: &Control,
    ) -> Result<(), AnswerError> {
        let (topic, to) = self.place(answer.topic(), partition);
        assert!(!self.json.is_empty(), "an answer on {topic} is sent before it is encoded");
        self.source.clear();
        self.source.write_fmt(source).expect("a String takes all that is written");
        let mut headers = [(SOURCE_HEADER, self.source.as_bytes()); 2];
        let mut count = 1;
        if let Some(replay) = replay {
            self.replay.clear();
            write!(self.replay, "{replay}").expect("a String takes all that is written");
            headers[1] = (REPLAY_HEADER, self.replay.as_bytes());
            count = 2;
        }
        let record = Outgoing {
            topic: topic.name(),
            partition: Some(to),
            key: Some(answer.key().as_bytes()),
            value: Some(&self.json),
            headers: &headers[..count],
            timestamp_ms: None,
            tag: u32::try_from(partition).ok(),
        };
        loop {
            match self.producer.send(record, PATIENCE) {
                Ok(()) => return Ok(()),
                Err(error) if error.is_outage() && control.desired_state() != DesiredState::Stop => {}
                Err(error @ client::SendError::TooLarge { .. }) => {
                    return Err(AnswerError::Unanswerable {
                        question: self.source.clone(),
                        topic: topic.name().to_owned(),
                        reason: error.to_string(),
                    });
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The answers that the cluster has refused since this was asked last; each one's tag is the
    /// partition of its question.
    pub(crate) fn take_refused(&self) -> Vec<Refused> {
        self.producer.take_refused()
    }

    /// Waits until everything sent is acknowledged, or refused:
    /// [`take_refused`](Self::take_refused) says what. `Ok(false)`: not within `timeout`, but it
    /// may be yet. An error: some of it never will be.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<bool, AnswerError> {
        match self.producer.flush(timeout) {
            Ok(()) => Ok(true),
            Err(error) if self.producer.failed() > 0 => Err(error.into()),
            Err(_) => Ok(false),
        }
    }

    /// Takes back the answers that are not acknowledged: from now on each of them is on its topic,
    /// or never will be. Those that have left are waited for, at most `patience`.
    pub(crate) fn withdraw(&mut self, patience: Duration) -> Result<(), AnswerError> {
        Ok(self.producer.withdraw(patience)?)
    }

    /// One past the last acknowledged answer on a partition; none before the first.
    pub(crate) fn end(&self, (topic, partition): PartitionId) -> Option<i64> {
        self.producer.acknowledged_end(topic.name(), partition)
    }
}

/// What stands for an `answer` that is larger than a record may be: a dead letter about its
/// question, at `offset` of `topic`.
pub(crate) fn instead_of(answer: &Event, topic: Topic, partition: i32, offset: i64) -> DeadLetter {
    let bytes = answer.to_json().len() + answer.key().len();
    let reason = format!("its answer for {} has {bytes} bytes, more than a record may have", answer.topic());
    dead_letter(topic, partition, offset, &reason, Excerpt { bytes: &[], of: 0 })
}
