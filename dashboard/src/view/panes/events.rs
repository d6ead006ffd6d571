//! The events: what happened, newest first, with how long it took; above them every worker at one
//! glance.

use ratatui::layout::Rect;

use crate::format::{count, duration, time_of_day};
use crate::snapshot::{Notice, NoticeKind, Severity, Snapshot, Source, Worker, WorkerState};
use crate::state::State;
use crate::state::pane::Pane;
use crate::state::rows::Item;
use crate::view::panes::border::{Border, open};
use crate::view::panes::list::list;
use crate::view::pen::{Pen, Pieces, pieces_width};
use crate::view::theme::Role;
use text::{clean, wrap};

pub(crate) fn draw(pen: &mut Pen, state: &State, snapshot: &Snapshot, area: Rect) {
    let timeline = &snapshot.timeline;
    let dropped = timeline.dropped;
    let foot = if dropped > 0 {
        vec![(format!("{} older dropped", count(dropped)), Role::Dim)]
    } else {
        Pieces::new()
    };
    let Some(mut inside) = open(
        pen,
        state,
        Pane::Events,
        area,
        &Source::Live,
        Border { note: "real time (UTC)".into(), foot, ..Border::default() },
    ) else {
        return;
    };
    if inside.height > 2 && !snapshot.workers.data.is_empty() {
        workers(pen, &snapshot.workers.data, inside);
        inside.y += 1;
        inside.height -= 1;
    }
    if inside.height > 9
        && let Some((of, Item::Entry(at))) = state.detailed(Pane::Events)
    {
        let below = Rect { y: inside.bottom() - 5, height: 5, ..inside };
        inside.height -= 5;
        detail(pen, &of.timeline.notices[at], below);
    }
    list(pen, state, Pane::Events, inside, &state.rows(Pane::Events), |pen, line, row| {
        if let Item::Entry(at) = row.item {
            notice(pen, &timeline.notices[at], line);
        }
    });
}

/// A dot a worker; their names as long as they fit, those in trouble first.
fn workers(pen: &mut Pen, workers: &[Worker], line: Rect) {
    let look = |worker: &Worker| match worker.state {
        WorkerState::Dead { .. } => (0, "✖", Role::Bad),
        WorkerState::Paused => (1, "‖", Role::Paused),
        WorkerState::Starting | WorkerState::Stopping => (2, "○", Role::Dim),
        WorkerState::Running => (3, "●", Role::Good),
    };
    let mut sorted: Vec<&Worker> = workers.iter().collect();
    sorted.sort_by_key(|worker| look(worker).0);
    let mut x = line.x + 1;
    let end = line.right().saturating_sub(1);
    for (at, worker) in sorted.iter().enumerate() {
        let (_, glyph, role) = look(worker);
        let pieces: Pieces =
            vec![(format!("{glyph} "), role), (clean(&worker.name).into_owned(), Role::Text)];
        let more = format!("+{}", sorted.len() - at);
        if x + pieces_width(&pieces) + 5 > end && at + 1 < sorted.len() {
            pen.text(x, line.y, end.saturating_sub(x), &more, Role::Dim);
            return;
        }
        x = pen.pieces(x, line.y, end.saturating_sub(x), &pieces) + 2;
    }
}

/// The whole of one notice.
fn detail(pen: &mut Pen, notice: &Notice, area: Rect) {
    let room = area.width.saturating_sub(2);
    let mut head: Pieces = vec![(clean(&notice.subject).into_owned(), Role::Title)];
    head.push((format!("  at {} UTC", time_of_day(notice.at_ms, 0)), Role::Dim));
    if let Some(took) = notice.duration_ms {
        head.push((format!("  took {}", duration(took)), Role::Text));
    }
    pen.pieces(area.x + 1, area.y + 1, room, &head);
    for (y, line) in (area.y + 2..area.bottom()).zip(wrap(&clean(&notice.text), room)) {
        pen.text(area.x + 1, y, room, &line, Role::Text);
    }
}

fn notice(pen: &mut Pen, notice: &Notice, line: Rect) {
    let glyph = match notice.kind {
        NoticeKind::Rebalance => "⟳",
        NoticeKind::Election => "★",
        NoticeKind::Crash => "✖",
        NoticeKind::Start => "●",
        NoticeKind::BatchRun => "▪",
        NoticeKind::Incident => "▲",
        NoticeKind::Control => "→",
        NoticeKind::Note => "·",
    };
    let role = match notice.severity {
        Severity::Info => Role::Dim,
        Severity::Good => Role::Good,
        Severity::Warning => Role::Warn,
        Severity::Bad => Role::Bad,
    };
    // Wall clock, in UTC: these are things that happened to the machinery, not to the city.
    let pieces: Pieces = vec![
        (time_of_day(notice.at_ms, 0), Role::Dim),
        (format!(" {glyph} "), role),
        (clean(&notice.subject).into_owned(), Role::Text),
        (format!("  {}", clean(&notice.text)), Role::Dim),
    ];
    let end = line.right().saturating_sub(1);
    let took = notice.duration_ms.map_or(String::new(), duration);
    let start = pen.right(end, line.y, 8, &took, Role::Text);
    pen.pieces(line.x + 1, line.y, start.saturating_sub(line.x + 2), &pieces);
}
