//! Bugs to plant, so that it is seen that the simulation catches them. Without the feature `plants`
//! there is none, and asking for one costs nothing.

/// A bug that another Raft, or Kafka's, once had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "plants"), expect(unreachable_pub, reason = "passed on with the feature only"))]
pub enum Plant {
    /// The high watermark moves before a record of the leader's own epoch is on a majority
    /// (KAFKA-12619).
    HighWatermarkOffByOne,
    /// A leader goes on although no majority fetches from it (KAFKA-15489).
    NeverResigns,
    /// A follower cuts what it knows to be committed (KAFKA-12460).
    CutsBelowHighWatermark,
    /// A voter grants its vote to all who ask.
    VotesTwice,
    /// A vote is granted before it is on disk, so that a restart forgets it.
    ForgetsItsVote,
    /// What the leader knows of a peer outlives the peer's disk (KAFKA-14617 in a quorum).
    KeepsAFormerLife,
    /// An empty disk counts as a voter like any other.
    NewcomerVotes,
    /// What a newcomer fetched counts towards the high watermark.
    NewcomerCounts,
    /// A candidate gets a vote although its log is behind.
    GrantsToShorterLog,
    /// The end of a log that has diverged counts towards the high watermark (KAFKA-13141).
    CountsDiverging,
}

/// Which one is planted.
#[derive(Debug, Default)]
pub(super) struct Plants {
    #[cfg(feature = "plants")]
    planted: Option<Plant>,
}

impl Plants {
    #[cfg(feature = "plants")]
    pub(super) fn plant(&mut self, plant: Plant) {
        self.planted = Some(plant);
    }

    #[cfg(feature = "plants")]
    pub(super) fn has(&self, plant: Plant) -> bool {
        self.planted == Some(plant)
    }

    #[cfg(not(feature = "plants"))]
    #[expect(clippy::unused_self, reason = "with the feature it is asked")]
    pub(super) fn has(&self, _plant: Plant) -> bool {
        false
    }
}
