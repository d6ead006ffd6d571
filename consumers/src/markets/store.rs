//! The windows of every pair: what Kafka Streams calls a *window store*.

use std::collections::BTreeSet;

use events::{CANDLE_MS, Candle, Signal, Timestamp, Trade};
use hashbrown::HashMap;
use processor::bounded::{FixedHashSet, fingerprint};

use super::MarketsConfig;
use super::signal::{Windows, signal};
use super::window::Window;

/// What the store did with a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// Counted.
    Counted,
    /// A duplicate.
    Duplicate,
    /// Too late: its window is no longer kept.
    TooLate,
}

/// A candle that was closed, with its signal, or its next revision.
pub(super) type Closed = (Candle, Option<Signal>);

/// Windows by pair and minute, in the order in which they are published and dropped.
#[derive(Clone, Debug)]
pub(super) struct WindowStore {
    config: MarketsConfig,
    pairs: HashMap<String, Windows>,
    /// Fingerprints of pair and id of every trade in a window.
    ids: FixedHashSet<u64>,
    /// Every window, the oldest first.
    all: BTreeSet<(i64, String)>,
    /// Windows that have changed since they were last published.
    changed: BTreeSet<(i64, String)>,
    /// Windows that end by then are dropped.
    floor_ms: i64,
}

impl WindowStore {
    pub(super) fn new(config: MarketsConfig) -> Self {
        config.check();
        Self {
            config,
            pairs: HashMap::new(),
            ids: FixedHashSet::default(),
            all: BTreeSet::new(),
            changed: BTreeSet::new(),
            floor_ms: i64::MIN,
        }
    }

    /// Counts a trade once, in the window of its time. Its price and quantity are positive.
    pub(super) fn add(&mut self, trade: &Trade) -> Added {
        let start_ms = trade.ts.floor(CANDLE_MS).ms();
        if start_ms + CANDLE_MS <= self.floor_ms {
            return Added::TooLate;
        }
        let id = fingerprint(&(&trade.pair, &trade.trade_id));
        if !self.ids.insert(id) {
            return Added::Duplicate;
        }
        let key = || (start_ms, trade.pair.clone());
        let windows = self.pairs.entry_ref(trade.pair.as_str()).or_default();
        let window = windows.entry(start_ms).or_insert_with(|| {
            self.all.insert(key());
            Window::new(trade)
        });
        window.add(trade, id);
        if !window.changed {
            window.changed = true;
            self.changed.insert(key());
        }
        Added::Counted
    }

    /// Publishes the next window that ends by `until` and has changed since it was published, by
    /// time and then by pair.
    pub(super) fn next_closed(&mut self, until: Timestamp) -> Option<Closed> {
        let first = self.changed.first().filter(|(start_ms, _)| start_ms + CANDLE_MS <= until.ms());
        let (start_ms, pair) = first.cloned()?;
        self.changed.pop_first();
        let windows = self.pairs.get_mut(&pair).expect("a changed window is kept");
        let window = windows.get_mut(&start_ms).expect("a changed window is kept");
        window.changed = false;
        window.published += 1;
        let candle = window.candle(&pair, Timestamp::from_ms(start_ms));
        let first_time = window.published == 1;
        Some((candle, first_time.then(|| signal(&pair, start_ms, windows, &self.config))))
    }

    /// Drops windows that end by `floor`. All their changes have been published.
    pub(super) fn forget(&mut self, floor: Timestamp) {
        self.floor_ms = self.floor_ms.max(floor.ms());
        while self.all.first().is_some_and(|(start_ms, _)| start_ms + CANDLE_MS <= floor.ms())
            && let Some((start_ms, pair)) = self.all.pop_first()
        {
            let windows = self.pairs.get_mut(&pair).expect("a window that is kept has its pair");
            let window = windows.remove(&start_ms).expect("every window is kept under its start");
            assert!(!window.changed, "{pair} at {start_ms} is forgotten before it is published");
            for id in &window.ids {
                self.ids.remove(id);
            }
            if windows.is_empty() {
                self.pairs.remove(&pair);
            }
        }
    }

    /// The end of the oldest window, if a limit on windows or trades is exceeded.
    pub(super) fn overfull(&self) -> Option<Timestamp> {
        let full = self.all.len() > self.config.windows || self.ids.len() > self.config.ids;
        let (start_ms, _) = self.all.first().filter(|_| full)?;
        Some(Timestamp::from_ms(start_ms + CANDLE_MS))
    }

    /// How many windows are kept.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}
