//! The warehouse in a SQLite file.

use std::path::Path;
use std::time::Duration;

use events::Timestamp;
use processor::mart::{Cell, Kind, Mart};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, Row, ToSql, Transaction, TransactionBehavior, params, params_from_iter,
};

use super::schema::{self, Dialect};
use super::{Run, TableRows, Warehouse, WarehouseError, sql};

/// How long a run waits for other jobs that load at the same moment.
const BUSY: Duration = Duration::from_secs(10);

const DIALECT: Dialect = Dialect {
    instant: "TEXT",
    integer: "INTEGER",
    real: "REAL",
    strict: " STRICT",
    by_key: " STRICT, WITHOUT ROWID",
};

/// A SQLite file with the tables of the batch lane.
pub struct Sqlite {
    connection: Connection,
    path: String,
}

impl Sqlite {
    /// Opens the file, makes it if it is not there, and brings its tables up to date.
    pub fn open(path: &Path, marts: &[&'static Mart]) -> Result<Self, WarehouseError> {
        let shown = path.display().to_string();
        let connection = Connection::open(path).map_err(|error| {
            let error = kind(&error, &shown);
            if let WarehouseError::Refused { database, reason } = error {
                WarehouseError::CannotOpen { database, reason }
            } else {
                error
            }
        })?;
        let mut warehouse = Self { connection, path: shown };
        warehouse.prepare(marts)?;
        Ok(warehouse)
    }

    /// Opens a file that can't be written. None if its tables are not up to date, which can't be
    /// mended there.
    pub(super) fn open_to_read(path: &Path, marts: &[&'static Mart]) -> Result<Option<Self>, WarehouseError> {
        let shown = path.display().to_string();
        let wrong = |error: rusqlite::Error| kind(&error, &shown);
        // Without a log beside it the file holds everything, and a file that can't be written does
        // not change while it is read.
        let log = std::fs::metadata(format!("{shown}-wal")).is_ok_and(|log| log.len() > 0);
        let uri = format!("file:{}?immutable={}", escaped(&shown), u8::from(!log));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(uri, flags).map_err(wrong)?;
        let current = version(&connection).map_err(wrong)? == schema::version(marts);
        Ok(current.then_some(Self { connection, path: shown }))
    }

    fn prepare(&mut self, marts: &[&'static Mart]) -> Result<(), WarehouseError> {
        let path = self.path.clone();
        let wrong = |error: rusqlite::Error| kind(&error, &path);
        self.connection.busy_timeout(BUSY).map_err(wrong)?;
        let found = version(&self.connection).map_err(wrong)?;
        let known = schema::version(marts);
        if found > known {
            return Err(WarehouseError::TooNew { database: path.clone(), found, known });
        }
        // A write-ahead log: who reads (a student with a SQL shell) is never blocked by a job, nor
        // blocks it.
        self.connection.pragma_update(None, "journal_mode", "WAL").map_err(wrong)?;
        self.connection.pragma_update(None, "synchronous", "NORMAL").map_err(wrong)?;
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrong)?;
        // Looked up again: another job may have done it while this one waited for the lock.
        let found = version(&transaction).map_err(wrong)?;
        for step in DIALECT.migrations(marts, found) {
            transaction.execute_batch(&step).map_err(wrong)?;
        }
        transaction.pragma_update(None, "user_version", known.max(found)).map_err(wrong)?;
        transaction.commit().map_err(wrong)
    }
}

/// A path as a URI has it (RFC 3986, section 2.1).
fn escaped(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    path.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

impl Warehouse for Sqlite {
    fn load(&mut self, run: &Run, rows: &TableRows) -> Result<u64, WarehouseError> {
        let path = self.path.clone();
        let wrong = |error: rusqlite::Error| kind(&error, &path);
        // Immediate: to wait for the lock at the beginning, where waiting works, and not in the
        // middle, where it is an error.
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrong)?;
        load_rows(&transaction, &run.batch_id, rows).map_err(wrong)?;
        load_run(&transaction, run, rows.len()).map_err(wrong)?;
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
            .execute(sql::FINISH, params![finished_at.to_string(), visible_from.to_string(), batch_id])
            .map(drop)
            .map_err(|error| kind(&error, &self.path))
    }

    fn query(
        &mut self,
        sql: &str,
        values: &[Cell],
        kinds: &[Kind],
    ) -> Result<Vec<Vec<Cell>>, WarehouseError> {
        let wrong = |error: rusqlite::Error| kind(&error, &self.path);
        let mut query = self.connection.prepare(sql).map_err(wrong)?;
        let rows = query
            .query_map(params_from_iter(values.iter().map(Parameter)), |row| {
                kinds.iter().enumerate().map(|(place, kind)| read(row, place, *kind)).collect()
            })
            .map_err(wrong)?;
        rows.collect::<rusqlite::Result<_>>().map_err(wrong)
    }
}

fn load_rows(to: &Transaction<'_>, batch_id: &str, rows: &TableRows) -> rusqlite::Result<()> {
    for (table, rows) in rows.tables() {
        if table.by_run {
            to.execute(&sql::clear(table), [batch_id])?;
        }
        let marks: Vec<_> = (1..=table.columns.len()).map(|n| format!("${n}")).collect();
        let mut upsert = to.prepare(&sql::upsert(table, &format!("VALUES ({})", marks.join(", "))))?;
        for row in rows {
            upsert.execute(params_from_iter(row.iter().map(Parameter)))?;
        }
    }
    Ok(())
}

fn load_run(to: &Transaction<'_>, run: &Run, rows: usize) -> rusqlite::Result<()> {
    let line = params![
        run.batch_id,
        run.job,
        run.window_start.to_string(),
        run.window_end.to_string(),
        run.records as i64,
        rows as i64,
        run.started_at.to_string(),
    ];
    to.execute(sql::RUN, line)?;
    to.execute(sql::CLEAR_OFFSETS, [&run.batch_id])?;
    let mut offsets = to.prepare(sql::OFFSETS)?;
    for read in &run.offsets {
        offsets.execute(params![run.batch_id, read.topic.name(), read.partition, read.settled, read.end])?;
    }
    Ok(())
}

/// A cell as SQLite takes it.
struct Parameter<'a>(&'a Cell);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Cell::Null => ToSqlOutput::Owned(Value::Null),
            Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Cell::Instant(at) => ToSqlOutput::Owned(Value::Text(at.to_string())),
            Cell::Integer(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Cell::Real(number) => ToSqlOutput::Owned(Value::Real(*number)),
        })
    }
}

fn read(row: &Row<'_>, place: usize, kind: Kind) -> rusqlite::Result<Cell> {
    Ok(match kind {
        Kind::Text => row.get::<_, Option<String>>(place)?.as_ref().into(),
        Kind::Integer => row.get::<_, Option<i64>>(place)?.into(),
        Kind::Real => row.get::<_, Option<f64>>(place)?.into(),
        // Somebody else's text where an instant should be is unknown to us.
        Kind::Instant => {
            row.get::<_, Option<String>>(place)?.and_then(|text| text.parse::<Timestamp>().ok()).into()
        }
    })
}

fn kind(error: &rusqlite::Error, path: &str) -> WarehouseError {
    let database = path.to_owned();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            WarehouseError::Locked { database, seconds: BUSY.as_secs() }
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            WarehouseError::ReadOnly { database, remedy: "make the file and its folder writable" }
        }
        Some(ErrorCode::DiskFull) => WarehouseError::Full { database },
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            WarehouseError::NotADatabase { database }
        }
        Some(ErrorCode::CannotOpen) => cannot_open(database),
        _ => WarehouseError::Refused { database, reason: error.to_string() },
    }
}

/// SQLite says no more than that it can't open a file: the system says why.
fn cannot_open(database: String) -> WarehouseError {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    match std::fs::OpenOptions::new().append(true).create(true).open(&database) {
        Err(error) if matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem) => {
            WarehouseError::ReadOnly { database, remedy: "make the file and its folder writable" }
        }
        Err(error) => WarehouseError::CannotOpen { database, reason: error.to_string() },
        // The file is well, so it is the log beside it that can't be made.
        Ok(_) => WarehouseError::ReadOnly { database, remedy: "make the file's folder writable" },
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{count, rows, run, swipes};
    use super::*;
    use crate::toy::MARTS;

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let not_a_folder = folder.path().join("none").join("w.db");
        let error = Sqlite::open(&not_a_folder, &MARTS).err().unwrap();
        assert!(matches!(error, WarehouseError::CannotOpen { .. }), "{error}");
        assert!(error.to_string().contains("No such file or directory"), "{error}");
        let error = Sqlite::open(folder.path(), &MARTS).err().unwrap();
        assert!(error.to_string().contains("Is a directory") && !error.is_transient(), "{error}");

        let text = folder.path().join("text.db");
        std::fs::write(&text, "this is a shopping list, and a rather long one at that".repeat(30)).unwrap();
        let error = Sqlite::open(&text, &MARTS).err().unwrap();
        assert!(matches!(error, WarehouseError::NotADatabase { .. }) && !error.is_transient(), "{error}");

        let newer = folder.path().join("newer.db");
        Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let error = Sqlite::open(&newer, &MARTS).err().unwrap();
        assert!(error.to_string().contains("schema 99, this program knows 2"), "{error}");
        assert!(!error.is_transient(), "it stays newer however often one looks");
    }

    #[test]
    fn a_file_of_the_first_version_is_brought_up_to_date_with_its_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.db");
        let old = Connection::open(&path).unwrap();
        let first = DIALECT.migrations(&MARTS, 0).next().unwrap();
        old.execute_batch(&first).unwrap();
        old.execute_batch(
            "INSERT INTO swipes (swipe_id, card_id, batch_id) VALUES ('old', 'c', 'a');
             INSERT INTO batch_runs VALUES ('a', 'j', '1970-01-01T00:00:00.000Z', '1970-01-01T01:00:00.000Z', 1, 1, '1970-01-01T00:00:00.000Z', NULL, NULL);
             PRAGMA user_version = 1;",
        )
        .unwrap();
        drop(old);
        let mut warehouse = Sqlite::open(&path, &MARTS).unwrap();
        assert_eq!(version(&warehouse.connection).unwrap(), 2);
        warehouse.load(&run("b"), &rows("b", &swipes(3))).unwrap();
        assert_eq!(count(&mut warehouse, "swipes"), 4);
        let found =
            super::super::runs_near(&mut warehouse, "j", Timestamp::from_ms(0), Timestamp::from_ms(1))
                .unwrap();
        assert_eq!(
            (found[0].attempts, found[0].offsets.len()),
            (1, 0),
            "what was not written down is not known"
        );
        drop(warehouse);
        assert!(Sqlite::open(&path, &MARTS).is_ok(), "and once more, with nothing to do");
    }

    #[test]
    fn a_lock_that_somebody_keeps_is_an_error_with_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.db");
        let mut warehouse = Sqlite::open(&path, &MARTS).unwrap();
        warehouse.connection.busy_timeout(Duration::ZERO).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let error = warehouse.load(&run("a"), &TableRows::default()).unwrap_err();
        assert!(matches!(error, WarehouseError::Locked { .. }) && error.is_transient(), "{error}");
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(warehouse.load(&run("a"), &TableRows::default()), Ok(0));
    }

    #[test]
    fn a_full_disk_takes_nothing_of_a_run_and_all_of_it_later() {
        let folder = tempfile::tempdir().unwrap();
        let mut warehouse = Sqlite::open(&folder.path().join("w.db"), &MARTS).unwrap();
        let pages: i64 =
            warehouse.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        // SQLite says of a file that may not grow what it says of a disk that can't.
        let room = |warehouse: &Sqlite, pages: i64| {
            warehouse
                .connection
                .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0))
                .unwrap()
        };
        room(&warehouse, pages + 2);
        let rows = rows("a", &swipes(5_000));
        let error = warehouse.load(&run("a"), &rows).unwrap_err();
        assert!(matches!(error, WarehouseError::Full { .. }) && error.is_transient(), "{error}");
        assert_eq!((count(&mut warehouse, "swipes"), count(&mut warehouse, "batch_runs")), (0, 0));
        room(&warehouse, 1_000_000);
        assert_eq!(warehouse.load(&run("a"), &rows), Ok(5_000));
        assert_eq!(count(&mut warehouse, "swipes"), 5_000);
    }

    #[test]
    fn a_file_on_a_medium_that_cannot_be_written_is_read_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("100 % read? only.db");
        let mut warehouse = Sqlite::open(&path, &MARTS).unwrap();
        warehouse.load(&run("a"), &rows("a", &swipes(3))).unwrap();
        drop(warehouse);
        let mut readable = Sqlite::open_to_read(&path, &MARTS).unwrap().unwrap();
        assert_eq!(count(&mut readable, "swipes"), 3);
        let error = readable.load(&run("b"), &rows("b", &swipes(4))).unwrap_err();
        assert!(matches!(error, WarehouseError::ReadOnly { .. }), "{error}");
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 1).unwrap();
        assert!(
            Sqlite::open_to_read(&path, &MARTS).unwrap().is_none(),
            "an older schema would have to be written"
        );
    }

    #[test]
    fn a_file_that_cannot_be_written_says_so_and_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.db");
        let mut warehouse = Sqlite::open(&path, &MARTS).unwrap();
        warehouse.load(&run("a"), &rows("a", &swipes(1))).unwrap();
        // Tests may run as root, whom no file's mode stops; SQLite's own switch gives the same
        // error.
        warehouse.connection.pragma_update(None, "query_only", true).unwrap();
        let error = warehouse.load(&run("b"), &rows("b", &swipes(2))).unwrap_err();
        assert!(error.to_string().contains("make the file and its folder writable"), "{error}");
        assert!(error.is_transient(), "somebody may mend it");
        assert_eq!(count(&mut warehouse, "swipes"), 1);
        warehouse.connection.pragma_update(None, "query_only", false).unwrap();
        assert_eq!(warehouse.load(&run("b"), &rows("b", &swipes(2))), Ok(2));
    }
}
