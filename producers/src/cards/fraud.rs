//! What fraudsters do: each of the five [patterns](Pattern) is played as *episodes* that begin at
//! random times and have a random shape.
//!
//! Fraudsters are active at the same hours as holders, so episodes follow the hours of the day,
//! except the purchases of a takeover at night.
//!
//! # Simplifications
//! - Fraudsters do not react: a declined swipe or a blocked card changes nothing in an episode.

use events::Timestamp;
use rand::RngExt;
use rand_distr::{Distribution, LogNormal, Poisson};

use super::honest::{mean_rhythm, rhythm};
use super::pattern::{Pattern, SKIMMED_A_DAY, SKIMMED_DAYS};
use super::population::{Population, TOWN};
use super::world::{Due, Payment, World};

impl World {
    /// Starts the fraudsters. Some terminals have been compromised for weeks already.
    pub(super) fn begin_fraud(&mut self, begin: Timestamp) {
        for pattern in Pattern::ALL {
            self.schedule_episode(begin, pattern);
        }
        let days = f64::midpoint(SKIMMED_DAYS.0, SKIMMED_DAYS.1);
        let under_way = self.episodes_a_second(Pattern::CompromisedTerminal) * days * 86_400.0;
        let under_way = Poisson::new(under_way.max(1e-9)).map_or(0.0, |count| count.sample(&mut self.rng));
        for _ in 0..under_way as u64 {
            let days_left = self.rng.random_range(0.0..SKIMMED_DAYS.1);
            self.compromise(begin, days_left);
        }
    }

    /// Episodes a second in the whole town, on average over a week.
    fn episodes_a_second(&self, pattern: Pattern) -> f64 {
        let fraud = self.config.fraud_share.clamp(0.0, 0.5);
        let honest = self.config.busy_swipes_per_second * mean_rhythm();
        honest * fraud / (1.0 - fraud) * pattern.share() / pattern.swipes()
    }

    fn schedule_episode(&mut self, from: Timestamp, pattern: Pattern) {
        // Candidates at the busiest hour's rate; the hour decides which are
        // taken up, as for holders.
        let rate = self.episodes_a_second(pattern) / mean_rhythm();
        let at = self.after(from, rate);
        self.schedule(at, Due::Episode(pattern));
    }

    /// The share of the town's cards that are in circulation: in the history, fraud is as rare as
    /// honest swipes are.
    fn in_circulation(&self) -> f64 {
        f64::from(self.active) / f64::from(self.config.cards)
    }

    pub(super) fn episode(&mut self, at: Timestamp, pattern: Pattern) {
        self.schedule_episode(at, pattern);
        if !self.rng.random_bool(rhythm(at, 0)) {
            return;
        }
        if pattern == Pattern::CompromisedTerminal {
            let days = self.rng.random_range(SKIMMED_DAYS.0..SKIMMED_DAYS.1);
            return self.compromise(at, days);
        }
        if !self.rng.random_bool(self.in_circulation()) {
            return;
        }
        let card = self.rng.random_range(0..self.active);
        match pattern {
            Pattern::CardTesting => self.card_testing(at, card),
            Pattern::Takeover => self.takeover(at, card),
            Pattern::Cloned => self.cloned(at, card),
            Pattern::Drift => self.drift(at, card),
            Pattern::CompromisedTerminal => unreachable!("handled above: it has no card"),
        }
    }

    fn fraud(&mut self, at: Timestamp, pattern: Pattern, card: u32, terminal: u32, cents: f64) {
        let payment = Payment { card, terminal, amount_cents: cents.clamp(1.0, 2e6).round() as i64 };
        self.schedule(at, Due::Fraud(payment, pattern));
    }

    fn card_testing(&mut self, at: Timestamp, card: u32) {
        if self.rng.random_bool(0.2) {
            self.testing_shop = self.population.online_shop(&mut self.rng);
        }
        let mut when = at;
        for _ in 0..self.rng.random_range(5..=20) {
            let cents = self.rng.random_range(30.0..400.0);
            self.fraud(when, Pattern::CardTesting, card, self.testing_shop, cents);
            when = when.plus_seconds(self.log_normal(16.0, 0.7));
        }
        when = when.plus_seconds(self.log_normal(200.0, 0.8));
        for _ in 0..self.rng.random_range(1..=5) {
            let terminal = if self.rng.random_bool(0.6) {
                self.population.online_shop(&mut self.rng)
            } else {
                self.population.resale_shop(&mut self.rng)
            };
            let cents = self.log_normal(32_000.0, 0.7);
            self.fraud(when, Pattern::CardTesting, card, terminal, cents);
            when = when.plus_seconds(self.log_normal(240.0, 0.9));
        }
    }

    fn takeover(&mut self, at: Timestamp, card: u32) {
        let mut when = at;
        for _ in 0..self.rng.random_range(3..=12) {
            let terminal = match self.rng.random_range(0..3) {
                0 => self.population.terminal_in(TOWN, &mut self.rng),
                1 => self.population.online_shop(&mut self.rng),
                _ => self.population.resale_shop(&mut self.rng),
            };
            let cents = self.population.usual_anywhere_cents(card) * self.log_normal(3.0, 0.7);
            self.fraud(when, Pattern::Takeover, card, terminal, cents);
            when = when.plus_seconds(self.log_normal(2.5 * 3_600.0, 1.0));
        }
    }

    fn cloned(&mut self, at: Timestamp, card: u32) {
        let city = Population::city_abroad(&mut self.rng);
        let mut when = at;
        for _ in 0..self.rng.random_range(2..=6) {
            let terminal = self.population.terminal_in(city, &mut self.rng);
            let cents = self.population.usual_cents(card, terminal) * self.log_normal(2.0, 0.7);
            self.fraud(when, Pattern::Cloned, card, terminal, cents);
            when = when.plus_seconds(self.log_normal(2_400.0, 0.9));
        }
    }

    fn drift(&mut self, at: Timestamp, card: u32) {
        let growth = self.rng.random_range(1.1..1.3);
        let mut cents = self.population.usual_anywhere_cents(card) * 0.8;
        let mut when = at;
        for _ in 0..self.rng.random_range(8..=16) {
            let terminal = if self.rng.random_bool(0.5) {
                let favourites = &self.population.cards[card as usize].favourites;
                favourites[self.rng.random_range(0..favourites.len())]
            } else {
                self.population.terminal_in(TOWN, &mut self.rng)
            };
            let this_time = cents * self.log_normal(1.0, 0.3);
            self.fraud(when, Pattern::Drift, card, terminal, this_time);
            cents *= growth;
            when = when.plus_seconds(self.log_normal(86_400.0, 0.5));
        }
    }

    fn compromise(&mut self, at: Timestamp, days: f64) {
        let terminal = self.population.terminal_in(TOWN, &mut self.rng);
        let until_ms = at.plus_seconds(days * 86_400.0).ms();
        self.schedule_skimmer(at, terminal, until_ms);
    }

    fn schedule_skimmer(&mut self, from: Timestamp, terminal: u32, until_ms: i64) {
        let at = self.after(from, SKIMMED_A_DAY / 86_400.0 / mean_rhythm());
        if at.ms() < until_ms {
            self.schedule(at, Due::Skimmer { terminal, until_ms });
        }
    }

    pub(super) fn skimmer(&mut self, at: Timestamp, terminal: u32, until_ms: i64) {
        self.schedule_skimmer(at, terminal, until_ms);
        let accepted = rhythm(at, 0) * self.in_circulation();
        if self.rng.random_bool(accepted) {
            let card = self.rng.random_range(0..self.active);
            let cents = self.population.usual_cents(card, terminal) * self.log_normal(1.6, 0.6);
            let payment = Payment { card, terminal, amount_cents: cents.clamp(1.0, 2e6).round() as i64 };
            self.swipe(at, payment, Some(Pattern::CompromisedTerminal));
        }
    }

    /// A value around this median, log-normal.
    fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        LogNormal::new(median.ln(), sigma).expect("a finite spread").sample(&mut self.rng)
    }
}
