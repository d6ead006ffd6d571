//! What holders do: shop by the clock and the calendar, travel, buy a sofa, feed a parking meter.

use events::{DAY_MS, HOUR_MS, Timestamp};
use rand::RngExt;
use rand_distr::{Distribution, LogNormal, StandardNormal};

use super::population::{CATEGORIES, Population, TOWN, TRANSPORT};
use super::world::{Payment, What, World};

/// How busy each hour of the day is, next to the busiest.
const HOURS: [f64; 24] = [
    0.08, 0.05, 0.03, 0.03, 0.04, 0.08, 0.20, 0.38, 0.55, 0.62, 0.70, 0.80, 0.95, 1.00, 0.85, 0.75, 0.80,
    0.90, 1.00, 0.95, 0.75, 0.50, 0.30, 0.16,
];
/// How busy each day of the week is, next to the busiest; 1970-01-01 was a Thursday, with which
/// this begins.
const DAYS: [f64; 7] = [0.90, 1.00, 1.00, 0.75, 0.88, 0.88, 0.90];

/// Share of visits that are to a favourite terminal.
const TO_A_FAVOURITE: f64 = 0.85;
/// Share of visits at which something far dearer than usual is bought.
const BIG_PURCHASE: f64 = 0.003;
/// Share of visits that begin a row of small payments.
const METER: f64 = 0.003;
/// Share of visits that are a card check of zero cents, and a refund.
const CARD_CHECK: f64 = 0.002;
const REFUND: f64 = 0.003;
/// Days between two holidays of one holder, on average.
const DAYS_BETWEEN_TRIPS: f64 = 120.0;
/// How long the way to another city takes.
const JOURNEY_MS: i64 = 7 * HOUR_MS;

/// A holiday.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trip {
    city: usize,
    until: Timestamp,
}

/// How busy this instant is for someone who lives so many hours late: 0 to 1.
pub(super) fn rhythm(at: Timestamp, hours_late: i64) -> f64 {
    let local = at.plus_ms(-hours_late * HOUR_MS);
    HOURS[local.hour() as usize] * DAYS[(local.ms().div_euclid(DAY_MS)).rem_euclid(7) as usize]
}

/// How busy the town is on average over a week, next to its busiest hour.
pub(super) fn mean_rhythm() -> f64 {
    HOURS.iter().sum::<f64>() / 24.0 * DAYS.iter().sum::<f64>() / 7.0
}

impl World {
    /// The next instant at which this holder may go shopping. Candidates come at the busiest hour's
    /// rate; which of them are taken up is decided by the hour when they come (thinning, Lewis
    /// & Shedler 1979).
    pub(super) fn wait_for_holder(&mut self, card: u32, from: Timestamp) {
        let rate = self.population.cards[card as usize].rate;
        let at = self.after(from, rate);
        self.schedule(at, What::Holder(card));
    }

    pub(super) fn holder(&mut self, at: Timestamp, card: u32) {
        let hours_late = self.population.cards[card as usize].hours_late;
        let awake = rhythm(at, hours_late);
        if !self.rng.random_bool(awake) {
            return self.wait_for_holder(card, at);
        }
        if let Some(trip) = self.trips[card as usize]
            && at >= trip.until
        {
            self.trips[card as usize] = None;
            return self.wait_for_holder(card, at.max(trip.until.plus_ms(JOURNEY_MS)));
        }
        if self.trips[card as usize].is_none() && self.sets_out(card) {
            let days = self.rng.random_range(2.0..14.0);
            let city = Population::city_abroad(&mut self.rng);
            self.trips[card as usize] = Some(Trip { city, until: at.plus_seconds(days * 86_400.0) });
            return self.wait_for_holder(card, at.plus_ms(JOURNEY_MS));
        }
        self.visit(at, card);
        self.wait_for_holder(card, at);
    }

    fn sets_out(&mut self, card: u32) -> bool {
        let a_day = self.population.cards[card as usize].rate * mean_rhythm() * 86_400.0;
        self.rng.random_bool((1.0 / (DAYS_BETWEEN_TRIPS * a_day)).min(1.0))
    }

    fn visit(&mut self, at: Timestamp, card: u32) {
        let trip = self.trips[card as usize];
        let terminal = match trip {
            Some(trip) => self.population.terminal_in(trip.city, &mut self.rng),
            None if self.rng.random_bool(TO_A_FAVOURITE) => {
                let favourites = self.population.cards[card as usize].favourites.len();
                // The square prefers the first: the nearest is visited most.
                let rank = (self.rng.random::<f64>().powi(2) * favourites as f64) as usize;
                self.population.cards[card as usize].favourites[rank.min(favourites - 1)]
            }
            None => self.population.terminal_in(TOWN, &mut self.rng),
        };
        let mut cents = self.cents(card, terminal);
        if trip.is_some() {
            cents *= 1.4;
        }
        let kind: f64 = self.rng.random();
        if kind < BIG_PURCHASE {
            cents *= LogNormal::new(2.0, 0.5).expect("a finite spread").sample(&mut self.rng);
        } else if kind < BIG_PURCHASE + METER {
            return self.feed_the_meter(at, card);
        } else if kind < BIG_PURCHASE + METER + CARD_CHECK {
            cents = 0.0;
        } else if kind < BIG_PURCHASE + METER + CARD_CHECK + REFUND {
            cents = -cents;
        }
        self.swipe(at, Payment { card, terminal, amount_cents: cents.round() as i64 }, None);
    }

    /// What this holder pays at this terminal this time: the spread is the
    /// trade's and the holder's whim.
    fn cents(&mut self, card: u32, terminal: u32) -> f64 {
        let category = self.population.terminals[terminal as usize].category;
        let spread = CATEGORIES[category].sigma.hypot(self.population.cards[card as usize].whim);
        let chance: f64 = StandardNormal.sample(&mut self.rng);
        (self.population.usual_cents(card, terminal) * (spread * chance).exp()).max(20.0)
    }

    /// Small payments in a row at one terminal, as at a parking meter or a fair: honest, and looks
    /// like card testing.
    fn feed_the_meter(&mut self, at: Timestamp, card: u32) {
        let mut terminal = self.population.terminal_in(TOWN, &mut self.rng);
        for _ in 0..8 {
            if self.population.terminals[terminal as usize].category == TRANSPORT {
                break;
            }
            terminal = self.population.terminal_in(TOWN, &mut self.rng);
        }
        let mut when = at;
        for coin in 0..self.rng.random_range(3..10) {
            let payment = Payment { card, terminal, amount_cents: self.rng.random_range(50..600) };
            if coin == 0 {
                self.swipe(at, payment, None);
            } else {
                self.schedule(when, What::Honest(payment));
            }
            when = when.plus_seconds(self.rng.random_range(10.0..180.0));
        }
    }
}
