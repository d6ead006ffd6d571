//! Payments: money approved to fraudsters, and honest customers who were declined.

use std::collections::{HashMap, VecDeque};

use consumers::fraud::{BlockedCards, Costs};
use events::{Business, Decision, Event, SimulationTruth, Timestamp};

use serde_json::{Value, json};
use text::{grouped, money};

use super::id::Id;
use super::lines::{Line, Measure, Sums};
use super::part::{Breakdown, BusinessBill, Lane, PATIENCE_MS, Part, Sweep, Terms};
use super::resample::Resampled;
use super::verdict::Margin;

/// How long a payment terminal waits for a decision, in milliseconds of wall-clock time, before it
/// approves by itself.
pub const DEADLINE_MS: i64 = 100;

/// The business's part of the bill.
pub static PAYMENTS: Part = Part {
    business: Business::Payments,
    name: "payments",
    key: "payments",
    job: "batch-fraud",
    needs_next_run: false,
    answers_carry_question_time: true,
    measures: &[&MONEY_CENTS],
    is_truth: |event| matches!(event, Event::SimulationTruth(SimulationTruth::Swipe { .. })),
    new: |terms| Box::new(PaymentsBill::new(terms)),
    question: "Payments: is this card stolen?",
    lesson: "<p>A stolen card is used within minutes. The stream declines at the till. The batch lane approves everything, finds the theft in its next run, and blocks the card \
             from then on. So even the shortest period lets the first swipes through: to decide <i>after</i> the sale is another thing than to decide late. \
             A block also hits honest customers, and each lane pays for those it declines.</p>",
    breakdown: Some(Breakdown {
        sentence: |counts| {
            format!(
                "stopped {} of {} frauds, lost {}; declined {} honest customers, which cost {}",
                counts["frauds_stopped"],
                counts["frauds"],
                cents(counts, "lost_cents"),
                counts["honest_declined"],
                cents(counts, "decline_cost_cents"),
            )
        },
        title: "Where the money goes",
        heads: &["frauds stopped", "approved to fraudsters", "honest customers declined", "which cost"],
        cells: |counts| {
            vec![
                format!("{} of {}", counts["frauds_stopped"], counts["frauds"]),
                cents(counts, "lost_cents"),
                counts["honest_declined"].to_string(),
                cents(counts, "decline_cost_cents"),
            ]
        },
    }),
};

fn cents(counts: &Value, name: &str) -> String {
    money(counts[name].as_i64().unwrap_or(0))
}

/// Money approved to fraudsters plus what honest customers declined cost, in cents.
///
/// Margin: half a cent a swipe. A swipe is of 38 dollars on average, and card fraud costs issuers
/// about seven cents of a hundred dollars (Nilson Report), 2.7 cents of it. A fifth of that is less
/// than it differs from one country to the next.
pub static MONEY_CENTS: Measure = Measure {
    key: "money_cents",
    title: "fraud loss + wrong declines",
    name: "fraud loss + wrong declines",
    unit: "",
    cases: "swipes",
    evidence: "frauds",
    margin: Margin::PerCase(0.5),
    amount: |cents| money(cents.round() as i64),
    tick: |cents| format!("${}", grouped((cents / 100.0).round() as u64)),
};

/// How one lane did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PaymentLane {
    /// Swipes judged.
    pub swipes: u64,
    /// Frauds among them.
    pub frauds: u64,
    /// What the fraudsters tried to take, in cents.
    pub fraud_cents: i64,
    /// What they were given, in cents.
    pub lost_cents: i64,
    /// Frauds that were declined.
    pub frauds_stopped: u64,
    /// Honest swipes that were declined.
    pub honest_declined: u64,
    /// What these cost, in cents.
    pub decline_cost_cents: i64,
    /// Swipes that the terminal approved by itself, because no decision came in time.
    pub stood_in: u64,
}

impl PaymentLane {
    /// What the lane cost, in cents: money lost and customers annoyed.
    pub fn cost_cents(&self) -> i64 {
        self.lost_cents + self.decline_cost_cents
    }

    fn add(&mut self, one: &Self) {
        self.swipes += one.swipes;
        self.frauds += one.frauds;
        self.fraud_cents += one.fraud_cents;
        self.lost_cents += one.lost_cents;
        self.frauds_stopped += one.frauds_stopped;
        self.honest_declined += one.honest_declined;
        self.decline_cost_cents += one.decline_cost_cents;
        self.stood_in += one.stood_in;
        assert!(
            self.frauds_stopped + self.honest_declined <= self.swipes && self.frauds_stopped <= self.frauds,
            "more was declined than there was: {self:?}"
        );
    }

    fn judge(&mut self, swipe: &Swipe, declined: bool, costs: Costs) {
        self.swipes += 1;
        if swipe.fraud {
            self.frauds += 1;
            self.fraud_cents += swipe.amount_cents;
        }
        match (swipe.fraud, declined) {
            (true, true) => self.frauds_stopped += 1,
            (true, false) => self.lost_cents += swipe.amount_cents,
            (false, true) => {
                self.honest_declined += 1;
                self.decline_cost_cents += costs.of_declining(swipe.amount_cents) as i64;
            }
            (false, false) => {}
        }
    }
}

#[derive(Debug)]
struct Swipe {
    ts: Timestamp,
    seen: Timestamp,
    wall_ms: i64,
    swipe: Id,
    card_id: Box<str>,
    amount_cents: i64,
    fraud: bool,
}

/// A decision and when the broker had it.
#[derive(Debug, Clone, Copy)]
struct TimedDecision {
    decision: Decision,
    wall_ms: i64,
    seen: Timestamp,
}

/// The payments part of the bill.
#[derive(Debug)]
pub struct PaymentsBill {
    /// The stream lane.
    pub stream: PaymentLane,
    /// The batch lane: everything is approved at the terminal, and cards are blocked for a while
    /// once a run has found them out.
    pub batch: PaymentLane,
    /// Swipe by swipe, drawn card by card: what the stream lost and what its declines cost, and the
    /// same of the batch lane, in cents.
    pub spread: Resampled<4>,
    /// What a declined honest customer costs: what both lanes' processors decide by.
    costs: Costs,
    judged_from: Timestamp,
    waiting: VecDeque<Swipe>,
    decisions: HashMap<Id, TimedDecision>,
    blocks: BlockedCards,
    /// When `decisions` was swept.
    sweep: Sweep,
}

impl PaymentsBill {
    /// Nothing has been observed.
    pub fn new(terms: &Terms) -> Self {
        Self {
            stream: PaymentLane::default(),
            batch: PaymentLane::default(),
            spread: Resampled::default(),
            costs: terms.costs,
            judged_from: terms.judged_from,
            waiting: VecDeque::new(),
            decisions: HashMap::new(),
            blocks: BlockedCards::default(),
            sweep: Sweep::default(),
        }
    }
}

impl BusinessBill for PaymentsBill {
    fn observe(&mut self, event: &Event, seen: Timestamp, wall_ms: i64) {
        if let Event::SimulationTruth(SimulationTruth::Swipe { ts, id, card_id, amount_cents, pattern }) =
            event
        {
            // In the order of time, whichever partition was read first: behind a later one it would
            // wait until its decision is given up.
            let place = self.waiting.partition_point(|other| other.seen <= seen);
            let swipe = Swipe {
                ts: *ts,
                seen,
                wall_ms,
                swipe: id.into(),
                card_id: card_id.as_str().into(),
                amount_cents: *amount_cents,
                fraud: pattern.is_some(),
            };
            self.waiting.insert(place, swipe);
        } else if let Event::FraudDecisions(answer) = event {
            let decided = TimedDecision { decision: answer.decision, wall_ms, seen };
            self.decisions.insert(Id::from(&answer.swipe_id), decided);
        } else if let Event::FraudBatch(batched) = event {
            self.blocks.observe_run(batched);
        }
    }

    fn settle(&mut self, until: Timestamp) {
        while self.waiting.front().is_some_and(|swipe| swipe.seen <= until) {
            let swipe = self.waiting.pop_front().expect("there is a front");
            let decided = self.decisions.remove(&swipe.swipe);
            let in_time = decided.filter(|decided| decided.wall_ms - swipe.wall_ms <= DEADLINE_MS);
            if swipe.ts < self.judged_from {
                continue;
            }
            let (mut stream, mut batch) = (PaymentLane::default(), PaymentLane::default());
            stream.stood_in = u64::from(in_time.is_none());
            let declined = in_time.is_some_and(|decided| decided.decision == Decision::Decline);
            stream.judge(&swipe, declined, self.costs);
            batch.judge(&swipe, self.blocks.is_blocked(&swipe.card_id, swipe.ts), self.costs);
            assert_eq!(
                (stream.swipes, stream.fraud_cents),
                (batch.swipes, batch.fraud_cents),
                "swipes and what fraudsters tried to take, of both lanes: they judge the same swipe"
            );
            self.stream.add(&stream);
            self.batch.add(&batch);
            let cents = |lane: &PaymentLane| [lane.lost_cents as f64, lane.decline_cost_cents as f64];
            let ([lost, declines], [late_lost, late_declines]) = (cents(&stream), cents(&batch));
            self.spread.add(&swipe.card_id, [lost, declines, late_lost, late_declines]);
        }
        // A decision without a swipe: the swipe was sent before this bill began, or it was judged
        // before the decision came.
        if self.sweep.is_due(until) {
            self.decisions.retain(|_, decided| until.since_ms(decided.seen) < PATIENCE_MS);
        }
    }

    fn lines(&self) -> Vec<Line> {
        let (stream, batch) = (&self.stream, &self.batch);
        if stream.swipes == 0 {
            return Vec::new();
        }
        let all = [stream.lost_cents, stream.decline_cost_cents, batch.lost_cents, batch.decline_cost_cents];
        let sums = Sums { all: all.map(|cents| cents as f64), spread: &self.spread };
        let cases = (stream.swipes, stream.frauds);
        let line = sums.line(&MONEY_CENTS, cases, |s| Some(s[0] + s[1]), |s| Some(s[2] + s[3]));
        line.into_iter().collect()
    }

    fn counts(&self, lane: Lane) -> Value {
        let lane = match lane {
            Lane::Stream => &self.stream,
            Lane::Batch => &self.batch,
        };
        json!({
            "swipes": lane.swipes, "frauds": lane.frauds, "frauds_stopped": lane.frauds_stopped,
            "fraud_cents": lane.fraud_cents, "lost_cents": lane.lost_cents,
            "honest_declined": lane.honest_declined, "decline_cost_cents": lane.decline_cost_cents,
        })
    }

    fn summary(&self) -> Value {
        let lane = |lane: &PaymentLane| {
            json!({
                "swipes": lane.swipes, "frauds": lane.frauds, "frauds_stopped": lane.frauds_stopped,
                "fraud_cents": lane.fraud_cents, "lost_cents": lane.lost_cents,
                "honest_declined": lane.honest_declined, "decline_cost_cents": lane.decline_cost_cents,
                "stood_in": lane.stood_in,
            })
        };
        json!({ "stream": lane(&self.stream), "batch": lane(&self.batch) })
    }

    fn sentences(&self) -> Vec<String> {
        let (stream, batch) = (&self.stream, &self.batch);
        vec![
            format!(
                "Simulated fraud: {} attempts in {} swipes; stream stopped {} and lost {}, batch stopped {} and lost {}",
                grouped(stream.frauds),
                grouped(stream.swipes),
                stream.frauds_stopped,
                money(stream.lost_cents),
                batch.frauds_stopped,
                money(batch.lost_cents),
            ),
            format!(
                "Honest customers declined: stream {} (cost {}), batch {} (cost {})",
                stream.honest_declined,
                money(stream.decline_cost_cents),
                batch.honest_declined,
                money(batch.decline_cost_cents),
            ),
        ]
    }

    fn wall_clock_sentences(&self) -> Vec<String> {
        vec![format!(
            "{} of {} billed swipes had no verdict in time, and their terminals approved them",
            grouped(self.stream.stood_in),
            grouped(self.stream.swipes)
        )]
    }
}
