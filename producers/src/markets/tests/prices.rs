//! Prices: how much they move, and how little of it can be foretold.

use std::sync::LazyLock;

use super::*;

/// Returns over `every` times five seconds, in basis points.
fn returns(mids: &[i64], every: usize) -> Vec<f64> {
    let steps: Vec<f64> = mids.iter().step_by(every).map(|&mid| (mid as f64).ln()).collect();
    steps.windows(2).map(|two| (two[1] - two[0]) * 1e4).collect()
}

fn mean(of: &[f64]) -> f64 {
    of.iter().sum::<f64>() / of.len() as f64
}

fn deviation(of: &[f64]) -> f64 {
    let mean = mean(of);
    (of.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / of.len() as f64).sqrt()
}

/// How much the next return follows from this one, -1 to 1, over all pairs.
fn autocorrelation(mids: &BTreeMap<&str, Vec<i64>>, every: usize) -> f64 {
    let (mut both, mut square) = (0.0, 0.0);
    for mids in mids.values() {
        let returns = returns(mids, every);
        // One jump is as large as a thousand steps: cut off, or all hangs on a few of them.
        let most = 5.0 * deviation(&returns);
        let cut: Vec<f64> = returns.iter().map(|value| value.clamp(-most, most) / most).collect();
        both += cut.windows(2).map(|two| two[0] * two[1]).sum::<f64>();
        square += cut.iter().map(|value| value * value).sum::<f64>();
    }
    both / square
}

/// The prices of a fortnight, by pair.
static FORTNIGHT: LazyLock<BTreeMap<&str, Vec<i64>>> = LazyLock::new(|| {
    let untraded = MarketsConfig { trades_per_second: 0.0, ..MarketsConfig::default() };
    let emissions = hours(&untraded, 24 * 14);
    let mids = mids(&emissions);
    PAIRS.iter().map(|pair| (pair.name, mids[pair.name].clone())).collect()
});

#[test]
fn prices_move_as_much_as_they_should_and_cannot_be_foretold() {
    let mids = &*FORTNIGHT;
    let daily = deviation(&returns(&mids["BTC-USD"], 17_280)) / 100.0;
    assert!((1.8..4.5).contains(&daily), "{daily} % a day");
    // What orders have pushed comes back within a minute. An hour on, nothing is known.
    let seconds = autocorrelation(mids, 1);
    assert!((-0.05..-0.005).contains(&seconds), "{seconds} from five seconds to the next");
    let minutes = autocorrelation(mids, 12);
    assert!((-0.05..0.02).contains(&minutes), "{minutes} from minute to minute");
    let hours = autocorrelation(mids, 720);
    assert!(hours.abs() < 0.06, "{hours} from hour to hour");
}

#[test]
fn pairs_move_together_and_not_alike() {
    let mids = &*FORTNIGHT;
    let (one, other) = (returns(&mids["BTC-USD"], 60), returns(&mids["ADA-USD"], 60));
    let products: Vec<f64> = one.iter().zip(&other).map(|(a, b)| a * b).collect();
    let correlation = mean(&products) / deviation(&one) / deviation(&other);
    assert!((0.25..0.75).contains(&correlation), "{correlation}");
}

#[test]
fn news_jump_and_the_rest_follows_within_minutes() {
    let (mut at_once, mut later) = (Vec::new(), Vec::new());
    for mids in FORTNIGHT.values() {
        let five_seconds = returns(mids, 1);
        for place in 0..five_seconds.len().saturating_sub(360) {
            // Half a percent in five seconds is no random step.
            if five_seconds[place].abs() > 50.0 {
                let sign = five_seconds[place].signum();
                at_once.push(five_seconds[place] * sign);
                later.push(five_seconds[place + 1..place + 360].iter().sum::<f64>() * sign);
            }
        }
    }
    // In a fortnight 20 pairs have some 390 news, of which two in three are so large.
    assert!((180..340).contains(&at_once.len()), "{} jumps", at_once.len());
    let share = mean(&later) / mean(&at_once);
    assert!((0.08..0.28).contains(&share), "{share} of a jump follows in half an hour: 15/85");
}

#[test]
fn trades_jump_between_bid_and_offer() {
    let config = MarketsConfig { pressure_bp: 0.0, ..MarketsConfig::default() };
    let emissions = hours(&config, 4);
    let mut of_btc: Vec<_> = trades(&emissions)
        .into_iter()
        .map(|(_, trade)| trade)
        .filter(|trade| trade.pair == "BTC-USD")
        .collect();
    of_btc.sort_by_key(|trade| trade.ts);
    let logs: Vec<f64> = of_btc.iter().map(|trade| (trade.price_e8 as f64).ln()).collect();
    // Roll's measure: the covariance of neighbouring changes is minus half the spread, squared.
    let changes: Vec<f64> = logs.windows(2).map(|two| (two[1] - two[0]) * 1e4).collect();
    let covariance = changes.windows(2).map(|two| two[0] * two[1]).sum::<f64>() / changes.len() as f64;
    let half_spread = (-covariance).max(0.0).sqrt();
    assert!((0.3..0.7).contains(&half_spread), "{half_spread} basis points");
}
