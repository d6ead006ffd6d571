//! One partition across brokers; today that is one broker, so it is the leader's side: which
//! batches are taken, how far consumers may read, who wrote what.
//!
//! [`Partition`] stands between the requests and the [`Log`](crate::log::Log). The log stores
//! batches and knows no rules; the partition has the rules: the batch must be whole, not too large,
//! readable to its last record, not from a wrong time, and new, if its producer numbers them.
//!
//! # Simplifications
//!
//! - One broker: the leader is the only replica, so the *high watermark*, up to which consumers may
//!   read because all in-sync replicas have it, is the end of the log, and `acks=all` is `acks=1`.

mod error;
mod follower;
mod partition;
mod partition_handle;
mod producer_state;
mod snapshots;
mod validation;
mod waiters;

pub use error::{ProduceError, RefusedRecord};
pub use partition::{DeleteRecordsError, Partition, PartitionFlush, Role};
pub use partition_handle::PartitionHandle;
pub use producer_state::{ProducerDescription, SequenceError};
pub use validation::{Validated, ValidationBudget, validate};
pub(crate) use waiters::Waiter;
pub use waiters::Waiters;
