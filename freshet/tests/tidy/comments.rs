//! The width of comments.
//!
//! Can't see: a comment behind code on its line, and the width of code, which is rustfmt's.

const COLUMNS: usize = 100;

/// Lines that are nothing but a comment, which begins with `mark`, and wider than a reader's half
/// of the screen.
pub(crate) fn wide(mark: &str, text: &str) -> Vec<(usize, String)> {
    text.lines()
        .zip(1..)
        .filter(|(line, _)| line.trim_start().starts_with(mark))
        .map(|(line, number)| (number, line.chars().count()))
        .filter(|(_, width)| *width > COLUMNS)
        .map(|(number, width)| (number, format!("{width} columns, of {COLUMNS}")))
        .collect()
}

#[test]
fn a_wide_comment_is_found() {
    let just = format!("/// {}\n", "é".repeat(96));
    assert_eq!(wide("//", &just), [], "characters are counted, not bytes");
    let wider = format!("{just}  // {}\n", "x".repeat(96));
    assert_eq!(wide("//", &wider), [(2, "101 columns, of 100".to_owned())]);
    let script = format!("#!/bin/sh\n# {}\n", "x".repeat(99));
    assert_eq!(wide("#", &script), [(2, "101 columns, of 100".to_owned())]);
}
