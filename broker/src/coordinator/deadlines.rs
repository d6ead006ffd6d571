//! When something is next due in each group.

use std::collections::{BTreeMap, BTreeSet};

/// The groups in the order of their deadlines: the first is found without asking the others, for
/// each request that touches a group asks.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    by_group: BTreeMap<String, i64>,
    in_order: BTreeSet<(i64, String)>,
}

impl Deadlines {
    /// Notes when something is due in a group, ms since 1970; `None` when nothing is.
    pub(super) fn set(&mut self, group_id: &str, due_ms: Option<i64>) {
        let before = self.by_group.get(group_id).copied();
        if before == due_ms {
            return;
        }
        if let Some(before) = before {
            self.in_order.remove(&(before, group_id.to_owned()));
            self.by_group.remove(group_id);
        }
        if let Some(due_ms) = due_ms {
            self.by_group.insert(group_id.to_owned(), due_ms);
            self.in_order.insert((due_ms, group_id.to_owned()));
        }
        assert_eq!(self.by_group.len(), self.in_order.len(), "each group has one deadline");
    }

    /// The earliest.
    pub(super) fn first_ms(&self) -> Option<i64> {
        self.in_order.first().map(|(due_ms, _)| *due_ms)
    }

    /// The groups whose deadline has come, in order of their names.
    pub(super) fn due(&self, now_ms: i64) -> BTreeSet<String> {
        let due = self.in_order.iter().take_while(|(due_ms, _)| *due_ms <= now_ms);
        due.map(|(_, group_id)| group_id.clone()).collect()
    }
}
