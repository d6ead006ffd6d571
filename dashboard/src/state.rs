//! What the dashboard remembers between two key presses, beside the last snapshot.

use std::sync::Arc;

use crate::command::{Action, Command, Progress, Target};
use crate::rows::{self, Row};
use crate::snapshot::{CityMap, Snapshot, Source};
use crate::theme::Palette;

/// The eight panes, in the order of their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// Per topic, records a second.
    Throughput,
    /// Per group, how far behind.
    Lag,
    /// Per partition, the log and the bookmark in it.
    Partitions,
    /// Streets and cars.
    City,
    /// Decisions at the tills.
    Payments,
    /// A shopper and their page.
    Shop,
    /// Batch or stream: the bill.
    Lanes,
    /// What happened.
    Events,
}

impl Pane {
    /// All of them.
    pub const ALL: [Pane; 8] = [
        Pane::Throughput,
        Pane::Lag,
        Pane::Partitions,
        Pane::City,
        Pane::Payments,
        Pane::Shop,
        Pane::Lanes,
        Pane::Events,
    ];

    /// Its place in [`Pane::ALL`]; the key that focuses it is one more.
    pub fn index(self) -> usize {
        self as usize
    }

    /// Its name, as its border shows it.
    pub fn name(self) -> &'static str {
        match self {
            Pane::Throughput => "throughput",
            Pane::Lag => "lag",
            Pane::Partitions => "partitions",
            Pane::City => "city",
            Pane::Payments => "payments",
            Pane::Shop => "shop",
            Pane::Lanes => "batch or stream",
            Pane::Events => "events",
        }
    }
}

/// Which row of a pane the keys act on: by its name, so that it stays the same row when others come
/// and go.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cursor {
    pub(crate) key: String,
    /// Where it stood last, for when the row has gone.
    pub(crate) index: usize,
    /// Whether somebody moved it.
    pub(crate) chosen: bool,
}

impl Cursor {
    /// Its place among these rows.
    pub(crate) fn place(&self, rows: &[Row]) -> usize {
        let last = rows.len().saturating_sub(1);
        match rows.get(self.index) {
            Some(row) if row.key == self.key => self.index,
            _ => rows.iter().position(|row| row.key == self.key).unwrap_or(self.index.min(last)),
        }
    }
}

/// What has the keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Mode {
    #[default]
    Panes,
    /// The list of keys, from this line on.
    Help(usize),
    /// The filter of the focused pane is being typed.
    Filter,
    /// A question about something that cannot be undone.
    Confirm(Confirm),
}

/// "Kill fraud-1?"
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Confirm {
    pub(crate) action: Action,
    /// Captured at key-down: whatever moves under the cursor since, this is what the question
    /// names.
    pub(crate) target: Target,
    /// Whether the cursor is on the action; it starts on Cancel.
    pub(crate) yes: bool,
}

/// A command that was asked for, and how it is getting on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) command: Command,
    pub(crate) progress: Progress,
    /// When it was asked.
    pub(crate) began_ms: u64,
    /// When `progress` last changed.
    pub(crate) since_ms: u64,
}

/// Everything that [`crate::update()`] changes and [`crate::view()`] draws.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub(crate) map: Option<Arc<CityMap>>,
    /// The newest snapshot.
    pub(crate) latest: Option<Arc<Snapshot>>,
    /// The one on the screen while the view is frozen, and since when.
    pub(crate) frozen: Option<(Arc<Snapshot>, u64)>,
    /// When the newest snapshot came.
    pub(crate) heard_ms: u64,
    /// The moment of the last message, in milliseconds of a clock that only goes forward.
    pub(crate) now_ms: u64,
    pub(crate) focus: usize,
    pub(crate) zoomed: bool,
    pub(crate) detail: [bool; 8],
    pub(crate) cursors: [Cursor; 8],
    pub(crate) filters: [String; 8],
    /// Ids of the groups whose members are shown.
    pub(crate) opened: Vec<String>,
    /// How often the map was zoomed in: each step halves what it shows.
    pub(crate) map_zoom: u8,
    pub(crate) mode: Mode,
    pub(crate) palette: Palette,
    pub(crate) asked: Vec<Asked>,
    pub(crate) commands: u64,
    /// A sentence in the footer, and since when.
    pub(crate) notice: Option<(String, u64)>,
    pub(crate) size: (u16, u16),
}

/// How long a sentence stays in the footer.
pub(crate) const NOTICE_MS: u64 = 4_000;
/// How long a finished control stays there.
pub(crate) const FINISHED_MS: u64 = 6_000;
/// After so long without a snapshot the first line says so.
pub(crate) const SILENCE_MS: u64 = 3_000;

impl State {
    /// A dashboard that has not heard anything yet.
    pub fn new(palette: Palette) -> State {
        State { palette, ..State::default() }
    }

    /// The palette in use, which `t` changes.
    pub fn palette(&self) -> Palette {
        self.palette
    }

    /// The focused pane.
    pub fn focus(&self) -> Pane {
        Pane::ALL[self.focus]
    }

    /// The newest snapshot, frozen or not.
    pub fn latest(&self) -> Option<&Snapshot> {
        self.latest.as_deref()
    }

    /// The snapshot on the screen.
    pub(crate) fn shown(&self) -> Option<&Snapshot> {
        self.frozen.as_ref().map(|(snapshot, _)| &**snapshot).or(self.latest.as_deref())
    }

    /// Whether a pane's source exists here; a foreign cluster has no city.
    pub(crate) fn has(&self, pane: Pane) -> bool {
        let Some(snapshot) = self.shown() else { return true };
        let source = match pane {
            Pane::Throughput => &snapshot.topics.source,
            Pane::Lag | Pane::Partitions => &snapshot.groups.source,
            Pane::City => &snapshot.city.source,
            Pane::Payments => &snapshot.payments.source,
            Pane::Shop => &snapshot.shop.source,
            Pane::Lanes => &snapshot.lanes.source,
            Pane::Events => return true,
        };
        *source != Source::Absent
    }

    /// The rows of a pane, after its filter.
    pub(crate) fn rows(&self, pane: Pane) -> Vec<Row> {
        self.shown().map_or_else(Vec::new, |snapshot| rows::of(self, snapshot, pane))
    }

    /// The selected row of a pane.
    pub(crate) fn selected(&self, pane: Pane) -> Option<Row> {
        let rows = self.rows(pane);
        let at = self.cursors[pane.index()].place(&rows);
        rows.into_iter().nth(at)
    }

    /// For how long no snapshot has come, when that is worth saying.
    pub(crate) fn silence_ms(&self) -> Option<u64> {
        self.latest.as_ref()?;
        Some(self.now_ms.saturating_sub(self.heard_ms)).filter(|silent| *silent >= SILENCE_MS)
    }

    /// When the picture will change although nothing happens, on the same clock: a counted second,
    /// a notice that goes.
    pub fn next_change_ms(&self) -> Option<u64> {
        let counting = self.frozen.is_some() || !self.asked.is_empty() || self.silence_ms().is_some();
        let second = counting.then(|| self.now_ms + 1_000);
        let notice = self.notice.as_ref().map(|(_, since)| since + NOTICE_MS);
        let silence =
            (self.latest.is_some() && self.silence_ms().is_none()).then_some(self.heard_ms + SILENCE_MS);
        [second, notice, silence].into_iter().flatten().min()
    }
}
