//! Which brokers get the replicas of new partitions.

use super::brokers::Brokers;
use super::error::TopicError;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// So many partitions of so many replicas each, wherever there is room.
    Spread { partitions: i32, replication_factor: i32 },
    /// A partition on each of these lists of brokers, the one that should lead first.
    Assigned(Vec<Vec<i32>>),
}

impl Placement {
    /// How many partitions.
    pub(crate) fn partitions(&self) -> i32 {
        match self {
            Self::Spread { partitions, .. } => *partitions,
            Self::Assigned(replicas) => i32::try_from(replicas.len()).unwrap_or(i32::MAX),
        }
    }

    /// How many replicas the first of them has.
    pub(crate) fn replication_factor(&self) -> usize {
        match self {
            Self::Spread { replication_factor, .. } => usize::try_from(*replication_factor).unwrap_or(0),
            Self::Assigned(replicas) => replicas.first().map_or(0, Vec::len),
        }
    }

    /// The replicas of each partition, of which `first` is the first one's number. A broker's turn
    /// to lead comes with each partition, and those behind it have the copies.
    pub(super) fn place(&self, first: i32, brokers: &Brokers) -> Result<Vec<Vec<i32>>, TopicError> {
        let (active, factor) = (brokers.active(), self.replication_factor());
        match self {
            Self::Spread { replication_factor, .. } if factor == 0 || factor > active.len() => {
                Err(TopicError::ReplicationFactor { asked: *replication_factor, brokers: active.len() })
            }
            Self::Spread { partitions, .. } => {
                let replicas = |number| (number..number + factor).map(|at| active[at % active.len()]);
                Ok((first as usize..).take(*partitions as usize).map(|n| replicas(n).collect()).collect())
            }
            Self::Assigned(lists) => {
                let is_good = |replicas: &Vec<i32>| {
                    let each_once = replicas.iter().enumerate().all(|(at, id)| !replicas[..at].contains(id));
                    factor > 0
                        && replicas.len() == factor
                        && each_once
                        && replicas.iter().all(|id| active.contains(id))
                };
                let good = lists.iter().all(is_good).then(|| lists.clone());
                good.ok_or(TopicError::Assignment { brokers: active })
            }
        }
    }
}
