//! A list of rows with a cursor, and the room below it.

use std::ops::Range;

use ratatui::layout::Rect;

use crate::format::{duration, number, short};
use crate::state::State;
use crate::state::message::Hit;
use crate::state::pane::Pane;
use crate::state::rows::Row;
use crate::view::panes::border::say;
use crate::view::pen::Pen;
use crate::view::theme::Role;

/// Draws the rows of a list that fit, the cursor among them. `draw` gets the place of one row.
pub(crate) fn list(
    pen: &mut Pen,
    state: &State,
    pane: Pane,
    area: Rect,
    rows: &[Row],
    mut draw: impl FnMut(&mut Pen, Rect, &Row),
) {
    if rows.is_empty() {
        let filtered = !state.of(pane).filter.is_empty();
        say(
            pen,
            area,
            if filtered { "nothing matches the filter; Esc clears it" } else { pane.spec().empty },
        );
        return;
    }
    let cursor = &state.of(pane).cursor;
    let selected = cursor.index_in(rows);
    // The row that more is shown about may have left the list.
    let is_there = cursor.find_in(rows).is_some() || !state.of(pane).detail;
    let shown = window(rows.len(), selected, usize::from(area.height));
    scrollbar(pen, state.focus() == pane, area, rows.len(), &shown);
    for (y, at) in (area.y..area.bottom()).zip(shown) {
        let line = Rect { y, height: 1, ..area };
        pen.hits.push((line, Hit::Row(pane, at)));
        if at == selected && is_there && state.focus() == pane {
            pen.highlight(line);
        }
        draw(pen, line, &rows[at]);
    }
}

/// Where in a list one is: a thicker stretch of the pane's right border. None when all of it is
/// shown.
pub(crate) fn scrollbar(pen: &mut Pen, focused: bool, area: Rect, rows: usize, shown: &Range<usize>) {
    if shown.len() >= rows || area.height == 0 {
        return;
    }
    let height = usize::from(area.height);
    let thumb = (shown.len() * height / rows).clamp(1, height);
    // The thumb reaches an end exactly when the list does.
    let top = (shown.start * (height - thumb)).div_ceil((rows - shown.len()).max(1));
    for y in 0..thumb {
        let role = if focused { Role::Focus } else { Role::Dim };
        pen.cell(area.right(), area.y + (top + y) as u16, '┃', role);
    }
}

/// Which rows of a list to show, so that the selected one is among them and about in the middle.
pub(crate) fn window(rows: usize, selected: usize, height: usize) -> Range<usize> {
    let start = selected.saturating_sub(height / 2).min(rows.saturating_sub(height));
    start..(start + height).min(rows)
}

/// How the axes of a series with a value a second are written.
pub(crate) fn per_second() -> (impl Fn(f64) -> String, impl Fn(usize) -> String) {
    let figure = |value: f64| if value < 1e5 { number(Some(value)) } else { short(value) };
    (figure, |values: usize| duration(values as f64 * 1_000.0))
}

/// Cuts what a list of `rows` leaves free off the bottom of `inside`, or `wanted` rows if that is
/// more; one row stays empty between. `None`: there is too little for it to be worth it.
pub(crate) fn split_below(inside: &mut Rect, rows: usize, wanted: u16) -> Option<Rect> {
    let free = usize::from(inside.height).saturating_sub(rows + 1) as u16;
    let height = free.max(wanted).min(14);
    if height < 5 || inside.height < height + 4 {
        return None;
    }
    let below = Rect { y: inside.bottom() - height, height, ..*inside };
    inside.height -= height + 1;
    Some(below)
}
