//! Everything on the screen can be read on a projector: WCAG 2.2, level AA, for every style of
//! every theme with colours, also in the selected row and in 256 colours.

use dashboard::{Depth, Glyphs, Key, Msg, Palette, Theme, of_buffer, update};
use dashboard_testing::{Sample, draw, presenting, state};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

/// The least contrast of words.
const WORDS: f64 = 4.5;
/// The least contrast of what is only a glyph.
const GLYPHS: f64 = 3.0;

type Rgb = [u8; 3];

/// The relative luminance of a colour, as WCAG defines it.
fn luminance(rgb: Rgb) -> f64 {
    let linear = rgb.map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// The colours of paper and ink that a picture has: of an empty screen with one letter.
fn paper_and_ink(theme: Theme) -> [Rgb; 2] {
    let mut buf = Buffer::empty(Rect::new(0, 0, 1, 1));
    buf[(0, 0)].set_symbol("x");
    let svg = of_buffer(&buf, &theme);
    let colours = svg.split("fill=\"#").skip(1).map(|rest| {
        let value = u32::from_str_radix(&rest[..6], 16).expect("a colour");
        [(value >> 16) as u8, (value >> 8) as u8, value as u8]
    });
    colours.collect::<Vec<_>>().try_into().expect("paper and ink")
}

/// A colour of 24 bits or of xterm's 256.
fn rgb(colour: Color, own: Rgb) -> Rgb {
    let step = |value: u8| if value == 0 { 0 } else { 55 + 40 * value };
    match colour {
        Color::Reset => own,
        Color::Rgb(r, g, b) => [r, g, b],
        Color::Indexed(at @ 232..) => [8 + 10 * (at - 232); 3],
        Color::Indexed(at @ 16..) => [(at - 16) / 36, (at - 16) / 6 % 6, (at - 16) % 6].map(step),
        other => panic!("{other} depends on the terminal"),
    }
}

fn check(buf: &Buffer, theme: Theme, what: &str) {
    let [paper, ink] = paper_and_ink(theme);
    for (at, cell) in buf.content().iter().enumerate() {
        let Cell { fg, bg, modifier, .. } = cell;
        let (mut over, mut under) = (rgb(*fg, ink), rgb(*bg, paper));
        if modifier.contains(Modifier::REVERSED) {
            std::mem::swap(&mut over, &mut under);
        }
        let least = match cell.symbol().chars().next() {
            None | Some(' ' | '\u{2800}') => continue,
            Some(char) if char.is_alphanumeric() || char.is_ascii_punctuation() => WORDS,
            Some(_) => GLYPHS,
        };
        let contrast = contrast(over, under);
        assert!(
            contrast >= least,
            "{what}, {theme:?}: {} in {fg} on {bg} at {:?} has {contrast:.2} of {least}",
            cell.symbol(),
            buf.pos_of(at),
        );
    }
}

#[test]
fn every_style_of_every_theme_can_be_read() {
    let size = (120, 40);
    // A selected row in each pane, the help, a question, more about a row.
    let presses = ["", "1j", "2jj⏎j", "3jj", "4⏎", "5jj⏎", "6z", "7zj", "8j⏎", "2?", "2jjX", "2/x"];
    for palette in [Palette::Dark, Palette::Light, Palette::HighContrast] {
        for depth in [Depth::True, Depth::Indexed] {
            let theme = Theme { palette, depth, glyphs: Glyphs::Braille };
            for sample in Sample::ALL {
                for keys in presses {
                    let mut state = state(sample, size);
                    for key in keys.chars() {
                        let key = if key == '⏎' { Key::Enter } else { Key::Char(key) };
                        update(&mut state, Msg::Key(key), 0);
                    }
                    let what = format!("{} after {keys:?}", sample.name());
                    check(&draw(&state, size, &theme), theme, &what);
                }
            }
            check(&draw(&presenting(size), size, &theme), theme, "presentation");
        }
    }
}

/// The computation itself, by the examples of the standard.
#[test]
fn contrast_is_what_the_standard_says() {
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
    assert!((contrast([0x76; 3], [255; 3]) - 4.54).abs() < 0.01, "the lightest grey for words on white");
    let [paper, ink] = paper_and_ink(Theme { palette: Palette::Light, ..Theme::default() });
    assert_eq!((paper, ink), ([0xfc, 0xfc, 0xfa], [0x22, 0x27, 0x2e]));
}
