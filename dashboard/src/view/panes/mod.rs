//! The panes, one a file, and what they share.

use ratatui::layout::Rect;

use crate::snapshot::Source;
use crate::state::State;
use crate::state::pane::Pane;
use crate::view::map::MapCache;
use crate::view::pen::Pen;

pub(crate) mod border;
mod city;
mod events;
pub(crate) mod lag;
mod lanes;
pub(crate) mod list;
mod markets;
mod partitions;
mod payments;
mod shop;
mod throughput;
mod trip;

use border::{Border, open};

pub(crate) use border::stale_words;

/// Draws one of the show's panes.
pub(crate) fn draw(pen: &mut Pen, state: &State, map: &mut MapCache, pane: Pane, area: Rect) {
    let Some(snapshot) = state.shown() else {
        open(pen, state, pane, area, &Source::Waiting, Border::default());
        return;
    };
    match pane {
        Pane::Throughput => throughput::draw(pen, state, snapshot, area),
        Pane::Lag => lag::draw(pen, state, snapshot, area),
        Pane::Partitions => partitions::draw(pen, state, snapshot, area),
        Pane::City => city::draw(pen, state, snapshot, map, area),
        Pane::Payments => payments::draw(pen, state, snapshot, area),
        Pane::Shop => shop::draw(pen, state, snapshot, area),
        Pane::Markets => markets::draw(pen, state, snapshot, area),
        Pane::Lanes => lanes::draw(pen, state, snapshot, area),
        Pane::Events => events::draw(pen, state, snapshot, area),
    }
}
