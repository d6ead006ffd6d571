//! The seeded world: a queue of scheduled actions, played in the order of time (a *discrete event
//! simulation*).
//!
//! # Simplifications
//! - A chargeback names one swipe; a holder who finds several reports each by itself.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use events::{CardSwipe, Chargeback, DAY_MS, SimulationTruth, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1, LogNormal};

use super::CardsConfig;
use super::pattern::Pattern;
use super::population::{CATEGORIES, Population};
use crate::emission::Emission;

/// A payment that will be made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payment {
    pub(super) card: u32,
    pub(super) terminal: u32,
    pub(super) amount_cents: i64,
}

/// An action that can be due.
#[derive(Clone, Copy, Debug)]
pub(super) enum Due {
    /// The holder of this card may go shopping.
    Holder(u32),
    /// An honest payment that was planned earlier: the next coin for the parking meter.
    Honest(Payment),
    /// A fraudulent payment that was planned earlier.
    Fraud(Payment, Pattern),
    /// An episode of this pattern may begin.
    Episode(Pattern),
    /// A compromised terminal may bill a card, until the given instant (ms).
    Skimmer { terminal: u32, until_ms: i64 },
    /// A holder has found a swipe that was not theirs.
    Chargeback { swipe: u64, card: u32, terminal: u32 },
    /// A thief uses the card of the [opening](super::staged).
    Staged(Payment),
    /// The history is over: the cards outside the sample begin.
    AllCards,
}

/// An action and its time. The number breaks ties, so that the order is the same in every run.
#[derive(Debug)]
struct Scheduled {
    at: Timestamp,
    number: u64,
    due: Due,
}

impl Ord for Scheduled {
    /// The earliest is the greatest, as the heap needs it.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scheduled {}

/// A holiday of one holder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holiday {
    pub(super) city: usize,
    pub(super) until: Timestamp,
}

/// The state of the town, and the actions that are scheduled.
#[derive(Debug)]
pub(super) struct World {
    pub(super) config: CardsConfig,
    pub(super) population: Population,
    pub(super) rng: StdRng,
    /// Cards in circulation: the sample during the history, then all.
    pub(super) active: u32,
    /// The holiday of each card's holder, if they are on one.
    pub(super) holidays: Vec<Option<Holiday>>,
    /// The shop where fraudsters test numbers at present.
    pub(super) testing_shop: u32,
    queue: BinaryHeap<Scheduled>,
    scheduled: u64,
    swipes: u64,
    outbox: VecDeque<Emission>,
    delay: LogNormal<f64>,
}

impl World {
    /// The world as it is when the history begins.
    pub(super) fn new(config: &CardsConfig) -> Self {
        let population = Population::new(config);
        let mut rng = StdRng::seed_from_u64(config.seed);
        let testing_shop = population.online_shop(&mut rng);
        let begin = config.start.plus_ms(-i64::from(config.history_days) * DAY_MS);
        let mut world = Self {
            config: config.clone(),
            rng,
            active: if config.history_days == 0 { 0 } else { config.history_cards.min(config.cards) },
            holidays: vec![None; population.cards.len()],
            testing_shop,
            queue: BinaryHeap::new(),
            scheduled: 0,
            swipes: 0,
            outbox: VecDeque::new(),
            delay: LogNormal::new(config.label_delay_days.max(0.01).ln(), 0.5).expect("a finite spread"),
            population,
        };
        for card in 0..world.active {
            world.schedule_holder(card, begin);
        }
        world.begin_fraud(begin);
        world.schedule(config.start, Due::AllCards);
        if let Some(moment) = config.staged {
            world.stage_theft(moment);
        }
        world
    }

    /// Plays everything before `config.start`, and emits none of it.
    pub(super) fn play_history(&mut self) {
        while self.next_before(self.config.start).is_some() {}
    }

    /// The next emission.
    pub(super) fn next_emission(&mut self) -> Emission {
        loop {
            if let Some(emission) = self.outbox.pop_front() {
                return emission;
            }
            self.step();
        }
    }

    /// The next emission, if it is before `end`.
    pub(super) fn next_before(&mut self, end: Timestamp) -> Option<Emission> {
        while self.outbox.is_empty() {
            if self.queue.peek().is_none_or(|next| next.at >= end) {
                return None;
            }
            self.step();
        }
        self.outbox.pop_front()
    }

    fn step(&mut self) {
        let Scheduled { at, due, .. } = self.queue.pop().expect("holders and fraudsters never cease");
        match due {
            Due::Holder(card) => self.holder(at, card),
            Due::Honest(payment) => self.swipe(at, payment, None),
            Due::Fraud(payment, pattern) => self.swipe(at, payment, Some(pattern)),
            Due::Episode(pattern) => self.episode(at, pattern),
            Due::Skimmer { terminal, until_ms } => self.skimmer(at, terminal, until_ms),
            Due::Staged(payment) => self.staged_swipe(at, payment),
            Due::Chargeback { swipe, card, terminal } => self.chargeback(at, swipe, card, terminal),
            Due::AllCards => {
                let sample = self.active;
                self.active = self.config.cards;
                for card in sample..self.active {
                    self.schedule_holder(card, at);
                }
            }
        }
    }

    pub(super) fn schedule(&mut self, at: Timestamp, due: Due) {
        self.queue.push(Scheduled { at, number: self.scheduled, due });
        self.scheduled += 1;
    }

    /// An instant of a Poisson process with `rate` a second, after `from`.
    pub(super) fn after(&mut self, from: Timestamp, rate: f64) -> Timestamp {
        let wait: f64 = Exp1.sample(&mut self.rng);
        from.plus_seconds((wait / rate.max(1e-9)).max(0.001))
    }

    /// A card is presented: emits the swipe and its truth, and schedules its chargeback.
    pub(super) fn swipe(&mut self, at: Timestamp, payment: Payment, pattern: Option<Pattern>) {
        let Payment { card, terminal, amount_cents } = payment;
        let number = self.swipes;
        let swipe = self.next_swipe(at, payment);
        let truth = SimulationTruth::Swipe {
            ts: at,
            id: swipe.swipe_id.clone(),
            card_id: swipe.card_id.clone(),
            amount_cents,
            pattern: pattern.map(|pattern| pattern.name().to_owned()),
        };
        self.outbox.push_back(Emission { at, event: swipe.into() });
        self.outbox.push_back(Emission { at, event: truth.into() });
        if pattern.is_some() && !self.rng.random_bool(self.config.label_never.clamp(0.0, 1.0)) {
            let days = self.delay.sample(&mut self.rng).clamp(0.25, 60.0);
            self.schedule(
                at.plus_seconds(days * 86_400.0),
                Due::Chargeback { swipe: number, card, terminal },
            );
        }
    }

    /// A card is presented by the thief of the opening: only the holder learns the truth.
    fn staged_swipe(&mut self, at: Timestamp, payment: Payment) {
        let number = self.swipes;
        let swipe = self.next_swipe(at, payment);
        self.outbox.push_back(Emission { at, event: swipe.into() });
        let Payment { card, terminal, .. } = payment;
        let found = at.plus_seconds(self.config.label_delay_days.max(0.01) * 86_400.0);
        self.schedule(found, Due::Chargeback { swipe: number, card, terminal });
    }

    /// What the terminal sends.
    fn next_swipe(&mut self, at: Timestamp, payment: Payment) -> CardSwipe {
        let Payment { card, terminal, amount_cents } = payment;
        let number = self.swipes;
        self.swipes += 1;
        let at_terminal = &self.population.terminals[terminal as usize];
        CardSwipe {
            ts: at,
            swipe_id: swipe_id(number),
            card_id: card_id(card),
            terminal_id: terminal_id(terminal),
            amount_cents,
            currency: Some("USD".to_owned()),
            category: Some(CATEGORIES[at_terminal.category].name.to_owned()),
            lat: at_terminal.location.map(|(lat, _)| lat),
            lon: at_terminal.location.map(|(_, lon)| lon),
        }
    }

    fn chargeback(&mut self, at: Timestamp, swipe: u64, card: u32, terminal: u32) {
        let chargeback = Chargeback {
            ts: at,
            swipe_id: swipe_id(swipe),
            card_id: card_id(card),
            terminal_id: terminal_id(terminal),
        };
        self.outbox.push_back(Emission { at, event: chargeback.into() });
    }
}

fn swipe_id(number: u64) -> String {
    format!("swipe-{number:09}")
}

fn card_id(card: u32) -> String {
    format!("card-{card:06}")
}

fn terminal_id(terminal: u32) -> String {
    format!("terminal-{terminal:05}")
}
