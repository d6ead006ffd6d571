//! Markets in the warehouse: candles, and the signal of each.

use std::collections::BTreeMap;

use events::{Action, Business, Candle, Event, Signal, Timestamp};
use processor::mart::{
    BATCH_ID, Cell, Kind, Line, Mart, MartRows, Migration, Query, RowsOfTable, Table, key, take_later_row,
};
use serde_json::json;

/// The markets' part of the warehouse. Each candle is one row, which a later run replaces as a
/// whole: an upsert by pair and minute.
pub static MART: Mart = Mart {
    business: Business::Markets,
    tables: &[
        Table {
            name: "candles",
            by_run: false,
            columns: &[
                key("pair", Kind::Text),
                key("minute", Kind::Instant),
                take_later_row("open_e8", Kind::Integer),
                take_later_row("high_e8", Kind::Integer),
                take_later_row("low_e8", Kind::Integer),
                take_later_row("close_e8", Kind::Integer),
                take_later_row("vwap_e8", Kind::Integer),
                take_later_row("volume_e8", Kind::Integer),
                take_later_row("trades", Kind::Integer),
                take_later_row("revision", Kind::Integer),
                BATCH_ID,
            ],
        },
        Table {
            name: "signals",
            by_run: false,
            columns: &[
                key("pair", Kind::Text),
                key("minute", Kind::Instant),
                take_later_row("action", Kind::Text),
                take_later_row("fast_e8", Kind::Integer),
                take_later_row("slow_e8", Kind::Integer),
                BATCH_ID,
            ],
        },
    ],
    migrations: &[Migration {
        version: 3,
        sql: "
-- Prices and quantities are integers of 1e-8, as on the topics: close_e8 / 1e8 is the price.
CREATE TABLE candles (
    pair      TEXT NOT NULL,
    minute    {instant} NOT NULL,
    open_e8   {integer} NOT NULL,
    high_e8   {integer} NOT NULL,
    low_e8    {integer} NOT NULL,
    close_e8  {integer} NOT NULL,
    vwap_e8   {integer} NOT NULL,
    volume_e8 {integer} NOT NULL,
    trades    {integer} NOT NULL,
    revision  {integer} NOT NULL,
    batch_id  TEXT NOT NULL,
    PRIMARY KEY (pair, minute)
){by_key};
CREATE INDEX candles_by_minute ON candles (minute);
CREATE TABLE signals (
    pair     TEXT NOT NULL,
    minute   {instant} NOT NULL,
    action   TEXT NOT NULL,
    fast_e8  {integer},
    slow_e8  {integer},
    batch_id TEXT NOT NULL,
    PRIMARY KEY (pair, minute)
){by_key};
",
    }],
    rows: || Box::new(Rows::default()),
    queries: &[PAIRS],
};

/// Rows by pair and minute. The maps are sorted, so that the same events give the same rows in the
/// same order.
#[derive(Debug, Default)]
struct Rows {
    candles: BTreeMap<(String, Timestamp), Candle>,
    signals: BTreeMap<(String, Timestamp), Signal>,
}

impl MartRows for Rows {
    fn add(&mut self, event: &Event) {
        if let Event::CandlesBatch(batched) = event {
            let candle = &batched.answer;
            // One run may publish several revisions; they arrive in order.
            self.candles.insert((candle.pair.clone(), candle.ts), candle.clone());
        } else if let Event::SignalsBatch(batched) = event {
            let signal = &batched.answer;
            self.signals.insert((signal.pair.clone(), signal.ts), signal.clone());
        }
    }

    fn tables(&self, batch_id: &str) -> Vec<RowsOfTable> {
        let integer = |count: u64| Cell::Integer(i64::try_from(count).unwrap_or(i64::MAX));
        let candles = self.candles.values().map(|candle| {
            vec![
                (&candle.pair).into(),
                candle.ts.into(),
                candle.open_e8.into(),
                candle.high_e8.into(),
                candle.low_e8.into(),
                candle.close_e8.into(),
                candle.vwap_e8.into(),
                candle.volume_e8.into(),
                integer(candle.trades),
                integer(candle.revision),
                batch_id.into(),
            ]
        });
        let signals = self.signals.values().map(|signal| {
            vec![
                (&signal.pair).into(),
                signal.ts.into(),
                word(signal.action).into(),
                signal.fast_e8.into(),
                signal.slow_e8.into(),
                batch_id.into(),
            ]
        });
        vec![candles.collect(), signals.collect()]
    }
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Buy => "buy",
        Action::Sell => "sell",
        Action::Hold => "hold",
    }
}

/// The most traded pairs: their prices and signals.
const PAIRS: Query = Query {
    order: 5,
    title: "most traded pairs",
    // The default show has no markets.
    empty: "",
    headings: &["pair", "minutes", "trades", "low", "high", "last", "buy", "sell"],
    kind: "pair",
    sql: "
SELECT candles.pair, COUNT(*), CAST(SUM(candles.trades) AS BIGINT), MIN(low_e8), MAX(high_e8),
       MAX(CASE WHEN candles.minute = latest.minute THEN close_e8 END),
       COUNT(CASE WHEN action = 'buy' THEN 1 END), COUNT(CASE WHEN action = 'sell' THEN 1 END)
FROM candles
JOIN (SELECT pair, MAX(minute) AS minute FROM candles WHERE minute >= $1 AND minute < $2 GROUP BY pair) latest
  ON latest.pair = candles.pair
LEFT JOIN signals ON signals.pair = candles.pair AND signals.minute = candles.minute
WHERE candles.minute >= $1 AND candles.minute < $2
GROUP BY candles.pair ORDER BY 3 DESC, 1 LIMIT 50",
    top_by_hour: false,
    columns: &[
        Kind::Text,
        Kind::Integer,
        Kind::Integer,
        Kind::Integer,
        Kind::Integer,
        Kind::Integer,
        Kind::Integer,
        Kind::Integer,
    ],
    line: |_, cells| {
        let pair = cells[0].text().unwrap_or_default();
        let [minutes, trades, low, high, last, buys, sells] =
            [1, 2, 3, 4, 5, 6, 7].map(|place: usize| cells[place].count());
        Line {
            text: vec![
                pair.to_owned(),
                minutes.to_string(),
                trades.to_string(),
                price(low),
                price(high),
                price(last),
                buys.to_string(),
                sells.to_string(),
            ],
            json: json!({
                "pair": pair, "minutes": minutes, "trades": trades, "low_e8": low, "high_e8": high,
                "last_e8": last, "buy_signals": buys, "sell_signals": sells,
            }),
        }
    },
};

/// A price without separators between thousands and without trailing zeros, so that other programs
/// can read it.
fn price(price_e8: i64) -> String {
    let whole = format!("{}.{:08}", price_e8 / 100_000_000, price_e8 % 100_000_000);
    whole.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use events::{Batched, CANDLE_MS};

    use super::*;

    #[test]
    fn prices_are_written_whole_and_no_longer_than_they_are() {
        for (e8, text) in [(6_211_345_000_000, "62113.45"), (9_612_400, "0.096124"), (200_000_000, "2")] {
            assert_eq!(price(e8), text);
        }
    }

    #[test]
    fn of_several_revisions_in_a_run_the_last_is_the_row() {
        let start = Timestamp::from_ms(1_772_535_600_000);
        let candle = |close_e8, revision| Candle {
            ts: start,
            pair: "ADA-USD".into(),
            open_e8: 1,
            high_e8: 9,
            low_e8: 1,
            close_e8,
            vwap_e8: 2,
            volume_e8: 3,
            trades: 4,
            revision,
        };
        let mut rows = Rows::default();
        for (close_e8, revision) in [(5, 0), (7, 1)] {
            let run_end = start.plus_ms(60 * CANDLE_MS);
            rows.add(&Batched::as_of(candle(close_e8, revision), run_end).into());
        }
        let [candles, signals] = &rows.tables("run")[..] else { panic!("a list for each table") };
        assert_eq!((candles.len(), signals.len()), (1, 0));
        assert_eq!((&candles[0][5], &candles[0][9]), (&Cell::Integer(7), &Cell::Integer(1)));
        assert_eq!(candles[0].len(), MART.tables[0].columns.len());
    }
}
