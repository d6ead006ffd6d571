//! Keys while something is in front of the panes: the help, a line that is typed, a question.

use crate::command::Target;
use crate::state::controls::request;
use crate::state::cursor::place_cursor;
use crate::state::input::{Entered, Input};
use crate::state::keys::Key;
use crate::state::meaning::help;
use crate::state::message::Cmd;
use crate::state::{Confirm, Irreversible, Mode, State, reading};

/// The most characters of a filter.
const MAX_FILTER: usize = 40;
#[expect(clippy::wildcard_enum_match_arm, reason = "a key without a meaning here has no effect")]
pub(crate) fn in_help(state: &mut State, line: usize, key: Key) -> Vec<Cmd> {
    let last = help().len().saturating_sub(1);
    match key {
        Key::Char('q') => return leave(state),
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
pub(crate) fn in_filter(state: &mut State, key: Key) -> Vec<Cmd> {
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

/// A pasted text goes into the line that is typed. Where there is none it does nothing: of its
/// letters some are keys, and one of them ends the show.
pub(crate) fn paste(state: &mut State, text: &str) -> Vec<Cmd> {
    let line = one_line(text);
    match &mut state.mode {
        Mode::Input(input) => input.paste(&line),
        Mode::Finder(finder) => line.chars().for_each(|char| finder.push(char)),
        Mode::Filter => line.chars().for_each(|char| drop(in_filter(state, Key::Char(char)))),
        Mode::Panes | Mode::Help(_) | Mode::Confirm(_) | Mode::Leave => {
            let words = "what was pasted went nowhere: there is no line to type in";
            state.notice = Some((words.to_owned(), state.now_ms));
        }
    }
    vec![Cmd::Draw]
}

/// A text of several lines as one, with a blank for each break and what is around it; without
/// control characters.
fn one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let line = if lines.len() > 1 { lines.join(" ") } else { text.to_owned() };
    line.chars().map(|char| if char == '\t' { ' ' } else { char }).filter(|char| !char.is_control()).collect()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a key without a meaning here has no effect")]
pub(crate) fn in_input(state: &mut State, mut input: Input, key: Key) -> Vec<Cmd> {
    match key {
        Key::Char(char) => input.push(char),
        Key::Backspace => input.pop(),
        Key::Ctrl('u') => input.clear(),
        Key::Enter => return enter(state, input),
        Key::Esc => {
            state.mode = Mode::Panes;
            return vec![Cmd::Draw];
        }
        _ => return Vec::new(),
    }
    state.mode = Mode::Input(input);
    vec![Cmd::Draw]
}

/// Takes a line that was typed, or says what is wrong with it.
fn enter(state: &mut State, mut input: Input) -> Vec<Cmd> {
    let now_ms = state.latest.as_ref().map_or(0, |latest| latest.taken_at_ms);
    let entered = match input.enter(now_ms) {
        Ok(entered) => entered,
        Err(problem) => {
            input.problem = Some(problem);
            state.mode = Mode::Input(input);
            return vec![Cmd::Draw];
        }
    };
    state.mode = Mode::Panes;
    match (entered, &mut state.reading) {
        (Entered::Next(purpose), _) => state.mode = Mode::Input(Input::new(purpose, "")),
        (Entered::RecordKey(key), Some(reading)) => reading::filter_by_key(reading, &key),
        (Entered::Jump(place), Some(reading)) => reading::jump(reading, place),
        // The records were left meanwhile.
        (Entered::RecordKey(_) | Entered::Jump(_), None) => {}
        (Entered::Reset(group, place), _) => {
            let action = Irreversible::Reset(place);
            state.mode = Mode::Confirm(Confirm { action, target: Target::Group(group), yes: false });
        }
        (Entered::Command(action, target), _) => return request(state, action, target),
    }
    vec![Cmd::Draw]
}

/// Ends the program. A show that it has started ends with it, and all that the show has: that is
/// asked first, for one letter is typed by mistake.
pub(crate) fn leave(state: &mut State) -> Vec<Cmd> {
    // What is shown may be frozen; whose show it is does not change.
    if !state.latest.as_ref().is_some_and(|snapshot| snapshot.title.supervised) {
        return vec![Cmd::Quit];
    }
    state.mode = Mode::Leave;
    vec![Cmd::Draw]
}

/// A second `q`, or Enter, ends it; any other key goes on.
pub(crate) fn in_leave(state: &mut State, key: Key) -> Vec<Cmd> {
    state.mode = Mode::Panes;
    let is_yes = matches!(key, Key::Char('q' | 'y') | Key::Enter);
    vec![if is_yes { Cmd::Quit } else { Cmd::Draw }]
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a key without a meaning here has no effect")]
pub(crate) fn in_confirm(state: &mut State, mut confirm: Confirm, key: Key) -> Vec<Cmd> {
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
