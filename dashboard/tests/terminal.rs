//! The whole program in a real pseudo-terminal: whichever way it ends, the terminal is as it was.
//!
//! Each test starts this very executable again, to run only [`child`], with the pseudo-terminal as
//! its stdin and stdout.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use dashboard::{Exit, Options, Snapshot, Theme, feed, run};
use dashboard_testing::{city_map, normal, panes};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

/// What the tests start. It is ignored otherwise: it needs a terminal and somebody who types.
#[test]
#[ignore = "started by the other tests, in a pseudo-terminal"]
#[expect(
    clippy::disallowed_methods,
    reason = "it stands for the code that polls a cluster; no test waits for it"
)]
fn child() {
    let (publisher, feed) = feed();
    publisher.map(city_map());
    publisher.snapshot(normal(0));
    // The cluster is looked at again and again, and nothing changes on it.
    std::thread::spawn(move || {
        for look in 1.. {
            std::thread::sleep(Duration::from_millis(200));
            publisher.snapshot(Snapshot { taken_at_ms: look, ..normal(0) });
        }
    });
    let options =
        Options { theme: Theme::default(), panes: panes(), save_in: PathBuf::new(), ..Options::default() };
    // A command makes another thread panic, so that a test decides when.
    let ask = |_| drop(std::thread::spawn(|| panic!("a worker thread panicked")));
    let outcome = run(&feed, ask, &options).expect("a terminal");
    // A terminal that has gone takes no words either.
    let _ = writeln!(std::io::stdout(), "ended: {:?}", outcome.exit);
    std::process::exit(match outcome.exit {
        Exit::Quit => 0,
        Exit::Signal(signal) => 128 + signal,
        Exit::Panicked | Exit::Gone => 1,
    });
}

struct Session {
    child: Child,
    keyboard: File,
    /// Our own hold on the terminal's end, to ask for its modes.
    terminal: File,
    before: Termios,
    screen: vt100::Parser,
    output: Receiver<Vec<u8>>,
}

const SIZE: (u16, u16) = (40, 120);

impl Session {
    /// Starts the dashboard and waits until it has drawn.
    fn start() -> Session {
        let (keyboard, terminal) = pseudo_terminal();
        let mut session = Session {
            before: tcgetattr(&terminal).expect("it is a terminal"),
            output: listen(keyboard.try_clone().expect("a second hold")),
            keyboard,
            child: spawn(&terminal),
            terminal,
            screen: empty_screen(),
        };
        session.resize(SIZE.0, SIZE.1);
        session.wait_for("throughput");
        assert!(session.screen.screen().alternate_screen() && session.screen.screen().hide_cursor());
        session
    }

    /// Reads until the screen shows a text.
    fn wait_for(&mut self, text: &str) {
        while !self.screen.screen().contents().contains(text) {
            assert!(self.read(), "{text:?} never came:\n{}", self.screen.screen().contents());
        }
    }

    /// Reads what the dashboard has written; false when it writes nothing.
    fn read(&mut self) -> bool {
        let bytes = self.output.recv_timeout(Duration::from_secs(20));
        bytes.inspect(|bytes| self.screen.process(bytes)).is_ok()
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("typed");
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it lives");
    }

    fn resize(&self, rows: u16, columns: u16) {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(self.terminal.as_fd(), size).expect("a size");
        // It is not the controlling terminal of the child, so the kernel does not tell it.
        self.signal(Signal::WINCH);
    }

    /// Waits for the end and checks that the terminal is as it was.
    fn ended(mut self, word: &str) -> ExitStatus {
        self.wait_for(&format!("ended: {word}"));
        let status = self.child.wait().expect("it ended");
        let after = tcgetattr(&self.terminal).expect("still a terminal");
        assert_eq!(after.local_modes, self.before.local_modes, "echo and lines");
        assert_eq!(after.input_modes, self.before.input_modes);
        assert_eq!(after.output_modes, self.before.output_modes);
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "back on the main screen");
        assert!(!screen.hide_cursor(), "with a cursor");
        status
    }
}

impl Drop for Session {
    /// A test that failed leaves no process behind; one that ended has been waited for.
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill().and_then(|()| self.child.wait());
        }
    }
}

fn empty_screen() -> vt100::Parser {
    vt100::Parser::new(SIZE.0.try_into().expect("not 0"), SIZE.1.try_into().expect("not 0"), 0)
}

/// Both ends of a terminal: the one with the keyboard, and the one that programs see.
fn pseudo_terminal() -> (File, File) {
    // A child that held the other end itself would never see it close.
    let keyboard =
        openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pseudo-terminal");
    grantpt(&keyboard).expect("ours");
    unlockpt(&keyboard).expect("ours");
    let name = ptsname(&keyboard, Vec::new()).expect("it has a name");
    let name = OsStr::from_bytes(name.as_bytes());
    let terminal = File::options().read(true).write(true).open(name).expect("its other end");
    (File::from(keyboard), terminal)
}

fn spawn(terminal: &File) -> Child {
    let end = || Stdio::from(terminal.try_clone().expect("another hold"));
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--ignored", "--exact", "child", "--nocapture"])
        .env("RUST_BACKTRACE", "0")
        // As a shell starts a program: what stops it does not stop us.
        .process_group(0)
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .spawn()
        .expect("started")
}

fn listen(mut keyboard: File) -> Receiver<Vec<u8>> {
    let (sender, output) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length) = keyboard.read(&mut buffer) {
            if length == 0 || sender.send(buffer[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    output
}

/// The show of the sample is this program's own, so it is asked first.
#[test]
fn quit() {
    let mut session = Session::start();
    session.press("q");
    session.wait_for("End the show?");
    session.press("q");
    assert_eq!(session.ended("Quit").code(), Some(0));
}

/// Ctrl-Z gives the terminal back as it was, and what lets the program go on finds it drawn.
#[test]
fn a_shell_gets_the_terminal_while_it_is_stopped() {
    let mut session = Session::start();
    let modes = |session: &Session| tcgetattr(&session.terminal).expect("a terminal").local_modes;
    let raw = modes(&session);
    session.press("\u{1a}");
    let pid = Pid::from_child(&session.child);
    let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED).expect("a child").expect("it waits");
    assert!(status.stopped(), "{status:?}");
    assert_eq!(modes(&session), session.before.local_modes, "echo and lines");
    // A shell has written meanwhile: all is drawn again.
    session.screen = empty_screen();
    session.signal(Signal::CONT);
    session.wait_for("throughput");
    assert!(session.screen.screen().alternate_screen() && session.screen.screen().hide_cursor());
    assert_eq!(modes(&session), raw, "raw again");
    // Stopped from outside, in the middle of a screen: it is whole again afterwards.
    session.signal(Signal::STOP);
    waitpid(Some(pid), WaitOptions::UNTRACED).expect("a child");
    session.screen = empty_screen();
    session.signal(Signal::CONT);
    session.wait_for("throughput");
    session.press("\u{3}");
    assert_eq!(session.ended("Quit").code(), Some(0));
}

#[test]
fn control_c() {
    let mut session = Session::start();
    session.press("/fraud\u{3}");
    assert_eq!(session.ended("Quit").code(), Some(0));
}

#[test]
fn signals() {
    for (signal, number) in [(Signal::TERM, 15), (Signal::HUP, 1), (Signal::INT, 2)] {
        let session = Session::start();
        session.signal(signal);
        assert_eq!(session.ended(&format!("Signal({number})")).code(), Some(128 + number));
    }
}

/// The panic's message is on the restored screen, and the dashboard does not draw over it.
#[test]
fn a_panic_in_another_thread() {
    let mut session = Session::start();
    session.press("1b");
    session.wait_for("a worker thread panicked");
    assert_eq!(session.ended("Panicked").code(), Some(1));
}

/// The window is closed, without a signal: reading and writing fail from then on.
#[test]
fn a_terminal_that_hangs_up() {
    let (mut keyboard, terminal) = pseudo_terminal();
    let size = Winsize { ws_row: SIZE.0, ws_col: SIZE.1, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal.as_fd(), size).expect("a size");
    let mut child = spawn(&terminal);
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("\u{1b}[?2026l") {
        let mut buffer = [0; 8192];
        let length = keyboard.read(&mut buffer).expect("it draws");
        seen.extend_from_slice(&buffer[..length]);
    }
    drop(keyboard);
    assert_eq!(child.wait().expect("it ended").code(), Some(1), "and not by a panic, which would be 101");
}

/// Looked at five times a second, an idle cluster costs not one byte.
#[test]
fn five_idle_seconds_write_nothing() {
    let mut session = Session::start();
    // What was on its way when the first picture was complete.
    while let Ok(bytes) = session.output.recv_timeout(Duration::from_secs(1)) {
        session.screen.process(&bytes);
    }
    let idle = session.output.recv_timeout(Duration::from_secs(5));
    assert!(idle.is_err(), "{:?}", idle.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
    session.press("qq");
    assert_eq!(session.ended("Quit").code(), Some(0));
}

/// Each frame is a handful of system calls, however much of the screen changes.
#[test]
#[cfg(target_os = "linux")]
fn a_frame_is_few_writes() {
    let mut session = Session::start();
    let writes = |session: &Session| {
        let io = std::fs::read_to_string(format!("/proc/{}/io", session.child.id())).expect("it runs");
        let count = io.lines().find_map(|line| line.strip_prefix("syscw: ")).expect("it counts writes");
        count.parse::<u64>().expect("a number")
    };
    let before = writes(&session);
    let mut bytes = Vec::new();
    // The picture changes with every one of these keys.
    for key in "z2z3z4z5z6z7z8".chars() {
        session.press(&key.to_string());
        loop {
            bytes.extend(session.output.recv_timeout(Duration::from_secs(20)).expect("a frame"));
            if bytes.ends_with(b"\x1b[?2026l") {
                break;
            }
        }
    }
    session.screen.process(&bytes);
    let frames = String::from_utf8_lossy(&bytes).matches("\u{1b}[?2026h").count() as u64;
    let written = writes(&session) - before;
    assert!(frames >= 10 && written <= frames * 10, "{written} writes for {frames} frames");
    session.press("qq");
    assert_eq!(session.ended("Quit").code(), Some(0));
}

#[test]
fn a_storm_of_resizes() {
    let mut session = Session::start();
    for round in 0..40 {
        session.resize(1 + round * 37 % 60, 1 + round * 53 % 200);
    }
    session.resize(SIZE.0, SIZE.1);
    session.press("?");
    // A key that comes in the same moment as a resize can wait in crossterm until the next one (see
    // `terminal.rs`), so another that means nothing follows until the help is there.
    let help = "one pane on the whole screen";
    for _ in 0..40 {
        match session.output.recv_timeout(Duration::from_millis(500)) {
            Ok(bytes) => session.screen.process(&bytes),
            Err(_) => session.press("~"),
        }
        if session.screen.screen().contents().contains(help) {
            break;
        }
    }
    session.wait_for(help);
    session.press("qq");
    assert_eq!(session.ended("Quit").code(), Some(0));
}
