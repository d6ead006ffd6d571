//! Draws a frame: only the cells that changed, in one write.

use std::io::{self, Write};

use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::terminal::Screen;
use crate::view::view;

impl Screen<'_> {
    /// Draws the state, and sends the terminal what it does not show yet.
    pub(super) fn draw(&mut self) -> io::Result<()> {
        let (width, height) = self.state.size;
        let area = Rect::new(0, 0, width, height);
        let resized = self.drawn.area != area;
        if resized {
            self.drawn = Buffer::empty(area);
            self.next = Buffer::empty(area);
        }
        let theme = self.theme();
        view(&self.state, &mut self.cache, &theme, area, &mut self.next);
        let bytes = frame_bytes(&self.drawn, &self.next, resized)?;
        if !bytes.is_empty() {
            self.guard.frame(&bytes)?;
        }
        std::mem::swap(&mut self.drawn, &mut self.next);
        Ok(())
    }
}

/// What a terminal that shows `drawn` must be sent to show `next`; nothing when they are the same.
fn frame_bytes(drawn: &Buffer, next: &Buffer, clear: bool) -> io::Result<Vec<u8>> {
    let changes = drawn.diff(next);
    if changes.is_empty() && !clear {
        return Ok(Vec::new());
    }
    let mut bytes = Vec::with_capacity(changes.len() * 8 + 64);
    queue!(bytes, BeginSynchronizedUpdate)?;
    if clear {
        queue!(bytes, Clear(ClearType::All))?;
    }
    CrosstermBackend::new(&mut bytes).draw(changes.into_iter())?;
    queue!(bytes, EndSynchronizedUpdate)?;
    bytes.flush()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashboard_testing::Sample;
    use ratatui::style::{Color, Modifier};
    use vt100::Color as Seen;

    /// A screen as the crate of samples draws it: with this crate as its tests do not see it, but
    /// the cells of a picture are everybody's.
    fn buffer(sample: Sample, key: char, size: (u16, u16)) -> Buffer {
        dashboard_testing::screen(sample, size, &[dashboard_testing::Key::Char(key)])
    }

    /// Compares what a terminal shows with what was drawn, cell by cell.
    fn assert_shows(terminal: &vt100::Parser, buf: &Buffer) {
        let color = |color: Color| {
            let Color::Rgb(r, g, b) = color else {
                assert_eq!(color, Color::Reset, "the default theme has true colours only");
                return Seen::Default;
            };
            Seen::Rgb(r, g, b)
        };
        for y in 0..buf.area.height {
            let mut x = 0;
            while x < buf.area.width {
                let drawn = &buf[(x, y)];
                let shown = terminal.screen().cell(y, x).expect("inside");
                let symbol = if shown.contents().is_empty() { " " } else { shown.contents() };
                assert_eq!(symbol, drawn.symbol(), "at {x},{y}");
                assert_eq!(shown.bgcolor(), color(drawn.bg), "at {x},{y}");
                if symbol != " " {
                    assert_eq!(shown.fgcolor(), color(drawn.fg), "at {x},{y} {symbol}");
                    assert_eq!(shown.bold(), drawn.modifier.contains(Modifier::BOLD), "at {x},{y} {symbol}");
                }
                x += if shown.is_wide() { 2 } else { 1 };
            }
        }
    }

    /// The bytes of each frame, on top of those before it, make the terminal show exactly the
    /// buffer.
    #[test]
    fn the_terminal_shows_what_was_drawn() {
        for size in [(60, 16), (80, 24), (120, 40), (200, 60)] {
            let mut terminal = vt100::Parser::new(size.1.try_into().unwrap(), size.0.try_into().unwrap(), 0);
            let mut drawn = Buffer::empty(Rect::new(0, 0, size.0, size.1));
            let mut first = true;
            for sample in [
                Sample::Normal,
                Sample::Extreme,
                Sample::Empty,
                Sample::Stale,
                Sample::Extreme,
                Sample::Foreign,
            ] {
                for key in ['1', '3', '4', '?'] {
                    let next = buffer(sample, key, size);
                    terminal.process(&frame_bytes(&drawn, &next, first).expect("into memory"));
                    assert_shows(&terminal, &next);
                    drawn = next;
                    first = false;
                }
            }
        }
    }

    #[test]
    fn the_same_picture_sends_nothing() {
        let drawn = buffer(Sample::Normal, '1', (120, 40));
        assert_eq!(
            frame_bytes(&drawn, &buffer(Sample::Normal, '1', (120, 40)), false).expect("into memory"),
            b""
        );
    }

    #[test]
    fn a_frame_is_one_synchronised_update() {
        let bytes =
            frame_bytes(&buffer(Sample::Empty, '1', (80, 24)), &buffer(Sample::Normal, '1', (80, 24)), false);
        let text = String::from_utf8(bytes.expect("into memory")).expect("UTF-8");
        assert!(text.starts_with("\u{1b}[?2026h") && text.ends_with("\u{1b}[?2026l"));
    }
}
