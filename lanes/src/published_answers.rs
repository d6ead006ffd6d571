//! Which questions have been answered already.
//!
//! Every answer carries the place of the record that it answers in the header `source`. After a
//! crash some records past the committed offset were answered and others were not; the answers
//! themselves tell which. A record may have had several answers on a topic and only the first of
//! them may have arrived. The answers on one partition arrive in the order in which they were sent,
//! so a count is enough: of each record's answers on each topic, as many as are there are left out
//! when it is processed again.

use std::collections::HashMap;

use events::Topic;

/// The answers that an earlier life of a task has given to records it will see again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PublishedAnswers {
    given: HashMap<(Topic, i64), AnswerCounts>,
}

/// How many answers one record has had, by the topic of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AnswerCounts(Vec<(Topic, u32)>);

impl PublishedAnswers {
    /// An answer on `on` to the record of `question` at `offset` is there.
    pub(crate) fn note(&mut self, question: Topic, offset: i64, on: Topic) {
        let AnswerCounts(counts) = self.given.entry((question, offset)).or_default();
        match counts.iter_mut().find(|(topic, _)| *topic == on) {
            Some((_, count)) => *count += 1,
            None => counts.push((on, 1)),
        }
    }

    /// What was given to this record. It is asked once: a record is processed once more at most.
    pub(crate) fn take(&mut self, question: Topic, offset: i64) -> AnswerCounts {
        if self.given.is_empty() {
            AnswerCounts::default()
        } else {
            self.given.remove(&(question, offset)).unwrap_or_default()
        }
    }

    /// Whether each of them has been met.
    pub(crate) fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.given.len()
    }
}

impl AnswerCounts {
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
        let mut answered = PublishedAnswers::default();
        answered.note(Topic::DriverLocations, 7, Topic::RoadTraversals);
        answered.note(Topic::DriverLocations, 7, Topic::RoadTraversals);
        let mut given = answered.take(Topic::DriverLocations, 7);
        assert!(!given.has_next(Topic::EtaUpdates), "the answer on another topic had not arrived");
        assert_eq!([(); 3].map(|()| given.has_next(Topic::RoadTraversals)), [true, true, false]);
        assert_eq!(answered.take(Topic::DriverLocations, 7), AnswerCounts::default(), "asked once");
        assert_eq!(answered.len(), 0);
    }

    #[test]
    fn the_same_offset_of_another_topic_is_another_record() {
        let mut answered = PublishedAnswers::default();
        answered.note(Topic::Trips, 7, Topic::Notifications);
        assert!(!answered.take(Topic::DriverLocations, 7).has_next(Topic::Notifications));
    }
}
