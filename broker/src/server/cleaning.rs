//! Compacting logs, one after the other, on a thread of its own.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tokio::time::sleep_until;

use super::shared::Shared;
use crate::log::{CleanerConfig, CleaningStats, StorageError};
use crate::replica::PartitionHandle;

/// Cleans whichever log is dirtiest of those that are dirty enough. Sleeps while none is.
pub(super) async fn keep_clean(shared: Arc<Shared>) {
    loop {
        let due_ms = next_cleaning_ms(&shared).unwrap_or(i64::MAX);
        tokio::select! {
            () = sleep_until(shared.clock.instant(due_ms)) => {}
            () = shared.logs_kept.notified() => continue,
        }
        let now_ms = shared.clock.now_ms();
        let Some(partition) = dirtiest(&shared, now_ms) else { continue };
        let cleaner = shared.cleaner.clone();
        let cleaning = spawn_blocking(move || {
            let done = clean(&partition, &cleaner, now_ms);
            (partition, done)
        });
        // A thread that panicked has said so, and the runtime that ends needs no answer.
        let Ok((partition, done)) = cleaning.await else { return };
        match done {
            Ok(Some(CleaningStats { bytes_before, bytes_after, keys, .. })) => tracing::debug!(
                partition = %partition.name,
                "compacted {bytes_before} bytes to {bytes_after}, {keys} keys had news"
            ),
            Ok(None) => {}
            Err(error) => tracing::error!(partition = %partition.name, "not compacted: {error}"),
        }
        // Retention has waited for it.
        shared.logs_have_changed();
    }
}

fn next_cleaning_ms(shared: &Shared) -> Option<i64> {
    shared.node.replicas.all().iter().filter_map(|partition| partition.lock().next_cleaning_ms()).min()
}

fn dirtiest(shared: &Shared, now_ms: i64) -> Option<Arc<PartitionHandle>> {
    let mut due = Vec::new();
    for handle in shared.node.replicas.all() {
        let partition = handle.lock();
        if partition.next_cleaning_ms().is_some_and(|due_ms| due_ms <= now_ms) {
            let ratio = partition.dirty_ratio();
            drop(partition);
            due.push((ratio, handle));
        }
    }
    due.into_iter().max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, handle)| handle)
}

/// All of one cleaning. The partition is held for names alone, and a topic that was deleted
/// meanwhile gets none: its directory may be another topic's by now.
fn clean(
    handle: &PartitionHandle,
    cleaner: &CleanerConfig,
    now_ms: i64,
) -> Result<Option<CleaningStats>, StorageError> {
    let Some(mut cleaning) = handle.lock_living().and_then(|mut it| it.begin_cleaning(cleaner, now_ms))
    else {
        return Ok(None);
    };
    let done = loop {
        let Some(mut partition) = handle.lock_living() else { return Ok(None) };
        match partition.advance_cleaning(&mut cleaning) {
            Ok(true) => drop(partition),
            Ok(false) => break Ok(Some(cleaning.stats())),
            Err(error) => break Err(error),
        }
        if let Err(error) = cleaning.work() {
            break Err(error);
        }
    };
    if let Some(mut partition) = handle.lock_living() {
        partition.finish_cleaning(&cleaning, done.is_err(), now_ms);
    }
    done
}
