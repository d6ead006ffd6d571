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
//! What makes it hard is that labels arrive late: a chargeback names a fraud a week after it, and
//! nothing ever confirms an honest swipe. So the features of a swipe are *frozen* when it is
//! scored, and the model learns from them when the label has matured ([`label_queue`]); the
//! profiles of cards and terminals count chargebacks as they come. Everything is learnt online,
//! from nothing, one event at a time; before the first frauds are learnt no swipe is declined.
//!
//! Memory: a card takes at most 6.8 KiB ([`card`]; 2.2 KiB with four swipes a day), a terminal
//! 1.5 KiB, an id that is remembered 10 to 20 bytes; the model itself some 40 KiB. A swipe that
//! waits for its label takes 84 bytes of the temporary folder for 15 days ([`waiting`]). How many
//! there can be of each is [configured](FraudConfig). Detectors that start from one
//! [`TrainedSnapshot`] share it, and copy what they meet.
//!
//! # Unusual input
//! All of it is [counted](Processor::counters).
//! - A repeated `swipe_id` gets no second decision
//!   ([`max_remembered`](FraudConfig::max_remembered): among the latest 3.6 million at least).
//! - Zero cents is a card check and a negative amount a refund: decided like others, and never
//!   declined for their amount, only on a blocked card. A larger amount than 10¹² cents counts as
//!   10¹².
//! - A swipe older than the newest of its card is decided with what is known now, and is put into
//!   the windows where it belongs; nothing is decided again. A clock more than a day ahead of the
//!   stream's [watermark](Watermark) counts as one day ahead.
//! - A swipe without a location or a category is scored by its other features: *unknown* is a bin
//!   of its own.
//! - A chargeback from the future is held until its time has come. One of a swipe that was never
//!   seen still counts against its card and terminal; a repeated one counts once.
//!
//! # Simplifications
//! - A terminal's profile comes from the swipes that this instance reads. Topics are keyed by card,
//!   so with several partitions each instance sees a part of a terminal's swipes.
//! - One currency: amounts are compared as numbers.

mod baseline;
mod batch;
mod blocked_cards;
mod card;
mod decide;
mod facts;
mod features;
mod label_queue;
mod lru_slab;
mod mart;
mod model;
mod new_cards;
mod packed_bins;
mod place_set;
mod quality;
mod reasons;
mod scorecard;
mod slab_snapshot;
mod spill;
mod terminal;
mod waiting;
mod windows;

use std::sync::Arc;

use events::{CardSwipe, Chargeback, DAY_MS, Decision, Event, FraudDecision, Topic};

use baseline::ln_amount;
pub use batch::FraudBatch;
pub use blocked_cards::BlockedCards;
use card::{Card, CardLocation};
pub use decide::{BlockPolicy, Costs, Exploration};
use decide::{DecisionInput, Ruling};
use facts::{Facts, NormalizedSwipe, Population};
use features::bins;
use label_queue::{ChargebackOutcome, LabelQueue, LabelSnapshot};
use lru_slab::{Lookup, LruSlab, SlotId};
pub use mart::MART;
use model::{Model, Score};
use processor::Processor;
use processor::bounded::fingerprint;
use processor::event_time::Watermark;
pub use quality::{Case, Money, Quality};
pub use scorecard::Scorecard;
use slab_snapshot::SlabSnapshot;
use terminal::Terminal;
use waiting::Scored;

/// The largest plausible amount, in cents.
const LARGEST_CENTS: i64 = 1_000_000_000_000;
/// How far ahead of the stream one swipe's time is believed: a terminal with a clock in the year
/// 9999 would otherwise mature every label at once.
const AHEAD_MS: i64 = DAY_MS;

/// The settings of a fraud detector.
#[derive(Clone, Debug, PartialEq)]
pub struct FraudConfig {
    /// What a wrong decision costs.
    pub costs: Costs,
    /// When cards are blocked.
    pub block: BlockPolicy,
    /// Which swipes are approved against the model's advice, to learn from them.
    pub explore: Exploration,
    /// A swipe that no chargeback came for within this time is genuine, in milliseconds of event
    /// time.
    pub label_delay_ms: i64,
    /// How much longer a swipe waits before it counts as genuine, in milliseconds: files of
    /// chargebacks are often made once a day.
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
    /// How many of the latest swipe ids are remembered, at least, so that none is decided twice: 10
    /// to 20 bytes each.
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
    cards: LruSlab<Card>,
    terminals: LruSlab<Terminal>,
    population: Population,
    labels: LabelQueue,
    model: Model,
    /// The logit of an average swipe.
    mean_logit: f32,
    /// Whether chargebacks come for declined swipes too. In a recorded log, or where another system
    /// decides, they do. Where the terminals obey, a declined sale does not take place, and no
    /// chargeback can come for it.
    declines_have_labels: bool,
    counters: Counters,
}

/// See [`Processor::counters`].
#[derive(Clone, Debug, Default)]
struct Counters {
    duplicates: u64,
    /// Older than the newest of its card.
    out_of_order: u64,
    /// So much older that it belongs to no window.
    too_late: u64,
    ahead_of_stream: u64,
    amount_out_of_range: u64,
    non_positive_amount: u64,
    missing_location: u64,
    missing_category: u64,
    late_chargebacks: u64,
    repeated_chargebacks: u64,
    unknown_chargebacks: u64,
    dropped_chargebacks: u64,
    on_blocked_card: u64,
    explored: u64,
}

/// The state of a trained detector, from which others start: for example one for each partition of
/// a topic.
///
/// They share it (*copy on write*). A card or a terminal is copied when a detector first uses it,
/// together with the card's swipes that still wait for their label. Chargebacks are keyed by card,
/// so they come to the detector that has the card. So each label is learnt once.
#[derive(Debug)]
pub struct TrainedSnapshot {
    /// Everything except the fields that follow.
    detector: FraudProcessor,
    cards: Arc<SlabSnapshot>,
    terminals: Arc<SlabSnapshot>,
    labels: Arc<LabelSnapshot>,
}

impl TrainedSnapshot {
    /// Freezes what this detector has learnt.
    pub fn of(mut detector: FraudProcessor) -> Self {
        let spill = Arc::default();
        let (cards, terminals) = (detector.cards.take(), detector.terminals.take());
        let (cards, terminals) = (cards.into_snapshot(&spill), terminals.into_snapshot(&spill));
        let empty = detector.labels.empty();
        let labels = std::mem::replace(&mut detector.labels, empty).into_snapshot();
        detector.counters = Counters::default();
        Self { detector, cards: Arc::new(cards), terminals: Arc::new(terminals), labels: Arc::new(labels) }
    }

    /// A detector that continues from here.
    pub fn fork(&self) -> FraudProcessor {
        FraudProcessor {
            cards: LruSlab::starting_from(&self.cards, self.detector.config.max_cards),
            terminals: LruSlab::starting_from(&self.terminals, self.detector.config.max_terminals),
            labels: self.detector.labels.starting_from(&self.labels),
            ..self.detector.clone()
        }
    }
}

impl FraudProcessor {
    /// A detector that has seen nothing yet.
    ///
    /// # Panics
    /// When the prior is no probability between 0 and 1: every logit would be infinite.
    pub fn new(config: FraudConfig) -> Self {
        assert!(
            config.prior > 0.0 && config.prior < 1.0,
            "a prior of {}: it is a share of fraud between 0 and 1",
            config.prior
        );
        Self {
            watermark: Watermark::confirmed_by_other_source_or_run(AHEAD_MS),
            cards: LruSlab::new(config.max_cards),
            terminals: LruSlab::new(config.max_terminals),
            population: Population::default(),
            labels: LabelQueue::new(
                config.max_waiting,
                config.max_remembered,
                config.label_delay_ms + config.label_grace_ms,
                config.label_keep_ms,
            ),
            model: Model::new(config.prior),
            mean_logit: model::logit(config.prior) as f32,
            declines_have_labels: false,
            counters: Counters::default(),
            config,
        }
    }

    /// Decides about one swipe; none if its id was seen before.
    pub fn decide(&mut self, swipe: &CardSwipe) -> Option<FraudDecision> {
        let Some(id) = self.labels.first_seen(&swipe.swipe_id) else {
            self.counters.duplicates += 1;
            return None;
        };
        let now_ms = self.watermark.advance_from(fingerprint(&swipe.card_id), swipe.ts).ms();
        self.learn_until(now_ms);
        let normalized = self.normalize(swipe, now_ms);
        let card = self.cards.get_mut(normalized.card).expect("its card was inserted just now");
        let terminal =
            self.terminals.get_mut(normalized.terminal).expect("its terminal was inserted just now");

        let label_days = (self.config.label_delay_ms / DAY_MS) as i32;
        let share = self.model.fraud_share(self.config.prior);
        let mut facts = Facts::new(&normalized, card, terminal, &self.population, label_days, share);
        self.counters.out_of_order += u64::from(card.last_at.is_some_and(|last| normalized.at_ms < last));
        if !card.windows.insert(normalized.at_ms, normalized.cents) {
            self.counters.too_late += 1;
        }
        facts.count(card.windows.counts(), card.windows.sums());
        let bins = bins(&facts);
        let score = self.model.score(&bins);
        assert!(
            (0.0..=1.0).contains(&score.probability),
            "a probability of {}: costs can't be weighed by it",
            score.probability
        );

        let input = DecisionInput {
            swipe_id: &swipe.swipe_id,
            at_ms: normalized.at_ms,
            amount_cents: normalized.cents,
            probability: score.probability,
            informed: self.model.frauds() >= self.config.informed_after,
        };
        let ruling = decide::rule(&input, self.config.costs, self.config.block, self.config.explore, card);
        self.counters.on_blocked_card += u64::from(matches!(ruling, Ruling::Blocked { .. }));
        self.counters.explored += u64::from(ruling == Ruling::Explored);
        // Writing reasons takes longer than scoring, and the approval of an ordinary swipe needs
        // none.
        let reasons = if ruling == Ruling::Approved && score.probability < 2.0 * f64::from(share) {
            Vec::new()
        } else {
            reasons::reasons(ruling, &facts, &self.model.contributions(&bins), normalized.at_ms)
        };

        self.learn_habits(&normalized, &facts, score);
        self.mean_logit += 0.001 * (score.logit - self.mean_logit);
        let declined = ruling.declines();
        let NormalizedSwipe { at_ms, card, terminal, .. } = normalized;
        let logit = score.logit;
        self.labels.push(now_ms, id, &Scored { at_ms, card, terminal, bins, logit, declined });
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

    /// The model's input for the latest swipe: one bin a feature. For comparing another model with
    /// this one.
    pub fn latest_features(&self) -> Option<Vec<u8>> {
        self.labels.latest().map(|scored| scored.bins.to_vec())
    }

    /// Takes a chargeback; it is used from its own time on.
    pub fn observe_chargeback(&mut self, chargeback: &Chargeback) {
        if self.watermark.has_passed(chargeback.ts) {
            self.charge(chargeback);
        } else if !self.labels.hold(chargeback) {
            self.counters.dropped_chargebacks += 1;
        }
    }

    /// A swipe in the form that everything inside works with; its card and terminal are known from
    /// now on.
    fn normalize(&mut self, swipe: &CardSwipe, now_ms: i64) -> NormalizedSwipe {
        let cents = swipe.amount_cents.clamp(-LARGEST_CENTS, LARGEST_CENTS);
        let at_ms = swipe.ts.ms().min(now_ms.saturating_add(AHEAD_MS));
        self.counters.amount_out_of_range += u64::from(cents != swipe.amount_cents);
        self.counters.ahead_of_stream += u64::from(at_ms != swipe.ts.ms());
        self.counters.non_positive_amount += u64::from(cents <= 0);
        self.counters.missing_location += u64::from(swipe.lat.is_none() || swipe.lon.is_none());
        self.counters.missing_category += u64::from(swipe.category.is_none());
        NormalizedSwipe {
            at_ms,
            cents,
            card: self.card_slot(&swipe.card_id),
            terminal: self.terminals.get_or_insert(&swipe.terminal_id).0,
            category: swipe.category.as_deref().map(|category| fingerprint(category) as u32),
            location: swipe.lat.zip(swipe.lon).filter(|(lat, lon)| lat.is_finite() && lon.is_finite()),
        }
    }

    /// Chargebacks whose time has come first, then the labels that are due.
    fn learn_until(&mut self, now_ms: i64) {
        while let Some(chargeback) = self.labels.release(now_ms) {
            self.charge(&chargeback);
        }
        while let Some((scored, fraud)) = self.labels.next_mature(now_ms) {
            self.mature(&scored, fraud);
        }
    }

    /// The slot of a card; its entry in the snapshot is copied if it was not yet.
    fn card_slot(&mut self, id: &str) -> SlotId {
        let (card, lookup) = self.cards.get_or_insert(id);
        if lookup == Lookup::Copied {
            self.labels.inherit(card);
        }
        card
    }

    fn charge(&mut self, chargeback: &Chargeback) {
        // First the card: if its swipe waits in the snapshot, it is copied with the card.
        let card = self.card_slot(&chargeback.card_id);
        let known_ms = chargeback.ts.ms();
        match self.labels.charge(&chargeback.swipe_id) {
            ChargebackOutcome::InTime(scored) => {
                self.declines_have_labels |= scored.declined;
                self.count_fraud(scored.card, scored.terminal, scored.at_ms, known_ms);
            }
            ChargebackOutcome::Late(scored) => {
                self.counters.late_chargebacks += 1;
                self.declines_have_labels |= scored.declined;
                self.count_fraud(scored.card, scored.terminal, scored.at_ms, known_ms);
                self.model.correct(&scored.bins, scored.logit);
            }
            ChargebackOutcome::Unknown => {
                self.counters.unknown_chargebacks += 1;
                let (terminal, _) = self.terminals.get_or_insert(&chargeback.terminal_id);
                self.count_fraud(
                    card,
                    terminal,
                    known_ms.saturating_sub(self.config.label_delay_ms),
                    known_ms,
                );
            }
            ChargebackOutcome::Repeated => self.counters.repeated_chargebacks += 1,
        }
    }

    fn count_fraud(&mut self, card: SlotId, terminal: SlotId, swiped_ms: i64, known_ms: i64) {
        if let Some(card) = self.cards.get_mut(card) {
            card.chargebacks.fraud(swiped_ms, known_ms);
        }
        if let Some(terminal) = self.terminals.get_mut(terminal) {
            terminal.fraud(swiped_ms, known_ms);
        }
    }

    /// A label has matured: learns from the swipe as it was scored.
    fn mature(&mut self, scored: &Scored, fraud: bool) {
        let unlabelled = scored.declined && !fraud && !self.declines_have_labels;
        if unlabelled {
            return;
        }
        self.model.learn(&scored.bins, scored.logit, fraud);
        if let Some(terminal) = self.terminals.get_mut(scored.terminal) {
            terminal.mature(scored.at_ms, fraud);
        }
        if !fraud && let Some(card) = self.cards.get_mut(scored.card) {
            card.chargebacks.genuine(scored.at_ms);
        }
    }

    /// Learns from a swipe what needs no label: the habits of its card, its terminal and all cards.
    fn learn_habits(&mut self, swipe: &NormalizedSwipe, facts: &Facts, score: Score) {
        let &NormalizedSwipe { at_ms, cents, .. } = swipe;
        let ln = ln_amount(cents);
        let population = &mut self.population;
        let card = self.cards.get_mut(swipe.card).expect("its card is known");
        let terminal = self.terminals.get_mut(swipe.terminal).expect("its terminal is known");
        if population.is_tiny(cents) {
            terminal.learn_tiny(at_ms, swipe.card.number());
        }
        // A swipe that is more likely fraud than not is no habit of the holder.
        if cents != 0 && score.probability < 0.5 {
            card.amounts.learn(ln, Some(&population.amounts));
        }
        card.learn(at_ms, cents, ln, swipe.terminal.number(), swipe.category);
        if let Some((lat, lon)) = swipe.location {
            card.learn_location(CardLocation { lat, lon, at_ms });
        }
        let suspicion = (score.logit - self.mean_logit).max(0.0);
        if suspicion >= facts.suspicion {
            card.suspicion = Some((at_ms, suspicion));
        }
        terminal.learn(at_ms, ln, &population.amounts);
        population.learn(at_ms, cents, ln);
    }
}

impl Processor for FraudProcessor {
    fn inputs(&self) -> &'static [Topic] {
        &[Topic::CardSwipes, Topic::Chargebacks]
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        match event {
            Event::CardSwipes(swipe) => answers.extend(self.decide(swipe).map(Event::from)),
            Event::Chargebacks(chargeback) => self.observe_chargeback(chargeback),
            _ => {}
        }
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        let counters = &self.counters;
        vec![
            ("duplicate swipes", counters.duplicates),
            ("swipes older than their card's newest", counters.out_of_order),
            ("swipes too late for any window", counters.too_late),
            ("swipes from a day ahead or more", counters.ahead_of_stream),
            ("amounts beyond belief", counters.amount_out_of_range),
            ("amounts of zero or less", counters.non_positive_amount),
            ("swipes without a place", counters.missing_location),
            ("swipes without a category", counters.missing_category),
            ("chargebacks dropped: too many from the future", counters.dropped_chargebacks),
            ("chargebacks after the label delay", counters.late_chargebacks),
            ("chargebacks told twice", counters.repeated_chargebacks),
            ("chargebacks of unknown swipes", counters.unknown_chargebacks),
            ("swipes dropped before their label", self.labels.dropped()),
            ("cards forgotten", self.cards.evicted()),
            ("terminals forgotten", self.terminals.evicted()),
            ("swipes of blocked cards", counters.on_blocked_card),
            ("swipes let through to learn", counters.explored),
        ]
    }
}

#[cfg(test)]
mod tests;
