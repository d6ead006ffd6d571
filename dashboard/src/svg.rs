//! A finished picture as an SVG: for `s`, for `freshet dashboard --snapshot`, for the
//! documentation.
//!
//! Text stays text, but Braille, blocks and lines are drawn as shapes: a reader's fonts decide
//! nothing about them, and frames close without gaps.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use crate::snapshot::{CityMap, Snapshot};
use crate::state::message::Msg;
use crate::state::palette::Palette;
use crate::state::pane::Pane;
use crate::state::update::update;
use crate::state::{NOTICE_MS, State};
use crate::view::theme::Theme;
use crate::view::{Cache, view};
use text::width;

/// A cell in pixels.
const CELL: (f64, f64) = (8.4, 17.0);
/// Around the screen.
const MARGIN: f64 = 12.0;

/// Draws one screen of `columns`×`rows` with these panes, without a terminal.
pub fn render_svg(
    snapshot: &Snapshot,
    map: Option<&CityMap>,
    panes: &[Pane],
    (columns, rows): (u16, u16),
    theme: &Theme,
) -> String {
    let mut state = State::new(theme.palette, panes);
    update(&mut state, Msg::Resize(columns, rows), 0);
    // What is said once at the beginning has no place in a picture.
    update(&mut state, Msg::Tick, NOTICE_MS);
    if let Some(map) = map {
        update(&mut state, Msg::Map(map.clone().into()), 0);
    }
    update(&mut state, Msg::Snapshot(snapshot.clone().into()), 0);
    let area = Rect::new(0, 0, columns, rows);
    let mut buf = Buffer::empty(area);
    view(&state, &mut Cache::default(), theme, area, &mut buf);
    of_buffer(&buf, theme)
}

/// Any buffer as an SVG.
pub fn of_buffer(buf: &Buffer, theme: &Theme) -> String {
    let (paper, ink) = default_colours(theme.palette);
    let area = buf.area;
    let size =
        (f64::from(area.width) * CELL.0 + MARGIN * 2.0, f64::from(area.height) * CELL.1 + MARGIN * 2.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0}\" height=\"{1:.0}\" viewBox=\"0 0 {0:.0} {1:.0}\" \
         font-family=\"ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{paper}\"/>\n",
        size.0, size.1
    );
    for y in area.top()..area.bottom() {
        backgrounds(&mut svg, buf, y, paper, ink);
        let mut x = area.left();
        while x < area.right() {
            let look = Look::of(&buf[(x, y)], paper, ink);
            let start = x;
            let mut text = String::new();
            while x < area.right() && Look::of(&buf[(x, y)], paper, ink) == look {
                let symbol = buf[(x, y)].symbol();
                text.push_str(symbol);
                let wide = symbol.chars().next().map_or(1, width).max(1);
                x = x.saturating_add(wide);
            }
            let at = ((start - area.x), (y - area.y));
            run(&mut svg, at, &text, &look);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// How a run of cells looks.
#[derive(Debug, PartialEq)]
struct Look {
    fg: String,
    bg: String,
    modifier: Modifier,
}

impl Look {
    fn of(cell: &Cell, paper: &str, ink: &str) -> Look {
        let (mut fg, mut bg) = (hex(cell.fg, ink), hex(cell.bg, paper));
        if cell.modifier.contains(Modifier::REVERSED) {
            std::mem::swap(&mut fg, &mut bg);
        }
        Look { fg, bg, modifier: cell.modifier }
    }
}

/// The backgrounds of a row, each stretch of one colour as one box: between two boxes side by side
/// a seam would show.
fn backgrounds(svg: &mut String, buf: &Buffer, y: u16, paper: &str, ink: &str) {
    let area = buf.area;
    let background = |x| Look::of(&buf[(x, y)], paper, ink).bg;
    let mut x = area.left();
    while x < area.right() {
        let (start, colour) = (x, background(x));
        while x < area.right() && background(x) == colour {
            x += 1;
        }
        if colour != paper {
            let (left, top) = place((start - area.x, y - area.y));
            let wide = f64::from(x - start) * CELL.0;
            let _ = writeln!(
                svg,
                "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{}\" fill=\"{colour}\"/>",
                CELL.1
            );
        }
    }
}

/// Where a cell begins, in pixels.
fn place((column, row): (u16, u16)) -> (f64, f64) {
    (MARGIN + f64::from(column) * CELL.0, MARGIN + f64::from(row) * CELL.1)
}

fn run(svg: &mut String, cell: (u16, u16), text: &str, look: &Look) {
    let (x, y) = place(cell);
    let mut shapes = Shapes::default();
    let mut words: Vec<(f64, String, u16)> = Vec::new();
    let mut at = x;
    for char in text.chars() {
        let step = width(char).max(1);
        if char != ' ' && !shapes.draw(char, at, y) {
            match words.last_mut() {
                Some((from, word, taken)) if (*from + f64::from(*taken) * CELL.0 - at).abs() < 0.01 => {
                    word.push(char);
                    *taken += step;
                }
                _ => words.push((at, char.to_string(), step)),
            }
        }
        at += f64::from(step) * CELL.0;
    }
    let faint = if look.modifier.contains(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
    if !shapes.dots.is_empty() {
        let _ = writeln!(
            svg,
            "<path d=\"{}\" stroke=\"{}\" stroke-width=\"2.3\" stroke-linecap=\"round\"{faint}/>",
            shapes.dots, look.fg
        );
    }
    if !shapes.lines.is_empty() {
        let _ = writeln!(
            svg,
            "<path d=\"{}\" stroke=\"{}\" stroke-width=\"1.2\" fill=\"none\"{faint}/>",
            shapes.lines, look.fg
        );
    }
    if !shapes.thick.is_empty() {
        let _ = writeln!(
            svg,
            "<path d=\"{}\" stroke=\"{}\" stroke-width=\"2.6\" fill=\"none\"{faint}/>",
            shapes.thick, look.fg
        );
    }
    if !shapes.boxes.is_empty() {
        let _ = writeln!(svg, "<path d=\"{}\" fill=\"{}\"{faint}/>", shapes.boxes, look.fg);
    }
    let bold = if look.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let italic = if look.modifier.contains(Modifier::ITALIC) { " font-style=\"italic\"" } else { "" };
    let under =
        if look.modifier.contains(Modifier::UNDERLINED) { " text-decoration=\"underline\"" } else { "" };
    for (x, word, taken) in words {
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" fill=\"{}\"{bold}{italic}{under}{faint}>{}</text>",
            y + 12.8,
            f64::from(taken) * CELL.0,
            look.fg,
            escaped(&word)
        );
    }
}

/// Characters as shapes, collected by how they are painted.
#[derive(Default)]
struct Shapes {
    dots: String,
    lines: String,
    thick: String,
    boxes: String,
}

impl Shapes {
    /// Draws a character whose cell begins at (x, y), if it is a shape.
    #[expect(
        clippy::many_single_char_names,
        reason = "x, y, width, height, right and bottom, as SVG itself calls them"
    )]
    fn draw(&mut self, char: char, x: f64, y: f64) -> bool {
        let (w, h) = CELL;
        let (mx, my) = (x + w / 2.0, y + h / 2.0);
        let (r, b) = (x + w, y + h);
        let code = u32::from(char);
        let drawn = match char {
            '\u{2800}'..='\u{28ff}' => {
                // Unicode numbers the dots 1 2 3 down the left, 4 5 6 down the right, then 7 and 8
                // below.
                for (bit, (column, row)) in
                    [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)].into_iter().enumerate()
                {
                    if code & (1 << bit) != 0 {
                        let (dx, dy) = (
                            x + w * (0.25 + 0.5 * f64::from(column)),
                            y + h * (0.125 + 0.25 * f64::from(row)),
                        );
                        let _ = write!(self.dots, "M{dx:.1} {dy:.1}h0");
                    }
                }
                Ok(())
            }
            '▁'..='█' => {
                // A full one reaches into the cell above, or hair lines show between the rows of a
                // chart.
                let over = if char == '█' { 0.5 } else { 0.0 };
                let tall = h * f64::from(code - 0x2580) / 8.0 + over;
                write!(self.boxes, "M{x:.1} {b:.1}h{w:.1}v-{tall:.1}h-{w:.1}z")
            }
            '─' => write!(self.lines, "M{x:.1} {my:.1}H{r:.1}"),
            '│' => write!(self.lines, "M{mx:.1} {y:.1}V{b:.1}"),
            '╭' => write!(self.lines, "M{mx:.1} {b:.1}Q{mx:.1} {my:.1} {r:.1} {my:.1}"),
            '╮' => write!(self.lines, "M{mx:.1} {b:.1}Q{mx:.1} {my:.1} {x:.1} {my:.1}"),
            '╰' => write!(self.lines, "M{mx:.1} {y:.1}Q{mx:.1} {my:.1} {r:.1} {my:.1}"),
            '╯' => write!(self.lines, "M{mx:.1} {y:.1}Q{mx:.1} {my:.1} {x:.1} {my:.1}"),
            '├' => write!(self.lines, "M{mx:.1} {y:.1}V{b:.1}M{mx:.1} {my:.1}H{r:.1}"),
            '┤' => write!(self.lines, "M{mx:.1} {y:.1}V{b:.1}M{mx:.1} {my:.1}H{x:.1}"),
            '╌' => {
                write!(self.lines, "M{:.1} {my:.1}h{:.1}M{:.1} {my:.1}h{1:.1}", x + 0.9, w * 0.3, mx + 0.9)
            }
            '━' => write!(self.thick, "M{x:.1} {my:.1}H{r:.1}"),
            '┃' => write!(self.thick, "M{mx:.1} {y:.1}V{b:.1}"),
            '◆' => write!(
                self.boxes,
                "M{:.1} {my:.1}L{mx:.1} {:.1}L{:.1} {my:.1}L{mx:.1} {:.1}z",
                mx - 4.6,
                my - 4.6,
                mx + 4.6,
                my + 4.6
            ),
            '◇' => write!(
                self.lines,
                "M{:.1} {my:.1}L{mx:.1} {:.1}L{:.1} {my:.1}L{mx:.1} {:.1}z",
                mx - 4.0,
                my - 4.0,
                mx + 4.0,
                my + 4.0
            ),
            '▪' => write!(self.boxes, "M{:.1} {:.1}h5v5h-5z", mx - 2.5, my - 2.5),
            '▴' => write!(self.boxes, "M{:.1} {:.1}h7l-3.5 -6.5z", mx - 3.5, my + 3.0),
            '▾' => write!(self.boxes, "M{:.1} {:.1}h7l-3.5 6.5z", mx - 3.5, my - 3.0),
            '▸' => write!(self.boxes, "M{:.1} {:.1}v7l6 -3.5z", mx - 2.6, my - 3.5),
            '◂' => write!(self.boxes, "M{:.1} {:.1}v7l-6 -3.5z", mx + 2.6, my - 3.5),
            _ => return false,
        };
        drawn.is_ok()
    }
}

/// Text between tags; control characters have no place in XML at all.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars().filter(|char| !char.is_control()) {
        match char {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

/// The background and the text colour of a terminal: a picture has to choose them.
fn default_colours(palette: Palette) -> (&'static str, &'static str) {
    match palette {
        Palette::Dark => ("#12161d", "#d8dee9"),
        Palette::Light => ("#fcfcfa", "#22272e"),
        Palette::HighContrast => ("#000000", "#ffffff"),
        Palette::Mono => ("#16181c", "#e0e0e0"),
    }
}

fn hex(colour: Color, own: &str) -> String {
    const SIXTEEN: [&str; 16] = [
        "#000000", "#c23b22", "#2fb98c", "#c8a600", "#3f7fbf", "#b0628f", "#3ba3c4", "#bfc5cf", "#5b6472",
        "#ff7043", "#5fe0b0", "#f0e442", "#6fb1ff", "#e59ac5", "#7fd4f2", "#ffffff",
    ];
    let named = match colour {
        Color::Reset => return own.to_string(),
        Color::Rgb(r, g, b) => return format!("#{r:02x}{g:02x}{b:02x}"),
        Color::Indexed(index) if index >= 232 => {
            let grey = 8 + 10 * (index - 232);
            return format!("#{grey:02x}{grey:02x}{grey:02x}");
        }
        Color::Indexed(index) if index >= 16 => {
            let step = |value: u8| if value == 0 { 0 } else { 55 + 40 * value };
            let (r, g, b) = ((index - 16) / 36, (index - 16) / 6 % 6, (index - 16) % 6);
            return format!("#{:02x}{:02x}{:02x}", step(r), step(g), step(b));
        }
        Color::Indexed(index) => usize::from(index),
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
    };
    SIXTEEN[named].to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    #[test]
    fn text_is_escaped_and_keeps_its_place() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 10, 1));
        buf.set_string(2, 0, "a<b&c", Style::new().fg(Color::Rgb(1, 2, 3)));
        let svg = of_buffer(&buf, &Theme::default());
        assert!(
            svg.contains(
                "<text x=\"28.8\" y=\"24.8\" textLength=\"42.0\" fill=\"#010203\">a&lt;b&amp;c</text>"
            ),
            "{svg}"
        );
    }

    /// A selected row has words of several colours on one background.
    #[test]
    fn a_background_of_one_colour_is_one_box() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 10, 2));
        buf.set_string(2, 0, "ab", Style::new().fg(Color::Rgb(1, 2, 3)));
        buf.set_string(5, 0, "c", Style::new().add_modifier(Modifier::BOLD));
        buf.set_style(Rect::new(1, 0, 8, 1), Style::new().bg(Color::Rgb(9, 9, 9)));
        let svg = of_buffer(&buf, &Theme::default());
        let boxes: Vec<&str> = svg.lines().filter(|line| line.contains("#090909")).collect();
        assert_eq!(
            boxes,
            ["<rect x=\"20.4\" y=\"12.0\" width=\"67.2\" height=\"17\" fill=\"#090909\"/>"],
            "{svg}"
        );
    }

    #[test]
    fn braille_is_dots() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 1, 1));
        buf.set_string(0, 0, "⢁", Style::new());
        let svg = of_buffer(&buf, &Theme::default());
        assert!(svg.contains("d=\"M14.1 14.1h0M18.3 26.9h0\""), "{svg}");
    }
}
