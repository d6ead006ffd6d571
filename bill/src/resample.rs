//! How sure a figure of the bill is: the Poisson bootstrap.
//!
//! A show sees one afternoon. Had other riders asked and other cards been stolen, the bill would
//! have come out a little differently; by how much is answered by *resampling*: draw as many cases
//! again from those that there were, some of them twice and some not at all, add up, and do so some
//! hundreds of times. The middle 95 % of the sums are the interval.
//!
//! To draw `n` of `n` cases with replacement is, for large `n`, to take each case a number of times
//! that is Poisson distributed with mean 1. Seen so, no case has to be kept: when it is judged, it
//! is added to each of the [`REPLICATES`] sums as often as that sum drew it (Chamandy et al.,
//! *Estimating uncertainty for massive data streams*, Google 2012). How often is a hash of the
//! case's id, so that the same cases have the same interval in whatever order they are judged.
//!
//! What is drawn is not a click, a swipe or a look at the screen but the shopper's visit, the card
//! or the trip that it belongs to: ten swipes of one stolen card are one piece of luck. Since the
//! number of draws comes from the id alone, all of a card's swipes are drawn together wherever in
//! the stream they stand. Both lanes are added with the same draws: their difference on
//! the same cases is surer than either of them.
//!
//! # Simplifications
//! - Percentile intervals, without a correction of their bias.
//! - From a handful of cases no method makes an interval; from fewer than [`FEWEST`] none is given.

use super::id::Id;

/// How many times the cases are drawn again.
pub const REPLICATES: usize = 400;
/// The fewest cases from which an interval is given.
pub(crate) const FEWEST: u64 = 10;
/// The share of replicates in an interval.
const CONFIDENCE: f64 = 0.95;

/// How often each replicate drew one unit: a trip, a card, a visit.
pub(crate) struct Draws([u8; REPLICATES]);

impl Draws {
    /// The draws of this unit.
    pub(crate) fn of(unit: Id) -> Self {
        // Splitmix64: small, known, and the same everywhere and for ever.
        let mut state = unit.0;
        let mut draws = [0; REPLICATES];
        for pair in draws.chunks_mut(2) {
            let bits = splitmix(&mut state);
            pair[0] = poisson(bits as u32);
            pair[1] = poisson((bits >> 32) as u32);
        }
        Self(draws)
    }
}

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bits = *state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A Poisson number of mean 1 from 32 even bits, by its distribution function.
fn poisson(bits: u32) -> u8 {
    const UP_TO: [f64; 9] = [
        0.367_879_441,
        0.735_758_882,
        0.919_698_603,
        0.981_011_843,
        0.996_340_153,
        0.999_405_815,
        0.999_916_759,
        0.999_989_751,
        0.999_998_875,
    ];
    let even = f64::from(bits) / 4_294_967_296.0;
    UP_TO.iter().take_while(|&&up_to| even >= up_to).count() as u8
}

/// A 95 % bootstrap confidence interval (percentile method).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// `K` sums over the cases, and the same over every replicate.
#[derive(Debug, Clone)]
pub struct Resampled<const K: usize> {
    sums: Vec<[f64; K]>,
    cases: u64,
}

impl<const K: usize> Default for Resampled<K> {
    fn default() -> Self {
        Self { sums: vec![[0.0; K]; REPLICATES], cases: 0 }
    }
}

impl<const K: usize> Resampled<K> {
    /// Adds what one case says to each sum. `unit` names the trip, card or visit that is drawn as a
    /// whole.
    pub fn add(&mut self, unit: impl Into<Id>, values: [f64; K]) {
        assert!(
            values.iter().all(|value| value.is_finite()),
            "a case adds {values:?}: it would spoil every sum for good"
        );
        self.cases += 1;
        // Most swipes are honest and approved: they cost nothing, however often they are drawn.
        if values.iter().all(|&value| value == 0.0) {
            return;
        }
        let Draws(draws) = Draws::of(unit.into());
        for (sums, &times) in self.sums.iter_mut().zip(&draws) {
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += f64::from(times) * value;
            }
        }
    }

    /// The interval of what `figure` makes of the sums; none when there are too few cases, or when
    /// `figure` often has nothing to rest on.
    pub fn interval(&self, figure: impl Fn(&[f64; K]) -> Option<f64>) -> Option<Interval> {
        let mut figures: Vec<f64> = self.sums.iter().filter_map(figure).collect();
        if self.cases < FEWEST || figures.len() * 10 < REPLICATES * 9 {
            return None;
        }
        figures.sort_unstable_by(f64::total_cmp);
        let tail = (figures.len() as f64 * (1.0 - CONFIDENCE) / 2.0) as usize;
        let (low, high) = (figures[tail], figures[figures.len() - 1 - tail]);
        assert!(low <= high, "an interval from {low} to {high}: a figure of these sums is no number");
        Some(Interval { low, high })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_drawn_once_on_average() {
        let draws: Vec<f64> =
            (0..2_000).flat_map(|n| Draws::of(Id::from(&format!("card-{n}"))).0).map(f64::from).collect();
        let count = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / count;
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / count;
        assert!((mean - 1.0).abs() < 0.01, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.02, "variance {variance}");
    }

    /// Of 400 tosses of a fair coin the share of heads has a standard error of 2.5 points: the
    /// interval must be 9.8 wide.
    #[test]
    fn the_interval_of_a_mean_is_as_wide_as_theory_says() {
        let mut coin = Resampled::<2>::default();
        for toss in 0..400 {
            coin.add(&format!("toss-{toss}"), [f64::from(toss % 2), 1.0]);
        }
        let Interval { low, high } = coin.interval(|[heads, all]| Some(heads / all)).unwrap();
        assert!((0.085..0.115).contains(&(high - low)), "{low} to {high}");
        assert!(low < 0.5 && 0.5 < high, "{low} to {high}");
    }

    #[test]
    fn cases_of_one_unit_are_one_piece_of_luck() {
        let (mut apart, mut together) = (Resampled::<1>::default(), Resampled::<1>::default());
        for swipe in 0..200 {
            apart.add(&format!("card-{swipe}"), [1.0]);
            together.add(&format!("card-{}", swipe / 20), [1.0]);
        }
        let width = |sums: &Resampled<1>| sums.interval(|[sum]| Some(*sum)).map(|i| i.high - i.low).unwrap();
        assert!(width(&together) > 3.0 * width(&apart), "{} and {}", width(&together), width(&apart));
    }

    #[test]
    fn the_order_does_not_matter_and_a_handful_says_nothing() {
        let ids: Vec<String> = (0..50).map(|n| format!("t{n}")).collect();
        let add = |ids: &mut dyn Iterator<Item = &String>| {
            let mut sums = Resampled::<1>::default();
            ids.for_each(|id| sums.add(id, [id.len() as f64]));
            sums.interval(|[sum]| Some(*sum))
        };
        assert_eq!(add(&mut ids.iter()), add(&mut ids.iter().rev()));
        assert_eq!(add(&mut ids[..9].iter()), None);
    }
}
