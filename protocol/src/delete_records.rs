//! `DeleteRecords`: remove the records before an offset.

use crate::ErrorCode;

request!(DeleteRecords: DeleteRecordsRequest => DeleteRecordsResponse);

messages! {
    /// Partitions and offsets.
    pub struct DeleteRecordsRequest {
        topics: Vec<DeleteRecordsTopic>,
        timeout_ms: i32,
    }

    /// Partitions of one topic.
    pub struct DeleteRecordsTopic {
        name: String,
        partitions: Vec<DeleteRecordsPartition>,
    }

    /// The offset that becomes the first; -1 means the high watermark.
    pub struct DeleteRecordsPartition {
        partition_index: i32,
        offset: i64,
    }

    /// What became of them.
    pub struct DeleteRecordsResponse {
        throttle_time_ms: i32,
        topics: Vec<DeleteRecordsTopicResult>,
    }

    /// What became of one topic's partitions.
    pub struct DeleteRecordsTopicResult {
        name: String,
        partitions: Vec<DeleteRecordsPartitionResult>,
    }

    /// The new log start offset, or -1.
    pub struct DeleteRecordsPartitionResult {
        partition_index: i32,
        low_watermark: i64,
        error_code: ErrorCode,
    }
}
