//! Rows to the database, as often as it takes.

use events::Timestamp;

use super::super::retry::{Backoff, patiently};
use super::super::window::Window;
use crate::warehouse::{LoggedRun, Run, TableRows, Warehouse, WarehouseError, runs_near};
use crate::{BatchError, Control, Wish};

/// Loads the rows of a run. A stop while the database is away leaves the run to the job's next
/// life.
pub(in super::super) fn load(
    warehouse: &mut dyn Warehouse,
    run: &Run,
    rows: &TableRows,
    backoff: Backoff,
    control: &Control,
) -> Result<u64, BatchError> {
    patiently(backoff, control, || warehouse.load(run, rows))
        .map_err(|error| interrupted(error, &run.batch_id, control))
}

/// Notes when the answers of a run were out.
pub(in super::super) fn finish(
    warehouse: &mut dyn Warehouse,
    batch_id: &str,
    (finished_at, visible_from): (Timestamp, Timestamp),
    backoff: Backoff,
    control: &Control,
) -> Result<(), BatchError> {
    patiently(backoff, control, || warehouse.finish(batch_id, finished_at, visible_from))
        .map_err(|error| interrupted(error, batch_id, control))
}

/// The runs that the database knows around `window`, which must not overlap it unless they are the
/// same.
pub(in super::super) fn neighbours(
    warehouse: &mut dyn Warehouse,
    job: &str,
    window: Window,
    backoff: Backoff,
    control: &Control,
) -> Result<Vec<LoggedRun>, BatchError> {
    let batch_id = window.batch_id(job);
    let near = patiently(backoff, control, || runs_near(warehouse, job, window.start, window.end))
        .map_err(|error| interrupted(error, &batch_id, control))?;
    let same = |run: &LoggedRun| run.window_start == window.start && run.window_end == window.end;
    let overlaps = |run: &LoggedRun| run.window_start < window.end && run.window_end > window.start;
    match near.iter().find(|run| overlaps(run) && !same(run)) {
        Some(other) => Err(BatchError::Overlap {
            start: window.start,
            end: window.end,
            other: other.batch_id.clone(),
            other_start: other.window_start,
            other_end: other.window_end,
        }),
        None => Ok(near),
    }
}

fn interrupted(error: WarehouseError, batch_id: &str, control: &Control) -> BatchError {
    if control.wish() == Wish::Stop {
        tracing::warn!("{error}");
        BatchError::Interrupted { batch_id: batch_id.to_owned() }
    } else {
        error.into()
    }
}
