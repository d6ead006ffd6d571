//! What the run log knows of earlier runs.

use events::{Timestamp, Topic};
use processor::mart::Kind;

use super::{RunOffsets, Warehouse, WarehouseError, sql};

/// A run that was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedRun {
    /// Which run.
    pub batch_id: String,
    /// First instant of event time in its window.
    pub window_start: Timestamp,
    /// First instant of event time after it.
    pub window_end: Timestamp,
    /// Records it processed.
    pub records: i64,
    /// Rows it loaded.
    pub rows: i64,
    /// How often it was loaded.
    pub attempts: i64,
    /// When its first attempt began, or the first after one that ended, in wall-clock time.
    pub started_at: Option<Timestamp>,
    /// When its answers were out, in wall-clock time; none when they may not be.
    pub finished_at: Option<Timestamp>,
    /// From when they could be seen, in event time.
    pub visible_from: Option<Timestamp>,
    /// What it read. Empty for a run that was loaded before the log knew.
    pub offsets: Vec<RunOffsets>,
}

/// The runs of `job` whose windows overlap that from `start` to `end`, or touch it, by their
/// windows.
pub fn runs_near(
    warehouse: &mut dyn Warehouse,
    job: &str,
    start: Timestamp,
    end: Timestamp,
) -> Result<Vec<LoggedRun>, WarehouseError> {
    use Kind::{Instant, Integer, Text};
    let kinds = [Text, Instant, Instant, Integer, Integer, Integer, Instant, Instant, Instant];
    let found = warehouse.query(sql::RUNS_NEAR, &[job.into(), start.into(), end.into()], &kinds)?;
    let mut runs = Vec::new();
    for cells in found {
        let Some(batch_id) = cells[0].text().map(ToOwned::to_owned) else { continue };
        let (Some(window_start), Some(window_end)) = (cells[1].instant(), cells[2].instant()) else {
            continue;
        };
        let offsets = warehouse
            .query(sql::OFFSETS_OF, &[batch_id.as_str().into()], &[Text, Integer, Integer, Integer])?
            .into_iter()
            .filter_map(|cells| {
                let topic = cells[0].text()?;
                Some(RunOffsets {
                    topic: Topic::named(topic)?,
                    partition: cells[1].integer()? as i32,
                    settled: cells[2].integer()?,
                    end: cells[3].integer()?,
                })
            })
            .collect();
        runs.push(LoggedRun {
            batch_id,
            window_start,
            window_end,
            records: cells[3].integer().unwrap_or(0),
            rows: cells[4].integer().unwrap_or(0),
            attempts: cells[5].integer().unwrap_or(1),
            finished_at: cells[6].instant(),
            visible_from: cells[7].instant(),
            started_at: cells[8].instant(),
            offsets,
        });
    }
    Ok(runs)
}

/// A topic in a file, by its name.
pub(super) mod topic_name {
    use events::Topic;
    use serde::de::{Deserialize as _, Deserializer, Error as _};
    use serde::ser::Serializer;

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it a reference")]
    pub(crate) fn serialize<S: Serializer>(topic: &Topic, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(topic.name())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Topic, D::Error> {
        let name = String::deserialize(from)?;
        Topic::named(&name).ok_or_else(|| D::Error::custom(format!("{name:?} is no topic of ours")))
    }
}
