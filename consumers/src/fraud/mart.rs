//! Payments in the warehouse: swipes with the runs' answers, and chargebacks.

use std::collections::BTreeMap;

use events::{Batched, Business, CardSwipe, Chargeback, Decision, Event, FraudDecision};
use processor::mart::{
    BATCH_ID, Cell, Kind, Line, Mart, MartRows, Migration, Query, RowsOfTable, Table, keep_existing, key,
    overwrite,
};
use serde_json::json;
use text::{amount, money};

/// The payments' part of the warehouse. Its tables are as old as the warehouse.
pub static MART: Mart = Mart {
    business: Business::Payments,
    tables: &[
        Table {
            name: "swipes",
            by_run: false,
            columns: &[
                key("swipe_id", Kind::Text),
                overwrite("ts", Kind::Instant),
                overwrite("card_id", Kind::Text),
                overwrite("terminal_id", Kind::Text),
                overwrite("amount_cents", Kind::Integer),
                overwrite("currency", Kind::Text),
                overwrite("category", Kind::Text),
                overwrite("lat", Kind::Real),
                overwrite("lon", Kind::Real),
                overwrite("decision", Kind::Text),
                overwrite("probability", Kind::Real),
                BATCH_ID,
            ],
        },
        Table {
            name: "chargebacks",
            by_run: false,
            columns: &[
                key("swipe_id", Kind::Text),
                keep_existing("ts", Kind::Instant),
                keep_existing("card_id", Kind::Text),
                keep_existing("terminal_id", Kind::Text),
                keep_existing("batch_id", Kind::Text),
            ],
        },
    ],
    migrations: &[
        Migration {
            version: 1,
            sql: "
CREATE TABLE swipes (
    swipe_id     TEXT PRIMARY KEY,
    ts           {instant},
    card_id      TEXT NOT NULL,
    terminal_id  TEXT,
    amount_cents {integer},
    currency     TEXT,
    category     TEXT,
    lat          {real},
    lon          {real},
    decision     TEXT,                 -- what the run says, after the till had approved
    probability  {real},
    batch_id     TEXT NOT NULL
){strict};
CREATE TABLE chargebacks (
    swipe_id    TEXT PRIMARY KEY,
    ts          {instant} NOT NULL,
    card_id     TEXT NOT NULL,
    terminal_id TEXT NOT NULL,
    batch_id    TEXT NOT NULL
){strict};
",
        },
        Migration {
            version: 2,
            sql: "
CREATE INDEX swipes_by_ts ON swipes (ts);
",
        },
    ],
    rows: || Box::new(Rows::default()),
    queries: &[REVENUE, FRAUD],
};

/// Maps are sorted, so that the same events make the same rows in the same order.
#[derive(Debug, Default)]
struct Rows {
    swipes: BTreeMap<String, SwipeRow>,
    chargebacks: BTreeMap<String, Chargeback>,
}

/// A swipe, what the run said of it, or both.
#[derive(Debug, Default)]
struct SwipeRow {
    card_id: String,
    swipe: Option<CardSwipe>,
    decision: Option<FraudDecision>,
}

impl MartRows for Rows {
    fn add(&mut self, event: &Event) {
        if let Event::CardSwipes(swipe) = event {
            let row = self.swipes.entry(swipe.swipe_id.clone()).or_default();
            row.card_id.clone_from(&swipe.card_id);
            row.swipe = Some(swipe.clone());
        } else if let Event::FraudBatch(Batched { answer, .. }) = event {
            let row = self.swipes.entry(answer.swipe_id.clone()).or_default();
            row.card_id.clone_from(&answer.card_id);
            row.decision = Some(answer.clone());
        } else if let Event::Chargebacks(chargeback) = event {
            self.chargebacks.insert(chargeback.swipe_id.clone(), chargeback.clone());
        }
    }

    fn tables(&self, batch_id: &str) -> Vec<RowsOfTable> {
        let by = || Cell::from(batch_id);
        let swipes = self.swipes.iter().map(|(swipe_id, row)| {
            let (swipe, said) = (row.swipe.as_ref(), row.decision.as_ref());
            vec![
                swipe_id.into(),
                swipe.map(|swipe| swipe.ts).or(said.map(|said| said.ts)).into(),
                (&row.card_id).into(),
                swipe.map(|swipe| &swipe.terminal_id).into(),
                swipe.map(|swipe| swipe.amount_cents).into(),
                swipe.and_then(|swipe| swipe.currency.as_ref()).into(),
                swipe.and_then(|swipe| swipe.category.as_ref()).into(),
                swipe.and_then(|swipe| swipe.lat).into(),
                swipe.and_then(|swipe| swipe.lon).into(),
                said.map(|said| match said.decision {
                    Decision::Approve => "approve",
                    Decision::Decline => "decline",
                })
                .into(),
                said.map(|said| said.probability).into(),
                by(),
            ]
        });
        let chargebacks = self.chargebacks.iter().map(|(swipe_id, row)| {
            vec![swipe_id.into(), row.ts.into(), (&row.card_id).into(), (&row.terminal_id).into(), by()]
        });
        vec![swipes.collect(), chargebacks.collect()]
    }
}

/// Money taken at the terminals: a line a currency, the largest sum first; different currencies are
/// not added up. The terminal had approved every swipe by the time the job ran.
const REVENUE: Query = Query {
    order: 1,
    title: "revenue",
    empty: "no swipes: `freshet batch fraud` loads them",
    headings: &["currency", "swipes", "cards", "amount", "charged back so far"],
    kind: "revenue",
    sql: "
SELECT swipes.currency, COUNT(*), COUNT(DISTINCT swipes.card_id),
       CAST(COALESCE(SUM(amount_cents), 0) AS BIGINT),
       CAST(COALESCE(SUM(CASE WHEN chargebacks.swipe_id IS NOT NULL THEN amount_cents END), 0) AS BIGINT)
FROM swipes LEFT JOIN chargebacks ON chargebacks.swipe_id = swipes.swipe_id
WHERE swipes.ts >= $1 AND swipes.ts < $2 AND amount_cents IS NOT NULL
GROUP BY swipes.currency ORDER BY 4 DESC, 1",
    top_by_hour: false,
    columns: &[Kind::Text, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer],
    line: |_, cells| {
        let code = cells[0].text();
        let [swipes, cards, taken, charged_back] = [1, 2, 3, 4].map(|place: usize| cells[place].count());
        Line {
            text: vec![
                currency(code),
                swipes.to_string(),
                cards.to_string(),
                sum(code, taken),
                sum(code, charged_back),
            ],
            json: json!({
                "currency": code, "swipes": swipes, "cards": cards, "amount_cents": taken,
                "charged_back_cents": charged_back,
            }),
        }
    },
};

/// What the runs said of the swipes beside what was charged back, a line a currency. Chargebacks
/// come days later.
const FRAUD: Query = Query {
    order: 2,
    title: "fraud",
    empty: "no swipes: `freshet batch fraud` loads them",
    headings: &[
        "currency",
        "scored",
        "declined by the run",
        "amount",
        "charged back so far",
        "of them declined",
    ],
    kind: "fraud",
    sql: "
SELECT swipes.currency, COUNT(decision),
       COUNT(CASE WHEN decision = 'decline' THEN 1 END),
       CAST(COALESCE(SUM(CASE WHEN decision = 'decline' THEN amount_cents END), 0) AS BIGINT),
       COUNT(chargebacks.swipe_id),
       COUNT(CASE WHEN decision = 'decline' THEN chargebacks.swipe_id END)
FROM swipes LEFT JOIN chargebacks ON chargebacks.swipe_id = swipes.swipe_id
WHERE swipes.ts >= $1 AND swipes.ts < $2 AND amount_cents IS NOT NULL
GROUP BY swipes.currency ORDER BY SUM(amount_cents) DESC, 1",
    top_by_hour: false,
    columns: &[Kind::Text, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Integer],
    line: |_, cells| {
        let code = cells[0].text();
        let [scored, declined, declined_cents, charged_back, of_them] =
            [1, 2, 3, 4, 5].map(|place: usize| cells[place].count());
        Line {
            text: vec![
                currency(code),
                scored.to_string(),
                declined.to_string(),
                sum(code, declined_cents),
                charged_back.to_string(),
                of_them.to_string(),
            ],
            json: json!({
                "currency": code, "scored": scored, "declined": declined, "declined_cents": declined_cents,
                "charged_back": charged_back, "charged_back_declined": of_them,
            }),
        }
    },
};

/// A sum of money in this currency: dollars with their sign, others bare beside their code.
fn sum(code: Option<&str>, cents: i64) -> String {
    match code {
        Some("USD") => money(cents),
        Some(_) | None => amount(cents),
    }
}

/// ISO 4217, where the swipes say one.
fn currency(code: Option<&str>) -> String {
    code.unwrap_or("–").to_owned()
}
