//! The mouse: it chooses what it is pressed on, and what is chosen already it opens, as Enter does.

use crate::state::cursor::{place_cursor, step};
use crate::state::finder;
use crate::state::input::Finder;
use crate::state::meaning::help;
use crate::state::message::Hit;
use crate::state::reading::RecordCursor;
use crate::state::{Cursor, Mode, State, paging};

/// What a press comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Press {
    /// Something was chosen.
    Chosen,
    /// What was chosen already: Enter.
    Enter,
    /// Nothing.
    Nothing,
}

pub(crate) fn click(state: &mut State, hit: Hit) -> Press {
    match (&mut state.mode, hit) {
        (Mode::Finder(finder), Hit::Entry(index)) => {
            let was = std::mem::replace(&mut finder.index, index);
            if was == index { Press::Enter } else { Press::Chosen }
        }
        (Mode::Confirm(confirm), Hit::Answer(yes)) => {
            // Never at once: the first press shows which answer Enter would give.
            let was = std::mem::replace(&mut confirm.yes, yes);
            if was == yes { Press::Enter } else { Press::Chosen }
        }
        (Mode::Panes, Hit::Pane(pane) | Hit::Row(pane, _)) => {
            let Some(at) = state.panes.iter().position(|its| its.pane == pane) else {
                return Press::Nothing;
            };
            let was_here = state.focus == at && state.reading.is_none();
            state.reading = None;
            state.focus_on(at);
            let Hit::Row(_, index) = hit else { return Press::Chosen };
            let rows = state.rows(pane);
            let was = state.focused().cursor.index_in(&rows);
            let Some(row) = rows.into_iter().nth(index) else { return Press::Chosen };
            state.focused_mut().cursor = Cursor { key: row.key, index, moved: true };
            place_cursor(state, at);
            if was_here && was == index { Press::Enter } else { Press::Chosen }
        }
        (Mode::Panes, Hit::Record(index)) => {
            let Some((page, was)) =
                paging::answer(state).zip(state.reading.as_ref()).map(|(page, its)| (page, its.index(page)))
            else {
                return Press::Nothing;
            };
            let Some(at) = page.rows.get(index).map(|row| row.at) else { return Press::Nothing };
            if let Some(reading) = &mut state.reading {
                reading.cursor = RecordCursor::At(at, index);
            }
            if was == index { Press::Enter } else { Press::Chosen }
        }
        (Mode::Leave, Hit::Answer(true)) => Press::Enter,
        (Mode::Leave, _) => {
            state.mode = Mode::Panes;
            Press::Chosen
        }
        (
            Mode::Panes | Mode::Help(_) | Mode::Filter | Mode::Input(_) | Mode::Finder(_) | Mode::Confirm(_),
            _,
        ) => Press::Nothing,
    }
}

/// Turns the wheel over a pane or the records: the cursor goes with it.
pub(crate) fn wheel(state: &mut State, hit: Hit, by: isize) -> Press {
    match (&mut state.mode, hit) {
        (Mode::Finder(finder), _) => {
            let typed = finder.typed.clone();
            let index = finder.index.saturating_add_signed(by);
            let last = finder::entries(state, &typed).len().saturating_sub(1);
            state.mode = Mode::Finder(Finder { typed, index: index.min(last) });
            Press::Chosen
        }
        (Mode::Help(line), _) => {
            *line = line.saturating_add_signed(by).min(help().len().saturating_sub(1));
            Press::Chosen
        }
        (Mode::Panes, Hit::Pane(pane) | Hit::Row(pane, _)) if state.reading.is_none() => {
            if let Some(at) = state.panes.iter().position(|its| its.pane == pane) {
                state.focus_on(at);
            }
            step(state, by);
            Press::Chosen
        }
        (Mode::Panes, _) => {
            step(state, by);
            Press::Chosen
        }
        (Mode::Filter | Mode::Input(_) | Mode::Confirm(_) | Mode::Leave, _) => Press::Nothing,
    }
}
