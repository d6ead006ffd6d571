//! `DescribeLogDirs`: where partitions are kept, and how large they are.
//!
//! # Behaviour
//! There is one directory, and each partition of which this broker has a replica is in it once.
//! What is asked for and not there is left out, as in Kafka. One replica's log is never ahead of
//! the high watermark by anything.
//!
//! # Versions
//! 4 tells how large the volume of the directory is and how much of it can still be used, 5 whether
//! the directory takes no new partitions: it always does.

use protocol::describe_log_dirs::{
    DescribeLogDirsPartition, DescribeLogDirsRequest, DescribeLogDirsResponse, DescribeLogDirsResult,
    DescribeLogDirsTopic,
};

use super::{Context, asked};
use crate::replica::PartitionHandle;

pub(super) fn handle(context: &Context<'_>, request: DescribeLogDirsRequest) -> DescribeLogDirsResponse {
    let replicas = &context.node.replicas;
    let topics: Vec<_> = match request.topics {
        None => replicas
            .topics()
            .iter()
            .map(|topic| describe(topic.name(), topic.partitions().map(AsRef::as_ref)))
            .collect(),
        Some(named) => asked::partitions(named.into_iter().map(|asked| (asked.topic, asked.partitions)))
            .into_iter()
            .filter_map(|(name, numbers)| Some((replicas.topic(&name)?, numbers)))
            .map(|(topic, numbers)| {
                let partitions = numbers.into_iter().filter_map(|number| topic.partition(number));
                describe(topic.name(), partitions.map(AsRef::as_ref))
            })
            .filter(|topic| !topic.partitions.is_empty())
            .collect(),
    };
    let data_dir = &context.node.config.data_dir;
    let log_dir = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.clone());
    let (total_bytes, usable_bytes) = volume_bytes(&log_dir).unwrap_or((-1, -1));
    let result = DescribeLogDirsResult {
        log_dir: log_dir.display().to_string(),
        topics,
        total_bytes,
        usable_bytes,
        ..Default::default()
    };
    DescribeLogDirsResponse { results: vec![result], ..Default::default() }
}

fn describe<'a>(topic: &str, partitions: impl Iterator<Item = &'a PartitionHandle>) -> DescribeLogDirsTopic {
    let partitions = partitions.map(|handle| {
        let partition = handle.lock();
        DescribeLogDirsPartition {
            partition_index: handle.name.partition,
            partition_size: partition.size_bytes() as i64,
            offset_lag: partition.log_end_offset() - partition.high_watermark(),
            is_future_key: false,
        }
    });
    DescribeLogDirsTopic { name: topic.to_owned(), partitions: partitions.collect() }
}

/// How large the volume is that holds the directory, and how much of it can still be used.
fn volume_bytes(dir: &std::path::Path) -> Option<(i64, i64)> {
    let volume = rustix::fs::statvfs(dir).ok()?;
    let bytes = |blocks: u64| i64::try_from(blocks.saturating_mul(volume.f_frsize)).unwrap_or(i64::MAX);
    Some((bytes(volume.f_blocks), bytes(volume.f_bavail)))
}
