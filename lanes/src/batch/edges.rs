//! Where the edge between two windows lies in the log: the same for a schedule and by hand.
//!
//! An edge that was made is kept. It stands in the run log, with the rows of the run that made it:
//! at the end of the window before, and at the beginning of the one behind. Only where no run has
//! made it yet it is looked for in the log. See [`OffsetSearcher::edge`].

use client::Admin;
use events::Timestamp;

use super::super::commit_metadata::{CommitMetadata, PartitionId};
use super::super::offsets::{InputEnds, partitions_of};
use super::super::rebuild::OffsetSearcher;
use super::super::window::Window;
use super::BatchConfig;
use crate::BatchError;
use crate::warehouse::{LoggedRun, RunOffsets};

/// How much later than the end of a run, in milliseconds of wall-clock time, a record that it read
/// may have been sent: clocks of several machines differ.
const CLOCKS_DIFFER_MS: i64 = 60_000;

/// The edges of one window, in all partitions.
pub(super) struct Edges<'a> {
    pub(super) window: Window,
    /// How long after its end the window is left open, in milliseconds of event time.
    pub(super) grace_ms: i64,
    /// Runs around the window.
    pub(super) known: &'a [LoggedRun],
}

impl Edges<'_> {
    /// Where it begins, in a partition that `searcher` looks into and that reaches between the
    /// offsets of `log`: what is older than the window and before that belongs to windows before.
    pub(super) fn start(
        &self,
        searcher: &mut OffsetSearcher,
        place: PartitionId,
        log: (i64, i64),
    ) -> Result<i64, BatchError> {
        let at = self.window.start;
        let begun = self.known.iter().filter(|run| run.window_start == at);
        let ended = self.known.iter().filter(|run| run.window_end == at);
        let known = begun.filter_map(|run| Some(read(run, place)?.settled));
        match known.chain(ended.filter_map(|run| Some(read(run, place)?.end))).next() {
            Some(settled) => Ok(settled),
            None => Ok(searcher.edge(log, log.0, at.plus_ms(self.grace_ms))?),
        }
    }

    /// Where it ends: the first offset that its run does not look at. It begins at `settled`.
    pub(super) fn end(
        &self,
        searcher: &mut OffsetSearcher,
        place: PartitionId,
        settled: i64,
        log: (i64, i64),
    ) -> Result<i64, BatchError> {
        let at = self.window.end;
        let ended = self.known.iter().filter(|run| run.window_end == at);
        let begun = self.known.iter().filter(|run| run.window_start == at);
        let known = ended.filter_map(|run| Some(read(run, place)?.end));
        let end = match known.chain(begun.filter_map(|run| Some(read(run, place)?.settled))).next() {
            Some(end) => end,
            None => searcher.edge(log, settled.max(log.0), at.plus_ms(self.grace_ms))?,
        };
        Ok(end.max(settled))
    }
}

/// What `run` read of a partition.
fn read(run: &LoggedRun, place: PartitionId) -> Option<RunOffsets> {
    run.offsets.iter().find(|read| (read.topic, read.partition) == place).copied()
}

/// Whether `run` read this partition, which reaches from `earliest` to `latest`, and not one of the
/// same name that is gone: by a database that outlived its cluster.
pub(super) fn is_of_this_log(
    run: &LoggedRun,
    searcher: &mut OffsetSearcher,
    place: PartitionId,
    (earliest, latest): (i64, i64),
) -> Result<bool, BatchError> {
    let Some(RunOffsets { end, .. }) = read(run, place) else { return Ok(true) };
    if end > latest {
        return Ok(false);
    }
    let ended = run.finished_at.max(run.started_at).map(|at| at.plus_ms(CLOCKS_DIFFER_MS));
    let sent = searcher.sent(earliest, end)?;
    // A run has not read what was sent when it was over.
    Ok(ended.is_none_or(|ended| sent.is_none_or(|sent| sent <= ended)))
}

/// The run that the job of this name has begun on its schedule and not loaded, by its commits.
pub(super) fn begun_run(
    config: &BatchConfig,
    admin: &Admin,
    inputs: &InputEnds,
) -> Result<Option<LoggedRun>, BatchError> {
    let commits = admin.committed(&config.job, &partitions_of(inputs.iter().map(|(place, _)| place)))?;
    let mut begun: Option<LoggedRun> = None;
    for (&((topic, partition), ends), commit) in inputs.iter().zip(commits) {
        // Of a log that was recreated since, a commit says nothing.
        let Some(commit) = commit.filter(|commit| ends.is_some_and(|ends| commit.offset <= ends.latest))
        else {
            continue;
        };
        let latest = ends.map_or(0, |ends| ends.latest);
        let marks = CommitMetadata::parse(&commit.metadata).unwrap_or_default();
        let (Some(plan), Some(start)) = (marks.plan, marks.plan_start) else { continue };
        // Anybody may commit for the group.
        if start >= plan.until {
            continue;
        }
        let run = begun.get_or_insert_with(|| unloaded(config, Window::new(start, plan.until)));
        let settled = marks.read.map_or(commit.offset, |done| done.end).min(latest);
        let end = plan.end.min(latest).max(settled);
        run.offsets.push(RunOffsets { topic, partition, settled, end });
    }
    Ok(begun)
}

fn unloaded(config: &BatchConfig, window: Window) -> LoggedRun {
    LoggedRun {
        batch_id: window.batch_id(&config.job),
        window_start: window.start,
        window_end: window.end,
        records: 0,
        rows: 0,
        attempts: 0,
        started_at: None,
        finished_at: None,
        visible_from: None,
        offsets: Vec::new(),
    }
}

/// The window of `run`.
pub(super) fn window_of(run: &LoggedRun) -> Option<Window> {
    let (start, end): (Timestamp, Timestamp) = (run.window_start, run.window_end);
    (start < end).then(|| Window::new(start, end))
}
