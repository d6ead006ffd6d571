//! The file that remembered the topics before there was a metadata log, still read once.
//!
//! ```text
//! version 1
//! topic clicks 8Pq3sZJ1QvK0m1cTn2gVdg 4
//! config retention.ms 604800000
//! ```
//! A topic's line has its name, id and number of partitions; the lines
//! after it what was set for it.

use protocol::Uuid;
use thiserror::Error;

use super::{InvalidConfig, TopicConfig};

/// What is remembered of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TopicEntry {
    pub(super) name: String,
    pub(super) id: Uuid,
    pub(super) partitions: i32,
    pub(super) config: TopicConfig,
}

/// The file is damaged.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum TopicsFileError {
    #[error("line {line} is not understood: {text:?}")]
    Line { line: usize, text: String },
    #[error("line {line}: {source}")]
    Config { line: usize, source: InvalidConfig },
}

pub(super) fn decode(text: &str) -> Result<Vec<TopicEntry>, TopicsFileError> {
    let mut entries: Vec<TopicEntry> = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let line = index + 1;
        let mut words = text.splitn(4, ' ');
        let word = [words.next(), words.next(), words.next(), words.next()];
        match word {
            [Some("version"), Some("1"), None, None] if index == 0 => {}
            [Some("topic"), Some(name), Some(id), Some(partitions)] if index > 0 => {
                let parsed = Uuid::parse(id).zip(partitions.parse().ok().filter(|&count: &i32| count > 0));
                let (id, partitions) =
                    parsed.ok_or_else(|| TopicsFileError::Line { line, text: text.to_owned() })?;
                entries.push(TopicEntry {
                    name: name.to_owned(),
                    id,
                    partitions,
                    config: TopicConfig::default(),
                });
            }
            [Some("config"), Some(name), Some(_), _] if !entries.is_empty() => {
                let value = &text["config ".len() + name.len() + 1..];
                let entry = entries.last_mut().expect("the pattern's guard has checked it");
                entry
                    .config
                    .restore(name, value)
                    .map_err(|source| TopicsFileError::Config { line, source })?;
            }
            _ => return Err(TopicsFileError::Line { line, text: text.to_owned() }),
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_topic_has_its_settings_behind_it() {
        let mut config = TopicConfig::default();
        config.set("retention.ms", "7000").unwrap();
        let clicks = TopicEntry { name: "clicks".into(), id: Uuid([7; 16]), partitions: 4, config };
        let config = TopicConfig::default();
        let trips = TopicEntry { name: "trips".into(), id: Uuid([9; 16]), partitions: 1, config };
        let text = "version 1\ntopic clicks BwcHBwcHBwcHBwcHBwcHBw 4\nconfig retention.ms 7000\n\
                    topic trips CQkJCQkJCQkJCQkJCQkJCQ 1\n";
        assert_eq!(decode(text).unwrap(), [clicks, trips]);
        assert_eq!(decode("").unwrap(), []);
    }

    #[test]
    fn damage_is_named_by_its_line() {
        let broken = "version 1\ntopic clicks nonsense 4\n";
        assert_eq!(
            decode(broken),
            Err(TopicsFileError::Line { line: 2, text: "topic clicks nonsense 4".into() })
        );
        assert!(decode("version 2\n").is_err());
        assert!(decode("version 1\nconfig retention.ms 1\n").is_err());
        assert!(decode("version 1\ntopic t BwcHBwcHBwcHBwcHBwcHBw 1\nconfig retention.ms soon\n").is_err());
    }
}
