//! Promises that hold whatever is traded, in any order.

use proptest::prelude::*;

use super::*;

/// Trades of an hour in a small market: a few pairs, ids that come again, prices that change little
/// so that averages cross.
fn any_trade() -> impl Strategy<Value = Trade> {
    let pairs = prop::sample::select(vec!["ADA-USD", "BTC-USD", "ZEC-USD"]);
    (0_i64..3_600_000, 0_u32..5_000, pairs, 90_i64..110, 1_i64..1_000).prop_map(
        |(ms, id, pair, price_e8, quantity_e8)| Trade {
            ts: Timestamp::from_ms(START_MS + ms),
            pair: pair.to_owned(),
            price_e8,
            quantity_e8,
            ..trade(&format!("t{id}"), at(0), 1)
        },
    )
}

/// An hour of trades in order, each sent as late as it likes, and the order in which they arrive.
fn delayed(most_ms: i64) -> impl Strategy<Value = (Vec<Trade>, Vec<Trade>)> {
    prop::collection::vec((any_trade(), 0..most_ms.max(1), prop::bool::weighted(0.1)), 1..400).prop_map(
        |sent| {
            let mut ids = HashSet::new();
            let mut arriving = Vec::new();
            let mut trades = Vec::new();
            for (trade, delay_ms, twice) in sent {
                if !ids.insert((trade.pair.clone(), trade.trade_id.clone())) {
                    continue;
                }
                arriving.push((trade.ts.ms() + delay_ms, trade.clone()));
                if twice {
                    arriving.push((trade.ts.ms() + delay_ms * 2 + 7, trade.clone()));
                }
                trades.push(trade);
            }
            arriving.sort_by_key(|(at, _)| *at);
            (trades, arriving.into_iter().map(|(_, trade)| trade).collect())
        },
    )
}

/// A trade of another pair on each of two exchanges, which close whatever was open.
fn and_then_silence(mut trades: Vec<Trade>) -> Vec<Trade> {
    for (id, exchange) in [("end", "kelp"), ("of all", "coral")] {
        let (pair, exchange) = ("END-USD".to_owned(), exchange.to_owned());
        trades.push(Trade { pair, exchange, ..trade(id, at(3_600 + 600), 1) });
    }
    trades
}

fn without_the_end(
    mut table: BTreeMap<(String, Timestamp), Candle>,
) -> BTreeMap<(String, Timestamp), Candle> {
    table.retain(|(pair, _), candle| {
        candle.revision = 0;
        pair != "END-USD"
    });
    table
}

proptest! {
    /// Whatever the disorder, within what is allowed and past it: the last word on every candle is
    /// what one would get who had all trades, once each, in order.
    #[test]
    fn candles_are_what_a_sort_and_a_group_by_say(
        (trades, arriving) in prop_oneof![delayed(0), delayed(30_000), delayed(600_000), delayed(3_600_000)],
        hours: bool,
    ) {
        let arriving = and_then_silence(arriving);
        let answers = if hours {
            answers(MarketsBatch::default(), &arriving)
        } else {
            answers(MarketsProcessor::default(), &arriving)
        };
        prop_assert_eq!(without_the_end(table(&answers)), sort_then_group_by(&trades));
        let of_candles: Vec<_> = table(&answers).into_keys().collect();
        let of_signals: Vec<_> = signals(&answers).into_keys().collect();
        prop_assert_eq!(of_candles, of_signals, "a signal for each candle");
    }

    /// Trades that are no later than allowed never change a candle that was closed.
    #[test]
    fn within_the_allowed_lateness_nothing_is_revised((_, arriving) in delayed(30_000)) {
        // The delays say how late a trade is against the newest, if all arrive in that order.
        let answers = answers(MarketsProcessor::default(), &and_then_silence(arriving));
        prop_assert!(answers.iter().filter_map(|answer| parts(answer).0).all(|candle| candle.revision == 0));
    }

    /// Both lanes say the same in the end, when both were given everything in time.
    #[test]
    fn the_lanes_differ_in_when_and_not_in_what((_, arriving) in delayed(30_000)) {
        let arriving = and_then_silence(arriving);
        let stream = answers(MarketsProcessor::default(), &arriving);
        // A job that runs once, when everything is there.
        let batch = answers(MarketsBatch::new(MarketsConfig::default(), 24 * HOUR_MS), &arriving);
        let end = |mut signals: BTreeMap<(String, Timestamp), Signal>| {
            signals.retain(|(pair, _), _| pair != "END-USD");
            signals
        };
        prop_assert_eq!(without_the_end(table(&stream)), without_the_end(table(&batch)));
        prop_assert_eq!(end(signals(&stream)), end(signals(&batch)));
    }

    /// A processor that has learnt what another has answered goes on as that one does, also when it
    /// learns no more than the horizon.
    #[test]
    fn a_state_is_rebuilt_from_the_log((_, arriving) in delayed(600_000), cut in 0.0_f64..1.0) {
        let config = MarketsConfig { kept_ms: 600_000, fast: 2, slow: 5, ..MarketsConfig::default() };
        let cut = (arriving.len() as f64 * cut) as usize;
        let (before, after) = arriving.split_at(cut);
        let mut lived = MarketsProcessor::new(config.clone());
        let mut rebuilt = lived.clone();
        for trade in before {
            lived.process(&trade.clone().into(), &mut Vec::new());
        }
        let newest = before.iter().map(|trade| trade.ts).max().unwrap_or(at(0));
        // What the module says of its horizon, and as much again as a trade may be delayed here.
        let horizon_ms = config.kept_ms + config.allowed_lateness_ms + 10 * CANDLE_MS;
        let from = before.partition_point(|trade| trade.ts < newest.plus_ms(-horizon_ms - 600_000));
        for trade in &before[from..] {
            rebuilt.learn(&trade.clone().into());
        }
        let go_on = |processor: &mut MarketsProcessor| {
            let mut answers = Vec::new();
            for trade in after {
                processor.process(&trade.clone().into(), &mut answers);
            }
            answers
        };
        prop_assert_eq!(go_on(&mut lived), go_on(&mut rebuilt));
    }
}
