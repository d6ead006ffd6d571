//! What a key means now, and which keys are shown: read off the table.

use crate::command::Action;
use crate::state::keys::{Act, Binding, Key};
use crate::state::pane::Pane;
use crate::state::rows::Item;
use crate::state::table::{ACT, ANYWHERE, LOOK, MOVE, RECORDS, SECTIONS};
use crate::state::target::{self, consumer};
use crate::state::{Mode, State, paging};

fn on_silent(state: &State) -> bool {
    state.selected(state.focus()).is_some_and(|row| matches!(row.item, Item::Silent(_)))
}

/// What a key does now.
pub(crate) fn meaning(state: &State, key: Key) -> Option<Act> {
    let mut all = SECTIONS.iter().flat_map(|(_, bindings)| bindings.iter());
    all.find(|binding| binding.keys.contains(&key) && binding.works(state)).map(|binding| binding.act)
}

/// The keys that work now, as `(key, word)`, for the footer: what is special here first.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other keys have the words of the table")]
pub(crate) fn footer(state: &State) -> Vec<(&'static str, &'static str)> {
    match &state.mode {
        Mode::Help(_) => return vec![("Esc", "back"), ("j k", "move"), ("q", "quit")],
        Mode::Filter => return vec![("Enter", "keep"), ("Esc", "clear")],
        Mode::Finder(_) => return vec![("Enter", "do it"), ("↑ ↓", "choose"), ("Esc", "back")],
        Mode::Input(_) => return vec![("Enter", "do it"), ("Esc", "cancel")],
        Mode::Confirm(_) => return vec![("Tab", "choose"), ("Enter", "do it"), ("Esc", "cancel")],
        Mode::Leave => return vec![("q", "end the show"), ("Esc", "go on")],
        Mode::Panes => {}
    }
    let is_whole = |binding: &&Binding| binding.act == Act::Detail && state.reading.is_some();
    let whole = MOVE.iter().filter(is_whole);
    let rest = MOVE[1..].iter().filter(|binding| !is_whole(binding));
    let first = LOOK[..2].iter().chain(&MOVE[..1]).chain(&LOOK[2..3]);
    let all = whole.chain(RECORDS).chain(ACT).chain(first).chain(ANYWHERE).chain(rest).chain(&LOOK[3..]);
    let back = state.reading.is_some().then_some(("Esc", "back"));
    let working = all.filter(|binding| !binding.brief.is_empty() && binding.works(state));
    let named = working.map(|binding| match binding.act {
        Act::Control(Action::ScaleUp) => ("+ -", binding.brief),
        Act::ShorterPeriod => ("< >", binding.brief),
        Act::Pause if consumer(state).is_some_and(|target| target::is_paused(state, &target)) => {
            ("space", "resume")
        }
        Act::Freeze if state.frozen.is_some() => ("f", "go on"),
        Act::Present if state.is_presenting() => ("P", "back"),
        Act::Zoom if state.zoomed => ("z", "back"),
        Act::Follow if paging::is_paused(state) => ("space", "go on"),
        Act::Detail if state.reading.is_some() => ("Enter", "whole"),
        Act::Detail if state.focused().detail => ("Esc", "back"),
        Act::Detail if state.focus() == Pane::Throughput && !on_silent(state) => ("Enter", "records"),
        Act::Detail if on_silent(state) => ("Enter", if state.silent { "fold" } else { "unfold" }),
        _ => (binding.shown(state), binding.brief),
    });
    back.into_iter().chain(named).collect()
}

/// A line of the help.
pub(crate) enum HelpLine {
    Empty,
    Section(&'static str),
    Key(&'static Binding),
}

/// The help, made from the key table.
pub(crate) fn help() -> Vec<HelpLine> {
    let mut lines = Vec::new();
    for (name, bindings) in &SECTIONS {
        if !lines.is_empty() {
            lines.push(HelpLine::Empty);
        }
        lines.push(HelpLine::Section(name));
        lines.extend(bindings.iter().map(HelpLine::Key));
    }
    lines
}
