//! The terminal dashboard: a [`Snapshot`] of plain values, and the views that draw it.
//!
//! It is built like a small game. A [`State`] holds everything; [`update()`] changes it by one
//! [`Msg`] and says what is to be done ([`Cmd`]); [`view()`] draws it into a buffer of cells.
//! Neither of the two touches a file, a clock or a terminal, so that every screen and every key can
//! be tested as a function. What does touch them stands in one file, `terminal.rs`: [`run`] waits
//! for keys, signals and snapshots, calls `update`, and draws when the picture has changed.
//!
//! ```text
//!   whoever watches the cluster           this crate                            the terminal
//!   Publisher::snapshot ──► mailbox ──► update ──► State ──► view ──► cells ──► one write a frame
//!   the supervisor  ◄── Command ◄──────────┘  ▲
//!                                             └── keys, signals, resizes
//! ```
//!
//! This crate knows none of the others: no Kafka, no simulator, no events. What it shows, others
//! have put into the [`Snapshot`]; what its controls ask for, others do. So it shows a foreign
//! cluster as well as our own.
//!
//! # Simplifications
//! - No mouse: everything has a key, and the terminal keeps its own selecting and copying.
//! - Combining accents are dropped, and right-to-left text is left to the terminal: no two
//!   terminals agree about either.
//! - The clock of the event list is UTC: the core knows no time zones.

mod draw;
mod format;
mod glyphs;
mod guard;
mod header;
mod keys;
mod layout;
mod mailbox;
mod map;
mod overlays;
mod panes;
mod rows;
mod state;
mod svg;
mod terminal;
mod theme;
mod update;
mod view;

pub mod command;
pub mod headless;
pub mod sample;
pub mod snapshot;

pub use command::{Action, Command, ControlState, Progress, Step, Target};
pub use headless::Summary;
pub use keys::Key;
pub use mailbox::{Feed, Publisher, feed};
pub use snapshot::*;
pub use state::{Pane, State};
pub use svg::{of_buffer, render_svg};
pub use terminal::{Exit, Options, Outcome, is_terminal, run};
pub use theme::{Depth, Glyphs, Palette, Theme};
pub use update::{Cmd, Msg, update};
pub use view::{Cache, view};
