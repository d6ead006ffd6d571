//! What candles and signals are, said again in the plainest way, and held against the processors.

mod hostile;
mod hourly;
mod properties;
mod signals;

use std::collections::{BTreeMap, HashSet};

use events::{Action, Batched, Candle, Event, HOUR_MS, Side, Signal, Timestamp, Trade};

use super::*;

/// Eleven in the morning, at the start of a minute and an hour.
const START_MS: i64 = 1_772_535_600_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_ms(START_MS + seconds * 1_000)
}

/// A trade of one ADA.
fn trade(id: &str, ts: Timestamp, price_e8: i64) -> Trade {
    Trade {
        ts,
        trade_id: id.to_owned(),
        pair: "ADA-USD".to_owned(),
        exchange: "kelp".to_owned(),
        price_e8,
        quantity_e8: 100_000_000,
        side: Side::Buy,
    }
}

/// All answers to trades in this order of arrival; a batch lane's last period is run.
fn answers(mut processor: impl Processor, trades: &[Trade]) -> Vec<Event> {
    let mut answers = Vec::new();
    for trade in trades {
        processor.process(&trade.clone().into(), &mut answers);
    }
    processor.finish(&mut answers);
    answers
}

fn counter(processor: &dyn Processor, name: &str) -> u64 {
    processor.counters().iter().find(|(other, _)| *other == name).expect("it is counted").1
}

/// The candle and the signal of an answer of either lane, whichever it is, and its `valid_from`.
fn parts(answer: &Event) -> (Option<&Candle>, Option<&Signal>, Option<Timestamp>) {
    match answer {
        Event::Candles(candle) => (Some(candle), None, None),
        Event::Signals(signal) => (None, Some(signal), None),
        Event::CandlesBatch(Batched { answer, valid_from, .. }) => (Some(answer), None, Some(*valid_from)),
        Event::SignalsBatch(Batched { answer, valid_from, .. }) => (None, Some(answer), Some(*valid_from)),
        other => panic!("neither a candle nor a signal: {other:?}"),
    }
}

/// The last word on each candle, as a table with an upsert would have it. Revisions count up from 0
/// by 1.
fn table(answers: &[Event]) -> BTreeMap<(String, Timestamp), Candle> {
    let mut table: BTreeMap<_, Candle> = BTreeMap::new();
    for candle in answers.iter().filter_map(|answer| parts(answer).0) {
        let before = table.insert((candle.pair.clone(), candle.ts), candle.clone());
        assert_eq!(candle.revision, before.map_or(0, |before| before.revision + 1));
    }
    table
}

/// The signals, of which there is one for each candle.
fn signals(answers: &[Event]) -> BTreeMap<(String, Timestamp), Signal> {
    let mut signals = BTreeMap::new();
    for signal in answers.iter().filter_map(|answer| parts(answer).1) {
        let before = signals.insert((signal.pair.clone(), signal.ts), signal.clone());
        assert_eq!(before, None, "a signal is given once");
    }
    signals
}

/// What SQL would say: `SELECT DISTINCT ON (pair, trade_id) … ORDER BY ts, trade_id` and then
/// `GROUP BY pair, minute`.
fn sort_then_group_by(trades: &[Trade]) -> BTreeMap<(String, Timestamp), Candle> {
    let mut seen = HashSet::new();
    let mut groups: BTreeMap<(String, Timestamp), Vec<&Trade>> = BTreeMap::new();
    for trade in trades {
        if seen.insert((&trade.pair, &trade.trade_id)) {
            groups.entry((trade.pair.clone(), trade.ts.floor(CANDLE_MS))).or_default().push(trade);
        }
    }
    let candle = |(pair, ts): (String, Timestamp), mut trades: Vec<&Trade>| {
        trades.sort_by_key(|trade| (trade.ts, trade.trade_id.as_str()));
        let prices: Vec<i64> = trades.iter().map(|trade| trade.price_e8).collect();
        let volume: i128 = trades.iter().map(|trade| i128::from(trade.quantity_e8)).sum();
        let turnover: i128 =
            trades.iter().map(|trade| i128::from(trade.price_e8) * i128::from(trade.quantity_e8)).sum();
        Candle {
            ts,
            pair,
            open_e8: prices[0],
            high_e8: *prices.iter().max().expect("a group has a trade"),
            low_e8: *prices.iter().min().expect("a group has a trade"),
            close_e8: prices[prices.len() - 1],
            vwap_e8: (turnover / volume) as i64,
            volume_e8: i64::try_from(volume).unwrap_or(i64::MAX),
            trades: prices.len() as u64,
            revision: 0,
        }
    };
    groups.into_iter().map(|(key, trades)| (key.clone(), candle(key, trades))).collect()
}

#[test]
fn a_minute_is_closed_half_a_minute_after_its_end_by_the_newest_trade_of_any_pair() {
    let mut processor = MarketsProcessor::default();
    let mut told = Vec::new();
    let mut tell = |trade: &Trade| {
        let mut answers = Vec::new();
        processor.process(&trade.clone().into(), &mut answers);
        told.extend(answers.clone());
        answers.len()
    };
    assert_eq!(tell(&trade("a", at(5), 100)), 0);
    assert_eq!(tell(&trade("b", at(59), 120)), 0);
    assert_eq!(tell(&trade("c", at(30), 90)), 0, "out of order");
    let other = |id: &str, seconds| Trade { pair: "ZEC-USD".to_owned(), ..trade(id, at(seconds), 7) };
    assert_eq!(tell(&other("d", 89)), 0, "29 s after its end: somebody may be late");
    assert_eq!(tell(&trade("e", at(58), 110)), 0, "as this one is");
    assert_eq!(tell(&other("f", 90)), 2, "no trade of ADA since, but half a minute is over");
    let candle = parts(&told[0]).0.expect("the candle comes first");
    assert_eq!((candle.open_e8, candle.high_e8, candle.low_e8, candle.close_e8), (100, 120, 90, 120));
    assert_eq!((candle.trades, candle.volume_e8, candle.vwap_e8), (4, 400_000_000, 105));
    assert_eq!(parts(&told[1]).1.expect("then the signal").action, Action::Hold);
}

#[test]
fn what_comes_late_is_counted_and_the_candle_published_again_without_another_signal() {
    let mut processor = MarketsProcessor::default();
    let mut told = Vec::new();
    let trades = [
        trade("a", at(5), 100),
        trade("b", at(90), 100),
        trade("late", at(59), 130),
        trade("late", at(59), 130),
        trade("in a minute of its own", at(-30), 99),
    ];
    for trade in &trades {
        processor.process(&trade.clone().into(), &mut told);
    }
    assert_eq!(counter(&processor, "late trades"), 2);
    assert_eq!(counter(&processor, "duplicate trades"), 1);
    let revised = &table(&told)[&("ADA-USD".to_owned(), at(0))];
    assert_eq!((revised.revision, revised.trades, revised.close_e8), (1, 2, 130));
    assert_eq!(
        signals(&told).len(),
        2,
        "of the minute that was closed, and of the one that the late trade began"
    );

    // Two hours and half a minute after the newest trade it is too late.
    processor.process(&trade("c", at(60 + 7_200 + 30), 100).into(), &mut told);
    let elsewhere = Trade { exchange: "coral".to_owned(), ..trade("d", at(60 + 7_200 + 30), 100) };
    processor.process(&elsewhere.into(), &mut told);
    let before = told.len();
    processor.process(&trade("hours late", at(30), 100).into(), &mut told);
    assert_eq!((counter(&processor, "trades too late for their candle"), told.len()), (1, before));
}
