//! The eight panes, one a file, and what they share.

use std::ops::Range;

use ratatui::layout::Rect;

use crate::draw::{Frame, Pen, Pieces, window};
use crate::format::{clean, duration};
use crate::rows::Row;
use crate::snapshot::{Group, Source, Trend};
use crate::state::{Pane, State};
use crate::theme::Role;

pub(crate) mod city;
pub(crate) mod events;
pub(crate) mod lag;
pub(crate) mod lanes;
pub(crate) mod partitions;
pub(crate) mod payments;
pub(crate) mod shop;
pub(crate) mod throughput;
mod trip;

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
    let filter = &state.filters[pane.index()];
    let right = match source {
        Source::Stale { for_ms, reason } => {
            let age = for_ms.saturating_add(state.silence_ms().unwrap_or(0));
            vec![(format!("stale {}: {}", duration(age as f64), clean(reason)), Role::Bad)]
        }
        _ if !filter.is_empty() => vec![(format!("/{}", clean(filter)), Role::Focus)],
        _ => Pieces::new(),
    };
    let empty = matches!(source, Source::Waiting | Source::Absent);
    let border = if empty { Border::default() } else { border };
    let frame = Frame {
        number: Some(pane.index() + 1),
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
        Source::Absent => say(pen, inside, absence(pane)),
        Source::Live | Source::Stale { .. } => return (!inside.is_empty()).then_some(inside),
    }
    None
}

/// Rows of the chart below a list, and the empty one between.
const CHART: usize = 9;

/// How many rows a pane has a use for, border and all. A filter changes nothing about it: typing
/// must not move the panes.
pub(crate) fn wants(state: &State, pane: Pane) -> u16 {
    let Some(snapshot) = state.shown() else { return u16::MAX };
    let rows = match pane {
        Pane::Throughput => snapshot.topics.data.len() + 3 + CHART,
        Pane::Lag => {
            let groups = &snapshot.groups.data;
            let opened = groups.iter().filter(|group| state.opened.contains(&group.id));
            let below = |group: &Group| {
                if group.ours {
                    crate::rows::workers_of(snapshot, group).count()
                } else {
                    group.members.len()
                }
            };
            groups.len() + 2 + CHART + opened.map(below).sum::<usize>()
        }
        Pane::Shop => 23,
        _ => return u16::MAX,
    };
    rows.min(usize::from(u16::MAX)) as u16
}

/// Why a pane has nothing to show on a foreign cluster.
fn absence(pane: Pane) -> &'static str {
    match pane {
        Pane::City => "no positions on this cluster",
        Pane::Payments => "no card swipes on this cluster",
        Pane::Shop => "no clicks on this cluster",
        Pane::Lanes => "no batch lane on this cluster",
        _ => "not on this cluster",
    }
}

/// A pane before the first snapshot.
pub(crate) fn nothing_yet(pen: &mut Pen, state: &State, pane: Pane, area: Rect) {
    open(pen, state, pane, area, &Source::Waiting, Border::default());
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

/// A sentence in the middle of an empty pane.
pub(crate) fn say(pen: &mut Pen, area: Rect, text: &str) {
    let cells = crate::format::text_width(text).min(area.width);
    let x = area.x + (area.width - cells) / 2;
    if area.height > 0 {
        pen.text(x, area.y + (area.height - 1) / 2, cells, text, Role::Dim);
    }
}

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
        let words = match pane {
            _ if !state.filters[pane.index()].is_empty() => "nothing matches the filter; Esc clears it",
            Pane::Events => "nothing has happened yet",
            _ => "none",
        };
        say(pen, area, words);
        return;
    }
    let selected = state.cursors[pane.index()].place(rows);
    let shown = window(rows.len(), selected, usize::from(area.height));
    scrollbar(pen, state.focus() == pane, area, rows.len(), &shown);
    for (y, at) in (area.y..area.bottom()).zip(shown) {
        let line = Rect { y, height: 1, ..area };
        if at == selected && state.focus() == pane {
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

/// How a lag is drawn: what needs no look is plain.
pub(crate) fn lag_role(trend: Trend, records: Option<u64>) -> Role {
    match trend {
        _ if records.is_none_or(|records| records == 0) => Role::Dim,
        Trend::KeepingUp | Trend::Scheduled { .. } | Trend::Unknown => Role::Text,
        Trend::FallingBehind { .. } | Trend::Draining { .. } | Trend::Dead | Trend::Paused => Role::Truth,
    }
}

/// A trend as glyph, words and colour; `brief` for the glyph and the time alone.
pub(crate) fn trend(trend: Trend, brief: bool) -> (String, Role) {
    let words = |glyph: &str, words: String, role| (format!("{glyph} {words}"), role);
    match trend {
        Trend::Unknown if brief => ("·".into(), Role::Dim),
        Trend::Unknown => words("·", "too early to say".into(), Role::Dim),
        Trend::KeepingUp if brief => ("●".into(), Role::Good),
        Trend::KeepingUp => words("●", "keeping up".into(), Role::Good),
        Trend::FallingBehind { .. } if brief => ("▲".into(), Role::Warn),
        Trend::FallingBehind { records_per_second: Some(rate) } if rate.is_finite() => {
            words("▲", format!("falling behind {}/s", crate::format::short(rate)), Role::Warn)
        }
        Trend::FallingBehind { .. } => words("▲", "falling behind".into(), Role::Warn),
        Trend::Draining { done_in_ms: Some(ms) } if brief => {
            words("▼", format!("done in {}", duration(ms)), Role::Stream)
        }
        Trend::Draining { .. } if brief => ("▼".into(), Role::Stream),
        Trend::Draining { done_in_ms: Some(ms) } => {
            words("▼", format!("draining, done in {}", duration(ms)), Role::Stream)
        }
        Trend::Draining { done_in_ms: None } => words("▼", "draining".into(), Role::Stream),
        Trend::Dead if brief => ("✖".into(), Role::Bad),
        Trend::Dead => words("✖", "dead".into(), Role::Bad),
        Trend::Paused if brief => ("‖".into(), Role::Paused),
        Trend::Paused => words("‖", "paused".into(), Role::Paused),
        Trend::Scheduled { due_in_ms: Some(ms) } if !brief => {
            words("◷", format!("runs in {}", duration(ms)), Role::Batch)
        }
        Trend::Scheduled { .. } if brief => ("◷".into(), Role::Batch),
        Trend::Scheduled { .. } => words("◷", "on schedule".into(), Role::Batch),
    }
}
