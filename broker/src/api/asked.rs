//! What a request names, each once however often it does: an answer has room for that.

use std::collections::{BTreeMap, BTreeSet};

/// More things than a broker can have are not looked up for one request.
pub(super) const MAX_ASKED: usize = 1 << 20;

/// Partitions by their topics.
pub(super) fn partitions(
    named: impl IntoIterator<Item = (String, Vec<i32>)>,
) -> BTreeMap<String, BTreeSet<i32>> {
    let mut by_topic: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
    let mut room = MAX_ASKED;
    for (topic, numbers) in named {
        let asked = by_topic.entry(topic).or_default();
        for number in numbers {
            if room == 0 {
                return by_topic;
            }
            room -= usize::from(asked.insert(number));
        }
    }
    by_topic
}

/// Names.
pub(super) fn names(named: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for name in named {
        if names.len() == MAX_ASKED {
            break;
        }
        names.insert(name);
    }
    names
}
