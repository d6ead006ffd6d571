//! What a control acts on: a topic, a group or a worker of ours, by the row under the cursor.
//!
//! Only what is ours has a target: on a foreign cluster, and on a group of somebody else's program,
//! every control is without effect, because there is nothing to send it to.

use crate::command::Target;
use crate::snapshot::{Group, Worker, WorkerState};
use crate::state::State;
use crate::state::rows::{Item, workers_of};

/// What the controls would act on: the selected row of the focused pane, if it is ours.
pub(crate) fn of(state: &State) -> Option<Target> {
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
        Item::Member(..) | Item::Entry(_) | Item::Silent(_) => None,
    }
}

/// The consumer that the controls would act on.
pub(crate) fn consumer(state: &State) -> Option<Target> {
    of(state).filter(|target| !matches!(target, Target::Topic(_)))
}

/// Why there is no consumer to act on.
pub(crate) fn why_no_consumer(state: &State) -> Option<&'static str> {
    if consumer(state).is_some() {
        return None;
    }
    let supervised = state.shown().is_some_and(|snapshot| snapshot.title.supervised);
    let is_consumer = match state.selected(state.focus()).map(|row| row.item) {
        Some(Item::Group(_) | Item::Worker(_) | Item::Member(..) | Item::Partition(..)) => true,
        Some(Item::Topic(_) | Item::Entry(_) | Item::Silent(_)) | None => false,
    };
    Some(if supervised && !is_consumer {
        "no consumer is selected: pick one in the lag pane"
    } else {
        NOT_OURS
    })
}

/// The group that the selected row is about, ours or not.
pub(crate) fn any_group(state: &State) -> Option<String> {
    let snapshot = state.shown()?;
    match state.selected(state.focus())?.item {
        Item::Group(at) | Item::Member(at, _) | Item::Partition(at, _) => {
            Some(snapshot.groups.data[at].id.clone())
        }
        Item::Worker(at) => snapshot.workers.data[at].group.clone(),
        Item::Topic(_) | Item::Entry(_) | Item::Silent(_) => None,
    }
}

/// The id of the selected row, if it can be hidden: a topic or a group.
pub(crate) fn hideable(state: &State) -> Option<String> {
    let row = state.selected(state.focus())?;
    matches!(row.item, Item::Topic(_) | Item::Group(_)).then_some(row.key.id)
}

/// Why there is no group whose offsets could be set.
pub(crate) fn why_no_group(state: &State) -> Option<&'static str> {
    any_group(state).is_none().then_some("no group is selected: pick one in the lag pane")
}

/// The topic whose records are open, or that is selected.
pub(crate) fn topic(state: &State) -> Option<String> {
    if let Some(reading) = &state.reading {
        return Some(reading.query.topic.clone());
    }
    match state.selected(state.focus())?.item {
        Item::Topic(at) => Some(state.shown()?.topics.data[at].name.clone()),
        Item::Group(_)
        | Item::Worker(_)
        | Item::Member(..)
        | Item::Partition(..)
        | Item::Entry(_)
        | Item::Silent(_) => None,
    }
}

/// Why there is no topic to write to.
pub(crate) fn why_no_topic(state: &State) -> Option<&'static str> {
    topic(state).is_none().then_some("no topic is selected: pick one in the throughput pane")
}

/// Why there is no topic to burst.
pub(crate) fn why_no_burst(state: &State) -> Option<&'static str> {
    if matches!(of(state), Some(Target::Topic(_))) {
        return None;
    }
    Some(match state.selected(state.focus()).map(|row| row.item) {
        Some(Item::Topic(_)) => "not ours: no producer that this demo started writes to this topic",
        Some(
            Item::Group(_)
            | Item::Worker(_)
            | Item::Member(..)
            | Item::Partition(..)
            | Item::Entry(_)
            | Item::Silent(_),
        )
        | None => "no topic is selected: pick one in the throughput pane",
    })
}

const NOT_OURS: &str = "not ours: only workers that this demo started";

/// The group of a target: what scaling and rewinding act on.
pub(crate) fn group_of(state: &State, target: &Target) -> Option<String> {
    match target {
        Target::Group(id) => Some(id.clone()),
        Target::Worker(name) => {
            let worker = state.shown()?.workers.data.iter().find(|worker| worker.name == *name)?;
            worker.group.clone()
        }
        Target::Topic(_) | Target::Batch | Target::Record(_) => None,
    }
}

/// Whether a target is paused now, so that `space` means resume.
pub(crate) fn is_paused(state: &State, target: &Target) -> bool {
    let Some(snapshot) = state.shown() else { return false };
    let paused = |worker: &Worker| worker.state == WorkerState::Paused;
    let mut workers = snapshot.workers.data.iter();
    match target {
        Target::Worker(name) => workers.any(|worker| worker.name == *name && paused(worker)),
        Target::Group(id) => workers.any(|worker| worker.group.as_ref() == Some(id) && paused(worker)),
        Target::Topic(_) | Target::Batch | Target::Record(_) => false,
    }
}
