//! What holders do: they shop by the hour and the day of the week, travel, buy a sofa, feed a
//! parking meter.
//!
//! # Simplifications
//! - Holders are independent: no families, no pay day, no season.

use events::{DAY_MS, HOUR_MS, Timestamp};
use rand::RngExt;
use rand_distr::{Distribution, LogNormal, StandardNormal};

use super::population::{CATEGORIES, Population, TOWN, TRANSPORT};
use super::world::{Due, Holiday, Payment, World};

/// How busy each hour of the day is, relative to the busiest.
const HOURS: [f64; 24] = [
    0.08, 0.05, 0.03, 0.03, 0.04, 0.08, 0.20, 0.38, 0.55, 0.62, 0.70, 0.80, 0.95, 1.00, 0.85, 0.75, 0.80,
    0.90, 1.00, 0.95, 0.75, 0.50, 0.30, 0.16,
];
/// How busy each day of the week is, relative to the busiest, from Thursday on: 1970-01-01 was one.
const DAYS: [f64; 7] = [0.90, 1.00, 1.00, 0.75, 0.88, 0.88, 0.90];

/// Share of visits that are to a favourite terminal.
const TO_A_FAVOURITE: f64 = 0.85;
/// Share of visits with a purchase far above the usual price.
const BIG_PURCHASE: f64 = 0.003;
/// Share of visits that start a series of small payments.
const METER_PAYMENTS: f64 = 0.003;
/// Share of visits that are a card check of zero cents, and a refund.
const CARD_CHECK: f64 = 0.002;
const REFUND: f64 = 0.003;
/// Days between two holidays of one holder, on average.
const DAYS_BETWEEN_HOLIDAYS: f64 = 120.0;
/// How long the journey to another city takes.
const JOURNEY_MS: i64 = 7 * HOUR_MS;

/// How busy this instant is for a holder whose day is so many hours ahead of UTC: 0 to 1.
pub(super) fn rhythm(at: Timestamp, utc_offset_h: i64) -> f64 {
    let local = at.plus_ms(utc_offset_h * HOUR_MS);
    HOURS[local.hour() as usize] * DAYS[(local.ms().div_euclid(DAY_MS)).rem_euclid(7) as usize]
}

/// How busy the town is on average over a week, relative to its busiest hour.
pub(super) fn mean_rhythm() -> f64 {
    HOURS.iter().sum::<f64>() / 24.0 * DAYS.iter().sum::<f64>() / 7.0
}

impl World {
    /// Schedules the next instant at which this holder may go shopping. Candidates come at the
    /// busiest hour's rate; each is accepted with the probability of its hour (*thinning*, Lewis &
    /// Shedler 1979).
    pub(super) fn schedule_holder(&mut self, card: u32, from: Timestamp) {
        let rate = self.population.cards[card as usize].rate;
        let at = self.after(from, rate);
        self.schedule(at, Due::Holder(card));
    }

    pub(super) fn holder(&mut self, at: Timestamp, card: u32) {
        let utc_offset_h = self.population.cards[card as usize].utc_offset_h;
        let busy = rhythm(at, utc_offset_h);
        if !self.rng.random_bool(busy) {
            return self.schedule_holder(card, at);
        }
        if let Some(holiday) = self.holidays[card as usize]
            && at >= holiday.until
        {
            self.holidays[card as usize] = None;
            return self.schedule_holder(card, at.max(holiday.until.plus_ms(JOURNEY_MS)));
        }
        if self.holidays[card as usize].is_none() && self.starts_holiday(card) {
            let days = self.rng.random_range(2.0..14.0);
            let city = Population::city_abroad(&mut self.rng);
            self.holidays[card as usize] = Some(Holiday { city, until: at.plus_seconds(days * 86_400.0) });
            return self.schedule_holder(card, at.plus_ms(JOURNEY_MS));
        }
        self.visit(at, card);
        self.schedule_holder(card, at);
    }

    fn starts_holiday(&mut self, card: u32) -> bool {
        let a_day = self.population.cards[card as usize].rate * mean_rhythm() * 86_400.0;
        self.rng.random_bool((1.0 / (DAYS_BETWEEN_HOLIDAYS * a_day)).min(1.0))
    }

    fn visit(&mut self, at: Timestamp, card: u32) {
        let holiday = self.holidays[card as usize];
        let terminal = match holiday {
            Some(holiday) => self.population.terminal_in(holiday.city, &mut self.rng),
            None if self.rng.random_bool(TO_A_FAVOURITE) => {
                let favourites = self.population.cards[card as usize].favourites.len();
                // The square prefers the first: the nearest is visited most.
                let rank = (self.rng.random::<f64>().powi(2) * favourites as f64) as usize;
                self.population.cards[card as usize].favourites[rank.min(favourites - 1)]
            }
            None => self.population.terminal_in(TOWN, &mut self.rng),
        };
        let mut cents = self.cents(card, terminal);
        if holiday.is_some() {
            cents *= 1.4;
        }
        let kind: f64 = self.rng.random();
        if kind < BIG_PURCHASE {
            cents *= LogNormal::new(2.0, 0.5).expect("a finite spread").sample(&mut self.rng);
        } else if kind < BIG_PURCHASE + METER_PAYMENTS {
            return self.meter_payments(at, card);
        } else if kind < BIG_PURCHASE + METER_PAYMENTS + CARD_CHECK {
            cents = 0.0;
        } else if kind < BIG_PURCHASE + METER_PAYMENTS + CARD_CHECK + REFUND {
            cents = -cents;
        }
        self.swipe(at, Payment { card, terminal, amount_cents: cents.round() as i64 }, None);
    }

    /// What this holder pays at this terminal this time: its spread combines the trade's and the
    /// holder's.
    fn cents(&mut self, card: u32, terminal: u32) -> f64 {
        let category = self.population.terminals[terminal as usize].category;
        let spread = CATEGORIES[category].sigma.hypot(self.population.cards[card as usize].spend_sigma);
        let chance: f64 = StandardNormal.sample(&mut self.rng);
        (self.population.usual_cents(card, terminal) * (spread * chance).exp()).max(20.0)
    }

    /// Small payments in a row at one terminal, as at a parking meter or a fair: honest, and
    /// similar to card testing.
    fn meter_payments(&mut self, at: Timestamp, card: u32) {
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
                self.schedule(when, Due::Honest(payment));
            }
            when = when.plus_seconds(self.rng.random_range(10.0..180.0));
        }
    }
}
