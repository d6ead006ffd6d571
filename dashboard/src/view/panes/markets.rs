//! The pane of the markets: what each pair is worth, and what both lanes say to do, how long after
//! the minute that it is about.

use ratatui::layout::Rect;
use text::clean;

use crate::format::{UNKNOWN, count, duration, maybe_count, minute_of_day};
use crate::snapshot::{MarketMove, MarketOrder, MarketPair, Snapshot};
use crate::state::State;
use crate::state::pane::Pane;
use crate::state::rows::Item;
use crate::view::panes::border::{Border, open};
use crate::view::panes::list::{list, split_below};
use crate::view::pen::{Pen, Pieces};
use crate::view::theme::Role;

pub(crate) fn draw(pen: &mut Pen, state: &State, snapshot: &Snapshot, area: Rect) {
    let markets = &snapshot.markets.data;
    let note = format!("{} pairs", count(markets.pairs.len() as u64));
    let foot: Pieces = vec![
        (maybe_count(markets.candles), Role::Text),
        (" candles closed, ".into(), Role::Dim),
        (maybe_count(markets.revised), Role::Text),
        (" revised".into(), Role::Dim),
    ];
    let legend = vec![(" said so long after its minute, price so far against the order ".into(), Role::Dim)];
    let Some(mut inside) =
        open(pen, state, Pane::Markets, area, &snapshot.markets.source, Border { note, foot, legend })
    else {
        return;
    };
    let rows = state.rows(Pane::Markets);
    // What the list leaves free shows more about the selected pair.
    let wanted = if state.of(Pane::Markets).detail { inside.height / 2 } else { 0 };
    let below = split_below(&mut inside, rows.len() + 1, wanted);
    if let (Some(below), Some(Item::Entry(at))) = (below, state.selected(Pane::Markets).map(|row| row.item)) {
        detail(pen, &markets.pairs[at], snapshot.title.utc_offset_min, below);
    }
    let columns = Columns::new(inside.width);
    if inside.height > 1 {
        heading(pen, &columns, Rect { height: 1, ..inside });
        inside.y += 1;
        inside.height -= 1;
    }
    let now_ms = snapshot.title.clock_ms;
    list(pen, state, Pane::Markets, inside, &rows, |pen, line, row| {
        if let Item::Entry(at) = row.item {
            pair(pen, &columns, &markets.pairs[at], now_ms, line);
        }
    });
}

/// How wide each column is; zero where there is no room for it.
struct Columns {
    name: u16,
    price: u16,
    change: u16,
    spark: u16,
    signal: u16,
}

impl Columns {
    /// The most telling first: what the lanes say, then the price, then how it came to be.
    fn new(width: u16) -> Self {
        let (name, price, signal) = (9, 11, 13);
        let mut free = width.saturating_sub(2 + name + price + 2 * signal);
        let change = if free >= 10 { 10 } else { 0 };
        free -= change;
        Columns { name, price, change, spark: if free >= 10 { (free - 2).min(60) } else { 0 }, signal }
    }
}

fn heading(pen: &mut Pen, columns: &Columns, line: Rect) {
    let mut end = line.x + 1 + columns.name + columns.price;
    pen.right(end, line.y, columns.price, "price", Role::Dim);
    end += columns.change;
    pen.right(end, line.y, columns.change, "last hour", Role::Dim);
    let right = line.right().saturating_sub(1);
    pen.right(right, line.y, columns.signal, "batch", Role::Batch);
    pen.right(right.saturating_sub(columns.signal), line.y, columns.signal, "stream", Role::Stream);
}

fn pair(pen: &mut Pen, columns: &Columns, pair: &MarketPair, now_ms: Option<i64>, line: Rect) {
    let y = line.y;
    pen.text(line.x + 1, y, columns.name, &pair.name, Role::Text);
    let mut end = line.x + 1 + columns.name + columns.price;
    pen.right(end, y, columns.price, &pair.price_e8.map_or(UNKNOWN.into(), price), Role::Text);
    end += columns.change;
    pen.right(end, y, columns.change, &change(pair).map_or(UNKNOWN.into(), percent), Role::Dim);
    if columns.spark > 0 {
        pen.sparkline(end + 2, y, columns.spark, &risen(&pair.closes), Role::Series);
    }
    let right = line.right().saturating_sub(1);
    let newest =
        |of: fn(&MarketOrder) -> &Option<MarketMove>| pair.orders.iter().find(|order| of(order).is_some());
    let (stream, batch) = (newest(|order| &order.stream), newest(|order| &order.batch));
    // Where the batch lane still says what the stream has taken back, it is in its colour.
    let differ = stream.map(|order| order.buys) != batch.map(|order| order.buys);
    let role = |role| if differ { role } else { Role::Dim };
    pen.right(right, y, columns.signal, &said(batch, now_ms), role(Role::Batch));
    pen.right(
        right.saturating_sub(columns.signal),
        y,
        columns.signal,
        &said(stream, now_ms),
        role(Role::Stream),
    );
}

/// What a lane says, and how long ago the minute ended that it is about: `sell 41 min`.
fn said(order: Option<&MarketOrder>, now_ms: Option<i64>) -> String {
    let Some(order) = order else { return UNKNOWN.into() };
    let age = now_ms.map(|now_ms| duration(now_ms.saturating_sub(order.at_ms) as f64));
    format!("{} {}", word(order), age.unwrap_or_default())
}

fn word(order: &MarketOrder) -> &'static str {
    if order.buys { "buy" } else { "sell" }
}

/// One pair: its last hour, and when each lane could act on what it said.
fn detail(pen: &mut Pen, pair: &MarketPair, offset: i32, area: Rect) {
    let orders = Rect { width: area.width.min(46), ..area };
    let (first, second) = (orders.x + 28, orders.x + 45);
    pen.text(orders.x + 1, orders.y, 10, &clean(&pair.name), Role::Title);
    pen.right(first, orders.y, 8, "stream", Role::Stream);
    pen.right(second, orders.y, 8, "batch", Role::Batch);
    for (y, order) in (orders.y + 1..orders.bottom()).zip(&pair.orders) {
        pen.text(orders.x + 1, y, 5, &minute_of_day(order.at_ms, offset), Role::Dim);
        pen.text(orders.x + 7, y, 4, word(order), Role::Text);
        for (end, moved, role) in [(first, &order.stream, Role::Stream), (second, &order.batch, Role::Batch)]
        {
            pen.right(end, y, 16, &moved.as_ref().map_or(UNKNOWN.into(), reaction), role);
        }
    }
    let chart = Rect { x: orders.right() + 1, width: area.width.saturating_sub(orders.width + 2), ..area };
    if chart.width >= 20 {
        let known = pair.closes.iter().copied().filter(|close| close.is_finite());
        let high = known.reduce(f64::max).map_or(String::new(), |high| price((high * 1e8) as i64));
        // The chart begins at the lowest price and not at 0, where there is nothing to write.
        let label = |height: f64| if height > 0.0 { high.clone() } else { String::new() };
        pen.graph(chart, &risen(&pair.closes), Role::Series, (label, |closes| format!("{closes} min")));
    }
}

/// When a lane could act, and what it cost: `31 s +1.2 bp`.
fn reaction(moved: &MarketMove) -> String {
    let bp = moved.against_bp.filter(|bp| bp.is_finite()).map_or(UNKNOWN.into(), basis_points);
    format!("{} {bp}", duration(moved.after_ms))
}

fn basis_points(bp: f64) -> String {
    format!("{}{:.1} bp", sign(bp), bp.abs().min(99_999.0))
}

/// How much dearer a unit is than an hour ago, as a share.
fn change(pair: &MarketPair) -> Option<f64> {
    let (before, now) = (*pair.closes.first()?, pair.price_e8? as f64 / 1e8);
    (before > 0.0 && before.is_finite()).then(|| now / before - 1.0)
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent.abs() < 999.0 { format!("{}{:.2} %", sign(percent), percent.abs()) } else { "> 999 %".into() }
}

fn sign(value: f64) -> &'static str {
    if value < 0.0 { "−" } else { "+" }
}

/// A price with as many digits as a person wants to read: `62,113.45`, `4.612`, `0.09612`.
fn price(price_e8: i64) -> String {
    let digits = match price_e8.unsigned_abs() / 100_000_000 {
        1_000.. => 2,
        10..=999 => 3,
        1..=9 => 4,
        // All that there is of what costs less than a thousandth of a cent.
        0 if (1..1_000).contains(&price_e8.unsigned_abs()) => 8,
        0 => 5,
    };
    let unit = 10_u64.pow(8 - digits);
    let rounded = price_e8.unsigned_abs().saturating_add(unit / 2) / unit;
    let of_one = 10_u64.pow(digits);
    let minus = if price_e8 < 0 { "−" } else { "" };
    format!("{minus}{}.{:0width$}", count(rounded / of_one), rounded % of_one, width = digits as usize)
}

/// A series of prices as heights above its lowest: charts begin at zero, prices are far from it.
fn risen(closes: &[f64]) -> Vec<f64> {
    let known = closes.iter().copied().filter(|close| close.is_finite());
    let (low, high) =
        known.fold((f64::MAX, f64::MIN), |(low, high), close| (low.min(close), high.max(close)));
    let height = |close: &f64| {
        if !close.is_finite() {
            f64::NAN
        } else if high > low {
            0.15 + 0.85 * ((close - low) / (high - low)).clamp(0.0, 1.0)
        } else {
            0.5
        }
    };
    closes.iter().map(height).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_have_the_digits_that_matter() {
        let shown = [6_211_345_000_000, 14_212_300_000, 461_239_000, 9_612_400, 1, 0, -5_000_000, i64::MAX];
        assert_eq!(
            shown.map(price),
            [
                "62,113.45",
                "142.123",
                "4.6124",
                "0.09612",
                "0.00000001",
                "0.00000",
                "−0.05000",
                "92,233,720,368.55"
            ]
        );
    }

    #[test]
    fn a_series_fills_its_chart_and_one_that_never_moves_is_a_line() {
        assert_eq!(risen(&[5.0, 5.0]), [0.5, 0.5]);
        assert!(risen(&[]).is_empty());
        let heights = risen(&[4.0, f64::NAN, 6.0, 5.0]);
        assert_eq!((heights[0], heights[2], heights[3]), (0.15, 1.0, 0.575));
        assert!(heights[1].is_nan());
    }

    #[test]
    fn how_far_a_price_has_moved_has_its_sign() {
        assert_eq!(
            [1.24, -14.0, 0.0, 1e9].map(basis_points),
            ["+1.2 bp", "−14.0 bp", "+0.0 bp", "+99999.0 bp"]
        );
        assert_eq!([0.0123, -0.5, 1e9].map(percent), ["+1.23 %", "−50.00 %", "> 999 %"]);
    }
}
