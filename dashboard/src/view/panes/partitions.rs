//! The partitions: each as a line from the log's start to its end, with the group's committed
//! offset in it.
//!
//! `├━━━━━━━━◆╌╌╌┤`: read, the committed offset, still to read. A committed offset that retention
//! has overtaken is its own case.
//!
//! # Simplifications
//! - The line is scaled to each log alone: two lines of the same length may be logs of very
//!   different sizes.

use ratatui::layout::Rect;

use crate::format::{UNKNOWN, age, count, number, short};
use crate::snapshot::{Group, GroupPartition, Snapshot};
use crate::state::State;
use crate::state::pane::Pane;
use crate::state::rows::Item;
use crate::view::panes::border::{Border, open, say};
use crate::view::panes::list::{scrollbar, window};
use crate::view::pen::{Pen, Pieces};
use crate::view::theme::Role;
use crate::view::trend::{lag_role, trend};
use text::clean;

/// A line of the pane: a heading, which no cursor can be on, or a row.
enum Line {
    Heading(usize, String),
    Row(usize, usize, usize),
}

pub(crate) fn draw(pen: &mut Pen, state: &State, snapshot: &Snapshot, area: Rect) {
    let groups = &snapshot.groups.data;
    let legend: Pieces =
        [(" ━ read", Role::Series), (" ◆ bookmark", Role::Stream), (" ╌ unread ", Role::Batch)]
            .map(|(word, role)| (word.to_string(), role))
            .to_vec();
    let Some(mut inside) = open(
        pen,
        state,
        Pane::Partitions,
        area,
        &snapshot.groups.source,
        Border { note: "of each group".into(), legend, ..Border::default() },
    ) else {
        return;
    };
    let rows = state.rows(Pane::Partitions);
    if rows.is_empty() {
        say(pen, inside, "no group has committed an offset or joined yet");
        return;
    }
    if state.of(Pane::Partitions).detail
        && inside.height > 8
        && let Some(Item::Partition(group, at)) = state.selected(Pane::Partitions).map(|row| row.item)
    {
        let below = Rect { y: inside.bottom() - 4, height: 4, ..inside };
        inside.height -= 4;
        detail(pen, &groups[group], &groups[group].partitions[at], below);
    }
    let selected = state.of(Pane::Partitions).cursor.index_in(&rows);
    let mut lines: Vec<Line> = Vec::new();
    let mut selected_line = 0;
    let mut last: Option<(usize, &str)> = None;
    for (at, row) in rows.iter().enumerate() {
        let Item::Partition(group, partition) = row.item else { continue };
        let topic = groups[group].partitions[partition].topic.as_str();
        if last != Some((group, topic)) {
            lines.push(Line::Heading(group, topic.to_string()));
            last = Some((group, topic));
        }
        if at == selected {
            // The first row shows its heading with it.
            selected_line = if at == 0 { 0 } else { lines.len() };
        }
        lines.push(Line::Row(at, group, partition));
    }
    let shown = window(lines.len(), selected_line, usize::from(inside.height));
    scrollbar(pen, state.focus() == Pane::Partitions, inside, lines.len(), &shown);
    for (y, line) in (inside.y..inside.bottom()).zip(&lines[shown]) {
        let area = Rect { y, height: 1, ..inside };
        match line {
            Line::Heading(group, topic) => heading(pen, &groups[*group], topic, area),
            Line::Row(at, group, partition) => {
                if *at == selected && state.focus() == Pane::Partitions {
                    pen.highlight(area);
                }
                row(pen, &groups[*group].partitions[*partition], area);
            }
        }
    }
}

/// The offsets behind one bar.
fn detail(pen: &mut Pen, group: &Group, partition: &GroupPartition, area: Rect) {
    let offset =
        |offset: Option<i64>| offset.map_or(UNKNOWN.to_string(), |offset| number(Some(offset as f64)));
    let member = group.members.iter().find(|member| partition.owner.as_ref() == Some(&member.name));
    let head: Pieces = vec![
        (format!("{} {}", clean(&partition.topic), partition.partition), Role::Title),
        (format!("  read by {}", clean(partition.owner.as_deref().unwrap_or("nobody"))), Role::Text),
        (member.map_or(String::new(), |member| format!(" at {}", clean(&member.host))), Role::Dim),
    ];
    let offsets: Pieces = vec![
        ("log start ".into(), Role::Dim),
        (offset(partition.log_start), Role::Text),
        ("   bookmark ".into(), Role::Dim),
        (offset(partition.committed), Role::Stream),
        ("   log end ".into(), Role::Dim),
        (offset(partition.log_end), Role::Text),
    ];
    let room = area.width.saturating_sub(2);
    pen.pieces(area.x + 1, area.y + 1, room, &head);
    pen.pieces(area.x + 1, area.y + 2, room, &offsets);
    pen.pieces(area.x + 1, area.y + 3, room, &[trend(partition.trend, false)]);
}

fn heading(pen: &mut Pen, group: &Group, topic: &str, line: Rect) {
    let pieces: Pieces =
        vec![(group.id.clone(), Role::Title), (format!("  reads {}", clean(topic)), Role::Dim)];
    pen.pieces(line.x + 1, line.y, line.width.saturating_sub(2), &pieces);
}

fn row(pen: &mut Pen, partition: &GroupPartition, line: Rect) {
    let y = line.y;
    pen.right(line.x + 5, y, 4, &format!("p{}", partition.partition), Role::Dim);
    let right = line.right().saturating_sub(1);
    // Lag, trend and owner have columns at the right; the log takes what is left.
    let owner_cells = if line.width >= 70 { 17 } else { 10 };
    let after = right.saturating_sub(6 + 8 + 4 + owner_cells);
    let bar_from = line.x + 7;
    let bar = after.saturating_sub(bar_from);
    log(pen, partition, bar_from, y, bar);
    let lag = partition.lag_records.map_or(crate::format::UNKNOWN.to_string(), |lag| short(lag as f64));
    let x = bar_from + bar;
    pen.right(x + 6, y, 6, &lag, lag_role(partition.trend, partition.lag_records));
    pen.right(x + 14, y, 7, &age(partition.lag_ms, partition.lag_is_minimum), Role::Dim);
    let (words, role) = trend(partition.trend, true);
    pen.cell(x + 16, y, words.chars().next().unwrap_or(' '), role);
    match &partition.owner {
        Some(owner) => pen.right(right, y, owner_cells, owner, Role::Dim),
        None => pen.right(right, y, owner_cells, "no owner", Role::Dim),
    };
}

/// The log as a line, as long as there is room.
fn log(pen: &mut Pen, partition: &GroupPartition, x: u16, y: u16, cells: u16) {
    if cells < 4 {
        return;
    }
    let end = x + cells - 1;
    let (Some(start), Some(log_end)) = (partition.log_start, partition.log_end) else {
        pen.text(x, y, cells, "log not known yet", Role::Dim);
        return;
    };
    if partition.overtaken() {
        let lost = start.saturating_sub(partition.committed.unwrap_or(start)).unsigned_abs();
        let words = format!("✖ {} deleted unread ", count(lost));
        let after = pen.text(x, y, cells, &words, Role::Bad);
        for x in after..end {
            pen.cell(x, y, '╌', Role::Bad);
        }
        if after <= end {
            pen.cell(end, y, '┤', Role::Bad);
        }
        return;
    }
    pen.cell(x, y, '├', Role::Faint);
    pen.cell(end, y, '┤', Role::Faint);
    let Some(committed) = partition.committed else {
        for x in x + 1..end {
            pen.cell(x, y, '╌', Role::Faint);
        }
        let words = " no bookmark ";
        if cells > 17 {
            pen.text(x + 2, y, cells - 4, words, Role::Dim);
        }
        return;
    };
    let length = log_end.saturating_sub(start).max(1) as f64;
    let part = (committed.saturating_sub(start) as f64 / length).clamp(0.0, 1.0);
    let last = cells - 3;
    let mark = (part * f64::from(last)).floor() as u16;
    // A committed offset before the end must not look like the end, however long the log is.
    let mark = if committed < log_end { mark.min(last.saturating_sub(1)) } else { last };
    for at in 0..=last {
        let (glyph, role) = match at.cmp(&mark) {
            std::cmp::Ordering::Less => ('━', Role::Series),
            std::cmp::Ordering::Equal => ('◆', Role::Stream),
            std::cmp::Ordering::Greater => ('╌', Role::Batch),
        };
        pen.cell(x + 1 + at, y, glyph, role);
    }
}
