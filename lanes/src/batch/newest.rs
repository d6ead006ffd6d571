//! How far event time has come, where no clock says so: by the newest records of the inputs.

use events::Timestamp;
use processor::event_time::Watermark;

use super::super::rebuild::OffsetSearcher;
use crate::BatchError;

/// The last few records of each partition.
#[derive(Debug, Default)]
pub(super) struct Newest {
    /// Their event times, each with a number that stands for its key, if it has one.
    times: Vec<(Option<u64>, Timestamp)>,
}

impl Newest {
    /// Looks at the end of `[first, to)` of a partition.
    pub(super) fn look(
        &mut self,
        searcher: &mut OffsetSearcher,
        first: i64,
        to: i64,
    ) -> Result<(), BatchError> {
        self.times.extend(searcher.newest(first, to)?);
        Ok(())
    }

    /// Whether event time has come to `due`: a record of that time or later counts once one of
    /// another key says so too, or several of its own. One producer whose clock is ahead ends no
    /// window for the others.
    pub(super) fn has_passed(&self, due: Timestamp) -> bool {
        // All that matters is on which side of `due` a time is.
        let mut watermark = Watermark::confirmed_by_other_source_or_run(0);
        watermark.observe(due.plus_ms(-1));
        for (key, _) in self.times.iter().filter(|(_, ts)| *ts >= due) {
            match key {
                Some(key) => {
                    watermark.observe_from(*key, due);
                }
                // What has no key is a source of its own.
                None => {
                    watermark.observe(due);
                }
            }
        }
        watermark.has_passed(due)
    }

    /// The newest of all; none when there are no records.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.times.iter().map(|(_, ts)| *ts).max()
    }
}

#[cfg(test)]
mod tests {
    use processor::event_time::IN_A_ROW;

    use super::*;

    fn has_passed(times: &[(Option<u64>, i64)]) -> bool {
        let times = times.iter().map(|&(key, ms)| (key, Timestamp::from_ms(ms))).collect();
        Newest { times }.has_passed(Timestamp::from_ms(100))
    }

    #[test]
    fn one_key_alone_ends_no_window() {
        assert!(!has_passed(&[]));
        assert!(!has_passed(&[(Some(1), 99), (Some(2), 99)]));
        assert!(!has_passed(&[(Some(1), 99), (Some(2), 100)]), "one record");
        assert!(!has_passed(&[(Some(2), 900), (Some(1), 99), (Some(2), 100)]), "a few of one key");
        assert!(!has_passed(&[(None, 100)]));
        assert!(has_passed(&[(Some(2), 100), (Some(1), 99), (Some(1), 900)]), "two keys, however far");
        assert!(has_passed(&[(None, 100), (None, 100)]), "records without keys are of different sources");
        assert!(has_passed(&[(Some(1), 100); IN_A_ROW as usize]), "a topic with one key only");
    }
}
