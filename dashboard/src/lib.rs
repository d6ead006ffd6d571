//! The terminal dashboard: a [`Snapshot`] of plain values, and the views that draw it.
//!
//! It is built like a small game. A [`State`] holds everything; [`update()`] changes it by one
//! [`Msg`] and says what is to be done ([`Cmd`]); [`view()`] draws it into a buffer of cells.
//! Neither of the two touches a file, a clock or a terminal, so that every screen and every key can
//! be tested as a function. What does touch them stands in one folder, `terminal/`: [`run`] waits
//! for keys, signals and snapshots, calls `update`, and draws when the picture has changed.
//!
//! ```text
//!   the observer of the cluster           this crate                            the terminal
//!   Publisher::snapshot ──► mailbox ──► update ──► State ──► view ──► cells ──► one write a frame
//!   the supervisor  ◄── Command ◄──────────┘  ▲
//!                                             └── keys, signals, resizes
//! ```
//!
//! Each module uses only modules below it, and no two files use each other:
//!
//! ```text
//!   terminal/   the edge: threads, a clock, signals, the modes of the terminal
//!   headless    lines of words or JSON instead   svg   a picture in a file
//!   settings    what a person wants the same each time
//!   view/       header, layout, one file a pane, the pen, the map, colours
//!   state/      panes as data, rows and cursors, the key table, update
//!   format      numbers and times in words
//!   snapshot/   what is known, one file a business
//!   command     what a control asks for
//!   place       a place in a topic, as people write it
//! ```
//!
//! This crate knows none of the others: no Kafka, no simulator, no events. What it shows, others
//! have put into the [`Snapshot`]; what its controls ask for, others do. So it shows a foreign
//! cluster as well as our own.
//!
//! # Simplifications
//! - The mouse chooses and scrolls; nothing is dragged. Everything has a key too.
//! - Combining accents are dropped, and right-to-left text is left to the terminal: no two
//!   terminals agree about either.
//! - The clock of the event list is UTC: the core knows no time zones.

// A new pane, lane or kind of event must not be drawn as nothing: the compiler names the places.
#![deny(clippy::wildcard_enum_match_arm)]

mod format;
mod place;
mod settings;
mod state;
mod svg;
mod terminal;
mod view;

pub mod command;
pub mod headless;
pub mod snapshot;

pub use command::{Action, Command, ControlState, NewRecord, Progress, Step, Target};
pub use headless::Summary;
pub use place::{OffsetSpec, RecordAt};
pub use settings::Settings;
pub use snapshot::*;
pub use state::State;
pub use state::keys::Key;
pub use state::message::{Cmd, Hit, Msg};
pub use state::palette::Palette;
pub use state::pane::Pane;
pub use state::update::update;
pub use svg::{of_buffer, render_svg};
pub use terminal::{Exit, Feed, Options, Outcome, Publisher, Request, feed, is_terminal, run};
pub use view::theme::{Depth, Glyphs, Theme};
pub use view::{Cache, view};
