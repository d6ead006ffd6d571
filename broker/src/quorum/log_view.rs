//! What an election looks at in a voter's log.

use protocol::records::{LeaderEpoch, Offset};

/// A voter's copy of the metadata log, as far as elections look at it.
pub trait MetadataLogView {
    /// The offset after its last record.
    fn end(&self) -> Offset;
    /// The epoch of its last record; none if it is empty.
    fn last_epoch(&self) -> Option<LeaderEpoch>;
    /// The largest epoch not after `epoch`, and the offset after its last record (KIP-279). None if
    /// the log is empty or ends before `epoch`.
    fn end_of_epoch(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)>;
}
