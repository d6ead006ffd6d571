//! The rows of each pane that a cursor can stand on: one list, used by the keys and by the views.

use crate::command::Target;
use crate::snapshot::{Group, Snapshot, Worker};
use crate::state::{Pane, State};

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// Names it among the rows of its pane, through every snapshot.
    pub(crate) key: String,
    pub(crate) item: Item,
}

/// What a row shows: indices into the snapshot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Item {
    Topic(usize),
    Group(usize),
    /// A worker of ours, under its group.
    Worker(usize),
    /// Somebody else's member, under its group.
    Member(usize, usize),
    Partition(usize, usize),
    Trip(usize),
    Decision(usize),
    Shopper(usize),
    Run(usize),
    Notice(usize),
}

/// The rows of a pane, after its filter.
pub(crate) fn of(state: &State, snapshot: &Snapshot, pane: Pane) -> Vec<Row> {
    let filter = state.filters[pane.index()].to_lowercase();
    let wanted =
        |texts: &[&str]| filter.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(&filter));
    let mut rows = Vec::new();
    let mut push = |key: String, item| rows.push(Row { key, item });
    match pane {
        Pane::Throughput => {
            for (at, topic) in
                snapshot.topics.data.iter().enumerate().filter(|(_, topic)| wanted(&[&topic.name]))
            {
                push(topic.name.clone(), Item::Topic(at));
            }
        }
        Pane::Lag => {
            for (at, group) in
                snapshot.groups.data.iter().enumerate().filter(|(_, group)| wanted(&[&group.id]))
            {
                push(group.id.clone(), Item::Group(at));
                if !state.opened.contains(&group.id) {
                    continue;
                }
                for (worker, its) in workers_of(snapshot, group) {
                    push(format!("{}\n{}", group.id, its.name), Item::Worker(worker));
                }
                if !group.ours {
                    for (member, its) in group.members.iter().enumerate() {
                        push(format!("{}\n{}", group.id, its.member_id), Item::Member(at, member));
                    }
                }
            }
        }
        Pane::Partitions => {
            let groups = &snapshot.groups.data;
            // The selected group's first, then the others' in their order.
            let first = selected_group(state, snapshot).unwrap_or(0);
            for at in (first..groups.len()).chain(0..first.min(groups.len())) {
                let group = &groups[at];
                for (partition, its) in group.partitions.iter().enumerate() {
                    if wanted(&[&group.id, &its.topic, its.owner.as_deref().unwrap_or("")]) {
                        let key = format!("{}\n{}\n{}", group.id, its.topic, its.partition);
                        push(key, Item::Partition(at, partition));
                    }
                }
            }
        }
        Pane::City => {
            for (at, trip) in snapshot.city.data.trips.iter().enumerate() {
                if wanted(&[&trip.trip_id, &trip.driver_id]) {
                    push(trip.trip_id.clone(), Item::Trip(at));
                }
            }
        }
        Pane::Payments => {
            for (at, decision) in snapshot.payments.data.recent.iter().enumerate() {
                // Joined only for somebody who filters: this list is the longest.
                let reasons = if filter.is_empty() { String::new() } else { decision.reasons.join("\n") };
                if wanted(&[&decision.card_id, &reasons, crate::panes::payments::word(decision.verdict)]) {
                    let key = format!("{}\n{}\n{}", decision.card_id, decision.at_ms, decision.amount_cents);
                    push(key, Item::Decision(at));
                }
            }
        }
        Pane::Shop => {
            for (at, shopper) in snapshot.shop.data.shoppers.iter().enumerate() {
                if wanted(&[&shopper.session_id]) {
                    push(shopper.session_id.clone(), Item::Shopper(at));
                }
            }
        }
        Pane::Lanes => {
            for (at, run) in
                snapshot.lanes.data.runs.iter().enumerate().filter(|(_, run)| wanted(&[&run.job]))
            {
                push(run.batch_id.clone(), Item::Run(at));
            }
        }
        Pane::Events => {
            // Newest first.
            for (at, notice) in snapshot.timeline.notices.iter().enumerate().rev() {
                if wanted(&[&notice.subject, &notice.text]) {
                    push(format!("{}\n{}\n{}", notice.at_ms, notice.subject, notice.text), Item::Notice(at));
                }
            }
        }
    }
    rows
}

/// The workers of a group of ours, with their place in the snapshot.
pub(crate) fn workers_of<'a>(
    snapshot: &'a Snapshot,
    group: &'a Group,
) -> impl Iterator<Item = (usize, &'a Worker)> {
    let workers = snapshot.workers.data.iter().enumerate();
    workers.filter(|(_, worker)| group.ours && worker.group.as_deref() == Some(&group.id))
}

/// The group on which the cursor of the lag pane stands, or one of whose members it stands on.
pub(crate) fn selected_group(state: &State, snapshot: &Snapshot) -> Option<usize> {
    let cursor = &state.cursors[Pane::Lag.index()];
    let id = cursor.key.split('\n').next().unwrap_or("");
    snapshot.groups.data.iter().position(|group| group.id == id)
}

/// Whom the controls would act on: what the cursor of the focused pane points at, if it is ours.
pub(crate) fn target(state: &State) -> Option<Target> {
    let snapshot = state.shown().filter(|snapshot| snapshot.title.supervised)?;
    let worker_or_group = |group: &Group, owner: Option<&str>| {
        let worker =
            owner.and_then(|owner| workers_of(snapshot, group).find(|(_, worker)| worker.name == owner));
        group.ours.then(|| match worker {
            Some((_, worker)) => Target::Worker(worker.name.clone()),
            None => Target::Group(group.id.clone()),
        })
    };
    match state.selected(state.focus())?.item {
        Item::Topic(at) => {
            let topic = &snapshot.topics.data[at];
            topic.can_burst.then(|| Target::Topic(topic.name.clone()))
        }
        Item::Group(at) => worker_or_group(&snapshot.groups.data[at], None),
        Item::Worker(at) => Some(Target::Worker(snapshot.workers.data[at].name.clone())),
        Item::Partition(at, partition) => {
            let group = &snapshot.groups.data[at];
            worker_or_group(group, group.partitions[partition].owner.as_deref())
        }
        _ => None,
    }
}

/// The group of a target: what scaling and rewinding act on.
pub(crate) fn group_of(state: &State, target: &Target) -> Option<String> {
    match target {
        Target::Group(id) => Some(id.clone()),
        Target::Worker(name) => {
            let worker = state.shown()?.workers.data.iter().find(|worker| worker.name == *name)?;
            worker.group.clone()
        }
        Target::Topic(_) | Target::Batch => None,
    }
}

/// Whether a target is paused now, so that `space` means resume.
pub(crate) fn paused(state: &State, target: &Target) -> bool {
    let Some(snapshot) = state.shown() else { return false };
    let is_paused = |worker: &Worker| worker.state == crate::snapshot::WorkerState::Paused;
    let mut workers = snapshot.workers.data.iter();
    match target {
        Target::Worker(name) => workers.any(|worker| worker.name == *name && is_paused(worker)),
        Target::Group(id) => workers.any(|worker| worker.group.as_ref() == Some(id) && is_paused(worker)),
        Target::Topic(_) | Target::Batch => false,
    }
}
