//! The rule of the two moving averages.

use super::*;

/// The actions that follow from closes of one minute after the other; 0 is a minute without a
/// trade.
fn actions(closes: &[i64]) -> Vec<(i64, Action)> {
    let mut trades: Vec<_> = (0_i64..)
        .zip(closes)
        .filter(|(_, close)| **close > 0)
        .map(|(minute, &close)| trade(&format!("t{minute}"), at(minute * 60), close))
        .collect();
    trades.push(trade("end", at(closes.len() as i64 * 60 + 100), 1));
    let config = MarketsConfig { fast: 2, slow: 4, ..MarketsConfig::default() };
    let answers = answers(MarketsProcessor::new(config), &trades);
    let signals = signals(&answers);
    let acted = signals.iter().filter(|(_, signal)| signal.action != Action::Hold);
    acted.map(|((_, ts), signal)| (ts.since_ms(at(0)) / 60_000, signal.action)).collect()
}

#[test]
fn averages_that_cross_are_a_signal_once() {
    assert_eq!(actions(&[100, 100, 100, 100, 104, 108, 112]), [(4, Action::Buy)]);
    assert_eq!(actions(&[100, 100, 100, 100, 96, 92, 88]), [(4, Action::Sell)]);
    assert_eq!(
        actions(&[100, 104, 108, 100, 90, 80, 100, 120]),
        [(2, Action::Buy), (4, Action::Sell), (7, Action::Buy)]
    );
    assert_eq!(actions(&[100; 12]), [], "nothing moves, nothing crosses");
}

#[test]
fn too_little_known_is_no_signal() {
    assert_eq!(actions(&[100, 200]), [], "no slow average before the second minute");
    assert_eq!(actions(&[100, 100, 100, 0, 0, 0, 0, 0, 104, 108]), [], "what was before the gap is too old");
    assert_eq!(actions(&[100, 100, 100, 0, 104]), [(4, Action::Buy)], "half of the minutes are enough");
}

#[test]
fn averages_are_told_when_they_are_known() {
    let trades: Vec<_> =
        (0..12).map(|minute| trade(&format!("t{minute}"), at(minute * 60), 100 + minute)).collect();
    let answers = answers(MarketsBatch::default(), &trades);
    let of = |minute: i64| signals(&answers)[&("ADA-USD".to_owned(), at(minute * 60))].clone();
    assert_eq!((of(1).fast_e8, of(1).slow_e8), (None, None), "two of five, two of twenty");
    assert_eq!((of(2).fast_e8, of(2).slow_e8), (Some(101), None));
    assert_eq!((of(8).fast_e8, of(8).slow_e8), (Some(106), None));
    assert_eq!((of(9).fast_e8, of(9).slow_e8), (Some(107), Some(104)), "rounded down from 104.5");
}
