//! Tables of text, for a terminal.

use std::fmt;

use crate::cells::{fit, text_width, width};
use crate::safe::escape;

/// The widest column, in cells: a name of 30,000 characters must not push the others off the
/// screen.
const WIDEST: u16 = 100;

/// Rows of text in columns as wide as their widest cell; numbers are aligned at the right.
///
/// Every cell is made harmless: control characters are escaped, a line feed too, characters without
/// a width are dropped, and what is wider than any column ends in `…`.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these heads and no rows.
    pub fn new(heads: &[&str]) -> Self {
        Self { rows: vec![heads.iter().map(ToString::to_string).collect()] }
    }

    /// A row of as many cells as there are heads.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.push(cells.into());
    }

    /// A row whose length only its maker knows; as many cells as there are heads.
    pub fn push(&mut self, cells: Vec<String>) {
        assert_eq!(cells.len(), self.rows[0].len(), "a cell for every head");
        self.rows.push(cells.into_iter().map(|cell| harmless(&cell)).collect());
    }
}

fn harmless(cell: &str) -> String {
    let escaped: String = escape(cell).chars().filter(|char| width(*char) > 0).collect();
    fit(&escaped, WIDEST).into_owned()
}

/// Whether this is a number as we write it, its upper bound (`≤ 1,204`), or the dash of one that is
/// unknown.
fn is_number(cell: &str) -> bool {
    let cell = cell.strip_prefix("≤ ").unwrap_or(cell);
    cell == "–" || cell.replace([',', '$'], "").replace('−', "-").parse::<f64>().is_ok()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows[0].len();
        let widest = |column: usize| self.rows.iter().map(|row| text_width(&row[column])).max().unwrap_or(0);
        let widths: Vec<u16> = (0..columns).map(widest).collect();
        let numeric: Vec<bool> = (0..columns)
            .map(|column| {
                let mut cells = self.rows[1..].iter().map(|row| row[column].as_str()).peekable();
                cells.peek().is_some() && cells.all(is_number)
            })
            .collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let free = " ".repeat(usize::from(widths[column] - text_width(cell)));
                line += &if numeric[column] { format!("{free}{cell}  ") } else { format!("{cell}{free}  ") };
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up() {
        let mut table = Table::new(&["group", "lag"]);
        table.row(["eta".into(), "12".into()]);
        table.row(["recommendations".into(), "–".into()]);
        assert_eq!(table.to_string(), "group            lag\neta               12\nrecommendations    –\n");
        let mut table = Table::new(&["topic", "records"]);
        table.row(["clicks".into(), "12".into()]);
        table.row(["traffic".into(), "≤ 1,204".into()]);
        assert_eq!(table.to_string(), "topic    records\nclicks        12\ntraffic  ≤ 1,204\n");
        let mut table = Table::new(&["lane", "lost"]);
        table.row(["stream".into(), "−$5.00".into()]);
        table.row(["batch".into(), "$1,204.50".into()]);
        assert_eq!(table.to_string(), "lane         lost\nstream     −$5.00\nbatch   $1,204.50\n");
    }

    #[test]
    fn a_cell_is_one_line_of_one_width_whatever_it_says() {
        let mut table = Table::new(&["group", "state"]);
        table.row(["a\u{1b}[2J\nforged  Stable".into(), "Empty".into()]);
        table.row(["背包".into(), "Stable".into()]);
        table.row(["G".repeat(30_000), "Dead".into()]);
        table.row([format!("e{}", "\u{301}".repeat(3_000)), "Empty".into()]);
        let text = table.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 5, "{text}");
        assert!(lines[1].starts_with("a\\u{1b}[2J\\nforged  Stable  "), "{text}");
        for line in &lines {
            let state = line.rsplit("  ").next().expect("a last column");
            assert_eq!(text_width(line) - text_width(state), 102, "the second column begins there: {line}");
        }
    }
}
