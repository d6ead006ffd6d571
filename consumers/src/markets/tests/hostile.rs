//! What no exchange should send: counted, and never the end of anything.

use proptest::prelude::*;

use super::*;

fn hostile_trade() -> impl Strategy<Value = Trade> {
    let number = || prop_oneof![Just(0), Just(1), Just(-1), Just(i64::MAX), Just(i64::MIN), any::<i64>()];
    let time = prop_oneof![4 => START_MS..START_MS + 7_200_000, 1 => any::<i64>(), 1 => Just(i64::MAX)];
    (time, 0_u8..60, 0_u8..5, number(), number()).prop_map(|(ms, id, pair, price_e8, quantity_e8)| Trade {
        ts: Timestamp::from_ms(ms),
        pair: format!("pair {pair}"),
        price_e8,
        quantity_e8,
        ..trade(&format!("{id}"), at(0), 1)
    })
}

proptest! {
    /// No panic, no candle that contradicts itself, no signal given twice while its candle is kept,
    /// and nothing that is not bounded.
    #[test]
    fn nothing_that_is_sent_does_harm(trades in prop::collection::vec(hostile_trade(), 0..300), batch: bool, period_ms in 1_i64..90_000_000) {
        let config = MarketsConfig { windows: 20, ids: 50, ..MarketsConfig::default() };
        let mut processor: Box<dyn Processor> = if batch {
            Box::new(MarketsBatch::new(config, period_ms))
        } else {
            Box::new(MarketsProcessor::new(config))
        };
        let mut answers = Vec::new();
        for trade in &trades {
            processor.process(&trade.clone().into(), &mut answers);
            prop_assert!(counter(&*processor, "candles kept") <= 21);
        }
        processor.finish(&mut answers);
        processor.finish(&mut answers);
        for candle in answers.iter().filter_map(|answer| parts(answer).0) {
            prop_assert!(0 < candle.low_e8 && candle.low_e8 <= candle.high_e8);
            for price_e8 in [candle.open_e8, candle.close_e8, candle.vwap_e8] {
                prop_assert!((candle.low_e8..=candle.high_e8).contains(&price_e8), "{candle:?}");
            }
            prop_assert!(candle.volume_e8 > 0 && candle.trades > 0);
        }
    }
}

#[test]
fn sums_are_wider_than_what_they_add_up() {
    let greatest = |id: &str, seconds| Trade { quantity_e8: i64::MAX, ..trade(id, at(seconds), i64::MAX) };
    let trades = [greatest("a", 1), greatest("b", 2), greatest("c", 3), trade("d", at(95), 1)];
    let answers = answers(MarketsProcessor::default(), &trades);
    let candle = parts(&answers[0]).0.expect("a candle");
    assert_eq!((candle.high_e8, candle.volume_e8, candle.trades), (i64::MAX, i64::MAX, 3));
    assert!((1..=i64::MAX).contains(&candle.vwap_e8));
}

#[test]
fn one_wrong_clock_closes_nothing_and_a_quiet_night_is_no_wrong_clock() {
    let mut processor = MarketsProcessor::default();
    let mut told = Vec::new();
    let mut tell = |processor: &mut MarketsProcessor, trade: Trade| {
        let mut answers = Vec::new();
        processor.process(&trade.into(), &mut answers);
        told.extend(answers);
    };
    tell(&mut processor, trade("first of all, and wrong", Timestamp::MAX, 1));
    tell(&mut processor, trade("a", at(5), 100));
    tell(&mut processor, trade("b", at(6), 100));
    assert_eq!(processor.closed_to(), Some(at(6 - 30)));
    tell(&mut processor, trade("year 9999", Timestamp::MAX, 1));
    tell(&mut processor, trade("year 9999", Timestamp::MAX, 1));
    tell(&mut processor, trade("c", at(7), 100));
    assert_eq!(processor.closed_to(), Some(at(7 - 30)), "the same trade twice confirms nothing");
    assert_eq!(counter(&processor, "trades from the future"), 2);

    let morning = 8 * 3_600;
    tell(&mut processor, trade("d", at(morning), 200));
    assert_eq!(processor.closed_to(), Some(at(7 - 30)), "one alone is not believed");
    let elsewhere = |trade| Trade { exchange: "coral".into(), ..trade };
    tell(&mut processor, elsewhere(trade("e", at(morning + 1), 210)));
    assert_eq!(processor.closed_to(), Some(at(morning + 1 - 30)), "of two exchanges they are");
    tell(&mut processor, trade("f", at(morning + 95), 220));
    let closes: Vec<_> = table(&told).values().map(|candle| (candle.trades, candle.close_e8)).collect();
    assert_eq!(closes, [(3, 100), (2, 210)], "and the first of the morning is in its candle");
}

#[test]
fn a_producer_of_another_day_stops_no_other_and_one_exchange_alone_has_its_quiet_nights() {
    let mut processor = MarketsProcessor::default();
    let mut tell =
        |id: String, seconds| processor.process(&trade(&id, at(seconds), 100).into(), &mut Vec::new());
    let months = 250 * 86_400;
    for minute in 0..60 {
        tell(format!("a{minute}"), minute * 60);
        // Several in a row, as a producer sends them whose clock is right and whose market is not.
        for number in 0..3 {
            tell(format!("now{minute}/{number}"), months + minute * 60 + number);
        }
    }
    assert_eq!(processor.closed_to(), Some(at(59 * 60 - 30)), "of the market's own hour");
    assert_eq!(counter(&processor, "trades from the future"), 59 * 3, "and three are held");

    let morning = 12 * 3_600;
    let mut alone = MarketsProcessor::default();
    let mut answers = Vec::new();
    for (number, seconds) in [0, 1].into_iter().chain(morning..morning + 120).enumerate() {
        alone.process(&trade(&format!("{number}"), at(seconds), 100).into(), &mut answers);
    }
    assert_eq!(alone.closed_to(), Some(at(morning + 119 - 30)), "many in a row are believed");
    assert_eq!(counter(&alone, "trades from the future"), 0);
    let closed: Vec<u64> = table(&answers).values().map(|candle| candle.trades).collect();
    assert_eq!(closed, [2, 60], "and those that were held are counted");
}

#[test]
fn prices_and_quantities_of_zero_or_less_are_left_out_and_counted() {
    let mut processor = MarketsProcessor::default();
    let mut batch = MarketsBatch::default();
    for (price_e8, quantity_e8) in [(0, 1), (-5, 1), (5, 0), (5, -1)] {
        let trade = Trade { quantity_e8, ..trade("x", at(0), price_e8) };
        processor.process(&trade.clone().into(), &mut Vec::new());
        batch.process(&trade.into(), &mut Vec::new());
    }
    let name = "prices or quantities of zero or less";
    assert_eq!((counter(&processor, name), counter(&batch, name)), (4, 4));
    assert_eq!(counter(&processor, "candles kept"), 0);
}

#[test]
fn who_sends_more_than_can_be_kept_closes_the_oldest_candles_early() {
    let config = MarketsConfig { windows: 3, ..MarketsConfig::default() };
    let mut processor = MarketsProcessor::new(config);
    let mut told = Vec::new();
    for pair in 0..10 {
        let trade = Trade { pair: format!("P{pair}"), ..trade("x", at(pair), 5) };
        processor.process(&trade.into(), &mut told);
        assert!(counter(&processor, "candles kept") <= 3);
    }
    assert!(counter(&processor, "candles closed early for want of room") > 0);
    assert!(signals(&told).len() >= 4, "early, and not never");
}
