//! Card swipes of a town, the fraud among them, and the chargebacks that report it days later.
//!
//! One seeded [`World`] emits everything. Each card holder has a home, favourite shops, hours and a
//! budget; they go on holiday, buy a sofa, feed a parking meter ten times in a row: honest payments
//! that look like fraud. Among them five [patterns](pattern) of fraud are played as *episodes* (see
//! [`fraud`]), none of them defined by a threshold that a detector could copy. Attempts do not
//! depend on any detector's decisions: both lanes are judged on the same ones, and the bill leaves
//! out attempts after a block.
//!
//! A detector that starts empty learns nothing for a week, until the first labels come. So the
//! world begins [`history_days`](CardsConfig::history_days) before [`start`](CardsConfig::start)
//! with a sample of the cards: [`history`] is that prefix, to train on, and [`Cards`] is the rest,
//! with every card. Chargebacks of swipes of the history still arrive while it runs.
//!
//! # Simplifications
//! - The town keeps UTC, and its money has one currency.
//! - Fraud is more frequent than on real cards (0.6 % of swipes where a bank sees 0.05 to 0.1 %)
//!   and its patterns are clearer, so that something happens in a minute of watching. Precision
//!   measured on it is several times what real data gives.
//! - A swipe is sent at the instant it happens: the terminal is waiting.

mod fraud;
mod honest;
mod pattern;
mod population;
mod staged;
mod world;

use events::{Event, Timestamp};

use crate::emission::Emission;
use world::World;

/// The parameters of the payments business. They fix everything: same config, same events, byte for
/// byte.
#[derive(Clone, Debug, PartialEq)]
pub struct CardsConfig {
    /// The seed of everything random.
    pub seed: u64,
    /// The first instant of [`Cards`].
    pub start: Timestamp,
    /// Cards in circulation.
    pub cards: u32,
    /// Terminals in the town and in the four cities that its people travel to.
    pub terminals: u32,
    /// Honest swipes per simulated second at the busiest hour; the mean over a week is about half
    /// of it.
    pub busy_swipes_per_second: f64,
    /// Share of all swipes that are fraud, over weeks.
    pub fraud_share: f64,
    /// Days from a fraudulent swipe to its chargeback: the median of a log-normal distribution.
    pub label_delay_days: f64,
    /// Share of fraudulent swipes that are never reported.
    pub label_never: f64,
    /// Where the town is: degrees north, degrees east.
    pub center: (f64, f64),
    /// How long before [`start`](Self::start) the world begins, in days.
    pub history_days: u32,
    /// How many of the cards exist before [`start`](Self::start): a history of all of them would
    /// take long to learn from.
    pub history_cards: u32,
    /// Just after when a card is stolen that a newcomer can follow: one theft more than chance
    /// brings, which the truth says nothing of, so that no bill counts it.
    pub staged: Option<Timestamp>,
}

impl Default for CardsConfig {
    /// A town whose busiest hour sees 5 swipes a second, with about three
    /// bursts of card testing in it.
    fn default() -> Self {
        Self {
            seed: 7,
            start: "2026-03-03T11:00:00.000Z".parse().expect("an RFC 3339 instant"),
            cards: 60_000,
            terminals: 6_000,
            busy_swipes_per_second: 5.0,
            fraud_share: 0.006,
            label_delay_days: 4.0,
            label_never: 0.05,
            center: (-29.9027, -71.2519),
            history_days: 45,
            history_cards: 4_000,
            staged: None,
        }
    }
}

/// The live business: an endless stream of `card_swipes`, of the `chargebacks` that follow days
/// later, and of the `simulation_truth` about every swipe, sent with it.
#[derive(Debug)]
pub struct Cards {
    world: World,
}

impl Cards {
    /// The business at `config.start`. Plays the history first, which takes some tenths of a
    /// second.
    pub fn new(config: &CardsConfig) -> Self {
        let mut world = World::new(config);
        world.play_history();
        Self { world }
    }
}

impl Iterator for Cards {
    type Item = Emission;

    fn next(&mut self) -> Option<Emission> {
        Some(self.world.next_emission())
    }
}

/// What happened before `config.start` to the cards of the sample: swipes and the chargebacks known
/// by then, in the order of time. [`Cards`] continues the same world, when both have the same
/// config.
pub fn history(config: &CardsConfig) -> impl Iterator<Item = Event> + use<> {
    let mut world = World::new(config);
    let start = config.start;
    std::iter::from_fn(move || {
        loop {
            let emission = world.next_before(start)?;
            if !matches!(emission.event, Event::SimulationTruth(_)) {
                return Some(emission.event);
            }
        }
    })
}

#[cfg(test)]
mod tests;
