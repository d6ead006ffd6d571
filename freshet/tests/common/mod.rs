//! What the tests of the whole program share: a broker as its own process, and ways to wait for
//! what a program says.

#![allow(dead_code, reason = "each test program uses its own part")]

pub(crate) mod apache;
/// A Postgres of a test's own, as the warehouse's tests start it.
#[path = "../../../lanes/src/warehouse/postgres_server.rs"]
pub(crate) mod postgres_server;

use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::{Request, decode_response, encode_request};

/// How long anything here may take before it counts as hanging.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The program under test.
pub(crate) fn freshet() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_freshet"));
    command.env_remove("FRESHET_BOOTSTRAP_SERVERS").env_remove("FRESHET_CLIENT_CONFIG").env("NO_COLOR", "1");
    command
}

/// The folder of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a crate stands in the workspace's folder")
}

/// A `freshet broker` of its own on a free port; killed when dropped.
pub(crate) struct Broker {
    pub(crate) child: Child,
    pub(crate) address: String,
    pub(crate) folder: PathBuf,
}

impl Broker {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_on(folder, "127.0.0.1:0")
    }

    pub(crate) fn start_on(folder: &Path, listen: &str) -> Self {
        Self::start_with(freshet(), folder, &["--listen", listen])
    }

    /// One that can't make any file larger than so many kilobytes: to it, that is a disk which is
    /// full.
    pub(crate) fn start_on_a_small_disk(folder: &Path, kilobytes: u32) -> Self {
        let mut shell = Command::new("bash");
        let limited = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$0\" \"$@\"");
        shell.args(["-c", &limited, env!("CARGO_BIN_EXE_freshet")]);
        Self::start_with(shell, folder, &["--listen", "127.0.0.1:0"])
    }

    /// One that this command starts, with these options.
    pub(crate) fn start_with(mut command: Command, folder: &Path, options: &[&str]) -> Self {
        let mut child = command
            .args(["broker", "--data-dir"])
            .arg(folder)
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let lines = lines(child.stdout.take().expect("piped"));
        let first = lines.recv_timeout(Duration::from_secs(20)).expect("the broker says where it listens");
        let address = first.rsplit(' ').next().expect("the address is the last word").to_owned();
        Self { child, address, folder: folder.to_owned() }
    }

    /// One with a second listener, and the address of that: there ada logs in, with the password
    /// "secret".
    pub(crate) fn start_with_logins(folder: &Path) -> (Self, String) {
        let (users, said) = (folder.join("users"), folder.join("said"));
        std::fs::write(&users, "ada:secret\n").expect("a file for the users");
        std::fs::set_permissions(&users, Permissions::from_mode(0o600)).expect("it is ours");
        let mut program = freshet();
        program.stderr(File::create(&said).expect("a file for what is said"));
        let listen = ["--listen", "PLAINTEXT://127.0.0.1:0", "--listen", "SASL_PLAINTEXT://127.0.0.1:0"];
        let users = ["--users", users.to_str().expect("a path of ASCII")];
        let broker = Self::start_with(program, &folder.join("data"), &[&listen[..], &users].concat());
        (broker, second_listener(&said))
    }

    /// SIGKILL, then the same data and the same port again.
    pub(crate) fn crash_and_restart(mut self) -> Self {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
        let (folder, address) = (self.folder.clone(), self.address.clone());
        drop(self);
        Self::start_on(&folder, &address)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where else a broker listens, once it has said so into this file.
pub(crate) fn second_listener(said: &Path) -> String {
    let mut address = None;
    until("the broker says where else it listens", || {
        let said = std::fs::read_to_string(said).expect("a file of words");
        let line = said.lines().find_map(|line| line.strip_prefix("it listens on "));
        address = line.and_then(|line| line.split_once(' ')).map(|(address, _)| address.to_owned());
        address.is_some()
    });
    address.expect("it was found")
}

/// Sends one request as bytes, and waits for its answer.
pub(crate) fn call<R: Request>(address: &str, version: i16, request: &R) -> R::Response {
    let mut broker = TcpStream::connect(address).expect("it listens");
    broker.write_all(&encode_request(version, 1, "test", request)).expect("it reads");
    let mut length = [0; 4];
    broker.read_exact(&mut length).expect("it answers");
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    broker.read_exact(&mut frame).expect("a whole answer");
    decode_response::<R>(version, Bytes::from(frame)).expect("an answer to this request").1
}

/// Sends a process the signal of this name, such as INT.
pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &pid.to_string()]).status().expect("kill is there");
    assert!(sent.success(), "process {pid} could not be sent {name}");
}

/// The lines of a program's output, as they come.
pub(crate) fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                break;
            }
        }
    });
    receive
}

/// Tries until it holds; every try asks a running program, so nothing is slept through.
#[expect(clippy::disallowed_methods, reason = "a test of the whole program waits in wall-clock time")]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
    }
}

/// The processes whose parent is `pid`.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let stat = |entry: std::fs::DirEntry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        let parent = stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse::<u32>().ok()?;
        Some((pid, parent))
    };
    let all = std::fs::read_dir("/proc")
        .expect("Linux tells of its processes")
        .filter_map(|entry| stat(entry.ok()?));
    all.filter(|&(_, parent)| parent == pid).map(|(child, _)| child).collect()
}
