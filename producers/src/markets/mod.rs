//! Markets: twenty pairs of currencies on five exchanges, and the feeds that carry their trades.
//!
//! [`Markets`] is an endless iterator. In each simulated second every price takes a step, trades
//! happen at that price, and each arrives when its exchange's feed delivers it: at once, out of
//! order, late, twice, or after an outage.
//!
//! # Prices
//! Prices are very nearly a *martingale*: the best forecast of the next price is the present one.
//! A price that could be forecast would be traded on until it could not. `price.rs` adds up:
//! - a random walk on the logarithm, 2.6 to 5.2 % a day, two thirds of it (a correlation of 0.65)
//!   common to all pairs, more agitated in some hours than in others. No drift: the price itself is
//!   a martingale;
//! - **news**: on more than half of the days a pair jumps (as Saef, Nagy, Sizov and Härdle,
//!   *Understanding temporal dynamics of jumps in cryptocurrency markets*, Digital Finance 2024,
//!   count in tick data: jumps on up to 58 % of days), up as often as down, by 0.7 % in the median;
//!   every other day all pairs jump together;
//! - **momentum**: 85 % of news is in the price at once, the rest follows within minutes, because
//!   some traders hear it later (the *late-informed investors* of Wen, Bouri, Xu and Zhao,
//!   *Intraday return predictability in the cryptocurrency markets*, NAJEF 2022);
//! - **mean reversion**: orders push the middle between bid and offer away from what a pair is
//!   worth, by 1.5 basis points, for 20 seconds;
//! - **the bid–ask bounce** (Roll, 1984): buyers pay the offer and sellers get the bid, so the
//!   prices of trades alternate around a middle that need not move.
//!
//! The sizes of momentum and reversion are assumptions: the papers show that both exist, not how
//! large they are within seconds. Neither is tuned to a consumer's profit. Tests measure both on
//! the generated prices: half an hour ahead nothing can be forecast after a usual minute, and a
//! tenth of a percent after news.
//!
//! # Trades
//! Trades excite trades: in a Hawkes process, each causes 0.6 others within half a minute (for real
//! markets Filimonov and Sornette, 2012, estimate 0.3 to 0.8), so quiet spells and bursts
//! alternate. News raises the rate up to eightfold. Nights (about 04:00 UTC) are quiet, afternoons
//! busy. Sizes are log-normal in dollars.
//!
//! # Simplifications
//! - No order book: a trade moves no price, whatever its size.
//! - Prices take one step a second, and are the same on all exchanges: there is no arbitrage.
//! - True prices are published every five seconds.

mod config;
mod feed;
mod pairs;
mod price;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use events::{Event, HOUR_MS, Side, SimulationTruth, Timestamp, Trade};
use rand::rngs::Xoshiro256PlusPlus as Rng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, LogNormal, Poisson};

pub use config::MarketsConfig;

use crate::Emission;
use feed::Feeds;
use pairs::{EXCHANGES, PAIRS, Pair};
use price::{Mood, Price};

/// How busy each hour of the day (UTC) is: 1 on average, interpolated linearly in between.
const BUSY: [f64; 24] = [
    0.95, 0.85, 0.75, 0.65, 0.58, 0.58, 0.65, 0.78, 0.90, 0.98, 1.00, 1.02, 1.15, 1.42, 1.55, 1.52, 1.42,
    1.30, 1.15, 1.08, 1.00, 0.92, 0.90, 0.90,
];
/// How many trades each trade causes, and within how many seconds (time constant).
const BRINGS: f64 = 0.6;
const WITHIN_S: f64 = 15.0;
/// Size of a trade in dollars: log-normal.
const SIZE_MEDIAN: f64 = 300.0;
const SIZE_SIGMA: f64 = 1.5;
/// How much likelier than not the next trade is on the side of the pressure, per basis point.
const LEANING: f64 = 0.1;
/// How often true prices are published, in seconds.
const TRUTH_EVERY_S: u64 = 5;
/// No second has more trades of a pair: a limit that news at 100 times the usual rate do not reach.
const MOST_A_SECOND: f64 = 10_000.0;

/// The simulated markets: see the [module](self).
#[derive(Debug)]
pub struct Markets {
    config: MarketsConfig,
    /// Draws prices and news alone: they are the same at every rate of trades.
    fate: Rng,
    /// Draws everything else.
    rng: Rng,
    mood: Mood,
    traded: [Traded; PAIRS.len()],
    feeds: Feeds,
    /// Trades so far, by exchange, which number them.
    numbers: [u64; EXCHANGES.len()],
    /// Seconds simulated so far.
    seconds: u64,
    /// Events in transit, by arrival and then by the order of sending.
    under_way: BinaryHeap<Reverse<Arrival>>,
    sent_off: u64,
}

/// A pair and its rate of trades.
#[derive(Debug)]
struct Traded {
    pair: &'static Pair,
    price: Price,
    /// Trades a second on average, and what earlier trades add to it now.
    rate: f64,
    brought: f64,
}

#[derive(Debug)]
struct Arrival {
    at: Timestamp,
    order: u64,
    event: Event,
}

impl Markets {
    /// Markets that begin at [`MarketsConfig::start`].
    ///
    /// # Panics
    /// When a share is not within 0 to 1, or a rate or a time is negative or not finite.
    pub fn new(config: MarketsConfig) -> Self {
        let shares = [config.at_once, config.late, config.repeated];
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "a share is from 0 to 1: {config:?}");
        let rates = [
            config.trades_per_second,
            config.news_per_day,
            config.market_news_per_day,
            config.pressure_bp,
            config.outages_per_day,
        ];
        assert!(rates.iter().all(|rate| (0.0..1e6).contains(rate)), "a rate is from 0 to 1e6: {config:?}");
        let times = [config.late_informed_s, config.pressure_s];
        assert!(times.iter().all(|time| (1.0..1e9).contains(time)), "a time is 1 s or more: {config:?}");
        let mut rng = Rng::seed_from_u64(config.seed ^ 0x7472_6164_6573_2121);
        let all: f64 = PAIRS.iter().map(|pair| pair.weight).sum();
        let traded = |pair: &'static Pair| {
            let rate = config.trades_per_second * pair.weight / all;
            Traded { pair, price: Price::new(pair), rate, brought: rate * BRINGS }
        };
        Self {
            fate: Rng::seed_from_u64(config.seed),
            mood: Mood::new(),
            traded: std::array::from_fn(|place| traded(&PAIRS[place])),
            feeds: Feeds::new(&config, &mut rng),
            numbers: [0; EXCHANGES.len()],
            seconds: 0,
            under_way: BinaryHeap::new(),
            sent_off: 0,
            rng,
            config,
        }
    }

    /// The same markets without trades before `moment`. Prices move all the same, so that the
    /// trades fit those of markets that were open all the time.
    ///
    /// # Panics
    /// As [`Markets::new`].
    #[must_use]
    pub fn opening_at(config: MarketsConfig, moment: Timestamp) -> Self {
        let mut markets = Self::new(config);
        while markets.now().plus_ms(1_000) <= moment {
            let busy = busy(markets.now());
            markets.prices_step(busy);
            markets.seconds += 1;
        }
        let opening = markets.now();
        markets.feeds =
            Feeds::new(&MarketsConfig { start: opening, ..markets.config.clone() }, &mut markets.rng);
        markets
    }

    /// The first instant that is not simulated yet.
    fn now(&self) -> Timestamp {
        self.config.start.plus_ms((self.seconds as i64).saturating_mul(1_000))
    }

    fn send(&mut self, at: Timestamp, event: Event) {
        self.sent_off += 1;
        self.under_way.push(Reverse(Arrival { at, order: self.sent_off, event }));
    }

    /// Simulates one second.
    fn second(&mut self) {
        let now = self.now();
        let busy = busy(now);
        self.feeds.step(now, &self.config, &mut self.rng);
        if self.config.truth && self.seconds.is_multiple_of(TRUTH_EVERY_S) {
            for place in 0..self.traded.len() {
                let Traded { pair, price, .. } = &self.traded[place];
                let (id, mid_e8) = (pair.name.to_owned(), (price.mid() * 1e8).round() as i64);
                self.send(now, SimulationTruth::Price { ts: now, id, mid_e8 }.into());
            }
        }
        let mut due = Vec::new();
        for place in 0..self.traded.len() {
            for _ in 0..self.trades_of(place, busy) {
                due.push((now.plus_ms(self.rng.random_range(0..1_000)), place));
            }
        }
        // Exchanges number their trades as they happen.
        due.sort_unstable();
        for (ts, place) in due {
            self.trade(place, ts);
        }
        self.prices_step(busy);
        self.seconds += 1;
    }

    /// Moves every price by the step of one second.
    fn prices_step(&mut self, busy: f64) {
        let moment = self.mood.step(busy, &self.config, &mut self.fate);
        for traded in &mut self.traded {
            traded.price.step(&moment, &self.config, &mut self.fate);
        }
    }

    /// How many trades a pair has in this second.
    fn trades_of(&mut self, place: usize, busy: f64) -> u64 {
        let traded = &mut self.traded[place];
        let by_itself = traded.rate * (1.0 - BRINGS) * busy * traded.price.eagerness();
        let rate = (by_itself + traded.brought).min(MOST_A_SECOND);
        let count = if rate > 0.0 {
            Poisson::new(rate).expect("the rate is positive").sample(&mut self.rng)
        } else {
            0.0
        };
        let keep = (-1.0 / WITHIN_S).exp();
        traded.brought = traded.brought * keep + count * BRINGS * (1.0 - keep);
        count as u64
    }

    /// One trade of a pair.
    fn trade(&mut self, place: usize, ts: Timestamp) {
        let Traded { pair, price, .. } = &self.traded[place];
        let buys = (0.5 + LEANING * price.pressure_bp()).clamp(0.1, 0.9);
        let side = if self.rng.random_bool(buys) { Side::Buy } else { Side::Sell };
        let sign = if side == Side::Buy { 1.0 } else { -1.0 };
        let paid = price.mid() * (1.0 + sign * pair.half_spread_bp / 1e4);
        let dollars: f64 =
            LogNormal::new(SIZE_MEDIAN.ln(), SIZE_SIGMA).expect("σ is positive").sample(&mut self.rng);
        let exchange = exchange(&mut self.rng);
        let name = EXCHANGES[exchange].name;
        self.numbers[exchange] += 1;
        let trade = Trade {
            ts,
            trade_id: format!("{name}-{:09}", self.numbers[exchange]),
            pair: pair.name.to_owned(),
            exchange: name.to_owned(),
            price_e8: ((paid * 1e8 / pair.tick_e8 as f64).round() as i64).max(1) * pair.tick_e8,
            quantity_e8: ((dollars / paid * 1e8).round() as i64).max(1),
            side,
        };
        let (first, again) = self.feeds.arrivals(exchange, &trade, &self.config, &mut self.rng);
        if let Some(again) = again {
            self.send(again, trade.clone().into());
        }
        self.send(first, trade.into());
    }
}

fn busy(now: Timestamp) -> f64 {
    let hour = now.hour() as usize;
    let past_hour = now.since_ms(now.floor(HOUR_MS)) as f64 / HOUR_MS as f64;
    BUSY[hour] + (BUSY[(hour + 1) % 24] - BUSY[hour]) * past_hour
}

/// An exchange, by its share.
fn exchange(rng: &mut Rng) -> usize {
    let mut at = rng.random::<f64>() * 100.0;
    let found = EXCHANGES.iter().position(|exchange| {
        at -= exchange.percent;
        at < 0.0
    });
    found.unwrap_or(0)
}

impl Default for Markets {
    fn default() -> Self {
        Self::new(MarketsConfig::default())
    }
}

impl Iterator for Markets {
    type Item = Emission;

    /// The next event in the order of arrival. There always is one, unless the rate of trades is 0
    /// and true prices are not published.
    fn next(&mut self) -> Option<Emission> {
        if self.config.trades_per_second == 0.0 && !self.config.truth {
            return None;
        }
        // Events of later seconds arrive later than these.
        while self.under_way.peek().is_none_or(|Reverse(first)| first.at >= self.now()) {
            self.second();
        }
        self.under_way.pop().map(|Reverse(Arrival { at, event, .. })| Emission { at, event })
    }
}

impl PartialEq for Arrival {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Arrival {}

impl PartialOrd for Arrival {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Arrival {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
