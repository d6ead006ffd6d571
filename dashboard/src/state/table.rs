//! The key table: the one place that knows what a key does.
//!
//! The help, the footer and the palette are made from it, so that none of them can promise a key
//! that does something else.

use crate::command::{Action, Progress, Step};
use crate::state::keys::{Act, Binding, DIGITS, Key, Scope, bind};
use crate::state::pane::{Detail, Pane};
use crate::state::{POLL_STEPS, State, copy, paging, target};

use Scope::{Everywhere, Panes, Records};

use Key::{BackTab, Char, Ctrl, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Tab, Up};

const ALWAYS: fn(&State) -> Option<&'static str> = |_| None;
const ROWS: fn(&State) -> Option<&'static str> = |state| {
    let is_list = state.reading.is_some() || state.rows(state.focus()).len() > 1;
    (!is_list).then_some("there are no rows to move between")
};
const HAS_SNAPSHOT: fn(&State) -> Option<&'static str> =
    |state| state.latest.is_none().then_some("nothing is known of the cluster yet");

/// The sections of the help.
pub(crate) const SECTIONS: [(&str, &[Binding]); 5] = [
    ("look", LOOK),
    ("move", MOVE),
    ("actions, on workers that this demo started", ACT),
    ("actions, on any cluster", ANYWHERE),
    ("records of a topic", RECORDS),
];

pub(crate) const LOOK: &[Binding] = &[
    bind(&[Char('q'), Ctrl('c')], "q", "end, and print a summary", "quit", Act::Quit, Everywhere, ALWAYS),
    bind(&[Char('?')], "?", "this help", "help", Act::Help, Everywhere, ALWAYS),
    bind(
        &[Char(':')],
        ":",
        "the palette: everything there is to do",
        "palette",
        Act::Palette,
        Everywhere,
        ALWAYS,
    ),
    bind(&[Char('z')], "z", "one pane on the whole screen, and back", "zoom", Act::Zoom, Panes, ALWAYS),
    bind(
        &[Char('P')],
        "P",
        "large, for a projector: delays, bars, and the cost",
        "present",
        Act::Present,
        Panes,
        |state| (!state.can_present()).then_some("there are no two lanes here to compare"),
    ),
    bind(
        &[Char('f')],
        "f",
        "freeze the display (data keeps flowing)",
        "freeze",
        Act::Freeze,
        Panes,
        HAS_SNAPSHOT,
    ),
    bind(
        &[Char('t')],
        "t",
        "next theme: dark, light, high contrast, mono",
        "theme",
        Act::Theme,
        Everywhere,
        ALWAYS,
    ),
    bind(&[Char('s')], "s", "save the screen as an SVG", "save", Act::Save, Everywhere, HAS_SNAPSHOT),
    bind(
        &[Char('y')],
        "y",
        "copy the record, or the name of the selected row",
        "copy",
        Act::Copy,
        Everywhere,
        copy::why_nothing,
    ),
    bind(&[Char('M')], "M", "give the mouse to the terminal, or take it", "", Act::Mouse, Everywhere, ALWAYS),
    bind(
        &[],
        "",
        "save the settings: look, layout, pane, mouse, interval",
        "",
        Act::SaveSettings,
        Everywhere,
        ALWAYS,
    ),
    bind(&[Char('[')], "[", "poll the cluster more often", "", Act::PollMore, Everywhere, |state| {
        (state.poll_step == 0).then_some("four times a second is as often as it is polled")
    }),
    bind(&[Char(']')], "]", "poll the cluster less often", "", Act::PollLess, Everywhere, |state| {
        (state.poll_step + 1 == POLL_STEPS.len()).then_some("every 2 s is as seldom as it is polled")
    }),
    bind(
        &[Ctrl('z')],
        "^Z",
        "stop, and go back to the shell; fg goes on",
        "",
        Act::Suspend,
        Everywhere,
        ALWAYS,
    ),
];

pub(crate) const MOVE: &[Binding] = &[
    bind(&DIGITS, "1–9", "to a pane", "pane", Act::Focus, Everywhere, ALWAYS),
    bind(&[Tab], "Tab", "to the next pane", "", Act::NextPane, Panes, ALWAYS),
    bind(&[BackTab], "Shift-Tab", "to the previous pane", "", Act::PreviousPane, Panes, ALWAYS),
    bind(&[Char('j'), Down, Char('l'), Right], "j ↓", "down", "", Act::Down, Everywhere, ROWS),
    bind(&[Char('k'), Up, Char('h'), Left], "k ↑", "up", "", Act::Up, Everywhere, ROWS),
    bind(&[Char('g'), Home], "g", "to the first row", "", Act::First, Everywhere, ROWS),
    bind(&[Char('G'), End], "G", "to the last row", "", Act::Last, Everywhere, ROWS),
    bind(&[PageUp, Ctrl('u')], "PgUp", "a page up", "", Act::PageUp, Everywhere, ROWS),
    bind(&[PageDown, Ctrl('d')], "PgDn", "a page down", "", Act::PageDown, Everywhere, ROWS),
    bind(
        &[Enter],
        "Enter",
        "more about the row; of a topic its records",
        "detail",
        Act::Detail,
        Everywhere,
        |state| {
            let is_open = match &state.reading {
                Some(reading) => reading.query.whole.is_none() && paging::selected(state).is_some(),
                None => state.focus().spec().detail != Detail::None && !state.rows(state.focus()).is_empty(),
            };
            (!is_open).then_some("there is no row here that has more to show")
        },
    ),
    bind(&[Esc], "Esc", "back; clear the filter", "", Act::Back, Everywhere, ALWAYS),
    bind(&[Char('/')], "/", "show only rows that contain a text", "filter", Act::Filter, Panes, HAS_SNAPSHOT),
    bind(
        &[Char('o')],
        "o",
        "topics, groups: sort the rows another way",
        "sort",
        Act::Sort,
        Panes,
        why_no_order,
    ),
    bind(&[Char('i')], "i", "topics, groups: hide the selected row", "", Act::Hide, Panes, |state| {
        why_no_order(state).or(target::hideable(state).is_none().then_some("no row is selected"))
    }),
    bind(&[Char('I')], "I", "show the hidden rows again", "unhide", Act::Unhide, Panes, |state| {
        state.focused().hidden.is_empty().then_some("no row of this pane is hidden")
    }),
    bind(
        &[Char('+'), Char('=')],
        "+",
        "city: closer, to the selected trip",
        "closer",
        Act::MapIn,
        Panes,
        |state| why_no_map(state, state.map_zoom < 5, "this is as close as it gets"),
    ),
    bind(&[Char('-')], "-", "city: farther", "farther", Act::MapOut, Panes, |state| {
        why_no_map(state, state.map_zoom > 0, "the whole city is shown")
    }),
];

pub(crate) const ACT: &[Binding] = &[
    bind(
        &[Char(' ')],
        "space",
        "pause or resume the selected consumer",
        "pause",
        Act::Pause,
        Panes,
        target::why_no_consumer,
    ),
    bind(
        &[Char('r')],
        "r",
        "restart the selected consumer",
        "restart",
        Act::Control(Action::Restart),
        Panes,
        target::why_no_consumer,
    ),
    bind(
        &[Char('+'), Char('=')],
        "+",
        "one more instance of the selected group",
        "scale",
        Act::Control(Action::ScaleUp),
        Panes,
        target::why_no_consumer,
    ),
    bind(
        &[Char('-')],
        "-",
        "one instance fewer",
        "",
        Act::Control(Action::ScaleDown),
        Panes,
        target::why_no_consumer,
    ),
    bind(&[Char('u')], "u", "undo the last pause, resume or scaling", "undo", Act::Undo, Panes, |state| {
        state.undo.is_empty().then_some("nothing to undo: only pauses and scaling can be")
    }),
    bind(
        &[Char('b')],
        "b",
        "a burst on the selected topic",
        "burst",
        Act::Control(Action::Burst),
        Panes,
        target::why_no_burst,
    ),
    bind(
        &[Char('<')],
        "<",
        "run the batch jobs more often (the dial)",
        "dial",
        Act::ShorterPeriod,
        Panes,
        |state| why_no_dial(state, Step::shorter_than, "the jobs run as often as they can"),
    ),
    bind(&[Char('>')], ">", "run the batch jobs less often", "", Act::LongerPeriod, Panes, |state| {
        why_no_dial(state, Step::longer_than, "the jobs run as seldom as they can")
    }),
    bind(
        &[Char('X')],
        "X",
        "kill the selected consumer (asks first)",
        "kill",
        Act::Control(Action::Kill),
        Panes,
        target::why_no_consumer,
    ),
    bind(
        &[Char('R')],
        "R",
        "rewind the selected group to the beginning (asks first)",
        "rewind",
        Act::Control(Action::Rewind),
        Panes,
        target::why_no_consumer,
    ),
];

pub(crate) const ANYWHERE: &[Binding] = &[
    bind(
        &[Char('O')],
        "O",
        "set the offsets of the selected group (asks first)",
        "offsets",
        Act::Reset,
        Panes,
        target::why_no_group,
    ),
    bind(&[Char('N')], "N", "create a topic", "", Act::CreateTopic, Everywhere, HAS_SNAPSHOT),
    bind(
        &[Char('w')],
        "w",
        "write one record to the topic",
        "write",
        Act::SendRecord,
        Everywhere,
        target::why_no_topic,
    ),
];

pub(crate) const RECORDS: &[Binding] = &[
    bind(
        &[Char(' ')],
        "space",
        "pause: new records wait until space is pressed again",
        "pause",
        Act::Follow,
        Records,
        |state| (!paging::follows(state)).then_some("only the newest records follow: G goes there"),
    ),
    bind(
        &[Char('/')],
        "/",
        "show only records whose key contains a text",
        "key",
        Act::Filter,
        Records,
        ALWAYS,
    ),
    bind(
        &[Char('p')],
        "p",
        "show only the next partition; after the last: all",
        "partition",
        Act::Partition,
        Records,
        ALWAYS,
    ),
    bind(&[Char('o')], "o", "go to an offset or a time", "go to", Act::Jump, Records, ALWAYS),
    bind(
        &[Char('O')],
        "O",
        "dead letter: the record that it is about",
        "original",
        Act::Original,
        Records,
        paging::why_no_letter,
    ),
    bind(
        &[Char('R')],
        "R",
        "dead letter: redrive its record (asks first)",
        "redrive",
        Act::Redrive,
        Records,
        paging::why_no_letter,
    ),
    bind(
        &[Char('A')],
        "A",
        "dead letters: redrive all records (asks first)",
        "redrive all",
        Act::RedriveAll,
        Records,
        paging::why_no_letter,
    ),
];

fn why_no_order(state: &State) -> Option<&'static str> {
    state.focus().spec().orders.is_empty().then_some("for the lists of topics and of groups")
}

fn why_no_map(state: &State, moves: bool, at_the_end: &'static str) -> Option<&'static str> {
    if state.focus() != Pane::City || state.map.is_none() {
        return Some("for the city's pane");
    }
    (!moves).then_some(at_the_end)
}

fn why_no_dial(
    state: &State,
    beside: fn(f64) -> Option<Step>,
    at_the_end: &'static str,
) -> Option<&'static str> {
    if !state.shown().is_some_and(|snapshot| snapshot.lanes.data.can_turn) {
        return Some("no batch job here is one that this demo started");
    }
    next_period(state, beside).is_none().then_some(at_the_end)
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
