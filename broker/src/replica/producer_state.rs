//! What idempotent producers have written.

use thiserror::Error;

/// Why an idempotent producer's batch is refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SequenceError {
    /// There is a gap, or the batch is older than the five that are remembered
    /// (`OUT_OF_ORDER_SEQUENCE_NUMBER`).
    #[error("producer {producer_id} sent sequence {sequence}, {expected} was expected")]
    OutOfOrder {
        /// Whose.
        producer_id: i64,
        /// First sequence of the batch.
        sequence: i32,
        /// What should have come.
        expected: i32,
    },
    /// A newer incarnation of the producer has written (`INVALID_PRODUCER_EPOCH`).
    #[error("producer {producer_id} has epoch {epoch}, {current} has already written")]
    Fenced {
        /// Whose.
        producer_id: i64,
        /// The batch's.
        epoch: i16,
        /// The newest known.
        current: i16,
    },
}
