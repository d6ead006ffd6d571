//! Which questions have been answered already.
//!
//! Every answer carries the place of the record that it answers in the header `source`. After a
//! crash some records past the committed offset were answered and others were not; the answers
//! themselves tell which. A record may have had several answers on a topic and only the first of
//! them may have arrived. The answers on one partition arrive in the order in which they were sent,
//! so a count is enough: of each record's answers on each topic, as many as are there are left out
//! when it is processed again.

use std::collections::HashMap;
use std::fmt;

use events::Topic;

/// The header that says what an answer answers.
pub const SOURCE_HEADER: &str = "source";

/// Which run of the batch lane published an answer with this `source` header,
/// `batch-fraud-2026-03-03T11/3`: the run and the partition of its questions. None when it isn't
/// one of ours.
pub fn run_of(header: &[u8]) -> Option<&str> {
    let (run, partition) = std::str::from_utf8(header).ok()?.rsplit_once('/')?;
    partition.parse::<i32>().is_ok().then_some(run)
}

/// The place of a record: `card_swipes/3/1234`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// Its topic.
    pub topic: Topic,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
}

impl Source {
    /// Reads the value of a `source` header; none when it isn't one of ours.
    pub fn parse(header: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(header).ok()?.split('/');
        let source = Self {
            topic: Topic::named(words.next()?)?,
            partition: words.next()?.parse().ok()?,
            offset: words.next()?.parse().ok()?,
        };
        words.next().is_none().then_some(source)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.partition, self.offset)
    }
}

/// The answers that an earlier life of a task has given to records it will see again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answered {
    given: HashMap<(Topic, i64), Given>,
}

/// How many answers one record has had, by the topic of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given(Vec<(Topic, u32)>);

impl Answered {
    /// An answer on `on` to the record of `question` at `offset` is there.
    pub(crate) fn note(&mut self, question: Topic, offset: i64, on: Topic) {
        let Given(counts) = self.given.entry((question, offset)).or_default();
        match counts.iter_mut().find(|(topic, _)| *topic == on) {
            Some((_, count)) => *count += 1,
            None => counts.push((on, 1)),
        }
    }

    /// What was given to this record. It is asked once: a record is processed once more at most.
    pub(crate) fn take(&mut self, question: Topic, offset: i64) -> Given {
        if self.given.is_empty() {
            Given::default()
        } else {
            self.given.remove(&(question, offset)).unwrap_or_default()
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.given.len()
    }
}

impl Given {
    /// Whether the next answer on `on` is one of those that are there.
    pub(crate) fn has_next(&mut self, on: Topic) -> bool {
        match self.0.iter_mut().find(|(topic, count)| *topic == on && *count > 0) {
            Some((_, count)) => {
                *count -= 1;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_three_answers_two_of_which_arrived_the_third_is_given() {
        let mut answered = Answered::default();
        answered.note(Topic::DriverLocations, 7, Topic::RoadTraversals);
        answered.note(Topic::DriverLocations, 7, Topic::RoadTraversals);
        let mut given = answered.take(Topic::DriverLocations, 7);
        assert!(!given.has_next(Topic::EtaUpdates), "the answer on another topic had not arrived");
        assert_eq!([(); 3].map(|()| given.has_next(Topic::RoadTraversals)), [true, true, false]);
        assert_eq!(answered.take(Topic::DriverLocations, 7), Given::default(), "asked once");
        assert_eq!(answered.len(), 0);
    }

    #[test]
    fn the_same_offset_of_another_topic_is_another_record() {
        let mut answered = Answered::default();
        answered.note(Topic::Trips, 7, Topic::Notifications);
        assert!(!answered.take(Topic::DriverLocations, 7).has_next(Topic::Notifications));
    }

    #[test]
    fn a_source_is_read_as_it_was_written() {
        let source = Source { topic: Topic::CardSwipes, partition: 3, offset: 1234 };
        assert_eq!(source.to_string(), "card_swipes/3/1234");
        assert_eq!(Source::parse(b"card_swipes/3/1234"), Some(source));
        for header in
            ["", "card_swipes", "card_swipes/3", "card_swipes/3/x", "other/3/1", "card_swipes/3/1/2"]
        {
            assert_eq!(Source::parse(header.as_bytes()), None, "{header}");
        }
        assert_eq!(Source::parse(&[0xff]), None);
    }
}
