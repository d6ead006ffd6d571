//! Nothing lost, nothing doubled: read back from the log, not remembered by whoever might have lost it.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Result, bail};
use client::{Admin, LogReader, Settings, TopicPartition};
use events::Topic;
use serde::Deserialize;

/// What an audit of questions and answers found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Audit {
    pub(super) questions: u64,
    pub(super) answers: u64,
    /// Questions without an answer.
    pub(super) lost: u64,
    /// Answers beyond the first to the same question.
    pub(super) doubled: u64,
}

/// Compares every question of a topic with the answers on another, by the id that both carry. A question that was sent
/// twice (a real network does that) is one question.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// How often each id was answered, once it was asked or answered.
    ids: HashMap<String, (bool, u32)>,
}

impl Ledger {
    fn asked(&mut self, id: String) {
        self.ids.entry(id).or_default().0 = true;
    }

    fn answered(&mut self, id: String) {
        self.ids.entry(id).or_default().1 += 1;
    }

    fn audit(&self) -> Audit {
        let mut audit = Audit::default();
        for &(asked, answers) in self.ids.values() {
            audit.questions += u64::from(asked);
            audit.answers += u64::from(answers);
            audit.lost += u64::from(asked && answers == 0);
            audit.doubled += u64::from(answers.saturating_sub(1));
        }
        audit
    }
}

/// The id of a question or an answer; everything else in the value is passed over.
#[derive(Deserialize)]
struct Id {
    #[serde(alias = "event_id", alias = "after")]
    swipe_id: Option<String>,
}

/// Every swipe against its decisions, or every click against its pages. None when retention has taken some already.
pub(super) fn audit(
    settings: &Settings,
    admin: &Admin,
    questions: Topic,
    answers: Topic,
) -> Result<Option<Audit>> {
    let mut ledger = Ledger::default();
    let complete = read(settings, admin, questions, |id| ledger.asked(id))?
        && read(settings, admin, answers, |id| ledger.answered(id))?;
    Ok(complete.then(|| ledger.audit()))
}

/// Hands the id of every record of `topic` to `take`; says whether the topic is still there from its first record on.
fn read(settings: &Settings, admin: &Admin, topic: Topic, mut take: impl FnMut(String)) -> Result<bool> {
    let name = topic.name();
    let partitions: Vec<_> = (0..admin.partitions(name)?).map(|p| TopicPartition::new(name, p)).collect();
    let mut stretches = Vec::new();
    for (at, offsets) in partitions.iter().zip(admin.offsets(&partitions)?) {
        let Some(offsets) = offsets else { bail!("{at}: the cluster doesn't say where it ends") };
        if offsets.earliest > 0 {
            return Ok(false);
        }
        stretches.push((at.partition, 0, offsets.latest));
    }
    let mut reader = LogReader::range(settings, name, &stretches)?;
    while let Some(record) = reader.next(Duration::from_secs(10))? {
        let id: Option<Id> = record.value().and_then(|value| serde_json::from_slice(value).ok());
        if let Some(id) = id.and_then(|id| id.swipe_id) {
            take(id);
        }
    }
    if !reader.is_finished() {
        bail!("{name}: the broker did not send all that it has");
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_and_a_double_are_seen() {
        let mut ledger = Ledger::default();
        for id in ["a", "b", "c", "c"] {
            ledger.asked(id.to_owned());
        }
        assert_eq!(ledger.audit(), Audit { questions: 3, answers: 0, lost: 3, doubled: 0 });
        for id in ["a", "c", "c"] {
            ledger.answered(id.to_owned());
        }
        assert_eq!(
            ledger.audit(),
            Audit { questions: 3, answers: 3, lost: 1, doubled: 1 },
            "b is lost, c doubled"
        );
    }

    #[test]
    fn ids_are_found_in_questions_and_answers() {
        let id = |text: &str| serde_json::from_str::<Id>(text).unwrap().swipe_id;
        assert_eq!(id(r#"{"ts":"x","swipe_id":"s1","card_id":"c"}"#).as_deref(), Some("s1"));
        assert_eq!(id(r#"{"event_id":"e1","session_id":"s"}"#).as_deref(), Some("e1"));
        assert_eq!(id(r#"{"after":"e1","session_id":"s","items":["a"]}"#).as_deref(), Some("e1"));
        assert_eq!(id(r#"{"after":null,"session_id":"","items":[]}"#), None);
    }
}
