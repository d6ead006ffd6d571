//! The warehouse in a SQLite file.

use std::path::Path;
use std::time::Duration;

use events::{Decision, Timestamp};
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior, params};

use super::{Rows, Run, Warehouse, WarehouseError};

/// Each entry brings the schema one version further; `PRAGMA user_version` says how many have been applied. What is released is never edited.
const MIGRATIONS: &[&str] = &["
CREATE TABLE batch_runs (
    batch_id     TEXT PRIMARY KEY,
    job          TEXT NOT NULL,
    window_start TEXT NOT NULL,   -- event time, RFC 3339, as every instant here
    window_end   TEXT NOT NULL,
    records      INTEGER NOT NULL,
    rows         INTEGER NOT NULL,
    started_at   TEXT NOT NULL,   -- wall clock
    finished_at  TEXT,            -- wall clock; none while the run's answers are not out
    visible_from TEXT             -- event time from which anyone could have seen them
) STRICT;
CREATE TABLE trips (
    trip_id         TEXT PRIMARY KEY,
    driver_id       TEXT NOT NULL,
    rider_id        TEXT,
    origin_lat      REAL,
    origin_lon      REAL,
    destination_lat REAL,
    destination_lon REAL,
    requested_at    TEXT,
    picked_up_at    TEXT,
    dropped_off_at  TEXT,
    cancelled_at    TEXT,
    quoted_eta      TEXT,         -- the first arrival that the batch lane quoted
    batch_id        TEXT NOT NULL -- the run that touched the row last, as in all tables
) STRICT;
CREATE TABLE swipes (
    swipe_id     TEXT PRIMARY KEY,
    ts           TEXT,
    card_id      TEXT NOT NULL,
    terminal_id  TEXT,
    amount_cents INTEGER,
    currency     TEXT,
    category     TEXT,
    lat          REAL,
    lon          REAL,
    decision     TEXT,            -- what the run says, after the till had approved
    probability  REAL,
    batch_id     TEXT NOT NULL
) STRICT;
CREATE TABLE chargebacks (
    swipe_id    TEXT PRIMARY KEY,
    ts          TEXT NOT NULL,
    card_id     TEXT NOT NULL,
    terminal_id TEXT NOT NULL,
    batch_id    TEXT NOT NULL
) STRICT;
-- Late events are counted by a later run: the sum over the runs is the truth, and a run that is repeated replaces its own share.
CREATE TABLE item_hours (
    hour         TEXT NOT NULL,
    item_id      TEXT NOT NULL,
    batch_id     TEXT NOT NULL,
    views        INTEGER NOT NULL,
    clicks       INTEGER NOT NULL,
    hovers       INTEGER NOT NULL,
    scrolls      INTEGER NOT NULL,
    add_to_carts INTEGER NOT NULL,
    purchases    INTEGER NOT NULL,
    PRIMARY KEY (hour, item_id, batch_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE link_hours (
    hour       TEXT NOT NULL,
    link_id    TEXT NOT NULL,
    batch_id   TEXT NOT NULL,
    traversals INTEGER NOT NULL,
    metres     REAL NOT NULL,
    seconds    REAL NOT NULL,
    PRIMARY KEY (hour, link_id, batch_id)
) STRICT, WITHOUT ROWID;
"];

/// How long a run waits for other jobs that load at the same moment.
const BUSY: Duration = Duration::from_secs(10);

/// A SQLite file with the tables of the batch lane.
pub struct Sqlite {
    connection: Connection,
    path: String,
}

impl Sqlite {
    /// Opens the file, makes it if it is not there, and brings its tables up to date.
    pub fn open(path: &Path) -> Result<Self, WarehouseError> {
        let shown = path.display().to_string();
        let connection = Connection::open(path).map_err(|error| match kind(&error, &shown) {
            WarehouseError::Refused { path, reason } => WarehouseError::CannotOpen { path, reason },
            other => other,
        })?;
        let mut warehouse = Self { connection, path: shown };
        warehouse.prepare()?;
        Ok(warehouse)
    }

    fn prepare(&mut self) -> Result<(), WarehouseError> {
        let path = self.path.clone();
        let wrong = |error: rusqlite::Error| kind(&error, &path);
        self.connection.busy_timeout(BUSY).map_err(wrong)?;
        // A write-ahead log: who reads (a student with a SQL shell) is never blocked by a job, nor blocks it.
        self.connection.pragma_update(None, "journal_mode", "WAL").map_err(wrong)?;
        self.connection.pragma_update(None, "synchronous", "NORMAL").map_err(wrong)?;
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrong)?;
        let found: i64 =
            transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(wrong)?;
        let known = MIGRATIONS.len() as i64;
        if found > known {
            return Err(WarehouseError::TooNew { path: path.clone(), found, known });
        }
        for migration in &MIGRATIONS[found.max(0) as usize..] {
            transaction.execute_batch(migration).map_err(wrong)?;
        }
        transaction.pragma_update(None, "user_version", known).map_err(wrong)?;
        transaction.commit().map_err(wrong)
    }
}

impl Warehouse for Sqlite {
    fn load(&mut self, run: &Run, rows: &Rows) -> Result<u64, WarehouseError> {
        let path = self.path.clone();
        let wrong = |error: rusqlite::Error| kind(&error, &path);
        // Immediate: to wait for the lock at the beginning, where waiting works, and not in the middle, where it is an error.
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrong)?;
        load_rows(&transaction, &run.batch_id, rows).map_err(wrong)?;
        transaction
            .execute(
                "INSERT INTO batch_runs (batch_id, job, window_start, window_end, records, rows, started_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (batch_id) DO UPDATE SET
                    records = excluded.records, rows = excluded.rows, started_at = excluded.started_at",
                params![
                    run.batch_id,
                    run.job,
                    run.window_start.to_string(),
                    run.window_end.to_string(),
                    run.records as i64,
                    rows.len() as i64,
                    run.started_at.to_string(),
                ],
            )
            .map_err(wrong)?;
        transaction.commit().map_err(wrong)?;
        Ok(rows.len() as u64)
    }

    fn finish(
        &mut self,
        batch_id: &str,
        finished_at: Timestamp,
        visible_from: Timestamp,
    ) -> Result<(), WarehouseError> {
        self.connection
            .execute(
                "UPDATE batch_runs SET finished_at = ?2, visible_from = ?3 WHERE batch_id = ?1",
                params![batch_id, finished_at.to_string(), visible_from.to_string()],
            )
            .map(drop)
            .map_err(|error| kind(&error, &self.path))
    }
}

/// Every statement replaces the row of its key, and leaves what this run does not know as it was.
fn load_rows(to: &Transaction<'_>, batch_id: &str, rows: &Rows) -> rusqlite::Result<()> {
    let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let mut trips = to.prepare(
        "INSERT INTO trips VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (trip_id) DO UPDATE SET
            rider_id = COALESCE(excluded.rider_id, rider_id),
            origin_lat = COALESCE(excluded.origin_lat, origin_lat),
            origin_lon = COALESCE(excluded.origin_lon, origin_lon),
            destination_lat = COALESCE(excluded.destination_lat, destination_lat),
            destination_lon = COALESCE(excluded.destination_lon, destination_lon),
            requested_at = COALESCE(excluded.requested_at, requested_at),
            picked_up_at = COALESCE(excluded.picked_up_at, picked_up_at),
            dropped_off_at = COALESCE(excluded.dropped_off_at, dropped_off_at),
            cancelled_at = COALESCE(excluded.cancelled_at, cancelled_at),
            quoted_eta = COALESCE(quoted_eta, excluded.quoted_eta),
            batch_id = excluded.batch_id",
    )?;
    for (trip_id, row) in &rows.trips {
        let trip = row.trip.as_ref();
        trips.execute(params![
            trip_id,
            row.driver_id,
            trip.and_then(|trip| trip.rider_id.as_ref()),
            trip.map(|trip| trip.origin.lat),
            trip.map(|trip| trip.origin.lon),
            trip.map(|trip| trip.destination.lat),
            trip.map(|trip| trip.destination.lon),
            text(row.requested_at),
            text(row.picked_up_at),
            text(row.dropped_off_at),
            text(row.cancelled_at),
            text(row.quoted),
            batch_id,
        ])?;
    }
    let mut swipes = to.prepare(
        "INSERT INTO swipes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (swipe_id) DO UPDATE SET
            ts = COALESCE(excluded.ts, ts),
            terminal_id = COALESCE(excluded.terminal_id, terminal_id),
            amount_cents = COALESCE(excluded.amount_cents, amount_cents),
            currency = COALESCE(excluded.currency, currency),
            category = COALESCE(excluded.category, category),
            lat = COALESCE(excluded.lat, lat),
            lon = COALESCE(excluded.lon, lon),
            decision = COALESCE(excluded.decision, decision),
            probability = COALESCE(excluded.probability, probability),
            batch_id = excluded.batch_id",
    )?;
    for (swipe_id, row) in &rows.swipes {
        let (swipe, said) = (row.swipe.as_ref(), row.decision.as_ref());
        swipes.execute(params![
            swipe_id,
            text(swipe.map(|swipe| swipe.ts).or(said.map(|said| said.ts))),
            row.card_id,
            swipe.map(|swipe| &swipe.terminal_id),
            swipe.map(|swipe| swipe.amount_cents),
            swipe.and_then(|swipe| swipe.currency.as_ref()),
            swipe.and_then(|swipe| swipe.category.as_ref()),
            swipe.and_then(|swipe| swipe.lat),
            swipe.and_then(|swipe| swipe.lon),
            said.map(|said| match said.decision {
                Decision::Approve => "approve",
                Decision::Decline => "decline",
            }),
            said.map(|said| said.probability),
            batch_id,
        ])?;
    }
    let mut chargebacks = to.prepare("INSERT OR REPLACE INTO chargebacks VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (swipe_id, row) in &rows.chargebacks {
        chargebacks.execute(params![swipe_id, row.ts.to_string(), row.card_id, row.terminal_id, batch_id])?;
    }
    let mut items =
        to.prepare("INSERT OR REPLACE INTO item_hours VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?;
    for ((hour, item_id), row) in &rows.item_hours {
        let [views, clicks, hovers, scrolls, carts, purchases] = row.by_kind;
        let hour = hour.to_string();
        items.execute(params![hour, item_id, batch_id, views, clicks, hovers, scrolls, carts, purchases])?;
    }
    let mut links = to.prepare("INSERT OR REPLACE INTO link_hours VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for ((hour, link_id), row) in &rows.link_hours {
        links.execute(params![
            hour.to_string(),
            link_id,
            batch_id,
            row.traversals,
            row.metres,
            row.seconds
        ])?;
    }
    Ok(())
}

fn kind(error: &rusqlite::Error, path: &str) -> WarehouseError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            WarehouseError::Locked { path, seconds: BUSY.as_secs() }
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => WarehouseError::ReadOnly { path },
        Some(ErrorCode::DiskFull) => WarehouseError::Full { path },
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => WarehouseError::NotADatabase { path },
        Some(ErrorCode::CannotOpen) => WarehouseError::CannotOpen { path, reason: error.to_string() },
        _ => WarehouseError::Refused { path, reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use events::{Batched, Chargeback, Click, ClickKind, Event, FraudDecision};
    use rusqlite::types::ValueRef;

    use super::*;
    use crate::lanes::toy::swipe;

    fn run(id: &str) -> Run {
        Run {
            job: "fraud-batch".to_owned(),
            batch_id: id.to_owned(),
            window_start: Timestamp::from_ms(0),
            window_end: Timestamp::from_ms(3_600_000),
            records: 3,
            started_at: Timestamp::from_ms(1),
        }
    }

    fn click(item: &str) -> Event {
        Event::Clicks(Click {
            ts: Timestamp::from_ms(5),
            event_id: None,
            session_id: "x".to_owned(),
            shopper_id: None,
            kind: ClickKind::View,
            item_id: Some(item.to_owned()),
            dwell_ms: None,
            depth: None,
        })
    }

    fn verdict(id: &str) -> Event {
        Event::FraudBatch(Batched {
            answer: FraudDecision {
                ts: Timestamp::from_ms(0),
                swipe_id: id.to_owned(),
                card_id: "c".to_owned(),
                decision: Decision::Decline,
                probability: 0.9,
                reasons: Vec::new(),
                scored_in_us: None,
            },
            batch_id: "b".to_owned(),
            valid_from: Timestamp::from_ms(0),
        })
    }

    fn rows(events: &[Event]) -> Rows {
        let mut rows = Rows::default();
        for event in events {
            rows.add(event);
        }
        rows
    }

    fn cell(value: ValueRef<'_>) -> String {
        match value {
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            other => format!("{other:?}"),
        }
    }

    /// Everything in the tables, as text.
    fn dump(warehouse: &Sqlite) -> Vec<String> {
        let mut all = Vec::new();
        for table in ["batch_runs", "trips", "swipes", "chargebacks", "item_hours", "link_hours"] {
            let mut query =
                warehouse.connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
            let columns = query.column_count();
            let lines = query
                .query_map([], |row| {
                    let cells: Vec<String> = (0..columns).map(|n| cell(row.get_ref(n).unwrap())).collect();
                    Ok(format!("{table}: {}", cells.join(", ")))
                })
                .unwrap();
            all.extend(lines.map(Result::unwrap));
        }
        all
    }

    #[test]
    fn loading_a_run_again_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut warehouse = Sqlite::open(&folder.path().join("w.db")).unwrap();
        let chargeback = Event::Chargebacks(Chargeback {
            ts: Timestamp::from_ms(9),
            swipe_id: "s1".to_owned(),
            card_id: "c".to_owned(),
            terminal_id: "t".to_owned(),
        });
        let rows =
            rows(&[swipe("s1", "c", 100), verdict("s1"), chargeback, click("i1"), click("i1"), click("i2")]);
        assert_eq!(warehouse.load(&run("a"), &rows), Ok(4));
        let once = dump(&warehouse);
        assert_eq!(once.len(), 5, "{once:#?}");
        assert_eq!(warehouse.load(&run("a"), &rows), Ok(4));
        assert_eq!(dump(&warehouse), once);
    }

    #[test]
    fn a_later_run_adds_to_a_row_and_takes_nothing_away() {
        let folder = tempfile::tempdir().unwrap();
        let mut warehouse = Sqlite::open(&folder.path().join("w.db")).unwrap();
        warehouse.load(&run("a"), &rows(&[swipe("s1", "c", 100), click("i1")])).unwrap();
        warehouse.load(&run("b"), &rows(&[verdict("s1"), click("i1")])).unwrap();
        let (amount, decision, by): (i64, String, String) = warehouse
            .connection
            .query_row("SELECT amount_cents, decision, batch_id FROM swipes", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap();
        assert_eq!((amount, decision.as_str(), by.as_str()), (100, "decline", "b"));
        let views: i64 = warehouse
            .connection
            .query_row("SELECT SUM(views) FROM item_hours", [], |row| row.get(0))
            .unwrap();
        assert_eq!(views, 2, "each run has its own share of an hour");
    }

    #[test]
    fn the_run_log_says_when_the_answers_could_be_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.db");
        let mut warehouse = Sqlite::open(&path).unwrap();
        warehouse.load(&run("a"), &Rows::default()).unwrap();
        warehouse.finish("a", Timestamp::from_ms(7), Timestamp::from_ms(8)).unwrap();
        drop(warehouse);
        let warehouse = Sqlite::open(&path).unwrap();
        let line = dump(&warehouse).join("");
        assert!(
            line.contains("1970-01-01T00:00:00.007Z") && line.contains("1970-01-01T00:00:00.008Z"),
            "{line}"
        );
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let not_a_folder = folder.path().join("none").join("w.db");
        let error = Sqlite::open(&not_a_folder).err().unwrap();
        assert!(matches!(error, WarehouseError::CannotOpen { .. }), "{error}");

        let text = folder.path().join("text.db");
        std::fs::write(&text, "this is a shopping list, and a rather long one at that".repeat(30)).unwrap();
        let error = Sqlite::open(&text).err().unwrap();
        assert!(matches!(error, WarehouseError::NotADatabase { .. }), "{error}");

        let newer = folder.path().join("newer.db");
        Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = Sqlite::open(&newer).err().unwrap();
        assert!(error.to_string().contains("schema 99, this program knows 1"), "{error}");
    }

    #[test]
    fn a_lock_that_somebody_keeps_is_an_error_with_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.db");
        let mut warehouse = Sqlite::open(&path).unwrap();
        warehouse.connection.busy_timeout(Duration::ZERO).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let error = warehouse.load(&run("a"), &Rows::default()).unwrap_err();
        assert!(matches!(error, WarehouseError::Locked { .. }), "{error}");
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(warehouse.load(&run("a"), &Rows::default()), Ok(0));
    }
}
