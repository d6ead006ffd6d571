//! Trades: how many, where, when, and how they arrive.

use std::collections::{HashMap, HashSet};

use super::*;

/// Seconds from a trade until it arrives.
fn delay_s((at, trade): &(Timestamp, &Trade)) -> f64 {
    at.since_seconds(trade.ts)
}

#[test]
fn most_trades_arrive_at_once_some_late_and_some_twice() {
    let emissions = hours(&MarketsConfig::default(), 24);
    let trades = trades(&emissions);
    let count = trades.len() as f64;
    let a_second = count / 86_400.0;
    assert!((10.0..15.0).contains(&a_second), "{a_second} trades a second");

    let mut seen = HashSet::new();
    let again = trades.iter().filter(|(_, trade)| !seen.insert(&trade.trade_id)).count() as f64 / count;
    assert!((0.002..0.006).contains(&again), "{again} come again");
    let (eddy, others): (Vec<_>, Vec<_>) = trades.iter().partition(|(_, trade)| trade.exchange == "eddy");
    let share = |trades: &[&(Timestamp, &Trade)], late_s: f64| {
        trades.iter().filter(|trade| delay_s(trade) > late_s).count() as f64 / trades.len() as f64
    };
    assert!(share(&others, 1.0) < 0.02, "{}", share(&others, 1.0));
    assert!(share(&eddy, 1.0) > 0.8, "one exchange sends as it likes");
    let past_allowed = share(&others, 30.0);
    assert!((0.001..0.01).contains(&past_allowed), "{past_allowed} are more than half a minute late");
    assert!(share(&others, 300.0) == 0.0);

    // One feed keeps the order of its trades, by and large; the other does not.
    let backwards = |exchange: &str| {
        let of: Vec<_> = trades.iter().filter(|(_, trade)| trade.exchange == exchange).collect();
        of.windows(2).filter(|two| two[1].1.ts < two[0].1.ts).count() as f64 / of.len() as f64
    };
    assert!(backwards("kelp") < 0.3, "{}", backwards("kelp"));
    assert!(backwards("eddy") > 0.35, "{}", backwards("eddy"));
}

#[test]
fn trades_come_in_bursts_and_nights_are_quiet() {
    let emissions = hours(&MarketsConfig::default(), 24);
    let mut minutes: HashMap<i64, f64> = HashMap::new();
    let mut by_hour = [0.0; 24];
    for (_, trade) in trades(&emissions) {
        if trade.pair == "BTC-USD" {
            *minutes.entry(trade.ts.ms() / 60_000).or_default() += 1.0;
            by_hour[trade.ts.hour() as usize] += 1.0;
        }
    }
    // From one minute to the next: the hour of the day is not what is measured.
    let count = |minute: i64| minutes.get(&minute).copied().unwrap_or(0.0);
    let (first, last) = (minutes.keys().min().expect("some"), minutes.keys().max().expect("some"));
    let half_square: f64 = (*first..*last).map(|at| (count(at + 1) - count(at)).powi(2) / 2.0).sum();
    let dispersion = half_square / minutes.values().sum::<f64>();
    // Without excitement it is 1. Of a Hawkes process seen for long it is 1 / (1 - 0.6)² = 6.25.
    assert!((2.0..7.0).contains(&dispersion), "{dispersion}");
    assert!(by_hour[14] > 1.7 * by_hour[4], "{by_hour:?}");
}

#[test]
fn many_pairs_a_few_of_which_have_most_of_the_trades() {
    let emissions = hours(&MarketsConfig::default(), 6);
    let mut by_pair: HashMap<&str, f64> = HashMap::new();
    let mut dollars = Vec::new();
    for (_, trade) in trades(&emissions) {
        *by_pair.entry(&trade.pair).or_default() += 1.0;
        dollars.push(trade.price_e8 as f64 / 1e8 * trade.quantity_e8 as f64 / 1e8);
    }
    assert_eq!(by_pair.len(), 20);
    let all: f64 = by_pair.values().sum();
    assert!((0.4..0.7).contains(&((by_pair["BTC-USD"] + by_pair["ETH-USD"] + by_pair["SOL-USD"]) / all)));
    assert!(by_pair.values().all(|count| *count > 100.0), "{by_pair:?}");
    dollars.sort_by(f64::total_cmp);
    let median = dollars[dollars.len() / 2];
    assert!((270.0..330.0).contains(&median), "{median}");
}

#[test]
fn a_feed_that_breaks_sends_what_it_missed_afterwards() {
    // One outage an hour and nothing else that is late.
    let config =
        MarketsConfig { outages_per_day: 24.0, late: 0.0, repeated: 0.0, ..MarketsConfig::default() };
    let emissions = hours(&config, 6);
    let mut most: HashMap<&str, f64> = HashMap::new();
    for trade in trades(&emissions) {
        let late = most.entry(&trade.1.exchange).or_default();
        *late = late.max(delay_s(&trade));
    }
    assert!(most.values().all(|late| (20.0..159.0).contains(late)), "{most:?}");
    let mut seen = HashSet::new();
    let again = trades(&emissions).iter().filter(|(_, trade)| !seen.insert(&trade.trade_id)).count();
    assert!(again > 20, "{again} of what came just before came again");
}
