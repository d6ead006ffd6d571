//! The key table: the one place that knows what a key does.
//!
//! A [`Binding`] has the keys, the words, the [`Act`] and the condition under which it works. The
//! help and the footer are made from the table, so that neither can promise a key that does
//! something else.

use crate::command::{Action, Progress, Step, Target};
use crate::state::pane::{Detail, Pane};
use crate::state::rows::Item;
use crate::state::target::{self, consumer};
use crate::state::{MOST_PANES, Mode, State};

/// A key press, as far as we tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character, with Shift already in it.
    Char(char),
    /// Control and a letter.
    Ctrl(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// An arrow.
    Up,
    /// An arrow.
    Down,
    /// An arrow.
    Left,
    /// An arrow.
    Right,
    /// To the first.
    Home,
    /// To the last.
    End,
    /// A page back.
    PageUp,
    /// A page on.
    PageDown,
}

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Quit,
    Help,
    Focus,
    NextPane,
    PreviousPane,
    Up,
    Down,
    First,
    Last,
    PageUp,
    PageDown,
    Detail,
    Back,
    Filter,
    Zoom,
    Present,
    Freeze,
    Theme,
    Save,
    MapIn,
    MapOut,
    Pause,
    Control(Action),
    /// The batch lane's jobs run more often …
    ShorterPeriod,
    /// … or less often.
    LongerPeriod,
}

/// A line of the table.
pub(crate) struct Binding {
    pub(crate) keys: &'static [Key],
    /// How the keys are written, as a rule.
    shown: &'static str,
    /// What they do, for the help.
    pub(crate) does: &'static str,
    /// One or two words for the footer; empty where every program has the same key.
    pub(crate) brief: &'static str,
    pub(crate) act: Act,
    /// Whether it would do something now, among the panes.
    works: fn(&State) -> bool,
}

impl Binding {
    /// Whether it would do something now. In the view for a projector only what it shows can be
    /// changed.
    pub(crate) fn works_now(&self, state: &State) -> bool {
        let is_presented = matches!(
            self.act,
            Act::Quit
                | Act::Help
                | Act::Present
                | Act::Back
                | Act::Freeze
                | Act::Theme
                | Act::Save
                | Act::ShorterPeriod
                | Act::LongerPeriod
        );
        (is_presented || !state.is_presenting()) && (self.works)(state)
    }

    /// How its keys are written: digits as far as there are panes.
    pub(crate) fn shown(&self, state: &State) -> &'static str {
        if self.act == Act::Focus { SHOWN_DIGITS[state.panes.len() - 1] } else { self.shown }
    }
}

use Key::{BackTab, Char, Ctrl, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Tab, Up};

const ALWAYS: fn(&State) -> bool = |_| true;
const ROWS: fn(&State) -> bool = |state| state.rows(state.focus()).len() > 1;

/// The sections of the help.
pub(crate) const SECTIONS: [(&str, &[Binding]); 3] = [
    (
        "look",
        &[
            bind(&[Char('q'), Ctrl('c')], "q", "end, and print a summary", "quit", Act::Quit, ALWAYS),
            bind(&[Char('?')], "?", "this help", "help", Act::Help, ALWAYS),
            bind(&[Char('z')], "z", "one pane on the whole screen, and back", "zoom", Act::Zoom, ALWAYS),
            bind(
                &[Char('P')],
                "P",
                "large, for a projector: delays, bars, and the cost",
                "present",
                Act::Present,
                State::can_present,
            ),
            bind(
                &[Char('f')],
                "f",
                "freeze the view; the world goes on",
                "freeze",
                Act::Freeze,
                HAS_SNAPSHOT,
            ),
            bind(
                &[Char('t')],
                "t",
                "next theme: dark, light, high contrast, mono",
                "theme",
                Act::Theme,
                ALWAYS,
            ),
            bind(&[Char('s')], "s", "save the screen as an SVG", "save", Act::Save, HAS_SNAPSHOT),
        ],
    ),
    (
        "move",
        &[
            bind(&DIGITS, "1–9", "to a pane", "pane", Act::Focus, ALWAYS),
            bind(&[Tab], "Tab", "to the next pane", "", Act::NextPane, ALWAYS),
            bind(&[BackTab], "Shift-Tab", "to the previous one", "", Act::PreviousPane, ALWAYS),
            bind(&[Char('j'), Down, Char('l'), Right], "j ↓", "down", "", Act::Down, ROWS),
            bind(&[Char('k'), Up, Char('h'), Left], "k ↑", "up", "", Act::Up, ROWS),
            bind(&[Char('g'), Home], "g", "to the first", "", Act::First, ROWS),
            bind(&[Char('G'), End], "G", "to the last", "", Act::Last, ROWS),
            bind(&[PageUp, Ctrl('u')], "PgUp", "a page up", "", Act::PageUp, ROWS),
            bind(&[PageDown, Ctrl('d')], "PgDn", "a page down", "", Act::PageDown, ROWS),
            bind(&[Enter], "Enter", "more about the selected row", "detail", Act::Detail, |state| {
                state.focus().spec().detail != Detail::None && !state.rows(state.focus()).is_empty()
            }),
            bind(&[Esc], "Esc", "back; clear the filter", "", Act::Back, ALWAYS),
            bind(
                &[Char('/')],
                "/",
                "show only rows that contain a text",
                "filter",
                Act::Filter,
                HAS_SNAPSHOT,
            ),
            bind(
                &[Char('+'), Char('=')],
                "+",
                "city: closer, to the selected trip",
                "closer",
                Act::MapIn,
                |state| on_map(state) && state.map_zoom < 5,
            ),
            bind(&[Char('-')], "-", "city: farther", "farther", Act::MapOut, |state| {
                on_map(state) && state.map_zoom > 0
            }),
        ],
    ),
    (
        "act, where the workers are ours",
        &[
            bind(
                &[Char(' ')],
                "space",
                "pause the selected consumer, or let it go on",
                "pause",
                Act::Pause,
                |state| consumer(state).is_some(),
            ),
            bind(&[Char('r')], "r", "restart it", "restart", Act::Control(Action::Restart), |state| {
                consumer(state).is_some()
            }),
            bind(
                &[Char('+'), Char('=')],
                "+",
                "one more instance of its group",
                "scale",
                Act::Control(Action::ScaleUp),
                |state| consumer(state).is_some(),
            ),
            bind(&[Char('-')], "-", "one fewer", "", Act::Control(Action::ScaleDown), |state| {
                consumer(state).is_some()
            }),
            bind(
                &[Char('b')],
                "b",
                "a burst on the selected topic",
                "burst",
                Act::Control(Action::Burst),
                |state| matches!(target::of(state), Some(Target::Topic(_))),
            ),
            bind(
                &[Char('<'), Char('[')],
                "<",
                "the dial: batch jobs run more often",
                "dial",
                Act::ShorterPeriod,
                |state| next_period(state, Step::shorter_than).is_some(),
            ),
            bind(&[Char('>'), Char(']')], ">", "less often", "", Act::LongerPeriod, |state| {
                next_period(state, Step::longer_than).is_some()
            }),
            bind(&[Char('X')], "X", "kill it (asks first)", "kill", Act::Control(Action::Kill), |state| {
                consumer(state).is_some()
            }),
            bind(
                &[Char('R')],
                "R",
                "rewind its group to the beginning (asks first)",
                "rewind",
                Act::Control(Action::Rewind),
                |state| consumer(state).is_some(),
            ),
        ],
    ),
];

const DIGITS: [Key; MOST_PANES] =
    [Char('1'), Char('2'), Char('3'), Char('4'), Char('5'), Char('6'), Char('7'), Char('8'), Char('9')];
/// How the digits are written, by how many panes there are.
const SHOWN_DIGITS: [&str; MOST_PANES] = ["1", "1–2", "1–3", "1–4", "1–5", "1–6", "1–7", "1–8", "1–9"];
const HAS_SNAPSHOT: fn(&State) -> bool = |state| state.latest.is_some();

const fn bind(
    keys: &'static [Key],
    shown: &'static str,
    does: &'static str,
    brief: &'static str,
    act: Act,
    works: fn(&State) -> bool,
) -> Binding {
    Binding { keys, shown, does, brief, act, works }
}

fn on_map(state: &State) -> bool {
    state.focus() == Pane::City && state.map.is_some()
}

fn on_silent(state: &State) -> bool {
    state.selected(state.focus()).is_some_and(|row| matches!(row.item, Item::Silent(_)))
}

/// The step next to the batch lane's present period; while a change is on its way, next to the
/// period that was requested.
pub(crate) fn next_period(state: &State, beside: fn(f64) -> Option<Step>) -> Option<Step> {
    let snapshot = state.shown().filter(|snapshot| snapshot.lanes.data.can_turn)?;
    let newest_first = state.requests.iter().rev();
    let requested = newest_first.map(|request| (request.command.action, &request.progress)).find_map(
        |(action, progress)| match (action, progress) {
            (Action::Dial(step), Progress::Requested | Progress::Accepted) => Some(step.period_ms() as f64),
            _ => None,
        },
    );
    beside(requested.or(snapshot.lanes.data.batch_period_ms)?)
}

/// What a key does now.
pub(crate) fn meaning(state: &State, key: Key) -> Option<Act> {
    let mut all = SECTIONS.iter().flat_map(|(_, bindings)| bindings.iter());
    all.find(|binding| binding.keys.contains(&key) && binding.works_now(state)).map(|binding| binding.act)
}

/// The keys that work now, as `(key, word)`, for the footer: what is special here first.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other keys have the words of the table")]
pub(crate) fn footer(state: &State) -> Vec<(&'static str, &'static str)> {
    match &state.mode {
        Mode::Help(_) => return vec![("Esc", "back"), ("j k", "move"), ("q", "quit")],
        Mode::Filter => return vec![("Enter", "keep"), ("Esc", "clear")],
        Mode::Confirm(_) => return vec![("Tab", "choose"), ("Enter", "do it"), ("Esc", "cancel")],
        Mode::Panes => {}
    }
    let [look, go, act] = SECTIONS;
    let all = act.1.iter().chain(look.1[..2].iter()).chain(go.1).chain(look.1[2..].iter());
    all.filter(|binding| !binding.brief.is_empty() && binding.works_now(state))
        .map(|binding| match binding.act {
            Act::Control(Action::ScaleUp) => ("+ -", binding.brief),
            Act::ShorterPeriod => ("< >", binding.brief),
            Act::Pause if consumer(state).is_some_and(|target| target::is_paused(state, &target)) => {
                ("space", "resume")
            }
            Act::Freeze if state.frozen.is_some() => ("f", "go on"),
            Act::Present if state.is_presenting() => ("P", "back"),
            Act::Zoom if state.zoomed => ("z", "back"),
            Act::Detail if state.focused().detail => ("Esc", "back"),
            Act::Detail if on_silent(state) => ("Enter", if state.silent { "fold" } else { "unfold" }),
            _ => (binding.shown(state), binding.brief),
        })
        .collect()
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
