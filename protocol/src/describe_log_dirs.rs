//! `DescribeLogDirs`: where partitions are kept, and how large they are.

use crate::ErrorCode;

request!(DescribeLogDirs: DescribeLogDirsRequest => DescribeLogDirsResponse);

messages! {
    /// Of which topics; null asks for all.
    pub struct DescribeLogDirsRequest {
        topics: Option<Vec<DescribableLogDirTopic>>,
    }

    /// Some partitions of a topic.
    pub struct DescribableLogDirTopic {
        topic: String,
        partitions: Vec<i32>,
    }

    /// What each directory holds.
    pub struct DescribeLogDirsResponse {
        throttle_time_ms: i32,
        [3..] error_code: ErrorCode,
        results: Vec<DescribeLogDirsResult>,
    }

    /// One directory, and the volume it is on.
    pub struct DescribeLogDirsResult {
        error_code: ErrorCode,
        log_dir: String,
        topics: Vec<DescribeLogDirsTopic>,
        [4..] total_bytes: i64 = -1,
        [4..] usable_bytes: i64 = -1,
        [5..] is_cordoned: bool,
    }

    /// A topic's partitions in a directory.
    pub struct DescribeLogDirsTopic {
        name: String,
        partitions: Vec<DescribeLogDirsPartition>,
    }

    /// One partition's segments, and how far its log is ahead of the high watermark.
    pub struct DescribeLogDirsPartition {
        partition_index: i32,
        partition_size: i64,
        offset_lag: i64,
        is_future_key: bool,
    }
}
