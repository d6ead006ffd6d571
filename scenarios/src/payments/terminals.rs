//! The payment terminals as seen from their topics: swipes, the decisions on them, and how long the
//! decisions took.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};

use dashboard::{Decision, FollowedCase, Payments, Snapshot, Verdict};
use events::{Chargeback, DAY_MS, Event, FraudDecision, Timestamp};

use super::DEADLINE_MS;
use super::pending_labels::{LABEL_DELAY_MS, PendingLabels};
use super::stolen::StolenCard;
use crate::clock::SimulatedClock;
use crate::percentiles::Percentiles;
use crate::view::{CaseClock, PaneSource, View};

/// How many decisions a person can scroll back.
const RECENT: usize = 200;
/// How many of those that matter more are kept when the others have pushed them out: declined ones,
/// and those whose truth came out.
const NOTABLE: usize = 60;
/// When no answer has been seen for so long, in milliseconds of wall-clock time, the terminal has
/// stood in: far beyond any deadline, for topics are read concurrently, and a decision that
/// came in time may be read seconds after its swipe.
const GRACE_MS: i64 = 5_000;
/// A swipe without an answer is dropped after so long, in milliseconds of wall-clock time.
const PENDING_MS: i64 = 600_000;

/// What is known of the terminals.
///
/// A terminal waits [`deadline_ms`](Self::shown) for its answer, and then approves by itself: it
/// *stands in*. That is decided here by the two records' times at the broker, so an answer that
/// came too late and one that never came are the same to the customer.
///
/// What was right becomes known days later, by [`chargebacks`](PendingLabels): then the decision is
/// shown once more, with its truth.
#[derive(Debug, Default)]
pub(super) struct PaymentsView {
    /// Swipes that wait for their answer.
    pending: HashMap<String, Pending>,
    /// The same swipes in the order of sending, for stand-in processing and expiry.
    order: VecDeque<(i64, String)>,
    late: VecDeque<(i64, String)>,
    /// Answers that were read before their swipes: each topic is in order, the two beside each
    /// other are not.
    early: HashMap<String, (i64, FraudDecision)>,
    /// The same answers in the order of reading: to forget those whose swipes were sent before
    /// anyone watched.
    early_order: VecDeque<(i64, String)>,
    /// The newest first, with the id of their swipe.
    recent: VecDeque<(String, Decision)>,
    /// Older ones that matter more, the newest first.
    notable: VecDeque<(String, Decision)>,
    pending_labels: PendingLabels,
    stolen: StolenCard,
    approved: u64,
    declined: u64,
    stood_in: u64,
    approved_cents: i64,
    declined_cents: i64,
    latency: Percentiles,
    /// The newest swipe, in milliseconds of event time.
    now_ms: i64,
    seen: bool,
}

/// A swipe that waits for its answer.
#[derive(Debug)]
struct Pending {
    ts_ms: i64,
    card_id: String,
    amount_cents: i64,
    sent_ms: i64,
    /// It was counted as stood in for.
    stood_in: bool,
}

impl PaymentsView {
    /// Takes a record; a terminal waits `deadline_ms` of wall-clock time for its answer.
    fn take(&mut self, event: &Event, wall_ms: i64, deadline_ms: i64) {
        if let Event::CardSwipes(swipe) = event {
            self.seen = true;
            self.now_ms = self.now_ms.max(swipe.ts.ms());
            self.stolen.swiped(&swipe.card_id, swipe.ts, swipe.amount_cents);
            for (swipe_id, decision) in self.pending_labels.turned_out_honest(swipe.ts.ms()) {
                if !self.mark(&swipe_id, false) {
                    self.show(swipe_id, decision);
                }
            }
            let pending = Pending {
                ts_ms: swipe.ts.ms(),
                card_id: swipe.card_id.clone(),
                amount_cents: swipe.amount_cents,
                sent_ms: wall_ms,
                stood_in: false,
            };
            if let Some((answered_ms, answer)) = self.early.remove(&swipe.swipe_id) {
                self.answer(&pending, &answer, answered_ms, deadline_ms);
            } else {
                self.pending.insert(swipe.swipe_id.clone(), pending);
                self.order.push_back((wall_ms, swipe.swipe_id.clone()));
            }
            self.stand_in(wall_ms);
        } else if let Event::FraudDecisions(answer) = event {
            match self.pending.remove(&answer.swipe_id) {
                Some(swipe) => self.answer(&swipe, answer, wall_ms, deadline_ms),
                None => self.keep_early(answer, wall_ms),
            }
        } else if let Event::FraudBatch(batched) = event {
            self.stolen.looked_at(batched, wall_ms);
        } else if let Event::Chargebacks(chargeback) = event {
            self.charge_back(chargeback);
        }
    }

    /// Counts the answer to a swipe.
    fn answer(&mut self, swipe: &Pending, answer: &FraudDecision, wall_ms: i64, deadline_ms: i64) {
        let latency_ms = (wall_ms - swipe.sent_ms).max(0);
        self.latency.push(latency_ms as f64);
        let verdict = match answer.decision {
            _ if latency_ms > deadline_ms => Verdict::StoodIn,
            events::Decision::Approve => Verdict::Approved,
            events::Decision::Decline => Verdict::Declined,
        };
        if swipe.stood_in {
            // It was counted when no answer had been seen. Now it is known when that came.
            self.stood_in -= 1;
            self.approved_cents -= swipe.amount_cents;
        }
        self.count(verdict, swipe.amount_cents);
        if verdict == Verdict::Declined {
            self.stolen.declined(answer, swipe.amount_cents, (latency_ms, wall_ms));
        }
        let decision = Decision {
            at_ms: answer.ts.ms(),
            card_id: answer.card_id.clone(),
            amount_cents: swipe.amount_cents,
            verdict,
            probability: Some(answer.probability),
            reasons: answer.reasons.clone(),
            latency_ms: Some(latency_ms as f64),
            fraud: None,
        };
        self.pending_labels.keep(&answer.swipe_id, &decision);
        self.show(answer.swipe_id.clone(), decision);
    }

    /// A swipe was fraud: marks it where it is shown, or shows it once more.
    fn charge_back(&mut self, chargeback: &Chargeback) {
        let kept = self.pending_labels.charged(&chargeback.swipe_id);
        if self.mark(&chargeback.swipe_id, true) {
            return;
        }
        if let Some(decision) = kept {
            let days = chargeback.ts.since_ms(Timestamp::from_ms(decision.at_ms)) as f64 / DAY_MS as f64;
            let reasons = vec![format!("charged back {days:.1} days later")];
            let decision =
                Decision { card_id: chargeback.card_id.clone(), fraud: Some(true), reasons, ..decision };
            self.show(chargeback.swipe_id.clone(), decision);
        }
    }

    /// Marks a decision that is shown with the truth; false if it is not shown.
    fn mark(&mut self, swipe_id: &str, fraud: bool) -> bool {
        let mut shown = self.recent.iter_mut().chain(&mut self.notable);
        let seen = shown.find(|(id, _)| id == swipe_id);
        seen.map(|(_, decision)| decision.fraud = Some(fraud)).is_some()
    }

    fn keep_early(&mut self, answer: &FraudDecision, wall_ms: i64) {
        self.early.insert(answer.swipe_id.clone(), (wall_ms, answer.clone()));
        self.early_order.push_back((wall_ms, answer.swipe_id.clone()));
        while self.early_order.front().is_some_and(|(read_ms, _)| wall_ms - read_ms > GRACE_MS) {
            let (_, swipe_id) = self.early_order.pop_front().expect("there is a front");
            self.early.remove(&swipe_id);
        }
    }

    /// Swipes that have been sent and not been decided on, and what they amount to, in cents.
    fn unscored(&self) -> (u64, i64) {
        (self.pending.len() as u64, self.pending.values().map(|swipe| swipe.amount_cents).sum())
    }

    /// Stand-in processing of the swipes without an answer in time.
    fn stand_in(&mut self, wall_ms: i64) {
        while self.order.front().is_some_and(|(sent_ms, _)| wall_ms - sent_ms > GRACE_MS) {
            let (sent_ms, swipe_id) = self.order.pop_front().expect("there is a front");
            let Some(swipe) = self.pending.get_mut(&swipe_id).filter(|swipe| !swipe.stood_in) else {
                continue;
            };
            swipe.stood_in = true;
            let shown = Decision {
                at_ms: swipe.ts_ms,
                card_id: swipe.card_id.clone(),
                amount_cents: swipe.amount_cents,
                verdict: Verdict::StoodIn,
                probability: None,
                reasons: Vec::new(),
                latency_ms: None,
                fraud: None,
            };
            self.count(Verdict::StoodIn, shown.amount_cents);
            self.pending_labels.keep(&swipe_id, &shown);
            self.show(swipe_id.clone(), shown);
            self.late.push_back((sent_ms, swipe_id));
        }
        while self.late.front().is_some_and(|(sent_ms, _)| wall_ms - sent_ms > PENDING_MS) {
            let (_, swipe_id) = self.late.pop_front().expect("there is a front");
            self.pending.remove(&swipe_id);
        }
    }

    fn count(&mut self, verdict: Verdict, amount_cents: i64) {
        match verdict {
            Verdict::Approved => self.approved += 1,
            Verdict::Declined => self.declined += 1,
            Verdict::StoodIn => self.stood_in += 1,
        }
        match verdict {
            Verdict::Declined => self.declined_cents += amount_cents,
            Verdict::Approved | Verdict::StoodIn => self.approved_cents += amount_cents,
        }
    }

    fn show(&mut self, swipe_id: String, decision: Decision) {
        self.recent.push_front((swipe_id, decision));
        while self.recent.len() > RECENT {
            let Some(oldest) = self.recent.pop_back() else { return };
            if oldest.1.fraud.is_some() || oldest.1.verdict == Verdict::Declined {
                self.notable.push_front(oldest);
                self.notable.truncate(NOTABLE);
            }
        }
    }

    /// The share of swipes whose answer came before the deadline; none before the first is known.
    fn in_time(&self) -> Option<f64> {
        let all = self.approved + self.declined + self.stood_in;
        (all > 0).then(|| (self.approved + self.declined) as f64 / all as f64)
    }

    /// A decision with what is known of its truth by now.
    fn told(&self, decision: &Decision) -> Decision {
        // A swipe without a chargeback after the label delay counts as genuine.
        let silent = self.now_ms.saturating_sub(decision.at_ms) > LABEL_DELAY_MS;
        Decision { fraud: decision.fraud.or(silent.then_some(false)), ..decision.clone() }
    }

    /// Everything as it is now; none before the first swipe.
    fn shown(&self, deadline_ms: i64) -> Option<Payments> {
        // Answers of several partitions come interleaved, and one that turned out to be fraud comes
        // once more: by time, not by arrival.
        let recent = || {
            let all = self.recent.iter().chain(&self.notable);
            let mut decisions: Vec<Decision> = all.map(|(_, decision)| self.told(decision)).collect();
            decisions.sort_by_key(|decision| Reverse(decision.at_ms));
            decisions
        };
        self.seen.then(|| Payments {
            recent: recent(),
            approved: Some(self.approved),
            declined: Some(self.declined),
            stood_in: Some(self.stood_in),
            approved_cents: Some(self.approved_cents),
            declined_cents: Some(self.declined_cents),
            deadline_ms: Some(deadline_ms as f64),
            latency_p50_ms: self.latency.at(0.5),
            latency_p99_ms: self.latency.at(0.99),
            latency_p999_ms: self.latency.at(0.999),
            in_time: self.in_time(),
        })
    }
}

impl View for PaymentsView {
    fn observe(&mut self, event: &Event, wall_ms: i64, _clock: Option<&SimulatedClock>) {
        self.take(event, wall_ms, DEADLINE_MS);
    }

    fn waiting(&self) -> Option<(u64, i64)> {
        Some(self.unscored())
    }

    fn case(&self, clock: &CaseClock) -> FollowedCase {
        self.stolen.case(clock)
    }

    fn show(&mut self, pane: &PaneSource<'_>, snapshot: &mut Snapshot) {
        snapshot.payments = pane.sourced(self.shown(DEADLINE_MS));
    }
}

#[cfg(test)]
mod tests {
    use events::{CardSwipe, FraudDecision, Timestamp};

    use super::*;

    fn swipe(id: &str) -> Event {
        let ts = Timestamp::from_ms(1_772_535_600_000);
        let (swipe_id, card_id, terminal_id) = (id.to_owned(), "c1".to_owned(), "t1".to_owned());
        let (currency, category, lat, lon) = (None, None, None, None);
        CardSwipe { ts, swipe_id, card_id, terminal_id, amount_cents: 1_000, currency, category, lat, lon }
            .into()
    }

    fn decline(id: &str) -> Event {
        FraudDecision {
            ts: Timestamp::from_ms(1_772_535_600_000),
            swipe_id: id.to_owned(),
            card_id: "c1".to_owned(),
            decision: events::Decision::Decline,
            probability: 0.9,
            reasons: Vec::new(),
            scored_in_us: None,
        }
        .into()
    }

    fn approve(id: &str) -> Event {
        let Event::FraudDecisions(answer) = decline(id) else { unreachable!() };
        FraudDecision { decision: events::Decision::Approve, probability: 0.000_1, ..answer }.into()
    }

    #[test]
    fn an_answer_that_is_read_before_its_swipe_is_an_answer() {
        let mut view = PaymentsView::default();
        view.take(&decline("s1"), 12, 100);
        view.take(&swipe("s1"), 10, 100);
        view.take(&swipe("much later"), 20_000, 100);
        assert_eq!((view.declined, view.stood_in, view.latency.at(0.5)), (1, 0, Some(2.0)));
        view.take(&decline("sent before anyone watched"), 20_001, 100);
        view.take(&decline("another"), 30_000, 100);
        assert_eq!(view.early.len(), 1, "what is not asked for is forgotten: {view:?}");
    }

    fn chargeback(id: &str, day: i64) -> Event {
        let (swipe_id, card_id, terminal_id) = (id.to_owned(), "c1".to_owned(), "t1".to_owned());
        let ts = Timestamp::from_ms(1_772_535_600_000).plus_ms(day * DAY_MS);
        Chargeback { ts, swipe_id, card_id, terminal_id }.into()
    }

    #[test]
    fn what_is_known_by_now_stands_beside_each_decision() {
        let mut view = PaymentsView::default();
        for id in ["robbed", "honest", "robbed long ago"] {
            view.take(&swipe(id), 0, 100);
            view.take(&decline(id), 3, 100);
        }
        let truths = |view: &PaymentsView| -> Vec<Option<bool>> {
            view.shown(100).unwrap().recent.iter().map(|decision| decision.fraud).collect()
        };
        assert_eq!(truths(&view), [None; 3], "it is not known yet");
        view.take(&chargeback("robbed", 3), 10, 100);
        view.take(&chargeback("never seen", 3), 10, 100);
        assert_eq!(truths(&view), [None, None, Some(true)], "it is told where it stands");

        // Hundreds of others push them out of the list; those that were declined are kept.
        for number in 0..RECENT {
            view.take(&swipe(&format!("n{number}")), 20, 100);
            view.take(&approve(&format!("n{number}")), 21, 100);
        }
        assert_eq!(truths(&view)[RECENT..], [None, None, Some(true)]);
        for number in 0..RECENT + NOTABLE + 10 {
            view.take(&swipe(&format!("d{number}")), 30, 100);
            view.take(&decline(&format!("d{number}")), 31, 100);
        }
        assert_eq!(truths(&view).len(), RECENT + NOTABLE);

        // A chargeback of what is long out of sight shows it once more.
        for day in [4, 5] {
            view.take(&chargeback("robbed long ago", day), 40, 100);
        }
        let (_, again) = &view.recent[0];
        assert_eq!(
            (again.fraud, again.verdict, again.at_ms),
            (Some(true), Verdict::Declined, 1_772_535_600_000)
        );
        assert_eq!(again.reasons, ["charged back 4.0 days later"]);
        assert_eq!(view.recent[1].0, "d269", "what is told twice is shown once");
    }

    #[test]
    fn a_swipe_without_a_chargeback_within_the_label_delay_was_honest() {
        let mut view = PaymentsView::default();
        for id in ["d0", "d1", "d2"] {
            view.take(&swipe(id), 30, 100);
            view.take(&decline(id), 31, 100);
        }
        view.take(&chargeback("d1", 4), 40, 100);
        let later = |ms: i64| {
            let Event::CardSwipes(swipe) = swipe("later") else { panic!("a swipe") };
            CardSwipe { ts: swipe.ts.plus_ms(ms), ..swipe }.into()
        };
        view.take(&later(7 * DAY_MS), 50, 100);
        let count = |view: &PaymentsView, fraud| {
            let recent = view.shown(100).unwrap().recent;
            recent.iter().filter(|decision| decision.fraud == fraud).count()
        };
        assert_eq!((count(&view, Some(true)), count(&view, Some(false))), (1, 0));
        view.recent.retain(|(id, _)| id != "d0");
        view.take(&later(7 * DAY_MS + 1), 51, 100);
        assert_eq!((count(&view, Some(true)), count(&view, Some(false)), count(&view, None)), (1, 2, 0));
        assert_eq!(view.recent[0].0, "d0", "what was out of sight is shown once more");
        assert_eq!(view.recent[0].1.reasons, ["no chargeback within 7 days"]);
    }

    #[test]
    fn the_share_in_time_is_unknown_at_first() {
        let mut view = PaymentsView::default();
        view.take(&swipe("s1"), 0, 100);
        let shown = view.shown(100).unwrap();
        assert_eq!((shown.in_time, shown.latency_p999_ms), (None, None));
        view.take(&decline("s1"), 4, 100);
        view.take(&swipe("s2"), 10, 100);
        view.take(&decline("s2"), 150, 100);
        let shown = view.shown(100).unwrap();
        assert_eq!((shown.in_time, shown.latency_p999_ms), (Some(0.5), Some(140.0)));
    }

    #[test]
    fn a_terminal_that_gets_no_answer_in_time_stands_in() {
        let mut view = PaymentsView::default();
        let counts = |view: &PaymentsView| (view.approved, view.declined, view.stood_in, view.approved_cents);
        for (id, at) in [("in time", 0), ("too late", 10), ("read late", 20), ("never", 30)] {
            view.take(&swipe(id), at, 100);
        }
        view.take(&decline("in time"), 100, 100);
        view.take(&decline("too late"), 111, 100);
        assert_eq!(counts(&view), (0, 1, 1, 1_000), "one was declined, one had been let go");
        view.take(&swipe("later"), 6_000, 100);
        assert_eq!(counts(&view), (0, 1, 3, 3_000), "two of them have no answer yet");
        assert!(view.recent[0].1.latency_ms.is_none() && view.recent[0].1.verdict == Verdict::StoodIn);
        view.take(&decline("read late"), 25, 100);
        assert_eq!(
            counts(&view),
            (0, 2, 2, 2_000),
            "its answer had come after 5 ms, and was read after the others"
        );
        view.take(&swipe("much later"), 700_000, 100);
        view.take(&decline("never"), 31, 100);
        assert_eq!(counts(&view), (0, 2, 3, 3_000), "what was forgotten stays as it was counted");
        assert!(view.pending.len() == 1 && view.late.is_empty(), "what is forgotten takes no room: {view:?}");
    }
}
