//! Moving the cursor, and keeping it on its row when the rows change.

use crate::state::pane::{Follow, Pane};
use crate::state::rows::RowKey;
use crate::state::{Cursor, State, paging};

/// Moves the cursor by so many rows.
pub(crate) fn step(state: &mut State, by: isize) {
    if state.reading.is_some() {
        paging::step(state, by);
    } else {
        move_cursor(state, |at, _| at.saturating_add_signed(by));
    }
}

pub(crate) fn move_cursor(state: &mut State, to: impl Fn(usize, usize) -> usize) {
    let rows = state.rows(state.focus());
    let last = rows.len().saturating_sub(1);
    let index = to(state.focused().cursor.index_in(&rows), last).min(last);
    let key = rows.into_iter().nth(index).map(|row| row.key).unwrap_or_default();
    state.focused_mut().cursor = Cursor { key, index, moved: true };
    if state.focus() == Pane::Lag
        && let Some(at) = state.panes.iter().position(|its| its.pane == Pane::Partitions)
    {
        // The partitions follow the selected group, from its first.
        state.panes[at].cursor = Cursor::default();
        place_cursor(state, at);
    }
}

/// Puts the cursor of the pane with this index on the row that it names, or where that row was.
pub(crate) fn place_cursor(state: &mut State, at: usize) {
    let pane = state.panes[at].pane;
    let rows = state.rows(pane);
    let its = &state.panes[at];
    let cursor = &its.cursor;
    let first = match pane.spec().follow {
        // The row whose detail is open stays while the detail is read.
        Follow::Top => !cursor.moved && !its.detail,
        Follow::FirstUntilMoved => !cursor.moved,
        Follow::Row => false,
    };
    if its.detail && pane.spec().follow == Follow::Top && cursor.key != RowKey::default() {
        match cursor.find_in(&rows) {
            Some(_) => {
                let frozen = state.frozen.as_ref().map(|(snapshot, _)| snapshot);
                state.panes[at].held = frozen.or(state.latest.as_ref()).cloned();
            }
            // It has left the list: the last snapshot that had it is kept.
            None => return,
        }
    }
    let cursor = &state.panes[at].cursor;
    let (index, moved) = (if first { 0 } else { cursor.index_in(&rows) }, cursor.moved);
    assert!(rows.is_empty() || index < rows.len(), "a cursor is on one of {} rows: {index}", rows.len());
    if let Some(row) = rows.into_iter().nth(index) {
        state.panes[at].cursor = Cursor { key: row.key, index, moved };
    }
}
