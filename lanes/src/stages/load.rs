//! Rows to the database.

use events::Topic;

use super::super::batch::{load, neighbours};
use super::files::{Extracted, Loaded, Stage, Transformed};
use super::{WindowError, WindowRun};
use crate::warehouse::{Run, RunOffsets, TableRows, Warehouse};

impl WindowRun<'_> {
    /// Loads `rows.jsonl` and the run's line in the run log, all or nothing. Loading it again
    /// changes nothing.
    pub fn load(&self, warehouse: &mut dyn Warehouse) -> Result<Loaded, WindowError> {
        let extracted: Extracted = self.files.left_by(Stage::Extract)?;
        let _: Transformed = self.files.left_by(Stage::Transform)?;
        self.files.begin(Stage::Load)?;
        let rows =
            self.files.open("rows.jsonl")?.with(|from| TableRows::read_jsonl(from, &self.config.marts))?;
        // Asked again: another run may have been loaded since these records were extracted.
        neighbours(warehouse, &self.config.job, self.window, self.backoff(), self.control)?;
        let run = run(&extracted);
        let loaded = Loaded { rows: load(warehouse, &run, &rows, self.backoff(), self.control)? };
        self.files.done(Stage::Load, &loaded)?;
        Ok(loaded)
    }
}

/// The run as the run log has it.
pub(super) fn run(extracted: &Extracted) -> Run {
    let offsets = extracted.offsets.iter().filter_map(|read| {
        Some(RunOffsets {
            topic: Topic::named(&read.topic)?,
            partition: read.partition,
            settled: read.settled,
            end: read.end,
        })
    });
    Run {
        job: extracted.job.clone(),
        batch_id: extracted.batch_id.clone(),
        window_start: extracted.window_start,
        window_end: extracted.window_end,
        records: extracted.records,
        started_at: extracted.started_at,
        offsets: offsets.collect(),
    }
}
