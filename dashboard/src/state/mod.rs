//! What the dashboard remembers between two key presses, beside the last snapshot.
//!
//! [`update`](update::update) changes it by one message at a time; [`keys`] says what a key means
//! now. What can be selected are [`rows`]; a [`pane`] is data that says where its rows come from.
//! Nothing in here draws, waits, or reads a clock.
//!
//! ```text
//!   palette, costs, rows, input, reading ──► State ──► target, paging
//!        ──► keys, table ──► finder, meaning, message ──► cursor, controls, modes ──► update
//! ```

use std::sync::Arc;

use crate::command::{Action, Command, Progress, Target};
use crate::place::{OffsetSpec, RecordAt};
use crate::snapshot::{CityMap, Snapshot, Source};
use crate::state::costs::Costs;
use crate::state::input::{Finder, Input};
use crate::state::palette::Palette;
use crate::state::pane::Pane;
use crate::state::reading::Reading;
use crate::state::rows::{Item, Order, Query, Row, RowKey};

pub(crate) mod controls;
pub(crate) mod copy;
pub(crate) mod costs;
pub(crate) mod cursor;
pub(crate) mod finder;
pub(crate) mod input;
pub(crate) mod keys;
pub(crate) mod meaning;
pub(crate) mod message;
pub(crate) mod modes;
pub(crate) mod mouse;
pub(crate) mod paging;
pub(crate) mod palette;
pub(crate) mod pane;
pub(crate) mod reading;
pub(crate) mod rows;
pub(crate) mod table;
pub(crate) mod target;
pub(crate) mod update;

/// What is remembered of one pane.
#[derive(Clone, Debug)]
pub(crate) struct PaneState {
    pub(crate) pane: Pane,
    pub(crate) cursor: Cursor,
    /// Only rows that contain this text are shown.
    pub(crate) filter: String,
    /// Whether more is shown about its selected row.
    pub(crate) detail: bool,
    /// The last snapshot that had the row that more is shown about.
    pub(crate) held: Option<Arc<Snapshot>>,
    pub(crate) order: Order,
    /// Ids of the rows that a person has hidden.
    pub(crate) hidden: Vec<String>,
}

/// Which row of a pane the keys act on: by its name, so that it stays the same row when others come
/// and go.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cursor {
    pub(crate) key: RowKey,
    /// Its last index, for when the row is gone.
    pub(crate) index: usize,
    /// Whether a key has moved it, and it stays on its row since.
    pub(crate) moved: bool,
}

impl Cursor {
    /// The index of its row among these.
    pub(crate) fn index_in(&self, rows: &[Row]) -> usize {
        self.find_in(rows).unwrap_or(self.index.min(rows.len().saturating_sub(1)))
    }

    /// The index of its row among these, if it is there.
    pub(crate) fn find_in(&self, rows: &[Row]) -> Option<usize> {
        match rows.get(self.index) {
            Some(row) if row.key == self.key => Some(self.index),
            _ => rows.iter().position(|row| row.key == self.key),
        }
    }
}

/// Where key presses go.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Mode {
    #[default]
    Panes,
    /// The list of keys, from this line on.
    Help(usize),
    /// The filter of the focused pane is being typed.
    Filter,
    /// Something is looked for among all that there is to do.
    Finder(Finder),
    /// A line is being typed.
    Input(Input),
    /// A question about something that cannot be undone.
    Confirm(Confirm),
    /// Whether the show, which is this program's own, should end.
    Leave,
}

/// An action that cannot be undone, and is carried out after a question only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Irreversible {
    Kill,
    Rewind,
    Redrive { only: Option<RecordAt> },
    Reset(OffsetSpec),
}

impl Irreversible {
    /// `None`: the action can be undone.
    pub(crate) fn of(action: Action) -> Option<Irreversible> {
        match action {
            Action::Kill => Some(Irreversible::Kill),
            Action::Rewind => Some(Irreversible::Rewind),
            Action::Redrive { only } => Some(Irreversible::Redrive { only }),
            Action::Reset(place) => Some(Irreversible::Reset(place)),
            Action::Pause
            | Action::Resume
            | Action::Restart
            | Action::ScaleUp
            | Action::ScaleDown
            | Action::Burst
            | Action::Dial(_)
            | Action::CreateTopic { .. }
            | Action::Send => None,
        }
    }

    pub(crate) fn action(self) -> Action {
        match self {
            Irreversible::Kill => Action::Kill,
            Irreversible::Rewind => Action::Rewind,
            Irreversible::Redrive { only } => Action::Redrive { only },
            Irreversible::Reset(place) => Action::Reset(place),
        }
    }
}

/// "Kill fraud-1?"
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Confirm {
    pub(crate) action: Irreversible,
    /// Captured at key-down: whatever moves under the cursor afterwards, the question names this
    /// one.
    pub(crate) target: Target,
    /// Whether the cursor is on the action; it starts on Cancel.
    pub(crate) yes: bool,
}

/// A command that was sent, and its progress.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ControlRequest {
    pub(crate) command: Command,
    pub(crate) progress: Progress,
    /// What came of it.
    pub(crate) note: Option<String>,
    /// When the key was pressed.
    pub(crate) requested_ms: u64,
    /// When `progress` last changed.
    pub(crate) changed_ms: u64,
}

/// The reader for whom the screen is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// A person before it: the panes.
    Desk,
    /// A class: little, and large.
    Projector,
}

/// The owner of the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MouseOwner {
    /// It chooses rows and tabs.
    Dashboard,
    /// It selects text.
    Terminal,
}

/// Everything that [`crate::update()`] changes and [`crate::view()`] draws.
#[derive(Clone, Debug)]
pub struct State {
    /// The panes of this show, in the order of their numbers; never none.
    pub(crate) panes: Vec<PaneState>,
    /// The index of the focused one.
    pub(crate) focus: usize,
    /// The index of the one that was chosen to be beside the bill and the lag, where there is room
    /// for three.
    pub(crate) chosen: usize,
    pub(crate) map: Option<Arc<CityMap>>,
    /// The newest snapshot.
    pub(crate) latest: Option<Arc<Snapshot>>,
    /// The one on the screen while the view is frozen, and since when.
    pub(crate) frozen: Option<(Arc<Snapshot>, u64)>,
    /// When the newest snapshot was received.
    pub(crate) received_ms: u64,
    /// The moment of the last message, in milliseconds of a clock that only goes forward.
    pub(crate) now_ms: u64,
    pub(crate) zoomed: bool,
    pub(crate) audience: Audience,
    /// What waiting has cost since the start.
    pub(crate) costs: Costs,
    /// Ids of the groups whose members are shown.
    pub(crate) expanded: Vec<String>,
    /// Whether the silent topics are shown.
    pub(crate) silent: bool,
    /// The records of a topic, in the place of the panes.
    pub(crate) reading: Option<Reading>,
    /// How often the map was zoomed in: each step halves what it shows.
    pub(crate) map_zoom: u8,
    pub(crate) mode: Mode,
    pub(crate) palette: Palette,
    pub(crate) requests: Vec<ControlRequest>,
    pub(crate) commands: u64,
    /// What `u` would do, the newest last.
    pub(crate) undo: Vec<(Action, Target)>,
    /// How often the cluster is asked, as an index into [`POLL_STEPS`].
    pub(crate) poll_step: usize,
    pub(crate) mouse: MouseOwner,
    /// A sentence in the footer, and since when.
    pub(crate) notice: Option<(String, u64)>,
    pub(crate) size: (u16, u16),
    /// Whether it was said that a larger window shows more.
    pub(crate) told_larger: bool,
}

/// How often the cluster can be asked, in milliseconds, and in words.
pub(crate) const POLL_STEPS: [(u64, &str); 4] =
    [(250, "every 250 ms"), (500, "every 500 ms"), (1_000, "every second"), (2_000, "every 2 s")];
/// How long a sentence stays in the footer.
pub(crate) const NOTICE_MS: u64 = 4_000;
/// How long a finished control stays there.
pub(crate) const FINISHED_MS: u64 = 5_000;
/// In columns and rows, the least screen that shows all panes at once.
pub(crate) const ALL_PANES: (u16, u16) = (110, 36);
/// The panes that are on every screen with room for three: the bill, and who is behind.
pub(crate) const ALWAYS: [Pane; 2] = [Pane::Lanes, Pane::Lag];
/// After this time without a snapshot the first line reports it.
pub(crate) const SILENCE_MS: u64 = 3_000;

impl State {
    /// A dashboard with these panes, before the first snapshot. A pane's number, and the digit that
    /// focuses it, is one more than its index.
    pub fn new(palette: Palette, panes: &[Pane]) -> State {
        assert!(!panes.is_empty(), "a dashboard has at least one pane to focus");
        for (at, pane) in panes.iter().enumerate() {
            assert!(!panes[..at].contains(pane), "a show has one pane {}, not two", pane.name());
        }
        let fresh = |pane: &Pane| PaneState {
            pane: *pane,
            cursor: Cursor::default(),
            filter: String::new(),
            detail: false,
            held: None,
            order: Order::Given,
            hidden: Vec::new(),
        };
        let mut state = State {
            panes: panes.iter().map(fresh).collect(),
            focus: 0,
            chosen: 0,
            map: None,
            latest: None,
            frozen: None,
            received_ms: 0,
            now_ms: 0,
            zoomed: false,
            audience: Audience::Desk,
            costs: Costs::default(),
            expanded: Vec::new(),
            silent: false,
            reading: None,
            map_zoom: 0,
            mode: Mode::Panes,
            palette,
            requests: Vec::new(),
            commands: 0,
            undo: Vec::new(),
            poll_step: 0,
            mouse: MouseOwner::Dashboard,
            notice: None,
            size: (0, 0),
            told_larger: false,
        };
        state.focus_on(state.first());
        state
    }

    /// The index of the pane that a show begins with: that of its first business which is here, or
    /// on a cluster without one the first of all.
    pub(crate) fn first(&self) -> usize {
        let is_of_business = |pane: Pane| pane.spec().lag_monitor.is_none();
        let here =
            |of: &dyn Fn(Pane) -> bool| self.panes.iter().position(|its| of(its.pane) && self.has(its.pane));
        here(&is_of_business).or_else(|| here(&|_| true)).unwrap_or(0)
    }

    /// Focuses the pane with this index; one that is not on every screen is thereby chosen.
    pub(crate) fn focus_on(&mut self, at: usize) {
        self.focus = at;
        if !ALWAYS.contains(&self.panes[at].pane) {
            self.chosen = at;
        }
    }

    /// The pane beside the bill and the lag, where there is room for three.
    pub(crate) fn chosen(&self) -> Pane {
        let chosen = self.panes[self.chosen].pane;
        if self.has(chosen) { chosen } else { self.panes[self.first()].pane }
    }

    /// The palette in use, which `t` changes.
    pub fn palette(&self) -> Palette {
        self.palette
    }

    /// The focused pane.
    pub fn focus(&self) -> Pane {
        self.focused().pane
    }

    /// The newest snapshot, frozen or not.
    pub fn latest(&self) -> Option<&Snapshot> {
        self.latest.as_deref()
    }

    /// The snapshot on the screen.
    pub(crate) fn shown(&self) -> Option<&Snapshot> {
        self.frozen.as_ref().map(|(snapshot, _)| &**snapshot).or(self.latest.as_deref())
    }

    pub(crate) fn focused(&self) -> &PaneState {
        &self.panes[self.focus]
    }

    pub(crate) fn focused_mut(&mut self) -> &mut PaneState {
        &mut self.panes[self.focus]
    }

    /// What is remembered of a pane; `None`: this show has no such pane.
    pub(crate) fn find(&self, pane: Pane) -> Option<&PaneState> {
        self.panes.iter().find(|known| known.pane == pane)
    }

    /// [`State::find`] for a pane that is being drawn, and therefore is one of the show's.
    pub(crate) fn of(&self, pane: Pane) -> &PaneState {
        self.find(pane).unwrap_or_else(|| panic!("{} is none of this show's panes", pane.name()))
    }

    /// A pane's number: the digit that focuses it. Panes past the tenth have none.
    pub(crate) fn number(&self, pane: Pane) -> Option<char> {
        let at = self.panes.iter().position(|known| known.pane == pane).filter(|at| *at < 10)?;
        // As on a keyboard, 0 comes after 9.
        char::from_digit((at as u32 + 1) % 10, 10)
    }

    /// Whether there are lanes to present.
    pub(crate) fn can_present(&self) -> bool {
        self.shown()
            .is_some_and(|snapshot| !matches!(snapshot.lanes.source, Source::Absent | Source::Waiting))
    }

    /// Whether the screen is the view for a projector.
    pub(crate) fn is_presenting(&self) -> bool {
        self.audience == Audience::Projector && self.can_present()
    }

    /// How many businesses the show may have.
    pub(crate) fn businesses(&self) -> usize {
        self.panes.iter().filter(|its| its.pane.spec().lag_monitor.is_none()).count()
    }

    /// Whether a pane's source exists here; a foreign cluster has no city.
    pub(crate) fn has(&self, pane: Pane) -> bool {
        self.shown().is_none_or(|snapshot| *(pane.spec().source)(snapshot) != Source::Absent)
    }

    /// The rows of a pane, after its filter.
    pub(crate) fn rows(&self, pane: Pane) -> Vec<Row> {
        let Some(its) = self.find(pane) else { return Vec::new() };
        let (filter, order) = (its.filter.to_lowercase(), its.order);
        let query = self.query(&filter).map(|query| Query { order, hidden: &its.hidden, ..query });
        query.map_or_else(Vec::new, |query| (pane.spec().rows)(&query))
    }

    /// The selected row of a pane.
    pub(crate) fn selected(&self, pane: Pane) -> Option<Row> {
        let rows = self.rows(pane);
        let at = self.find(pane)?.cursor.index_in(&rows);
        rows.into_iter().nth(at)
    }

    /// The selected row of a pane, of which more is shown, with the snapshot that it is of: the one
    /// on the screen, or the last one that had it.
    pub(crate) fn detailed(&self, pane: Pane) -> Option<(&Snapshot, Item)> {
        let its = self.find(pane).filter(|its| its.detail)?;
        let of = |snapshot| {
            let query = self.query_of(snapshot, "");
            let found = (pane.spec().rows)(&query).into_iter().find(|row| row.key == its.cursor.key);
            found.map(|row| (snapshot, row.item))
        };
        of(self.shown()?).or_else(|| of(its.held.as_deref()?))
    }

    /// How many rows of the screen a pane has a use for; `None`: its source does not exist here.
    pub(crate) fn height(&self, pane: Pane) -> Option<u16> {
        let wanted = self.query("").and_then(|query| (pane.spec().height)(&query));
        self.has(pane).then(|| wanted.and_then(|rows| u16::try_from(rows).ok()).unwrap_or(u16::MAX))
    }

    /// How many rows of the screen a pane needs for what it is there for.
    pub(crate) fn least_height(&self, pane: Pane) -> u16 {
        let Some(snapshot) = self.shown() else { return 0 };
        u16::try_from(pane.least_rows(snapshot) + pane::BORDER).unwrap_or(u16::MAX)
    }

    /// The index of the group that the cursor of the lag pane is on, or one of whose members it is
    /// on.
    pub(crate) fn selected_group(&self) -> Option<usize> {
        let id = &self.find(Pane::Lag)?.cursor.key.id;
        self.shown()?.groups.data.iter().position(|group| group.id == *id)
    }

    fn query<'a>(&'a self, filter: &'a str) -> Option<Query<'a>> {
        Some(self.query_of(self.shown()?, filter))
    }

    fn query_of<'a>(&'a self, snapshot: &'a Snapshot, filter: &'a str) -> Query<'a> {
        let group = self.selected_group().unwrap_or(0);
        let topic = self.find(Pane::Throughput).map_or("", |its| &its.cursor.key.id);
        let (expanded, silent) = (&self.expanded, self.silent);
        let (order, hidden) = (Order::Given, [].as_slice());
        Query { snapshot, filter, expanded, group, topic, silent, order, hidden }
    }

    /// The time since the last snapshot, once it is long enough to be reported.
    pub(crate) fn silence_ms(&self) -> Option<u64> {
        self.latest.as_ref()?;
        Some(self.now_ms.saturating_sub(self.received_ms)).filter(|silent| *silent >= SILENCE_MS)
    }

    /// When the picture changes although nothing happens, on the same clock: a counted second, a
    /// notice that expires.
    pub fn next_change_ms(&self) -> Option<u64> {
        let counting = self.frozen.is_some() || !self.requests.is_empty() || self.silence_ms().is_some();
        let second = counting.then(|| self.now_ms + 1_000);
        let notice = self.notice.as_ref().map(|(_, since)| since + NOTICE_MS);
        let silence =
            (self.latest.is_some() && self.silence_ms().is_none()).then_some(self.received_ms + SILENCE_MS);
        [second, notice, silence].into_iter().flatten().min()
    }
}
