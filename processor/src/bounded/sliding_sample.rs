//! The newest measurements, and their quantiles.

use std::collections::VecDeque;

/// The newest `capacity` measurements, kept in order of size too, so that a quantile is one look.
///
/// A histogram answers for everything that was ever counted, to some digits (`hdrhistogram`, for
/// the durations of a run). This answers for what happened lately, exactly.
///
/// # Simplifications
/// - Adding a measurement moves half of the others: for thousands, not for millions.
#[derive(Clone, Debug)]
pub struct SlidingSample {
    capacity: usize,
    /// In the order of arrival.
    newest: VecDeque<f32>,
    sorted: Vec<f32>,
}

impl SlidingSample {
    /// An empty sample of at most `capacity` measurements, at least one.
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), newest: VecDeque::new(), sorted: Vec::new() }
    }

    /// Adds the newest measurement; a full sample evicts the oldest.
    pub fn push(&mut self, value: f32) {
        if self.newest.len() == self.capacity {
            let oldest = self.newest.pop_front().expect("a full sample has an oldest measurement");
            let place = self.sorted.partition_point(|other| other.total_cmp(&oldest).is_lt());
            self.sorted.remove(place);
        }
        self.newest.push_back(value);
        let place = self.sorted.partition_point(|other| other.total_cmp(&value).is_lt());
        self.sorted.insert(place, value);
        assert_eq!(self.sorted.len(), self.newest.len(), "both orders hold the same measurements");
    }

    /// All measurements, the smallest first.
    pub fn sorted(&self) -> &[f32] {
        &self.sorted
    }

    /// How many measurements there are.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// The measurement that a share `q` (0 to 1) of all do not exceed: one that occurred
    /// (*nearest rank*). None of nothing.
    pub fn nearest_rank(&self, q: f64) -> Option<f64> {
        let rank = (self.len() as f64 * q).ceil() as usize;
        self.sorted.get(rank.clamp(1, self.len().max(1)) - 1).copied().map(f64::from)
    }

    /// The quantile `q` (0 to 1), interpolated between the two measurements beside it. None of
    /// nothing.
    pub fn interpolated(&self, q: f64) -> Option<f64> {
        let last = self.len().checked_sub(1)?;
        let place = q.clamp(0.0, 1.0) * last as f64;
        let (below, part) = (place.floor() as usize, place.fract());
        let above = (below + 1).min(last);
        Some(f64::from(self.sorted[below]) * (1.0 - part) + f64::from(self.sorted[above]) * part)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantiles_of_a_hundred() {
        let mut sample = SlidingSample::new(100);
        assert_eq!((sample.nearest_rank(0.5), sample.interpolated(0.5)), (None, None), "nothing is not zero");
        (1..=300).rev().for_each(|value| sample.push(value as f32));
        for (q, value) in [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (1.0, 100.0)] {
            assert_eq!(sample.nearest_rank(q), Some(value), "{q}");
        }
        for (q, value) in [(0.0, 1.0), (0.5, 50.5), (1.0, 100.0)] {
            assert_eq!(sample.interpolated(q), Some(value), "{q}");
        }
    }

    proptest! {
        #[test]
        fn it_is_the_end_of_the_list_sorted(
            values in prop::collection::vec(prop::num::f32::ANY, 0..60),
            capacity in 1_usize..20,
        ) {
            let mut sample = SlidingSample::new(capacity);
            for &value in &values {
                sample.push(value);
            }
            let mut naive = values[values.len().saturating_sub(capacity)..].to_vec();
            naive.sort_by(f32::total_cmp);
            let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(sample.sorted()), bits(&naive));
        }
    }
}
