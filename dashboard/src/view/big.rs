//! Words as big as a projector needs: lengths of time and sums, in letters of full blocks.
//!
//! A letter is five pixels tall, and a pixel is as many cells as there is room for. In plain ASCII
//! the blocks become `#`, like everywhere.
//!
//! # Simplifications
//! - Only what a length of time and a figure of the bill are made of has a letter; a text with
//!   anything else is written as it is.

use ratatui::layout::Rect;

use crate::view::pen::Pen;
use crate::view::theme::Role;

/// The pixels of a letter, a row each, from the top.
type Letter = [&'static str; HEIGHT];

/// The rows of pixels of a letter.
const HEIGHT: usize = 5;

/// A pixel in columns and rows, from the largest. A cell is about twice as tall as it is wide.
const PIXELS: [(u16, u16); 5] = [(6, 3), (4, 2), (3, 2), (2, 1), SMALLEST];
/// The smallest of them.
pub(crate) const SMALLEST: (u16, u16) = (1, 1);

fn letter(char: char) -> Option<Letter> {
    Some(match char {
        '0' => ["###", "# #", "# #", "# #", "###"],
        '1' => [" # ", "## ", " # ", " # ", "###"],
        '2' => ["###", "  #", "###", "#  ", "###"],
        '3' => ["###", "  #", "###", "  #", "###"],
        '4' => ["# #", "# #", "###", "  #", "  #"],
        '5' => ["###", "#  ", "###", "  #", "###"],
        '6' => ["###", "#  ", "###", "# #", "###"],
        '7' => ["###", "  #", "  #", "  #", "  #"],
        '8' => ["###", "# #", "###", "# #", "###"],
        '9' => ["###", "# #", "###", "  #", "###"],
        'd' => ["  #", "  #", "###", "# #", "###"],
        'h' => ["#  ", "#  ", "###", "# #", "# #"],
        'i' => ["#", " ", "#", "#", "#"],
        'm' => ["     ", "## # ", "# # #", "# # #", "# # #"],
        'n' => ["   ", "## ", "# #", "# #", "# #"],
        'k' => ["#  ", "# #", "## ", "# #", "# #"],
        'M' => ["#   #", "## ##", "# # #", "#   #", "#   #"],
        's' => [" ##", "#  ", " # ", "  #", "## "],
        '.' => [" ", " ", " ", " ", "#"],
        ',' => [" ", " ", " ", "#", "#"],
        '>' => ["#  ", " # ", "  #", " # ", "#  "],
        '–' | '−' | '-' => ["   ", "   ", "###", "   ", "   "],
        '$' => [" ##", "## ", "###", " ##", "## "],
        '?' => ["###", "  #", " ##", "   ", " # "],
        '≈' => ["    ", " # #", "# # ", " # #", "# # "],
        ' ' => [" "; HEIGHT],
        _ => return None,
    })
}

/// The columns of a pixel of this character: those of a unit are half as wide as those of its
/// figure, so that the figure can be large.
fn columns(char: char, wide: u16) -> u16 {
    if char.is_ascii_digit() { wide } else { (wide / 2).max(1) }
}

/// How many columns a letter takes, the gap after it included.
fn advance(char: char, letter: &Letter, wide: u16) -> u16 {
    let columns = columns(char, wide);
    letter[0].len() as u16 * columns + columns.max(2.min(wide))
}

/// How many columns a text takes; `None`: it has a character without a letter.
fn width(text: &str, wide: u16) -> Option<u16> {
    text.chars().map(|char| Some(advance(char, &letter(char)?, wide))).sum()
}

/// The widest length of time that is usual.
const USUAL: &str = "59 min";

/// The largest pixel with which a usual length of time fits into so many columns and rows; none
/// fits: the smallest.
pub(crate) fn pixel(cells: u16, rows: u16) -> (u16, u16) {
    pixel_of(USUAL, cells, rows).unwrap_or(SMALLEST)
}

/// The largest pixel with which a text fits into so many columns and rows, if any does.
pub(crate) fn pixel_of(text: &str, cells: u16, rows: u16) -> Option<(u16, u16)> {
    let fits = |pixel: &(u16, u16)| {
        width(text, pixel.0).is_some_and(|width| width <= cells) && height(*pixel) <= rows
    };
    PIXELS.into_iter().find(fits)
}

/// The rows of a text with such a pixel.
pub(crate) fn height((_, tall): (u16, u16)) -> u16 {
    HEIGHT as u16 * tall
}

/// Draws a text into the top left of an area, with a smaller pixel where this one has no room.
/// Where none has, it is written as it is.
pub(crate) fn draw(pen: &mut Pen, area: Rect, pixel: (u16, u16), text: &str, role: Role) {
    let shorter = PIXELS.into_iter().filter(|(wide, tall)| *wide <= pixel.0 && *tall <= pixel.1);
    let fits = |wide| width(text, wide).is_some_and(|width| width <= area.width);
    let fitting = { shorter }.find(|(wide, _)| fits(*wide));
    let Some((wide, tall)) = fitting.filter(|pixel| height(*pixel) <= area.height) else {
        pen.text(area.x, area.y, area.width, text, role);
        return;
    };
    let mut x = area.x;
    for (char, letter) in text.chars().filter_map(|char| Some((char, letter(char)?))) {
        let (advance, wide) = (advance(char, &letter, wide), columns(char, wide));
        for (row, pixels) in (0_u16..).zip(letter) {
            for (column, _) in (0_u16..).zip(pixels.chars()).filter(|(_, pixel)| *pixel != ' ') {
                for (dx, dy) in (0..wide).flat_map(|dx| (0..tall).map(move |dy| (dx, dy))) {
                    pen.cell(x + column * wide + dx, area.y + row * tall + dy, '█', role);
                }
            }
        }
        x += advance;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{UNKNOWN, age};
    use crate::view::theme::Theme;
    use ratatui::buffer::Buffer;

    #[test]
    fn every_length_of_time_has_its_letters() {
        for ms in [0.4, 24.0, 9_400.0, 59_000.0, 41.0 * 60_000.0, 65.0 * 60_000.0, 1e8, 1e12] {
            let said = age(Some(ms), true);
            assert!(said.chars().all(|char| letter(char).is_some()), "{said}");
        }
        assert!(UNKNOWN.chars().all(|char| letter(char).is_some()));
        for char in ' '..='~' {
            let Some(letter) = letter(char) else { continue };
            assert!(letter.iter().all(|row| row.len() == letter[0].len()), "{char}: {letter:?}");
        }
    }

    #[test]
    fn a_text_is_as_large_as_there_is_room() {
        assert_eq!(
            [(36, 8), (56, 10), (56, 9), (98, 17), (3, 1)].map(|(cells, rows)| pixel(cells, rows)),
            [(2, 1), (3, 2), (2, 1), (6, 3), (1, 1)]
        );
        let area = Rect::new(0, 0, 16, 5);
        let drawn = |text: &str| {
            let mut buf = Buffer::empty(area);
            draw(&mut Pen::new(&mut buf, Theme::default()), area, (2, 1), text, Role::Truth);
            let row = |y| (0..16).map(|x| buf[(x, y)].symbol()).collect::<String>();
            (0..5).map(|y| row(y).trim_end().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(drawn("7"), ["██████", "    ██", "    ██", "    ██", "    ██"]);
        assert_eq!(
            drawn("4 s"),
            ["██  ██      ██", "██  ██     █", "██████      █", "    ██       █", "    ██     ██"]
        );
        assert_eq!(drawn("41 s")[1], "█ █ ██    █", "smaller, where it would be cut");
        assert_eq!(drawn("41,234,567 s")[0], "41,234,567 s", "in letters, where there is no room at all");
    }
}
