//! What a follower knows of its leader, and where it cuts a log that has diverged.

use protocol::records::{LeaderEpoch, Offset};
use thiserror::Error;

use super::log_view::MetadataLogView;

/// One leader, followed.
#[derive(Debug)]
pub(super) struct Following {
    pub(super) leader: i32,
    /// When the leader itself was last heard; what others say of it doesn't count.
    pub(super) heard_ms: Option<i64>,
    /// Its high watermark.
    pub(super) high_watermark: Offset,
    /// What it has a newcomer wait for.
    pub(super) waits_for: Option<Offset>,
}

impl Following {
    pub(super) fn new(leader: i32) -> Self {
        Self { leader, heard_ms: None, high_watermark: Offset::ZERO, waits_for: None }
    }
}

/// The leader's log lacks what this voter knows to be committed: a majority has lost its disks, or
/// their logs were changed behind our back. Cutting here would lose it for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "the leader's log parts from ours at offset {cut}, but all before {high_watermark} is committed: \
     restore the other voters' disks, or remove this one to accept what they have"
)]
pub struct Diverged {
    /// Where the log would be cut.
    pub cut: Offset,
    /// Up to where it is committed.
    pub high_watermark: Offset,
}

/// Where to cut a log of which the leader has, up to `epoch`, what is before `end`. None if there
/// is nothing to cut. (KIP-279: the leader's last epoch may be one that this log doesn't have.)
pub(super) fn cut(log: &dyn MetadataLogView, epoch: LeaderEpoch, end: Offset) -> Option<Offset> {
    let ours = match log.end_of_epoch(epoch) {
        Some((same, our_end)) if same == epoch => our_end.min(end),
        Some((_, our_end)) => our_end,
        None => end,
    };
    Some(ours.max(Offset::ZERO)).filter(|cut| *cut < log.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Epochs(Vec<(i32, i64)>, i64);

    impl MetadataLogView for Epochs {
        fn end(&self) -> Offset {
            Offset(self.1)
        }

        fn last_epoch(&self) -> Option<LeaderEpoch> {
            self.0.last().map(|last| LeaderEpoch(last.0))
        }

        fn end_of_epoch(&self, epoch: LeaderEpoch) -> Option<(LeaderEpoch, Offset)> {
            let last = self.0.last()?;
            if epoch.0 == last.0 {
                return Some((epoch, self.end()));
            }
            let next = self.0.iter().position(|start| start.0 > epoch.0)?;
            let floor = next.checked_sub(1).map_or(epoch.0, |floor| self.0[floor].0);
            Some((LeaderEpoch(floor), Offset(self.0[next].1)))
        }
    }

    #[test]
    fn a_log_is_cut_where_the_two_part() {
        let log = Epochs(vec![(1, 0), (2, 5), (4, 8)], 12);
        let cut = |epoch, end| cut(&log, LeaderEpoch(epoch), Offset(end)).map(|cut| cut.0);
        assert_eq!(cut(4, 10), Some(10), "the same epoch, longer here");
        assert_eq!(cut(2, 7), Some(7));
        assert_eq!(cut(2, 20), Some(8), "the same epoch, longer there");
        assert_eq!(cut(3, 9), Some(8), "an epoch that only the leader has");
        assert_eq!(cut(0, 3), Some(0));
        assert_eq!(cut(4, 12), None);
        assert_eq!(cut(9, 99), None, "no leader says this");
        assert_eq!(cut(9, -7), Some(0));
    }
}
