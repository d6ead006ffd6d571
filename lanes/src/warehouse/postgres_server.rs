//! A Postgres server for a test: its own, in a temporary folder, on a free port of the loopback
//! address.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A user that owns nothing, for whom a root's server runs: Postgres refuses to be root.
const NOBODY: u32 = 65_534;

/// Runs as long as it is held.
pub(crate) struct PostgresServer {
    programs: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
}

impl PostgresServer {
    pub(crate) fn start() -> Self {
        let programs = programs();
        let folder = tempfile::tempdir().unwrap();
        if am_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let server = Self { programs, folder, port };
        server.run("initdb", &["--auth=trust", "--username=freshet", "--no-sync", "--encoding=UTF8"]);
        server.up();
        server
    }

    /// Starts it, or starts it again.
    pub(crate) fn up(&self) {
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories='' -c fsync=off",
            self.port
        );
        let log = self.folder.path().join("log");
        self.run("pg_ctl", &["start", "-w", "-l", log.to_str().unwrap(), "-o", &options]);
    }

    /// Ends it, at once and with every connection.
    pub(crate) fn down(&self) {
        self.run("pg_ctl", &["stop", "-w", "-m", "immediate"]);
    }

    /// SIGKILL for the server and its connections' processes, as if the machine had lost its
    /// power.
    #[allow(dead_code, reason = "done by the tests of the whole program, which share this file")]
    pub(crate) fn kill(&self) {
        let file = fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap();
        let server = file.lines().next().unwrap();
        // The server first: it would start the others again.
        let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children")).unwrap();
        for pid in [server].into_iter().chain(children.split_whitespace()) {
            let _gone_already = Command::new("kill").args(["-s", "KILL", pid]).stderr(Stdio::null()).status();
        }
    }

    /// The address of a new, empty database.
    pub(crate) fn database(&self, name: &str) -> String {
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.address(name)
    }

    /// Does something to a database as a person would.
    pub(crate) fn sql(&self, database: &str, statement: &str) {
        self.session(database).batch_execute(statement).unwrap();
    }

    /// A session of its own in a database, which keeps what it locks until it ends.
    pub(crate) fn session(&self, database: &str) -> postgres::Client {
        postgres::Client::connect(&self.address(database), postgres::NoTls).unwrap()
    }

    fn address(&self, database: &str) -> String {
        format!("postgres://freshet@127.0.0.1:{}/{database}", self.port)
    }

    /// Whether a question to a database has an answer; one that can't be asked (the table is not
    /// there yet) has none.
    #[allow(dead_code, reason = "asked by the tests of the whole program, which share this file")]
    pub(crate) fn holds(&self, database: &str, question: &str) -> bool {
        self.session(database).query(question, &[]).is_ok_and(|rows| !rows.is_empty())
    }

    fn run(&self, program: &str, args: &[&str]) {
        let path = self.programs.join(program);
        // As somebody who is not root; the programs ask for a folder that they may enter, too.
        let mut command = if am_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.args(args).arg("-D").arg(self.folder.path().join("data")).current_dir(self.folder.path());
        let done = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(done.success(), "{program} {args:?}: {done}");
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let pid = self.folder.path().join("data/postmaster.pid");
        if pid.exists() {
            self.down();
        }
    }
}

fn am_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|myself| myself.uid() == 0)
}

/// Where Postgres keeps its programs: on the path, or where Debian hides them.
fn programs() -> PathBuf {
    let on_path = std::env::var_os("PATH")
        .and_then(|path| std::env::split_paths(&path).find(|folder| folder.join("initdb").exists()));
    let newest = || {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        versions
            .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
            .filter(|bin| bin.join("initdb").exists())
            .max()
    };
    on_path
        .or_else(newest)
        .or_else(|| {
            Some(Path::new("/usr/local/pgsql/bin").to_owned()).filter(|bin| bin.join("initdb").exists())
        })
        .expect("no Postgres here: run `make test`, which installs what the tests need")
}
