//! The warehouse in a Postgres database: what a data engineer has at work.
//!
//! The tables and their meaning are those of the SQLite file; instants are `timestamptz` here. Rows
//! are handed over as arrays, a column each, which `UNNEST` makes a table of again: one round trip
//! for thousands of rows, and still an upsert.
//!
//! A server goes away and comes back. A connection that broke is dropped, and the next call makes a
//! new one; the caller decides how long to try.

use std::error::Error as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use events::Timestamp;
use postgres::error::SqlState;
use postgres::types::{ToSql, Type};
use postgres::{Client, Config, NoTls, Row, Transaction};
use processor::mart::{Cell, Kind, Mart, Table};

use super::schema::{self, Dialect};
use super::{Run, TableRows, Warehouse, WarehouseError, sql};

/// How long it may take until a server answers at all.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a run waits for other jobs that load at the same moment.
const BUSY: Duration = Duration::from_secs(10);
/// A server that has not acknowledged a byte for so long is gone.
const GONE: Duration = Duration::from_secs(30);
/// Rows handed over by one statement.
const CHUNK: usize = 10_000;
/// The key of the lock under which tables are made: any number that no other program uses.
const MIGRATION_LOCK: i64 = 0x66_72_65_73_68_65_74;

const DIALECT: Dialect =
    Dialect { instant: "TIMESTAMPTZ", integer: "BIGINT", real: "DOUBLE PRECISION", strict: "", by_key: "" };

/// A Postgres database with the tables of the batch lane.
pub struct Postgres {
    config: Config,
    marts: Vec<&'static Mart>,
    /// The address without its password, for sentences.
    shown: String,
    client: Option<Client>,
}

impl Postgres {
    /// Connects to `postgres://user:password@host:port/name`, and brings the tables up to date.
    /// Without a password in the address, `PGPASSWORD` counts.
    pub fn open(url: &str, marts: &[&'static Mart]) -> Result<Self, WarehouseError> {
        let mut config: Config = url.parse().map_err(|error: postgres::Error| WarehouseError::NoAddress {
            database: without_password(url),
            reason: reason(&error),
        })?;
        if config.get_hosts().is_empty() {
            config.host("localhost");
        }
        if config.get_password().is_none()
            && let Ok(password) = std::env::var("PGPASSWORD")
        {
            config.password(password);
        }
        config.connect_timeout(CONNECT).tcp_user_timeout(GONE).application_name("freshet");
        let mut warehouse =
            Self { config, marts: marts.to_vec(), shown: without_password(url), client: None };
        warehouse.connected()?;
        Ok(warehouse)
    }

    fn connected(&mut self) -> Result<&mut Client, WarehouseError> {
        if self.client.as_ref().is_some_and(Client::is_closed) {
            self.client = None;
        }
        if self.client.is_none() {
            let wrong = |error: postgres::Error| kind(&error, &self.shown);
            let mut client = self.config.connect(NoTls).map_err(wrong)?;
            let patience =
                format!("SET lock_timeout = '{}s'; SET client_min_messages = warning", BUSY.as_secs());
            client.batch_execute(&patience).map_err(wrong)?;
            prepare(&mut client, &self.marts, &self.shown)?;
            self.client = Some(client);
        }
        Ok(self.client.as_mut().expect("connected above"))
    }

    /// Does something with a connection. One that broke on the way is dropped: the next call makes
    /// another.
    fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Client) -> Result<T, postgres::Error>,
    ) -> Result<T, WarehouseError> {
        let done = work(self.connected()?);
        done.map_err(|error| {
            let error = kind(&error, &self.shown);
            if error.is_outage() {
                self.client = None;
            }
            error
        })
    }
}

/// Brings the tables up to date. Several jobs may try at once; one does it.
fn prepare(client: &mut Client, marts: &[&'static Mart], shown: &str) -> Result<(), WarehouseError> {
    let wrong = |error: postgres::Error| kind(&error, shown);
    let known = schema::version(marts);
    if let Some(found) = version(client).map_err(wrong)? {
        if found > known {
            return Err(WarehouseError::TooNew { database: shown.to_owned(), found, known });
        }
        if found == known {
            return Ok(());
        }
    }
    let mut transaction = client.transaction().map_err(wrong)?;
    transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).map_err(wrong)?;
    transaction
        .batch_execute("CREATE TABLE IF NOT EXISTS freshet_schema (version BIGINT NOT NULL)")
        .map_err(wrong)?;
    let found = transaction
        .query_opt("SELECT version FROM freshet_schema", &[])
        .map_err(wrong)?
        .map_or(0, |row| row.get::<_, i64>(0));
    for step in DIALECT.migrations(marts, found) {
        transaction.batch_execute(&step).map_err(wrong)?;
    }
    transaction.execute("DELETE FROM freshet_schema", &[]).map_err(wrong)?;
    transaction
        .execute("INSERT INTO freshet_schema (version) VALUES ($1)", &[&known.max(found)])
        .map_err(wrong)?;
    transaction.commit().map_err(wrong)
}

/// The version of the tables; none where there are none of ours.
fn version(client: &mut Client) -> Result<Option<i64>, postgres::Error> {
    let there = client.query_one("SELECT to_regclass('freshet_schema') IS NOT NULL", &[])?;
    if !there.get::<_, bool>(0) {
        return Ok(None);
    }
    Ok(client.query_opt("SELECT version FROM freshet_schema", &[])?.map(|row| row.get(0)))
}

impl Warehouse for Postgres {
    fn load(&mut self, run: &Run, rows: &TableRows) -> Result<u64, WarehouseError> {
        self.with(|client| {
            let mut transaction = client.transaction()?;
            for (table, rows) in rows.tables() {
                load_table(&mut transaction, &run.batch_id, table, rows)?;
            }
            load_run(&mut transaction, run, rows.len())?;
            transaction.commit()?;
            Ok(rows.len() as u64)
        })
    }

    fn finish(
        &mut self,
        batch_id: &str,
        finished_at: Timestamp,
        visible_from: Timestamp,
    ) -> Result<(), WarehouseError> {
        self.with(|client| {
            client.execute(sql::FINISH, &[&system_time(finished_at), &system_time(visible_from), &batch_id])
        })
        .map(drop)
    }

    fn query(
        &mut self,
        sql: &str,
        values: &[Cell],
        kinds: &[Kind],
    ) -> Result<Vec<Vec<Cell>>, WarehouseError> {
        let values: Vec<_> = values.iter().map(boxed).collect();
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(AsRef::as_ref).collect();
        self.with(|client| {
            let rows = client.query(sql, &values)?;
            rows.iter()
                .map(|row| kinds.iter().enumerate().map(|(place, kind)| read(row, place, *kind)).collect())
                .collect()
        })
    }
}

fn load_table(
    to: &mut Transaction<'_>,
    batch_id: &str,
    table: &Table,
    rows: &[Vec<Cell>],
) -> Result<(), postgres::Error> {
    if table.by_run {
        to.execute(&sql::clear(table), &[&batch_id])?;
    }
    if rows.is_empty() {
        return Ok(());
    }
    let arrays: Vec<_> = table
        .columns
        .iter()
        .enumerate()
        .map(|(n, column)| format!("${}::{}", n + 1, array_type(column.kind)))
        .collect();
    let upsert = to.prepare(&sql::upsert(table, &format!("SELECT * FROM UNNEST({})", arrays.join(", "))))?;
    for chunk in rows.chunks(CHUNK) {
        let columns: Vec<_> = (0..table.columns.len())
            .map(|place| array(table.columns[place].kind, chunk.iter().map(|row| &row[place])))
            .collect();
        let columns: Vec<&(dyn ToSql + Sync)> = columns.iter().map(AsRef::as_ref).collect();
        to.execute(&upsert, &columns)?;
    }
    Ok(())
}

fn load_run(to: &mut Transaction<'_>, run: &Run, rows: usize) -> Result<(), postgres::Error> {
    to.execute(
        sql::RUN,
        &[
            &run.batch_id,
            &run.job,
            &system_time(run.window_start),
            &system_time(run.window_end),
            &(run.records as i64),
            &(rows as i64),
            &system_time(run.started_at),
        ],
    )?;
    to.execute(sql::CLEAR_OFFSETS, &[&run.batch_id])?;
    let offsets = to.prepare(sql::OFFSETS)?;
    for read in &run.offsets {
        let partition = i64::from(read.partition);
        to.execute(&offsets, &[&run.batch_id, &read.topic.name(), &partition, &read.settled, &read.end])?;
    }
    Ok(())
}

fn array_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text[]",
        Kind::Instant => "timestamptz[]",
        Kind::Integer => "bigint[]",
        Kind::Real => "float8[]",
    }
}

/// One column of many rows. A cell of another kind than its column's can't be: `tables.rs` makes
/// them.
fn array<'a>(kind: Kind, cells: impl Iterator<Item = &'a Cell>) -> Box<dyn ToSql + Sync> {
    match kind {
        Kind::Text => Box::new(cells.map(|cell| cell.text().map(ToOwned::to_owned)).collect::<Vec<_>>()),
        Kind::Instant => Box::new(cells.map(|cell| cell.instant().map(system_time)).collect::<Vec<_>>()),
        Kind::Integer => Box::new(cells.map(Cell::integer).collect::<Vec<_>>()),
        Kind::Real => Box::new(cells.map(Cell::real).collect::<Vec<_>>()),
    }
}

fn boxed(cell: &Cell) -> Box<dyn ToSql + Sync> {
    match cell {
        Cell::Null => Box::new(None::<String>),
        Cell::Text(text) => Box::new(text.clone()),
        Cell::Instant(at) => Box::new(system_time(*at)),
        Cell::Integer(number) => Box::new(*number),
        Cell::Real(number) => Box::new(*number),
    }
}

fn read(row: &Row, place: usize, kind: Kind) -> Result<Cell, postgres::Error> {
    Ok(match kind {
        Kind::Text => row.try_get::<_, Option<String>>(place)?.as_ref().into(),
        Kind::Integer if *row.columns()[place].type_() == Type::INT4 => {
            row.try_get::<_, Option<i32>>(place)?.map(i64::from).into()
        }
        Kind::Integer => row.try_get::<_, Option<i64>>(place)?.into(),
        Kind::Real => row.try_get::<_, Option<f64>>(place)?.into(),
        Kind::Instant => row.try_get::<_, Option<SystemTime>>(place)?.map(timestamp).into(),
    })
}

fn system_time(at: Timestamp) -> SystemTime {
    let ms = Duration::from_millis(at.ms().unsigned_abs());
    if at.ms() < 0 { UNIX_EPOCH - ms } else { UNIX_EPOCH + ms }
}

fn timestamp(at: SystemTime) -> Timestamp {
    Timestamp::from_ms(match at.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_millis() as i64,
        Err(before) => -(before.duration().as_millis() as i64),
    })
}

/// `postgres://user:secret@host/name` without the secret.
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((user, place)) = rest.rsplit_once('@') else { return url.to_owned() };
    let user = user.split(':').next().unwrap_or_default();
    format!("{scheme}://{user}@{place}")
}

fn kind(error: &postgres::Error, shown: &str) -> WarehouseError {
    let database = shown.to_owned();
    let Some(code) = error.code() else {
        // Not the server's word: the network's, or the client's own.
        let network =
            error.is_closed() || error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
        let reason = reason(error);
        return if network || reason.contains("timed out") {
            WarehouseError::Down { database, reason }
        } else {
            WarehouseError::Refused { database, reason }
        };
    };
    let class = &code.code()[..2];
    if *code == SqlState::DISK_FULL {
        WarehouseError::Full { database }
    } else if [SqlState::READ_ONLY_SQL_TRANSACTION, SqlState::INSUFFICIENT_PRIVILEGE].contains(code) {
        let remedy = "connect to the primary as a user who may create tables and write";
        WarehouseError::ReadOnly { database, remedy }
    } else if [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
    ]
    .contains(code)
    {
        WarehouseError::Locked { database, seconds: BUSY.as_secs() }
    } else if ["08", "53", "57"].contains(&class) {
        // Connection exceptions, too many clients, a server that shuts down or starts up.
        WarehouseError::Down { database, reason: reason(error) }
    } else if class == "28" || *code == SqlState::UNDEFINED_DATABASE {
        WarehouseError::CannotOpen { database, reason: reason(error) }
    } else {
        WarehouseError::Refused { database, reason: reason(error) }
    }
}

/// The innermost reason: what wraps it says little.
fn reason(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => said.message().to_owned(),
        None => error.source().map_or_else(|| error.to_string(), ToString::to_string),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy::MARTS;

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://me:secret@db:5432/shop", "postgres://me@db:5432/shop"),
            ("postgres://me:se@cret@db/shop", "postgres://me@db/shop"),
            ("postgres://me@db/shop", "postgres://me@db/shop"),
            ("postgres://db/shop", "postgres://db/shop"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn instants_survive_the_way_there_and_back() {
        for ms in [-1, 0, 1_772_535_600_123] {
            assert_eq!(timestamp(system_time(Timestamp::from_ms(ms))).ms(), ms);
        }
    }

    #[test]
    fn who_does_not_answer_is_down_and_may_come_back() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("postgres://me:secret@127.0.0.1:{free}/shop");
        let error = Postgres::open(&url, &MARTS).err().unwrap();
        assert!(error.is_transient() && error.is_outage(), "{error:?}");
        let said = error.to_string();
        assert!(said.contains("cannot reach the database") && said.contains("refused"), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }

    #[test]
    fn an_address_that_is_none_says_how_one_is_written() {
        let error = Postgres::open("postgres://me@db:port/shop", &MARTS).err().unwrap();
        assert!(error.to_string().contains("postgres://user@host:5432/name"), "{error}");
    }
}
