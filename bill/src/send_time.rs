//! In which order a simulator sent its records: wall-clock time, which a record's timestamp
//! holds, differs from run to run.
//!
//! Two shows of one seed send the same records, some milliseconds earlier or later, and two records
//! of different partitions may change places in the order of their timestamps. So our producers
//! write into a header when a record left in *simulated* time, and its sequence number among its
//! simulator's records. By that any log of a show can be put back into one and the same order,
//! whichever broker kept it. No consumer of ours reads it: which came first is for them to find
//! out, as it is for anybody's.

use std::fmt;

use events::{Timestamp, Topic};

/// Where a record stands: topic, partition, offset.
pub type LogPosition = (Topic, i32, i64);

/// The header's name.
pub const SEND_TIME_HEADER: &str = "sim-sequence";

/// When a record left, in simulated time, and how many its simulator had sent before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SimulatedSendTime {
    /// When, in simulated time.
    pub at: Timestamp,
    /// How many records the simulator had sent before.
    pub number: u64,
}

impl SimulatedSendTime {
    /// Reads the value of the header; none when it isn't one of ours.
    pub fn parse(header: &[u8]) -> Option<Self> {
        let (at, number) = std::str::from_utf8(header).ok()?.split_once('/')?;
        Some(Self { at: Timestamp::from_ms(at.parse().ok()?), number: number.parse().ok()? })
    }
}

impl fmt::Display for SimulatedSendTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.at.ms(), self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let send_time = SimulatedSendTime { at: Timestamp::from_ms(1_772_534_700_250), number: 17 };
        assert_eq!(SimulatedSendTime::parse(send_time.to_string().as_bytes()), Some(send_time));
        for broken in [&b""[..], b"17", b"x/17", b"17/x", b"17/-1", b"\xff/1"] {
            assert_eq!(SimulatedSendTime::parse(broken), None, "{broken:?}");
        }
    }
}
