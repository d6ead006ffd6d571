//! Characters for fonts that lack ours: the finished picture is translated, cell by cell, so that
//! no view needs to know.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use text::width;

/// Translates every cell of an area.
pub(crate) fn replace(buf: &mut Buffer, area: Rect, with: fn(char) -> char) {
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            let cell = &mut buf[(x, y)];
            let Some(glyph) = cell.symbol().chars().next() else { continue };
            let other = with(glyph);
            if other != glyph {
                let wide = width(glyph) > 1;
                cell.set_char(other);
                if wide && x + 1 < area.right() {
                    buf[(x + 1, y)].set_char(other);
                }
            }
        }
    }
}

/// Braille as quarters of a cell: 2×4 dots become 2×2.
pub(crate) fn block(glyph: char) -> char {
    const QUARTERS: [char; 16] =
        [' ', '▘', '▝', '▀', '▖', '▌', '▞', '▛', '▗', '▚', '▐', '▜', '▄', '▙', '▟', '█'];
    let code = u32::from(glyph);
    if !(0x2800..=0x28ff).contains(&code) {
        return glyph;
    }
    // Unicode numbers the dots 1 2 3 down the left, 4 5 6 down the right, then 7 and 8 below.
    let quarters = [0x03, 0x18, 0x44, 0xa0];
    let index = (0..4).filter(|at| (code & 0xff) & quarters[*at] != 0).map(|at| 1 << at).sum::<usize>();
    QUARTERS[index]
}

/// Letters alone.
pub(crate) fn ascii(glyph: char) -> char {
    if glyph.is_ascii() {
        return glyph;
    }
    match glyph {
        '─' | '╌' | '–' | '−' | '▄' => '-',
        '━' | '▅' | '▆' => '=',
        '│' | '╎' | '┊' | '├' | '┤' | '‖' | '▏' => '|',
        '╭' | '╮' | '╰' | '╯' | '┬' | '┴' | '┼' => '+',
        '▁' => '_',
        '▇' | '█' | '┃' => '#',
        '●' | '◉' | '◎' | '◇' => 'o',
        '○' | '·' | '▂' | '▃' => '.',
        '▒' => ':',
        '✖' => 'X',
        '×' => 'x',
        '▲' | '▴' | '↑' => '^',
        '▼' | '▾' | '↓' | '✓' => 'v',
        '▸' | '→' | '↗' | '↘' => '>',
        '◂' | '←' | '↖' | '↙' => '<',
        '◆' | '★' | '▪' | '◷' => '*',
        '└' => '`',
        '…' | '±' | '≈' => '~',
        '©' => 'c',
        '⟳' => '@',
        '⠀' => ' ',
        other if (0x2801..=0x28ff).contains(&u32::from(other)) => {
            match (u32::from(other) & 0xff).count_ones() {
                1 => '.',
                2 | 3 => ':',
                _ => '%',
            }
        }
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braille_becomes_the_quarters_it_touches() {
        assert_eq!(block('⠁'), '▘');
        assert_eq!(block('⠈'), '▝');
        assert_eq!(block('⣿'), '█');
        assert_eq!(block('⣀'), '▄');
        assert_eq!(block('⡇'), '▌');
        assert_eq!(block('x'), 'x');
    }

    #[test]
    fn ascii_is_ascii() {
        for glyph in ('\u{20}'..'\u{3000}').filter(|glyph| !glyph.is_control()) {
            assert!(ascii(glyph).is_ascii(), "{glyph:?}");
        }
    }
}
