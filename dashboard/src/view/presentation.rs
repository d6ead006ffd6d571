//! The view for a projector: how far behind each lane is, the one picture, and what waiting has
//! cost since the start. Nothing else, so that it can be read from the last row.

use ratatui::layout::Rect;

use crate::format::{age, amount_within, time_of_day};
use crate::snapshot::{BillItem, Headline, Lanes, Snapshot, Unit};
use crate::state::State;
use crate::view::bookmarks::{self, Log};
use crate::view::pen::{Pen, Pieces, pieces_width};
use crate::view::theme::Role;
use crate::view::{big, lesson};
use text::{clean, text_width};

/// The least rows of a curve, with its heading and its axis.
const LEAST_CURVE: u16 = 6;
/// The most rows of one bar.
const MOST_BAR: u16 = 4;
/// The columns between two parts.
const GAP: u16 = 3;

/// Draws it between the first line and the last.
pub(crate) fn draw(pen: &mut Pen, state: &State, snapshot: &Snapshot, area: Rect) {
    pen.faded = lesson::stale_ms(&snapshot.lanes.source).is_some();
    let mut left = Rect { x: area.x + 2, width: area.width.saturating_sub(4), ..area };
    let mut cut = |rows: u16| {
        let height = rows.min(left.height);
        let part = Rect { height, ..left };
        left = Rect { y: left.y + height, height: left.height - height, ..left };
        part
    };
    // The figures get a third of the rows, the bars what they need, the curves the rest.
    let half = area.width.saturating_sub(4 + GAP) / 2;
    let pixel = big::pixel(half, (area.height / 3).saturating_sub(2));
    cut(1);
    figures(pen, &snapshot.lanes.data, pixel, cut(big::height(pixel) + 2));
    let logs = Log::all(snapshot);
    let count = u16::try_from(logs.len()).unwrap_or(u16::MAX).max(1);
    let rest = area.height.saturating_sub(big::height(pixel) + 4 + LEAST_CURVE);
    let tall = (rest / count).clamp(1, MOST_BAR);
    let bars_height = (tall * count + 2).min(rest.max(3));
    bars(pen, &logs, tall, cut(bars_height));
    curves(pen, state, snapshot, cut(u16::MAX));
    pen.faded = false;
}

/// How far behind each lane is.
fn figures(pen: &mut Pen, lanes: &Lanes, pixel: (u16, u16), area: Rect) {
    let half = area.width.saturating_sub(GAP) / 2;
    let worst = lesson::worst(lanes);
    let who = worst.map_or(String::new(), |worst| format!(": {}", clean(&worst.business)));
    let stream = match worst {
        Some(worst) => (age(worst.delay_ms, worst.delay_is_minimum), Role::Bad),
        None => (age(lanes.stream_delay_ms, false), Role::Stream),
    };
    let batch = match lanes.batch_age_ms {
        Some(ms) => (age(Some(ms), false), Role::Batch),
        None => (crate::format::UNKNOWN.to_owned(), Role::Dim),
    };
    let next = match lanes.batch_age_ms {
        None => " has not run yet".to_owned(),
        Some(_) if lanes.running => " is behind, running now".to_owned(),
        Some(_) => " is behind".to_owned(),
    };
    let parts = [
        (vec![("stream".into(), Role::Stream), (format!(" is behind{who}"), Role::Dim)], stream),
        (vec![("batch".into(), Role::Batch), (next, Role::Dim)], batch),
    ];
    for ((heading, (text, role)), x) in parts.into_iter().zip([area.x, area.x + half + GAP]) {
        let heading: Pieces = heading;
        pen.pieces(x, area.y, half, &heading);
        let below = Rect::new(x, area.y + 1, half, area.height.saturating_sub(2));
        big::draw(pen, below, pixel, &text, role);
    }
}

/// The one picture, each bar so many rows tall with the empty one between two.
fn bars(pen: &mut Pen, logs: &[Log], tall: u16, area: Rect) {
    let legend: Pieces = vec![
        ("◆ ".into(), Role::Stream),
        ("the stream has read up to here".into(), Role::Dim),
        ("   ◇ ".into(), Role::Batch),
        ("the batch has read up to here".into(), Role::Dim),
    ];
    pen.whole_pieces(area.x, area.y, area.width, &legend);
    let name = logs.iter().map(|log| text_width(&clean(log.business()))).max().unwrap_or(0).min(16);
    let (from, end) = (area.x + name + 2, area.right());
    let thick = if tall > 2 { tall - 1 } else { tall.min(1) };
    for (at, log) in (0_u16..).zip(logs) {
        let top = area.y + 1 + at * tall;
        if top + thick > area.bottom() {
            return;
        }
        pen.text(area.x, top + (thick - 1) / 2, name, log.business(), Role::Text);
        let cells = end.saturating_sub(from);
        if thick == 1 {
            bookmarks::line(pen, log, from, top, cells);
        } else {
            bookmarks::block(pen, log, Rect::new(from, top, cells, thick));
        }
    }
}

/// What waiting has cost since the start: of each headline of the bill its sum, and how it came.
fn curves(pen: &mut Pen, state: &State, snapshot: &Snapshot, area: Rect) {
    let lanes = &snapshot.lanes.data;
    let headlines = lanes.bill.headlines();
    let most = (area.width / 19).max(1) as usize;
    let shown = &headlines[..headlines.len().min(most).min(crate::state::costs::LINES)];
    if shown.is_empty() || area.height < LEAST_CURVE - 1 {
        return;
    }
    let offset = snapshot.title.utc_offset_min;
    let clock = |at_ms| time_of_day(at_ms, offset);
    let since = state.costs.since_ms().map_or(String::new(), |since| format!(" since {}", clock(since)));
    pen.text(area.x, area.y, area.width, &format!("waiting has cost{since}"), Role::Title);
    let count = shown.len() as u16;
    let width = (area.width + GAP) / count - GAP;
    for (at, (item, headline)) in (0_u16..).zip(shown) {
        let part = Rect::new(area.x + at * (width + GAP), area.y + 1, width, area.height - 1);
        curve(pen, state, snapshot, (usize::from(at), item, headline), part);
    }
}

fn curve(
    pen: &mut Pen,
    state: &State,
    snapshot: &Snapshot,
    (at, item, headline): (usize, &BillItem, &Headline),
    area: Rect,
) {
    let (figure, role) = match item.delay_cost() {
        Some(cost) => lesson::figure(item, cost),
        None => ("after the first run".into(), Role::Dim),
    };
    let heading: Pieces = vec![(figure, role), (format!(" {}", clean(&headline.words)), Role::Dim)];
    let cells = if pieces_width(&heading) <= area.width { &heading[..] } else { &heading[..1] };
    pen.pieces(area.x, area.y, area.width, cells);
    let chart = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
    let now = snapshot.title.clock_ms.unwrap_or(0);
    let curve = state.costs.curve(at, now, item.delay_cost(), usize::from(chart.width));
    let (low, high) = curve
        .iter()
        .filter(|value| value.is_finite())
        .fold((0.0_f64, 0.0_f64), |(low, high), &value| (low.min(value), high.max(value)));
    let above: Vec<f64> = curve.iter().map(|value| value - low).collect();
    pen.chart(chart, &above, Role::Batch);
    // The axis: the time below, the highest value where the curve reaches it.
    let bottom = area.bottom().saturating_sub(1);
    if let Some(since) = state.costs.since_ms() {
        let offset = snapshot.title.utc_offset_min;
        let clock = |at_ms| time_of_day(at_ms, offset)[..5].to_owned();
        pen.text(area.x, bottom, area.width, &clock(since), Role::Dim);
        pen.right(area.right(), bottom, area.width.saturating_sub(6), &clock(now), Role::Dim);
    }
    let amount = |value| {
        let currency = if item.unit == Unit::Cents { "$" } else { "" };
        format!("{currency}{}", amount_within(item.unit, Some(value), 6))
    };
    if high > 0.0 {
        pen.text(area.x, chart.y, area.width, &format!("max {}", amount(high)), Role::Dim);
    }
    if low < 0.0 {
        pen.text(area.x, chart.bottom() - 1, area.width, &format!("min {}", amount(low)), Role::Dim);
    }
}
