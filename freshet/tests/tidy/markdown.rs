//! One sentence a line, so that a diff shows the sentence that changed.
//!
//! Can't see: a sentence that begins with a small letter behind another one, and sentences in
//! tables, where a line is a row.

const LONGEST: usize = 200;

/// A line of prose: not of code, a table, a heading or a picture.
struct Line<'a> {
    number: usize,
    text: &'a str,
    /// Whether it goes on with the paragraph or list item of the line before it.
    continues: bool,
}

/// Lines that hold two sentences, and sentences that go on in the next line.
pub(crate) fn sentences_and_lines(text: &str) -> Vec<(usize, String)> {
    let mut faults = Vec::new();
    let mut before: Option<Line<'_>> = None;
    for line in prose(text) {
        if let Some(second) = second_sentence(line.text) {
            faults.push((line.number, format!("a second sentence begins: {second}")));
        }
        if let Some(before) = before
            && line.continues
            && !ends_sentence(before.text)
        {
            faults.push((before.number, "the sentence goes on in the next line".to_owned()));
        }
        before = Some(line);
    }
    faults
}

/// Sentences that are too long to be read to their end: in prose, and in tables without their code.
pub(crate) fn long_sentences(text: &str) -> Vec<(usize, String)> {
    let prose = prose(text).map(|line| (line.number, without_targets(line.text)));
    let cells = outside_code(text)
        .filter(|(_, line)| line.starts_with('|'))
        .flat_map(|(number, line)| line.split('|').map(move |cell| (number, without_code(cell))));
    prose
        .chain(cells)
        .map(|(number, sentence)| (number, sentence.chars().count()))
        .filter(|(_, length)| *length > LONGEST)
        .map(|(number, length)| (number, format!("{length} characters, of {LONGEST}")))
        .collect()
}

fn outside_code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().zip(1..).filter_map(move |(line, number)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        (!in_code && !fence).then_some((number, line))
    })
}

fn prose(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut last_prose = None;
    outside_code(text).filter_map(move |(number, line)| {
        let text = line.trim_start();
        let other = ["|", "#", "![", "<"];
        if text.is_empty() || other.iter().any(|start| text.starts_with(start)) {
            return None;
        }
        let item = item_text(text);
        let continues = item.is_none() && last_prose == Some(number - 1);
        last_prose = Some(number);
        Some(Line { number, text: item.unwrap_or(text), continues })
    })
}

/// The text of a list item behind its mark, if the line begins one.
fn item_text(line: &str) -> Option<&str> {
    let numbered = line.split_once(". ").filter(|(mark, _)| mark.parse::<u32>().is_ok());
    line.strip_prefix("- ").or(line.strip_prefix("* ")).or(numbered.map(|(_, text)| text))
}

/// What may close a sentence behind its full stop.
const CLOSING: [char; 6] = [')', '*', '_', '"', '\'', '`'];

fn ends_sentence(line: &str) -> bool {
    line.trim_end().trim_end_matches(CLOSING).ends_with(['.', '!', '?', ':'])
}

/// The beginning of a second sentence in a line. A label in bold in front is none.
fn second_sentence(line: &str) -> Option<String> {
    let label = line.strip_prefix("**").and_then(|rest| rest.split_once("** "));
    let line = label.map_or(line, |(_, text)| text);
    let line = without_code(line);
    let starts = |c: char| c.is_uppercase() || c.is_ascii_digit() || "`[*(".contains(c);
    line.match_indices(['.', '!', '?']).find_map(|(at, stop)| {
        let abbreviates = ["e.g", "i.e"].iter().any(|short| line[..at].ends_with(short));
        let next = line[at + stop.len()..].trim_start_matches(CLOSING);
        let second = next.strip_prefix(' ').filter(|second| second.starts_with(starts))?;
        (!abbreviates).then(|| second.chars().take(40).collect())
    })
}

/// A line with nothing between the marks of its code.
fn without_code(line: &str) -> String {
    line.split('`').enumerate().map(|(part, text)| if part % 2 == 0 { text } else { "``" }).collect()
}

/// A line whose links have no targets.
fn without_targets(line: &str) -> String {
    let mut parts = line.split("](");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(')').map_or(part, |(_, rest)| rest))
}

#[test]
fn what_is_not_one_sentence_a_line_is_found() {
    let page = "# A title. With a stop\n\nOne sentence. Two sentences.\n\nOne that goes\non.\n\n\
                - an item\n- **Label.** Another, i.e. `a. B` and 1.5 s.\n  It goes on.\n\n```text\nA. B\n```\n";
    let found: Vec<usize> = sentences_and_lines(page).into_iter().map(|(line, _)| line).collect();
    assert_eq!(found, [3, 5]);
}

#[test]
fn a_long_sentence_is_found_without_its_targets_and_its_code() {
    let long = "x".repeat(201);
    let page = format!("{long}\n\n[short]({long})\n\n| `{long}` |\n| {long} |\n");
    let found: Vec<usize> = long_sentences(&page).into_iter().map(|(line, _)| line).collect();
    assert_eq!(found, [1, 6]);
}
