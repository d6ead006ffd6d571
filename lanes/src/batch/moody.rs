//! A database for a test, which is full, or in whose middle the job dies.

use events::Timestamp;

use crate::toy::MARTS;
use crate::warehouse::{Run, TableRows, Warehouse, WarehouseError, open};
use processor::mart::{Cell, Kind};

/// A database that has its moods.
pub(super) struct Moody {
    pub(super) inner: Box<dyn Warehouse>,
    pub(super) dies: Option<When>,
    /// How often it says that it is full before it takes anything.
    pub(super) full: u32,
    /// What it was asked to load.
    pub(super) attempts: u32,
}

/// When the job dies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum When {
    BeforeLoading,
    BeforePublishing,
    AfterPublishing,
}

impl Moody {
    pub(super) fn open(database: &str) -> Self {
        Self { inner: open(database, &MARTS).unwrap(), dies: None, full: 0, attempts: 0 }
    }

    fn die(&self, when: When) {
        if self.dies == Some(when) {
            std::panic::resume_unwind(Box::new("the end"));
        }
    }
}

impl Warehouse for Moody {
    fn load(&mut self, run: &Run, rows: &TableRows) -> Result<u64, WarehouseError> {
        self.attempts += 1;
        self.die(When::BeforeLoading);
        if self.attempts <= self.full {
            return Err(WarehouseError::Full { database: "w.db".to_owned() });
        }
        let loaded = self.inner.load(run, rows)?;
        self.die(When::BeforePublishing);
        Ok(loaded)
    }

    fn finish(&mut self, batch_id: &str, at: Timestamp, from: Timestamp) -> Result<(), WarehouseError> {
        self.die(When::AfterPublishing);
        self.inner.finish(batch_id, at, from)
    }

    fn query(
        &mut self,
        sql: &str,
        values: &[Cell],
        kinds: &[Kind],
    ) -> Result<Vec<Vec<Cell>>, WarehouseError> {
        self.inner.query(sql, values, kinds)
    }
}
