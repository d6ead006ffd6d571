//! What has to be done at some time rather than for some request.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::task::spawn_blocking;
use tokio::time::sleep_until;

use super::shared::Shared;
use crate::api::LOGS_DELAY_MS;
use crate::replica::PartitionHandle;

/// Sessions and rebalances that time out, and offsets that expire. Sleeps until the first of them.
pub(super) async fn keep_groups(shared: Arc<Shared>) {
    loop {
        let due_ms = {
            // Stored while the groups are held: a request comes either before, and its deadline is
            // seen here, or after, and it sees what is stored here.
            let groups = shared.node.groups();
            let due_ms = groups.next_deadline_ms().unwrap_or(i64::MAX);
            shared.groups_due_ms.store(due_ms, Ordering::Release);
            due_ms
        };
        tokio::select! {
            () = sleep_until(shared.clock.instant(due_ms)) => {}
            () = shared.groups_changed.notified() => continue,
        }
        let effects = shared.node.groups().tick(shared.clock.now_ms());
        shared.purgatory.deliver(effects);
    }
}

/// Retention, rolling, flushing and checkpoints. Sleeps while nothing is written.
pub(super) async fn keep_logs(shared: Arc<Shared>) {
    let mut checkpoint_ms: Option<i64> = None;
    loop {
        let logs_ms = shared.node.replicas.all().iter().filter_map(|partition| next_due_ms(partition)).min();
        let mut due_ms = logs_ms.into_iter().chain(checkpoint_ms).min().unwrap_or(i64::MAX);
        tokio::select! {
            () = sleep_until(shared.clock.instant(due_ms)) => {}
            () = shared.logs_changed.notified() => {
                let now_ms = shared.clock.now_ms();
                checkpoint_ms.get_or_insert(now_ms + shared.node.config.checkpoint_interval_ms);
                let flush_ms = shared.node.replicas.all().iter().filter_map(|p| p.lock().next_flush_ms()).min();
                due_ms = due_ms.min(now_ms + LOGS_DELAY_MS).min(flush_ms.unwrap_or(i64::MAX));
                sleep_until(shared.clock.instant(due_ms)).await;
            }
        }
        shared.logs_dirty.store(false, Ordering::Release);
        let now_ms = shared.clock.now_ms();
        for partition in shared.node.replicas.all() {
            keep(&partition, now_ms).await;
        }
        if checkpoint_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            checkpoint_ms = None;
            checkpoint(&shared).await;
        }
        shared.logs_kept.notify_one();
    }
}

/// Syncs what was written since the last time and notes how far everything is synced. After a crash
/// only what came later is checked.
async fn checkpoint(shared: &Arc<Shared>) {
    for partition in shared.node.replicas.all() {
        if let Err(error) = flush(&partition).await {
            tracing::error!(partition = %partition.name, "{error}");
        }
    }
    let writing = Arc::clone(shared);
    // Three small files, but who writes them waits for the disk.
    let written = spawn_blocking(move || writing.node.checkpoint()).await.unwrap_or(Ok(()));
    if let Err(error) = written {
        tracing::error!("{error}");
    }
}

fn next_due_ms(partition: &PartitionHandle) -> Option<i64> {
    let partition = partition.lock();
    partition.next_deadline_ms().into_iter().chain(partition.next_flush_ms()).min()
}

async fn keep(handle: &Arc<PartitionHandle>, now_ms: i64) {
    if handle.lock().next_deadline_ms().is_some_and(|due_ms| due_ms <= now_ms) {
        let deleted = handle.lock().tick(now_ms);
        match deleted {
            Ok(deleted) if deleted.segments > 0 => {
                tracing::debug!(partition = %handle.name, "retention removed {} bytes", deleted.bytes);
                // A fetch may wait at an offset that is out of range now.
                handle.waiters.notify_all();
            }
            Ok(_) => {}
            Err(error) => tracing::error!(partition = %handle.name, "{error}"),
        }
    }
    if handle.lock().next_flush_ms().is_some_and(|due_ms| due_ms <= now_ms) {
        let flushed = flush(handle).await;
        if let Err(error) = flushed {
            tracing::error!(partition = %handle.name, "{error}");
        }
    }
}

/// Syncs on another thread, while appends and reads go on.
async fn flush(handle: &Arc<PartitionHandle>) -> Result<(), crate::log::StorageError> {
    if handle.is_deleted() {
        return Ok(());
    }
    let Some(mut flush) = handle.lock().begin_flush()? else { return Ok(()) };
    let synced = spawn_blocking(move || {
        flush.run();
        flush
    });
    match synced.await {
        // Its files went with the topic meanwhile.
        Ok(_) if handle.is_deleted() => Ok(()),
        Ok(flush) => handle.lock().finish_flush(flush),
        // The runtime is going away, and closing will sync.
        Err(_) => Ok(()),
    }
}
