//! Text in the cells of a screen: made harmless, measured, and cut to fit.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

use crate::safe::is_unsafe;

/// No text on the screen is longer; a topic name of 10 KB is cut before it is measured.
const LONGEST: usize = 400;

/// A text for the cells of a screen, made harmless.
///
/// Control characters become `·`. Characters of no width are dropped: combining marks, joiners and
/// marks of direction, about which no two terminals agree. What remains is one or two cells wide
/// each, in every terminal. What is longer than any screen is cut.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST && text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().min(LONGEST));
    for char in text.chars().take(LONGEST) {
        if char.is_control() || (is_unsafe(char) && width(char) > 0) {
            out.push('·');
        } else if width(char) > 0 {
            out.push(char);
        }
    }
    Cow::Owned(out)
}

/// How many cells a character takes.
pub fn width(char: char) -> u16 {
    if char.is_ascii() {
        return u16::from(!char.is_control());
    }
    let mut utf8 = [0; 4];
    // The width of a text and not of a character: it is what ratatui reckons a cell by.
    char.encode_utf8(&mut utf8).width() as u16
}

/// How many cells a text takes; it is taken to be [`clean`].
pub fn text_width(text: &str) -> u16 {
    text.chars().map(|char| u32::from(width(char))).sum::<u32>().min(u32::from(u16::MAX)) as u16
}

/// A clean id in so many cells. Of `session-0001207` the number is what tells it from its
/// neighbours, so the words before it go first, and then its leading zeros; what is still too long
/// keeps its end.
pub fn fit_id(id: &str, cells: u16) -> Cow<'_, str> {
    let mut rest = id;
    while text_width(rest) > cells {
        let Some((_, after)) = rest.split_once('-').filter(|(_, after)| !after.is_empty()) else { break };
        rest = after;
    }
    let number = rest.trim_start_matches('0');
    if text_width(rest) > cells && number.starts_with(|first: char| first.is_ascii_digit()) {
        rest = number;
    }
    if text_width(rest) <= cells || cells < 2 {
        return fit(rest, cells);
    }
    let mut room = cells - 1;
    let tail = rest.char_indices().rev().take_while(|&(_, char)| {
        let taken = width(char);
        let fits = taken <= room;
        room = room.saturating_sub(taken);
        fits
    });
    let from = tail.last().map_or(rest.len(), |(at, _)| at);
    Cow::Owned(format!("…{}", &rest[from..]))
}

/// A clean text cut to so many cells, with `…` for what is missing.
pub fn fit(text: &str, cells: u16) -> Cow<'_, str> {
    if text_width(text) <= cells {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut left = cells.saturating_sub(1);
    for char in text.chars() {
        let Some(rest) = left.checked_sub(width(char)) else { break };
        left = rest;
        out.push(char);
    }
    if cells > 0 {
        out.push('…');
    }
    Cow::Owned(out)
}

/// Breaks a text into lines at spaces.
pub fn wrap(text: &str, cells: u16) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(line) + 1 + text_width(word) <= cells => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_id_the_number_stays() {
        let fit = |id, cells| fit_id(id, cells).into_owned();
        assert_eq!(fit("item-003846", 11), "item-003846");
        assert_eq!(fit("item-003846", 10), "003846");
        assert_eq!(fit("item-003846", 5), "3846");
        assert_eq!(fit("item-003846", 3), "…46");
        assert_eq!(fit("b69a6c2b0-session-0001207", 16), "session-0001207");
        assert_eq!(fit("item-000000", 4), "…000", "nought is a number too");
        assert_eq!(fit("rucksack", 5), "…sack");
        assert_eq!(fit("背包-背包背包", 6), "…背包");
        assert_eq!(fit("item-", 3), "…m-");
        assert_eq!((fit("item-7", 1), fit("item-7", 0)), ("7".into(), String::new()));
    }

    #[test]
    fn hostile_text_becomes_harmless() {
        assert_eq!(clean("\u{1b}[2Jclicks\n"), "·[2Jclicks·");
        assert_eq!(clean("a\u{202e}b\u{200d}c\u{301}"), "abc");
        assert_eq!(clean(&"x".repeat(10_000)).len(), LONGEST);
        assert_eq!(fit("driver_locations", 8), "driver_…");
        assert_eq!(fit("日本語", 4), "日…");
        assert_eq!(fit("abc", 0), "");
    }
}
