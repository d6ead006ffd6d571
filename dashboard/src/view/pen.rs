//! What every view draws with: text that stays in its place, frames, bars and sparklines.
//!
//! Everything here is clipped to the buffer, so that a view cannot panic at any size and only has
//! to look good.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use crate::state::message::Hit;
use crate::view::theme::{Role, Styles, Theme};
use text::{clean, fit, fit_id, text_width, width};

/// A buffer and the styles to draw with.
pub(crate) struct Pen<'a> {
    pub(crate) buf: &'a mut Buffer,
    styles: Styles,
    /// Everything is drawn dim: this pane's source stopped answering.
    pub(crate) faded: bool,
    /// What is drawn where, for the mouse; what was drawn last is on top.
    pub(crate) hits: Vec<(Rect, Hit)>,
}

/// A line made of pieces.
pub(crate) type Pieces = Vec<(String, Role)>;

/// The texts in a pane's border.
#[derive(Default)]
pub(crate) struct Frame {
    /// Top left: the number, the name, and what it counts.
    pub(crate) number: Option<char>,
    pub(crate) name: String,
    pub(crate) note: String,
    /// Top right.
    pub(crate) right: Pieces,
    /// Bottom right.
    pub(crate) foot: Pieces,
    /// Bottom left, where there is room for both.
    pub(crate) legend: Pieces,
    pub(crate) focused: bool,
}

impl<'a> Pen<'a> {
    pub(crate) fn new(buf: &'a mut Buffer, theme: Theme) -> Self {
        Pen { buf, styles: theme.styles(), faded: false, hits: Vec::new() }
    }

    pub(crate) fn style(&self, role: Role) -> Style {
        let keeps_its_look = matches!(role, Role::Cursor | Role::Focus);
        let shown = if self.faded && !keeps_its_look { Role::Dim } else { role };
        self.styles[shown as usize]
    }

    /// Writes a text into at most `cells` cells; what does not fit ends in `…`. Returns the column
    /// after it.
    pub(crate) fn text(&mut self, x: u16, y: u16, cells: u16, text: &str, role: Role) -> u16 {
        let area = self.buf.area;
        if y < area.y || y >= area.bottom() || x < area.x || x >= area.right() || cells == 0 {
            return x;
        }
        let cells = cells.min(area.right() - x);
        let cleaned = clean(text);
        let style = self.style(role);
        let mut at = x;
        for char in fit(&cleaned, cells).chars() {
            self.put(at, y, char, style);
            at += width(char);
        }
        at
    }

    /// Writes an id, whose end identifies it. Returns the column after it.
    pub(crate) fn id(&mut self, x: u16, y: u16, cells: u16, id: &str, role: Role) -> u16 {
        self.text(x, y, cells, &fit_id(&clean(id), cells), role)
    }

    /// Puts a character into its cell or two: a new look, on whatever background is there (the
    /// cursor's, mostly).
    fn put(&mut self, x: u16, y: u16, char: char, style: Style) {
        for (at, char) in (x..x.saturating_add(width(char).max(1))).zip([Some(char), None]) {
            let Some(cell) = self.buf.cell_mut((at, y)) else { return };
            match char {
                Some(char) => cell.set_char(char),
                // The second half of a wide character is an empty cell, as ratatui keeps it.
                None => cell.set_char(' '),
            };
            cell.fg = style.fg.unwrap_or(Color::Reset);
            cell.modifier = style.add_modifier | (cell.modifier & Modifier::REVERSED);
        }
    }

    /// Writes a text so that it ends before column `end`, in at most `cells` cells. Returns its
    /// first column.
    pub(crate) fn right(&mut self, end: u16, y: u16, cells: u16, text: &str, role: Role) -> u16 {
        let cleaned = clean(text);
        let taken = text_width(&cleaned).min(cells);
        let x = end.saturating_sub(taken);
        self.text(x, y, taken, &cleaned, role);
        x
    }

    /// Writes pieces one after another. Returns the column after the last.
    pub(crate) fn pieces(&mut self, x: u16, y: u16, cells: u16, pieces: &[(String, Role)]) -> u16 {
        let end = x.saturating_add(cells);
        pieces.iter().fold(x, |x, (text, role)| self.text(x, y, end.saturating_sub(x), text, *role))
    }

    /// Writes pieces one after another; the first that does not fit whole is left out, with those
    /// after it: no fact is cut.
    pub(crate) fn whole_pieces(&mut self, mut x: u16, y: u16, cells: u16, pieces: &[(String, Role)]) {
        let end = x.saturating_add(cells);
        for (at, (text, role)) in pieces.iter().enumerate() {
            let left = end.saturating_sub(x);
            if at > 0 && text_width(&clean(text)) > left {
                return;
            }
            x = self.text(x, y, left, text, *role);
        }
    }

    /// Writes pieces so that they end before column `end`, if all of them fit into `cells`. Returns
    /// the first column.
    pub(crate) fn pieces_right(&mut self, end: u16, y: u16, cells: u16, pieces: &[(String, Role)]) -> u16 {
        let taken = pieces_width(pieces);
        if taken > cells || taken == 0 {
            return end;
        }
        let x = end.saturating_sub(taken);
        self.pieces(x, y, taken, pieces);
        x
    }

    /// The same, and of what does not fit the last pieces are left out.
    pub(crate) fn whole_pieces_right(
        &mut self,
        end: u16,
        y: u16,
        cells: u16,
        pieces: &[(String, Role)],
    ) -> u16 {
        let fitting = (0..=pieces.len()).rev().find(|&most| pieces_width(&pieces[..most]) <= cells);
        self.pieces_right(end, y, cells, &pieces[..fitting.unwrap_or(0)])
    }

    /// Sets one cell.
    pub(crate) fn cell(&mut self, x: u16, y: u16, glyph: char, role: Role) {
        let style = self.style(role);
        self.put(x, y, glyph, style);
    }

    /// Lays a style over a row: the cursor.
    pub(crate) fn highlight(&mut self, area: Rect) {
        let style = self.style(Role::Cursor);
        self.buf.set_style(area.intersection(self.buf.area), style);
    }

    /// Blanks an area, for what is drawn over something else.
    pub(crate) fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buf.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                self.buf[(x, y)].reset();
            }
            // A wide character that began left of the area would reach into it.
            if let Some(cell) = area.x.checked_sub(1).and_then(|x| self.buf.cell_mut((x, y)))
                && cell.symbol().chars().next().is_some_and(|char| width(char) > 1)
            {
                cell.set_char(' ');
            }
        }
    }

    /// Draws a pane's border and returns what is inside it.
    pub(crate) fn frame(&mut self, area: Rect, frame: &Frame) -> Rect {
        let area = area.intersection(self.buf.area);
        if area.width < 2 || area.height < 2 {
            return Rect { width: 0, height: 0, ..area };
        }
        let line = if frame.focused { Role::Focus } else { Role::Faint };
        let (left, right, top, bottom) = (area.x, area.right() - 1, area.y, area.bottom() - 1);
        for x in left + 1..right {
            self.cell(x, top, '─', line);
            self.cell(x, bottom, '─', line);
        }
        for y in top + 1..bottom {
            self.cell(left, y, '│', line);
            self.cell(right, y, '│', line);
        }
        for (x, y, corner) in [(left, top, '╭'), (right, top, '╮'), (left, bottom, '╰'), (right, bottom, '╯')]
        {
            self.cell(x, y, corner, line);
        }
        let mut title: Pieces = vec![(" ".into(), Role::Faint)];
        if let Some(number) = frame.number {
            title.push((format!("{number} "), Role::Dim));
        }
        title.push((format!("{} ", frame.name), if frame.focused { Role::Focus } else { Role::Title }));
        if !frame.note.is_empty() {
            title.push((format!(" {} ", frame.note), Role::Dim));
        }
        let room = area.width - 2;
        // The right side first: that a source stopped answering matters more than the note.
        let name_width = pieces_width(&title[..title.len() - usize::from(!frame.note.is_empty())]);
        let mut free = room;
        if !frame.right.is_empty() {
            // As much of it as fits, with a blank on either side.
            let (end, cells) = (right.saturating_sub(2), room.saturating_sub(name_width + 4));
            let start = self.whole_pieces_right(end, top, cells, &frame.right);
            if start < end {
                self.cell(end, top, ' ', Role::Faint);
                self.cell(start.saturating_sub(1), top, ' ', Role::Faint);
                free = start.saturating_sub(left + 3);
            }
        }
        if pieces_width(&title) > free {
            title.truncate(title.len() - usize::from(!frame.note.is_empty()));
        }
        self.pieces(left + 1, top, free, &title);
        free = room;
        if !frame.foot.is_empty() {
            let mut pieces = vec![(" ".to_string(), Role::Faint)];
            pieces.extend(frame.foot.iter().cloned());
            pieces.push((" ".into(), Role::Faint));
            free = self.pieces_right(right.saturating_sub(1), bottom, room, &pieces).saturating_sub(left + 3);
        }
        if !frame.legend.is_empty() && pieces_width(&frame.legend) <= free {
            self.pieces(left + 2, bottom, free, &frame.legend);
        }
        Rect::new(left + 1, top + 1, area.width - 2, area.height - 2)
    }

    /// A series as eighths of a cell, its newest value at the right; the highest of all reaches six
    /// eighths, so that the lines of neighbouring rows stay apart.
    pub(crate) fn sparkline(&mut self, x: u16, y: u16, cells: u16, series: &[f64], role: Role) {
        const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let shown = newest(series, usize::from(cells));
        let highest = shown.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
        for (at, value) in shown.iter().enumerate() {
            if !value.is_finite() {
                continue;
            }
            let level = if highest > 0.0 { (value.max(0.0) / highest * 5.0).round() as usize } else { 0 };
            let x = x + cells - shown.len() as u16 + at as u16;
            self.cell(x, y, EIGHTHS[level.min(7)], if *value > 0.0 { role } else { Role::Faint });
        }
    }

    /// A chart with axes: the highest of the values that are shown beside its top, 0 beside its
    /// bottom, and below it for how long they go back. `label` writes a value, `ago` for how many.
    pub(crate) fn graph(
        &mut self,
        area: Rect,
        series: &[f64],
        role: Role,
        (label, ago): (impl Fn(f64) -> String, impl Fn(usize) -> String),
    ) {
        let highest =
            |shown: &[f64]| shown.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
        let most = text_width(&label(highest(series))).max(5) + 1;
        if area.width < most + 20 || area.height < 4 {
            return self.chart(area, series, role);
        }
        let chart = Rect { x: area.x + most, width: area.width - most, height: area.height - 1, ..area };
        let shown = newest(series, usize::from(chart.width));
        for (y, value) in [(chart.y, highest(&shown)), (chart.bottom() - 1, 0.0)] {
            self.right(chart.x - 1, y, most - 1, &label(value), Role::Dim);
        }
        self.chart(chart, series, role);
        let axis = chart.bottom();
        let from = chart.right() - shown.len() as u16;
        for x in from..chart.right() {
            self.cell(x, axis, '─', Role::Faint);
        }
        self.right(chart.right(), axis, 4, " now", Role::Dim);
        if shown.len() > 20 {
            self.text(from, axis, 14, &format!("{} ago ", ago(shown.len())), Role::Dim);
        }
    }

    /// A series over several rows, `area.height` times as fine as a sparkline.
    pub(crate) fn chart(&mut self, area: Rect, series: &[f64], role: Role) {
        const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let area = area.intersection(self.buf.area);
        let shown = newest(series, usize::from(area.width));
        let highest = shown.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
        for (at, value) in shown.iter().enumerate().filter(|(_, value)| value.is_finite()) {
            let full = f64::from(area.height) * 8.0;
            let eighths = if highest > 0.0 { (value.max(0.0) / highest * full).round() as u16 } else { 0 };
            let x = area.right() - shown.len() as u16 + at as u16;
            for row in 0..area.height {
                let here = eighths.saturating_sub(row * 8).min(8);
                if here > 0 {
                    self.cell(x, area.bottom() - 1 - row, EIGHTHS[usize::from(here)], role);
                } else if row == 0 {
                    self.cell(x, area.bottom() - 1, '▁', Role::Faint);
                }
            }
        }
    }
}

/// The newest values, at most one a cell.
fn newest(series: &[f64], cells: usize) -> Vec<f64> {
    if cells == 0 {
        return Vec::new();
    }
    // Averaging hides bursts and stretching invents values, so a short row shows the most recent
    // stretch as it was.
    series[series.len().saturating_sub(cells)..].to_vec()
}

/// How many cells pieces take.
pub(crate) fn pieces_width(pieces: &[(String, Role)]) -> u16 {
    pieces.iter().fold(0, |sum: u16, (text, _)| sum.saturating_add(text_width(&clean(text))))
}
