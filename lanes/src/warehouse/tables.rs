//! The rows that a run loads, and their form in `rows.jsonl`. Which tables there are is said by the
//! [marts](processor::mart).

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use processor::mart::{Cell, Column, Kind, Mart, OnConflict, RowsOfTable, Table};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The rows of one run, ready to be loaded: each table with its rows.
#[derive(Clone, Debug, Default)]
pub struct TableRows(pub(super) Vec<(&'static Table, RowsOfTable)>);

impl TableRows {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|(_, rows)| rows.len()).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tables that have rows, with them.
    pub(super) fn tables(&self) -> impl Iterator<Item = (&'static Table, &[Vec<Cell>])> {
        self.0.iter().map(|(table, rows)| (*table, rows.as_slice()))
    }

    /// Writes a line a row: `{"table":"swipes","swipe_id":…}`. Unknown values are left out.
    pub fn write_jsonl(&self, to: &mut impl Write) -> io::Result<()> {
        for (table, rows) in self.tables() {
            for row in rows {
                let mut line = Map::new();
                line.insert("table".to_owned(), table.name.into());
                for (column, cell) in table.columns.iter().zip(row) {
                    let value = match cell {
                        Cell::Null => continue,
                        Cell::Text(text) => Value::from(text.as_str()),
                        Cell::Instant(at) => Value::from(at.to_string()),
                        Cell::Integer(number) => Value::from(*number),
                        Cell::Real(number) => Value::from(*number),
                    };
                    line.insert(column.name.to_owned(), value);
                }
                serde_json::to_writer(&mut *to, &line)?;
                to.write_all(b"\n")?;
            }
        }
        Ok(())
    }

    /// Reads what [`write_jsonl`](Self::write_jsonl) wrote of these marts. The error is of kind
    /// `InvalidData` where a line is not a row of ours, and says which.
    pub fn read_jsonl(from: impl BufRead, marts: &[&'static Mart]) -> io::Result<Self> {
        let mut all =
            Self(marts.iter().flat_map(|mart| mart.tables).map(|table| (table, Vec::new())).collect());
        for (number, line) in from.lines().enumerate() {
            let broken = |what: String| {
                io::Error::new(io::ErrorKind::InvalidData, format!("line {}: {what}", number + 1))
            };
            let line = line?;
            let row: BTreeMap<String, &RawValue> =
                serde_json::from_str(&line).map_err(|error| broken(error.to_string()))?;
            let name: String =
                row.get("table").and_then(|name| serde_json::from_str(name.get()).ok()).unwrap_or_default();
            let Some((table, rows)) = all.0.iter_mut().find(|(table, _)| table.name == name) else {
                return Err(broken(format!("no table is called `{name}`")));
            };
            let cells = table
                .columns
                .iter()
                .map(|column| {
                    let text = row.get(column.name).map_or("null", |value| value.get());
                    read_cell(column, text).ok_or_else(|| broken(format!("{} cannot be {text}", column.name)))
                })
                .collect::<io::Result<_>>()?;
            rows.push(cells);
        }
        Ok(all)
    }
}

/// Numbers are read by Rust's own parser: `serde_json`'s may miss the last bit of a double.
fn read_cell(column: &Column, text: &str) -> Option<Cell> {
    let string = || serde_json::from_str::<String>(text).ok();
    Some(match column.kind {
        _ if text == "null" && column.on_conflict != OnConflict::Key => Cell::Null,
        Kind::Text => Cell::Text(string()?),
        Kind::Instant => Cell::Instant(string()?.parse().ok()?),
        Kind::Integer => Cell::Integer(text.parse().ok()?),
        Kind::Real => Cell::Real(text.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_they_were_written() {
        let text = concat!(
            r#"{"table":"swipes","swipe_id":"s1","card_id":"c","amount_cents":100,"probability":0.1,"batch_id":"b"}"#,
            "\n",
            r#"{"table":"item_hours","hour":"2026-03-03T11:00:00.000Z","item_id":"i","batch_id":"b","views":1,"clicks":0,"hovers":0,"scrolls":0,"add_to_carts":0,"purchases":2}"#,
            "\n",
        );
        let rows = TableRows::read_jsonl(text.as_bytes(), &crate::toy::MARTS).unwrap();
        assert_eq!(rows.len(), 2);
        let mut written = Vec::new();
        rows.write_jsonl(&mut written).unwrap();
        let again = TableRows::read_jsonl(written.as_slice(), &crate::toy::MARTS).unwrap();
        assert!(again.tables().map(|(_, rows)| rows).eq(rows.tables().map(|(_, rows)| rows)));
    }

    #[test]
    fn a_line_that_is_no_row_says_where_and_why() {
        for (text, words) in [
            ("swipe", "line 1: expected"),
            (r#"{"table":"secrets"}"#, "line 1: no table is called `secrets`"),
            (r#"{"table":"swipes","card_id":"c"}"#, "line 1: swipe_id cannot be null"),
            (
                r#"{"table":"swipes","swipe_id":"s","amount_cents":"1"}"#,
                r#"line 1: amount_cents cannot be "1""#,
            ),
        ] {
            let error = TableRows::read_jsonl(text.as_bytes(), &crate::toy::MARTS).unwrap_err();
            assert!(error.to_string().starts_with(words), "{error}");
        }
    }
}
