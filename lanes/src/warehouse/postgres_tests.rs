//! Postgres: what holds for every database, and what can happen to a server.

use super::postgres_server::PostgresServer;
use super::tests::{DIAL, answers_questions, corrects_rows, count, keeps_its_promises, rows, run, swipes};
use super::*;
use crate::toy::MARTS;

/// One server for all: starting one takes longer than all these checks.
#[test]
fn postgres_keeps_its_promises() {
    let server = PostgresServer::start();
    keeps_its_promises(&mut *open(&server.database("promises"), &MARTS).unwrap());
    answers_questions(&mut *open(&server.database("questions"), &MARTS).unwrap());
    corrects_rows(open(&server.database("corrected"), &[&DIAL]).unwrap());
    more_rows_than_one_statement_takes(&server);
    a_server_that_went_away_is_found_again(&server);
    an_older_schema_is_brought_up_to_date(&server);
    a_newer_schema_is_refused(&server);
    a_full_disk_takes_nothing(&server);
    a_database_that_cannot_be_written_says_so(&server);
    who_is_not_let_in_is_told_why(&server);
    several_jobs_may_make_the_tables_at_once(&server);
}

fn more_rows_than_one_statement_takes(server: &PostgresServer) {
    let mut warehouse = open(&server.database("many"), &MARTS).unwrap();
    assert_eq!(warehouse.load(&run("a"), &rows("a", &swipes(25_000))), Ok(25_000));
    assert_eq!(count(&mut *warehouse, "swipes"), 25_000);
}

fn a_server_that_went_away_is_found_again(server: &PostgresServer) {
    let mut warehouse = open(&server.database("away"), &MARTS).unwrap();
    warehouse.load(&run("a"), &rows("a", &swipes(2))).unwrap();
    server.down();
    let error = warehouse.load(&run("b"), &rows("b", &swipes(5))).unwrap_err();
    assert!(error.is_outage() && error.is_transient(), "{error:?}");
    assert!(error.to_string().contains("start it, or name another"), "{error}");
    server.up();
    assert_eq!(warehouse.load(&run("b"), &rows("b", &swipes(5))), Ok(5), "the same handle finds it again");
    assert_eq!(count(&mut *warehouse, "swipes"), 5);
}

fn an_older_schema_is_brought_up_to_date(server: &PostgresServer) {
    let url = server.database("older");
    drop(open(&url, &MARTS).unwrap());
    // Back to what the first version made.
    server.sql(
        "older",
        "DROP TABLE batch_offsets; ALTER TABLE batch_runs DROP COLUMN attempts; DROP INDEX swipes_by_ts, item_hours_by_run, link_hours_by_run;
         UPDATE freshet_schema SET version = 1; INSERT INTO swipes (swipe_id, card_id, batch_id) VALUES ('old', 'c', 'a')",
    );
    let mut warehouse = open(&url, &MARTS).unwrap();
    warehouse.load(&run("a"), &rows("a", &swipes(3))).unwrap();
    assert_eq!(count(&mut *warehouse, "swipes"), 4, "with the rows that it had");
}

fn a_newer_schema_is_refused(server: &PostgresServer) {
    let url = server.database("newer");
    drop(open(&url, &MARTS).unwrap());
    server.sql("newer", "UPDATE freshet_schema SET version = 99");
    let error = open(&url, &MARTS).err().unwrap();
    assert!(error.to_string().contains("schema 99, this program knows 2"), "{error}");
    assert!(!error.is_transient());
}

fn a_full_disk_takes_nothing(server: &PostgresServer) {
    let url = server.database("full_disk");
    let mut warehouse = open(&url, &MARTS).unwrap();
    // What Postgres says when the file system is full, at the last row.
    server.sql(
        "full_disk",
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
         CREATE TRIGGER no_room BEFORE INSERT ON batch_runs FOR EACH ROW EXECUTE FUNCTION no_room()",
    );
    let error = warehouse.load(&run("a"), &rows("a", &swipes(9))).unwrap_err();
    assert!(matches!(error, WarehouseError::Full { .. }) && error.is_transient(), "{error:?}");
    assert_eq!(count(&mut *warehouse, "swipes"), 0, "all or nothing");
    server.sql("full_disk", "DROP TRIGGER no_room ON batch_runs");
    assert_eq!(warehouse.load(&run("a"), &rows("a", &swipes(9))), Ok(9));
}

fn a_database_that_cannot_be_written_says_so(server: &PostgresServer) {
    let url = server.database("read_only");
    drop(open(&url, &MARTS).unwrap());
    server.sql("postgres", "ALTER DATABASE read_only SET default_transaction_read_only = on");
    let mut warehouse = open(&url, &MARTS).unwrap();
    let error = warehouse.load(&run("a"), &rows("a", &swipes(1))).unwrap_err();
    assert!(error.to_string().contains("connect to the primary as a user who may"), "{error}");
    assert_eq!(count(&mut *warehouse, "swipes"), 0, "it can be read");
}

fn who_is_not_let_in_is_told_why(server: &PostgresServer) {
    let url = server.database("there").replace("there", "not_there");
    let error = open(&url, &MARTS).err().unwrap();
    assert!(matches!(error, WarehouseError::CannotOpen { .. }) && !error.is_transient(), "{error:?}");
    assert!(error.to_string().contains("\"not_there\" does not exist"), "{error}");
}

fn several_jobs_may_make_the_tables_at_once(server: &PostgresServer) {
    let url = server.database("crowd");
    std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..4).map(|_| scope.spawn(|| open(&url, &MARTS).map(drop))).collect();
        for job in jobs {
            assert_eq!(job.join().unwrap(), Ok(()));
        }
    });
}
