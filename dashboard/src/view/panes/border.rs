//! A pane's border, and what is said where there is nothing to show.

use ratatui::layout::Rect;

use crate::snapshot::Source;
use crate::state::State;
use crate::state::pane::Pane;
use crate::view::lesson::stale_for;
use crate::view::pen::{Frame, Pen, Pieces};
use crate::view::theme::Role;
use text::{clean, text_width};

/// What a pane writes into its border.
#[derive(Default)]
pub(crate) struct Border {
    /// After its name: what it counts.
    pub(crate) note: String,
    /// Bottom right: a sum, a source.
    pub(crate) foot: Pieces,
    /// Bottom left: what the signs in it mean.
    pub(crate) legend: Pieces,
}

/// Draws a pane's border with what its source says of itself, and returns the inside if there is
/// data to show in it.
pub(crate) fn open(
    pen: &mut Pen,
    state: &State,
    pane: Pane,
    area: Rect,
    source: &Source,
    border: Border,
) -> Option<Rect> {
    let filter = &state.of(pane).filter;
    let mut right = stale_words(state, source);
    if right.is_empty() {
        let its = state.of(pane);
        let hidden = match its.hidden.len() {
            0 => String::new(),
            hidden => format!("{hidden} hidden"),
        };
        let filter = if filter.is_empty() { String::new() } else { format!("/{}", clean(filter)) };
        for words in [filter, its.order.words().to_owned(), hidden] {
            if !words.is_empty() {
                let gap = if right.is_empty() { "" } else { "  " };
                right.push((format!("{gap}{words}"), Role::Focus));
            }
        }
    }
    let empty = matches!(source, Source::Waiting | Source::Absent);
    let border = if empty { Border::default() } else { border };
    let frame = Frame {
        number: state.number(pane),
        name: pane.name().into(),
        note: border.note,
        right,
        foot: border.foot,
        legend: border.legend,
        focused: state.focus() == pane,
    };
    let inside = pen.frame(area, &frame);
    pen.faded = matches!(source, Source::Stale { .. });
    match source {
        Source::Waiting => say(pen, inside, "waiting for the first data"),
        Source::Absent => say(pen, inside, pane.spec().absent),
        Source::Live | Source::Stale { .. } => return (!inside.is_empty()).then_some(inside),
    }
    None
}

/// For how long a source has been silent, and why; nothing where it answers.
pub(crate) fn stale_words(state: &State, source: &Source) -> Pieces {
    match source {
        Source::Stale { for_ms, reason } => {
            let age = for_ms.saturating_add(state.silence_ms().unwrap_or(0));
            vec![(stale_for(age), Role::Bad), (format!(": {}", clean(reason)), Role::Bad)]
        }
        Source::Live | Source::Waiting | Source::Absent => Pieces::new(),
    }
}

/// A sentence in the middle of an empty pane.
pub(crate) fn say(pen: &mut Pen, area: Rect, text: &str) {
    let cells = text_width(text).min(area.width);
    let x = area.x + (area.width - cells) / 2;
    if area.height > 0 {
        pen.text(x, area.y + (area.height - 1) / 2, cells, text, Role::Dim);
    }
}
