//! `update`: what a message changes, and what the caller has to do about it. No I/O, no clock.
//!
//! The Elm architecture: `(State, Msg, time) -> (State, [Cmd])`. A command that reaches the outside
//! is returned and not carried out, so that a test can press any keys and read what would happen.

use std::sync::Arc;

use crate::command::{Action, Command, Progress, Step, Target};
use crate::snapshot::{CityMap, Snapshot};
use crate::state::keys::{self, Act, Key};
use crate::state::pane::{Detail, Follow, Pane};
use crate::state::rows::{Item, RowKey};
use crate::state::target;
use crate::state::{
    ALL_PANES, Audience, Confirm, ControlRequest, Cursor, FINISHED_MS, Irreversible, Mode, NOTICE_MS, State,
};

/// What can happen to a dashboard.
#[derive(Clone, Debug)]
pub enum Msg {
    /// A key went down.
    Key(Key),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// A snapshot was received.
    Snapshot(Arc<Snapshot>),
    /// The streets were received.
    Map(Arc<CityMap>),
    /// A sentence for the footer: the screen was saved.
    Notice(String),
    /// Time passed: [`State::next_change_ms`] has come.
    Tick,
}

/// What the caller has to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cmd {
    /// The picture has changed.
    Draw,
    /// Send a command to the supervisor.
    Send(Command),
    /// Save the screen as an SVG.
    Save,
    /// End.
    Quit,
}

/// The most characters of a filter.
const MAX_FILTER: usize = 40;
/// The most commands whose progress is remembered.
const MAX_REQUESTS: usize = 20;

/// Takes one message at `now_ms` (any clock that only goes forward, in milliseconds).
pub fn update(state: &mut State, msg: Msg, now_ms: u64) -> Vec<Cmd> {
    state.now_ms = state.now_ms.max(now_ms);
    match msg {
        Msg::Key(key) => on_key(state, key),
        Msg::Resize(width, height) => {
            state.size = (width, height);
            tell_larger(state);
            vec![Cmd::Draw]
        }
        Msg::Snapshot(snapshot) => on_snapshot(state, snapshot),
        Msg::Map(map) => {
            state.map = Some(map);
            vec![Cmd::Draw]
        }
        Msg::Notice(text) => {
            state.notice = Some((text, state.now_ms));
            vec![Cmd::Draw]
        }
        Msg::Tick => on_tick(state),
    }
}

/// Says once that a larger window would show more.
fn tell_larger(state: &mut State) {
    let (width, height) = ALL_PANES;
    let is_small = state.size.0 < width || state.size.1 < height;
    if is_small && !state.told_larger {
        state.told_larger = true;
        state.notice = Some(("a window of 120x40 shows all panes".to_owned(), state.now_ms));
    }
}

fn on_snapshot(state: &mut State, snapshot: Arc<Snapshot>) -> Vec<Cmd> {
    let was_silent = state.silence_ms().is_some();
    let same = state.latest.as_ref().is_some_and(|latest| latest.same_picture(&snapshot));
    let mut moved = false;
    for control in &snapshot.controls {
        let found = state.requests.iter_mut().find(|request| request.command.id == control.id);
        if let Some(request) = found.filter(|request| request.progress != control.progress) {
            request.progress = control.progress.clone();
            request.changed_ms = state.now_ms;
            moved = true;
        }
    }
    state.costs.take(&snapshot);
    state.received_ms = state.now_ms;
    state.latest = Some(snapshot);
    // A pane whose source turns out not to exist loses the focus.
    if !state.has(state.focus()) {
        state.focus_on(state.first());
    }
    // A cursor stays on its row by name; where there was none yet, it takes the first.
    for at in 0..state.panes.len() {
        place_cursor(state, at);
    }
    let hidden = state.frozen.is_some() && !moved;
    if (same || hidden) && !was_silent { Vec::new() } else { vec![Cmd::Draw] }
}

fn on_tick(state: &mut State) -> Vec<Cmd> {
    let now = state.now_ms;
    let counting = state.frozen.is_some() || !state.requests.is_empty() || state.silence_ms().is_some();
    let notices = state.notice.is_some();
    state.notice.take_if(|(_, since)| now >= *since + NOTICE_MS);
    state.requests.retain(|request| {
        let finished = matches!(request.progress, Progress::Observed | Progress::Failed { .. });
        !finished || now < request.changed_ms + FINISHED_MS
    });
    if counting || notices != state.notice.is_some() { vec![Cmd::Draw] } else { Vec::new() }
}

fn on_key(state: &mut State, key: Key) -> Vec<Cmd> {
    if key == Key::Ctrl('c') {
        return vec![Cmd::Quit];
    }
    match state.mode.clone() {
        Mode::Panes => keys::meaning(state, key).map_or_else(Vec::new, |act| on_act(state, act, key)),
        Mode::Help(line) => in_help(state, line, key),
        Mode::Filter => in_filter(state, key),
        Mode::Confirm(confirm) => in_confirm(state, confirm, key),
    }
}

fn on_act(state: &mut State, act: Act, key: Key) -> Vec<Cmd> {
    let page = usize::from(state.size.1 / 2).max(1);
    match act {
        Act::Quit => return vec![Cmd::Quit],
        Act::Help => state.mode = Mode::Help(0),
        Act::Focus => {
            let Key::Char(digit) = key else { return Vec::new() };
            let Some(number) = digit.to_digit(10).map(|digit| digit as usize) else { return Vec::new() };
            match number.checked_sub(1).and_then(|at| state.panes.get(at)) {
                Some(its) if state.has(its.pane) => state.focus_on(number - 1),
                _ => return Vec::new(),
            }
        }
        Act::NextPane => focus_next(state, 1),
        Act::PreviousPane => focus_next(state, state.panes.len() - 1),
        Act::Up => move_cursor(state, |at, _| at.saturating_sub(1)),
        Act::Down => move_cursor(state, |at, _| at + 1),
        Act::First => {
            move_cursor(state, |_, _| 0);
            // From there a list of news is read as it comes.
            let focused = state.focused_mut();
            focused.cursor.moved &= focused.pane.spec().follow != Follow::Top;
        }
        Act::Last => move_cursor(state, |_, last| last),
        Act::PageUp => move_cursor(state, |at, _| at.saturating_sub(page)),
        Act::PageDown => move_cursor(state, |at, _| at + page),
        Act::Detail => detail(state),
        Act::Back => back(state),
        Act::Filter => state.mode = Mode::Filter,
        Act::Present => {
            state.audience = if state.is_presenting() { Audience::Desk } else { Audience::Projector };
        }
        Act::Zoom => state.zoomed = !state.zoomed,
        Act::Freeze => {
            state.frozen = match (&state.frozen, &state.latest) {
                (None, Some(latest)) => Some((Arc::clone(latest), state.now_ms)),
                _ => None,
            }
        }
        Act::Theme => state.palette = state.palette.next(),
        Act::Save => return vec![Cmd::Save],
        Act::MapIn => state.map_zoom = (state.map_zoom + 1).min(5),
        Act::MapOut => state.map_zoom = state.map_zoom.saturating_sub(1),
        Act::Pause => return pause(state),
        Act::Control(action) => return control(state, action),
        Act::ShorterPeriod => return change_period(state, Step::shorter_than),
        Act::LongerPeriod => return change_period(state, Step::longer_than),
    }
    vec![Cmd::Draw]
}

/// Focuses the next pane whose source exists, in steps of so many.
fn focus_next(state: &mut State, step: usize) {
    let all = state.panes.len();
    let mut places = (1..=all).map(|turns| (state.focus + turns * step) % all);
    let next = places.find(|place| state.has(state.panes[*place].pane)).unwrap_or(state.focus);
    state.focus_on(next);
}

/// Enter: a group shows its members, the row of silent topics these topics; any other row shows
/// more about itself.
fn detail(state: &mut State) {
    let pane = state.focus();
    if state.selected(pane).is_some_and(|row| matches!(row.item, Item::Silent(_))) {
        state.silent = !state.silent;
        return place_cursor(state, state.focus);
    }
    match pane.spec().detail {
        Detail::None => {}
        Detail::Members => {
            let Some(row) = state.selected(pane) else { return };
            let id = row.key.id;
            if let Some(at) = state.expanded.iter().position(|expanded| *expanded == id) {
                state.expanded.remove(at);
                state.focused_mut().cursor.key = RowKey { id, part: String::new() };
            } else {
                state.expanded.push(id);
            }
            place_cursor(state, state.focus);
        }
        Detail::Beside => state.focused_mut().detail ^= true,
        Detail::Zoomed => {
            state.focused_mut().detail ^= true;
            state.zoomed = state.focused().detail;
        }
    }
    state.focused_mut().held = None;
    place_cursor(state, state.focus);
}

/// Esc: undoes the last thing that narrowed the view.
fn back(state: &mut State) {
    if state.is_presenting() {
        state.audience = Audience::Desk;
        return;
    }
    let pane = state.focus();
    let focused = state.focused_mut();
    if focused.detail {
        focused.detail = false;
        state.zoomed &= pane.spec().detail != Detail::Zoomed;
    } else if !focused.filter.is_empty() {
        focused.filter.clear();
    } else if state.zoomed {
        state.zoomed = false;
    } else if pane == Pane::City {
        state.map_zoom = 0;
    } else if pane == Pane::Lag {
        state.expanded.clear();
    } else if pane == Pane::Throughput {
        state.silent = false;
    }
    place_cursor(state, state.focus);
}

fn move_cursor(state: &mut State, to: impl Fn(usize, usize) -> usize) {
    let rows = state.rows(state.focus());
    let last = rows.len().saturating_sub(1);
    let index = to(state.focused().cursor.index_in(&rows), last).min(last);
    let key = rows.into_iter().nth(index).map(|row| row.key).unwrap_or_default();
    state.focused_mut().cursor = Cursor { key, index, moved: true };
    if state.focus() == Pane::Lag
        && let Some(at) = state.panes.iter().position(|its| its.pane == Pane::Partitions)
    {
        // The partitions follow the selected group, from its first.
        state.panes[at].cursor = Cursor::default();
        place_cursor(state, at);
    }
}

/// Puts the cursor of the pane with this index on the row that it names, or where that row was.
fn place_cursor(state: &mut State, at: usize) {
    let pane = state.panes[at].pane;
    let rows = state.rows(pane);
    let its = &state.panes[at];
    let cursor = &its.cursor;
    let first = match pane.spec().follow {
        // What somebody reads more about does not change under their eyes.
        Follow::Top => !cursor.moved && !its.detail,
        Follow::FirstUntilMoved => !cursor.moved,
        Follow::Row => false,
    };
    if its.detail && pane.spec().follow == Follow::Top && cursor.key != RowKey::default() {
        match cursor.find_in(&rows) {
            Some(_) => {
                let frozen = state.frozen.as_ref().map(|(snapshot, _)| snapshot);
                state.panes[at].held = frozen.or(state.latest.as_ref()).cloned();
            }
            // It has left the list: the last snapshot that had it is kept.
            None => return,
        }
    }
    let cursor = &state.panes[at].cursor;
    let (index, moved) = (if first { 0 } else { cursor.index_in(&rows) }, cursor.moved);
    assert!(rows.is_empty() || index < rows.len(), "a cursor is on one of {} rows: {index}", rows.len());
    if let Some(row) = rows.into_iter().nth(index) {
        state.panes[at].cursor = Cursor { key: row.key, index, moved };
    }
}

fn pause(state: &mut State) -> Vec<Cmd> {
    let Some(target) = target::consumer(state) else { return Vec::new() };
    let action = if target::is_paused(state, &target) { Action::Resume } else { Action::Pause };
    request(state, action, target)
}

fn change_period(state: &mut State, beside: fn(f64) -> Option<Step>) -> Vec<Cmd> {
    match keys::next_period(state, beside) {
        Some(step) => request(state, Action::Dial(step), Target::Batch),
        None => Vec::new(),
    }
}

fn control(state: &mut State, action: Action) -> Vec<Cmd> {
    let Some(target) = target::of(state) else { return Vec::new() };
    let target = match action {
        // These act on all instances together, even when the cursor is on one of them.
        Action::ScaleUp | Action::ScaleDown | Action::Rewind => match target::group_of(state, &target) {
            Some(group) => Target::Group(group),
            None => return Vec::new(),
        },
        Action::Pause | Action::Resume | Action::Restart | Action::Kill | Action::Burst | Action::Dial(_) => {
            target
        }
    };
    if let Some(action) = Irreversible::of(action) {
        state.mode = Mode::Confirm(Confirm { action, target, yes: false });
        return vec![Cmd::Draw];
    }
    request(state, action, target)
}

fn request(state: &mut State, action: Action, target: Target) -> Vec<Cmd> {
    state.commands += 1;
    let command = Command { id: state.commands, action, target };
    let now = state.now_ms;
    state.requests.push(ControlRequest {
        command: command.clone(),
        progress: Progress::Requested,
        requested_ms: now,
        changed_ms: now,
    });
    // The footer has room for the newest; a supervisor that never answers must not fill the memory.
    let over = state.requests.len().saturating_sub(MAX_REQUESTS);
    state.requests.drain(..over);
    vec![Cmd::Send(command), Cmd::Draw]
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a key without a meaning here has no effect")]
fn in_help(state: &mut State, line: usize, key: Key) -> Vec<Cmd> {
    let last = keys::help().len().saturating_sub(1);
    match key {
        Key::Char('q') => return vec![Cmd::Quit],
        Key::Char('j') | Key::Down => state.mode = Mode::Help((line + 1).min(last)),
        Key::Char('k') | Key::Up => state.mode = Mode::Help(line.saturating_sub(1)),
        Key::PageDown => state.mode = Mode::Help((line + 10).min(last)),
        Key::PageUp => state.mode = Mode::Help(line.saturating_sub(10)),
        Key::Char('g') | Key::Home => state.mode = Mode::Help(0),
        Key::Char('G') | Key::End => state.mode = Mode::Help(last),
        Key::Esc | Key::Enter | Key::Char('?') => state.mode = Mode::Panes,
        _ => return Vec::new(),
    }
    vec![Cmd::Draw]
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a key without a meaning here has no effect")]
fn in_filter(state: &mut State, key: Key) -> Vec<Cmd> {
    let filter = &mut state.focused_mut().filter;
    match key {
        Key::Char(char) if !char.is_control() && filter.chars().count() < MAX_FILTER => filter.push(char),
        Key::Backspace => {
            filter.pop();
        }
        Key::Ctrl('u') => filter.clear(),
        Key::Enter => state.mode = Mode::Panes,
        Key::Esc => {
            filter.clear();
            state.mode = Mode::Panes;
        }
        _ => return Vec::new(),
    }
    place_cursor(state, state.focus);
    vec![Cmd::Draw]
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a key without a meaning here has no effect")]
fn in_confirm(state: &mut State, mut confirm: Confirm, key: Key) -> Vec<Cmd> {
    match key {
        Key::Tab | Key::BackTab | Key::Left | Key::Right | Key::Char('h' | 'l') => {
            confirm.yes = !confirm.yes;
            state.mode = Mode::Confirm(confirm);
        }
        Key::Enter => {
            state.mode = Mode::Panes;
            if confirm.yes {
                return request(state, confirm.action.action(), confirm.target);
            }
        }
        Key::Esc | Key::Char('n' | 'q') => state.mode = Mode::Panes,
        _ => return Vec::new(),
    }
    vec![Cmd::Draw]
}
