//! The view for a projector: how far behind each lane is, the one picture, and what the batch
//! delay has cost. Nothing else, so that it can be read from the last row.

use ratatui::layout::Rect;

use crate::format::{UNKNOWN, age, amount_within, minute_of_day, time_of_day, with_currency};
use crate::snapshot::{BillItem, Headline, LaneVerdict, Lanes, Snapshot, Unit};
use crate::state::State;
use crate::state::costs::LINES;
use crate::view::bookmarks::{self, QuestionLog};
use crate::view::panes::stale_words;
use crate::view::pen::{Pen, Pieces};
use crate::view::theme::Role;
use crate::view::{big, lesson};
use text::{clean, text_width};

/// The least rows of a curve, with its heading and its axis.
const LEAST_CURVE: u16 = 6;
/// From so many rows on, and so many columns for each sum, the sums are large.
const LARGE: (u16, u16) = (36, 24);
/// The most rows of one bar.
const MOST_BAR: u16 = 4;
/// The columns between two parts.
const GAP: u16 = 3;

/// Draws it between the first line and the last.
pub(crate) fn draw(pen: &mut Pen, state: &State, snapshot: &Snapshot, area: Rect) {
    let lanes = &snapshot.lanes.data;
    let mut left = Rect { x: area.x + 2, width: area.width.saturating_sub(4), ..area };
    let mut cut = |rows: u16| {
        let height = rows.min(left.height);
        let part = Rect { height, ..left };
        left = Rect { y: left.y + height, height: left.height - height, ..left };
        part
    };
    let top = cut(1);
    pen.whole_pieces(top.x, top.y, top.width, &stale_words(state, &snapshot.lanes.source));
    pen.faded = lesson::stale_ms(&snapshot.lanes.source).is_some();
    // The figures get a third of the rows, the bars what they need, the costs the rest.
    let half = area.width.saturating_sub(4 + GAP) / 2;
    let pixel = big::pixel(half, (area.height / 3).saturating_sub(2));
    figures(pen, lanes, pixel, cut(big::height(pixel) + 2));
    let slots = slots(lanes, top.width);
    let is_large = area.height >= LARGE.0 && slot_width(top.width, slots.len()) >= LARGE.1;
    let least = LEAST_CURVE + if is_large { big::height(big::SMALLEST) + 1 } else { 0 };
    let logs = QuestionLog::all(snapshot);
    let count = u16::try_from(logs.len()).unwrap_or(u16::MAX).max(1);
    let rest = area.height.saturating_sub(big::height(pixel) + 4 + least);
    let tall = (rest / count).clamp(1, MOST_BAR);
    let bars_height = tall.saturating_mul(count).saturating_add(2).min(rest.max(3));
    bars(pen, &logs, tall, cut(bars_height));
    costs(pen, state, snapshot, &slots, is_large, cut(u16::MAX));
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
    let stream_words = match (worst, lanes.stream_delay_ms) {
        (None, None) => " has not answered yet".to_owned(),
        (Some(_), _) | (None, Some(_)) => format!(" is behind{who}"),
    };
    let batch = age(lanes.batch_age_ms, false);
    let (batch_words, role) = if lanes.batch_age_ms.is_none() {
        (" has not run yet".to_owned(), Role::Dim)
    } else {
        let running = lanes.running.then(|| "running now".to_owned());
        let more = lesson::without_run(lanes).or(running).map(|words| format!(", {words}"));
        (format!(" is behind{}", more.unwrap_or_default()), Role::Batch)
    };
    let parts = [
        (vec![("stream".into(), Role::Stream), (stream_words, Role::Dim)], stream),
        (vec![("batch".into(), Role::Batch), (batch_words, Role::Dim)], (batch, role)),
    ];
    for ((heading, (text, role)), x) in parts.into_iter().zip([area.x, area.x + half + GAP]) {
        let heading: Pieces = heading;
        pen.pieces(x, area.y, half, &heading);
        let below = Rect::new(x, area.y + 1, half, area.height.saturating_sub(2));
        big::draw(pen, below, pixel, &text, role);
    }
}

/// The one picture, each bar so many rows tall with the empty one between two.
fn bars(pen: &mut Pen, logs: &[QuestionLog], tall: u16, area: Rect) {
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

/// A line of the bill that has a headline, and its index among these.
type Slot<'a> = (usize, &'a BillItem, &'a Headline);

/// As many lines of the bill with a headline as have room beside each other.
fn slots(lanes: &Lanes, room: u16) -> Vec<Slot<'_>> {
    let most = usize::from((room / 19).max(1)).min(LINES);
    let headlines = lanes.shown_bill().headlines().into_iter().take(most);
    headlines.enumerate().map(|(at, (item, headline))| (at, item, headline)).collect()
}

/// The columns of each of so many slots.
fn slot_width(room: u16, slots: usize) -> u16 {
    ((room + GAP) / u16::try_from(slots).unwrap_or(u16::MAX).max(1)).saturating_sub(GAP)
}

/// What the delay has cost: of each headline of the bill its sum, large where there is room, and
/// how it came. The sums of the hours before the show have no curve: it would be that of the show.
fn costs(pen: &mut Pen, state: &State, snapshot: &Snapshot, slots: &[Slot], is_large: bool, area: Rect) {
    if slots.is_empty() || area.height < LEAST_CURVE - 1 {
        return;
    }
    let (lanes, offset) = (&snapshot.lanes.data, snapshot.title.utc_offset_min);
    pen.text(area.x, area.y, area.width, &heading(lanes, slots, offset), Role::Title);
    let width = slot_width(area.width, slots.len());
    let figures: Vec<_> = slots.iter().map(|(_, item, _)| large_figure(item, width)).collect();
    let sizes = figures.iter().filter_map(|(text, _)| big::pixel_of(text, width, area.height / 3));
    let pixel = sizes.min().unwrap_or(big::SMALLEST);
    let large = if is_large { big::height(pixel) } else { 0 };
    for ((slot, (text, role)), number) in slots.iter().zip(figures).zip(0_u16..) {
        let part = Rect::new(area.x + number * (width + GAP), area.y + 1, width, area.height - 1);
        if is_large {
            big::draw(pen, Rect { height: large, ..part }, pixel, &text, role);
        }
        let below = Rect { y: part.y + large, height: part.height.saturating_sub(large), ..part };
        caption(pen, slot, below);
        if lanes.shown_past().is_none() {
            let chart = Rect { y: below.y + 1, height: below.height.saturating_sub(1), ..below };
            curve(pen, state, snapshot, slot, chart);
        }
    }
}

/// Since when, or of which hours; and what all wait for that are not known yet.
fn heading(lanes: &Lanes, slots: &[Slot], offset: i32) -> String {
    if let Some(words) = lesson::awaits_past(lanes) {
        return words.to_owned();
    }
    if let Some(past) = lanes.shown_past() {
        return format!("cost of batch delay, {}, before the show", lesson::hours_of(past, offset));
    }
    // The sums are of the time that the bill counts, whenever the curves below them begin.
    let since = lanes.counted_since_ms.map_or("the start".to_owned(), |since| time_of_day(since, offset));
    let waits = slots.iter().any(|(_, item, _)| item.delay_cost().is_none());
    let until = match (waits, lanes.batch_age_ms) {
        (false, _) => String::new(),
        (true, None) => format!("  {UNKNOWN} after the first run"),
        (true, Some(_)) => format!("  {UNKNOWN} after a later run"),
    };
    format!("cost of batch delay since {since}{until}")
}

/// The longest way to write a sum that has room in large letters.
fn large_figure(item: &BillItem, cells: u16) -> (String, Role) {
    let Some(cost) = item.delay_cost() else { return (UNKNOWN.to_owned(), Role::Dim) };
    let [_, whole, short] = lesson::ways_to_write(item, cost);
    if big::pixel_of(&whole.0, cells, u16::MAX).is_some() { whole } else { short }
}

/// The sum in full, and what it is.
fn caption(pen: &mut Pen, (_, item, headline): &Slot, area: Rect) {
    let (figure, role) = match item.delay_cost() {
        Some(cost) => {
            let [full, ..] = lesson::ways_to_write(item, cost);
            full
        }
        None => (UNKNOWN.to_owned(), Role::Dim),
    };
    let room = area.width.saturating_sub(text_width(&figure) + 1);
    let words = [&headline.words, &headline.short].map(|words| clean(words).into_owned());
    let words = words.into_iter().find(|words| text_width(words) <= room).unwrap_or_default();
    pen.pieces(area.x, area.y, area.width, &[(figure, role), (format!(" {words}"), Role::Dim)]);
}

/// How a sum came to what it is, with its axes: the time below, and the highest and the lowest
/// value.
fn curve(pen: &mut Pen, state: &State, snapshot: &Snapshot, &(at, item, _): &Slot, area: Rect) {
    let chart = Rect { height: area.height.saturating_sub(1), ..area };
    let now = snapshot.title.clock_ms.unwrap_or(0);
    let curve = state.costs.curve(at, now, item.delay_cost(), usize::from(chart.width));
    let finite = || curve.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (finite().fold(0.0, f64::min), finite().fold(0.0, f64::max));
    let above: Vec<f64> = curve.iter().map(|value| value - low).collect();
    // A sum that is no cost yet has no curve of a cost either.
    let tells = matches!(item.verdict, Some(LaneVerdict::StreamWins | LaneVerdict::BatchWins));
    pen.chart(chart, &above, if tells { Role::Batch } else { Role::Dim });
    let bottom = chart.bottom();
    if let Some(since) = state.costs.since_ms() {
        let clock = |at_ms| minute_of_day(at_ms, snapshot.title.utc_offset_min);
        // Where a dashboard came late, the curve begins after the sum does.
        let since = clock(since);
        let ways = [format!("curve from {since}"), format!("from {since}"), since];
        let words = ways.iter().find(|words| text_width(words) + 7 <= area.width).unwrap_or(&ways[2]);
        pen.text(area.x, bottom, area.width, words, Role::Dim);
        pen.right(area.right(), bottom, area.width.saturating_sub(6), &clock(now), Role::Dim);
    }
    let amount = |value| {
        let amount = amount_within(item.unit, Some(value), 6);
        if item.unit == Unit::Cents { with_currency(&amount) } else { amount }
    };
    if high > 0.0 {
        pen.text(area.x, chart.y, area.width, &format!("max {}", amount(high)), Role::Dim);
    }
    if low < 0.0 {
        pen.text(area.x, bottom.saturating_sub(1), area.width, &format!("min {}", amount(low)), Role::Dim);
    }
}
