//! `view`: draws a [`State`] into a buffer of cells. No I/O, no clock; at every size, without a
//! panic.
//!
//! The [`layout`](mod@layout) divides the screen; the [`header`] draws the lines that are always
//! there, with the [`lesson`](mod@lesson) among them, [`bookmarks`] the one picture, one file in
//! [`panes`](mod@panes) each pane, [`overlays`] what covers them, [`presentation`] what replaces
//! them for a projector. All draw with a [`pen`], by role and not by
//! colour; the [`theme`] has the colours. At the end [`glyphs`] replaces the characters that the
//! terminal's font lacks.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::state::message::Hit;
use crate::state::pane::Pane;
use crate::state::{Mode, State};
use crate::view::layout::{Layout, Show, layout};
use crate::view::map::MapCache;
use crate::view::pen::Pen;
use crate::view::theme::{Glyphs, Theme};

pub(crate) mod big;
pub(crate) mod bookmarks;
pub(crate) mod glyphs;
pub(crate) mod header;
pub(crate) mod layout;
pub(crate) mod lesson;
pub(crate) mod map;
pub(crate) mod overlays;
pub(crate) mod panes;
pub(crate) mod pen;
pub(crate) mod presentation;
pub(crate) mod records;
pub(crate) mod theme;
pub(crate) mod trend;

/// What is kept between two frames because it is expensive to make: the streets, projected and
/// rasterised. It changes nothing about the picture.
#[derive(Debug, Default)]
pub struct Cache {
    pub(crate) map: MapCache,
    /// What the last frame drew where.
    hits: Vec<(Rect, Hit)>,
}

impl Cache {
    /// What is drawn at a place, in the frame that was drawn last.
    pub fn hit(&self, x: u16, y: u16) -> Option<Hit> {
        let on_top_first = self.hits.iter().rev();
        on_top_first.filter(|(area, _)| area.contains((x, y).into())).map(|(_, hit)| *hit).next()
    }
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
    let all: Vec<_> = state.panes.iter().map(|its| its.pane).collect();
    let show = Show {
        panes: &all,
        focus: state.focus(),
        chosen: state.chosen(),
        zoomed: state.zoomed || state.reading.is_some(),
        picture: bookmarks::height(state),
        cases: bookmarks::case_rows(state),
        wants: &|pane| state.height(pane),
        needs: &|pane| state.least_height(pane),
    };
    match layout(area, &show) {
        None => overlays::card(&mut pen, state, area),
        Some(layout) => screen(&mut pen, state, cache, &layout),
    }
    cache.hits = std::mem::take(&mut pen.hits);
    match theme.glyphs {
        Glyphs::Braille => {}
        Glyphs::Block => glyphs::replace(buf, area, glyphs::block),
        Glyphs::Ascii => glyphs::replace(buf, area, glyphs::ascii),
    }
}

fn screen(pen: &mut Pen, state: &State, cache: &mut Cache, layout: &Layout) {
    let body = Rect {
        y: layout.header.bottom(),
        height: layout.footer.y.saturating_sub(layout.header.bottom()),
        ..layout.header
    };
    match state.shown().filter(|_| state.is_presenting()) {
        Some(snapshot) => {
            header::draw_title(pen, state, layout.header);
            presentation::draw(pen, state, snapshot, Rect { y: body.y - 1, height: body.height + 1, ..body });
        }
        None => panes(pen, state, cache, layout),
    }
    header::footer(pen, state, layout.footer);
    match &state.mode {
        Mode::Help(line) => overlays::help(pen, state, *line, body),
        Mode::Finder(finder) => overlays::finder(pen, state, finder, body),
        Mode::Confirm(confirm) => overlays::confirm(pen, state, confirm, body),
        Mode::Leave => overlays::leave(pen, body),
        Mode::Panes | Mode::Filter | Mode::Input(_) => {}
    }
}

fn panes(pen: &mut Pen, state: &State, cache: &mut Cache, layout: &Layout) {
    header::draw(pen, state, layout.header);
    if let Some(picture) = layout.picture {
        bookmarks::draw(pen, state, picture);
    }
    if let Some(tabs) = layout.tabs {
        header::tabs(pen, state, tabs);
    }
    if let (Some(line), Some(snapshot)) = (layout.lag, state.shown()) {
        pen.hits.push((line, Hit::Pane(Pane::Lag)));
        panes::lag::line(pen, snapshot, line);
    }
    for (pane, area) in &layout.panes {
        pen.faded = false;
        pen.hits.push((*area, Hit::Pane(*pane)));
        match &state.reading {
            Some(reading) => records::draw(pen, state, reading, *area),
            None => panes::draw(pen, state, &mut cache.map, *pane, *area),
        }
    }
    pen.faded = false;
}
