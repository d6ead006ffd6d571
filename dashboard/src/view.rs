//! `view`: draws a [`State`] into a buffer. No I/O, no clock; at every size, without a panic.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::draw::Pen;
use crate::layout::{Layout, layout};
use crate::map::MapCache;
use crate::state::{Mode, Pane, State};
use crate::theme::{Glyphs, Theme};
use crate::{glyphs, header, overlays, panes};

/// What is kept between two frames because it is dear to make: the streets, projected and
/// rasterised. It changes nothing about the picture.
#[derive(Debug, Default)]
pub struct Cache {
    pub(crate) map: MapCache,
}

/// Draws everything into `area` of `buf`.
pub fn view(state: &State, cache: &mut Cache, theme: &Theme, area: Rect, buf: &mut Buffer) {
    let area = area.intersection(buf.area);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            buf[(x, y)].reset();
        }
    }
    if area.is_empty() {
        return;
    }
    let mut pen = Pen::new(buf, *theme);
    match layout(area, state.focus(), state.zoomed, &|pane| {
        state.has(pane).then(|| panes::wants(state, pane))
    }) {
        None => overlays::card(&mut pen, state, area),
        Some(layout) => screen(&mut pen, state, cache, &layout),
    }
    match theme.glyphs {
        Glyphs::Braille => {}
        Glyphs::Block => glyphs::replace(buf, area, glyphs::block),
        Glyphs::Ascii => glyphs::replace(buf, area, glyphs::ascii),
    }
}

fn screen(pen: &mut Pen, state: &State, cache: &mut Cache, layout: &Layout) {
    header::draw(pen, state, layout.header);
    if let Some(tabs) = layout.tabs {
        header::tabs(pen, state, tabs);
    }
    for (pane, area) in &layout.panes {
        pen.faded = false;
        match (state.shown(), pane) {
            (None, pane) => panes::nothing_yet(pen, state, *pane, *area),
            (Some(snapshot), Pane::Throughput) => panes::throughput::draw(pen, state, snapshot, *area),
            (Some(snapshot), Pane::Lag) => panes::lag::draw(pen, state, snapshot, *area),
            (Some(snapshot), Pane::Partitions) => panes::partitions::draw(pen, state, snapshot, *area),
            (Some(snapshot), Pane::City) => panes::city::draw(pen, state, snapshot, &mut cache.map, *area),
            (Some(snapshot), Pane::Payments) => panes::payments::draw(pen, state, snapshot, *area),
            (Some(snapshot), Pane::Shop) => panes::shop::draw(pen, state, snapshot, *area),
            (Some(snapshot), Pane::Lanes) => panes::lanes::draw(pen, state, snapshot, *area),
            (Some(snapshot), Pane::Events) => panes::events::draw(pen, state, snapshot, *area),
        }
    }
    pen.faded = false;
    header::footer(pen, state, layout.footer);
    let body = Rect {
        y: layout.header.bottom(),
        height: layout.footer.y.saturating_sub(layout.header.bottom()),
        ..layout.header
    };
    match &state.mode {
        Mode::Help(line) => overlays::help(pen, state, *line, body),
        Mode::Confirm(confirm) => overlays::confirm(pen, state, confirm, body),
        Mode::Panes | Mode::Filter => {}
    }
}
