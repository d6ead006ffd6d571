//! The disks of a broker.

use protocol::ErrorCode;
use protocol::describe_log_dirs::DescribeLogDirsRequest;

use super::error::check;
use super::{CallError, Connection};

/// A directory in which a broker keeps partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDir {
    /// Where it is on the broker's machine.
    pub path: String,
    /// Why it can't be used: Kafka's name for the error.
    pub error: Option<String>,
    /// How large its volume is, as brokers since Kafka 3.3 tell.
    pub total_bytes: Option<u64>,
    /// How much of that can still be written.
    pub usable_bytes: Option<u64>,
}

impl Connection {
    /// The size of all partitions that this broker keeps.
    pub fn stored_bytes(&mut self) -> Result<u64, CallError> {
        let response = self.call(|_| DescribeLogDirsRequest { topics: None })?;
        check(response.error_code)?;
        // Who may not ask is told by an old broker of no directory, and by no error.
        if response.results.is_empty() {
            return Err(CallError::Refused(ErrorCode::UNKNOWN_SERVER_ERROR));
        }
        let mut bytes: u64 = 0;
        for dir in &response.results {
            // What a directory that failed has is not known.
            check(dir.error_code)?;
            for partition in dir.topics.iter().flat_map(|topic| &topic.partitions) {
                bytes = bytes.saturating_add(u64::try_from(partition.partition_size).unwrap_or(0));
            }
        }
        Ok(bytes)
    }

    /// The directories of this broker.
    pub fn log_dirs(&mut self) -> Result<Vec<LogDir>, CallError> {
        // None of the topics: an old broker knows no other way to leave them out.
        let response = self.call(|_| DescribeLogDirsRequest { topics: Some(Vec::new()) })?;
        check(response.error_code)?;
        let dir = |result: protocol::describe_log_dirs::DescribeLogDirsResult| LogDir {
            path: result.log_dir,
            error: (!result.error_code.is_none()).then(|| result.error_code.to_string()),
            total_bytes: u64::try_from(result.total_bytes).ok(),
            usable_bytes: u64::try_from(result.usable_bytes).ok(),
        };
        Ok(response.results.into_iter().map(dir).collect())
    }
}
