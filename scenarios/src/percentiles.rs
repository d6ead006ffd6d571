//! Percentiles of the newest measurements.

use std::collections::VecDeque;

/// How many measurements count: enough that the 99th percentile rests on dozens of them.
const NEWEST: usize = 8_192;

/// The newest measurements, whatever they measure.
#[derive(Debug, Default)]
pub(crate) struct Percentiles {
    newest: VecDeque<f32>,
}

impl Percentiles {
    pub(crate) fn push(&mut self, value: f64) {
        self.newest.push_back(value as f32);
        if self.newest.len() > NEWEST {
            self.newest.pop_front();
        }
    }

    /// The value that a share `q` of the newest measurements do not exceed, by the nearest rank.
    pub(crate) fn at(&self, q: f64) -> Option<f64> {
        let mut sorted: Vec<f32> = self.newest.iter().copied().collect();
        let rank = ((sorted.len() as f64 * q).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
        if sorted.is_empty() {
            return None;
        }
        let (_, value, _) = sorted.select_nth_unstable_by(rank, f32::total_cmp);
        Some(f64::from(*value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_rank() {
        let mut percentiles = Percentiles::default();
        assert_eq!(percentiles.at(0.5), None, "nothing measured is not zero");
        (1..=100).rev().for_each(|value| percentiles.push(f64::from(value)));
        assert_eq!(percentiles.at(0.5), Some(50.0));
        assert_eq!(percentiles.at(0.99), Some(99.0));
        assert_eq!(percentiles.at(1.0), Some(100.0));
        assert_eq!(percentiles.at(0.0), Some(1.0));
    }
}
