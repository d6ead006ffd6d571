//! One partition on this broker.

mod partition;
mod producer_state;

pub use partition::{DeleteRecordsError, Partition, ProduceError};
pub use producer_state::SequenceError;
