//! The payments: decisions as they are made, with their reasons and their latency, against the
//! deadline of the terminal.

use ratatui::layout::Rect;

use crate::format::{
    UNKNOWN, count, duration, maybe_count, maybe_duration, maybe_money, money, percent, time_of_day,
};
use crate::snapshot::{Decision, Payments, Snapshot, Verdict};
use crate::state::State;
use crate::state::pane::Pane;
use crate::state::rows::{Item, Row};
use crate::view::panes::border::{Border, open};
use crate::view::panes::list::list;
use crate::view::pen::{Pen, Pieces, pieces_width};
use crate::view::theme::Role;
use text::{clean, text_width, wrap};

type Predicate = fn(&Decision) -> bool;

/// What stays on the screen when newer decisions have pushed it out of the list, and its heading.
const PINNED: [(&str, Predicate); 2] =
    [(" last decline ", is_declined), (" last chargeback ", is_charged_back)];

pub(crate) fn draw(pen: &mut Pen, state: &State, snapshot: &Snapshot, area: Rect) {
    let payments = &snapshot.payments.data;
    let (note, foot) = (note(payments, area.width), foot(payments, area.width));
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
    if inside.height > 9
        && let Some((of, Item::Entry(at))) = state.detailed(Pane::Payments)
    {
        let height = 6;
        let below = Rect { y: inside.bottom() - height, height, ..inside };
        inside.height -= height;
        detail(pen, &of.payments.data.recent[at], offset, below);
    }
    if inside.height > 10 {
        let facts: Pieces = vec![
            ("approved ".into(), Role::Dim),
            (maybe_money(payments.approved_cents.map(|cents| cents as f64)), Role::Text),
            ("   declined ".into(), Role::Dim),
            (maybe_money(payments.declined_cents.map(|cents| cents as f64)), Role::Text),
        ];
        pen.pieces(inside.x + 1, inside.y, inside.width.saturating_sub(2), &facts);
        inside.y += 1;
        inside.height -= 1;
    }
    let rows = state.rows(Pane::Payments);
    // Declines are rare, and so is the truth: the newest of each stays in sight when the approvals
    // have pushed it out of the list.
    let height = usize::from(inside.height);
    let its = state.of(Pane::Payments);
    let at_top = !its.cursor.moved && !its.detail;
    let of = |row: &Row| if let Item::Entry(at) = row.item { payments.recent.get(at) } else { None };
    let mut visible = height;
    for (title, is) in PINNED {
        let found = rows.iter().position(|row| of(row).is_some_and(is));
        let Some((place, shown)) = found.and_then(|place| Some((place, of(&rows[place])?))) else { continue };
        if !at_top || visible <= 3 || place < visible - 2 {
            continue;
        }
        let line = Rect { y: inside.bottom() - 1, height: 1, ..inside };
        decision(pen, shown, payments.deadline_ms, offset, line);
        for x in inside.left()..inside.right() {
            pen.cell(x, inside.bottom() - 2, '╌', Role::Faint);
        }
        pen.text(inside.x + 1, inside.bottom() - 2, inside.width, title, Role::Dim);
        inside.height -= 2;
        visible -= 2;
    }
    list(pen, state, Pane::Payments, inside, &rows, |pen, line, row| {
        if let Item::Entry(at) = row.item {
            decision(pen, &payments.recent[at], payments.deadline_ms, offset, line);
        }
    });
}

/// How many were declined, and how many the terminals approved alone: the longest way to say it
/// that fits.
fn note(payments: &Payments, width: u16) -> String {
    let declined = format!("{} declined of {}", maybe_count(payments.declined), maybe_count(total(payments)));
    let Some(alone) = payments.stood_in.filter(|alone| *alone > 0).map(count) else { return declined };
    let ways = [
        format!("{declined} · {alone} approved by the terminal (no answer in time)"),
        format!("{declined} · {alone} approved by terminals"),
        format!("{declined} · {alone} by terminals"),
    ];
    let room = width.saturating_sub(text_width(" 5 payments  ") + 3);
    ways.into_iter().find(|words| text_width(words) <= room).unwrap_or(declined)
}

/// How long the newest decisions took, and which share of all came in time: the longest way to say
/// it that fits.
fn foot(payments: &Payments, width: u16) -> Pieces {
    let took = |name: &str, ms| format!("{name} {}", maybe_duration(ms));
    let p50 = took("p50", payments.latency_p50_ms);
    let p99 = took("p99", payments.latency_p99_ms);
    let p999 = took("p99.9", payments.latency_p999_ms);
    let share = payments.deadline_ms.map_or(String::new(), |deadline| {
        let share = payments.in_time.map_or(UNKNOWN.into(), in_time);
        format!("  all: {share} in {}", duration(deadline))
    });
    let ways =
        [format!("newest: {p50}  {p99}  {p999}"), format!("newest: {p99}  {p999}"), format!("newest: {p99}")]
            .map(|newest| vec![(newest, Role::Text), (share.clone(), Role::Dim)]);
    let room = width.saturating_sub(5);
    ways.into_iter().find(|pieces| pieces_width(pieces) <= room).unwrap_or_default()
}

fn is_declined(decision: &Decision) -> bool {
    decision.verdict == Verdict::Declined
}

fn is_charged_back(decision: &Decision) -> bool {
    decision.fraud == Some(true)
}

fn total(payments: &Payments) -> Option<u64> {
    Some(payments.approved?.saturating_add(payments.declined?).saturating_add(payments.stood_in.unwrap_or(0)))
}

fn decision(pen: &mut Pen, decision: &Decision, deadline_ms: Option<f64>, offset: i32, line: Rect) {
    let y = line.y;
    let mut x = line.x + 1;
    if line.width >= 74 {
        pen.text(x, y, 8, &time_of_day(decision.at_ms, offset), Role::Dim);
        x += 10;
    }
    // The verdict is the only coloured cell of the row, so that a column of them can be read at a
    // glance.
    let role = match decision.verdict {
        Verdict::Approved => Role::Good,
        Verdict::Declined => Role::Bad,
        Verdict::StoodIn => Role::Warn,
    };
    pen.text(x, y, 8, decision.verdict.word(), role);
    x += 9;
    pen.right(x + 10, y, 10, &money(decision.amount_cents), Role::Text);
    x += 12;
    let right = line.right().saturating_sub(1);
    let late = matches!((decision.latency_ms, deadline_ms), (Some(took), Some(deadline)) if took > deadline);
    let latency = maybe_duration(decision.latency_ms);
    let mut room = right.saturating_sub(x + 8);
    if line.width >= 92 {
        let fraud = match decision.fraud {
            Some(true) => "was fraud",
            Some(false) => "legitimate",
            None => "",
        };
        pen.right(right.saturating_sub(8), y, 10, fraud, Role::Dim);
        room = room.saturating_sub(12);
    }
    let reason = |reason: &str| brief(reason, decision, room);
    let (mut why, role) = match (decision.reasons.first(), decision.probability) {
        (Some(words), _) if is_declined(decision) => (reason(words), Role::Text),
        (Some(words), _) => (reason(words), Role::Dim),
        (None, _) if decision.verdict == Verdict::StoodIn => {
            ("approved it: no answer in time".into(), Role::Dim)
        }
        // An approval has no reasons: the probability is all there is to show.
        (None, Some(p)) if p.is_finite() => (format!("fraud {}", percent(p)), Role::Dim),
        (None, _) => (String::new(), Role::Dim),
    };
    // A decline is about its reason: where both have no room, the latency gives way.
    let alone = is_declined(decision) && !late && line.width < 92 && text_width(&why) > room;
    if let Some(words) = decision.reasons.first().filter(|_| alone) {
        room = right.saturating_sub(x);
        why = brief(words, decision, room);
    } else {
        pen.right(right, y, 7, &latency, if late { Role::Warn } else { Role::Dim });
    }
    pen.text(x, y, room, &why, role);
}

/// A reason in so many cells: where there is no room for its words, without what the row says
/// already, and with units for words.
fn brief(reason: &str, decision: &Decision, room: u16) -> String {
    let mut reason = clean(reason).into_owned();
    let said = format!("{} is ", money(decision.amount_cents));
    let shorter = [
        (said.as_str(), ""),
        (" the card's usual ", " the usual "),
        (" minutes", " min"),
        (" seconds", " s"),
        (" hours", " h"),
        (" times", "×"),
        (" swipes under ", " swipes < "),
    ];
    for (words, brief) in shorter {
        if text_width(&reason) <= room {
            break;
        }
        reason = reason.replacen(words, brief, 1);
    }
    reason
}

/// A share that is nearly all, never rounded up to all: `99.98 %`.
fn in_time(share: f64) -> String {
    let hundredths = (share.clamp(0.0, 1.0) * 1e4).floor();
    if hundredths >= 1e4 { "100 %".into() } else { format!("{:.2} %", hundredths / 100.0) }
}

/// All that is known of one decision.
fn detail(pen: &mut Pen, decision: &Decision, offset: i32, area: Rect) {
    for x in area.left()..area.right() {
        pen.cell(x, area.y, '╌', Role::Faint);
    }
    let probability = decision.probability.filter(|p| p.is_finite()).map_or(UNKNOWN.into(), percent);
    let facts: Pieces = vec![
        (clean(&decision.card_id).into_owned(), Role::Title),
        (format!("  {}", time_of_day(decision.at_ms, offset)), Role::Dim),
        (format!("  {}", money(decision.amount_cents)), Role::Text),
        (format!("  {}", decision.verdict.word()), Role::Text),
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
