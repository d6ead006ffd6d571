//! The batch lane: when its answers come, and what a period leaves for the next.

use super::*;

/// What the lane says to trades in this order of arrival: when it could be seen, of which minute,
/// and the revision.
fn told(period_ms: i64, trades: &[Trade]) -> Vec<(Timestamp, Timestamp, u64)> {
    answers(MarketsBatch::new(MarketsConfig::default(), period_ms), trades)
        .iter()
        .filter_map(|answer| {
            let (candle, _, valid_from) = parts(answer);
            candle.map(|candle| (valid_from.expect("a batch answer"), candle.ts, candle.revision))
        })
        .collect()
}

#[test]
fn an_hour_is_answered_when_it_is_over() {
    let trades = [trade("a", at(5), 1), trade("b", at(3_500), 1), trade("c", at(3_605), 1)];
    assert_eq!(
        told(HOUR_MS, &trades),
        [(at(3_600), at(0), 0), (at(3_600), at(3_480), 0), (at(7_200), at(3_600), 0)]
    );
}

#[test]
fn what_comes_too_late_for_its_own_run_changes_its_candle_in_the_next() {
    let trades = [
        trade("a", at(3_590), 1),
        trade("b", at(3_605), 1),
        trade("late", at(3_591), 2),
        trade("c", at(3_700), 1),
    ];
    let told = told(HOUR_MS, &trades);
    assert_eq!(told[0], (at(3_600), at(3_540), 0));
    assert_eq!(told[1], (at(7_200), at(3_540), 1));
}

#[test]
fn a_minute_is_answered_by_the_run_in_whose_period_it_ends() {
    let trades: Vec<_> = (0..10).map(|n| trade(&format!("t{n}"), at(n * 10), 1)).collect();
    assert_eq!(told(10_000, &trades)[0], (at(60), at(0), 0), "six runs of ten seconds have an open minute");
    assert_eq!(told(90_000, &trades)[0], (at(90), at(0), 0));
}

#[test]
fn a_period_that_is_changed_answers_what_was_collected_at_the_end_of_the_new_one() {
    let mut batch = MarketsBatch::new(MarketsConfig::default(), HOUR_MS);
    let mut told = Vec::new();
    for (id, seconds) in [("a", 5), ("b", 10)] {
        batch.process(&trade(id, at(seconds), 1).into(), &mut told);
    }
    batch.set_period_ms(600_000);
    batch.process(&trade("c", at(601), 1).into(), &mut told);
    assert_eq!(parts(&told[0]).2, Some(at(600)));
}

#[test]
fn one_trade_alone_is_a_period_too() {
    assert_eq!(told(HOUR_MS, &[trade("a", at(5), 1)]), [(at(3_600), at(0), 0)]);
    assert_eq!(told(HOUR_MS, &[]), []);
}

#[test]
fn a_job_that_ends_each_window_goes_on_with_what_it_knows() {
    // As a schedule runs it: one window after the other, each finished.
    let mut batch = MarketsBatch::default();
    let mut told = Vec::new();
    batch.process(&trade("a", at(5), 1).into(), &mut told);
    batch.finish(&mut told);
    batch.process(&trade("late", at(7), 2).into(), &mut told);
    batch.finish(&mut told);
    let seen: Vec<_> = told.iter().filter_map(|answer| parts(answer).2).collect();
    assert_eq!(seen, [at(3_600), at(3_600), at(7_200)], "a late trade alone is answered by its own run");
    assert_eq!(table(&told)[&("ADA-USD".to_owned(), at(0))].trades, 2);
}
