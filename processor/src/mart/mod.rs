//! What one business keeps in the warehouse: a *data mart*.
//!
//! The warehouse (in `lanes`) knows how rows are merged, how runs are remembered and how two
//! databases differ. Which tables there are, which rows an event makes and what can be asked of
//! them is said by each business, in the `mart.rs` of its domain. Everything here is plain data and
//! plain functions: a domain declares its tables and never sees a database.
//!
//! ```text
//! events of a run --MartRows--> rows of its tables --warehouse--> SQLite or Postgres
//!                                   Query <--warehouse-- freshet report
//! ```
//!
//! # Simplifications
//! - A query has one statement that both databases understand, and its answer fits in memory.
//! - There are no foreign keys between marts, nor inside one: rows of a table come in any order.

mod table;

use std::fmt::{self, Debug};

use events::{Business, Event, HOUR_MS, Timestamp};
use serde_json::Value;

pub use table::{
    BATCH_ID, Cell, Column, Kind, OnConflict, RowsOfTable, Table, keep_existing, key, overwrite,
    take_later_row,
};

/// One business's part of the warehouse.
#[derive(Debug)]
pub struct Mart {
    /// Whose events make the rows.
    pub business: Business,
    /// Its tables, in the order in which they are loaded.
    pub tables: &'static [Table],
    /// The steps that make or change them, in order. What is released is never edited.
    pub migrations: &'static [Migration],
    /// Gathers the rows of one run.
    pub rows: fn() -> Box<dyn MartRows>,
    /// What `freshet report` asks of them.
    pub queries: &'static [Query],
}

/// A step that brings the schema one version further.
#[derive(Debug)]
pub struct Migration {
    /// The version that the schema of the whole warehouse has after it. A business that comes later
    /// takes the next free one; those that were released together may share one.
    pub version: i64,
    /// Statements, with `{instant}`, `{integer}`, `{real}`, `{strict}` and `{by_key}` where the
    /// databases differ: three types, and what stands behind a table and behind one that is found
    /// by its key alone.
    pub sql: &'static str,
}

/// The rows of one run in the tables of one mart, gathered from its events as `GROUP BY` would.
pub trait MartRows: Debug + Send {
    /// Adds what an event, read or answered, has to say to the tables. Most have nothing.
    fn add(&mut self, event: &Event);

    /// The rows of each of the mart's tables, said by the run `batch_id`.
    fn tables(&self, batch_id: &str) -> Vec<RowsOfTable>;
}

/// A question that can be asked of the rows.
#[derive(Debug)]
pub struct Query {
    /// Where it stands among the questions to all marts: the lowest first.
    pub order: u8,
    /// What it is about.
    pub title: &'static str,
    /// Said where it has no line; where this is empty too, the question is left out.
    pub empty: &'static str,
    /// What each column is called.
    pub headings: &'static [&'static str],
    /// What a line is called in JSON, as its `type`.
    pub kind: &'static str,
    /// One statement. `$1` is the first instant that is asked for and `$2` the first after it.
    pub sql: &'static str,
    /// Whether it is about whole hours, and takes as `$3` how many lines are wanted.
    pub top_by_hour: bool,
    /// What each column of the statement's rows holds.
    pub columns: &'static [Kind],
    /// A row of the statement as a line of the answer; it has a cell for each of `columns`.
    pub line: fn(&Question<'_>, &[Cell]) -> Line,
}

/// What a person asks of every mart.
pub struct Question<'a> {
    /// First instant of event time.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// How many of the busiest roads, best sellers and so on.
    pub top: u32,
    /// The street of a link of the map; none where it has no such link, or no name for it.
    pub street: &'a dyn Fn(&str) -> Option<String>,
}

/// One line of an answer, as a person reads it and as a program does.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// One for each heading.
    pub text: Vec<String>,
    /// The same as a JSON object: amounts in cents, speeds in metres a second.
    pub json: Value,
}

impl Query {
    /// The values of `$1`, `$2` and, where it takes one, `$3`.
    pub fn parameters(&self, question: &Question<'_>) -> Vec<Cell> {
        if self.top_by_hour {
            vec![question.start.floor(HOUR_MS).into(), question.end.into(), i64::from(question.top).into()]
        } else {
            vec![question.start.into(), question.end.into()]
        }
    }
}

impl Query {
    /// The statement with its values in it, to be pasted into `sqlite3` or `psql`.
    pub fn pasted(&self, question: &Question<'_>) -> String {
        let mut sql = self.sql.trim().to_owned();
        for (number, value) in (1..).zip(self.parameters(question)) {
            let value = match value {
                Cell::Null => "NULL".to_owned(),
                Cell::Text(text) => format!("'{}'", text.replace('\'', "''")),
                Cell::Instant(at) => format!("'{at}'"),
                Cell::Integer(number) => number.to_string(),
                Cell::Real(number) => number.to_string(),
            };
            sql = sql.replace(&format!("${number}"), &value);
        }
        sql + ";"
    }
}

impl Debug for Question<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, end, top, street: _ } = self;
        f.debug_struct("Question")
            .field("start", start)
            .field("end", end)
            .field("top", top)
            .finish_non_exhaustive()
    }
}
