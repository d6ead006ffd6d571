//! The records of a topic, in the place of the panes: a list, and one record whole.
//!
//! Everything in a record is from outside: the pen makes each text harmless, and a value that is
//! laid out over lines here is laid out by us.

use ratatui::layout::Rect;

use crate::format::{UNKNOWN, bytes, count, plural, time_of_day};
use crate::place::RecordAt;
use crate::snapshot::{Letter, PageStart, RecordPage, RecordRow, Source, WholeRecord};
use crate::state::State;
use crate::state::message::Hit;
use crate::state::paging;
use crate::state::reading::Reading;
use crate::view::panes::border::{say, stale_words};
use crate::view::panes::list::{scrollbar, window};
use crate::view::pen::{Frame, Pen, Pieces};
use crate::view::theme::Role;
use text::{clean, fit, text_width, width};

/// What it is, for the help.
pub(crate) const WHAT: &str = "Records: what lies in the log of this topic, oldest first. To look takes nothing away: \
    no group is joined, and no offset is committed.";

pub(crate) fn draw(pen: &mut Pen, state: &State, reading: &Reading, area: Rect) {
    let page = paging::page(state);
    let right = match page.map(|page| &page.source) {
        Some(source @ Source::Stale { .. }) => stale_words(state, source),
        Some(Source::Live | Source::Waiting | Source::Absent) | None => narrowed(reading, area.width / 3),
    };
    let frame = Frame {
        name: format!("records of {}", clean(&reading.query.topic)),
        note: note(reading, page),
        right,
        foot: page.map_or_else(Pieces::new, foot),
        focused: true,
        ..Frame::default()
    };
    let inside = pen.frame(area, &frame);
    if inside.is_empty() {
        return;
    }
    match (page, paging::whole(state)) {
        (None, _) => {
            let source = state.latest().map(|latest| &latest.cluster.source);
            say(pen, inside, &source.and_then(silent).unwrap_or_else(|| "reading".into()));
        }
        (Some(_), Some((at, whole))) => {
            let row = paging::selected(state).filter(|row| row.at == at);
            draw_whole(pen, reading, at, row, whole, inside);
        }
        (Some(page), None) if page.rows.is_empty() => say(pen, inside, &empty(state, page)),
        (Some(page), None) => {
            // The page before stays in sight until the one that is asked for is there.
            pen.faded = paging::answer(state).is_none() || page.source != Source::Live;
            list(pen, reading, page, inside);
            pen.faded = false;
        }
    }
}

/// Why there is nothing to show.
fn empty(state: &State, page: &RecordPage) -> String {
    if let Some(words) = silent(&page.source) {
        return words;
    }
    if paging::answer(state).is_none() || page.source == Source::Waiting {
        return "reading".into();
    }
    if !page.query.key.is_empty() {
        return "no record here has such a key; Esc shows all keys".into();
    }
    match &page.query.start {
        PageStart::Newest => "no records yet; the next ones appear here".into(),
        PageStart::From(place) => format!("no record at {place} or after it; G goes to the newest"),
        PageStart::Before(_) | PageStart::After(_) => "no records on this page; G goes to the newest".into(),
    }
}

/// That the cluster is silent, and why, if it is.
fn silent(source: &Source) -> Option<String> {
    match source {
        Source::Stale { reason, .. } => Some(format!("the cluster does not answer: {}", clean(reason))),
        Source::Live | Source::Waiting | Source::Absent => None,
    }
}

/// Which records: where they are, and whether more come.
fn note(reading: &Reading, page: Option<&RecordPage>) -> String {
    let is_stale = page.is_some_and(|page| matches!(page.source, Source::Stale { .. }));
    match &reading.query.start {
        PageStart::Newest if reading.query.paused => "newest, paused: space goes on".into(),
        PageStart::Newest if is_stale => "the newest that are known".into(),
        PageStart::Newest => "newest, live".into(),
        PageStart::From(place) => format!("from {place}; G goes to the newest"),
        PageStart::Before(_) => "a page before; G goes to the newest".into(),
        PageStart::After(_) => "a page further on; G goes to the newest".into(),
    }
}

/// What is left out; a key of many characters is cut to so many cells, and not left out itself.
fn narrowed(reading: &Reading, cells: u16) -> Pieces {
    let mut pieces = Pieces::new();
    if let Some(partition) = reading.query.partition {
        pieces.push((format!("partition {partition}"), Role::Focus));
    }
    if !reading.query.key.is_empty() {
        let gap = if pieces.is_empty() { "" } else { "  " };
        let key = clean(&reading.query.key);
        pieces.push((format!("{gap}key contains {}", fit(&key, cells)), Role::Focus));
    }
    pieces
}

fn foot(page: &RecordPage) -> Pieces {
    let rows = page.rows.len() as u64;
    let mut text = plural(rows, "record");
    if page.examined > rows {
        text.push_str(&format!(" of {} looked at", count(page.examined)));
    }
    if page.skipped > 0 {
        text.push_str(&format!(" · {} came too fast to be shown", count(page.skipped)));
    }
    if let Some(policy) = page.cleanup_policy.as_ref().filter(|policy| is_compacted(policy)) {
        text.push_str(&format!(" · cleanup.policy {}: the newest record of each key stays", clean(policy)));
    }
    vec![(text, Role::Dim)]
}

/// Whether a topic with this policy, which may name several, is a table.
fn is_compacted(policy: &str) -> bool {
    policy.split(',').any(|one| one.trim() == "compact")
}

/// Where the columns end; zero wide where there is no room for one.
struct Columns {
    time: u16,
    partition: u16,
    offset: u16,
    key: u16,
    size: u16,
}

impl Columns {
    fn new(page: &RecordPage, room: u16) -> Self {
        let widest = |width: &dyn Fn(&RecordRow) -> u16| page.rows.iter().map(width).max().unwrap_or(1);
        let digits = |number: i64| number.to_string().len() as u16;
        let key = widest(&|row| row.key.as_ref().map_or(1, |key| text_width(&clean(key))));
        Columns {
            time: if room >= 70 { 12 } else { 8 },
            partition: widest(&|row| digits(row.at.partition.into())) + 1,
            offset: widest(&|row| digits(row.at.offset)).max(6),
            key: key.clamp(3, room / 5),
            size: if room >= 60 { 7 } else { 0 },
        }
    }
}

fn list(pen: &mut Pen, reading: &Reading, page: &RecordPage, mut inside: Rect) {
    let columns = Columns::new(page, inside.width);
    if inside.height > 3 {
        heading(pen, &columns, inside);
        inside = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
    }
    let selected = reading.index(page);
    let shown = window(page.rows.len(), selected, usize::from(inside.height));
    scrollbar(pen, true, inside, page.rows.len(), &shown);
    for (y, at) in (inside.y..inside.bottom()).zip(shown) {
        let line = Rect { y, height: 1, ..inside };
        pen.hits.push((line, Hit::Record(at)));
        if at == selected {
            pen.highlight(line);
        }
        record(pen, &columns, &page.rows[at], line);
    }
}

fn heading(pen: &mut Pen, columns: &Columns, line: Rect) {
    let mut x = line.x + 1;
    pen.text(x, line.y, columns.time, if columns.time < 12 { "UTC" } else { "sent, UTC" }, Role::Faint);
    x += columns.time + 2;
    pen.text(x, line.y, columns.partition + 2, "p", Role::Faint);
    x += columns.partition + 1;
    pen.right(x + columns.offset, line.y, columns.offset, "offset", Role::Faint);
    x += columns.offset + 2;
    pen.text(x, line.y, columns.key, "key", Role::Faint);
    x += columns.key + 1;
    pen.right(x + columns.size, line.y, columns.size, "size", Role::Faint);
    x += columns.size + 2;
    pen.text(x, line.y, line.right().saturating_sub(x), "value", Role::Faint);
}

fn record(pen: &mut Pen, columns: &Columns, row: &RecordRow, line: Rect) {
    let y = line.y;
    let mut x = line.x + 1;
    let time = match row.sent_ms {
        Some(ms) if columns.time < 12 => time_of_day(ms, 0),
        Some(ms) => sent(ms),
        None => UNKNOWN.into(),
    };
    pen.text(x, y, columns.time, &time, Role::Dim);
    x += columns.time + 2;
    pen.text(x, y, columns.partition, &format!("p{}", row.at.partition), Role::Dim);
    x += columns.partition + 1;
    pen.right(x + columns.offset, y, columns.offset, &row.at.offset.to_string(), Role::Dim);
    x += columns.offset + 2;
    match &row.key {
        Some(key) => pen.id(x, y, columns.key, key, Role::Stream),
        None => pen.text(x, y, columns.key, UNKNOWN, Role::Dim),
    };
    x += columns.key + 1;
    pen.right(x + columns.size, y, columns.size, &bytes(row.bytes), Role::Dim);
    x += columns.size + 2;
    let room = line.right().saturating_sub(x + 1);
    match (&row.unreadable, &row.letter, &row.value) {
        (Some(why), ..) => drop(pen.text(x, y, room, &format!("cannot be read: {why}"), Role::Bad)),
        (None, Some(letter), _) => {
            x = pen.text(x, y, room, &origin(letter), Role::Warn) + 2;
            pen.text(x, y, line.right().saturating_sub(x + 1), &letter.error, Role::Text);
        }
        (None, None, Some(value)) => drop(pen.text(x, y, room, value, Role::Text)),
        (None, None, None) => drop(pen.text(x, y, room, "tombstone", Role::Dim)),
    }
}

/// `fraud: card_swipes/1@17`: who could not read which record.
fn origin(letter: &Letter) -> String {
    let who = letter.consumer.as_ref().map_or(String::new(), |consumer| format!("{consumer}: "));
    let last = letter.last_offset.map_or(String::new(), |last| format!(" to {last}"));
    format!("{who}{}/{}{last}", letter.topic, letter.at)
}

/// The time of day with its milliseconds.
fn sent(at_ms: i64) -> String {
    format!("{}.{:03}", time_of_day(at_ms, 0), at_ms.rem_euclid(1000))
}

/// One record with all that is known of it, from the line on that the keys have scrolled to.
fn draw_whole(
    pen: &mut Pen,
    reading: &Reading,
    at: RecordAt,
    row: Option<&RecordRow>,
    whole: Option<&WholeRecord>,
    inside: Rect,
) {
    let room = inside.width.saturating_sub(2);
    let lines = whole_lines(&reading.query.topic, at, row, whole, room);
    let height = usize::from(inside.height);
    let from = reading.line.min(lines.len().saturating_sub(height));
    scrollbar(pen, true, inside, lines.len(), &(from..(from + height).min(lines.len())));
    for (y, line) in (inside.y..inside.bottom()).zip(&lines[from..]) {
        pen.pieces(inside.x + 1, y, room, line);
    }
}

fn whole_lines(
    topic: &str,
    at: RecordAt,
    row: Option<&RecordRow>,
    whole: Option<&WholeRecord>,
    room: u16,
) -> Vec<Pieces> {
    let fact = |name: &str, value: String| vec![(format!("{name:<10}"), Role::Dim), (value, Role::Text)];
    let mut lines = vec![
        vec![(format!("{}/{at}", clean(topic)), Role::Title)],
        fact("partition", at.partition.to_string()),
        fact("offset", at.offset.to_string()),
    ];
    // A page that goes on may have lost the row meanwhile.
    let known = whole.filter(|whole| whole.problem.is_none()).map(|whole| (whole.sent_ms, whole.bytes));
    if let Some((sent_ms, size)) = known.or(row.map(|row| (row.sent_ms, row.bytes))) {
        lines.push(fact("sent", sent_ms.map_or(UNKNOWN.into(), |ms| format!("{} UTC", sent(ms)))));
        lines.push(fact("size", format!("{} of key and value", bytes(size))));
    }
    if let Some(letter) = row.and_then(|row| row.letter.as_ref()) {
        lines.push(Pieces::new());
        lines.push(vec![("dead letter".into(), Role::Title)]);
        lines.push(fact("consumer", letter.consumer.clone().unwrap_or(UNKNOWN.into())));
        let last = letter.last_offset.map_or(String::new(), |last| format!(" to {last}"));
        lines.push(fact("about", format!("{}/{}{last}", letter.topic, letter.at)));
        for (number, piece) in chunks(&letter.error, room.saturating_sub(10)).into_iter().enumerate() {
            lines.push(fact(if number == 0 { "error" } else { "" }, piece));
        }
        lines.push(vec![("O its record · R send that again · A those of all letters".into(), Role::Dim)]);
    }
    let Some(whole) = whole else {
        lines.push(vec![("reading it whole".into(), Role::Dim)]);
        return lines;
    };
    if let Some(problem) = &whole.problem {
        lines.push(vec![(format!("headers unknown: {problem}"), Role::Warn)]);
    }
    let (key, value) = match (&whole.problem, row) {
        (Some(_), Some(row)) => (&row.key, &row.value),
        (Some(_) | None, _) => (&whole.key, &whole.value),
    };
    let mut section = |title: String, text: Option<&str>, none: &str| {
        lines.push(Pieces::new());
        lines.push(vec![(title, Role::Title)]);
        match text {
            None => lines.push(vec![(none.into(), Role::Dim)]),
            Some(text) => lines.extend(laid_out(text, room).into_iter().map(|line| vec![(line, Role::Text)])),
        }
    };
    if whole.problem.is_none() {
        let headers = whole
            .headers
            .iter()
            .map(|(name, value)| format!("{} = {}", clean(name), clean(value.as_deref().unwrap_or(UNKNOWN))));
        let all: Vec<String> = headers.collect();
        let text = (!all.is_empty()).then(|| all.join("\n"));
        section("headers".into(), text.as_deref(), "none");
    }
    section("key".into(), key.as_deref(), "none");
    let cut = match whole.bytes_cut {
        0 => String::new(),
        cut => format!(", without its last {}", bytes(cut)),
    };
    section(format!("value{cut}"), value.as_deref(), "none: a tombstone");
    lines
}

/// A text in lines of at most so many cells; JSON with its objects and lists laid out.
fn laid_out(text: &str, cells: u16) -> Vec<String> {
    let indented = indent_json(text);
    let text = indented.as_deref().unwrap_or(text);
    text.lines().flat_map(|line| chunks(line, cells)).collect()
}

/// Cuts a line into pieces of at most so many cells.
pub(crate) fn chunks(line: &str, cells: u16) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut left = cells.max(2);
    for char in line.chars() {
        // A control character becomes one cell, when it is drawn.
        let taken = width(char).max(u16::from(char.is_control()));
        if taken > left {
            pieces.push(String::new());
            left = cells.max(2);
        }
        left -= taken;
        pieces.last_mut().expect("there is always one").push(char);
    }
    pieces
}

/// JSON with a line for each member; `None`: it is no object and no list. Numbers and names stay
/// as they were written.
fn indent_json(text: &str) -> Option<String> {
    let text = text.trim();
    let is_nested = text.starts_with(['{', '[']);
    if !is_nested || serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return None;
    }
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        // The reader of JSON allows 128 levels.
        (0..depth.min(40)).for_each(|_| out.push_str("  "));
    };
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        if quoted {
            out.push(char);
            quoted = char != '"' || escaped;
            escaped = char == '\\' && !escaped;
            continue;
        }
        match char {
            '"' => {
                quoted = true;
                out.push(char);
            }
            '{' | '[' => {
                while chars.next_if(char::is_ascii_whitespace).is_some() {}
                out.push(char);
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(char);
            }
            ',' => {
                out.push(char);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            space if space.is_ascii_whitespace() => {}
            other => out.push(other),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_gets_a_line_for_each_member() {
        let indented = indent_json(r#" {"a": [1,2.50], "b":{}, "c":"x, {\"}" } "#);
        let lines = "{\n  \"a\": [\n    1,\n    2.50\n  ],\n  \"b\": {},\n  \"c\": \"x, {\\\"}\"\n}";
        assert_eq!(indented.as_deref(), Some(lines));
        for text in ["", "7", "\"{}\"", "{", "{]", "[1,]"] {
            assert_eq!(indent_json(text), None, "{text}");
        }
    }

    #[test]
    fn lines_are_cut_by_cells() {
        assert_eq!(chunks("abcdef", 4), ["abcd", "ef"]);
        assert_eq!(chunks("日本語", 4), ["日本", "語"]);
        assert_eq!(chunks("", 4), [""]);
        assert_eq!(laid_out("a\nbcd", 2), ["a", "bc", "d"]);
    }
}
