//! The batch lane as a person, or a scheduler, runs it: commands, files, exit codes, SIGKILL.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]
#![expect(clippy::disallowed_methods, reason = "a test of the whole program measures wall-clock time")]

mod common;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::postgres_server::PostgresServer;
use common::{Broker, freshet, lines};
use serde_json::Value;

/// How long anything here may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_mins(1);
const ELEVEN: &str = "2026-03-03T11:00Z..2026-03-03T12:00Z";

/// A program that is killed when the test is done with it.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn output(command: &mut Command) -> Output {
    command.stdin(Stdio::null()).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The swipes on a topic, how often each, whose event time begins with `at`.
fn swipes(broker: &Broker, topic: &str, at: &str) -> HashMap<String, u32> {
    let recorded = output(freshet().args(["record", topic, "--bootstrap-servers", &broker.address]));
    let mut times = HashMap::new();
    for line in recorded.stdout.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let line: Value = serde_json::from_slice(line).unwrap();
        if line["value"]["ts"].as_str().unwrap().starts_with(at) {
            *times.entry(line["value"]["swipe_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    times
}

/// A broker that holds the swipes from a quarter to eleven until some minutes past noon.
fn broker_with_swipes(folder: &Path) -> Broker {
    let broker = Broker::start(&folder.join("log"));
    let mut producer = freshet()
        .args(["produce", "swipes", "--speed", "3600", "--bootstrap-servers", &broker.address])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while swipes(&broker, "card_swipes", "2026-03-03T12:0").is_empty()
        || swipes(&broker, "card_swipes", "2026-03-03T12:05").is_empty()
    {
        assert!(began.elapsed() < PATIENCE, "no swipes past noon");
    }
    producer.kill().unwrap();
    producer.wait().unwrap();
    broker
}

fn batch(broker: &Broker, database: &str) -> Command {
    let mut command = freshet();
    command.args(["batch", "fraud", "--bootstrap-servers", &broker.address, "--database", database]);
    command
}

/// What the report says in JSON lines of the kind `kind`.
fn report(database: &str, kind: &str) -> Vec<Value> {
    let ran =
        output(freshet().args(["report", "--database", database, "--window", ELEVEN, "--format", "jsonl"]));
    assert!(ran.status.success(), "{}", stderr(&ran));
    let lines = ran.stdout.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice::<Value>(line).unwrap())
        .filter(|line| line["type"] == kind)
        .collect()
}

#[test]
fn a_job_that_is_killed_again_and_again_loads_each_row_once_and_answers_once() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker_with_swipes(folder.path());
    let database = folder.path().join("w.sqlite").to_str().unwrap().to_owned();
    let is_open = || Path::new(&database).exists();
    killed_again_and_again(&broker, &database, None, &is_open, &|| !report(&database, "run").is_empty());
}

#[test]
fn a_job_that_is_killed_again_and_again_loads_each_row_once_into_postgres() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker_with_swipes(folder.path());
    let server = PostgresServer::start();
    let database = server.database("shop");
    // Its connection is seen before it has made a table.
    let is_open = || {
        server.holds(
            "shop",
            "SELECT 1 FROM pg_stat_activity WHERE datname = 'shop' AND pid <> pg_backend_pid()",
        )
    };
    let has_loaded = || server.holds("shop", "SELECT 1 FROM batch_runs");
    killed_again_and_again(&broker, &database, Some(&server), &is_open, &has_loaded);
}

/// Keeps a run from writing its line in the run log for as long as it is held: it stands still in
/// its transaction, with all its rows in it.
fn held_up(server: &PostgresServer) -> impl Sized {
    let mut other = server.session("shop");
    other.batch_execute("BEGIN; LOCK TABLE batch_runs IN SHARE MODE").unwrap();
    other
}

fn is_held_up(server: &PostgresServer) -> bool {
    server.holds("shop", "SELECT 1 FROM pg_locks WHERE relation = 'batch_runs'::regclass AND NOT granted")
}

/// SIGKILL when the job opens the database, in each of its steps, in the transaction of a server,
/// and when its answers come out; then twice to the end.
fn killed_again_and_again(
    broker: &Broker,
    database: &str,
    server: Option<&PostgresServer>,
    is_open: &dyn Fn() -> bool,
    has_loaded: &dyn Fn() -> bool,
) {
    let asked = swipes(broker, "card_swipes", "2026-03-03T11");
    let folder = tempfile::tempdir().unwrap();
    let has_file = |name: &str| folder.path().join("batch-fraud-2026-03-03T11").join(name).exists();
    let moments: [(&str, &dyn Fn() -> bool); 7] = [
        ("it opens the database", is_open),
        ("it extracts", &|| has_file("records.jsonl")),
        ("it transforms", &|| has_file("answers.jsonl")),
        ("it loads", &|| server.map_or_else(|| has_file("transform.json"), is_held_up)),
        ("it has loaded", has_loaded),
        ("it publishes", &|| has_file("load.json")),
        ("its answers come out", &|| !swipes(broker, "fraud_batch", "2026-03-03T11").is_empty()),
    ];
    for (moment, has_come) in moments {
        let _ = std::fs::remove_dir_all(folder.path().join("batch-fraud-2026-03-03T11"));
        let lock = server.filter(|_| moment == "it loads").map(held_up);
        let mut job = Killed(
            batch(broker, database)
                .args(["--window", ELEVEN, "--files"])
                .arg(folder.path())
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        let began = Instant::now();
        while !has_come() && job.0.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < PATIENCE, "the moment when {moment} never came");
        }
        assert!(
            lock.is_none() || job.0.try_wait().unwrap().is_none(),
            "no other process can end its transaction"
        );
        drop(job);
        drop(lock);
    }
    for _ in 0..2 {
        let ran = output(batch(broker, database).args(["--window", ELEVEN]));
        assert!(ran.status.success(), "{}", stderr(&ran));
    }
    let rows = &report(database, "revenue")[0];
    assert_eq!(rows["swipes"].as_u64().unwrap(), asked.len() as u64, "each swipe is one row");
    assert_eq!(report(database, "fraud")[0]["scored"], rows["swipes"]);
    assert_eq!(swipes(broker, "fraud_batch", "2026-03-03T11"), asked, "and has one answer");
    let runs = report(database, "run");
    assert_eq!(runs.len(), 1, "{runs:?}");
    assert!(runs[0]["finished_at"].is_string() && runs[0]["attempts"].as_u64() >= Some(2), "{runs:?}");
}

#[test]
fn a_database_that_is_killed_while_a_run_is_loaded_is_said_and_made_up_for() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(&folder.path().join("log"));
    let server = PostgresServer::start();
    let cluster = ["--bootstrap-servers", &broker.address];
    let quiet = |command: &mut Command| {
        let command = command.args(cluster).stdin(Stdio::null()).stdout(Stdio::null());
        Killed(command.stderr(Stdio::null()).spawn().unwrap())
    };
    // A live stream with a job beside it: eighty minutes in eight seconds, a period in one.
    let _stream = quiet(freshet().args(["consume", "fraud"]));
    let until = ["--start", "2026-03-03T10:45:00Z", "--until", "2026-03-03T12:05:00Z", "--speed", "600"];
    let mut producer = quiet(freshet().args(["produce", "swipes"]).args(until));
    let mut job = Killed(
        batch(&broker, &server.database("shop"))
            .args(["--period", "10m"])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let said = lines(job.0.stderr.take().unwrap());
    let next = |words: &str| loop {
        let line = said.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("the job never said {words}"));
        if line.contains(words) {
            return line;
        }
    };
    next("finished");
    // The next run stands still in its transaction: all its swipes are in, none is committed.
    let _lock = held_up(&server);
    let began = Instant::now();
    while !is_held_up(&server) {
        assert!(began.elapsed() < PATIENCE, "no run is loaded");
    }
    server.kill();
    let away = next("cannot reach the database");
    assert!(away.contains("start it, or name another with --database; trying again in 1 s"), "{away}");
    let before = swipes(&broker, "fraud_decisions", "2026").len();
    next("trying again in 2 s");
    next("trying again in 4 s");
    assert!(swipes(&broker, "fraud_decisions", "2026").len() > before, "the stream goes on meanwhile");
    server.up();
    next("batch-fraud-2026-03-03T11:50: ");
    assert!(producer.0.wait().unwrap().success());
    drop(job);

    for hour in ["2026-03-03T10", "2026-03-03T11"] {
        let asked = swipes(&broker, "card_swipes", hour);
        assert!(asked.len() > 2_000, "{}", asked.len());
        assert_eq!(swipes(&broker, "fraud_batch", hour), asked, "each has one answer of the batch lane");
        let rows = format!(
            "SELECT 1 FROM swipes WHERE decision IS NOT NULL AND to_char(ts AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24') = '{hour}' HAVING count(*) = {}",
            asked.len()
        );
        assert!(server.holds("shop", &rows), "and one row, with what the run said of it");
    }
    let once = "SELECT 1 FROM batch_runs HAVING sum(records) = (SELECT count(*) FROM swipes) + (SELECT count(*) FROM chargebacks)";
    assert!(server.holds("shop", once), "no record is of two runs");
    let missed = "SELECT 1 FROM (SELECT window_start, lag(window_end) OVER (ORDER BY window_start) AS before FROM batch_runs) AS runs
        WHERE window_start <> before";
    assert!(!server.holds("shop", missed), "and no window is missed");
    let audit = output(freshet().arg("ledger").args(cluster));
    assert!(audit.status.success(), "{}{}", String::from_utf8_lossy(&audit.stdout), stderr(&audit));
}

#[test]
fn a_show_says_that_its_database_is_away() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let show = "demo --headless --listen 127.0.0.1:0 --scenario ride-share --drivers 5";
    let mut show = Killed(
        freshet()
            .args(show.split(' '))
            .args(["--database", &format!("postgres://me:secret@127.0.0.1:{free}/shop")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let said = lines(show.0.stdout.take().unwrap());
    let line = loop {
        let line = said.recv_timeout(PATIENCE).expect("the show says that its database is away");
        if line.contains("cannot reach the database") {
            break line;
        }
    };
    let what = format!("  * batch-eta: cannot reach the database postgres://me@127.0.0.1:{free}/shop: ");
    assert!(line.starts_with(&what) && line.contains("start it, or name another with --database"), "{line}");
}

#[test]
fn a_supervised_job_tells_what_it_has_done_in_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker_with_swipes(folder.path());
    let database = folder.path().join("w.sqlite").to_str().unwrap().to_owned();
    let mut command = batch(&broker, &database);
    let mut job = command
        .args(["--once", "--supervised"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let supervisor = job.stdin.take();
    let told: Vec<Value> =
        lines(job.stdout.take().unwrap()).iter().map(|line| serde_json::from_str(&line).unwrap()).collect();
    drop(supervisor);
    assert!(job.wait().unwrap().success());
    let of_kind = |kind: &str| told.iter().filter(|line| line["kind"] == kind).collect::<Vec<_>>();
    let last = *of_kind("statistics").last().expect("it told what it had done");
    let answered = swipes(&broker, "fraud_batch", "2026").len() as u64;
    assert!(answered > 0 && last["runs"].as_u64() >= Some(1), "{last}");
    // Each run has its own line on its topic as well.
    let runs = last["runs"].as_u64().unwrap();
    assert_eq!(last["answers"].as_u64(), Some(answered + runs), "{last}");
    assert!(last["rows"].as_u64() >= Some(answered), "{last}");
    // What it has read it tells after each window that had records.
    let mut read: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for line in of_kind("read") {
        let records = line["records"].as_u64().expect("a number of records");
        read.entry(line["topic"].as_str().expect("a topic")).or_default().push(records);
    }
    assert_eq!(read.keys().copied().collect::<Vec<_>>(), ["card_swipes", "chargebacks"]);
    assert!(read.values().all(|told| told[0] > 0 && told.is_sorted_by(|a, b| a < b)), "{read:?}");
    let all: u64 = read.values().filter_map(|told| told.last()).sum();
    assert_eq!(Some(all), last["records"].as_u64(), "{read:?}");
}

/// Each client of librdkafka has a main thread of its own, half a dozen others and connections.
#[cfg(target_os = "linux")]
#[test]
fn all_partitions_of_a_job_are_read_by_one_client() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker_with_swipes(folder.path());
    let database = folder.path().join("w.sqlite").to_str().unwrap().to_owned();
    let mut command = batch(&broker, &database);
    let command = command.arg("--supervised").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut job = Killed(command.spawn().unwrap());
    let told = lines(job.0.stdout.take().unwrap());
    assert!(told.iter().any(|line| line.contains("statistics")), "it has run");
    let threads = std::fs::read_dir(format!("/proc/{}/task", job.0.id())).unwrap();
    let name = |thread: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(thread.unwrap().path().join("comm")).unwrap_or_default()
    };
    let clients = threads.map(name).filter(|name| name.trim() == "rdk:main").count();
    // One more each: who asks, who sends, who looks where a window ends in each of two topics.
    assert!((1..=6).contains(&clients), "{clients} clients");
}

#[test]
fn a_folder_that_may_not_be_written_is_said_and_waited_for() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let broker = broker_with_swipes(folder.path());
    let place = folder.path().join("place");
    std::fs::create_dir(&place).unwrap();
    let may = |mode| std::fs::set_permissions(&place, std::fs::Permissions::from_mode(mode)).unwrap();
    may(0o555);
    let database = place.join("w.sqlite").to_str().unwrap().to_owned();
    // A root that may write anywhere would not notice: it is started without that right.
    let of_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let bound = |command: Command| {
        if !of_root {
            return command;
        }
        let mut without = Command::new("setpriv");
        without.arg("--bounding-set=-dac_override").arg(command.get_program()).args(command.get_args());
        without
    };
    let mut job = bound(batch(&broker, &database));
    // A supervisor is told the same, in lines of JSON; it holds the other end of standard input.
    let job = job.args(["--window", ELEVEN, "--supervised"]).stdin(Stdio::piped());
    let mut job = job.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let told = lines(job.stdout.take().unwrap());
    let said = lines(job.stderr.take().unwrap());
    let first = said.recv_timeout(PATIENCE).unwrap();
    assert!(
        first.contains("cannot write the database")
            && first.contains("make the file and its folder writable"),
        "{first}"
    );
    assert!(first.contains("trying again in 1 s"), "{first}");
    may(0o755);
    let supervisor = job.stdin.take();
    assert!(job.wait().unwrap().success(), "{:?}", said.iter().collect::<Vec<_>>());
    drop(supervisor);
    let told: Vec<Value> = told.iter().map(|line| serde_json::from_str(&line).unwrap()).collect();
    assert_eq!(told[0]["kind"], "waiting_for");
    assert_eq!(told[0]["what"].as_str().unwrap(), format!("the database {database}"));
    assert_eq!(told[0]["retry_in_ms"], 1_000);
    assert!(told.iter().any(|line| line["kind"] == "resumed"), "{told:?}");
    let asked = swipes(&broker, "card_swipes", "2026-03-03T11");
    assert_eq!(report(&database, "revenue")[0]["swipes"].as_u64().unwrap(), asked.len() as u64);
    assert_eq!(swipes(&broker, "fraud_batch", "2026-03-03T11"), asked, "each has one answer");

    // A query needs to write nothing.
    std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o444)).unwrap();
    may(0o555);
    let read = output(&mut bound(with(freshet(), &["report", "--database", &database])));
    may(0o755);
    assert!(read.status.success(), "{}", stderr(&read));
    assert!(String::from_utf8_lossy(&read.stdout).contains("batch-fraud-2026-03-03T11"));
}

#[test]
fn the_steps_of_a_window_are_commands_with_files_between() {
    let folder = tempfile::tempdir().unwrap();
    let broker = broker_with_swipes(folder.path());
    let database = folder.path().join("w.sqlite").to_str().unwrap().to_owned();
    let files = folder.path().join("runs").to_str().unwrap().to_owned();
    let stage = |stage: &str| {
        output(batch(&broker, &database).args(["--window", ELEVEN, "--stage", stage, "--files", &files]))
    };
    let early = stage("load");
    assert_eq!(early.status.code(), Some(1));
    assert!(stderr(&early).contains("run `--stage extract` first"), "{}", stderr(&early));
    for name in ["extract", "transform", "load", "publish"] {
        let ran = stage(name);
        assert!(ran.status.success(), "{name}: {}", stderr(&ran));
        // On a slow machine it says how far it is before it says what it did.
        let said = stderr(&ran);
        let last = said.trim_end().lines().last().unwrap_or_default();
        assert!(last.starts_with(&format!("batch-fraud-2026-03-03T11: {name}: ")), "{said}");
    }
    let asked = swipes(&broker, "card_swipes", "2026-03-03T11");
    assert_eq!(report(&database, "revenue")[0]["swipes"].as_u64().unwrap(), asked.len() as u64);
    // What lies between the steps is what other commands read, too.
    let records = folder.path().join("runs/batch-fraud-2026-03-03T11/records.jsonl");
    let replay = |period: &str| {
        let records = std::fs::File::open(&records).unwrap();
        let ran = freshet().args(["replay", "fraud", "--period", period]).stdin(records).output().unwrap();
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    assert_eq!(replay("0s").lines().count(), asked.len());
    // On the topic and in a replay an answer names the run that the warehouse knows.
    let told = output(freshet().args(["record", "fraud_batch", "--bootstrap-servers", &broker.address]));
    for answers in [replay("1h"), String::from_utf8(told.stdout).unwrap()] {
        let names = answers.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["value"]["batch_id"].as_str().unwrap().to_owned()
        });
        let names: Vec<_> = names.collect();
        assert_eq!(names, vec!["batch-fraud-2026-03-03T11"; asked.len()]);
    }
    // A person reads the same.
    let text = output(freshet().args(["report", "--database", &database]));
    let said = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(
        said.contains("batch-fraud-2026-03-03T11") && said.contains("`freshet batch eta` loads them"),
        "{said}"
    );
    let sql = output(freshet().args(["report", "--sql", "--database", &database]));
    let said = String::from_utf8_lossy(&sql.stdout).into_owned();
    assert!(said.contains("WHERE window_start >= '2026-03-03T11:00:00.000Z'"), "{said}");
    assert!(!said.contains('$') && said.trim_end().ends_with(';'), "{said}");
}

#[test]
fn what_is_wrong_with_a_batch_is_said_in_one_sentence_with_the_right_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(&folder.path().join("log"));
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(
        path("text"),
        "a shopping list that is long enough to be read as a page of something".repeat(20),
    )
    .unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let down = format!("postgres://me:secret@127.0.0.1:{free}/shop");
    let cases: [(Command, i32, &str); 8] = [
        (with(batch(&broker, &down), &["--once", "--retries", "0"]), 3, "cannot reach the database"),
        (with(batch(&broker, &path("text")), &["--once"]), 1, "is not a database, or is damaged"),
        (
            with(batch(&broker, "mysql://me@host/shop"), &["--once"]),
            1,
            "knows no databases of the kind mysql",
        ),
        (
            with(batch(&broker, &path("w")), &["--window", "2026-03-03T11:10Z..2026-03-03T12:00Z"]),
            1,
            "aligned to midnight",
        ),
        (with(batch(&broker, &path("w")), &["--window", "yesterday"]), 2, "write START..END"),
        (with(batch(&broker, &path("w")), &["--window", ELEVEN, "--stage", "load"]), 2, "--files"),
        (with(batch(&broker, &path("w")), &["--window", ELEVEN]), 1, "there are no records at all"),
        (with(freshet(), &["report", "--database", &path("nowhere")]), 1, "load one with `freshet batch"),
    ];
    for (mut command, code, words) in cases {
        let ran = output(&mut command);
        let said = stderr(&ran);
        assert_eq!(ran.status.code(), Some(code), "{command:?}: {said}");
        assert!(said.contains(words), "{command:?} should say {words:?}: {said}");
        assert!(!said.contains("panicked") && !said.contains("secret"), "{said}");
        if code != 2 {
            assert_eq!(said.trim_end().lines().count(), 1, "{command:?} says one sentence: {said}");
        }
    }
    // One that may pass is tried again, and says so.
    let ran = output(&mut with(batch(&broker, &down), &["--once", "--retries", "1"]));
    assert!(stderr(&ran).contains("trying again in 1 s, 0 more after that"), "{}", stderr(&ran));
    assert_eq!(ran.status.code(), Some(3));
}

fn with(mut command: Command, args: &[&str]) -> Command {
    command.args(args);
    command
}
