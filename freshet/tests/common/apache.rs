//! An Apache Kafka for a test, by `tools/kafka`.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use super::repository;

/// The script that installs it, starts it and runs its tools.
pub(crate) fn kafka() -> PathBuf {
    repository().join("tools/kafka/kafka")
}

/// An Apache Kafka of one broker; killed when dropped.
pub(crate) struct Apache {
    child: Child,
    pub(crate) address: String,
    /// Where ada logs in, by PLAIN or SCRAM, with the password "secret".
    pub(crate) login: String,
    pub(crate) data_dir: String,
}

impl Apache {
    pub(crate) fn start(folder: &Path) -> Self {
        install();
        let port = free_port();
        let mut child = Command::new(kafka())
            .args(["serve", &port.to_string()])
            .arg(folder)
            .arg((port + 2).to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.join("said")).unwrap())
            .spawn()
            .unwrap();
        let at = |port| format!("127.0.0.1:{port}");
        let (address, login) = (at(port), at(port + 2));
        while TcpStream::connect(&address).is_err() {
            let ended = child.try_wait().unwrap();
            let said = || std::fs::read_to_string(folder.join("said")).unwrap_or_default();
            assert!(ended.is_none(), "Apache Kafka did not start: {}", said());
            thread::park_timeout(Duration::from_millis(50));
        }
        Self { child, address, login, data_dir: folder.join("log").to_str().expect("ASCII").to_owned() }
    }
}

/// Fetches what is missing, once: two tests that begin at the same time would fetch it into the
/// same folder.
fn install() {
    static INSTALLED: LazyLock<()> = LazyLock::new(|| {
        let done = Command::new(kafka()).arg("install").stdin(Stdio::null()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    });
    *INSTALLED;
}

impl Drop for Apache {
    fn drop(&mut self) {
        let _already_dead = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A port such that it and the two behind it are free.
fn free_port() -> u16 {
    loop {
        let one = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = one.local_addr().unwrap().port();
        if (1..3).all(|further| TcpListener::bind(("127.0.0.1", port + further)).is_ok()) {
            return port;
        }
    }
}
