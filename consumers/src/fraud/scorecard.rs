//! How good a detector is, measured while a log is read, from the log's own chargebacks.
//!
//! The evaluation is *prequential* (Gama, Sebastião & Rodrigues 2013): each swipe counts with the
//! decision that it got when it came, and is judged when its label is there; the detector learns
//! from the same label only after that. So every figure is of data that the detector had not learnt
//! from, and no holdout is needed.
//!
//! A swipe is fraud when a chargeback says so, and honest when none came within the label delay.
//! The swipes of the log's last days have no label yet and are left out, frauds too: theirs are
//! known sooner, and would count twice as much. The first days are judged
//! [apart](Scorecard::before_labels): no label had come, so nothing can have been learnt.
//!
//! The batch lane is judged by what its runs could stop: swipes of a card while a run has blocked
//! it.
//!
//! # Simplifications
//! - Fraud that is never reported counts as honest, as it does for the detector.
//! - A chargeback that comes later than [`label_keep_ms`](super::FraudConfig::label_keep_ms) after
//!   the label delay is only counted: its swipe was judged. So the memory is that of some
//!   fortnight of swipes, about 100 bytes each.

use events::{Decision, Event, FraudDecision, Timestamp};

use super::blocked_cards::BlockedCards;
use super::quality::{Case, Quality};
use super::{AHEAD_MS, FraudConfig, LARGEST_CENTS};
use processor::bounded::{FifoMap, FixedHashSet, fingerprint};
use processor::event_time::Watermark;

/// A swipe that waits for its label.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    card: u64,
    at_ms: i64,
    /// When it is judged.
    due_ms: i64,
    amount_cents: i64,
    /// The answer's probability; none before the answer.
    probability: Option<f32>,
    declined: bool,
    batched: bool,
    fraud: bool,
}

/// Judges the decisions of one lane. It must get every event *before* the detector does, and every
/// answer.
#[derive(Clone, Debug)]
pub struct Scorecard {
    label_delay_ms: i64,
    before_labels_ms: i64,
    wait_ms: i64,
    max_waiting: usize,
    watermark: Watermark,
    /// The watermark of the chargebacks: in a log they may all come before their swipes, or be of
    /// days after the last swipe.
    label_watermark: Watermark,
    began_ms: Option<i64>,
    /// By the fingerprint of the swipe's id.
    waiting: FifoMap<u64, Waiting>,
    /// Swipes whose chargeback came before them.
    charged: FixedHashSet<u64>,
    blocks: BlockedCards,
    /// Swipes of the first days, before any label had come.
    pub before_labels: Quality,
    /// All others.
    pub after_labels: Quality,
    /// Swipes that have no label yet.
    pub unlabelled: u64,
    /// Chargebacks of swipes that had been judged, or were never seen.
    pub unmatched_chargebacks: u64,
}

impl Scorecard {
    /// An empty scorecard for a detector with these settings.
    pub fn new(config: &FraudConfig) -> Self {
        let before_labels_ms = config.label_delay_ms + config.label_grace_ms;
        Self {
            label_delay_ms: config.label_delay_ms,
            before_labels_ms,
            wait_ms: before_labels_ms + config.label_keep_ms,
            max_waiting: config.max_waiting.max(1),
            watermark: Watermark::confirmed_by_other_source_or_run(AHEAD_MS),
            label_watermark: Watermark::confirmed_by_other_source_or_run(AHEAD_MS),
            began_ms: None,
            waiting: FifoMap::new(config.max_waiting),
            charged: FixedHashSet::default(),
            blocks: BlockedCards::with_policy(config.block),
            before_labels: Quality::new(config.costs),
            after_labels: Quality::new(config.costs),
            unlabelled: 0,
            unmatched_chargebacks: 0,
        }
    }

    /// Takes a swipe, a chargeback, or an answer of either lane. Anything else changes nothing.
    pub fn observe(&mut self, event: &Event) {
        match event {
            Event::CardSwipes(swipe) => {
                let card = fingerprint(&swipe.card_id);
                let now_ms = self.watermark.advance_from(card, swipe.ts).ms();
                self.began_ms.get_or_insert(now_ms);
                while self.waiting.is_full()
                    || self.waiting.oldest().is_some_and(|oldest| oldest.due_ms < now_ms)
                {
                    self.judge_oldest();
                }
                let id = fingerprint(&swipe.swipe_id);
                if self.waiting.contains_key(&id) {
                    return;
                }
                let at_ms = swipe.ts.ms().min(now_ms.saturating_add(AHEAD_MS));
                let due_ms = at_ms.max(now_ms.saturating_sub(self.wait_ms)).saturating_add(self.wait_ms);
                let fraud = self.charged.remove(&id);
                let waiting = Waiting {
                    card,
                    at_ms,
                    due_ms,
                    amount_cents: swipe.amount_cents.clamp(-LARGEST_CENTS, LARGEST_CENTS),
                    probability: None,
                    declined: false,
                    batched: false,
                    fraud,
                };
                self.waiting.push(id, waiting);
            }
            Event::Chargebacks(chargeback) => {
                self.label_watermark.advance_from(fingerprint(&chargeback.card_id), chargeback.ts);
                let id = fingerprint(&chargeback.swipe_id);
                if let Some(swipe) = self.waiting.get_mut(&id) {
                    swipe.fraud = true;
                } else if self.charged.len() < self.max_waiting {
                    self.charged.insert(id);
                } else {
                    self.unmatched_chargebacks += 1;
                }
            }
            Event::FraudDecisions(answer) => self.record_answer(answer, false),
            Event::FraudBatch(batched) => {
                self.record_answer(&batched.answer, true);
                self.blocks.observe_run(batched);
            }
            _ => {}
        }
    }

    /// The log has ended: judges what has its label.
    pub fn finish(&mut self) {
        let now_ms = self.watermark.now().max(self.label_watermark.now()).map_or(i64::MIN, Timestamp::ms);
        while let Some(oldest) = self.waiting.oldest() {
            if oldest.at_ms.saturating_add(self.label_delay_ms) <= now_ms {
                self.judge_oldest();
            } else {
                self.waiting.pop_oldest();
                self.unlabelled += 1;
            }
        }
        self.unmatched_chargebacks += self.charged.len() as u64;
        self.charged.clear();
        self.before_labels.finish();
        self.after_labels.finish();
    }

    fn record_answer(&mut self, answer: &FraudDecision, batched: bool) {
        if let Some(swipe) = self.waiting.get_mut(&fingerprint(&answer.swipe_id)) {
            swipe.probability = Some(answer.probability as f32);
            swipe.declined = answer.decision == Decision::Decline;
            swipe.batched = batched;
        }
    }

    fn judge_oldest(&mut self) {
        let Some((_, swipe)) = self.waiting.pop_oldest() else { return };
        // A repeated swipe has no answer of its own.
        let Some(probability) = swipe.probability else { return };
        let blocked = || self.blocks.is_blocked_by_fingerprint(swipe.card, swipe.at_ms);
        let case = Case {
            at_ms: swipe.at_ms,
            card: swipe.card,
            amount_cents: swipe.amount_cents,
            probability: f64::from(probability),
            stopped: if swipe.batched { blocked() } else { swipe.declined },
            fraud: swipe.fraud,
        };
        let before_labels =
            self.began_ms.is_some_and(|began| swipe.at_ms < began.saturating_add(self.before_labels_ms));
        if before_labels { self.before_labels.judge(&case) } else { self.after_labels.judge(&case) }
    }
}

#[cfg(test)]
mod tests {
    use events::{Batched, CardSwipe, Chargeback, DAY_MS};

    use super::*;

    fn at(day: f64) -> Timestamp {
        Timestamp::from_ms(1_772_535_600_000 + (day * DAY_MS as f64) as i64)
    }

    fn swipe(id: &str, day: f64) -> Event {
        CardSwipe {
            ts: at(day),
            swipe_id: id.into(),
            card_id: "c".into(),
            terminal_id: "t".into(),
            amount_cents: 1_000,
            currency: None,
            category: None,
            lat: None,
            lon: None,
        }
        .into()
    }

    fn answer(id: &str, day: f64, probability: f64) -> FraudDecision {
        let decision = if probability > 0.5 { Decision::Decline } else { Decision::Approve };
        FraudDecision {
            ts: at(day),
            swipe_id: id.into(),
            card_id: "c".into(),
            decision,
            probability,
            reasons: Vec::new(),
            scored_in_us: None,
        }
    }

    fn charge(id: &str, day: f64) -> Event {
        Chargeback { ts: at(day), swipe_id: id.into(), card_id: "c".into(), terminal_id: "t".into() }.into()
    }

    fn card() -> Scorecard {
        Scorecard::new(&FraudConfig::default())
    }

    /// A quiet time ends: two swipes in a row say so.
    fn pass(card: &mut Scorecard, day: f64) {
        card.watermark.observe(at(day));
        card.watermark.observe(at(day));
    }

    fn decided(card: &mut Scorecard, id: &str, day: f64, probability: f64) {
        card.observe(&swipe(id, day));
        card.observe(&answer(id, day, probability).into());
    }

    #[test]
    fn each_is_judged_once_by_what_was_said_when_it_came() {
        let mut card = card();
        decided(&mut card, "blind", 0.0, 0.3);
        pass(&mut card, 9.0);
        decided(&mut card, "theft", 9.0, 0.9);
        decided(&mut card, "honest", 9.1, 0.2);
        card.observe(&swipe("honest", 9.2));
        for _ in 0..2 {
            card.observe(&charge("theft", 13.0));
        }
        pass(&mut card, 20.0);
        decided(&mut card, "young theft", 20.0, 0.8);
        card.observe(&charge("young theft", 21.0));
        pass(&mut card, 22.0);
        decided(&mut card, "young", 22.0, 0.1);
        card.finish();
        assert_eq!((card.before_labels.swipes(), card.after_labels.swipes(), card.unlabelled), (1, 2, 2));
        assert_eq!(
            (card.after_labels.frauds(), card.unmatched_chargebacks),
            (1, 0),
            "a fraud that is known early is left out, too"
        );
        assert!((card.after_labels.expected_frauds() - 1.1).abs() < 1e-6);
        assert_eq!(card.after_labels.money().stopped_cents, 1_000);
    }

    #[test]
    fn chargebacks_may_come_first_or_too_late_and_clocks_may_lie() {
        let mut card = card();
        card.observe(&charge("theft", 16.0));
        decided(&mut card, "first", 0.0, 0.1);
        pass(&mut card, 9.0);
        decided(&mut card, "theft", 9.0, 0.9);
        decided(&mut card, "year 9999", 2_000_000.0, 0.1);
        decided(&mut card, "ancient", -4_000.0, 0.1);
        decided(&mut card, "late theft", 10.0, 0.9);
        pass(&mut card, 40.0);
        decided(&mut card, "weeks later", 40.0, 0.1);
        decided(&mut card, "and again", 40.0, 0.1);
        card.observe(&charge("late theft", 40.1));
        card.observe(&charge("never met", 40.1));
        card.finish();
        assert_eq!(
            (card.after_labels.frauds(), card.unmatched_chargebacks),
            (1, 2),
            "what came too late is counted"
        );
        assert_eq!(card.unlabelled, 2);
        assert!(card.waiting.is_empty() && card.charged.is_empty());
    }

    #[test]
    fn the_batch_lane_stops_what_comes_after_its_run() {
        let mut card = card();
        let run = |id: &str, day: f64, until: f64, probability: f64| -> Event {
            let answer = answer(id, day, probability);
            Batched { answer, batch_id: "b".into(), valid_from: at(until) }.into()
        };
        card.observe(&swipe("first", 0.0));
        card.observe(&run("first", 0.0, 0.04, 0.1));
        pass(&mut card, 9.0);
        for (id, day) in [("before", 9.0), ("after", 9.1), ("long after", 11.0)] {
            pass(&mut card, day);
            card.observe(&swipe(id, day));
            card.observe(&run(id, day, day + 0.04, if id == "before" { 0.9 } else { 0.1 }));
            card.observe(&charge(id, 13.0));
        }
        pass(&mut card, 30.0);
        card.observe(&swipe("end", 30.0));
        card.finish();
        let money = card.after_labels.money();
        assert_eq!((money.fraud_cents, money.stopped_cents), (3_000, 1_000), "only the second");
    }
}
