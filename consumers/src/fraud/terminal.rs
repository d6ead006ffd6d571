//! The profile of one terminal: above all, the share of its swipes that were fraud.

use std::collections::VecDeque;

use events::{DAY_MS, HOUR_MS};
use serde::{Deserialize, Serialize};

use super::baseline::Baseline;
use super::card::ChargebackHistory;

/// Days of labels that are kept.
const DAYS: usize = 48;
/// Tiny swipes that are remembered, with their card.
const TINY: usize = 24;
/// Weight of the prior in a terminal's fraud rate, in swipes.
const PRIOR_SWIPES: f32 = 1.5;

/// The profile of one terminal. At most 1.5 KiB.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Terminal {
    pub(super) amounts: Baseline,
    pub(super) chargebacks: ChargebackHistory,
    /// The latest labels that matured, the newest in the lowest bit; 1 is fraud.
    pub(super) outcomes: u16,
    pub(super) matured: u32,
    /// Swipes an hour, as a decayed count: over about an hour, and over about a fortnight.
    rates: [f32; 2],
    rated_ms: i64,
    days: VecDeque<Day>,
    /// The latest tiny swipes: when, and of which card.
    tiny: VecDeque<(i64, u32)>,
}

/// The swipes of one day, and how many of them are known to be fraud by now.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Day {
    day: i32,
    swipes: u32,
    frauds: u32,
}

/// Time constants of the two rates, in milliseconds.
const RATE_MS: [i64; 2] = [HOUR_MS, 14 * DAY_MS];

impl Terminal {
    /// All that it takes, in bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.chargebacks.heap_bytes()
            + self.days.capacity() * size_of::<Day>()
            + self.tiny.capacity() * size_of::<(i64, u32)>()
    }

    /// Learns a swipe that was scored.
    pub(super) fn learn(&mut self, at_ms: i64, ln: f32, population: &Baseline) {
        self.amounts.learn(ln, Some(population));
        let waited = (at_ms - self.rated_ms).max(0);
        for (rate, constant) in self.rates.iter_mut().zip(RATE_MS) {
            *rate = *rate * (-(waited as f32) / constant as f32).exp() + 1.0;
        }
        self.rated_ms = self.rated_ms.max(at_ms);
        if let Some(day) = self.day(at_ms) {
            day.swipes += 1;
        }
    }

    /// Learns that this card paid a tiny amount here.
    pub(super) fn learn_tiny(&mut self, at_ms: i64, card: u32) {
        if self.tiny.len() == TINY {
            self.tiny.pop_front();
        }
        self.tiny.push_back((at_ms, card));
    }

    /// How many different cards paid a tiny amount here within the hour before.
    pub(super) fn tiny_cards(&self, at_ms: i64) -> u32 {
        let lately = || self.tiny.iter().filter(|tiny| (at_ms - tiny.0).abs() < HOUR_MS);
        lately().enumerate().filter(|&(at, tiny)| !lately().take(at).any(|before| before.1 == tiny.1)).count()
            as u32
    }

    /// How busy the last hour was, next to what is usual: logarithm of the ratio.
    pub(super) fn rush(&self, at_ms: i64) -> f32 {
        let waited = (at_ms - self.rated_ms).max(0) as f32;
        let [hour, fortnight] = [0, 1].map(|which| {
            self.rates[which] * (-waited / RATE_MS[which] as f32).exp() * HOUR_MS as f32
                / RATE_MS[which] as f32
        });
        ((hour + 0.5) / (fortnight + 0.5)).ln()
    }

    /// A swipe of `swiped_ms` was fraud: known as of `at_ms`.
    pub(super) fn fraud(&mut self, swiped_ms: i64, at_ms: i64) {
        self.chargebacks.fraud(swiped_ms, at_ms);
        if let Some(day) = self.day(swiped_ms) {
            day.frauds += 1;
            day.swipes = day.swipes.max(day.frauds);
        }
    }

    /// The label of a swipe has matured.
    pub(super) fn mature(&mut self, swiped_ms: i64, fraud: bool) {
        self.matured = self.matured.saturating_add(1);
        self.outcomes = self.outcomes << 1 | u16::from(fraud);
        if !fraud {
            self.chargebacks.genuine(swiped_ms);
        }
    }

    /// The share of fraud among the swipes that were made between `from` and `to` whole days ago,
    /// pulled towards `prior`; and how many there were. Meaningful once their labels have
    /// matured.
    pub(super) fn rate(&self, now_ms: i64, from: i32, to: i32, prior: f32) -> (f32, u32) {
        let today = day_of(now_ms);
        let (mut swipes, mut frauds) = (0, 0);
        for day in self.days.iter().filter(|day| (from..=to).contains(&(today - day.day))) {
            swipes += day.swipes;
            frauds += day.frauds;
        }
        ((frauds as f32 + PRIOR_SWIPES * prior) / (swipes as f32 + PRIOR_SWIPES), swipes)
    }

    /// The day of this instant, inserted unless it is older than all that are kept.
    fn day(&mut self, at_ms: i64) -> Option<&mut Day> {
        let day = day_of(at_ms);
        let mut place = self.days.partition_point(|known| known.day < day);
        if self.days.get(place).is_none_or(|known| known.day != day) {
            if self.days.len() == DAYS {
                if place == 0 {
                    return None;
                }
                self.days.pop_front();
                place -= 1;
            }
            if self.days.len() == self.days.capacity() {
                // A quarter more: a queue would double.
                self.days.reserve_exact((self.days.len() / 4).max(2));
            }
            self.days.insert(place, Day { day, swipes: 0, frauds: 0 });
            assert!(self.days.len() <= DAYS, "{} days of labels, of {DAYS} at most", self.days.len());
        }
        self.days.get_mut(place)
    }
}

fn day_of(at_ms: i64) -> i32 {
    at_ms.div_euclid(DAY_MS) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_of_swipes_made_then_and_known_now() {
        let (mut terminal, population) = (Terminal::default(), Baseline::default());
        for day in 0..10 {
            terminal.learn(day * DAY_MS, 7.0, &population);
            terminal.learn(day * DAY_MS + 5, 7.0, &population);
        }
        terminal.fraud(DAY_MS, 8 * DAY_MS);
        let (rate, swipes) = terminal.rate(10 * DAY_MS, 8, 9, 0.0);
        assert_eq!(swipes, 4, "days 1 and 2");
        assert!((rate - 1.0 / 5.5).abs() < 1e-6, "{rate}");
        assert_eq!(terminal.chargebacks.counts(10 * DAY_MS), [0, 1, 1]);
    }

    #[test]
    fn memory_is_bounded_in_any_order_of_days() {
        let (mut terminal, population) = (Terminal::default(), Baseline::default());
        for step in 0..5_000_i64 {
            let at = step * 7_919 % 3_000 * DAY_MS;
            terminal.learn(at, 7.0, &population);
            terminal.learn_tiny(at, step as u32);
            terminal.fraud(at, at);
            assert!(terminal.days.len() <= DAYS && terminal.tiny.len() <= TINY);
            assert!(
                terminal.days.iter().zip(terminal.days.iter().skip(1)).all(|(one, next)| one.day < next.day)
            );
        }
    }

    #[test]
    fn different_cards_are_counted_once() {
        let mut terminal = Terminal::default();
        for (at, card) in [(0, 1), (10, 2), (20, 1), (30, 3), (40, 3)] {
            terminal.learn_tiny(at, card);
        }
        assert_eq!(terminal.tiny_cards(50), 3);
        assert_eq!(terminal.tiny_cards(HOUR_MS + 15), 2, "cards 1 (at 20) and 3");
    }
}
