//! The rows of one run, whatever business it is of.

use events::Event;
use processor::mart::{Mart, MartRows};

use super::TableRows;

/// What one run loads into some marts.
#[derive(Debug)]
pub struct Rows {
    marts: Vec<(&'static Mart, Box<dyn MartRows>)>,
}

impl Rows {
    /// No rows yet.
    pub fn new(marts: &[&'static Mart]) -> Self {
        Self { marts: marts.iter().map(|&mart| (mart, (mart.rows)())).collect() }
    }

    /// Adds what an event, read or answered, has to say to the tables. Most have nothing.
    pub fn add(&mut self, event: &Event) {
        let Some(business) = event.business() else { return };
        if let Some((_, rows)) = self.marts.iter_mut().find(|(mart, _)| mart.business == business) {
            rows.add(event);
        }
    }

    /// The rows as the tables hold them, said by the run `batch_id`.
    pub fn tables(&self, batch_id: &str) -> TableRows {
        let tables = self.marts.iter().flat_map(|(mart, rows)| {
            let rows = rows.tables(batch_id);
            assert_eq!(rows.len(), mart.tables.len(), "the rows of each table of {:?}", mart.business);
            mart.tables.iter().zip(rows)
        });
        TableRows(tables.collect())
    }
}
