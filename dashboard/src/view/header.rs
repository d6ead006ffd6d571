//! The lines of every screen: the lesson at the top, the keys at the bottom.

use ratatui::layout::Rect;

use crate::command::Progress;
use crate::format::{UNKNOWN, age, amount, count, duration, number, plural, time_of_day, weekday};
use crate::snapshot::{BillItem, Freshness, LaneVerdict, Lanes, Snapshot, Source, Trend, WorkerState};
use crate::state::keys;
use crate::state::pane::Pane;
use crate::state::{ControlRequest, Mode, State};
use crate::view::pen::{Pen, Pieces, pieces_width};
use crate::view::theme::Role;
use text::clean;

/// The first two lines: the show and its health, then what the streams know, what the batch knows,
/// and what the delay has cost.
pub(crate) fn draw(pen: &mut Pen, state: &State, area: Rect) {
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
    let room = end.saturating_sub(x);
    let lesson = lesson(state.shown());
    let fitting = lesson.iter().find(|pieces| pieces_width(pieces) <= room).or(lesson.last());
    if let Some(pieces) = fitting {
        pen.pieces(x, area.y + 1, room, pieces);
    }
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
    pieces
}

/// How long a source has been silent, in milliseconds of wall-clock time, if it is.
fn stale_ms(source: &Source) -> Option<u64> {
    match source {
        Source::Stale { for_ms, .. } => Some(*for_ms),
        Source::Live | Source::Waiting | Source::Absent => None,
    }
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
        (workers, _) => say("●", format!("all {workers} workers well"), Role::Good),
    }
}

/// The second line, from the longest to the shortest way to say it.
pub(crate) fn lesson(shown: Option<&Snapshot>) -> Vec<Pieces> {
    let Some(snapshot) = shown else {
        return vec![vec![("waiting for the first snapshot of the cluster".into(), Role::Dim)]];
    };
    if snapshot.lanes.source == Source::Absent {
        return vec![of_a_foreign_cluster(snapshot)];
    }
    if snapshot.title.supervised && snapshot.title.clock_ms.is_none() {
        return getting_ready(snapshot);
    }
    let lanes = &snapshot.lanes.data;
    let long =
        [(4, true, true, 4), (4, true, true, 2), (3, true, true, 4), (3, true, true, 2), (3, true, false, 3)];
    let short = [(3, false, false, 3), (3, false, false, 2), (2, false, false, 2), (1, false, false, 2)];
    let stale = stale_ms(&snapshot.lanes.source);
    long.into_iter()
        .chain(short)
        .map(|(items, next, wide, gap)| {
            let gap = &"    "[..gap];
            let mut pieces = stream(lanes, wide);
            pieces.push((gap.into(), Role::Dim));
            pieces.extend(batch(lanes, next && stale.is_none()));
            pieces.push((gap.into(), Role::Dim));
            pieces.extend(cost(lanes, items, wide));
            match stale {
                Some(for_ms) => stale_pieces(for_ms, pieces),
                None => pieces,
            }
        })
        .collect()
}

/// What was known before the source went silent: grey, and after how long ago that was.
fn stale_pieces(for_ms: u64, pieces: Pieces) -> Pieces {
    let said = (format!("stale {}: ", duration(for_ms as f64)), Role::Bad);
    std::iter::once(said).chain(pieces.into_iter().map(|(text, _)| (text, Role::Dim))).collect()
}

/// Before the first event the consumers load and join; nothing is wrong.
fn getting_ready(snapshot: &Snapshot) -> Vec<Pieces> {
    let here = |group: &str| {
        snapshot.groups.data.iter().any(|known| known.id == group && !known.partitions.is_empty())
    };
    let mut missing: Vec<&str> = Vec::new();
    for group in snapshot.workers.data.iter().filter_map(|worker| worker.group.as_deref()) {
        if !here(group) && !missing.contains(&group) {
            missing.push(group);
        }
    }
    let head = || ("getting ready".to_string(), Role::Title);
    let whom =
        if missing.is_empty() { "the consumers".into() } else { clean(&missing.join(", ")).into_owned() };
    let long = format!(", waiting for {whom} to learn from the past and to join; then the clock starts");
    vec![
        vec![head(), (long, Role::Dim)],
        vec![head(), (": the consumers join".into(), Role::Dim)],
        vec![head()],
    ]
}

/// From this delay on, in milliseconds, the consumer that is furthest behind is named.
const NAMED_MS: f64 = 2_000.0;

/// How far the streams are behind: the worst of them, by name if it can be told apart from the
/// others, and when there is room how the others do.
pub(crate) fn stream(lanes: &Lanes, wide: bool) -> Pieces {
    let mut pieces = vec![("stream ".into(), Role::Stream)];
    let Some(worst) = worst(lanes) else {
        match lanes.stream_delay_ms {
            Some(delay) => pieces.extend([(duration(delay), Role::Truth), (" behind".into(), Role::Dim)]),
            None => pieces.push((UNKNOWN.into(), Role::Dim)),
        }
        return pieces;
    };
    let behind = age(worst.delay_ms, worst.delay_is_minimum);
    pieces.push((format!("{} {behind}", clean(&worst.business)), Role::Bad));
    pieces.push((" behind".into(), Role::Dim));
    let others = lanes.freshness.iter().filter(|of| of.business != worst.business).map(delay);
    if let Some(others) = others.filter(|_| wide).reduce(f64::max).filter(|&others| others > 0.0) {
        pieces.push((format!(", others {}", duration(others)), Role::Dim));
    }
    pieces
}

/// The consumer that is furthest behind, if it is behind.
fn worst(lanes: &Lanes) -> Option<&Freshness> {
    let worst = lanes.freshness.iter().max_by(|a, b| delay(a).total_cmp(&delay(b)));
    worst.filter(|worst| delay(worst) >= NAMED_MS)
}

/// How far a consumer is behind, as far as is known.
fn delay(of: &Freshness) -> f64 {
    of.delay_ms.unwrap_or(0.0)
}

/// What the batch knows.
pub(crate) fn batch(lanes: &Lanes, next: bool) -> Pieces {
    let mut pieces = vec![("batch ".into(), Role::Batch)];
    match lanes.batch_age_ms {
        Some(age) => pieces.extend([(duration(age), Role::Truth), (" behind".into(), Role::Dim)]),
        None => pieces.push(("no run yet".into(), Role::Dim)),
    }
    if next {
        let until = lanes.next_run_in_ms.map(|until| format!(", next run in {}", duration(until)));
        let say = if lanes.running { Some(", running now".into()) } else { until };
        pieces.extend(say.map(|say| (say, Role::Dim)));
    }
    pieces
}

/// What the delay has cost, in at most so many lines of the bill: those that [name a
/// cost](crate::snapshot::BillItem::names_a_cost); what rests on too few cases is dim.
pub(crate) fn cost(lanes: &Lanes, items: usize, wide: bool) -> Pieces {
    let lines = lanes.bill.headlines();
    let known: Vec<_> = lines.into_iter().filter(|(item, _)| item.delay_cost().is_some()).collect();
    let mut pieces: Pieces = vec![(if wide { "waiting has cost " } else { "cost " }.into(), Role::Dim)];
    for (item, headline) in known.iter().filter(|(item, _)| item.names_a_cost()).take(items) {
        if pieces.len() > 1 {
            pieces.push((" · ".into(), Role::Dim));
        }
        let role = if item.interval_95.is_some() { Role::Truth } else { Role::Dim };
        pieces.push((amount(item.unit, item.delay_cost()), role));
        let words = if wide { &headline.words } else { &headline.short };
        pieces.push((if words.is_empty() { String::new() } else { format!(" {words}") }, Role::Dim));
    }
    if pieces.len() > 1 {
        return pieces;
    }
    let too_few = |(item, _): &(&BillItem, _)| matches!(item.verdict, Some(LaneVerdict::TooFew { .. }));
    let words = match (known.iter().any(too_few), known.is_empty(), wide) {
        (_, true, true) => "waiting has cost –",
        (_, true, false) => "cost –",
        (true, false, true) => "what waiting costs: too few cases to tell",
        (true, false, false) => "cost: too few to tell",
        (false, false, true) => "waiting has cost next to nothing",
        (false, false, false) => "cost next to nothing",
    };
    vec![(words.into(), Role::Dim)]
}

/// A foreign cluster has no lanes to compare: the line shows what any consumer group can show.
fn of_a_foreign_cluster(snapshot: &Snapshot) -> Pieces {
    let groups = &snapshot.groups.data;
    let mut pieces = vec![
        (plural(snapshot.topics.data.len() as u64, "topic"), Role::Text),
        ("  ".into(), Role::Dim),
        (plural(groups.len() as u64, "group"), Role::Text),
    ];
    let worst =
        groups.iter().filter(|group| group.lag_records.is_some()).max_by_key(|group| group.lag_records);
    if let Some(group) = worst {
        pieces.push(("  farthest behind ".into(), Role::Dim));
        pieces.push((clean(&group.id).into_owned(), Role::Truth));
        let records = count(group.lag_records.unwrap_or(0));
        let age = age(group.lag_ms, group.lag_is_minimum);
        pieces.push((format!(" by {records} records, {age}"), Role::Dim));
    }
    pieces
}

/// The names of the panes, the focused one marked.
pub(crate) fn tabs(pen: &mut Pen, state: &State, area: Rect) {
    let focus = state.focus();
    let line = |gap: &str, named: fn(Pane, bool) -> bool| {
        let mut pieces = Pieces::new();
        for (at, pane) in state.panes.iter().map(|its| its.pane).enumerate() {
            if !state.has(pane) {
                continue;
            }
            let here = pane == focus;
            let name = pane.spec().tab;
            pieces.push((format!("{}", at + 1), if here { Role::Focus } else { Role::Dim }));
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
    let mut news = Pieces::new();
    if let Some((text, _)) = &state.notice {
        news.push((clean(text).into_owned(), Role::Text));
    } else if let Some(request) = state.requests.last() {
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

/// As many keys as fit, each whole.
fn keys_of(pen: &mut Pen, state: &State, mut x: u16, y: u16, end: u16) {
    for (key, word) in keys::footer(state) {
        let pieces: Pieces = vec![(key.into(), Role::Title), (format!(" {word}"), Role::Dim)];
        let taken = pieces_width(&pieces);
        if x + taken > end {
            break;
        }
        x = pen.pieces(x, y, taken, &pieces) + 2;
    }
}

/// The progress of a command: `kill fraud-1  asked → acknowledged → seen after 1.2 s`.
fn progress(state: &State, request: &ControlRequest) -> Pieces {
    let mut pieces: Pieces = vec![(
        format!("{} {}  ", request.command.action.word(), clean(request.command.target.name())),
        Role::Title,
    )];
    let waited = |until: u64| duration(until.saturating_sub(request.requested_ms) as f64);
    let done = waited(request.changed_ms);
    match &request.progress {
        Progress::Requested => pieces.push((format!("asked, {}", waited(state.now_ms)), Role::Dim)),
        Progress::Accepted => {
            pieces.push((format!("asked → acknowledged, {}", waited(state.now_ms)), Role::Text));
        }
        Progress::Observed => {
            pieces.push((format!("asked → acknowledged → ✓ seen after {done}"), Role::Good));
        }
        Progress::Failed { reason } => pieces.push((format!("✖ {} after {done}", clean(reason)), Role::Bad)),
    }
    pieces
}
