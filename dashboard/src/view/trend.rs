//! A lag in words: where it is going, and what it means to the business.

use crate::format::{age, count, duration, maybe_count, maybe_money, short};
use crate::snapshot::{Group, Trend};
use crate::view::theme::Role;
use text::clean;

/// How a lag is drawn: what needs no look is plain.
pub(crate) fn lag_role(trend: Trend, records: Option<u64>) -> Role {
    match trend {
        _ if records.is_none_or(|records| records == 0) => Role::Dim,
        Trend::KeepingUp | Trend::Scheduled { .. } | Trend::Unknown | Trend::Joining => Role::Text,
        Trend::FallingBehind { .. }
        | Trend::Draining { .. }
        | Trend::Dead
        | Trend::NoMembers
        | Trend::Paused => Role::Truth,
    }
}

/// A trend as glyph, words and colour; `brief` for the glyph and the time alone.
pub(crate) fn trend(trend: Trend, brief: bool) -> (String, Role) {
    let words = |glyph: &str, words: String, role| (format!("{glyph} {words}"), role);
    match trend {
        Trend::Unknown if brief => ("·".into(), Role::Dim),
        Trend::Unknown => words("·", "measuring…".into(), Role::Dim),
        Trend::KeepingUp if brief => ("●".into(), Role::Good),
        Trend::KeepingUp => words("●", "keeping up".into(), Role::Good),
        Trend::FallingBehind { .. } if brief => ("▲".into(), Role::Warn),
        Trend::FallingBehind { records_per_second: Some(rate) } if rate.is_finite() => {
            words("▲", format!("falling behind {}/s", short(rate)), Role::Warn)
        }
        Trend::FallingBehind { .. } => words("▲", "falling behind".into(), Role::Warn),
        Trend::Draining { done_in_ms: Some(ms) } if brief => {
            words("▼", format!("done in {}", duration(ms)), Role::Stream)
        }
        Trend::Draining { .. } if brief => ("▼".into(), Role::Stream),
        Trend::Draining { done_in_ms: Some(ms) } => {
            words("▼", format!("draining, done in {}", duration(ms)), Role::Stream)
        }
        Trend::Draining { done_in_ms: None } => words("▼", "draining".into(), Role::Stream),
        Trend::Dead if brief => ("✖".into(), Role::Bad),
        Trend::Dead => words("✖", "dead".into(), Role::Bad),
        Trend::NoMembers if brief => ("○".into(), Role::Warn),
        Trend::NoMembers => words("○", "no members".into(), Role::Warn),
        Trend::Joining if brief => ("○".into(), Role::Dim),
        Trend::Joining => words("○", "joining its group".into(), Role::Dim),
        Trend::Paused if brief => ("‖".into(), Role::Paused),
        Trend::Paused => words("‖", "paused".into(), Role::Paused),
        Trend::Scheduled { due_in_ms: Some(ms) } if !brief && ms <= 0.0 => {
            words("◷", "running now".into(), Role::Batch)
        }
        Trend::Scheduled { due_in_ms: Some(ms) } if !brief => {
            words("◷", format!("runs in {}", duration(ms)), Role::Batch)
        }
        Trend::Scheduled { .. } if brief => ("◷".into(), Role::Batch),
        Trend::Scheduled { .. } => words("◷", "on schedule".into(), Role::Batch),
    }
}

/// The lag in the business's own unit: "4,200 behind = 38 s = 11 swipes unscored = $2,140.00".
pub(crate) fn waiting(group: &Group) -> Option<String> {
    let waiting = group.waiting.as_ref()?;
    let mut parts = vec![format!("{} behind", maybe_count(group.lag_records))];
    if group.lag_ms.is_some() {
        parts.push(age(group.lag_ms, group.lag_is_minimum));
    }
    parts.push(format!("{} {}", count(waiting.cases), clean(&waiting.what)));
    if waiting.cents.is_some() {
        parts.push(maybe_money(waiting.cents.map(|cents| cents as f64)));
    }
    Some(parts.join(" = "))
}
