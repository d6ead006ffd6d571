//! The true price of a pair, second by second.

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus as Rng;
use rand_distr::{Distribution, LogNormal, StandardNormal};

use super::MarketsConfig;
use super::pairs::Pair;

const DAY_S: f64 = 86_400.0;
/// The correlation of a pair's usual movement with the market's.
const MARKET: f64 = 0.65;
/// Size of news: log-normal, in percent.
const NEWS_MEDIAN_PERCENT: f64 = 0.7;
const NEWS_SIGMA: f64 = 0.6;
/// The volatility of all prices changes within hours: its logarithm reverts to its mean with this
/// time constant, in seconds, and has this standard deviation.
const CALM_S: f64 = 7_200.0;
const CALM_SIGMA: f64 = 0.4;
/// News raises the rate of trades by at most this factor, and with this time constant, in seconds.
const EXCITED: f64 = 8.0;
const EXCITED_S: f64 = 600.0;

/// What moves all pairs in one second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Volatility now, relative to a usual second.
    movement: f64,
    /// The market's own step, in standard deviations.
    step: f64,
    /// News about all pairs, in percent; 0 when there is none.
    news_percent: f64,
}

/// The market as a whole.
#[derive(Debug)]
pub(super) struct Mood {
    /// Logarithm of the volatility, relative to the usual one.
    agitation: f64,
}

impl Mood {
    pub(super) fn new() -> Self {
        Self { agitation: 0.0 }
    }

    /// Simulates one second, in an hour of the day that is so busy (1 on average).
    pub(super) fn step(&mut self, busy: f64, config: &MarketsConfig, rng: &mut Rng) -> Moment {
        self.agitation = relax(self.agitation, CALM_S, CALM_SIGMA, rng);
        // The mean square of a log-normal number is greater than 1: divided out here.
        let movement = (self.agitation - CALM_SIGMA.powi(2)).exp() * busy.sqrt();
        let step = StandardNormal.sample(rng);
        Moment { movement, step, news_percent: news(config.market_news_per_day, rng) }
    }
}

/// One pair.
#[derive(Debug)]
pub(super) struct Price {
    /// Logarithm of the fair price, with all news taken in so far.
    worth: f64,
    /// How far orders have pushed the middle away from the fair price, as a logarithm.
    pressure: f64,
    /// News that the price has not taken in yet, as a logarithm.
    untold: f64,
    /// How much news has raised the rate of trades: 0 to [`EXCITED`].
    excitement: f64,
    /// Standard deviation of a second's step.
    sigma: f64,
}

impl Price {
    pub(super) fn new(pair: &Pair) -> Self {
        Self {
            worth: pair.price.ln(),
            pressure: 0.0,
            untold: 0.0,
            excitement: 0.0,
            sigma: pair.daily_percent / 100.0 / DAY_S.sqrt(),
        }
    }

    /// Simulates one second.
    pub(super) fn step(&mut self, moment: &Moment, config: &MarketsConfig, rng: &mut Rng) {
        let own: f64 = StandardNormal.sample(rng);
        let sigma = self.sigma * moment.movement;
        let step = MARKET * moment.step + (1.0 - MARKET.powi(2)).sqrt() * own;
        // Half the variance is subtracted, otherwise the price itself would drift upwards.
        self.worth += sigma * step - sigma.powi(2) / 2.0;

        let told = self.untold / config.late_informed_s;
        self.untold -= told;
        self.worth += told;
        self.excitement *= 1.0 - 1.0 / EXCITED_S;
        let percent = news(config.news_per_day, rng) + moment.news_percent;
        if percent != 0.0 {
            let impact = percent / 100.0;
            self.worth += impact * config.at_once;
            self.untold += impact * (1.0 - config.at_once);
            self.excitement = EXCITED;
        }
        self.pressure = relax(self.pressure, config.pressure_s, config.pressure_bp / 1e4, rng);
    }

    /// The middle between bid and offer.
    pub(super) fn mid(&self) -> f64 {
        (self.worth + self.pressure).exp()
    }

    /// The factor by which news raises the rate of trades.
    pub(super) fn eagerness(&self) -> f64 {
        1.0 + self.excitement
    }

    /// How far orders have pushed it, in basis points; buyers push it up.
    pub(super) fn pressure_bp(&self) -> f64 {
        self.pressure * 1e4
    }
}

/// One second of an Ornstein–Uhlenbeck process around zero, by its time constant in seconds and its
/// standard deviation.
fn relax(value: f64, time_s: f64, sigma: f64, rng: &mut Rng) -> f64 {
    let keep = (-1.0 / time_s).exp();
    let noise: f64 = StandardNormal.sample(rng);
    value * keep + sigma * (1.0 - keep.powi(2)).sqrt() * noise
}

/// News in this second, in percent of the price, up as often as down; 0 when there is none.
fn news(per_day: f64, rng: &mut Rng) -> f64 {
    if !rng.random_bool((per_day / DAY_S).min(1.0)) {
        return 0.0;
    }
    let size = LogNormal::new(NEWS_MEDIAN_PERCENT.ln(), NEWS_SIGMA).expect("σ is positive").sample(rng);
    if rng.random_bool(0.5) { size } else { -size }
}
