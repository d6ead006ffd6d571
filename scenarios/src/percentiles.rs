//! Percentiles of the newest measurements.

use processor::bounded::SlidingSample;

/// How many measurements count: enough that the 99th percentile rests on dozens of them.
const NEWEST: usize = 8_192;

/// The newest measurements, whatever they measure.
#[derive(Debug)]
pub(crate) struct Percentiles {
    newest: SlidingSample,
}

impl Default for Percentiles {
    fn default() -> Self {
        Self { newest: SlidingSample::new(NEWEST) }
    }
}

impl Percentiles {
    pub(crate) fn push(&mut self, value: f64) {
        self.newest.push(value as f32);
    }

    /// The value that a share `q` of the newest measurements do not exceed, by the nearest rank.
    pub(crate) fn at(&self, q: f64) -> Option<f64> {
        self.newest.nearest_rank(q)
    }
}
