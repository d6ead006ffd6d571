//! The throughput: per topic, records a second in and out, with the last minutes as a line beside
//! its name.

use ratatui::layout::Rect;

use crate::format::{UNKNOWN, bytes, maybe_count, number, plural, short};
use crate::snapshot::{Snapshot, Topic};
use crate::state::State;
use crate::state::pane::Pane;
use crate::state::rows::Item;
use crate::view::panes::border::{Border, open};
use crate::view::panes::list::{list, per_second, split_below};
use crate::view::pen::{Pen, Pieces};
use crate::view::theme::Role;
use text::{clean, text_width};

pub(crate) fn draw(pen: &mut Pen, state: &State, snapshot: &Snapshot, area: Rect) {
    let topics = &snapshot.topics.data;
    let rates = topics.iter().filter_map(|topic| topic.in_per_second).filter(|rate| rate.is_finite());
    let all = rates.reduce(|all, rate| all + rate);
    let foot = vec![(format!("all {}", number(all)), Role::Text), (" /s".to_string(), Role::Dim)];
    let legend = if topics.iter().any(is_committed) {
        vec![(" c committed, not read ".to_string(), Role::Dim)]
    } else {
        Pieces::new()
    };
    let Some(mut inside) = open(
        pen,
        state,
        Pane::Throughput,
        area,
        &snapshot.topics.source,
        Border { note: "records /s".into(), foot, legend },
    ) else {
        return;
    };
    let rows = state.rows(Pane::Throughput);
    // What the list leaves free shows the selected topic's last minutes.
    let below = split_below(&mut inside, rows.len() + 1, 0);
    if let (Some(below), Some(Item::Topic(at))) =
        (below, state.selected(Pane::Throughput).map(|row| row.item))
    {
        chart(pen, &topics[at], below);
    }
    let name = topics.iter().map(|topic| text_width(&clean(&topic.name))).max().unwrap_or(0);
    let columns = Columns::new(inside.width, name, topics.iter().any(|topic| topic.bursting));
    if inside.height > 3 && columns.out > 0 {
        let line = Rect { height: 1, ..inside };
        heading(pen, &columns, line);
        inside.y += 1;
        inside.height -= 1;
    }
    list(pen, state, Pane::Throughput, inside, &rows, |pen, line, row| match row.item {
        Item::Topic(at) => topic(pen, &columns, &topics[at], line),
        Item::Silent(count) => {
            let sign = if state.silent { '−' } else { '+' };
            let words = format!("{sign} {}", plural(count as u64, "silent topic"));
            pen.text(line.x + 1, line.y, line.width.saturating_sub(2), &words, Role::Dim);
        }
        Item::Group(_) | Item::Worker(_) | Item::Member(..) | Item::Partition(..) | Item::Entry(_) => {}
    });
}

/// Where each column ends, from the left; zero wide where there is no room for it.
struct Columns {
    name: u16,
    out: u16,
    total: u16,
    burst: u16,
}

impl Columns {
    fn new(width: u16, longest: u16, bursting: bool) -> Self {
        let name = longest.clamp(8, 26).min(width / 3);
        Columns {
            name,
            out: if width >= 48 { 9 } else { 0 },
            total: if width >= 64 { 9 } else { 0 },
            burst: if bursting { 7 } else { 0 },
        }
    }
}

/// What is read of a topic: as our workers say, with what others commit; marked where commits are
/// all that is known.
fn out(topic: &Topic) -> String {
    match (topic.out_per_second, topic.committed_per_second) {
        (Some(read), committed) => number(Some(read + committed.unwrap_or(0.0))),
        (None, Some(committed)) if committed > 0.0 => format!("{}c", number(Some(committed))),
        (None, committed) => number(committed),
    }
}

/// Whether the rate of some topic is that of commits.
fn is_committed(topic: &Topic) -> bool {
    topic.out_per_second.is_none() && topic.committed_per_second.is_some_and(|rate| rate > 0.0)
}

fn heading(pen: &mut Pen, columns: &Columns, line: Rect) {
    let mut end = line.x + 1 + columns.name + 9;
    pen.right(end, line.y, 9, "in", Role::Dim);
    end += columns.out;
    pen.right(end, line.y, columns.out, "out", Role::Dim);
    end += columns.total;
    pen.right(end, line.y, columns.total, "total", Role::Dim);
}

fn topic(pen: &mut Pen, columns: &Columns, topic: &Topic, line: Rect) {
    let y = line.y;
    let busy = topic.in_per_second.is_some_and(|rate| rate > 0.0);
    let name = if busy { Role::Text } else { Role::Dim };
    pen.text(line.x + 1, y, columns.name, &topic.name, name);
    let mut end = line.x + 1 + columns.name + 9;
    pen.right(end, y, 8, &number(topic.in_per_second), if busy { Role::Truth } else { Role::Dim });
    end += columns.out;
    pen.right(end, y, columns.out, &out(topic), Role::Dim);
    end += columns.total;
    let total = topic.total_records.map_or(UNKNOWN.to_string(), |total| short(total as f64));
    pen.right(end, y, columns.total, &total, Role::Dim);
    let mut right = line.right().saturating_sub(1);
    if topic.bursting {
        pen.right(right, y, 6, "+burst", Role::Warn);
    }
    // All lines end in the same column, which is now.
    right = right.saturating_sub(columns.burst);
    let spark = right.saturating_sub(end + 2).min(120);
    if spark >= 6 {
        pen.sparkline(end + 2, y, spark, &topic.history_per_second, Role::Series);
    }
}

/// One topic, its last minutes as tall as there is room.
fn chart(pen: &mut Pen, topic: &Topic, area: Rect) {
    let highest = topic.history_per_second.iter().copied().filter(|rate| rate.is_finite()).reduce(f64::max);
    let facts: Pieces = vec![
        (clean(&topic.name).into_owned(), Role::Title),
        (format!("  highest {} /s", number(highest)), Role::Text),
        (format!("  read {} /s", number(topic.out_per_second)), Role::Dim),
        (format!("  committed by others {} /s", number(topic.committed_per_second)), Role::Dim),
        (format!("  {} partitions", maybe_count(topic.partitions.map(u64::from))), Role::Dim),
        (format!("  {} on disk", topic.bytes.map_or(UNKNOWN.into(), bytes)), Role::Dim),
    ];
    pen.whole_pieces(area.x + 1, area.y, area.width.saturating_sub(2), &facts);
    let chart =
        Rect::new(area.x + 1, area.y + 1, area.width.saturating_sub(2), area.height.saturating_sub(1));
    pen.graph(chart, &topic.history_per_second, Role::Series, per_second());
}
