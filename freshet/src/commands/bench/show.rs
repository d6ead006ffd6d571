//! A whole show in processes of its own, to put more load on than its businesses bring.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use events::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::StopSignal;
use scenarios::clock::SimulatedClock;

/// How long a show may take until its clock runs: its consumers learn from a history first.
const READY: Duration = Duration::from_mins(1);
/// How often a waiting thread checks whether it should still wait.
const LOOK: Duration = Duration::from_millis(200);

/// `freshet demo`, running; ended in order when dropped.
pub(super) struct RunningShow {
    child: Child,
    /// Its broker.
    pub(super) bootstrap: String,
    /// Its simulated time.
    pub(super) clock: SimulatedClock,
}

impl RunningShow {
    /// Starts `program` (or this program) and returns when the show's clock runs.
    pub(super) fn start(stop: &StopSignal, program: Option<&Path>, scenario: &str) -> Result<Self> {
        let program = program.map_or_else(std::env::current_exe, |path| Ok(path.to_owned()))?;
        let mut child = Command::new(&program)
            .args(["demo", "--headless", "--format", "jsonl", "--listen", "127.0.0.1:0"])
            .args(["--scenario", scenario])
            // It is its own broker that is measured.
            .env_remove("FRESHET_BOOTSTRAP_SERVERS")
            .env_remove("FRESHET_CLIENT_CONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null()) // It says that it was interrupted, which it was.
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        let output = BufReader::new(child.stdout.take().expect("it was just piped"));
        let (found_sender, receiver) = channel();
        // Goes on reading when the receiver is gone, or the show would wait for somebody to
        // empty its pipe.
        thread::Builder::new().name("show".into()).spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(found) = place_and_clock(&line) {
                    let _receiver_is_gone = found_sender.send(found);
                }
            }
        })?;
        // From here on an error ends it, too.
        let mut show = Self {
            child,
            bootstrap: String::new(),
            clock: SimulatedClock { started_wall_ms: 0, start: Timestamp::from_ms(0), speed: 1.0 },
        };
        (show.bootstrap, show.clock) = wait(stop, &receiver)?;
        Ok(show)
    }
}

fn wait(
    stop: &StopSignal,
    receiver: &Receiver<(String, SimulatedClock)>,
) -> Result<(String, SimulatedClock)> {
    let looks = READY.as_millis() / LOOK.as_millis();
    for _ in 0..looks {
        stop.check()?;
        match receiver.recv_timeout(LOOK) {
            Ok(found) => return Ok(found),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                bail!("the show ended before its clock ran: `freshet demo --headless` says why")
            }
        }
    }
    bail!("the show's clock did not run within {READY:?}")
}

/// Where a show's broker is and what its clock says, from a line that `freshet demo --headless
/// --format jsonl` writes; none as long as the clock stands.
fn place_and_clock(line: &str) -> Option<(String, SimulatedClock)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let bootstrap = line["cluster"]["data"]["bootstrap"].as_str()?.to_owned();
    let clock = SimulatedClock {
        started_wall_ms: line["taken_at_ms"].as_i64()?,
        start: Timestamp::from_ms(line["title"]["clock_ms"].as_i64()?),
        speed: line["title"]["speed"].as_f64()?,
    };
    Some((bootstrap, clock))
}

impl Drop for RunningShow {
    fn drop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
            let _already_gone = kill_process(pid, Signal::INT);
        }
        let _status = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_stands_is_none() {
        let line = |clock: &str| {
            format!(
                r#"{{"type":"snapshot","taken_at_ms":5000,"title":{{"clock_ms":{clock},"speed":60.0}},"cluster":{{"data":{{"bootstrap":"a:1"}}}}}}"#
            )
        };
        assert!(place_and_clock(&line("null")).is_none());
        assert!(place_and_clock("getting ready").is_none());
        let (bootstrap, clock) = place_and_clock(&line("60000")).unwrap();
        assert_eq!(bootstrap, "a:1");
        assert_eq!(clock.simulated(6_000).ms(), 120_000);
    }
}
