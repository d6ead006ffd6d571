//! Figures in words: tables for a terminal.

use std::fmt;

/// Rows of text in columns as wide as their widest cell; numbers stand to the right.
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
        self.rows.push(cells);
    }
}

/// Whether this is a number as we write it, or the dash of one that is unknown.
fn is_number(cell: &str) -> bool {
    cell == "–" || cell.replace(',', "").replace('−', "-").parse::<f64>().is_ok()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows[0].len();
        let width =
            |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let numeric: Vec<bool> = (0..columns)
            .map(|column| {
                let mut cells = self.rows[1..].iter().map(|row| row[column].as_str()).peekable();
                cells.peek().is_some() && cells.all(is_number)
            })
            .collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let width = widths[column];
                line +=
                    &if numeric[column] { format!("{cell:>width$}  ") } else { format!("{cell:<width$}  ") };
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
    }
}
