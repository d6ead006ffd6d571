//! Questions to the rows: what the stretch of time from `start` to `end` brought, as far as it is
//! loaded.
//!
//! Data at rest can be asked anything, as often as one likes, by anyone who knows SQL; it only has
//! to be there. Each question here is one statement that both databases understand, so that it can
//! be pasted into `sqlite3` or `psql` and changed.

use events::Timestamp;

use super::{Cell, Kind, Warehouse, WarehouseError};

/// Money taken at the tills. Amounts are in cents of `currency`; different currencies are not added
/// up.
#[derive(Clone, Debug, PartialEq)]
pub struct Revenue {
    /// ISO 4217, where the swipes say one.
    pub currency: Option<String>,
    /// Swipes.
    pub swipes: i64,
    /// Cards they were made with.
    pub cards: i64,
    /// Their sum. The till had approved them all by the time the job ran.
    pub amount_cents: i64,
    /// What of it has been charged back so far.
    pub charged_back_cents: i64,
}

/// What the runs said of the swipes, and what the chargebacks that are loaded say of the runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Fraud {
    /// As in [`Revenue`].
    pub currency: Option<String>,
    /// Swipes that a run scored.
    pub scored: i64,
    /// Of them, those that it would have declined.
    pub declined: i64,
    /// The sum of those.
    pub declined_cents: i64,
    /// Swipes charged back so far: chargebacks come days later.
    pub charged_back: i64,
    /// Of them, those that the run would have declined.
    pub charged_back_declined: i64,
}

/// Traffic on one road.
#[derive(Clone, Debug, PartialEq)]
pub struct Road {
    /// Which link of the map.
    pub link_id: String,
    /// Drives along it.
    pub traversals: i64,
    /// How fast they were, in metres a second; none when no time was measured.
    pub speed_mps: Option<f64>,
}

/// How one item sold.
#[derive(Clone, Debug, PartialEq)]
pub struct Seller {
    /// Which item.
    pub item_id: String,
    /// Purchases.
    pub purchases: i64,
    /// Times it was put into a cart.
    pub add_to_carts: i64,
    /// Times it was looked at.
    pub views: i64,
}

/// A run whose window lies in the stretch.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// Which job.
    pub job: String,
    /// Which run.
    pub batch_id: String,
    /// Records it processed.
    pub records: i64,
    /// Rows it loaded.
    pub rows: i64,
    /// How often it was loaded.
    pub attempts: i64,
    /// When its answers were out, on the wall; none when they are not.
    pub finished_at: Option<Timestamp>,
}

/// Everything that is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// First instant of event time.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
    /// The runs that loaded what there is.
    pub runs: Vec<Loaded>,
    /// A line a currency, the largest sum first.
    pub revenue: Vec<Revenue>,
    /// A line a currency, as above.
    pub fraud: Vec<Fraud>,
    /// The busiest first.
    pub roads: Vec<Road>,
    /// The best first.
    pub sellers: Vec<Seller>,
}

const LATEST: &str = "
SELECT window_start, window_end FROM batch_runs WHERE records > 0
ORDER BY window_end DESC, window_start DESC LIMIT 1";

const RUNS: &str = "
SELECT job, batch_id, records, rows, attempts, finished_at FROM batch_runs
WHERE window_start >= $1 AND window_end <= $2 ORDER BY window_start, job";

const REVENUE: &str = "
SELECT swipes.currency, COUNT(*), COUNT(DISTINCT swipes.card_id),
       CAST(COALESCE(SUM(amount_cents), 0) AS BIGINT),
       CAST(COALESCE(SUM(CASE WHEN chargebacks.swipe_id IS NOT NULL THEN amount_cents END), 0) AS BIGINT)
FROM swipes LEFT JOIN chargebacks ON chargebacks.swipe_id = swipes.swipe_id
WHERE swipes.ts >= $1 AND swipes.ts < $2 AND amount_cents IS NOT NULL
GROUP BY swipes.currency ORDER BY 4 DESC, 1";

const FRAUD: &str = "
SELECT swipes.currency, COUNT(decision),
       COUNT(CASE WHEN decision = 'decline' THEN 1 END),
       CAST(COALESCE(SUM(CASE WHEN decision = 'decline' THEN amount_cents END), 0) AS BIGINT),
       COUNT(chargebacks.swipe_id),
       COUNT(CASE WHEN decision = 'decline' THEN chargebacks.swipe_id END)
FROM swipes LEFT JOIN chargebacks ON chargebacks.swipe_id = swipes.swipe_id
WHERE swipes.ts >= $1 AND swipes.ts < $2 AND amount_cents IS NOT NULL
GROUP BY swipes.currency ORDER BY SUM(amount_cents) DESC, 1";

const ROADS: &str = "
SELECT link_id, CAST(SUM(traversals) AS BIGINT), SUM(metres), SUM(seconds) FROM link_hours
WHERE hour >= $1 AND hour < $2 GROUP BY link_id ORDER BY 2 DESC, 1 LIMIT $3";

const SELLERS: &str = "
SELECT item_id, CAST(SUM(purchases) AS BIGINT), CAST(SUM(add_to_carts) AS BIGINT), CAST(SUM(views) AS BIGINT)
FROM item_hours WHERE hour >= $1 AND hour < $2
GROUP BY item_id HAVING SUM(purchases) > 0 ORDER BY 2 DESC, 3 DESC, 1 LIMIT $3";

/// The window of the latest run that brought anything; none before the first.
pub fn latest(warehouse: &mut dyn Warehouse) -> Result<Option<(Timestamp, Timestamp)>, WarehouseError> {
    let found = warehouse.ask(LATEST, &[], &[Kind::Instant, Kind::Instant])?;
    Ok(found.first().and_then(|cells| Some((cells[0].instant()?, cells[1].instant()?))))
}

/// Asks everything about the time from `start` to `end`, with at most `top` roads and items. Roads
/// and items are kept by the hour, so of them whole hours are told.
pub fn report(
    warehouse: &mut dyn Warehouse,
    (start, end): (Timestamp, Timestamp),
    top: u32,
) -> Result<Report, WarehouseError> {
    use Kind::{Instant, Integer, Real, Text};
    let within = [Cell::from(start), end.into()];
    let hours = [Cell::from(start.floor(events::HOUR_MS)), end.into(), i64::from(top).into()];
    let number = |cell: &Cell| cell.integer().unwrap_or(0);

    let runs = warehouse.ask(RUNS, &within, &[Text, Text, Integer, Integer, Integer, Instant])?;
    let revenue = warehouse.ask(REVENUE, &within, &[Text, Integer, Integer, Integer, Integer])?;
    let fraud = warehouse.ask(FRAUD, &within, &[Text, Integer, Integer, Integer, Integer, Integer])?;
    let roads = warehouse.ask(ROADS, &hours, &[Text, Integer, Real, Real])?;
    let sellers = warehouse.ask(SELLERS, &hours, &[Text, Integer, Integer, Integer])?;
    Ok(Report {
        start,
        end,
        runs: runs
            .into_iter()
            .map(|cells| Loaded {
                job: cells[0].clone().text().unwrap_or_default(),
                batch_id: cells[1].clone().text().unwrap_or_default(),
                records: number(&cells[2]),
                rows: number(&cells[3]),
                attempts: number(&cells[4]),
                finished_at: cells[5].instant(),
            })
            .collect(),
        revenue: revenue
            .into_iter()
            .map(|cells| Revenue {
                currency: cells[0].clone().text(),
                swipes: number(&cells[1]),
                cards: number(&cells[2]),
                amount_cents: number(&cells[3]),
                charged_back_cents: number(&cells[4]),
            })
            .collect(),
        fraud: fraud
            .into_iter()
            .map(|cells| Fraud {
                currency: cells[0].clone().text(),
                scored: number(&cells[1]),
                declined: number(&cells[2]),
                declined_cents: number(&cells[3]),
                charged_back: number(&cells[4]),
                charged_back_declined: number(&cells[5]),
            })
            .collect(),
        roads: roads
            .into_iter()
            .map(|cells| Road {
                link_id: cells[0].clone().text().unwrap_or_default(),
                traversals: number(&cells[1]),
                speed_mps: cells[2].real().zip(cells[3].real().filter(|s| *s > 0.0)).map(|(m, s)| m / s),
            })
            .collect(),
        sellers: sellers
            .into_iter()
            .map(|cells| Seller {
                item_id: cells[0].clone().text().unwrap_or_default(),
                purchases: number(&cells[1]),
                add_to_carts: number(&cells[2]),
                views: number(&cells[3]),
            })
            .collect(),
    })
}
