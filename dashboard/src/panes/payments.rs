//! Pane 5: decisions as they fall, with their reasons, against the deadline of the till.

use ratatui::layout::Rect;

use crate::draw::{Pen, Pieces};
use crate::format::{clean, count, duration, maybe_count, maybe_duration, maybe_money, money, time_of_day};
use crate::overlays::wrap;
use crate::panes::{Border, list, open};
use crate::rows::Item;
use crate::snapshot::{Decision, Payments, Snapshot, Verdict};
use crate::state::{Pane, State};
use crate::theme::Role;

/// A verdict in a word.
pub(crate) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approved => "approved",
        Verdict::Declined => "declined",
        Verdict::StoodIn => "stood in",
    }
}

pub(crate) fn draw(pen: &mut Pen, state: &State, snapshot: &Snapshot, area: Rect) {
    let payments = &snapshot.payments.data;
    let stood_in = payments.stood_in.filter(|stood_in| *stood_in > 0);
    let note = format!(
        "{} declined of {}{}",
        maybe_count(payments.declined),
        maybe_count(all(payments)),
        stood_in.map_or(String::new(), |stood_in| format!(" · {} stood in", count(stood_in)))
    );
    let mut foot: Pieces = vec![(
        format!(
            "p50 {}  p99 {}",
            maybe_duration(payments.latency_p50_ms),
            maybe_duration(payments.latency_p99_ms)
        ),
        Role::Text,
    )];
    if let Some(deadline) = payments.deadline_ms {
        foot.push((format!("  deadline {}", duration(deadline)), Role::Dim));
    }
    let Some(mut inside) = open(
        pen,
        state,
        Pane::Payments,
        area,
        &snapshot.payments.source,
        Border { note, foot, ..Border::default() },
    ) else {
        return;
    };
    let offset = snapshot.title.utc_offset_min;
    if state.detail[Pane::Payments.index()]
        && inside.height > 9
        && let Some(Item::Decision(at)) = state.selected(Pane::Payments).map(|row| row.item)
    {
        let height = 6;
        let below = Rect { y: inside.bottom() - height, height, ..inside };
        inside.height -= height;
        detail(pen, &payments.recent[at], offset, below);
    }
    if inside.height > 10 {
        let facts: Pieces = vec![
            ("let through ".into(), Role::Dim),
            (maybe_money(payments.approved_cents.map(|cents| cents as f64)), Role::Text),
            ("   refused ".into(), Role::Dim),
            (maybe_money(payments.declined_cents.map(|cents| cents as f64)), Role::Text),
        ];
        pen.pieces(inside.x + 1, inside.y, inside.width.saturating_sub(2), &facts);
        inside.y += 1;
        inside.height -= 1;
    }
    list(pen, state, Pane::Payments, inside, &state.rows(Pane::Payments), |pen, line, row| {
        if let Item::Decision(at) = row.item {
            decision(pen, &payments.recent[at], payments.deadline_ms, offset, line);
        }
    });
}

fn all(payments: &Payments) -> Option<u64> {
    Some(payments.approved?.saturating_add(payments.declined?).saturating_add(payments.stood_in.unwrap_or(0)))
}

fn decision(pen: &mut Pen, decision: &Decision, deadline_ms: Option<f64>, offset: i32, line: Rect) {
    let y = line.y;
    let mut x = line.x + 1;
    if line.width >= 74 {
        pen.text(x, y, 8, &time_of_day(decision.at_ms, offset), Role::Dim);
        x += 10;
    }
    // The verdict is the only coloured cell of the row, so that a column of them can be read at a glance.
    let role = match decision.verdict {
        Verdict::Approved => Role::Good,
        Verdict::Declined => Role::Bad,
        Verdict::StoodIn => Role::Warn,
    };
    pen.text(x, y, 8, word(decision.verdict), role);
    x += 9;
    pen.right(x + 10, y, 10, &money(decision.amount_cents), Role::Text);
    x += 12;
    let right = line.right().saturating_sub(1);
    let late = matches!((decision.latency_ms, deadline_ms), (Some(took), Some(deadline)) if took > deadline);
    let latency = maybe_duration(decision.latency_ms);
    pen.right(right, y, 7, &latency, if late { Role::Warn } else { Role::Dim });
    let mut room = right.saturating_sub(x + 8);
    if line.width >= 92 {
        let fraud = match decision.fraud {
            Some(true) => "was fraud",
            Some(false) => "was honest",
            None => "",
        };
        pen.right(right.saturating_sub(8), y, 10, fraud, Role::Dim);
        room = room.saturating_sub(12);
    }
    let reason = decision.reasons.first().map_or("", String::as_str);
    pen.text(x, y, room, reason, if decision.verdict == Verdict::Declined { Role::Text } else { Role::Dim });
}

/// All that is known of one decision.
fn detail(pen: &mut Pen, decision: &Decision, offset: i32, area: Rect) {
    for x in area.left()..area.right() {
        pen.cell(x, area.y, '╌', Role::Faint);
    }
    let probability = decision
        .probability
        .filter(|p| p.is_finite())
        .map_or("–".into(), |p| format!("{:.1} %", p * 100.0));
    let facts: Pieces = vec![
        (clean(&decision.card_id).into_owned(), Role::Title),
        (format!("  {}", time_of_day(decision.at_ms, offset)), Role::Dim),
        (format!("  {}", money(decision.amount_cents)), Role::Text),
        (format!("  {}", word(decision.verdict)), Role::Text),
        (format!("  probability of fraud {probability}"), Role::Dim),
    ];
    let room = area.width.saturating_sub(2);
    pen.pieces(area.x + 1, area.y + 1, room, &facts);
    let reasons = decision.reasons.iter().enumerate();
    let lines = reasons.flat_map(|(at, reason)| wrap(&format!("{}. {}", at + 1, clean(reason)), room));
    for (y, line) in (area.y + 2..area.bottom()).zip(lines) {
        pen.text(area.x + 1, y, room, &line, Role::Text);
    }
}
