//! One worker process.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use bill::Lane;
use events::Topic;

use super::line::WorkerLine;

/// How a worker is started, and again after a crash.
#[derive(Debug, Clone)]
pub struct WorkerSpec {
    /// Its name on the screen: its role, and a number from the second instance on.
    pub name: String,
    /// What it does; instances that share the work share the role.
    pub role: String,
    /// The lane it belongs to; none for a producer.
    pub lane: Option<Lane>,
    /// The consumer group it commits for, if it is in a lane.
    pub group: Option<String>,
    /// The topics that it can burst.
    pub bursts: &'static [Topic],
    /// The producer whose history it learns from before it answers, by its name.
    pub history: Option<&'static str>,
    /// The program.
    pub program: PathBuf,
    /// Its arguments, which every user of the machine can read.
    pub args: Vec<String>,
    /// Its environment, which other users can't read: a database's address holds a password.
    pub env: Vec<(&'static str, String)>,
}

/// An order to a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Take no more records, but stay a member of the group.
    Pause,
    /// Take records again.
    Resume,
    /// Send a burst.
    Burst,
    /// Finish what was begun, and end.
    Stop,
    /// A job of the batch lane: run so often from the next boundary on, in milliseconds of event
    /// time.
    Period(i64),
    /// A job of the batch lane: the input has ended, so run what is left.
    Close,
}

impl Order {
    /// The order as a line.
    pub fn line(self) -> String {
        match self {
            Self::Pause => "pause".to_owned(),
            Self::Resume => "resume".to_owned(),
            Self::Burst => "burst".to_owned(),
            Self::Stop => "stop".to_owned(),
            Self::Period(ms) => format!("period {ms}"),
            Self::Close => "close".to_owned(),
        }
    }

    /// Parses a line.
    pub fn read(line: &str) -> Option<Self> {
        if let Some(ms) = line.trim().strip_prefix("period ") {
            return ms.parse().ok().filter(|&ms| ms > 0).map(Self::Period);
        }
        [Self::Pause, Self::Resume, Self::Burst, Self::Stop, Self::Close]
            .into_iter()
            .find(|order| order.line() == line.trim())
    }
}

/// The state of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerState {
    /// It runs.
    Running,
    /// It runs, and takes no records.
    Paused,
    /// Its process has ended.
    Ended(Ended),
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this exit code; 0 is well.
    Exit(i32),
    /// By this signal.
    Signal(i32),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(0) => f.write_str("ended"),
            Self::Exit(code) => write!(f, "failed with exit code {code}"),
            Self::Signal(9) => f.write_str("was killed"),
            Self::Signal(signal) => write!(f, "was ended by signal {signal}"),
        }
    }
}

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exit(code),
            (None, signal) => Self::Signal(signal.unwrap_or(0)),
        }
    }
}

/// The messages of the threads that read a worker's standard output and standard error.
#[derive(Debug)]
pub(super) enum RawNews {
    Line { worker: String, line: WorkerLine },
    Said { worker: String, line: String },
    Closed { worker: String, pid: u32 },
}

/// A worker and its process.
pub struct Worker {
    /// How it was started.
    pub spec: WorkerSpec,
    /// Its process id, also of one that has ended.
    pub pid: u32,
    /// Its state.
    pub state: WorkerState,
    /// How often it was started again.
    pub restarts: u32,
    /// The last line that it wrote on standard error.
    pub last_line: Option<String>,
    /// The order to end that it was given last.
    told: Option<Order>,
    child: Option<Child>,
    input: Option<ChildStdin>,
}

impl Worker {
    pub(super) fn start(spec: WorkerSpec, report: &Sender<RawNews>) -> io::Result<Self> {
        let mut worker = Self {
            spec,
            pid: 0,
            state: WorkerState::Running,
            restarts: 0,
            last_line: None,
            told: None,
            child: None,
            input: None,
        };
        worker.spawn(report)?;
        Ok(worker)
    }

    fn spawn(&mut self, report: &Sender<RawNews>) -> io::Result<()> {
        assert!(
            self.child.is_none(),
            "process {} of {} still runs: one worker is one process",
            self.pid,
            self.spec.name
        );
        let mut child = Command::new(&self.spec.program)
            .args(&self.spec.args)
            .env("FRESHET_CLIENT_ID", &self.spec.name)
            .envs(self.spec.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: Ctrl-C in the terminal reaches the supervisor alone, which ends
            // the show in order.
            .process_group(0)
            .spawn()?;
        self.pid = child.id();
        self.input = child.stdin.take();
        self.state = WorkerState::Running;
        let stdout = child.stdout.take().expect("standard output was piped above");
        let stderr = child.stderr.take().expect("standard error was piped above");
        self.child = Some(child);
        let (worker, to) = (self.spec.name.clone(), report.clone());
        let told = thread::Builder::new().name(format!("stdout of {worker}")).spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(line) = WorkerLine::read(&line) {
                    let _ = to.send(RawNews::Line { worker: worker.clone(), line });
                }
            }
        })?;
        let (worker, pid, report) = (self.spec.name.clone(), self.pid, report.clone());
        thread::Builder::new().name(format!("stderr of {worker}")).spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = report.send(RawNews::Said { worker: worker.clone(), line });
            }
            // All its lines come before the news of its end.
            let _ = told.join();
            let _ = report.send(RawNews::Closed { worker, pid });
        })?;
        Ok(())
    }

    /// Whether its process has not ended, as far as is known.
    pub fn is_running(&self) -> bool {
        !matches!(self.state, WorkerState::Ended(_))
    }

    /// Whether it was told to end, and not started again since.
    pub fn is_to_end(&self) -> bool {
        self.told == Some(Order::Stop)
    }

    /// Whether it ended otherwise than well.
    pub fn failed(&self) -> bool {
        matches!(self.state, WorkerState::Ended(how) if how != Ended::Exit(0))
    }

    /// How it stands, in words, with its last ones.
    pub fn how_it_is(&self) -> String {
        match (self.state, &self.last_line) {
            (WorkerState::Ended(how), Some(line)) => format!("{how}: {line}"),
            (WorkerState::Ended(how), None) => how.to_string(),
            (WorkerState::Running, _) => "runs".to_owned(),
            (WorkerState::Paused, _) => "is paused".to_owned(),
        }
    }

    pub(super) fn order(&mut self, order: Order) -> bool {
        let running = self.is_running();
        let Some(input) = &mut self.input else { return false };
        assert!(running, "{} has ended, and its standard input is open", self.spec.name);
        // A worker that ended a moment ago takes no order; its end will be reported.
        if input.write_all(format!("{}\n", order.line()).as_bytes()).and_then(|()| input.flush()).is_err() {
            return false;
        }
        match order {
            Order::Pause => self.state = WorkerState::Paused,
            Order::Resume => self.state = WorkerState::Running,
            // When it is started again, it keeps this period.
            Order::Period(ms) => {
                for arg in self.spec.args.iter_mut().filter(|arg| arg.starts_with("--period=")) {
                    *arg = format!("--period={ms}ms");
                }
            }
            Order::Stop | Order::Close => self.told = Some(order),
            Order::Burst => {}
        }
        true
    }

    pub(super) fn close_input(&mut self) {
        self.input = None;
    }

    pub(super) fn kill(&mut self) -> bool {
        let running = self.is_running();
        if let Some(child) = self.child.as_mut().filter(|_| running) {
            let _ = child.kill();
            let _ = child.wait();
        }
        running
    }

    /// Its standard error was closed: the process has ended, or is about to within microseconds.
    pub(super) fn reap(&mut self, pid: u32) -> Option<Ended> {
        if self.pid != pid {
            return None;
        }
        let how = Ended::from(self.child.as_mut()?.wait().ok()?);
        self.state = WorkerState::Ended(how);
        self.child = None;
        self.input = None;
        Some(how)
    }

    pub(super) fn restart(&mut self, report: &Sender<RawNews>) -> io::Result<()> {
        if self.is_running() {
            self.order(Order::Stop);
            self.detach();
        }
        self.restarts += 1;
        let told = self.told.take();
        self.spawn(report)?;
        // The input has ended also for a job that crashed at its last run.
        if told == Some(Order::Close) {
            self.order(Order::Close);
        }
        Ok(())
    }

    /// Lets the process end on its own, and waits for it in another thread.
    pub(super) fn detach(&mut self) {
        self.input = None;
        if let Some(mut child) = self.child.take() {
            thread::spawn(move || child.wait());
        }
    }
}

/// No process is left behind, however the supervisor ends.
impl Drop for Worker {
    fn drop(&mut self) {
        self.kill();
    }
}
