//! `update`: what a message changes, and what the caller has to do about it. No I/O, no clock.
//!
//! The Elm architecture: `(State, Msg, time) -> (State, [Cmd])`. A command that reaches the outside
//! is returned and not carried out, so that a test can press any keys and read what would happen.

use std::sync::Arc;

use crate::command::{Progress, Step};
use crate::snapshot::Snapshot;
use crate::state::controls::{change_period, control, pause, redrive, undo};
use crate::state::copy;
use crate::state::cursor::{move_cursor, place_cursor, step};
use crate::state::finder::{self, Deed};
use crate::state::input::{Finder, Input, Purpose};
use crate::state::keys::{Act, DIGITS, Key};
use crate::state::meaning::meaning;
use crate::state::message::{Cmd, Msg};
use crate::state::modes::{in_confirm, in_filter, in_help, in_input, in_leave, leave, paste};
use crate::state::mouse::{self, Press};
use crate::state::paging;
use crate::state::pane::{Detail, Follow, Pane};
use crate::state::reading::{self, Reading};
use crate::state::rows::{Item, Row, RowKey};
use crate::state::target;
use crate::state::{ALL_PANES, Audience, FINISHED_MS, Mode, MouseOwner, NOTICE_MS, POLL_STEPS, State};

/// The most rows of a pane that can be hidden.
const MOST_HIDDEN: usize = 200;

/// Takes one message at `now_ms` (any clock that only goes forward, in milliseconds).
pub fn update(state: &mut State, msg: Msg, now_ms: u64) -> Vec<Cmd> {
    state.now_ms = state.now_ms.max(now_ms);
    match msg {
        Msg::Key(key) => then_read(state, |state| on_key(state, key)),
        Msg::Click(hit) => then_read(state, |state| match mouse::click(state, hit) {
            Press::Enter => on_key(state, Key::Enter),
            Press::Chosen => vec![Cmd::Draw],
            Press::Nothing => Vec::new(),
        }),
        Msg::Wheel(hit, by) => then_read(state, |state| match mouse::wheel(state, hit, by) {
            Press::Enter | Press::Chosen => vec![Cmd::Draw],
            Press::Nothing => Vec::new(),
        }),
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
        Msg::Paste(text) => paste(state, &text),
        Msg::Notice(text) => {
            state.notice = Some((text, state.now_ms));
            vec![Cmd::Draw]
        }
        Msg::Tick => on_tick(state),
    }
}

/// What is to be read follows from the state, whatever changed it.
fn then_read(state: &mut State, change: impl FnOnce(&mut State) -> Vec<Cmd>) -> Vec<Cmd> {
    let asked = state.reading.as_ref().map(|reading| reading.query.clone());
    let mut cmds = change(state);
    let asks = state.reading.as_ref().map(|reading| &reading.query);
    if asks != asked.as_ref() {
        cmds.push(Cmd::Read(asks.cloned()));
    }
    cmds
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
            request.note.clone_from(&control.note);
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
    let hidden = state.frozen.is_some() && !moved && state.reading.is_none();
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
    if key == Key::Ctrl('z') {
        return vec![Cmd::Suspend];
    }
    match state.mode.clone() {
        Mode::Panes => meaning(state, key).map_or_else(Vec::new, |act| on_act(state, act, key)),
        Mode::Help(line) => in_help(state, line, key),
        Mode::Filter => in_filter(state, key),
        Mode::Input(input) => in_input(state, input, key),
        Mode::Confirm(confirm) => in_confirm(state, confirm, key),
        Mode::Leave => in_leave(state, key),
        Mode::Finder(finder) => in_finder(state, finder, key),
    }
}

/// In the palette: what is typed narrows it, and Enter does what the selected entry says.
#[expect(clippy::wildcard_enum_match_arm, reason = "a key without a meaning here has no effect")]
fn in_finder(state: &mut State, mut finder: Finder, key: Key) -> Vec<Cmd> {
    let last = finder::entries(state, &finder.typed).len().saturating_sub(1);
    match key {
        Key::Char(char) => finder.push(char),
        Key::Backspace => finder.pop(),
        Key::Ctrl('u') => finder.clear(),
        Key::Up | Key::BackTab => finder.index = finder.index.saturating_sub(1),
        Key::Down | Key::Tab => finder.index = (finder.index + 1).min(last),
        Key::PageUp => finder.index = finder.index.saturating_sub(10),
        Key::PageDown => finder.index = (finder.index + 10).min(last),
        Key::Enter => return choose(state, &finder),
        Key::Esc => {
            state.mode = Mode::Panes;
            return vec![Cmd::Draw];
        }
        _ => return Vec::new(),
    }
    state.mode = Mode::Finder(finder);
    vec![Cmd::Draw]
}

/// Does what the selected entry of the palette says, or says why not.
fn choose(state: &mut State, finder: &Finder) -> Vec<Cmd> {
    let Some(entry) = finder::entries(state, &finder.typed).into_iter().nth(finder.index) else {
        return Vec::new();
    };
    if let Some(reason) = entry.off {
        state.notice = Some((reason.to_owned(), state.now_ms));
        return vec![Cmd::Draw];
    }
    state.mode = Mode::Panes;
    match entry.deed {
        Deed::Key(binding) => on_act(state, binding.act, Key::Enter),
        Deed::Pane(pane) => {
            if let Some(at) = state.panes.iter().position(|its| its.pane == pane) {
                state.reading = None;
                state.focus_on(at);
            }
            vec![Cmd::Draw]
        }
    }
}

fn on_act(state: &mut State, act: Act, key: Key) -> Vec<Cmd> {
    let page = isize::from(i16::try_from(state.size.1 / 2).unwrap_or(i16::MAX)).max(1);
    match act {
        Act::Quit => return leave(state),
        Act::Suspend => return vec![Cmd::Suspend],
        Act::Help => state.mode = Mode::Help(0),
        Act::Palette => state.mode = Mode::Finder(Finder::default()),
        Act::Focus => {
            let at = DIGITS.iter().position(|digit| *digit == key);
            match at.and_then(|at| Some((at, state.panes.get(at)?))) {
                Some((at, its)) if state.has(its.pane) => {
                    state.reading = None;
                    state.focus_on(at);
                }
                _ => return Vec::new(),
            }
        }
        Act::NextPane => focus_next(state, 1),
        Act::PreviousPane => focus_next(state, state.panes.len() - 1),
        Act::Up => step(state, -1),
        Act::Down => step(state, 1),
        Act::First => first(state),
        Act::Last => match &mut state.reading {
            Some(reading) => reading::last(reading),
            None => move_cursor(state, |_, last| last),
        },
        Act::PageUp => step(state, -page),
        Act::PageDown => step(state, page),
        Act::Detail if state.reading.is_some() => paging::open(state),
        Act::Detail => detail(state),
        Act::Back if state.reading.is_some() => paging::back(state),
        Act::Back => back(state),
        Act::Present => {
            state.audience = if state.is_presenting() { Audience::Desk } else { Audience::Projector };
        }
        Act::Filter => match &state.reading {
            Some(reading) => {
                state.mode = Mode::Input(Input::new(Purpose::RecordKey, &*reading.query.key));
            }
            None => state.mode = Mode::Filter,
        },
        Act::Follow => {
            if let Some(reading) = &mut state.reading {
                reading.query.paused ^= true;
            }
        }
        Act::Partition => paging::next_partition(state),
        Act::Jump => state.mode = Mode::Input(Input::new(Purpose::Jump, "")),
        Act::Original => paging::original(state),
        Act::Sort => sort(state),
        Act::Hide => hide(state),
        Act::Unhide => {
            state.focused_mut().hidden.clear();
            place_cursor(state, state.focus);
        }
        Act::PollMore => return poll(state, state.poll_step.saturating_sub(1)),
        Act::PollLess => return poll(state, (state.poll_step + 1).min(POLL_STEPS.len() - 1)),
        Act::Undo => return undo(state),
        Act::Copy => return copy_selected(state),
        Act::Mouse => return hand_over_mouse(state),
        Act::Reset => {
            if let Some(group) = target::any_group(state) {
                state.mode = Mode::Input(Input::new(Purpose::Reset { group }, ""));
            }
        }
        Act::CreateTopic => state.mode = Mode::Input(Input::new(Purpose::TopicName, "")),
        Act::SendRecord => {
            if let Some(topic) = target::topic(state) {
                state.mode = Mode::Input(Input::new(Purpose::SendKey { topic }, ""));
            }
        }
        Act::Redrive => redrive(state, paging::selected(state).map(|row| row.at)),
        Act::RedriveAll => redrive(state, None),
        Act::Zoom => state.zoomed = !state.zoomed,
        Act::Freeze => {
            state.frozen = match (&state.frozen, &state.latest) {
                (None, Some(latest)) => Some((Arc::clone(latest), state.now_ms)),
                _ => None,
            }
        }
        Act::Theme => state.palette = state.palette.next(),
        Act::Save => return vec![Cmd::Save],
        Act::SaveSettings => return vec![Cmd::SaveSettings],
        Act::MapIn => state.map_zoom = (state.map_zoom + 1).min(5),
        Act::MapOut => state.map_zoom = state.map_zoom.saturating_sub(1),
        Act::Pause => return pause(state),
        Act::Control(action) => return control(state, action),
        Act::ShorterPeriod => return change_period(state, Step::shorter_than),
        Act::LongerPeriod => return change_period(state, Step::longer_than),
    }
    vec![Cmd::Draw]
}

fn copy_selected(state: &mut State) -> Vec<Cmd> {
    let Some(text) = copy::text(state) else { return Vec::new() };
    let said = format!("copied, if the terminal allows it: {}", copy::short(&text));
    state.notice = Some((said, state.now_ms));
    vec![Cmd::Copy(text), Cmd::Draw]
}

/// Gives the mouse to the terminal, or takes it.
fn hand_over_mouse(state: &mut State) -> Vec<Cmd> {
    let (owner, said) = match state.mouse {
        MouseOwner::Dashboard => (MouseOwner::Terminal, "the mouse is the terminal's: drag selects text"),
        MouseOwner::Terminal => {
            (MouseOwner::Dashboard, "the mouse chooses rows and tabs; Shift and drag selects text")
        }
    };
    state.mouse = owner;
    state.notice = Some((said.to_owned(), state.now_ms));
    vec![Cmd::Mouse(owner == MouseOwner::Dashboard), Cmd::Draw]
}

/// To the first row, or to the oldest record.
fn first(state: &mut State) {
    if let Some(reading) = &mut state.reading {
        return reading::first(reading);
    }
    move_cursor(state, |_, _| 0);
    // From there a list of news is read as it comes.
    let focused = state.focused_mut();
    focused.cursor.moved &= focused.pane.spec().follow != Follow::Top;
}

/// Sorts the rows of the focused pane the next way.
fn sort(state: &mut State) {
    let orders = state.focus().spec().orders;
    let its = state.focused_mut();
    let next = orders.iter().position(|order| *order == its.order).map_or(0, |at| at + 1);
    if let Some(order) = orders.get(next).or(orders.first()) {
        its.order = *order;
    }
    place_cursor(state, state.focus);
}

/// Hides the selected row.
fn hide(state: &mut State) {
    let Some(id) = target::hideable(state) else { return };
    let hidden = &mut state.focused_mut().hidden;
    hidden.push(id);
    let over = hidden.len().saturating_sub(MOST_HIDDEN);
    hidden.drain(..over);
    place_cursor(state, state.focus);
}

/// Has the cluster asked in this step from now on.
fn poll(state: &mut State, step: usize) -> Vec<Cmd> {
    let (every_ms, words) = POLL_STEPS[step];
    state.poll_step = step;
    state.notice = Some((format!("the cluster is polled {words}"), state.now_ms));
    vec![Cmd::PollEvery(every_ms), Cmd::Draw]
}

/// Focuses the next pane whose source exists, in steps of so many.
fn focus_next(state: &mut State, step: usize) {
    let all = state.panes.len();
    let mut places = (1..=all).map(|turns| (state.focus + turns * step) % all);
    let next = places.find(|place| state.has(state.panes[*place].pane)).unwrap_or(state.focus);
    state.focus_on(next);
}

/// Enter: a topic shows its records, a group its members, the row of silent topics these topics;
/// any other row shows more about itself.
fn detail(state: &mut State) {
    let pane = state.focus();
    if state.selected(pane).is_some_and(|row| matches!(row.item, Item::Silent(_))) {
        state.silent = !state.silent;
        return place_cursor(state, state.focus);
    }
    match pane.spec().detail {
        Detail::None => {}
        Detail::Records => {
            let Some(Row { item: Item::Topic(_), key }) = state.selected(pane) else { return };
            state.reading = Some(Reading::new(&key.id));
        }
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
