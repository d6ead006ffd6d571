//! What can happen to a dashboard, and what it then asks of its caller.

use std::sync::Arc;

use crate::command::Command;
use crate::snapshot::{CityMap, RecordQuery, Snapshot};
use crate::state::keys::Key;
use crate::state::pane::Pane;

/// What is drawn at a place of the screen, for the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// A pane, or its name in the line of tabs.
    Pane(Pane),
    /// A row of a pane, by its index.
    Row(Pane, usize),
    /// A record, by its index in the page.
    Record(usize),
    /// An entry of the palette, by its index.
    Entry(usize),
    /// One of the two answers to a question: whether it is done.
    Answer(bool),
}

/// What can happen to a dashboard.
#[derive(Clone, Debug)]
pub enum Msg {
    /// A key went down.
    Key(Key),
    /// A text was pasted.
    Paste(String),
    /// The mouse was pressed on something.
    Click(Hit),
    /// The wheel was turned over something, by so many rows: up is negative.
    Wheel(Hit, isize),
    /// The terminal has this many columns and rows.
    Resize(u16, u16),
    /// A snapshot was received.
    Snapshot(Arc<Snapshot>),
    /// The streets were received.
    Map(Arc<CityMap>),
    /// A sentence for the footer: the screen was saved.
    Notice(String),
    /// Time passed: [`State::next_change_ms`](crate::State::next_change_ms) has come.
    Tick,
}

/// What the caller has to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cmd {
    /// The picture has changed.
    Draw,
    /// Send a command to the supervisor.
    Send(Command),
    /// Read these records for the next snapshots; `None`: no more.
    Read(Option<RecordQuery>),
    /// Ask the cluster every so many milliseconds from now on.
    PollEvery(u64),
    /// Put this text into the clipboard of the terminal.
    Copy(String),
    /// Take the mouse, or give it back to the terminal.
    Mouse(bool),
    /// Save the theme, the glyphs, the layout, the mouse and the interval for the next time.
    SaveSettings,
    /// Save the screen as an SVG.
    Save,
    /// Stop, and give the terminal back to the shell until it says to go on.
    Suspend,
    /// End.
    Quit,
}
