//! Card fraud: approve or decline a swipe before the terminal gives up, and say why.
//!
//! ```text
//!  card_swipes ──> what is known ──> features ──> model ──> decision ──> fraud_decisions
//!                  of the card         (bins)       ^        (by cost)
//!                  of the terminal        \         | learns
//!                        ^                 └─> waiting for a label
//!  chargebacks ──────────┴───────────────────────> (days)
//! ```
//!
//! What makes it hard is that the truth arrives late: a chargeback names a fraud a week after it,
//! and of an honest swipe nothing is ever heard. So a swipe is *frozen* when it is scored, and
//! learnt from when its label has matured ([`labels`]); what is known of cards and terminals counts
//! chargebacks as they come. Everything is learnt online, from nothing, one event at a time; before
//! the first frauds are learnt no swipe is declined.
//!
//! Memory: a card takes at most 9.2 KiB ([`card`]; 2.6 KiB with four swipes a day), a terminal
//! 1.6 KiB, a swipe that waits for its label about 150 bytes for 15 days, an id that is
//! remembered 10 to 20 bytes; the model itself some 40 KiB. How many there can be of each is
//! [configured](FraudConfig). Detectors with one past ([`FraudPast`]) share it, and copy what
//! they meet.
//!
//! # What is done with strange input
//! All of it is [counted](Processor::counters).
//! - A `swipe_id` that was met before gets no second decision
//!   ([`max_remembered`](FraudConfig::max_remembered): among the latest 3.6 million at least).
//! - Zero cents is a card check and negative an amount given back: decided like others, and never
//!   declined for their amount, only on a blocked card. An amount beyond 10¹² cents counts as that.
//! - A swipe older than the newest of its card is decided with what is known now, and is put into
//!   the windows where it belongs; nothing is decided again. A clock more than a day ahead of the
//!   stream's [watermark](Watermark) counts as one day ahead.
//! - A swipe without a place or a category is judged by the rest: what is not known has a bin of
//!   its own.
//! - A chargeback from the future is held until its time has come. One of a swipe that was never
//!   seen still speaks against its card and terminal; one that is told twice counts once.
//!
//! # Simplifications
//! - What is known of a terminal comes from the swipes that this instance reads. Topics are keyed
//!   by card, so with several partitions each sees a part of a terminal's swipes.
//! - One currency: amounts are compared as numbers.

mod baseline;
mod batch;
mod blocks;
mod card;
mod decide;
mod features;
mod labels;
mod model;
mod quality;
mod reasons;
mod roster;
mod scorecard;
mod strangers;
mod terminal;
mod windows;

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use events::{CardSwipe, Chargeback, DAY_MS, Decision, Event, FraudDecision, Topic};

use crate::Processor;
use crate::event_time::Watermark;
use baseline::ln_amount;
pub use batch::FraudBatch;
pub use blocks::Blocks;
use card::{Card, Place};
pub use decide::{BlockPolicy, Costs, Exploration};
use features::{Everybody, Facts, Seen, bins};
use labels::{Charged, Ledger, PastLedger, Scored};
use model::Model;
pub use quality::{Case, Money, Quality};
use roster::{Met, Roster, Slot};
pub use scorecard::Scorecard;
use terminal::Terminal;

/// The largest amount that is believed, in cents.
const LARGEST_CENTS: i64 = 1_000_000_000_000;
/// How far ahead of the stream one swipe's time is believed: a terminal with a clock in the year 9999
/// would otherwise mature every label at once.
const AHEAD_MS: i64 = DAY_MS;

/// What a fraud detector is told before it sees anything.
#[derive(Clone, Debug, PartialEq)]
pub struct FraudConfig {
    /// What a wrong decision costs.
    pub costs: Costs,
    /// When cards are blocked.
    pub block: BlockPolicy,
    /// What is let through to learn from.
    pub explore: Exploration,
    /// A swipe that no chargeback came for within this time is genuine, in milliseconds of event
    /// time.
    pub label_delay_ms: i64,
    /// How much longer is waited before that is believed, in milliseconds: files of chargebacks are
    /// often made once a day.
    pub label_grace_ms: i64,
    /// How long a swipe that was learnt as genuine can still be corrected by a late chargeback, in
    /// milliseconds.
    pub label_keep_ms: i64,
    /// The share of fraud that is expected before anything is known.
    pub prior: f64,
    /// How many frauds must have been learnt before anything is declined.
    pub informed_after: u64,
    /// How many cards are remembered.
    pub max_cards: usize,
    /// How many terminals are remembered.
    pub max_terminals: usize,
    /// How many swipes can wait for their label.
    pub max_waiting: usize,
    /// Of how many of the latest swipes the ids are remembered, at least, so that none is decided
    /// twice: 10 to 20 bytes each.
    pub max_remembered: usize,
}

impl Default for FraudConfig {
    fn default() -> Self {
        Self {
            costs: Costs::default(),
            block: BlockPolicy::default(),
            explore: Exploration::default(),
            label_delay_ms: 7 * DAY_MS,
            label_grace_ms: DAY_MS,
            label_keep_ms: 7 * DAY_MS,
            prior: 0.004,
            informed_after: 10,
            max_cards: 1_000_000,
            max_terminals: 500_000,
            max_waiting: 4_000_000,
            max_remembered: 3_600_000,
        }
    }
}

/// Decides about every swipe, at once: `card_swipes` and `chargebacks` in, `fraud_decisions` out.
#[derive(Clone, Debug)]
pub struct FraudProcessor {
    config: FraudConfig,
    watermark: Watermark,
    cards: Roster<Card>,
    terminals: Roster<Terminal>,
    everybody: Everybody,
    ledger: Ledger,
    model: Model,
    /// The logit of an average swipe.
    mean_logit: f32,
    /// Whether chargebacks come for declined swipes too. In a recorded log, or where somebody else
    /// decides, they do; where the terminals obey, a declined swipe is never heard of again,
    /// and silence says nothing.
    declines_have_labels: bool,
    counted: Counted,
}

/// What is worth a person's eye.
#[derive(Clone, Debug, Default)]
struct Counted {
    duplicates: u64,
    /// Older than the newest of its card; and so much older that it belongs into no window.
    backwards: u64,
    late: u64,
    ahead: u64,
    absurd: u64,
    worthless: u64,
    placeless: u64,
    tradeless: u64,
    charged_late: u64,
    charged_twice: u64,
    charged_unknown: u64,
    not_held: u64,
    blocked: u64,
    let_through: u64,
}

/// What a detector has learnt, for others to begin with: one for each partition of a topic, say.
///
/// They share it. A card or a terminal is copied when a detector first meets it, and with the card
/// go those of its swipes that still wait for their label: as chargebacks are keyed by card, they
/// come to the detector that meets the card. So each label is learnt from once, by the one who can
/// know it.
#[derive(Debug)]
pub struct FraudPast {
    /// All of it but what follows.
    detector: FraudProcessor,
    cards: Arc<Roster<Card>>,
    terminals: Arc<Roster<Terminal>>,
    ledger: Arc<PastLedger>,
}

impl FraudPast {
    /// What this detector has learnt.
    pub fn of(mut detector: FraudProcessor) -> Self {
        assert!(detector.cards.is_first(), "a past has no past of its own");
        let (cards, terminals) = (detector.cards.take(), detector.terminals.take());
        let empty = detector.ledger.empty();
        let ledger = std::mem::replace(&mut detector.ledger, empty).into_past();
        detector.counted = Counted::default();
        Self { detector, cards: Arc::new(cards), terminals: Arc::new(terminals), ledger: Arc::new(ledger) }
    }

    /// A detector that goes on from here.
    pub fn go_on(&self) -> FraudProcessor {
        FraudProcessor {
            cards: Roster::since(&self.cards),
            terminals: Roster::since(&self.terminals),
            ledger: self.detector.ledger.since(&self.ledger),
            ..self.detector.clone()
        }
    }
}

impl FraudProcessor {
    /// A detector that has seen nothing yet.
    pub fn new(config: FraudConfig) -> Self {
        Self {
            watermark: Watermark::confirmed_by_next_event(AHEAD_MS),
            cards: Roster::new(config.max_cards),
            terminals: Roster::new(config.max_terminals),
            everybody: Everybody::default(),
            ledger: Ledger::new(
                config.max_waiting,
                config.max_remembered,
                config.label_delay_ms + config.label_grace_ms,
                config.label_keep_ms,
            ),
            model: Model::new(config.prior),
            mean_logit: model::logit(config.prior) as f32,
            declines_have_labels: false,
            counted: Counted::default(),
            config,
        }
    }

    /// Decides about one swipe; none if its id was met before.
    pub fn decide(&mut self, swipe: &CardSwipe) -> Option<FraudDecision> {
        let Some(id) = self.ledger.first_time(&swipe.swipe_id) else {
            self.counted.duplicates += 1;
            return None;
        };
        let now_ms = self.watermark.observe(swipe.ts).ms();
        self.learn_until(now_ms);
        let seen = self.seen(swipe, now_ms);
        let card_slot = self.visit_card(&swipe.card_id);
        let (terminal_slot, _) = self.terminals.visit(&swipe.terminal_id);
        let card = self.cards.get_mut(card_slot).expect("it was visited just now");
        let terminal = self.terminals.get_mut(terminal_slot).expect("it was visited just now");
        let seen = Seen { terminal: terminal_slot.number(), ..seen };

        let label_days = (self.config.label_delay_ms / DAY_MS) as i32;
        let share = self.model.fraud_share(self.config.prior);
        let mut facts = Facts::new(&seen, card, terminal, &self.everybody, label_days, share);
        self.counted.backwards += u64::from(card.last_at.is_some_and(|last| seen.at_ms < last));
        if !card.windows.insert(seen.at_ms, seen.cents) {
            self.counted.late += 1;
        }
        facts.count(card.windows.counts(), card.windows.sums());
        let bins = bins(&facts);
        let score = self.model.score(&bins);

        let case = decide::Case {
            swipe_id: &swipe.swipe_id,
            at_ms: seen.at_ms,
            amount_cents: seen.cents,
            probability: score.probability,
            informed: self.model.frauds() >= self.config.informed_after,
        };
        let ruling = decide::judge(&case, self.config.costs, self.config.block, self.config.explore, card);
        self.counted.blocked += u64::from(matches!(ruling, decide::Ruling::Blocked { .. }));
        self.counted.let_through += u64::from(ruling == decide::Ruling::LetThrough);
        // Words cost more than numbers, and nobody asks why an ordinary swipe went through.
        let reasons = if ruling == decide::Ruling::Approved && score.probability < 2.0 * f64::from(share) {
            Vec::new()
        } else {
            reasons::reasons(ruling, &facts, &self.model.contributions(&bins), seen.at_ms)
        };

        learn_swipe(&seen, &facts, score, self.mean_logit, card, terminal, &mut self.everybody, card_slot);
        self.mean_logit += 0.001 * (score.logit - self.mean_logit);
        let declined = ruling.declines();
        self.ledger.keep(now_ms, id, seen.at_ms, card_slot, terminal_slot, bins, score.logit, declined);
        Some(FraudDecision {
            ts: swipe.ts,
            swipe_id: swipe.swipe_id.clone(),
            card_id: swipe.card_id.clone(),
            decision: if declined { Decision::Decline } else { Decision::Approve },
            probability: score.probability,
            reasons,
            scored_in_us: None,
        })
    }

    /// What the model saw of the latest swipe: one small number a feature. For whoever wants to
    /// hold another model against this one.
    pub fn latest_features(&self) -> Option<&[u8]> {
        self.ledger.latest().map(|scored| &scored.bins[..])
    }

    /// Hears of a fraud; it is used from its own time on.
    pub fn hear(&mut self, chargeback: &Chargeback) {
        if self.watermark.has_passed(chargeback.ts) {
            self.charge(chargeback);
        } else if !self.ledger.hold(chargeback) {
            self.counted.not_held += 1;
        }
    }

    /// A swipe in the form that everything inside works with.
    fn seen(&mut self, swipe: &CardSwipe, now_ms: i64) -> Seen {
        let cents = swipe.amount_cents.clamp(-LARGEST_CENTS, LARGEST_CENTS);
        let at_ms = swipe.ts.ms().min(now_ms.saturating_add(AHEAD_MS));
        self.counted.absurd += u64::from(cents != swipe.amount_cents);
        self.counted.ahead += u64::from(at_ms != swipe.ts.ms());
        self.counted.worthless += u64::from(cents <= 0);
        self.counted.placeless += u64::from(swipe.lat.is_none() || swipe.lon.is_none());
        self.counted.tradeless += u64::from(swipe.category.is_none());
        Seen {
            at_ms,
            cents,
            terminal: 0,
            category: swipe
                .category
                .as_deref()
                .map(|category| BuildHasherDefault::<DefaultHasher>::default().hash_one(category) as u32),
            place: swipe.lat.zip(swipe.lon).filter(|(lat, lon)| lat.is_finite() && lon.is_finite()),
        }
    }

    /// Chargebacks whose time has come first, then the labels that are due.
    fn learn_until(&mut self, now_ms: i64) {
        while let Some(chargeback) = self.ledger.release(now_ms) {
            self.charge(&chargeback);
        }
        while let Some(scored) = self.ledger.next_mature(now_ms) {
            self.mature(&scored);
        }
    }

    fn visit_card(&mut self, id: &str) -> Slot {
        let (card, met) = self.cards.visit(id);
        if met == Met::SincePast {
            self.ledger.inherit(card);
        }
        card
    }

    fn charge(&mut self, chargeback: &Chargeback) {
        // Before the swipe is looked for: it may wait in the past.
        let card = self.visit_card(&chargeback.card_id);
        let known_ms = chargeback.ts.ms();
        match self.ledger.charge(&chargeback.swipe_id) {
            Charged::InTime(scored) => {
                self.declines_have_labels |= scored.declined;
                self.suspect(scored.card, scored.terminal, scored.at_ms, known_ms);
            }
            Charged::Late(scored) => {
                self.counted.charged_late += 1;
                self.declines_have_labels |= scored.declined;
                self.suspect(scored.card, scored.terminal, scored.at_ms, known_ms);
                self.model.correct(&scored.bins, scored.logit);
            }
            Charged::Unknown => {
                self.counted.charged_unknown += 1;
                let (terminal, _) = self.terminals.visit(&chargeback.terminal_id);
                self.suspect(card, terminal, known_ms.saturating_sub(self.config.label_delay_ms), known_ms);
            }
            Charged::Twice => self.counted.charged_twice += 1,
        }
    }

    fn suspect(&mut self, card: Slot, terminal: Slot, swiped_ms: i64, known_ms: i64) {
        if let Some(card) = self.cards.get_mut(card) {
            card.labels.fraud(swiped_ms, known_ms);
        }
        if let Some(terminal) = self.terminals.get_mut(terminal) {
            terminal.fraud(swiped_ms, known_ms);
        }
    }

    /// A label has matured: learns from the swipe as it was scored.
    fn mature(&mut self, scored: &Scored) {
        let silent = scored.declined && !scored.fraud && !self.declines_have_labels;
        if silent {
            return;
        }
        self.model.learn(&scored.bins, scored.logit, scored.fraud);
        if let Some(terminal) = self.terminals.get_mut(scored.terminal) {
            terminal.mature(scored.at_ms, scored.fraud);
        }
        if !scored.fraud
            && let Some(card) = self.cards.get_mut(scored.card)
        {
            card.labels.genuine(scored.at_ms);
        }
    }
}

/// Learns from a swipe what needs no label: habits.
#[expect(clippy::too_many_arguments, reason = "they are borrowed from one struct, field by field")]
fn learn_swipe(
    seen: &Seen,
    facts: &Facts,
    score: model::Score,
    mean_logit: f32,
    card: &mut Card,
    terminal: &mut Terminal,
    everybody: &mut Everybody,
    card_slot: Slot,
) {
    let &Seen { at_ms, cents, .. } = seen;
    let ln = ln_amount(cents);
    if everybody.is_tiny(cents) {
        terminal.learn_tiny(at_ms, card_slot.number());
    }
    // What is more likely a thief's than the holder's is nobody's habit.
    if cents != 0 && score.probability < 0.5 {
        card.usual.learn(ln, Some(&everybody.amounts));
    }
    card.learn(at_ms, cents, ln, seen.terminal, seen.category);
    if let Some((lat, lon)) = seen.place {
        card.learn_place(Place { lat, lon, at_ms });
    }
    let suspicion = (score.logit - mean_logit).max(0.0);
    if suspicion >= facts.suspicion {
        card.suspicion = Some((at_ms, suspicion));
    }
    terminal.learn(at_ms, ln, &everybody.amounts);
    everybody.learn(at_ms, cents, ln);
}

impl Processor for FraudProcessor {
    fn inputs(&self) -> &'static [Topic] {
        &[Topic::CardSwipes, Topic::Chargebacks]
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        match event {
            Event::CardSwipes(swipe) => answers.extend(self.decide(swipe).map(Event::from)),
            Event::Chargebacks(chargeback) => self.hear(chargeback),
            _ => {}
        }
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let counted = &self.counted;
        vec![
            ("duplicate swipes", counted.duplicates),
            ("swipes older than their card's newest", counted.backwards),
            ("swipes too late for any window", counted.late),
            ("swipes from a day ahead or more", counted.ahead),
            ("amounts beyond belief", counted.absurd),
            ("amounts of zero or less", counted.worthless),
            ("swipes without a place", counted.placeless),
            ("swipes without a category", counted.tradeless),
            ("chargebacks dropped: too many from the future", counted.not_held),
            ("chargebacks after the label delay", counted.charged_late),
            ("chargebacks told twice", counted.charged_twice),
            ("chargebacks of unknown swipes", counted.charged_unknown),
            ("swipes dropped before their label", self.ledger.dropped()),
            ("cards forgotten", self.cards.forgotten()),
            ("terminals forgotten", self.terminals.forgotten()),
            ("swipes of blocked cards", counted.blocked),
            ("swipes let through to learn", counted.let_through),
        ]
    }
}

#[cfg(test)]
mod tests;
