//! Markets: trades in pairs of currencies, and what a late signal costs.
//!
//! Each pair's minute is a question: buy, sell or hold? The stream answers half a minute after the
//! minute is over, when most late trades have arrived. The batch lane answers from the same trades
//! with its next run, and by then the price has moved. Markets are a scenario of their own: the
//! hourly *news or crypto prices* that is a usual first project with a scheduler and a database.

mod pairs;

use std::collections::HashMap;
use std::time::Duration;

use bill::compare::Separate;
use bill::{BusinessBill, Line, MARK_OUT_CENTS, MarketsBill, PRICE_MOVE_BP};
use consumers::markets::{MarketsBatch, MarketsConfig, MarketsProcessor};
use dashboard::{BillItem, Pane, Unit};
use events::{Business as Id, CANDLE_MS, Event, HOUR_MS, Timestamp, Topic};
use processor::Processor;
use producers::markets::{Markets, MarketsConfig as WorldConfig};

use crate::business::{
    Business, Comparison, Emissions, Freshness, Job, Lanes, Producer, Replay, Replayed, Volume, Worker, World,
};
use crate::ledger::{AnswerRule, Expected, LedgerEntry, QuestionAnswerPair};
use crate::view::{item, judged, named};

/// A burst adds so many times the usual rate of trades.
const BURST_FACTOR: u32 = 9;

/// The business.
pub static MARKETS: Business = Business {
    id: Id::Markets,
    name: "markets",
    help: "Trades: what a late signal to buy or sell costs",
    in_every_show: false,
    producer: Producer {
        name: "trades",
        help: "Trades in twenty pairs of currencies on five exchanges",
        topics: &[Topic::Trades, Topic::SimulationTruth],
        bursts: &[Topic::Trades],
        priority: None,
        needs: &[],
        simulate: |world| Ok(Box::new(Markets::new(world_config(world)))),
        burst: |world, moment| Ok(burst(world, moment)),
        rename,
        history: None,
    },
    workers: &[Worker {
        name: "signals",
        help: "One-minute candles, and buy, sell or hold at each",
        serves: &[Id::Markets],
        inputs: &[Topic::Trades],
        outputs: &[Topic::Candles, Topic::Signals],
        broadcast: &[],
        horizon_ms: Some(MarketsConfig::HORIZON_MS),
        gather: Duration::ZERO,
        priority: None,
        needs: &[],
        freshness: Some(Freshness {
            questions: &[Topic::Trades],
            answers: Topic::Signals,
            is_answer: |_| true,
            // A signal carries the start of its minute, and can't be given before the minute's end.
            asked_at: |signal| Some(signal.ts()?.plus_ms(CANDLE_MS)),
        }),
        processors: |_, _| Ok(Box::new(|| Box::new(MarketsProcessor::default()))),
    }],
    job: Job {
        name: "signals",
        group: "batch-signals",
        help: "Candles and signals of the last hour",
        inputs: &[Topic::Trades],
        outputs: &[Topic::CandlesBatch, Topic::SignalsBatch],
        horizon_ms: Some(MarketsConfig::HORIZON_MS),
        whole: false,
        needs: &[],
        processors: |_, period_ms, _| Ok(Box::new(move || batch(period_ms))),
    },
    replay: Replay {
        name: "signals",
        help: "Trades to `candles` and `signals`",
        processor: |_, period_ms| Ok(replay(period_ms)),
    },
    // Fewer than ten hours have no interval.
    comparison: Comparison {
        alone_ms: 24 * HOUR_MS,
        together_ms: 24 * HOUR_MS,
        lanes: |_, _, periods_ms| Ok(lanes(periods_ms)),
    },
    ledger: LedgerEntry {
        pair: QuestionAnswerPair {
            questions: Topic::Trades,
            answers: Topic::Signals,
            group: "signals",
            every_record_is_answered: true,
        },
        rule: || Box::new(MinutesThatEnd::default()),
        waiting: "minutes without a signal",
    },
    mart: &consumers::markets::MART,
    bill: &bill::MARKETS,
    bill_items,
    answer_replay: None,
    volume: Volume {
        kib_per_hour: &[
            (Topic::Trades, 16_384),
            (Topic::Candles, 2_048),
            (Topic::Signals, 2_048),
            (Topic::CandlesBatch, 2_048),
            (Topic::SignalsBatch, 2_048),
        ],
        per_car: false,
        history_mib: 0,
    },
    pane: Pane::Markets,
    view: |_| Box::new(pairs::MarketsView::default()),
    closing: None,
};

fn world_config(world: &World) -> WorldConfig {
    WorldConfig { seed: world.seed, start: world.start, ..WorldConfig::default() }
}

/// More trades at the same prices. The show's own simulator publishes the true prices.
fn burst(world: &World, moment: Timestamp) -> Emissions {
    let usual = world_config(world);
    let config = WorldConfig {
        trades_per_second: usual.trades_per_second * f64::from(BURST_FACTOR),
        truth: false,
        ..usual
    };
    let markets = Markets::opening_at(config, moment);
    Box::new(markets.skip_while(move |emission| emission.at < moment))
}

fn rename(event: &mut Event, prefix: &str) {
    if let Event::Trades(trade) = event {
        trade.trade_id.insert_str(0, prefix);
    }
}

fn batch(period_ms: i64) -> Box<dyn Processor> {
    Box::new(MarketsBatch::new(MarketsConfig::default(), period_ms))
}

fn replay(period_ms: i64) -> Box<dyn Replayed> {
    let processor = match period_ms {
        0 => Box::new(MarketsProcessor::default()),
        period_ms => batch(period_ms),
    };
    Box::new(processor)
}

fn lanes(periods_ms: &[i64]) -> Lanes {
    Box::new(Separate {
        batch: periods_ms.iter().map(|&period_ms| batch(period_ms)).collect(),
        stream: Box::new(MarketsProcessor::default()),
    })
}

/// The screen shows the orders' mark-out, and how far prices had moved.
fn bill_items(bill: &dyn BusinessBill, lines: &[Line]) -> Vec<BillItem> {
    let Some(MarketsBill { stream, batch, .. }) = bill.of_type::<MarketsBill>() else { return Vec::new() };
    let mut mark_out = item(stream.mark_out_cents(), batch.mark_out_cents(), stream.orders);
    (mark_out.interval_95, mark_out.verdict) = judged(lines, &MARK_OUT_CENTS, 1.0);
    mark_out.unit = Unit::Cents;
    let mean_bp = |bp: Option<f64>| bp.unwrap_or_default();
    let mut moved = item(mean_bp(stream.price_move_bp()), mean_bp(batch.price_move_bp()), stream.orders);
    (moved.interval_95, moved.verdict) = judged(lines, &PRICE_MOVE_BP, 1.0);
    vec![
        named("mark_out_cents", ("mark-out, $", "mark-out, $"), (0, "", ""), mark_out),
        named(
            "price_move_bp",
            ("price movement, bp", "price move, bp"),
            (1, "bp of price movement", "bp"),
            moved,
        ),
    ]
}

/// A trade expects a signal for each pair's minute that it ends; most trades end none.
///
/// Which minutes a trade ends depends on event time, so the rule runs the processor's own windows.
/// The ledger finds what is lost on the way, not whether a processor is right.
#[derive(Debug, Default)]
struct MinutesThatEnd {
    partitions: HashMap<i32, PartitionWindows>,
    answers: Vec<Event>,
}

#[derive(Debug, Default)]
struct PartitionWindows {
    processor: MarketsProcessor,
    /// Set when the partition's beginning is deleted: up to this time the windows are incomplete.
    unknown_to: Option<Timestamp>,
}

impl AnswerRule for MinutesThatEnd {
    fn expected(&mut self, (partition, offset): (i32, i64), question: &Event) -> Expected {
        let Event::Trades(trade) = question else { return Expected::Answers(1) };
        let windows = self.partitions.entry(partition).or_insert_with(|| PartitionWindows {
            processor: MarketsProcessor::default(),
            unknown_to: (offset > 0).then(|| trade.ts.plus_ms(MarketsConfig::HORIZON_MS)),
        });
        self.answers.clear();
        windows.processor.process(question, &mut self.answers);
        windows.unknown_to = windows.unknown_to.filter(|&unknown_to| trade.ts < unknown_to);
        if windows.unknown_to.is_some() {
            return Expected::Unknown;
        }
        let signals = self.answers.iter().filter(|answer| answer.topic() == Topic::Signals).count();
        Expected::Answers(u16::try_from(signals).unwrap_or(u16::MAX))
    }

    fn most_answers(&self) -> u16 {
        u16::MAX
    }
}

#[cfg(test)]
mod tests {
    use events::Source;

    use super::*;
    use crate::ledger::{Headers, Ledger};

    /// Trades of an hour, as the only partition has them.
    fn trades() -> Vec<Event> {
        let start: Timestamp = "2026-03-03T11:00:00.000Z".parse().expect("a good instant");
        let world = World { seed: 3, start, drivers: 0, map: None };
        let emissions = (MARKETS.producer.simulate)(&world).expect("markets need no file");
        let hour = emissions.take_while(|emission| emission.at < start.plus_ms(HOUR_MS));
        hour.map(|emission| emission.event).filter(|event| event.topic() == Topic::Trades).collect()
    }

    /// What the ledger says of trades from the offset `first` on, and of all signals but one.
    fn sums(trades: &[Event], first: usize, without: Option<usize>) -> crate::ledger::Sums {
        let mut lane = MarketsProcessor::default();
        let mut ledger = Ledger::new([&MARKETS.ledger]);
        let mut signals = Vec::new();
        for (offset, trade) in trades.iter().enumerate() {
            let mut answers = Vec::new();
            lane.process(trade, &mut answers);
            let source = Source { topic: Topic::Trades, partition: 0, offset: offset as i64 };
            let of_trade = answers.into_iter().filter(|answer| answer.topic() == Topic::Signals);
            signals.extend(of_trade.map(|signal| (source, signal)));
        }
        for (offset, trade) in trades.iter().enumerate().skip(first) {
            ledger.take((Topic::Trades, 0, offset as i64), Some(trade), Headers::default());
        }
        let kept = signals.iter().enumerate().filter(|(at, _)| Some(*at) != without);
        for (at, (source, signal)) in kept {
            ledger.take(
                (Topic::Signals, 0, at as i64),
                Some(signal),
                Headers { source: Some(*source), replay: None },
            );
        }
        ledger.committed("signals", Topic::Trades, 0, trades.len() as i64, 0);
        ledger.sums()[0].1
    }

    #[test]
    fn each_minute_of_a_pair_that_is_over_expects_one_signal() {
        let trades = trades();
        let all = sums(&trades, 0, None);
        assert!(all.answered > 1_000, "twenty pairs, and an hour but for its end: {all:?}");
        assert_eq!((all.lost, all.doubled, all.in_flight), (Some(0), 0, 0), "{all:?}");
        assert_eq!(all.produced, all.answered + all.nothing_owed);
        let less = sums(&trades, 0, Some(500));
        assert_eq!((less.answered, less.lost), (all.answered - 1, Some(1)), "a planted loss is found");
    }

    #[test]
    fn where_the_beginning_is_deleted_nothing_counts_as_lost() {
        let trades = trades();
        let cut = sums(&trades, trades.len() / 2, None);
        assert_eq!((cut.lost, cut.doubled), (Some(0), 0), "{cut:?}");
    }

    #[test]
    fn a_burst_trades_at_the_prices_of_the_show() {
        let start: Timestamp = "2026-03-03T11:00:00.000Z".parse().expect("a good instant");
        let world = World { seed: 3, start, drivers: 0, map: None };
        let moment = start.plus_ms(HOUR_MS / 2);
        let minute = |emissions: Emissions| -> Vec<i64> {
            let of = emissions.skip_while(|emission| emission.at < moment);
            let of = of.take_while(|emission| emission.at < moment.plus_ms(60_000));
            let price = |event| match event {
                Event::Trades(trade) if trade.pair == "BTC-USD" => Some(trade.price_e8),
                _ => None,
            };
            of.filter_map(|emission| price(emission.event)).collect()
        };
        let usual = minute((MARKETS.producer.simulate)(&world).expect("markets need no file"));
        let more = minute((MARKETS.producer.burst)(&world, moment).expect("nor does a burst"));
        let mean = |prices: &[i64]| prices.iter().sum::<i64>() as f64 / prices.len() as f64;
        assert!(more.len() > 4 * usual.len(), "{} and {}", more.len(), usual.len());
        assert!((mean(&more) / mean(&usual) - 1.0).abs() < 0.001, "{} and {}", mean(&more), mean(&usual));
    }
}
