//! The seeded world: a queue of what is due, played in the order of time.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use events::{CardSwipe, Chargeback, DAY_MS, SimulationTruth, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1, LogNormal};

use super::CardsConfig;
use super::fraud::Pattern;
use super::honest::Trip;
use super::population::{CATEGORIES, Population};
use crate::Emission;

/// A payment that somebody has decided to make.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payment {
    pub(super) card: u32,
    pub(super) terminal: u32,
    pub(super) amount_cents: i64,
}

/// What can be due.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// The holder of this card may go shopping.
    Holder(u32),
    /// An honest payment that was decided on earlier: the next coin for the parking meter.
    Honest(Payment),
    /// A fraudulent payment that was decided on earlier.
    Fraud(Payment, Pattern),
    /// Somewhere a fraudster may begin.
    Episode(Pattern),
    /// A compromised terminal may bill somebody, until the instant given (ms).
    Skimmer { terminal: u32, until_ms: i64 },
    /// A holder has found a swipe that was not theirs.
    Chargeback { swipe: u64, card: u32, terminal: u32 },
    /// The history is over: the cards that were not in the sample begin.
    Everybody,
}

/// Something that is due. The number breaks ties, so that the order is the same in every run.
#[derive(Debug)]
struct Due {
    at: Timestamp,
    number: u64,
    what: What,
}

impl Ord for Due {
    /// The earliest is the greatest, as the heap wants it.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

/// Everything that is, and what will be.
#[derive(Debug)]
pub(super) struct World {
    pub(super) config: CardsConfig,
    pub(super) population: Population,
    pub(super) rng: StdRng,
    /// Cards in circulation: the sample during the history, then all.
    pub(super) active: u32,
    /// Where each card's holder is travelling, if they are.
    pub(super) trips: Vec<Option<Trip>>,
    /// The shop where fraudsters try out numbers these days.
    pub(super) testing_shop: u32,
    queue: BinaryHeap<Due>,
    due: u64,
    swipes: u64,
    said: VecDeque<Emission>,
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
            trips: vec![None; population.cards.len()],
            testing_shop,
            queue: BinaryHeap::new(),
            due: 0,
            swipes: 0,
            said: VecDeque::new(),
            delay: LogNormal::new(config.label_delay_days.max(0.01).ln(), 0.5).expect("a finite spread"),
            population,
        };
        for card in 0..world.active {
            world.wait_for_holder(card, begin);
        }
        world.begin_fraud(begin);
        world.schedule(config.start, What::Everybody);
        world
    }

    /// Plays everything before `config.start`, and says none of it.
    pub(super) fn live_through_history(&mut self) {
        while self.next_before(self.config.start).is_some() {}
    }

    /// The next emission, however far away.
    pub(super) fn next_emission(&mut self) -> Emission {
        loop {
            if let Some(emission) = self.said.pop_front() {
                return emission;
            }
            self.step();
        }
    }

    /// The next emission, if it is before `end`.
    pub(super) fn next_before(&mut self, end: Timestamp) -> Option<Emission> {
        while self.said.is_empty() {
            if self.queue.peek().is_none_or(|due| due.at >= end) {
                return None;
            }
            self.step();
        }
        self.said.pop_front()
    }

    fn step(&mut self) {
        let Due { at, what, .. } = self.queue.pop().expect("holders and fraudsters never cease");
        match what {
            What::Holder(card) => self.holder(at, card),
            What::Honest(payment) => self.swipe(at, payment, None),
            What::Fraud(payment, pattern) => self.swipe(at, payment, Some(pattern)),
            What::Episode(pattern) => self.episode(at, pattern),
            What::Skimmer { terminal, until_ms } => self.skimmer(at, terminal, until_ms),
            What::Chargeback { swipe, card, terminal } => self.chargeback(at, swipe, card, terminal),
            What::Everybody => {
                let sample = self.active;
                self.active = self.config.cards;
                for card in sample..self.active {
                    self.wait_for_holder(card, at);
                }
            }
        }
    }

    pub(super) fn schedule(&mut self, at: Timestamp, what: What) {
        self.queue.push(Due { at, number: self.due, what });
        self.due += 1;
    }

    /// An instant of a Poisson process with `rate` a second, after `from`.
    pub(super) fn after(&mut self, from: Timestamp, rate: f64) -> Timestamp {
        let wait: f64 = Exp1.sample(&mut self.rng);
        from.plus_seconds((wait / rate.max(1e-9)).max(0.001))
    }

    /// A card is presented: says the swipe and what it was, and sees to its chargeback.
    pub(super) fn swipe(&mut self, at: Timestamp, payment: Payment, pattern: Option<Pattern>) {
        let Payment { card, terminal, amount_cents } = payment;
        let number = self.swipes;
        self.swipes += 1;
        let place = &self.population.terminals[terminal as usize];
        let swipe = CardSwipe {
            ts: at,
            swipe_id: swipe_id(number),
            card_id: card_id(card),
            terminal_id: terminal_id(terminal),
            amount_cents,
            currency: Some("USD".to_owned()),
            category: Some(CATEGORIES[place.category].name.to_owned()),
            lat: place.place.map(|(lat, _)| lat),
            lon: place.place.map(|(_, lon)| lon),
        };
        let truth = SimulationTruth::Swipe {
            ts: at,
            id: swipe.swipe_id.clone(),
            card_id: swipe.card_id.clone(),
            amount_cents,
            pattern: pattern.map(|pattern| pattern.name().to_owned()),
        };
        self.said.push_back(Emission { at, event: swipe.into() });
        self.said.push_back(Emission { at, event: truth.into() });
        if pattern.is_some() && !self.rng.random_bool(self.config.label_never.clamp(0.0, 1.0)) {
            let days = self.delay.sample(&mut self.rng).clamp(0.25, 60.0);
            self.schedule(
                at.plus_seconds(days * 86_400.0),
                What::Chargeback { swipe: number, card, terminal },
            );
        }
    }

    fn chargeback(&mut self, at: Timestamp, swipe: u64, card: u32, terminal: u32) {
        let chargeback = Chargeback {
            ts: at,
            swipe_id: swipe_id(swipe),
            card_id: card_id(card),
            terminal_id: terminal_id(terminal),
        };
        self.said.push_back(Emission { at, event: chargeback.into() });
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
