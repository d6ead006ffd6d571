//! The lines of every screen: the lesson at the top, the keys at the bottom.

use ratatui::layout::Rect;

use crate::command::Progress;
use crate::format::{count, duration, number, plural, time_of_day, weekday};
use crate::snapshot::{Snapshot, Source, Trend, WorkerState};
use crate::state::meaning;
use crate::state::message::Hit;
use crate::state::pane::Pane;
use crate::state::{ControlRequest, FINISHED_MS, Mode, NOTICE_MS, POLL_STEPS, State};
use crate::view::lesson::{lesson, stale_ms, worst};
use crate::view::pen::{Pen, Pieces, pieces_width};
use crate::view::theme::Role;
use text::{clean, width};

/// The first two lines: the show and its health, then what the streams know, what the batch knows,
/// and what the delay has cost.
pub(crate) fn draw(pen: &mut Pen, state: &State, area: Rect) {
    draw_title(pen, state, area);
    let room = area.width.saturating_sub(2);
    pen.pieces(area.x + 1, area.y + 1, room, &lesson(state.shown(), room));
}

/// The first of them.
pub(crate) fn draw_title(pen: &mut Pen, state: &State, area: Rect) {
    let (x, end) = (area.x + 1, area.right().saturating_sub(1));
    let health = health(state.latest(), state.silence_ms());
    let title = title(state);
    let mut with_proof = state.latest().map_or_else(Pieces::new, proof);
    with_proof.extend(health.iter().cloned());
    // Where the proof has no room beside the title, the seed and the speed go, in this order.
    let room = end.saturating_sub(x + 2);
    let shorter = |left_out: usize| &title[..title.len().saturating_sub(2 * left_out)];
    let fitting = (0..=2).map(shorter).find(|title| pieces_width(title) + pieces_width(&with_proof) <= room);
    let start = match fitting {
        Some(_) => pen.pieces_right(end, area.y, room, &with_proof),
        None => pen.whole_pieces_right(end, area.y, area.width / 2, &health),
    };
    pen.pieces(x, area.y, start.saturating_sub(x + 1), fitting.unwrap_or(&title));
}

fn title(state: &State) -> Pieces {
    let mut pieces: Pieces = vec![("freshet".into(), Role::Title)];
    let Some(snapshot) = state.shown() else { return pieces };
    let title = &snapshot.title;
    let mut say = |text: String, role| {
        if !text.is_empty() {
            pieces.push(("  ".into(), Role::Dim));
            pieces.push((text, role));
        }
    };
    if let Some((_, since)) = &state.frozen {
        say(format!("‖ frozen {}", duration(state.now_ms.saturating_sub(*since) as f64)), Role::Paused);
    }
    say(clean(&title.name).into_owned(), Role::Text);
    if let Some(clock) = title.clock_ms {
        let offset = title.utc_offset_min;
        // The clock of a cluster that is silent stands.
        let role = if stale_ms(&snapshot.cluster.source).is_some() { Role::Dim } else { Role::Text };
        say(format!("{} {}", weekday(clock, offset), time_of_day(clock, offset)), role);
    }
    if let Some(speed) = title.speed {
        say(format!("{}×", number(Some(speed))), Role::Dim);
    }
    if let Some(seed) = title.seed {
        say(format!("seed {seed}"), Role::Dim);
    }
    if state.poll_step > 0 {
        say(format!("polls {}", POLL_STEPS[state.poll_step].1), Role::Paused);
    }
    pieces
}

/// That nothing is lost and nothing answered twice, where no pane may say so.
fn proof(snapshot: &Snapshot) -> Pieces {
    match snapshot.lanes.data.lost_and_doubled() {
        Some((0, 0)) if snapshot.lanes.source == Source::Live => {
            vec![("0 lost 0 doubled  ".into(), Role::Dim)]
        }
        _ => Pieces::new(),
    }
}

/// One fact: the worst that is known, or that nothing is wrong. What stands after its second piece
/// may be left out.
pub(crate) fn health(latest: Option<&Snapshot>, silence_ms: Option<u64>) -> Pieces {
    let say = |glyph: &str, text: String, role| vec![(format!("{glyph} "), role), (text, role)];
    let Some(snapshot) = latest else { return say("○", "connecting".into(), Role::Dim) };
    if let Some(silent) = silence_ms {
        return say("✖", format!("no news for {}", duration(silent as f64)), Role::Bad);
    }
    if let Source::Stale { for_ms, reason } = &snapshot.cluster.source {
        let mut pieces = say("✖", format!("cluster silent for {}", duration(*for_ms as f64)), Role::Bad);
        pieces.push((format!(": {}", clean(reason)), Role::Bad));
        return pieces;
    }
    let (lost, doubled) = snapshot.lanes.data.lost_and_doubled().unwrap_or_default();
    if lost > 0 || doubled > 0 {
        return say("✖", format!("{} lost  {} doubled", count(lost), count(doubled)), Role::Bad);
    }
    let workers = &snapshot.workers.data;
    let dead: Vec<_> =
        workers.iter().filter(|worker| matches!(worker.state, WorkerState::Dead { .. })).collect();
    if let [worker, others @ ..] = dead.as_slice() {
        let others = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        return say("✖", format!("{}{others} dead", clean(&worker.name)), Role::Bad);
    }
    if let Some(remedy) = &snapshot.title.remedy {
        let mut pieces = say("▲", format!("too slow here: try {}", clean(remedy)), Role::Warn);
        pieces.push((", this machine is busy".into(), Role::Warn));
        return pieces;
    }
    let behind = snapshot.groups.data.iter().find(|group| matches!(group.trend, Trend::FallingBehind { .. }));
    if let Some(group) = behind {
        return say("▲", format!("{} is falling behind", clean(&group.id)), Role::Warn);
    }
    let paused = workers.iter().filter(|worker| worker.state == WorkerState::Paused).count() as u64;
    if paused > 0 {
        return say("‖", format!("{} paused", plural(paused, "worker")), Role::Paused);
    }
    if let Some(worst) = worst(&snapshot.lanes.data) {
        return say("▲", format!("{} is behind", clean(&worst.business)), Role::Warn);
    }
    match (workers.len() as u64, snapshot.cluster.data.brokers) {
        (0, Some(brokers)) => say("●", plural(u64::from(brokers), "broker"), Role::Good),
        (0, None) => say("○", "connecting".into(), Role::Dim),
        (workers, _) => say("●", format!("all {workers} workers healthy"), Role::Good),
    }
}

/// The names of the panes, the focused one marked.
pub(crate) fn tabs(pen: &mut Pen, state: &State, area: Rect) {
    let focus = state.focus();
    let line = |gap: &str, named: fn(Pane, bool) -> bool| {
        let mut pieces = Pieces::new();
        for pane in state.panes.iter().map(|its| its.pane) {
            if !state.has(pane) {
                continue;
            }
            let here = pane == focus;
            let name = pane.spec().tab;
            let digit = state.number(pane).map_or_else(String::new, String::from);
            pieces.push((digit, if here { Role::Focus } else { Role::Dim }));
            if named(pane, here) {
                pieces.push((format!(" {name}"), if here { Role::Focus } else { Role::Dim }));
            }
            pieces.push((gap.to_string(), Role::Faint));
        }
        pieces
    };
    let room = area.width.saturating_sub(2);
    let ways = [
        line("   ", |_, _| true),
        line("  ", |_, _| true),
        line(" ", |_, _| true),
        line("  ", |_, here| here),
    ];
    let pieces = ways.iter().find(|pieces| pieces_width(pieces) <= room + 1).unwrap_or(&ways[3]);
    pen.pieces(area.x + 1, area.y, room, pieces);
    let before = pieces.iter().position(|(_, role)| *role == Role::Focus).unwrap_or(0);
    let here = pieces[before..].iter().take_while(|(_, role)| *role == Role::Focus).count();
    let (from, cells) = (pieces_width(&pieces[..before]), pieces_width(&pieces[before..before + here]));
    pen.highlight(Rect::new(area.x + 1 + from, area.y, cells, 1));
    // Each name ends with its gap.
    let mut x = area.x + 1;
    let here = state.panes.iter().map(|its| its.pane).filter(|pane| state.has(*pane));
    for (pane, tab) in here.zip(pieces.split_inclusive(|(_, role)| *role == Role::Faint)) {
        let width = pieces_width(tab);
        pen.hits.push((Rect::new(x, area.y, width, 1), Hit::Pane(pane)));
        x = x.saturating_add(width);
    }
}

/// The last line: the keys that work now; at the right the newest request, or a sentence.
pub(crate) fn footer(pen: &mut Pen, state: &State, area: Rect) {
    let (x, end) = (area.x + 1, area.right().saturating_sub(1));
    let room = end.saturating_sub(x);
    if state.mode == Mode::Filter {
        let typed = format!("/{}", state.focused().filter);
        let after = pen.text(x, area.y, room / 2, &typed, Role::Focus);
        let after = pen.text(after, area.y, 1, "▏", Role::Focus);
        keys_of(pen, state, after + 2, area.y, end);
        return;
    }
    if let Mode::Input(input) = &state.mode {
        let after = pen.text(x, area.y, room * 2 / 3, &input.prompt(), Role::Title);
        let typed = fit_end(&input.text, room.saturating_sub(after - x) / 2);
        let after = pen.text(after, area.y, end.saturating_sub(after), &typed, Role::Focus);
        let after = pen.text(after, area.y, 1, "▏", Role::Focus) + 1;
        let room = end.saturating_sub(after);
        match &input.problem {
            Some(problem) => drop(pen.text(after, area.y, room, problem, Role::Bad)),
            None if input.text.is_empty() => {
                let now_ms = state.latest().map_or(0, |snapshot| snapshot.taken_at_ms);
                pen.text(after, area.y, room, &input.hint(now_ms), Role::Dim);
            }
            None => keys_of(pen, state, after + 1, area.y, end),
        }
        return;
    }
    let mut news = Pieces::new();
    // Both go by themselves: while snapshots come, no tick takes them out of the state.
    let notice = state.notice.as_ref().filter(|(_, since)| state.now_ms < since + NOTICE_MS);
    let is_news = |request: &&ControlRequest| {
        !request.progress.is_finished() || state.now_ms < request.changed_ms + FINISHED_MS
    };
    if let Some((text, _)) = notice {
        news.push((clean(text).into_owned(), Role::Text));
    // One that another has overtaken may never be told to be over.
    } else if let Some(request) = state.requests.last().filter(is_news) {
        news = progress(state, request);
    }
    let start = if pieces_width(&news) > room {
        // A sentence that is too long loses its end, not its beginning.
        pen.pieces(x, area.y, room, &news);
        return;
    } else {
        pen.pieces_right(end, area.y, room, &news)
    };
    keys_of(pen, state, x, area.y, start.saturating_sub(1));
}

/// The end of what is being typed, where the next character comes.
fn fit_end(typed: &str, cells: u16) -> String {
    let cleaned = clean(typed);
    let mut room = cells;
    let fitting = cleaned.char_indices().rev().take_while(|&(_, char)| {
        let fits = width(char) <= room;
        room = room.saturating_sub(width(char));
        fits
    });
    fitting.last().map_or(String::new(), |(at, _)| cleaned[at..].to_owned())
}

/// As many keys as fit, each whole.
fn keys_of(pen: &mut Pen, state: &State, mut x: u16, y: u16, end: u16) {
    for (key, word) in meaning::footer(state) {
        let pieces: Pieces = vec![(key.into(), Role::Title), (format!(" {word}"), Role::Dim)];
        let taken = pieces_width(&pieces);
        if x + taken > end {
            break;
        }
        x = pen.pieces(x, y, taken, &pieces) + 2;
    }
}

/// The progress of a command: `kill fraud-1  requested → accepted → ✓ effect visible after 1.2 s`.
fn progress(state: &State, request: &ControlRequest) -> Pieces {
    let mut pieces: Pieces = vec![(
        format!("{} {}  ", request.command.action.word(), clean(request.command.target.name())),
        Role::Title,
    )];
    let waited = |until: u64| duration(until.saturating_sub(request.requested_ms) as f64);
    let done = waited(request.changed_ms);
    match &request.progress {
        Progress::Requested => pieces.push((format!("requested, {}", waited(state.now_ms)), Role::Dim)),
        Progress::Accepted => {
            pieces.push((format!("requested → accepted, {}", waited(state.now_ms)), Role::Text));
        }
        Progress::Observed => match &request.note {
            Some(note) => pieces.push((format!("✓ {} after {done}", clean(note)), Role::Good)),
            None => {
                pieces.push((format!("requested → accepted → ✓ effect visible after {done}"), Role::Good));
            }
        },
        Progress::Failed { reason } => pieces.push((format!("✖ {} after {done}", clean(reason)), Role::Bad)),
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{Group, Sourced};

    #[test]
    fn on_a_slow_machine_the_remedy_is_said_before_who_is_behind() {
        let behind = Trend::FallingBehind { records_per_second: Some(900.0) };
        let mut snapshot = Snapshot {
            groups: Sourced::live(vec![Group { id: "eta".into(), trend: behind, ..Group::default() }]),
            ..Snapshot::default()
        };
        let said = |snapshot: &Snapshot| health(Some(snapshot), None)[1].0.clone();
        assert_eq!(said(&snapshot), "eta is falling behind");
        snapshot.title.remedy = Some("--drivers 60".into());
        assert_eq!(said(&snapshot), "too slow here: try --drivers 60");
    }
}
