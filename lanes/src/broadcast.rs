//! Broadcast tables: what every task is given whole, such as the estimated speed of every road.
//!
//! A compacted topic is a table that is sent as a log: only the latest value of a key counts. Every
//! worker reads all of it, without the group, and holds the table, so that a task that begins later
//! can be given everything at once (a `GlobalKTable` of Kafka Streams).

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use client::{Admin, LogReader, ReadError, Settings};
use events::{Event, Topic};

use super::task::Task;
use super::{Control, DesiredState};

/// The most records that are read in one pass, so that the questions don't wait.
const AT_ONCE: usize = 5_000;

/// The tables, each value numbered in the order of arrival.
pub(crate) struct BroadcastTable {
    readers: Vec<(Topic, LogReader)>,
    number_of: HashMap<(Topic, Vec<u8>), u64>,
    /// Boxed: a tree that grows at its end is half empty.
    values: BTreeMap<u64, Box<Event>>,
    so_far: u64,
}

impl BroadcastTable {
    /// Reads the topics up to their ends of now.
    pub(crate) fn read(
        settings: &Settings,
        admin: &Admin,
        topics: &[Topic],
        control: &Control,
    ) -> Result<Self, ReadError> {
        let readers = topics
            .iter()
            .map(|topic| {
                let partitions = admin.partitions(topic.name())?;
                Ok((*topic, LogReader::follow(settings, topic.name(), partitions)?))
            })
            .collect::<Result<_, ReadError>>()?;
        let mut table = Self { readers, number_of: HashMap::new(), values: BTreeMap::new(), so_far: 0 };
        while table.readers.iter().any(|(_, reader)| !reader.is_caught_up())
            && control.desired_state() != DesiredState::Stop
        {
            table.take_in(Duration::from_millis(20))?;
        }
        Ok(table)
    }

    /// Takes in what is new. Whether anything was.
    pub(crate) fn update(&mut self) -> Result<bool, ReadError> {
        self.take_in(Duration::ZERO)
    }

    fn take_in(&mut self, patience: Duration) -> Result<bool, ReadError> {
        let before = self.so_far;
        for (topic, reader) in &mut self.readers {
            for n in 0..AT_ONCE {
                let Some(record) = reader.next(if n == 0 { patience } else { Duration::ZERO })? else {
                    break;
                };
                self.so_far += 1;
                let key = (*topic, record.key().unwrap_or_default().to_vec());
                // A value that can't be read says nothing new: the one before it stays.
                let value = record.value().map(|value| Event::parse(*topic, value));
                if let Some(Err(broken)) = &value {
                    tracing::warn!("{topic}/{}@{}: {broken}", record.partition(), record.offset());
                    continue;
                }
                if let Some(old) = self.number_of.remove(&key) {
                    self.values.remove(&old);
                }
                if let Some(Ok(event)) = value {
                    self.number_of.insert(key, self.so_far);
                    self.values.insert(self.so_far, Box::new(event));
                }
            }
        }
        Ok(self.so_far > before)
    }

    /// The number of the latest value.
    pub(crate) fn so_far(&self) -> u64 {
        self.so_far
    }

    /// All values, in the order of their arrival.
    pub(crate) fn latest(&self) -> Vec<Event> {
        self.values.values().map(|event| (**event).clone()).collect()
    }

    /// Gives a task what it has not been given.
    pub(crate) fn pass_on(&self, task: &mut Task) {
        let (seen, all) = (task.broadcast_seen, self.so_far);
        assert!(seen <= all, "a task has been given {seen} values of a table of {all}");
        for event in self.values.range(task.broadcast_seen + 1..).map(|(_, event)| event) {
            task.learn_broadcast(event);
        }
        task.broadcast_seen = self.so_far;
    }
}
