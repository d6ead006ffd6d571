//! Rows: what a cursor can be on. One list for each pane, used by the keys and by the views.
//!
//! A row has a [`RowKey`] that names it through every snapshot, so that the cursor stays with its
//! row while others come and go; and an [`Item`], an index into the snapshot that is shown. Which
//! rows a pane has follows from a [`Query`]: the snapshot, the filter, and which groups are
//! expanded.
//!
//! # Simplifications
//! - The rows are computed again for each key and each frame: some hundred short texts, next to
//!   thousands of cells that are drawn.

use std::cmp::Ordering;

use crate::snapshot::{Group, Snapshot, Topic, Worker};

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) key: RowKey,
    pub(crate) item: Item,
}

/// Names a row among those of its pane, in every snapshot.
///
/// Two texts and not one with a separator: a client may give its group any name, also one that
/// looks like another group's member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RowKey {
    /// The id of what the row shows, or of the group that it belongs to.
    pub(crate) id: String,
    /// Tells rows with the same id apart: a member, a partition, an instant.
    pub(crate) part: String,
}

/// What a row shows: indices into the snapshot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Item {
    Topic(usize),
    /// So many silent topics: folded into this row, or below it.
    Silent(usize),
    Group(usize),
    /// A worker of ours, under its group.
    Worker(usize),
    /// A member that is not ours, under its group.
    Member(usize, usize),
    Partition(usize, usize),
    /// An entry of the pane's own list, which no control acts on: a trip, a decision, a run.
    Entry(usize),
}

/// How the rows of a pane are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Order {
    /// As the snapshot has them: the user's own first, then those of the show.
    #[default]
    Given,
    /// Most records a second first.
    Rate,
    /// Most records first.
    Total,
    /// Farthest behind in time first.
    Lag,
    /// Farthest behind in records first.
    LagRecords,
    Name,
}

impl Order {
    /// How it is said in the border.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Order::Given => "",
            Order::Rate => "by rate",
            Order::Total => "by total",
            Order::Lag => "by lag",
            Order::LagRecords => "by records behind",
            Order::Name => "by name",
        }
    }

    fn sort_topics(self, topics: &mut [(usize, &Topic)]) {
        match self {
            Order::Given | Order::Lag | Order::LagRecords => {}
            Order::Rate => topics.sort_by(|(_, a), (_, b)| most(a.in_per_second, b.in_per_second)),
            Order::Total => topics.sort_by_key(|(_, topic)| std::cmp::Reverse(topic.total_records)),
            Order::Name => topics.sort_by_key(|(_, topic)| &*topic.name),
        }
    }

    fn sort_groups(self, groups: &mut [(usize, &Group)]) {
        match self {
            Order::Given | Order::Rate | Order::Total => {}
            Order::Lag => groups.sort_by(|(_, a), (_, b)| most(a.lag_ms, b.lag_ms)),
            Order::LagRecords => groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.lag_records)),
            Order::Name => groups.sort_by_key(|(_, group)| &*group.id),
        }
    }
}

/// The larger first; what is unknown or no number comes last.
fn most(a: Option<f64>, b: Option<f64>) -> Ordering {
    let known = |value: Option<f64>| value.filter(|value| !value.is_nan()).unwrap_or(f64::NEG_INFINITY);
    known(b).total_cmp(&known(a))
}

/// What decides which rows a pane has.
#[derive(Clone, Copy)]
pub(crate) struct Query<'a> {
    pub(crate) snapshot: &'a Snapshot,
    /// In lower case; empty when there is none.
    pub(crate) filter: &'a str,
    /// Ids of the groups whose members are shown.
    pub(crate) expanded: &'a [String],
    /// The index of the group that the lag pane's cursor is on.
    pub(crate) group: usize,
    /// The topic that the throughput pane's cursor is on; empty: none.
    pub(crate) topic: &'a str,
    /// Whether the silent topics are shown.
    pub(crate) silent: bool,
    pub(crate) order: Order,
    /// Ids of the rows that a person has hidden.
    pub(crate) hidden: &'a [String],
}

impl Query<'_> {
    /// Whether the filter lets a row with this text through.
    pub(crate) fn finds(&self, text: &str) -> bool {
        self.filter.is_empty() || text.to_lowercase().contains(self.filter)
    }

    /// Whether it lets a row with one of these texts through.
    pub(crate) fn finds_any<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> bool {
        self.filter.is_empty() || texts.into_iter().any(|text| self.finds(text))
    }
}

/// A row for each entry of a list that passes `wanted`. `key` names an entry: its id, and what
/// tells it apart from others with the same id.
pub(crate) fn entries<T>(
    list: &[T],
    wanted: impl Fn(&T) -> bool,
    key: impl Fn(&T) -> (&str, String),
) -> Vec<Row> {
    let row = |(at, entry)| {
        let (id, part) = key(entry);
        Row { key: RowKey { id: id.to_owned(), part }, item: Item::Entry(at) }
    };
    list.iter().enumerate().filter(|(_, entry)| wanted(entry)).map(row).collect()
}

/// A row for each topic, and one into which the silent ones are folded. The selected topic is not
/// folded away under its cursor, and nothing is while a filter searches.
pub(crate) fn topics(query: &Query) -> Vec<Row> {
    let topics = &query.snapshot.topics.data;
    let folds = |topic: &Topic| {
        query.filter.is_empty() && topic.is_silent() && (query.silent || topic.name != query.topic)
    };
    let row = |(at, topic): (usize, &Topic)| Row { key: key(&topic.name, ""), item: Item::Topic(at) };
    let of = |folded: bool| {
        let all = topics.iter().enumerate();
        let is_shown = |topic: &Topic| query.finds(&topic.name) && !query.hidden.contains(&topic.name);
        let mut found: Vec<(usize, &Topic)> =
            all.filter(|(_, topic)| is_shown(topic) && folds(topic) == folded).collect();
        query.order.sort_topics(&mut found);
        found.into_iter()
    };
    let mut rows: Vec<Row> = of(false).map(row).collect();
    let silent = of(true).count();
    if silent > 0 {
        // No topic has an empty name.
        rows.push(Row { key: key("", "silent"), item: Item::Silent(silent) });
    }
    if query.silent {
        rows.extend(of(true).map(row));
    }
    rows
}

/// The groups, each with its members below it while it is expanded.
pub(crate) fn groups(query: &Query) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut groups: Vec<(usize, &Group)> = query.snapshot.groups.data.iter().enumerate().collect();
    query.order.sort_groups(&mut groups);
    for (at, group) in groups {
        if !query.finds(&group.id) || query.hidden.contains(&group.id) {
            continue;
        }
        rows.push(Row { key: key(&group.id, ""), item: Item::Group(at) });
        if !query.expanded.contains(&group.id) {
            continue;
        }
        for (worker, its) in workers_of(query.snapshot, group) {
            rows.push(Row { key: key(&group.id, &its.name), item: Item::Worker(worker) });
        }
        if !group.ours {
            for (member, its) in group.members.iter().enumerate() {
                rows.push(Row { key: key(&group.id, &its.member_id), item: Item::Member(at, member) });
            }
        }
    }
    rows
}

/// Every partition of every group: the selected group's first, then the others' in their order.
pub(crate) fn partitions(query: &Query) -> Vec<Row> {
    let groups = &query.snapshot.groups.data;
    let mut rows = Vec::new();
    for at in (query.group..groups.len()).chain(0..query.group.min(groups.len())) {
        let group = &groups[at];
        for (partition, its) in group.partitions.iter().enumerate() {
            if query.finds_any([&*group.id, &its.topic, its.owner.as_deref().unwrap_or("")]) {
                let part = format!("{}\n{}", its.topic, its.partition);
                rows.push(Row { key: key(&group.id, &part), item: Item::Partition(at, partition) });
            }
        }
    }
    rows
}

/// The workers of a group of ours, with their index in the snapshot.
pub(crate) fn workers_of<'a>(
    snapshot: &'a Snapshot,
    group: &'a Group,
) -> impl Iterator<Item = (usize, &'a Worker)> {
    let workers = snapshot.workers.data.iter().enumerate();
    workers.filter(|(_, worker)| group.ours && worker.group.as_deref() == Some(&group.id))
}

fn key(id: &str, part: &str) -> RowKey {
    RowKey { id: id.to_owned(), part: part.to_owned() }
}
