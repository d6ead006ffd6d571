//! The records of a topic on the screen: which are asked for, and where the cursor is among them.
//!
//! The state holds a [`RecordQuery`] and the snapshots bring the [`RecordPage`] that answers it. A
//! page of the newest records follows the topic; from any other place a person turns pages, and
//! each turn is another query. So the reader holds no cursor of ours, and the state no records.
//!
//! # Simplifications
//! - While a page is on its way the one before stays on the screen, dim: its rows can't be chosen.

use crate::place::{OffsetSpec, RecordAt};
use crate::snapshot::{PageStart, RecordPage, RecordQuery};

/// The open records view.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) query: RecordQuery,
    pub(crate) cursor: RecordCursor,
    /// The first line shown of a record that is shown whole.
    pub(crate) line: usize,
}

/// Which record of a page is selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordCursor {
    First,
    /// The last, also when more come.
    Last,
    /// This one, as long as it is there; its last index for when it is gone.
    At(RecordAt, usize),
}

impl Reading {
    pub(crate) fn new(topic: &str) -> Self {
        Reading { query: RecordQuery::newest(topic), cursor: RecordCursor::Last, line: 0 }
    }

    /// Asks for another page.
    pub(crate) fn go(&mut self, start: PageStart, cursor: RecordCursor) {
        self.query.start = start;
        self.query.whole = None;
        self.cursor = cursor;
    }

    /// The index of the selected row of a page.
    pub(crate) fn index(&self, page: &RecordPage) -> usize {
        let last = page.rows.len().saturating_sub(1);
        match self.cursor {
            RecordCursor::First => 0,
            RecordCursor::Last => last,
            RecordCursor::At(at, index) => match page.rows.get(index) {
                Some(row) if row.at == at => index,
                _ => page.rows.iter().position(|row| row.at == at).unwrap_or(index.min(last)),
            },
        }
    }
}

/// To the oldest record of the topic.
pub(crate) fn first(reading: &mut Reading) {
    if reading.query.whole.is_some() {
        reading.line = 0;
    } else {
        reading.go(PageStart::From(OffsetSpec::Beginning), RecordCursor::First);
    }
}

/// To the newest, and to those to come.
pub(crate) fn last(reading: &mut Reading) {
    if reading.query.whole.is_some() {
        reading.line = MOST_LINES;
    } else {
        reading.query.paused = false;
        reading.go(PageStart::Newest, RecordCursor::Last);
    }
}

/// Only records whose key contains a text; empty: all.
pub(crate) fn filter_by_key(reading: &mut Reading, key: &str) {
    key.clone_into(&mut reading.query.key);
    narrow(reading);
}

/// After a change of the filters: a page that was turned to has other bounds now.
pub(crate) fn narrow(reading: &mut Reading) {
    let (start, cursor) = match &reading.query.start {
        PageStart::Newest | PageStart::Before(_) | PageStart::After(_) => {
            (PageStart::Newest, RecordCursor::Last)
        }
        PageStart::From(place) => (PageStart::From(*place), RecordCursor::First),
    };
    reading.go(start, cursor);
}

/// Goes to a place in the topic.
pub(crate) fn jump(reading: &mut Reading, place: OffsetSpec) {
    match place {
        OffsetSpec::End => last(reading),
        OffsetSpec::Beginning | OffsetSpec::Offset(_) | OffsetSpec::At(_) => {
            reading.go(PageStart::From(place), RecordCursor::First);
        }
    }
}

/// More lines than a record has that is shown whole.
pub(crate) const MOST_LINES: usize = 1 << 20;
