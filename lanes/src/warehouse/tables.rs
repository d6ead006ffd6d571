//! The tables that runs load, each said once: from here come the SQL of both databases and the form
//! of `rows.jsonl`.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use events::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// An instant: RFC 3339 in SQLite, which has no type for it; `timestamptz` in Postgres.
    Instant,
    /// 64 bits.
    Integer,
    /// A double.
    Real,
}

/// What becomes of a value when its row is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merge {
    /// It is a part of the key.
    Key,
    /// The new one, unless it is unknown.
    New,
    /// The one that is there, unless it is unknown.
    Old,
    /// The greater: of two runs the one of the later window. So a window that is run again changes
    /// nothing.
    Later,
}

/// A column of a table.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) merge: Merge,
}

/// A table that runs load.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Each row belongs to one run: loading the run again takes away what it left before.
    pub(super) by_run: bool,
    pub(super) columns: &'static [Column],
}

const fn key(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, merge: Merge::Key }
}

const fn new(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, merge: Merge::New }
}

const fn old(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, merge: Merge::Old }
}

/// The run that touched the row last.
const BY: Column = Column { name: "batch_id", kind: Kind::Text, merge: Merge::Later };

/// Every table, in the order in which they are loaded. The migrations in `schema.rs` make them.
pub(super) static TABLES: [Table; 5] = [
    Table {
        name: "trips",
        by_run: false,
        columns: &[
            key("trip_id", Kind::Text),
            new("driver_id", Kind::Text),
            new("rider_id", Kind::Text),
            new("origin_lat", Kind::Real),
            new("origin_lon", Kind::Real),
            new("destination_lat", Kind::Real),
            new("destination_lon", Kind::Real),
            new("requested_at", Kind::Instant),
            new("picked_up_at", Kind::Instant),
            new("dropped_off_at", Kind::Instant),
            new("cancelled_at", Kind::Instant),
            old("quoted_eta", Kind::Instant),
            BY,
        ],
    },
    Table {
        name: "swipes",
        by_run: false,
        columns: &[
            key("swipe_id", Kind::Text),
            new("ts", Kind::Instant),
            new("card_id", Kind::Text),
            new("terminal_id", Kind::Text),
            new("amount_cents", Kind::Integer),
            new("currency", Kind::Text),
            new("category", Kind::Text),
            new("lat", Kind::Real),
            new("lon", Kind::Real),
            new("decision", Kind::Text),
            new("probability", Kind::Real),
            BY,
        ],
    },
    Table {
        name: "chargebacks",
        by_run: false,
        columns: &[
            key("swipe_id", Kind::Text),
            old("ts", Kind::Instant),
            old("card_id", Kind::Text),
            old("terminal_id", Kind::Text),
            old("batch_id", Kind::Text),
        ],
    },
    Table {
        name: "item_hours",
        by_run: true,
        columns: &[
            key("hour", Kind::Instant),
            key("item_id", Kind::Text),
            key("batch_id", Kind::Text),
            new("views", Kind::Integer),
            new("clicks", Kind::Integer),
            new("hovers", Kind::Integer),
            new("scrolls", Kind::Integer),
            new("add_to_carts", Kind::Integer),
            new("purchases", Kind::Integer),
        ],
    },
    Table {
        name: "link_hours",
        by_run: true,
        columns: &[
            key("hour", Kind::Instant),
            key("link_id", Kind::Text),
            key("batch_id", Kind::Text),
            new("traversals", Kind::Integer),
            new("metres", Kind::Real),
            new("seconds", Kind::Real),
        ],
    },
];

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Unknown.
    Null,
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Instant`].
    Instant(Timestamp),
    /// Of [`Kind::Integer`].
    Integer(i64),
    /// Of [`Kind::Real`].
    Real(f64),
}

impl Cell {
    /// The text, if it is one.
    pub fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The instant, if it is one.
    pub fn instant(&self) -> Option<Timestamp> {
        match self {
            Self::Instant(at) => Some(*at),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    /// The number, if it is one that may have a fraction.
    pub fn real(&self) -> Option<f64> {
        match self {
            Self::Real(number) => Some(*number),
            _ => None,
        }
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&String> for Cell {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<Timestamp> for Cell {
    fn from(value: Timestamp) -> Self {
        Self::Instant(value)
    }
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

/// The rows of one run, ready to be loaded: for each of the tables, in their order, its rows with a
/// cell for every column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableRows(pub(super) [Vec<Vec<Cell>>; TABLES.len()]);

impl TableRows {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tables that have rows, with them.
    pub(super) fn tables(&self) -> impl Iterator<Item = (&'static Table, &[Vec<Cell>])> {
        TABLES.iter().zip(&self.0).map(|(table, rows)| (table, rows.as_slice()))
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

    /// Reads what [`write_jsonl`](Self::write_jsonl) wrote. The error is of kind `InvalidData`
    /// where a line is not a row of ours, and says which.
    pub fn read_jsonl(from: impl BufRead) -> io::Result<Self> {
        let mut all = Self::default();
        for (number, line) in from.lines().enumerate() {
            let broken = |what: String| {
                io::Error::new(io::ErrorKind::InvalidData, format!("line {}: {what}", number + 1))
            };
            let line = line?;
            let row: BTreeMap<String, &RawValue> =
                serde_json::from_str(&line).map_err(|error| broken(error.to_string()))?;
            let name: String =
                row.get("table").and_then(|name| serde_json::from_str(name.get()).ok()).unwrap_or_default();
            let Some(place) = TABLES.iter().position(|table| table.name == name) else {
                return Err(broken(format!("no table is called `{name}`")));
            };
            let cells = TABLES[place]
                .columns
                .iter()
                .map(|column| {
                    let text = row.get(column.name).map_or("null", |value| value.get());
                    read_cell(column, text).ok_or_else(|| broken(format!("{} cannot be {text}", column.name)))
                })
                .collect::<io::Result<_>>()?;
            all.0[place].push(cells);
        }
        Ok(all)
    }
}

/// Numbers are read by Rust's own parser: `serde_json`'s may miss the last bit of a double.
fn read_cell(column: &Column, text: &str) -> Option<Cell> {
    let string = || serde_json::from_str::<String>(text).ok();
    Some(match column.kind {
        _ if text == "null" && column.merge != Merge::Key => Cell::Null,
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
        let rows = TableRows::read_jsonl(text.as_bytes()).unwrap();
        assert_eq!(rows.len(), 2);
        let mut written = Vec::new();
        rows.write_jsonl(&mut written).unwrap();
        assert_eq!(TableRows::read_jsonl(written.as_slice()).unwrap(), rows);
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
            let error = TableRows::read_jsonl(text.as_bytes()).unwrap_err();
            assert!(error.to_string().starts_with(words), "{error}");
        }
    }
}
