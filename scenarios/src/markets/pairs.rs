//! The markets as seen from their topics: prices of pairs, and each lane's signals and their times.

use std::collections::{BTreeMap, HashMap};

use dashboard::{MarketMove, MarketOrder, MarketPair, Markets, Snapshot};
use events::{Action, CANDLE_MS, Event, Signal, Timestamp};

use crate::clock::SimulatedClock;
use crate::view::{PaneSource, View};

/// The most pairs on the screen, and the most that are kept: a topic may name any number of them.
const SHOWN: usize = 60;
const KNOWN: usize = 1_000;
/// Minutes whose closes are shown, and minutes that are kept for late batch runs.
const CLOSES_SHOWN: usize = 60;
const CANDLES: usize = 24 * 60;
/// Orders of a pair.
const ORDERS: usize = 20;

/// The state of the markets.
#[derive(Debug, Default)]
pub(super) struct MarketsView {
    pairs: HashMap<String, PairView>,
    candles: u64,
    revised: u64,
}

/// A minute after which a lane said buy or sell.
#[derive(Debug)]
struct Order {
    buys: bool,
    stream: Option<Reaction>,
    batch: Option<Reaction>,
}

/// When a lane could act on its signal, and what a unit cost then.
#[derive(Debug, Clone, Copy)]
struct Reaction {
    after_ms: f64,
    price_e8: i64,
}

/// What is kept of a candle.
#[derive(Debug, Clone, Copy)]
struct Closed {
    close_e8: i64,
    revised: bool,
}

#[derive(Debug, Default)]
struct PairView {
    trades: u64,
    price_e8: i64,
    /// Closed candles by the first instant of the minute.
    candles: BTreeMap<Timestamp, Closed>,
    /// By the end of the minute.
    orders: BTreeMap<Timestamp, Order>,
}

impl MarketsView {
    /// A lane's signal, which holds from the instant `from` on.
    fn said(&mut self, signal: &Signal, from: Timestamp, lane: impl Fn(&mut Order) -> &mut Option<Reaction>) {
        let buys = match signal.action {
            Action::Buy => true,
            Action::Sell => false,
            Action::Hold => return,
        };
        let Some(pair) = self.pairs.get_mut(&signal.pair) else { return };
        let end = signal.ts.plus_ms(CANDLE_MS);
        let reaction = Reaction { after_ms: from.since_ms(end).max(0) as f64, price_e8: pair.price_e8 };
        let order = pair.orders.entry(end).or_insert(Order { buys, stream: None, batch: None });
        // A lane that is rewound says it again, and the order was placed before.
        lane(order).get_or_insert(reaction);
        while pair.orders.len() > ORDERS {
            pair.orders.pop_first();
        }
    }

    /// As the screen takes it; none before the first trade.
    fn markets(&self) -> Option<Markets> {
        if self.pairs.is_empty() {
            return None;
        }
        let mut pairs: Vec<_> = self.pairs.iter().collect();
        pairs.sort_by(|(name, pair), (other, than)| than.trades.cmp(&pair.trades).then(name.cmp(other)));
        pairs.truncate(SHOWN);
        Some(Markets {
            pairs: pairs.into_iter().map(|(name, pair)| pair.shown(name)).collect(),
            candles: Some(self.candles),
            revised: Some(self.revised),
        })
    }
}

impl View for MarketsView {
    fn observe(&mut self, event: &Event, wall_ms: i64, clock: Option<&SimulatedClock>) {
        if let Event::Trades(trade) = event {
            if let Some(pair) = self.pairs.get_mut(&trade.pair) {
                pair.traded(trade.price_e8);
            } else if self.pairs.len() < KNOWN {
                self.pairs.entry(trade.pair.clone()).or_default().traded(trade.price_e8);
            }
        } else if let Event::Candles(candle) = event {
            let Some(pair) = self.pairs.get_mut(&candle.pair) else { return };
            // A consumer that is rewound publishes its candles a second time.
            let before = pair.candles.get(&candle.ts).copied();
            let was_revised = before.is_some_and(|before| before.revised);
            let revised = was_revised || candle.revision > 0;
            pair.candles.insert(candle.ts, Closed { close_e8: candle.close_e8, revised });
            self.candles += u64::from(before.is_none());
            self.revised += u64::from(revised && !was_revised);
            while pair.candles.len() > CANDLES {
                pair.candles.pop_first();
            }
        } else if let Event::Signals(signal) = event {
            // How late it was can't be told before the clock is known.
            if let Some(clock) = clock {
                self.said(signal, clock.simulated(wall_ms), |order| &mut order.stream);
            }
        } else if let Event::SignalsBatch(batched) = event {
            self.said(&batched.answer, batched.valid_from, |order| &mut order.batch);
        }
    }

    fn show(&mut self, pane: &PaneSource<'_>, snapshot: &mut Snapshot) {
        snapshot.markets = pane.sourced(self.markets());
    }
}

impl PairView {
    fn traded(&mut self, price_e8: i64) {
        self.trades += 1;
        self.price_e8 = price_e8;
    }

    fn shown(&self, name: &str) -> MarketPair {
        let first = self.candles.len().saturating_sub(CLOSES_SHOWN);
        MarketPair {
            name: name.to_owned(),
            price_e8: Some(self.price_e8),
            closes: self.candles.values().skip(first).map(|closed| closed.close_e8 as f64 / 1e8).collect(),
            orders: self.orders.iter().rev().map(|(&end, order)| self.order(end, order)).collect(),
        }
    }

    /// An order with how far the price had moved against it. Its candle may be read after its
    /// signal, for they come from two topics.
    fn order(&self, end: Timestamp, order: &Order) -> MarketOrder {
        let candle = self.candles.get(&end.plus_ms(-CANDLE_MS));
        let moved = |reaction: Reaction| MarketMove {
            after_ms: reaction.after_ms,
            against_bp: candle.map(|candle| {
                let share = reaction.price_e8 as f64 / candle.close_e8 as f64 - 1.0;
                share * 1e4 * if order.buys { 1.0 } else { -1.0 }
            }),
        };
        MarketOrder {
            at_ms: end.ms(),
            buys: order.buys,
            stream: order.stream.map(moved),
            batch: order.batch.map(moved),
        }
    }
}

#[cfg(test)]
mod tests {
    use events::{Batched, Candle, Side, Trade};

    use super::*;

    const START_MS: i64 = 1_772_535_600_000;

    /// A clock of sixty times the speed that shows a minute and a half past the start at 0.
    fn clock() -> SimulatedClock {
        SimulatedClock { started_wall_ms: 0, start: at(91), speed: 60.0 }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_ms(START_MS + seconds * 1_000)
    }

    fn trade(pair: &str, seconds: i64, price_e8: i64) -> Event {
        Event::Trades(Trade {
            ts: at(seconds),
            trade_id: "t".into(),
            pair: pair.into(),
            exchange: "kelp".into(),
            price_e8,
            quantity_e8: 1,
            side: Side::Buy,
        })
    }

    fn candle(close_e8: i64, revision: u64) -> Event {
        Event::Candles(Candle {
            ts: at(0),
            pair: "ADA-USD".into(),
            open_e8: close_e8,
            high_e8: close_e8,
            low_e8: close_e8,
            close_e8,
            vwap_e8: close_e8,
            volume_e8: 1,
            trades: 1,
            revision,
        })
    }

    fn signal(action: Action) -> Signal {
        Signal { ts: at(0), pair: "ADA-USD".into(), action, fast_e8: None, slow_e8: None }
    }

    #[test]
    fn a_signal_is_shown_with_how_late_it_was_and_how_far_the_price_had_moved() {
        let mut view = MarketsView::default();
        let batched = Batched { answer: signal(Action::Sell), batch_id: "b".into(), valid_from: at(3_600) };
        for event in [
            trade("ADA-USD", 1, 10_000),
            trade("BTC-USD", 1, 5),
            trade("ADA-USD", 91, 10_010),
            // A producer whose clock is not the show's.
            trade("BTC-USD", 20_000_000, 5),
            // The topics of signals and candles may be read in any order.
            signal(Action::Sell).into(),
            candle(10_000, 0),
            candle(10_000, 1),
            candle(10_000, 2),
            // The lane is rewound.
            candle(10_000, 0),
            candle(10_000, 1),
            trade("ADA-USD", 3_600, 9_900),
            batched.into(),
        ] {
            view.observe(&event, 0, Some(&clock()));
        }
        view.observe(&signal(Action::Sell).into(), 60_000, Some(&clock()));
        let shown = view.markets().expect("there are trades");
        assert_eq!((shown.candles, shown.revised), (Some(1), Some(1)), "one candle, revised twice");
        let names: Vec<&str> = shown.pairs.iter().map(|pair| pair.name.as_str()).collect();
        assert_eq!(names, ["ADA-USD", "BTC-USD"], "the most traded first");
        let order = &shown.pairs[0].orders[0];
        let (stream, batch) = (order.stream.as_ref().unwrap(), order.batch.as_ref().unwrap());
        let near = |value: f64, want: f64| (value - want).abs() < 1e-6;
        let is = |moved: &MarketMove, after_ms, bp| {
            near(moved.after_ms, after_ms) && near(moved.against_bp.unwrap(), bp)
        };
        assert!(!order.buys && is(stream, 31_000.0, -10.0), "{order:?}");
        assert!(is(batch, 3_540_000.0, 100.0), "{order:?}");
    }

    #[test]
    fn what_is_held_is_bounded_and_what_is_unknown_is_not_guessed() {
        let mut view = MarketsView::default();
        view.observe(&signal(Action::Buy).into(), 0, Some(&clock()));
        view.observe(&candle(5, 0), 0, Some(&clock()));
        assert!(view.markets().is_none(), "nothing was traded");
        for pair in 0..2 * KNOWN {
            view.observe(&trade(&format!("P{pair}"), 1, 5), 0, Some(&clock()));
        }
        assert_eq!((view.pairs.len(), view.markets().map(|shown| shown.pairs.len())), (KNOWN, Some(SHOWN)));
        view.observe(&trade("P0", 1, 5), 0, Some(&clock()));
        let of_p0 = Signal { pair: "P0".into(), ..signal(Action::Buy) };
        for minute in 0..100 {
            view.observe(&Signal { ts: at(minute * 60), ..of_p0.clone() }.into(), 0, Some(&clock()));
        }
        let pair = &view.markets().expect("there are trades").pairs[0];
        assert_eq!((pair.name.as_str(), pair.orders.len()), ("P0", ORDERS));
        assert!(pair.orders[0].at_ms > pair.orders[1].at_ms, "the newest first");
        assert_eq!(pair.orders[0].stream.as_ref().unwrap().against_bp, None, "its close was never told");
    }
}
