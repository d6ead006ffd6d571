//! What a table consists of: columns, and what an upsert does with a row that exists already.

use events::Timestamp;

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

/// What an *upsert* does with a column when the row's key exists already: the `ON CONFLICT` of SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflict {
    /// The column is a part of the key.
    Key,
    /// The new value counts, unless it is unknown. Of two runs that know the value the later run's
    /// counts, also when the earlier one is run once more.
    Overwrite,
    /// The existing value counts, unless it is unknown.
    KeepExisting,
    /// The later run's value counts, known or not, so that a row comes as a whole from one run.
    /// For rows of which a later run knows more: a candle, say, that a late trade corrects.
    TakeLaterRow,
    /// The greater value counts: of two runs' ids that of the later window. So a window that is
    /// run again changes nothing.
    Greatest,
}

/// A column of a table.
#[derive(Debug)]
pub struct Column {
    /// What it is called.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What an upsert does with an existing value.
    pub on_conflict: OnConflict,
}

/// A table that runs load.
#[derive(Debug)]
pub struct Table {
    /// What it is called; no other mart has one of this name.
    pub name: &'static str,
    /// Each row belongs to one run: loading the run again takes away what it left before.
    pub by_run: bool,
    /// Its columns, at least one of which is part of the key.
    pub columns: &'static [Column],
}

/// A part of the key.
pub const fn key(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, on_conflict: OnConflict::Key }
}

/// A column with [`OnConflict::Overwrite`].
pub const fn overwrite(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, on_conflict: OnConflict::Overwrite }
}

/// A column with [`OnConflict::KeepExisting`].
pub const fn keep_existing(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, on_conflict: OnConflict::KeepExisting }
}

/// A column with [`OnConflict::TakeLaterRow`].
pub const fn take_later_row(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, on_conflict: OnConflict::TakeLaterRow }
}

/// The run that touched the row last.
pub const BATCH_ID: Column = Column { name: "batch_id", kind: Kind::Text, on_conflict: OnConflict::Greatest };

/// The rows of one table, with a cell for every column.
pub type RowsOfTable = Vec<Vec<Cell>>;

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
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The instant, if it is one.
    pub fn instant(&self) -> Option<Timestamp> {
        if let Self::Instant(at) = self { Some(*at) } else { None }
    }

    /// The whole number, if it is one.
    pub fn integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    /// The number, if it is one that may have a fraction.
    pub fn real(&self) -> Option<f64> {
        if let Self::Real(number) = self { Some(*number) } else { None }
    }

    /// A sum or a count; 0 where there was nothing to add.
    pub fn count(&self) -> i64 {
        self.integer().unwrap_or(0)
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
