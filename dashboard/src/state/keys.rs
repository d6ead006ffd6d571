//! Keys, and what a binding of one is.
//!
//! A [`Binding`] has the keys, the words, the [`Act`], where it is valid ([`Scope`]), and why it
//! does nothing now, if it does nothing. All of them stand in [`table`](crate::state::table).

use crate::command::Action;
use crate::state::State;
use Key::Char;

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
    Suspend,
    Help,
    /// Looks for something to do.
    Palette,
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
    /// New records wait, or come again.
    Follow,
    /// Only the records of the next partition.
    Partition,
    /// Goes to a place in the topic.
    Jump,
    /// Goes to the record that a dead letter is about.
    Original,
    /// Sends the record of a dead letter again …
    Redrive,
    /// … or those of all.
    RedriveAll,
    /// The rows are sorted another way.
    Sort,
    /// The selected row is hidden …
    Hide,
    /// … and all hidden ones are shown again.
    Unhide,
    /// The cluster is asked more often …
    PollMore,
    /// … or less often.
    PollLess,
    /// Takes the last pause or scaling back.
    Undo,
    /// Copies what is selected.
    Copy,
    /// Takes the mouse, or gives it back.
    Mouse,
    SaveSettings,
    /// Sets the offsets of any group.
    Reset,
    CreateTopic,
    SendRecord,
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
    pub(crate) scope: Scope,
    /// Why it would do nothing now, in a few words; `None`: it works.
    pub(crate) why_not: fn(&State) -> Option<&'static str>,
}

/// Where a binding is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Everywhere,
    /// Among the panes.
    Panes,
    /// In the records of a topic.
    Records,
}

impl Scope {
    fn includes(self, state: &State) -> bool {
        match self {
            Scope::Everywhere => true,
            Scope::Panes => state.reading.is_none(),
            Scope::Records => state.reading.is_some(),
        }
    }
}

impl Binding {
    /// Whether it would do something now.
    pub(crate) fn works(&self, state: &State) -> bool {
        self.off(state).is_none()
    }

    /// Why it does nothing now.
    pub(crate) fn off(&self, state: &State) -> Option<&'static str> {
        // In the view for a projector only what it shows can be changed.
        let is_presented = matches!(
            self.act,
            Act::Quit
                | Act::Suspend
                | Act::Help
                | Act::Palette
                | Act::Present
                | Act::Back
                | Act::Freeze
                | Act::Theme
                | Act::Save
                | Act::Mouse
                | Act::PollMore
                | Act::PollLess
                | Act::ShorterPeriod
                | Act::LongerPeriod
        );
        if state.is_presenting() && !is_presented {
            return Some("not in the view for a projector: P leaves it");
        }
        match (self.scope, self.scope.includes(state)) {
            (_, true) => (self.why_not)(state),
            (Scope::Records, false) => Some("only in a topic's records (Enter on a topic)"),
            (Scope::Everywhere | Scope::Panes, false) => {
                Some("only among the panes (Esc leaves the records)")
            }
        }
    }

    /// How its keys are written: digits as far as there are panes.
    pub(crate) fn shown(&self, state: &State) -> &'static str {
        if self.act == Act::Focus {
            SHOWN_DIGITS[state.panes.len().min(SHOWN_DIGITS.len()) - 1]
        } else {
            self.shown
        }
    }
}

/// The digits in the order of the panes: as on a keyboard, 0 is the tenth.
pub(crate) const DIGITS: [Key; 10] = [
    Char('1'),
    Char('2'),
    Char('3'),
    Char('4'),
    Char('5'),
    Char('6'),
    Char('7'),
    Char('8'),
    Char('9'),
    Char('0'),
];
/// How the digits are written, by how many panes there are.
const SHOWN_DIGITS: [&str; 10] = ["1", "1–2", "1–3", "1–4", "1–5", "1–6", "1–7", "1–8", "1–9", "1–0"];

/// A line of the table.
pub(crate) const fn bind(
    keys: &'static [Key],
    shown: &'static str,
    does: &'static str,
    brief: &'static str,
    act: Act,
    scope: Scope,
    why_not: fn(&State) -> Option<&'static str>,
) -> Binding {
    Binding { keys, shown, does, brief, act, scope, why_not }
}
