//! Made-up markets.

use super::{Lcg, NOON_MS};
use dashboard::{MarketMove, MarketOrder, MarketPair, Markets};

/// Some pairs with what a unit costs.
const PAIRS: [(&str, f64); 20] = [
    ("BTC-USD", 62_113.45),
    ("ETH-USD", 2_449.12),
    ("SOL-USD", 142.12),
    ("XRP-USD", 0.5812),
    ("DOGE-USD", 0.1181),
    ("ADA-USD", 0.3601),
    ("LINK-USD", 11.402),
    ("AVAX-USD", 26.51),
    ("LTC-USD", 66.02),
    ("DOT-USD", 4.301),
    ("BCH-USD", 345.9),
    ("UNI-USD", 7.214),
    ("NEAR-USD", 4.612),
    ("ATOM-USD", 4.488),
    ("XLM-USD", 0.0961),
    ("FIL-USD", 3.702),
    ("ETC-USD", 18.61),
    ("ALGO-USD", 0.1271),
    ("XTZ-USD", 0.6803),
    ("ZEC-USD", 36.01),
];

pub(super) fn markets(dice: &mut Lcg) -> Markets {
    let pair = |(at, &(name, price)): (usize, &(&str, f64))| {
        let closes: Vec<f64> = dice
            .wave(price, price / 800.0)
            .into_iter()
            .take(60)
            .map(|close| close.max(price / 2.0))
            .collect();
        let order = |number: usize| {
            let minutes = 2 + 7 * number + at % 5;
            let run_at = 41;
            let move_of = |after_ms: f64, against: f64| MarketMove { after_ms, against_bp: Some(against) };
            MarketOrder {
                at_ms: NOON_MS - minutes as i64 * 60_000,
                buys: (number + at).is_multiple_of(2),
                stream: Some(move_of(31_000.0, dice.between(-6.0, 6.0))),
                // What the last run could not have seen, it has said nothing about.
                batch: (minutes > run_at)
                    .then(|| move_of((minutes - run_at) as f64 * 60_000.0, dice.between(-60.0, 60.0))),
            }
        };
        MarketPair {
            name: name.into(),
            price_e8: closes.last().map(|close| (close * 1e8) as i64),
            orders: if at == 18 { Vec::new() } else { (0..12).map(order).collect() },
            closes,
        }
    };
    Markets { pairs: PAIRS.iter().enumerate().map(pair).collect(), candles: Some(24_310), revised: Some(112) }
}
