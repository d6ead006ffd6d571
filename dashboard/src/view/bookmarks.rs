//! The one picture: of each business one log, and in it two bookmarks.
//!
//! `├━━━━◇╌╌╌╌╌╌╌╌╌╌◆┤`: both lanes read the same questions, from the beginning of the log to its
//! end. What the stream lane has read ends at `◆`, what the batch lane's job has read at `◇`; what
//! is between them is what one lane knows and the other does not.
//!
//! The line is the *sum* of the topic's partitions: records add up, so each partition counts by how
//! much is in it, and a mark is as far from the end as there are records unread. The words beside
//! it are of the *worst* partition: an age is that of the oldest record that waits. So a single
//! partition that stands still moves its mark a little and its words at once.
//!
//! A log soon holds much more than a period of the batch lane, and both marks would stick to its
//! end. So only the newest two periods are drawn to scale then, and a break, `//`, stands for what
//! is left out between them and the beginning.
//!
//! Below each log, where there is room, stands one case of the business and what became of it in
//! both lanes: a person remembers a case.
//!
//! # Simplifications
//! - How many records two periods are is worked out from the rate of the last two minutes.
//! - A mark before the break says no more than that it is there.

use ratatui::layout::Rect;

use crate::format::{age, duration};
use crate::snapshot::{FollowedCase, Group, Readers, Snapshot, Source};
use crate::state::State;
use crate::view::lesson::{NAMED_MS, stale_ms};
use crate::view::panes::stale_words;
use crate::view::pen::{Frame, Pen, Pieces, pieces_width};
use crate::view::theme::Role;
use text::{clean, text_width};

/// What the picture is, for the help.
pub(crate) const WHAT: &str = "One log, two bookmarks: both lanes read the same questions. A mark is the sum of all \
    partitions' committed offsets, committed once a second; an age is that of the worst partition.";
/// Of how many periods the newest records are drawn to scale.
const PERIODS: f64 = 2.0;
/// A break is worth it from this share of the log on that it leaves out.
const LEFT_OUT: f64 = 0.2;
/// The cells of the beginning of the log and of the break behind it.
const BREAK: u16 = 3;

/// The log of a business's questions, and how much of it neither lane has read.
pub(crate) struct QuestionLog<'a> {
    readers: &'a Readers,
    /// Records in it; `None`: nothing is known of it yet.
    records: Option<u64>,
    /// How many of the newest are drawn to scale; `None`: all.
    to_scale: Option<u64>,
    /// Records that the stream lane has not committed; `None`: it has committed nothing.
    stream: Option<u64>,
    /// The same of the batch lane.
    batch: Option<u64>,
}

/// Where the marks of a log are, in cells from its left end.
#[derive(Debug, PartialEq)]
pub(crate) struct Marks {
    pub(crate) stream: Option<u16>,
    pub(crate) batch: Option<u16>,
    /// Whether a break follows the first cell.
    pub(crate) has_break: bool,
}

impl<'a> QuestionLog<'a> {
    /// The log of each business of the snapshot.
    pub(crate) fn all(snapshot: &'a Snapshot) -> Vec<QuestionLog<'a>> {
        snapshot.lanes.data.readers.iter().map(|readers| QuestionLog::of(snapshot, readers)).collect()
    }

    fn of(snapshot: &'a Snapshot, readers: &'a Readers) -> QuestionLog<'a> {
        let group = |id: &str| snapshot.groups.data.iter().find(|group| group.id == id);
        let (stream, batch) = (group(&readers.stream_group), group(&readers.batch_group));
        // Start and end of each partition that one of the two knows.
        let mut logs: Vec<(i32, i64, i64)> = Vec::new();
        for of in [stream, batch].into_iter().flatten().flat_map(|group| &group.partitions) {
            let (Some(start), Some(end)) = (of.log_start, of.log_end) else { continue };
            if of.topic == readers.questions && logs.iter().all(|(known, ..)| *known != of.partition) {
                logs.push((of.partition, start, end));
            }
        }
        let size = |from: i64, to: i64| u64::try_from(to.saturating_sub(from)).unwrap_or(0);
        let sum = |sizes: &mut dyn Iterator<Item = u64>| sizes.fold(0, u64::saturating_add);
        let records = sum(&mut logs.iter().map(|&(_, start, end)| size(start, end)));
        let unread = |group: Option<&Group>| {
            let its = group?.partitions.iter().filter(|of| of.topic == readers.questions);
            let committed: Vec<_> = its.filter_map(|of| Some((of.partition, of.committed?))).collect();
            let unread = |&(partition, start, end): &(i32, i64, i64)| {
                let known = committed.iter().find(|(number, _)| *number == partition);
                size(known.map_or(start, |(_, offset)| (*offset).max(start)), end)
            };
            (!committed.is_empty()).then(|| sum(&mut logs.iter().map(unread)))
        };
        let (stream, batch) = (unread(stream), unread(batch));
        let to_scale = newest(snapshot, &readers.questions)
            .map(|newest| newest.max(stream.unwrap_or(0)).max(batch.unwrap_or(0)))
            .filter(|newest| (*newest as f64) < records as f64 * (1.0 - LEFT_OUT));
        QuestionLog { readers, records: (!logs.is_empty()).then_some(records), to_scale, stream, batch }
    }

    /// Whose log it is.
    pub(crate) fn business(&self) -> &'a str {
        &self.readers.business
    }

    /// Where the marks are on a line of so many cells, of which there are two at least.
    pub(crate) fn marks(&self, cells: u16) -> Marks {
        let has_break = self.to_scale.is_some() && cells > 3 * BREAK;
        let all = self.records.unwrap_or(0);
        let (from, records) = match self.to_scale {
            Some(newest) if has_break => (BREAK, newest),
            Some(_) | None => (0, all),
        };
        let last = cells.saturating_sub(1);
        let place = |unread: u64| {
            if unread == 0 {
                return last;
            }
            // What is unread must not look read, however long the log is.
            let read = 1.0 - (unread as f64 / records.max(1) as f64).clamp(0.0, 1.0);
            let at = from + (read * f64::from(last - from)).floor() as u16;
            at.min(last.saturating_sub(1))
        };
        let (mut stream, mut batch) = (self.stream.map(place), self.batch.map(place));
        // The mark of the lane that is behind is left of the other, also in the same cell.
        if let (Some(at), Some(other)) = (stream, batch)
            && at == other
            && self.stream != self.batch
        {
            let behind = if self.stream < self.batch { &mut batch } else { &mut stream };
            *behind = at.checked_sub(1);
        }
        Marks { stream, batch, has_break }
    }

    /// What is said of the stream lane, and whether it is bad.
    fn stream_words(&self, snapshot: &Snapshot) -> (String, Role) {
        let id = &self.readers.stream_group;
        let answers = snapshot.lanes.data.freshness.iter().find(|of| of.business == *id);
        let answers = answers.and_then(|of| Some((of.delay_ms?, of.delay_is_minimum)));
        let group = || snapshot.groups.data.iter().find(|group| group.id == *id);
        let lag = || group().and_then(|group| Some((group.lag_ms?, group.lag_is_minimum)));
        match answers.or_else(lag) {
            Some((ms, is_minimum)) => {
                (age(Some(ms), is_minimum), if ms >= NAMED_MS { Role::Bad } else { Role::Truth })
            }
            // With a bookmark it has read before; how far behind it is was not measured yet.
            None if self.stream.is_some() => ("not measured yet".into(), Role::Dim),
            None => ("not started".into(), Role::Dim),
        }
    }

    /// What is said of the batch lane.
    fn batch_words(&self) -> (String, Role) {
        match self.readers.batch_age_ms {
            Some(ms) => (duration(ms), Role::Truth),
            // With a bookmark it has read; what its run covers is known when it is out.
            None if self.batch.is_some() && self.readers.running => ("running now".into(), Role::Dim),
            None if self.batch.is_some() => ("no run seen".into(), Role::Dim),
            None => ("no run yet".into(), Role::Dim),
        }
    }
}

/// How many records two periods of the batch lane are, as far as the rate of the topic tells.
fn newest(snapshot: &Snapshot, topic: &str) -> Option<u64> {
    let (period_ms, speed) = (snapshot.lanes.data.batch_period_ms?, snapshot.title.speed?);
    let history = &snapshot.topics.data.iter().find(|known| known.name == topic)?.history_per_second;
    let rates = history.iter().filter(|rate| rate.is_finite());
    let mean = rates.clone().sum::<f64>() / rates.count().max(1) as f64;
    let newest = mean * PERIODS * period_ms / speed / 1_000.0;
    (newest.is_finite() && newest >= 1.0).then_some(newest as u64)
}

/// How many rows more the picture takes where each log has a line for a case of its business.
pub(crate) fn case_rows(state: &State) -> u16 {
    // One each from the beginning: nothing below moves when the first case is heard of.
    height(state).saturating_sub(2)
}

/// How many rows of the screen the picture takes, frame and all; none where there is no such log.
pub(crate) fn height(state: &State) -> u16 {
    let lines = match state.shown() {
        Some(snapshot) if snapshot.lanes.source == Source::Absent => 0,
        Some(snapshot) if !snapshot.lanes.data.readers.is_empty() => snapshot.lanes.data.readers.len(),
        // Nothing was heard yet: the panes below must not move when it is.
        Some(_) | None => state.businesses(),
    };
    if lines == 0 { 0 } else { u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(2) }
}

/// The picture, a row for each business.
pub(crate) fn draw(pen: &mut Pen, state: &State, area: Rect) {
    let snapshot = state.shown();
    let source = snapshot.map_or(&Source::Waiting, |snapshot| &snapshot.lanes.source);
    let frame = Frame {
        name: "one log, two bookmarks".into(),
        note: "how far each lane has read the questions".into(),
        right: stale_words(state, source),
        legend: vec![
            (" ━ read by both ".into(), Role::Series),
            (" ◆ stream's bookmark ".into(), Role::Stream),
            (" ◇ batch's ".into(), Role::Batch),
            (" ╌ still unread ".into(), Role::Dim),
        ],
        ..Frame::default()
    };
    let inside = pen.frame(area, &frame);
    let Some(snapshot) = snapshot else { return };
    pen.faded = stale_ms(source).is_some();
    let logs = QuestionLog::all(snapshot);
    let longest = |of: fn(&Readers) -> &str, most: u16| {
        let width = |log: &QuestionLog| text_width(&clean(of(log.readers)));
        logs.iter().map(width).max().unwrap_or(0).min(most)
    };
    let name = longest(|readers| &readers.business, 16);
    let topic = if inside.width >= 96 { longest(|readers| &readers.questions, 24) + 2 } else { 0 };
    let behind = if inside.width >= 96 { " behind" } else { "" };
    let has_cases = usize::from(inside.height) >= 2 * logs.len();
    for (y, log) in (inside.y..inside.bottom()).step_by(if has_cases { 2 } else { 1 }).zip(&logs) {
        let of_business = |case: &&FollowedCase| case.business == log.readers.business;
        if let Some(case) = snapshot.lanes.data.cases.iter().find(of_business).filter(|_| has_cases) {
            let line = Rect { x: inside.x + 1, y: y + 1, width: inside.width.saturating_sub(2), height: 1 };
            draw_case(pen, case, line);
        }
        let mut x = inside.x + 1;
        pen.text(x, y, name, &log.readers.business, Role::Text);
        x += name + 2;
        pen.text(x, y, topic.saturating_sub(2), &log.readers.questions, Role::Dim);
        x += topic;
        // Both ages have columns of their own, so that no bar changes its length with them.
        let right = inside.right().saturating_sub(1);
        let stream_from = right.saturating_sub(14 + behind.len() as u16);
        let batch_from = stream_from.saturating_sub(22);
        line(pen, log, x, y, batch_from.saturating_sub(x + 2));
        let (words, role) = log.batch_words();
        let after = if role == Role::Dim { "" } else { " behind" };
        let batch: Pieces = vec![("batch ".into(), Role::Batch), (words, role), (after.into(), Role::Dim)];
        pen.pieces(batch_from, y, pieces_width(&batch), &batch);
        let (words, role) = log.stream_words(snapshot);
        let after = if role == Role::Dim { "" } else { behind };
        let stream: Pieces = vec![("stream ".into(), Role::Stream), (words, role), (after.into(), Role::Dim)];
        pen.pieces(stream_from, y, right.saturating_sub(stream_from), &stream);
    }
    pen.faded = false;
}

/// One case, and what both lanes made of it.
fn draw_case(pen: &mut Pen, case: &FollowedCase, line: Rect) {
    let words = |parts: &[String]| clean(&parts.join(", ")).into_owned();
    if case.subject.is_empty() {
        let pieces = vec![("· ".into(), Role::Dim), (words(&case.stream), Role::Dim)];
        pen.pieces(line.x, line.y, line.width, &pieces);
        return;
    }
    let (mut stream, mut batch) = (case.stream.as_slice(), case.batch.as_slice());
    let pieces = loop {
        let pieces: Pieces = vec![
            ("· ".into(), Role::Dim),
            (clean(&case.subject).into_owned(), Role::Title),
            ("  stream ".into(), Role::Stream),
            (words(stream), Role::Text),
            ("  batch ".into(), Role::Batch),
            (words(batch), Role::Text),
        ];
        // The lane that says more leaves out its last part.
        let longer = if stream.len() > batch.len() { &mut stream } else { &mut batch };
        match longer.split_last().filter(|(_, rest)| !rest.is_empty()) {
            Some((_, rest)) if pieces_width(&pieces) > line.width => *longer = rest,
            Some(_) | None => break pieces,
        }
    };
    pen.pieces(line.x, line.y, line.width, &pieces);
}

/// One log as a line, as long as there is room.
pub(crate) fn line(pen: &mut Pen, log: &QuestionLog, x: u16, y: u16, cells: u16) {
    if cells < 6 {
        return;
    }
    pen.cell(x, y, '├', Role::Faint);
    pen.cell(x + cells - 1, y, '┤', Role::Faint);
    let cells = cells - 2;
    let marks = log.marks(cells);
    for at in 0..cells {
        let (glyph, role) = marks.look(at, log.records.is_some());
        pen.cell(x + 1 + at, y, glyph, role);
    }
}

/// One log as a block, for a projector: with its ends, as tall as the area.
pub(crate) fn block(pen: &mut Pen, log: &QuestionLog, area: Rect) {
    if area.width < 6 {
        return;
    }
    let cells = area.width - 2;
    let marks = log.marks(cells);
    let middle = area.y + (area.height - 1) / 2;
    for y in area.top()..area.bottom() {
        pen.cell(area.x, y, '│', Role::Dim);
        pen.cell(area.x + cells + 1, y, '│', Role::Dim);
        for at in 0..cells {
            let (glyph, role) = marks.look(at, log.records.is_some());
            let glyph = match (glyph, role) {
                ('◆' | '◇', _) if y != middle => '┃',
                ('━', _) => '█',
                ('╌', Role::Stream | Role::Batch) => '▒',
                ('╌', _) => '·',
                (other, _) => other,
            };
            pen.cell(area.x + 1 + at, y, glyph, role);
        }
    }
}

impl Marks {
    /// What is in a cell of the line; without anything known of the log nothing is read.
    pub(crate) fn look(&self, at: u16, is_known: bool) -> (char, Role) {
        if Some(at) == self.stream {
            return ('◆', Role::Stream);
        }
        if Some(at) == self.batch {
            return ('◇', Role::Batch);
        }
        if self.has_break && (1..BREAK).contains(&at) {
            return ('/', Role::Dim);
        }
        let passed = |mark: Option<u16>| mark.is_some_and(|mark| at < mark);
        match (passed(self.stream), passed(self.batch)) {
            (true, true) => ('━', Role::Series),
            // What only one lane has read is what the other does not know.
            (true, false) => ('╌', Role::Stream),
            (false, true) => ('╌', Role::Batch),
            (false, false) if is_known => ('╌', Role::Dim),
            (false, false) => ('╌', Role::Faint),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::{GroupPartition, Lanes, Sourced, Topic};

    /// A show of the payments, with these partitions: the log's start and end, and the committed
    /// offsets of both groups.
    fn show(partitions: &[(i64, i64, Option<i64>, Option<i64>)]) -> Snapshot {
        let group = |id: &str, committed: &dyn Fn(usize) -> Option<i64>| Group {
            id: id.into(),
            partitions: partitions
                .iter()
                .enumerate()
                .map(|(at, (start, end, ..))| GroupPartition {
                    topic: "card_swipes".into(),
                    partition: at as i32,
                    log_start: Some(*start),
                    log_end: Some(*end),
                    committed: committed(at),
                    ..GroupPartition::default()
                })
                .collect(),
            ..Group::default()
        };
        let groups =
            vec![group("fraud", &|at| partitions[at].2), group("batch-fraud", &|at| partitions[at].3)];
        let readers = Readers {
            business: "payments".into(),
            questions: "card_swipes".into(),
            stream_group: "fraud".into(),
            batch_group: "batch-fraud".into(),
            batch_age_ms: None,
            running: false,
        };
        let lanes = Lanes { readers: vec![readers], ..Lanes::default() };
        Snapshot { groups: Sourced::live(groups), lanes: Sourced::live(lanes), ..Snapshot::default() }
    }

    fn drawn(snapshot: &Snapshot, cells: u16) -> String {
        let log = &QuestionLog::all(snapshot)[0];
        let marks = log.marks(cells);
        (0..cells).map(|at| marks.look(at, log.records.is_some()).0).collect()
    }

    #[test]
    fn a_mark_is_as_far_from_the_end_as_records_are_unread_in_all_partitions() {
        // 1,000 records; the batch lane has not read 600 of them, the stream all of them.
        let both = [(0, 500, Some(500), Some(300)), (100, 600, Some(600), Some(200))];
        assert_eq!(drawn(&show(&both), 11), "━━━━◇╌╌╌╌╌◆");
        // A single record unread is not drawn as read.
        let nearly = [(0, 500, Some(499), Some(300)), (100, 600, Some(600), Some(200))];
        assert_eq!(drawn(&show(&nearly), 11), "━━━━◇╌╌╌╌◆╌");
        // A dead consumer is left of the job; who is behind is left also in the same cell.
        let dead = [(0, 500, Some(0), Some(300)), (100, 600, Some(100), Some(200))];
        assert_eq!(drawn(&show(&dead), 11), "◆╌╌╌◇╌╌╌╌╌╌");
        let close = [(0, 500, Some(499), Some(498)), (100, 600, Some(600), Some(600))];
        assert_eq!(drawn(&show(&close), 11), "━━━━━━━━◇◆╌");
        assert_eq!(drawn(&show(&[(0, 500, Some(500), Some(500))]), 11), "━━━━━━━━━━◆");
    }

    #[test]
    fn who_has_committed_nothing_has_no_mark_and_retention_moves_it() {
        assert_eq!(drawn(&show(&[(0, 100, Some(100), None)]), 11), "╌╌╌╌╌╌╌╌╌╌◆");
        assert_eq!(drawn(&show(&[(0, 100, None, None)]), 5), "╌╌╌╌╌");
        // One partition without a committed offset is read from its beginning.
        let half = [(0, 100, Some(100), Some(100)), (0, 100, Some(100), None)];
        assert_eq!(drawn(&show(&half), 11), "━━━━━◇╌╌╌╌◆");
        // What retention deleted unread is not there to be read.
        assert_eq!(drawn(&show(&[(50, 150, Some(150), Some(10))]), 11), "◇╌╌╌╌╌╌╌╌╌◆");
        assert_eq!(drawn(&show(&[(i64::MAX, i64::MIN, Some(0), Some(i64::MIN))]), 5), "━━━━◆");
    }

    #[test]
    fn of_a_long_log_the_newest_two_periods_are_drawn_to_scale() {
        let mut snapshot = show(&[(0, 100_000, Some(100_000), Some(99_000))]);
        assert_eq!(drawn(&snapshot, 23), "━━━━━━━━━━━━━━━━━━━━━◇◆", "of the whole log a hundredth");
        // Ten records a second, a run every 100 s: the newest two periods are 2,000 records.
        snapshot.topics = Sourced::live(vec![Topic {
            name: "card_swipes".into(),
            history_per_second: vec![f64::NAN, 10.0, 10.0],
            ..Topic::default()
        }]);
        snapshot.lanes.data.batch_period_ms = Some(6_000_000.0);
        snapshot.title.speed = Some(60.0);
        assert_eq!(drawn(&snapshot, 23), "━//━━━━━━━━━◇╌╌╌╌╌╌╌╌╌◆");
        // Further behind than that, it is the whole scale.
        snapshot.groups.data[1].partitions[0].committed = Some(60_000);
        assert_eq!(drawn(&snapshot, 23), "━//◇╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌◆");
        assert_eq!(drawn(&snapshot, 9), "━━━━◇╌╌╌◆", "no room for a break");
    }
}
