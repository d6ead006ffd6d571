//! What covers the panes, or replaces them: the help, a question, the card of a small terminal.

use ratatui::layout::Rect;

use crate::command::Target;
use crate::snapshot::Source;
use crate::state::finder;
use crate::state::input::Finder;
use crate::state::meaning::{HelpLine, help as help_lines};
use crate::state::message::Hit;
use crate::state::{Confirm, Irreversible, State};
use crate::view::layout::SMALLEST;
use crate::view::lesson::{Brevity, batch, cost_alone, lesson, stream};
use crate::view::panes::list::{scrollbar, window};
use crate::view::pen::{Frame, Pen, Pieces, pieces_width};
use crate::view::records;
use crate::view::theme::Role;
use crate::view::{bookmarks, header};
use text::{clean, wrap};

pub(crate) fn help(pen: &mut Pen, state: &State, from: usize, body: Rect) {
    let lines = help_lines();
    let what = match (state.is_presenting(), &state.reading) {
        (true, _) => bookmarks::WHAT,
        (false, Some(_)) => records::WHAT,
        (false, None) => state.focus().spec().what,
    };
    let what = wrap(what, 66.min(body.width).saturating_sub(5));
    let area = centred(body, 66, (lines.len() + what.len()) as u16 + 5);
    pen.clear(area);
    let foot = vec![("greyed-out keys do not apply here".to_string(), Role::Dim)];
    let inside = pen.frame(area, &Frame { name: "help".into(), foot, focused: true, ..Frame::default() });
    let mut top = inside.y + u16::from(inside.height > 4);
    // What the focused pane is stays while the keys scroll.
    if usize::from(inside.height) > what.len() + 5 {
        for line in &what {
            pen.text(inside.x + 2, top, inside.width.saturating_sub(3), line, Role::Text);
            top += 1;
        }
        top += 1;
    }
    let height = usize::from(inside.bottom().saturating_sub(top));
    let from = from.min(lines.len().saturating_sub(height.saturating_sub(1)));
    for (y, line) in (top..inside.bottom()).zip(&lines[from..]) {
        let x = inside.x + 2;
        let room = inside.width.saturating_sub(3);
        match line {
            HelpLine::Empty => {}
            HelpLine::Section(name) => {
                pen.text(x, y, room, name, Role::Title);
            }
            HelpLine::Key(binding) => {
                let works = binding.works(state);
                let (key, words) = if works { (Role::Stream, Role::Text) } else { (Role::Dim, Role::Dim) };
                pen.right(x + 9, y, 9, binding.shown(state), key);
                pen.text(x + 11, y, room.saturating_sub(11), binding.does, words);
            }
        }
    }
}

/// The palette: what is typed, and the entries that contain it.
pub(crate) fn finder(pen: &mut Pen, state: &State, finder: &Finder, body: Rect) {
    let entries = finder::entries(state, &finder.typed);
    // Its height is that of all entries, so that it stands still while one types.
    let all = finder::entries(state, "").len() as u16;
    let area = centred(body, 110, all + 4);
    pen.clear(area);
    let selected = finder.index.min(entries.len().saturating_sub(1));
    let reason = entries.get(selected).and_then(|entry| entry.off);
    let foot = match reason {
        Some(reason) => vec![(reason.to_owned(), Role::Warn)],
        None => vec![("greyed-out entries do not apply here, and say why".to_owned(), Role::Dim)],
    };
    let inside = pen.frame(area, &Frame { name: "palette".into(), foot, focused: true, ..Frame::default() });
    let room = inside.width.saturating_sub(4);
    let after = pen.text(inside.x + 2, inside.y, room, &format!(": {}", finder.typed), Role::Title);
    pen.text(after, inside.y, 1, "▏", Role::Focus);
    let list = Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside };
    if entries.is_empty() {
        pen.text(list.x + 2, list.y, room, "nothing here is called that", Role::Dim);
        return;
    }
    let shown = window(entries.len(), selected, usize::from(list.height));
    scrollbar(pen, true, list, entries.len(), &shown);
    for (y, at) in (list.y..list.bottom()).zip(shown) {
        let entry = &entries[at];
        pen.hits.push((Rect { y, height: 1, ..list }, Hit::Entry(at)));
        if at == selected {
            pen.highlight(Rect { y, height: 1, ..list });
        }
        let (key, words) =
            if entry.off.is_none() { (Role::Stream, Role::Text) } else { (Role::Dim, Role::Dim) };
        pen.right(list.x + 10, y, 9, &entry.key, key);
        let x = pen.text(list.x + 12, y, room.saturating_sub(10), &entry.words, words);
        if let Some(reason) = entry.off {
            let end = list.right().saturating_sub(1);
            pen.text(x + 2, y, end.saturating_sub(x + 2), &format!("– {reason}"), Role::Faint);
        }
    }
}

pub(crate) fn confirm(pen: &mut Pen, state: &State, confirm: &Confirm, body: Rect) {
    let name = clean(confirm.target.name()).into_owned();
    let who = match &confirm.target {
        Target::Worker(worker) => {
            let workers = state.shown().map(|snapshot| snapshot.workers.data.as_slice()).unwrap_or_default();
            let pid = workers.iter().find(|known| known.name == *worker).and_then(|known| known.pid);
            pid.map_or_else(|| name.clone(), |pid| format!("{name} (pid {pid})"))
        }
        Target::Group(_) => format!("all of {name}"),
        Target::Topic(_) | Target::Batch | Target::Record(_) => name.clone(),
    };
    let (question, what) = match confirm.action {
        Irreversible::Reset(place) => {
            (format!("Set the offsets of {name} to {place}?"), reset_words(state, &confirm.target))
        }
        Irreversible::Redrive { only: Some(at) } => (
            format!("Send the record of letter {at} again?"),
            "It goes to the partition that it came from, with a header `redriven`; a consumer that \
             could read it already reads it twice.",
        ),
        Irreversible::Redrive { only: None } => (
            format!("Send the records of all letters in {name} again?"),
            "Each record once, however many letters are about it; not those that came back from a redrive already.",
        ),
        Irreversible::Rewind => (
            format!("Rewind {name} to the beginning?"),
            "Its bookmarks go back to the start of each log; it reads everything again.",
        ),
        Irreversible::Kill => (
            format!("Kill {who}?"),
            "It ends at once (SIGKILL), in the middle of whatever it is doing; r starts it again.",
        ),
    };
    let word = match confirm.action {
        Irreversible::Kill => "Kill",
        Irreversible::Rewind => "Rewind",
        Irreversible::Redrive { .. } => "Redrive",
        Irreversible::Reset(_) => "Set them",
    };
    let name = confirm.action.action().word();
    ask(pen, body, &Question { name, question: &question, what, word, yes: confirm.yes });
}

/// "End the show?"
pub(crate) fn leave(pen: &mut Pen, body: Rect) {
    // A cluster that it was given, or a folder, is there afterwards.
    let what = "All that it has started ends with it, and the summary is printed. Any other key goes on.";
    let question = "End the show? q or Enter ends it.";
    ask(pen, body, &Question { name: "end", question, what, word: "End", yes: true });
}

/// A box with a question, and its two answers.
struct Question<'a> {
    name: &'a str,
    question: &'a str,
    what: &'a str,
    /// What is done, on its button.
    word: &'a str,
    /// Whether Enter does it.
    yes: bool,
}

fn ask(pen: &mut Pen, body: Rect, asked: &Question<'_>) {
    let Question { name, question, what, word, yes } = *asked;
    // Nothing of what is confirmed is cut: the box is as high as its words.
    let cells = 58.min(body.width).saturating_sub(6);
    let questions = wrap_all(question, cells).into_iter().map(|line| (line, Role::Title));
    let lines: Vec<_> =
        questions.chain(wrap_all(what, cells).into_iter().map(|line| (line, Role::Dim))).collect();
    let area = centred(body, 58, (lines.len() as u16).saturating_add(6).max(9));
    pen.clear(area);
    let inside = pen.frame(area, &Frame { name: name.into(), focused: true, ..Frame::default() });
    let room = inside.width.saturating_sub(4);
    for (y, (line, role)) in (inside.y + 1..inside.bottom().saturating_sub(2)).zip(&lines) {
        pen.text(inside.x + 2, y, room, line, *role);
    }
    if inside.height < 3 {
        return;
    }
    let y = inside.bottom() - 2;
    let button = |word: &str, here: bool| if here { format!("[ {word} ]") } else { format!("  {word}  ") };
    let marked = |here: bool, role| if here { role } else { Role::Dim };
    let after = pen.text(inside.x + 2, y, room, &button("Cancel", !yes), marked(!yes, Role::Focus));
    let end = pen.text(after + 2, y, room.saturating_sub(12), &button(word, yes), marked(yes, Role::Bad));
    pen.hits.push((Rect::new(inside.x + 2, y, after.saturating_sub(inside.x + 2), 1), Hit::Answer(false)));
    pen.hits.push((Rect::new(after + 2, y, end.saturating_sub(after + 2), 1), Hit::Answer(true)));
}

/// A text in lines, of which a word that is longer than a line has several: a topic's name has up
/// to 249 characters.
fn wrap_all(text: &str, cells: u16) -> Vec<String> {
    wrap(text, cells).iter().flat_map(|line| records::chunks(line, cells)).collect()
}

/// What setting the offsets of a group takes: Kafka wants it empty.
fn reset_words(state: &State, target: &Target) -> &'static str {
    let groups = state.shown().map(|snapshot| snapshot.groups.data.as_slice()).unwrap_or_default();
    match groups.iter().find(|group| group.id == target.name()) {
        Some(group) if group.ours => {
            "Its workers are stopped for it and started again, as Kafka wants an empty group. What lies between \
             is read again, or never."
        }
        Some(group) if !group.members.is_empty() => {
            "It has members that are not ours, and Kafka sets the offsets of an empty group only: stop them first, \
             or this is refused."
        }
        Some(_) | None => "It has no members now. The next member reads on from there.",
    }
}

/// A terminal that is too small for panes still gets the lesson.
pub(crate) fn card(pen: &mut Pen, state: &State, area: Rect) {
    let mut lines: Vec<Pieces> = Vec::new();
    match state.shown() {
        Some(snapshot) if snapshot.lanes.source != Source::Absent => {
            let lanes = &snapshot.lanes.data;
            let (stream, batch) = (|| stream(lanes, Brevity::NoNext), || batch(lanes, Brevity::NoNext));
            let mut both = stream();
            both.push(("  ".into(), Role::Dim));
            both.extend(batch());
            if pieces_width(&both) <= area.width.saturating_sub(1) {
                lines.push(both);
            } else {
                lines.extend([stream(), batch()]);
            }
            lines.push(cost_alone(snapshot, area.width.saturating_sub(1)));
        }
        _ => lines.push(lesson(state.shown(), area.width.saturating_sub(1))),
    }
    lines.push(header::health(state.latest(), state.silence_ms()));
    lines.push(Vec::new());
    let (width, height) = SMALLEST;
    lines.push(vec![(
        format!("the panes need {width}x{height}, this is {}x{}", area.width, area.height),
        Role::Dim,
    )]);
    lines.push(vec![("q".into(), Role::Title), (" quit".into(), Role::Dim)]);
    let x = area.x + u16::from(area.width > 8);
    for (y, line) in (area.y..area.bottom()).zip(&lines) {
        pen.pieces(x, y, area.right().saturating_sub(x), line);
    }
}

fn centred(body: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(body.width), height.min(body.height));
    Rect::new(body.x + (body.width - width) / 2, body.y + (body.height - height) / 2, width, height)
}
