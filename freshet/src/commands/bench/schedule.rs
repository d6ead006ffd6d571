//! A rate that does not give way.
//!
//! Every record has a *due* moment, fixed before the run: the first at zero, and one every 1/rate
//! seconds after it, and delays count from there. A sender that was held up sends late, but its
//! records were due all the same: so a program that stalls for a second shows a second of delay in
//! every record of that second, and not in the one that happened to be held. (Timing from the
//! actual sending would leave the rest out. Gil Tene calls that mistake coordinated omission.)

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::StopSignal;
use crate::cli::Period;

/// Connections, caches and the processor's clock settle in this time. ns.
pub(super) const WARM_UP_NS: u64 = 1_000_000_000;

/// When each record is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    /// Records a second.
    rate: u64,
    count: u64,
}

impl Schedule {
    /// `rate` records a second for `duration`, which must be longer than what is left out of the
    /// figures.
    pub(super) fn new(rate: u64, duration: Period) -> Result<Self> {
        let duration_ns = duration.0 as u64 * 1_000_000;
        ensure!(duration_ns > WARM_UP_NS, "--duration must be longer than the second that warms up");
        Ok(Self { rate, count: (rate as f64 * duration_ns as f64 / 1e9) as u64 })
    }

    /// Records a second.
    pub(super) fn rate(self) -> u64 {
        self.rate
    }

    /// How many records there are.
    pub(super) fn count(self) -> u64 {
        self.count
    }

    /// Nanoseconds from the beginning to the moment of record `index`.
    pub(super) fn due_ns(self, index: u64) -> u64 {
        (u128::from(index) * 1_000_000_000 / u128::from(self.rate)) as u64
    }

    /// Calls `send` with each record's index and due moment when that has come: late ones at once,
    /// none before its time.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the rim, and the next record's moment is what is awaited"
    )]
    pub(super) fn keep(
        self,
        stop: &StopSignal,
        began: Instant,
        mut send: impl FnMut(u64, u64) -> Result<()>,
    ) -> Result<()> {
        for index in 0..self.count {
            let due_ns = self.due_ns(index);
            let early = Duration::from_nanos(due_ns).saturating_sub(began.elapsed());
            if !early.is_zero() {
                stop.check()?;
                std::thread::sleep(early);
            }
            send(index, due_ns)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_does_not_drift() {
        let schedule = Schedule { rate: 3, count: 9 };
        let due: Vec<u64> = (0..4).map(|index| schedule.due_ns(index)).collect();
        assert_eq!(due, [0, 333_333_333, 666_666_666, 1_000_000_000]);
        // Ten million a second for a day still fits.
        assert_eq!(Schedule { rate: 10_000_000, count: 0 }.due_ns(864_000_000_000), 86_400_000_000_000);
    }

    #[test]
    fn what_warms_up_is_not_all_there_is() {
        assert_eq!(Schedule::new(100, Period(1_500)).unwrap().count(), 150);
        let error = Schedule::new(100, Period(1_000)).unwrap_err().to_string();
        assert!(error.contains("longer than the second"), "{error}");
    }
}
