//! Markets: how far a price had moved before the signal could be acted on.
//!
//! Who trades on a signal pays the *mark-out*: the price at which the order is placed, less the
//! price at the close of the minute that the signal is about, in the direction of the order. (What
//! Perold, *The implementation shortfall*, 1988, calls the cost of delay.) A buyer who comes late
//! pays more when the price has risen meanwhile, and less when it has fallen. So each case has a
//! sign, and where prices are a martingale the mean is zero however late one comes: what waiting
//! costs then is not money but certainty, which is billed beside it, as the distance between the
//! two prices in either direction.
//!
//! A case is a minute of a pair for which both lanes have said buy or sell. Each is an order of
//! [`ORDER_DOLLARS`]. Prices are those of `simulation_truth`: what a pair is worth, and not what
//! somebody paid in a hurry.
//!
//! # What is drawn again
//! All pairs move together, and the batch lane's orders of one run are all placed at one instant:
//! hundreds of them are one piece of luck. So what [`Resampled`] draws as a whole are the orders of
//! an hour ([`BLOCK_MS`]), those of all pairs, and below ten such hours no interval is given.
//!
//! # Simplifications
//! - An order moves no price, and is filled at the middle between bid and offer: both lanes would
//!   pay the same spread.
//! - The truth is told every five seconds; in between, the last that was told holds.
//! - Where runs are further apart than an hour, the hours between two runs are one piece of luck
//!   too, and intervals are narrower than they should be.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use events::{Action, Business, CANDLE_MS, DAY_MS, Event, HOUR_MS, Signal, SimulationTruth, Timestamp};

use serde_json::{Value, json};

use super::id::Id;
use super::lines::{self, Line, Measure, Sums, grouped, money, plain_tick, signed};
use super::part::{Breakdown, BusinessBill, Lane, Part, Terms};
use super::resample::Resampled;

/// The business's part of the bill.
pub static MARKETS: Part = Part {
    business: Business::Markets,
    name: "markets",
    key: "markets",
    job: "batch-signals",
    needs_next_run: false,
    answers_carry_question_time: false,
    measures: &[&MARK_OUT_CENTS, &MARK_OUT_BP, &PRICE_MOVE_BP],
    is_truth: |event| matches!(event, Event::SimulationTruth(SimulationTruth::Price { .. })),
    new: |terms| Box::new(MarketsBill::new(terms)),
    question: "Markets: buy or sell?",
    lesson: "<p>Two moving averages cross, and a signal says buy or sell. The stream says so half a minute after the minute is over, because it waits that long for trades \
             that are late; the batch lane says so after its next run. By then the price has moved. Prices are nearly a martingale: they move as often for an order as against it, \
             so the mean cost of being late (the mark-out) may be anything near zero, and few orders can't tell. What surely grows is how far the price has moved, either way: \
             who is late trades at a price that nobody decided on.</p>",
    breakdown: Some(Breakdown {
        sentence: |counts| {
            format!(
                "{} orders, for a mean of {} bp more than at the close; the price had moved {} bp either way",
                counts["orders"],
                of_json(counts, "mark_out_bp"),
                of_json(counts, "price_move_bp"),
            )
        },
        title: "What the orders met",
        heads: &["orders", "mark-out, bp", "price moved, bp", "lanes said different things"],
        cells: |counts| {
            vec![
                counts["orders"].to_string(),
                of_json(counts, "mark_out_bp"),
                of_json(counts, "price_move_bp"),
                counts["lanes_differ"].to_string(),
            ]
        },
    }),
};

/// What a mean in a lane's counts is written as; nothing is known without an order.
fn of_json(counts: &Value, name: &str) -> String {
    counts[name].as_f64().map_or("–".to_owned(), |bp| signed(bp, 2))
}

/// What the orders paid more than at the close of their minutes, in cents.
pub static MARK_OUT_CENTS: Measure = Measure {
    key: "mark_out_cents",
    title: "mark-out of orders of 10,000, in dollars",
    cases: "orders",
    amount: |cents| money(cents.round() as i64),
    tick: |cents| {
        let dollars = (cents / 100.0).round();
        format!("{}{}", if dollars < 0.0 { "−" } else { "" }, grouped(dollars.abs() as u64))
    },
};

/// The same for each order, in basis points of its price.
static MARK_OUT_BP: Measure = Measure {
    key: "mark_out_bp",
    title: "mark-out, basis points an order",
    cases: "orders",
    amount: |bp| signed(bp, 2),
    tick: plain_tick,
};

/// How far the price had moved by the time of the order, in either direction.
pub static PRICE_MOVE_BP: Measure = Measure {
    key: "price_move_bp",
    title: "price moved before the order, basis points either way",
    cases: "orders",
    amount: |bp| signed(bp, 2),
    tick: plain_tick,
};

/// What each order is worth, in dollars: one basis point of it is a dollar.
const ORDER_DOLLARS: i64 = 10_000;
/// What a thousandth of a basis point of an order is, in cents.
const CENTS_PER_MBP: f64 = ORDER_DOLLARS as f64 / 100_000.0;
/// How long a case waits for the other lane's signal. The longest period that is compared is a day,
/// and a signal comes with the run after it.
const PATIENCE_MS: i64 = 2 * DAY_MS;
/// A price that is older than this is not known.
const STALE_MS: i64 = 60_000;
/// No mark-out is greater, either way: a price that moved a hundredfold is somebody's mistake.
const MOST_MBP: i64 = 1_000_000_000;
/// How long a stretch of time is drawn as a whole.
const BLOCK_MS: i64 = HOUR_MS;
/// The fewest blocks from which an interval is given.
const FEWEST_BLOCKS: usize = 10;

/// How one lane's orders did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MarketLane {
    /// Orders judged.
    pub orders: u64,
    /// Sum of their mark-outs, in thousandths of a basis point; more than zero where the price had
    /// moved against them. Whole numbers, so that the order of adding makes no difference.
    pub mark_out_mbp: i64,
    /// Sum of how far the price had moved, in either direction, in the same unit.
    pub price_move_mbp: i64,
}

impl MarketLane {
    fn add(&mut self, mark_out_mbp: i64) {
        self.orders += 1;
        self.mark_out_mbp += mark_out_mbp;
        self.price_move_mbp += mark_out_mbp.abs();
    }

    /// The mean mark-out of an order in basis points, if there was one.
    fn mark_out_bp(&self) -> Option<f64> {
        (self.orders > 0).then(|| self.mark_out_mbp as f64 / 1e3 / self.orders as f64)
    }

    /// How far the price had moved before an order, either way, on average in basis points.
    pub fn price_move_bp(&self) -> Option<f64> {
        (self.orders > 0).then(|| self.price_move_mbp as f64 / 1e3 / self.orders as f64)
    }

    /// The sum of all mark-outs in cents, each order being of [`ORDER_DOLLARS`].
    pub fn mark_out_cents(&self) -> f64 {
        self.mark_out_mbp as f64 * CENTS_PER_MBP
    }
}

/// What a lane says to do, and from when on it could be done.
#[derive(Debug, Clone, Copy)]
struct Order {
    action: Action,
    from: Timestamp,
}

/// What both lanes say of one minute of a pair.
#[derive(Debug, Default)]
struct Case {
    stream: Option<Order>,
    batch: Option<Order>,
}

/// The markets' part of the bill.
#[derive(Debug)]
pub struct MarketsBill {
    /// The stream lane, on the cases of both.
    pub stream: MarketLane,
    /// The batch lane, on the same.
    pub batch: MarketLane,
    /// Minutes in which one lane said buy or sell and the other did not, or not the same.
    pub differ: u64,
    /// Orders whose price nobody had told, or whose minute the other lane has never answered.
    pub unknown: u64,
    /// Order by order, drawn block by block: orders, mark-outs of the stream and of the batch lane,
    /// and the same of the distances.
    pub spread: Resampled<5>,
    blocks: BTreeSet<Timestamp>,
    judged_from: Timestamp,
    /// What pairs are worth, by pair and then by time.
    prices: HashMap<Id, VecDeque<(Timestamp, i64)>>,
    /// By the end of the minute and the pair.
    waiting: BTreeMap<(Timestamp, Id), Case>,
}

impl MarketsBill {
    /// Nothing has been observed.
    pub fn new(terms: &Terms) -> Self {
        Self {
            stream: MarketLane::default(),
            batch: MarketLane::default(),
            differ: 0,
            unknown: 0,
            spread: Resampled::default(),
            blocks: BTreeSet::new(),
            judged_from: terms.judged_from,
            prices: HashMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// The case that a signal belongs to; none for what was before anything is judged.
    fn case(&mut self, signal: &Signal) -> Option<&mut Case> {
        let key = (signal.ts.plus_ms(CANDLE_MS), Id::from(&signal.pair));
        (signal.ts >= self.judged_from).then(|| self.waiting.entry(key).or_default())
    }

    fn judge(&mut self, close: Timestamp, pair: Id, stream: Order, batch: Order) {
        if stream.action != batch.action {
            self.differ += 1;
            return;
        }
        let sign = match stream.action {
            Action::Buy => 1.0,
            Action::Sell => -1.0,
            Action::Hold => return,
        };
        let at_close = self.price(pair, close);
        let mark_out_mbp = |order: Order| {
            let (at_close, then) = (at_close?, self.price(pair, order.from)?);
            let mbp = (sign * (then - at_close) / at_close * 1e7).round() as i64;
            Some(mbp.clamp(-MOST_MBP, MOST_MBP))
        };
        let (Some(stream), Some(batch)) = (mark_out_mbp(stream), mark_out_mbp(batch)) else {
            self.unknown += 1;
            return;
        };
        self.stream.add(stream);
        self.batch.add(batch);
        let block = close.floor(BLOCK_MS);
        self.blocks.insert(block);
        let sums = [1.0, stream as f64, batch as f64, stream.abs() as f64, batch.abs() as f64];
        self.spread.add(&block.to_string(), sums);
    }

    /// What a pair was worth: the last that was told, unless that was long before.
    fn price(&self, pair: Id, at: Timestamp) -> Option<f64> {
        let prices = self.prices.get(&pair)?;
        let (ts, mid_e8) = prices.get(prices.partition_point(|(ts, _)| *ts <= at).checked_sub(1)?)?;
        (at.since_ms(*ts) <= STALE_MS && *mid_e8 > 0).then_some(*mid_e8 as f64)
    }

    /// Whether the cases are spread over enough time for an interval to mean something.
    fn has_enough(&self) -> bool {
        self.blocks.len() >= FEWEST_BLOCKS
    }

    fn lane(&self, lane: Lane) -> &MarketLane {
        match lane {
            Lane::Stream => &self.stream,
            Lane::Batch => &self.batch,
        }
    }
}

impl BusinessBill for MarketsBill {
    fn observe(&mut self, event: &Event, seen: Timestamp, _wall_ms: i64) {
        if let Event::SimulationTruth(SimulationTruth::Price { ts, id, mid_e8 }) = event {
            let prices = self.prices.entry(id.into()).or_default();
            let place = prices.partition_point(|(other, _)| other <= ts);
            prices.insert(place, (*ts, *mid_e8));
        } else if let Event::Signals(signal) = event
            && let Some(case) = self.case(signal)
        {
            case.stream.get_or_insert(Order { action: signal.action, from: seen });
        } else if let Event::SignalsBatch(batched) = event
            && let Some(case) = self.case(&batched.answer)
        {
            case.batch.get_or_insert(Order { action: batched.answer.action, from: batched.valid_from });
        }
    }

    /// A case is judged when both lanes' orders could be placed by then.
    fn settle(&mut self, until: Timestamp) {
        let mut judged = Vec::new();
        let mut given_up = 0;
        self.waiting.retain(|&(close, pair), case| match (case.stream, case.batch) {
            (Some(stream), Some(batch)) if stream.from.max(batch.from) <= until => {
                judged.push((close, pair, stream, batch));
                false
            }
            (stream, batch) if until.since_ms(close) >= PATIENCE_MS => {
                let mut actions = stream.into_iter().chain(batch).map(|order| order.action);
                given_up += u64::from(actions.any(is_order));
                false
            }
            (Some(_) | None, Some(_) | None) => true,
        });
        self.unknown += given_up;
        for (close, pair, stream, batch) in judged {
            self.judge(close, pair, stream, batch);
        }
        let asked_from = self.waiting.first_key_value().map_or(until, |((close, _), _)| until.min(*close));
        for prices in self.prices.values_mut() {
            while prices.front().is_some_and(|(ts, _)| asked_from.since_ms(*ts) > STALE_MS) {
                prices.pop_front();
            }
        }
    }

    fn lines(&self) -> Vec<Line> {
        let (stream, batch) = (&self.stream, &self.batch);
        let all = [
            stream.orders as f64,
            stream.mark_out_mbp as f64,
            batch.mark_out_mbp as f64,
            stream.price_move_mbp as f64,
            batch.price_move_mbp as f64,
        ];
        let sums = Sums { all, spread: &self.spread };
        let mean_bp = |s: &[f64; 5], at: usize| lines::ratio(s[at] / 1e3, s[0]);
        let cents = |s: &[f64; 5], at: usize| (s[0] > 0.0).then(|| s[at] * CENTS_PER_MBP);
        let orders = stream.orders;
        let lines = [
            sums.line(&MARK_OUT_CENTS, orders, |s| cents(s, 1), |s| cents(s, 2)),
            sums.line(&MARK_OUT_BP, orders, |s| mean_bp(s, 1), |s| mean_bp(s, 2)),
            sums.line(&PRICE_MOVE_BP, orders, |s| mean_bp(s, 3), |s| mean_bp(s, 4)),
        ];
        let sure = |line: Line| if self.has_enough() { line } else { line.without_interval() };
        lines.into_iter().flatten().map(sure).collect()
    }

    fn counts(&self, lane: Lane) -> Value {
        let lane = self.lane(lane);
        json!({
            "orders": lane.orders,
            "mark_out_bp": lane.mark_out_bp(),
            "price_move_bp": lane.price_move_bp(),
            "lanes_differ": self.differ,
            "unknown": self.unknown,
        })
    }

    fn summary(&self) -> Value {
        let lane = |lane: &MarketLane| {
            json!({
                "orders": lane.orders, "mark_out_bp": lane.mark_out_bp(),
                "mark_out_cents": lane.mark_out_cents(), "price_move_bp": lane.price_move_bp(),
            })
        };
        json!({
            "stream": lane(&self.stream), "batch": lane(&self.batch),
            "lanes_differ": self.differ, "unknown": self.unknown,
        })
    }

    fn sentences(&self) -> Vec<String> {
        let bp = |mean: Option<f64>| mean.map_or("–".to_owned(), |bp| signed(bp, 2));
        let (stream, batch) = (&self.stream, &self.batch);
        vec![
            format!(
                "Simulated orders on signals: {} that both lanes gave; mark-out: stream {} bp, batch {} bp; price moved either way: stream {} bp, batch {} bp",
                stream.orders,
                bp(stream.mark_out_bp()),
                bp(batch.mark_out_bp()),
                bp(stream.price_move_bp()),
                bp(batch.price_move_bp()),
            ),
            format!(
                "Minutes in which the lanes did not say the same: {}; orders whose price or other signal is not known: {}",
                self.differ, self.unknown,
            ),
        ]
    }
}

fn is_order(action: Action) -> bool {
    match action {
        Action::Buy | Action::Sell => true,
        Action::Hold => false,
    }
}
