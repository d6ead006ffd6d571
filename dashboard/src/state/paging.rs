//! The page of records that is there, and what the keys do with it.

use crate::place::{OffsetSpec, RecordAt};
use crate::snapshot::{PageStart, RecordPage, RecordRow, WholeRecord};
use crate::state::State;
use crate::state::reading::{MOST_LINES, Reading, RecordCursor, narrow};

/// The newest page, whether or not it answers what is asked now.
pub(crate) fn page(state: &State) -> Option<&RecordPage> {
    let topic = &state.reading.as_ref()?.query.topic;
    state.latest.as_ref()?.records.as_deref().filter(|page| page.query.topic == *topic)
}

/// The page that answers what is asked.
pub(crate) fn answer(state: &State) -> Option<&RecordPage> {
    let reading = state.reading.as_ref()?;
    page(state).filter(|page| page.query.same_page(&reading.query))
}

/// The selected record: the one that is shown whole, as long as the page has it.
pub(crate) fn selected(state: &State) -> Option<&RecordRow> {
    let (page, reading) = (answer(state)?, state.reading.as_ref()?);
    match reading.query.whole {
        Some(at) => page.rows.iter().find(|row| row.at == at),
        None => page.rows.get(reading.index(page)),
    }
}

/// The record that is shown whole, once it is there.
pub(crate) fn whole(state: &State) -> Option<(RecordAt, Option<&WholeRecord>)> {
    let at = state.reading.as_ref()?.query.whole?;
    let page = answer(state).filter(|page| page.query.whole == Some(at));
    Some((at, page.and_then(|page| page.whole.as_deref())))
}

/// Whether new records appear by themselves, or would if they were not paused.
pub(crate) fn follows(state: &State) -> bool {
    state.reading.as_ref().is_some_and(|reading| reading.query.start == PageStart::Newest)
}

/// Whether new records wait.
pub(crate) fn is_paused(state: &State) -> bool {
    state.reading.as_ref().is_some_and(|reading| reading.query.paused)
}

/// Why there is no dead letter to act on.
pub(crate) fn why_no_letter(state: &State) -> Option<&'static str> {
    match selected(state) {
        Some(row) if row.letter.is_some() => None,
        Some(_) => Some("this record is no dead letter"),
        None => Some("no record is selected"),
    }
}

/// Moves the cursor by so many rows; past an end to the neighbouring page.
pub(crate) fn step(state: &mut State, by: isize) {
    let whole = state.reading.as_ref().is_some_and(|reading| reading.query.whole.is_some());
    if whole {
        // The view knows how many lines there are, and stops at the last.
        let reading = state.reading.as_mut().expect("it was there a line ago");
        reading.line = reading.line.saturating_add_signed(by).min(MOST_LINES);
        return;
    }
    let Some(page) = answer(state) else { return };
    let (rows, from, to) = (page.rows.len(), page.from.clone(), page.to.clone());
    let (has_before, has_after) = (page.has_before, page.has_after);
    let reading = state.reading.as_ref().expect("a page answers a query");
    let (index, follows) = (reading.index(page), reading.query.start == PageStart::Newest);
    let target = index.saturating_add_signed(by).min(rows.saturating_sub(1));
    let at = page.rows.get(target).map(|row| row.at);
    let reading = state.reading.as_mut().expect("a page answers a query");
    if by < 0 && index == 0 && has_before {
        reading.go(PageStart::Before(from), RecordCursor::Last);
    } else if by > 0 && index + 1 >= rows && has_after && !follows {
        reading.go(PageStart::After(to), RecordCursor::First);
    } else if let Some(at) = at {
        let is_last = target + 1 == rows;
        reading.cursor = if is_last { RecordCursor::Last } else { RecordCursor::At(at, target) };
    }
}

/// Shows the selected record whole.
pub(crate) fn open(state: &mut State) {
    let Some(at) = selected(state).map(|row| row.at) else { return };
    let index = answer(state).and_then(|page| page.rows.iter().position(|row| row.at == at));
    if let Some(reading) = &mut state.reading {
        // It stays on this record, also when more come.
        reading.cursor = RecordCursor::At(at, index.unwrap_or(0));
        reading.query.whole = Some(at);
        reading.line = 0;
    }
}

/// Esc: undoes the last thing that narrowed the view, and leaves it at last.
pub(crate) fn back(state: &mut State) {
    let Some(reading) = &mut state.reading else { return };
    if reading.query.whole.take().is_some() {
        return;
    }
    if reading.query.key.is_empty() && reading.query.partition.is_none() {
        state.reading = None;
    } else {
        reading.query.key.clear();
        reading.query.partition = None;
        reading.go(PageStart::Newest, RecordCursor::Last);
    }
}

/// Only the records of the next partition; after the last those of all.
pub(crate) fn next_partition(state: &mut State) {
    let partitions = page(state).map_or(0, |page| page.partitions);
    if let Some(reading) = &mut state.reading {
        let next = reading.query.partition.map_or(0, |partition| partition.saturating_add(1));
        reading.query.partition = (next < partitions).then_some(next);
        narrow(reading);
    }
}

/// Goes to the record that the selected dead letter is about.
pub(crate) fn original(state: &mut State) {
    let Some(letter) = selected(state).and_then(|row| row.letter.as_ref()) else { return };
    let mut reading = Reading::new(&letter.topic);
    reading.query.partition = Some(letter.at.partition);
    reading.go(PageStart::From(OffsetSpec::Offset(letter.at.offset)), RecordCursor::First);
    state.reading = Some(reading);
}
