//! What `y` copies: the record that is open, or what the selected row is about.
//!
//! It is typed elsewhere, and what is from outside must not be obeyed there: control characters and
//! invisible ones are escaped, as in every line that a command of ours prints.

use text::{clean, escape, fit};

use crate::state::pane::Pane;
use crate::state::rows::Item;
use crate::state::{State, paging};

/// The most bytes that are copied: some terminals take no more.
const MOST_BYTES: usize = 64 << 10;

/// The text; none where nothing is selected.
pub(crate) fn text(state: &State) -> Option<String> {
    let text = raw(state)?;
    let mut lines: Vec<String> = text.lines().map(|line| escape(line).into_owned()).collect();
    if lines.iter().map(String::len).sum::<usize>() > MOST_BYTES {
        lines = vec![lines.concat().chars().take(MOST_BYTES / 4).collect()];
    }
    Some(lines.join("\n"))
}

/// Its beginning, for the footer.
pub(crate) fn short(text: &str) -> String {
    fit(&clean(text.lines().next().unwrap_or_default()), 60).into_owned()
}

/// Why there is nothing to copy.
pub(crate) fn why_nothing(state: &State) -> Option<&'static str> {
    raw(state).is_none().then_some("nothing is selected that could be copied")
}

fn raw(state: &State) -> Option<String> {
    if let Some(reading) = &state.reading {
        let whole = paging::whole(state).and_then(|(_, whole)| whole?.value.clone());
        let row = || paging::selected(state).and_then(|row| row.value.clone());
        let place = || paging::selected(state).map(|row| format!("{}/{}", reading.query.topic, row.at));
        return whole.or_else(row).or_else(place);
    }
    let snapshot = state.shown()?;
    if state.focus() == Pane::Lanes
        && let Some(database) = &snapshot.lanes.data.database
    {
        return Some(database.clone());
    }
    let row = state.selected(state.focus())?;
    Some(match row.item {
        Item::Topic(at) => snapshot.topics.data[at].name.clone(),
        Item::Group(at) => snapshot.groups.data[at].id.clone(),
        Item::Worker(at) => snapshot.workers.data[at].name.clone(),
        Item::Member(at, member) => snapshot.groups.data[at].members[member].client_id.clone(),
        Item::Partition(at, partition) => {
            let its = &snapshot.groups.data[at].partitions[partition];
            let committed = its.committed.map_or_else(String::new, |offset| format!("@{offset}"));
            format!("{}/{}{committed}", its.topic, its.partition)
        }
        Item::Entry(_) => row.key.id,
        Item::Silent(_) => return None,
    })
}
