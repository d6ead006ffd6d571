//! Markets: how far a price had moved before the signal could be acted on.
//!
//! The *mark-out* of an order is the price when the order can be placed, less the price at the
//! close of the signal's minute, in the direction of the order: the cost of delay in Perold's
//! *implementation shortfall* (*The implementation shortfall*, 1988). A late buyer pays more when
//! the price has risen meanwhile, and less when it has fallen. So a mark-out has a sign, and where
//! prices are a martingale its mean is zero at every delay: delay then costs no money but adds
//! risk. The bill shows that risk as the mean distance between the two prices, in either direction.
//!
//! A case is a minute of a pair for which both lanes say buy, or both say sell. Each is an order of
//! [`ORDER_DOLLARS`]. Prices are those of `simulation_truth`: the middle between bid and offer, not
//! the price of a single trade.
//!
//! # Block bootstrap
//! All pairs move together, and the orders of one batch run are all placed at one instant: hundreds
//! of them are not independent cases. So [`Resampled`] draws whole blocks, the orders of all pairs
//! in one hour ([`BLOCK_MS`]), and with fewer than ten blocks no interval is given.
//!
//! # Simplifications
//! - An order moves no price, and is filled at the middle between bid and offer: both lanes would
//!   pay the same spread.
//! - True prices are published every five seconds; in between, the last one holds.
//! - Where runs are further apart than an hour, neighbouring blocks are not independent, and
//!   intervals are too narrow.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use events::{Action, Business, CANDLE_MS, DAY_MS, Event, HOUR_MS, Signal, SimulationTruth, Timestamp};

use serde_json::{Value, json};
use text::{grouped, money};

use super::id::Id;
use super::lines::{self, Line, Measure, Sums, plain_tick, signed};
use super::part::{Breakdown, BusinessBill, Lane, Part, Terms};
use super::resample::Resampled;
use super::verdict::Margin;

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
             a late order is filled at a price that the signal knew nothing of.</p>",
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

/// How a mean in a lane's counts is written; a dash without an order.
fn of_json(counts: &Value, name: &str) -> String {
    counts[name].as_f64().map_or("–".to_owned(), |bp| signed(bp, 2))
}

/// The orders' mark-out, in cents.
///
/// Margin: a dollar an order, the basis point of [`MARK_OUT_BP`].
pub static MARK_OUT_CENTS: Measure = Measure {
    key: "mark_out_cents",
    title: "mark-out of orders of $10,000",
    name: "mark-out of orders of $10,000",
    unit: "",
    cases: "orders",
    evidence: "orders",
    margin: Margin::PerCase(100.0),
    amount: |cents| money(cents.round() as i64),
    tick: |cents| {
        let dollars = (cents / 100.0).round();
        format!("{}${}", if dollars < 0.0 { "−" } else { "" }, grouped(dollars.abs() as u64))
    },
};

/// The mean mark-out of an order, in basis points of its price.
///
/// Margin: one basis point. That is the spread between bid and offer of a liquid pair, and less
/// than an exchange's fee.
static MARK_OUT_BP: Measure = Measure {
    key: "mark_out_bp",
    title: "mark-out, basis points per order",
    name: "mark-out per order",
    unit: " bp",
    cases: "orders",
    evidence: "orders",
    margin: Margin::Of(1.0),
    amount: |bp| signed(bp, 2),
    tick: plain_tick,
};

/// How far the price had moved by the time of the order, in either direction.
///
/// Margin: one basis point, as of the mark-out.
pub static PRICE_MOVE_BP: Measure = Measure {
    key: "price_move_bp",
    title: "price movement before the order, basis points either way",
    name: "price movement before the order",
    unit: " bp",
    cases: "orders",
    evidence: "orders",
    margin: Margin::Of(1.0),
    amount: |bp| signed(bp, 2),
    tick: plain_tick,
};

/// The size of each order, in dollars: one basis point of it is a dollar.
const ORDER_DOLLARS: i64 = 10_000;
/// A thousandth of a basis point of an order, in cents.
const CENTS_PER_MBP: f64 = ORDER_DOLLARS as f64 / 100_000.0;
/// How long a case waits for the other lane's signal. The longest period that is compared is a day,
/// and a signal comes with the run after it.
const PATIENCE_MS: i64 = 2 * DAY_MS;
/// A price older than this, in milliseconds, counts as unknown.
const STALE_MS: i64 = 60_000;
/// Mark-outs are clamped to this: a price that moved a hundredfold is an error in the data.
const MOST_MBP: i64 = 1_000_000_000;
/// The length of a bootstrap block, in milliseconds of event time.
const BLOCK_MS: i64 = HOUR_MS;
/// The fewest blocks from which an interval is given.
const FEWEST_BLOCKS: usize = 10;

/// The sums of one lane's orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MarketLane {
    /// Orders judged.
    pub orders: u64,
    /// Sum of their mark-outs, in thousandths of a basis point; positive where the price had moved
    /// against the order. An integer, so that the order of adding makes no difference.
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

/// A lane's signal, and from when on an order could follow it.
#[derive(Debug, Clone, Copy)]
struct Order {
    action: Action,
    from: Timestamp,
}

/// Both lanes' signals for one minute of a pair.
#[derive(Debug, Default)]
struct Case {
    stream: Option<Order>,
    batch: Option<Order>,
}

/// The markets' part of the bill.
#[derive(Debug)]
pub struct MarketsBill {
    /// The stream lane, on the cases that both lanes answered.
    pub stream: MarketLane,
    /// The batch lane, on the same cases.
    pub batch: MarketLane,
    /// Minutes in which the lanes' actions differ.
    pub differ: u64,
    /// Orders whose price is unknown, or whose minute the other lane has not answered in time.
    pub unknown: u64,
    /// The bootstrap's sums by block: orders, mark-outs of the stream and of the batch lane, and
    /// both lanes' distances.
    pub spread: Resampled<5>,
    blocks: BTreeSet<Timestamp>,
    judged_from: Timestamp,
    /// True prices, by pair and then by time.
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

    /// The case that a signal belongs to; none before the time from which cases are judged.
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

    /// The true price of a pair: the last one published, unless it is older than [`STALE_MS`].
    fn price(&self, pair: Id, at: Timestamp) -> Option<f64> {
        let prices = self.prices.get(&pair)?;
        let (ts, mid_e8) = prices.get(prices.partition_point(|(ts, _)| *ts <= at).checked_sub(1)?)?;
        (at.since_ms(*ts) <= STALE_MS && *mid_e8 > 0).then_some(*mid_e8 as f64)
    }

    /// Whether there are enough blocks for an interval.
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

    /// Judges the cases whose orders both lanes could place by `until`.
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
        let orders = (stream.orders, stream.orders);
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
