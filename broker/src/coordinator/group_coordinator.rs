//! All groups.

use std::path::PathBuf;
use std::sync::Arc;

use super::{
    CommitRequest, CommittedOffset, Effect, GroupDescription, GroupError, GroupListing, HeartbeatRequest,
    JoinRequest, LeaveRequest, SyncRequest, Token,
};
use crate::log::{Checkpoint, Opening, Storage, StorageError, TopicPartition};

/// Settings, under Kafka's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupConfig {
    /// `group.initial.rebalance.delay.ms`: how long an empty group waits for more members. Kafka's
    /// default is 3000; here it is 0, a first join takes no longer than it must.
    pub initial_rebalance_delay_ms: i64,
    /// `group.min.session.timeout.ms`.
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`.
    pub max_session_timeout_ms: i32,
    /// `group.max.size`.
    pub max_size: usize,
    /// `offsets.retention.minutes`, in ms: so long an empty group's offsets are kept.
    pub offsets_retention_ms: i64,
    /// `offset.metadata.max.bytes`.
    pub max_metadata_bytes: usize,
}

impl Default for GroupConfig {
    fn default() -> Self {
        Self {
            initial_rebalance_delay_ms: 0,
            min_session_timeout_ms: 6_000,
            max_session_timeout_ms: 1_800_000,
            max_size: i32::MAX as usize,
            offsets_retention_ms: 7 * 24 * 3_600_000,
            max_metadata_bytes: 4096,
        }
    }
}

/// The coordinator of all groups: a pure state machine over `(now, request)`. Put it behind one
/// mutex; no call waits for anything but a small write to the page cache.
///
/// `now_ms` counts from 1970 and must not go back: take the wall clock once at start and add a
/// monotonic clock to it.
#[derive(Debug)]
pub struct GroupCoordinator {}

impl GroupCoordinator {
    /// Reads the committed offsets from `dir`. `incarnation` must differ from run to run (a random
    /// number): it keeps member ids of different runs apart.
    pub fn open(
        _storage: Arc<dyn Storage>,
        _dir: PathBuf,
        _config: GroupConfig,
        _incarnation: u64,
        _opening: Opening,
        _now_ms: i64,
    ) -> Result<Self, StorageError> {
        todo!()
    }

    /// `JoinGroup`. The answer to `token` comes as an [`Effect::Join`], now or out of a later call.
    pub fn join(&mut self, _now_ms: i64, _token: Token, _request: JoinRequest) -> Vec<Effect> {
        todo!()
    }

    /// `SyncGroup`. The answer to `token` comes as an [`Effect::Sync`], now or out of a later call.
    pub fn sync(&mut self, _now_ms: i64, _token: Token, _request: SyncRequest) -> Vec<Effect> {
        todo!()
    }

    /// `Heartbeat`.
    pub fn heartbeat(&mut self, _now_ms: i64, _request: &HeartbeatRequest) -> Result<(), GroupError> {
        todo!()
    }

    /// `LeaveGroup`: one answer for each leaving member, in order, and what it sets free.
    pub fn leave(
        &mut self,
        _now_ms: i64,
        _request: &LeaveRequest,
    ) -> (Result<Vec<Result<(), GroupError>>, GroupError>, Vec<Effect>) {
        todo!()
    }

    /// Does what is due: sessions and rebalances that timed out, offsets that expired.
    pub fn tick(&mut self, _now_ms: i64) -> Vec<Effect> {
        todo!()
    }

    /// When [`GroupCoordinator::tick`] must be called next, ms since 1970. Ask after every call.
    pub fn next_deadline_ms(&self) -> Option<i64> {
        todo!()
    }

    /// `OffsetCommit`: one answer for each offset, in order. What is `Ok` survives `kill -9`.
    pub fn commit(
        &mut self,
        _now_ms: i64,
        _request: CommitRequest,
    ) -> Result<Vec<Result<(), GroupError>>, GroupError> {
        todo!()
    }

    /// `OffsetFetch` for one partition. Any group may be asked for, member or not.
    pub fn committed(&self, _group_id: &str, _partition: &TopicPartition) -> Option<&CommittedOffset> {
        todo!()
    }

    /// `OffsetFetch` for all partitions, in order.
    pub fn all_committed(&self, _group_id: &str) -> Vec<(&TopicPartition, &CommittedOffset)> {
        todo!()
    }

    /// `ListGroups`, in order of their ids.
    pub fn list(&self) -> Vec<GroupListing> {
        todo!()
    }

    /// `DescribeGroups`; `None` when there is no such group (older clients see it as `Dead`).
    pub fn describe(&self, _group_id: &str) -> Option<GroupDescription> {
        todo!()
    }

    /// `DeleteGroups`, one of them: offsets and all. Only if it has no members.
    pub fn delete_group(&mut self, _now_ms: i64, _group_id: &str) -> Result<(), GroupError> {
        todo!()
    }

    /// `OffsetDelete`: one answer for each partition, in order.
    pub fn delete_offsets(
        &mut self,
        _now_ms: i64,
        _group_id: &str,
        _partitions: &[TopicPartition],
    ) -> Result<Vec<Result<(), GroupError>>, GroupError> {
        todo!()
    }

    /// A topic was deleted: all groups forget their offsets in it.
    pub fn forget_topic(&mut self, _now_ms: i64, _topic: &str) -> Result<(), StorageError> {
        todo!()
    }

    /// Syncs the committed offsets and writes their indexes: the end of an orderly run.
    pub fn close(&mut self) -> Result<(), StorageError> {
        todo!()
    }

    /// For `LogDir::checkpoint`, under [`OFFSETS_TOPIC`](super::OFFSETS_TOPIC), partition 0.
    pub fn checkpoint(&self) -> Checkpoint {
        todo!()
    }
}
