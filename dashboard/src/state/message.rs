//! What can happen to a dashboard, and what it then asks of its caller.

use std::sync::Arc;

use crate::command::Command;
use crate::snapshot::{CityMap, RecordQuery, Snapshot};
use crate::state::keys::Key;

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
    /// Save the screen as an SVG.
    Save,
    /// End.
    Quit,
}
