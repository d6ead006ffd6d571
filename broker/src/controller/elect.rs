//! Who leads a partition.

use super::brokers::Brokers;

/// The first of its replicas that is in sync and can be reached.
pub(super) fn leader(replicas: &[i32], isr: &[i32], brokers: &Brokers) -> Option<i32> {
    replicas.iter().copied().find(|replica| isr.contains(replica) && brokers.is_active(*replica))
}
