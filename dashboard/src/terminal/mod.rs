//! The edge: the only part of this crate with a clock, a terminal and threads.
//!
//! One thread draws. Keys, signals and snapshots meet in its mailbox; it sleeps until something
//! comes or the picture would change by itself, and draws when the picture has changed: at most
//! [`FRAME_MS`] apart, and slower while the window is in the background. A frame is one buffer of
//! bytes, between the marks of a synchronised update, and one write.
//!
//! The thread that draws is here; one file each reads the keys, draws a frame, saves and copies.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::command::Command;
use crate::settings::Settings;
use crate::snapshot::{RecordQuery, Snapshot};
use crate::state::message::{Cmd, Msg};
use crate::state::pane::Pane;
use crate::state::update::update;
use crate::state::{MouseOwner, POLL_STEPS, State};
use crate::terminal::guard::Guard;
use crate::terminal::mailbox::{Mailbox, TerminalEvent};
use crate::terminal::read::{EIO, read_keys};
use crate::view::Cache;
use crate::view::theme::Theme;

mod clipboard;
mod draw;
mod guard;
mod mailbox;
mod read;
mod save;

pub use mailbox::{Feed, Publisher, feed};

/// A program that is to stop and goes on all the same has no shell that could stop it: then it
/// draws again.
const STOP_MS: u64 = 200;
/// Frames are at least so far apart: 15 a second.
const FRAME_MS: u64 = 66;
/// And so far while the terminal's window has not got the keyboard: 2 a second.
const BACKGROUND_FRAME_MS: u64 = 500;

/// How to run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How everything looks at first; `t` changes the palette.
    pub theme: Theme,
    /// The panes, in the order of their numbers.
    pub panes: Vec<Pane>,
    /// Where `s` saves screens; the current directory when empty.
    pub save_in: PathBuf,
    /// Whether the mouse is the dashboard's at first, and how often the cluster is asked.
    pub settings: Settings,
    /// Where settings are saved; none: nowhere.
    pub settings_file: Option<PathBuf>,
    /// A sentence for the first screen.
    pub notice: Option<String>,
}

/// What a dashboard wants of the program that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Do this.
    Control(Command),
    /// Put these records into the snapshots from now on; `None`: no more.
    Read(Option<RecordQuery>),
    /// Ask the cluster every so many milliseconds from now on.
    PollEvery(u64),
}

/// Why it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// `q` or Ctrl-C was pressed.
    Quit,
    /// A signal came: its number. A shell expects the exit code 128 more.
    Signal(i32),
    /// A thread of this program panicked; its message is on the restored terminal.
    Panicked,
    /// The terminal hung up.
    Gone,
}

/// How it ended, and the last snapshot: what the summary is made of.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Why it ended.
    pub exit: Exit,
    /// The last snapshot that was received.
    pub last: Option<Arc<Snapshot>>,
    /// For how long it was shown, in milliseconds.
    pub ran_ms: u64,
}

/// Whether a dashboard can be drawn here: both ends of the program are a terminal.
pub fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Draws what comes from `feed` until a key or a signal ends it; blocks the calling thread. `send`
/// must not block.
///
/// The terminal is restored when this returns, whichever way. SIGINT, SIGTERM and SIGHUP end it
/// meanwhile.
pub fn run(feed: &Feed, send: impl FnMut(Request), options: &Options) -> io::Result<Outcome> {
    let mailbox = &feed.mailbox;
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGCONT])?;
    let handle = signals.handle();
    let ended = Arc::new(AtomicBool::new(false));
    let guard = Guard::enter(mailbox)?;
    let signalled = Arc::clone(mailbox);
    let watch = std::thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            let is_continued = signal == SIGCONT;
            signalled.push(if is_continued {
                TerminalEvent::Continued
            } else {
                TerminalEvent::Signal(signal)
            });
        }
    })?;
    let (typed, stop) = (Arc::clone(mailbox), Arc::clone(&ended));
    std::thread::Builder::new().name("keys".into()).spawn(move || read_keys(&typed, &stop))?;
    let outcome = Screen::new(&guard, options).show(mailbox, send);
    ended.store(true, Ordering::Relaxed);
    handle.close();
    drop(guard);
    let _ = watch.join();
    outcome
}

/// Milliseconds since the dashboard started.
struct MonotonicClock(Instant);

impl MonotonicClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the terminal loop is the edge: it reads the clock for all the others"
    )]
    fn start() -> Self {
        MonotonicClock(Instant::now())
    }

    fn now_ms(&self) -> u64 {
        self.0.elapsed().as_millis() as u64
    }
}

struct Screen<'a> {
    guard: &'a Guard,
    options: &'a Options,
    state: State,
    cache: Cache,
    /// What the terminal shows.
    drawn: Buffer,
    next: Buffer,
    clock: MonotonicClock,
    dirty: bool,
    /// Before this moment of the clock no other frame is drawn.
    frame_at_ms: u64,
    background: bool,
    /// At this moment of the clock the terminal is ours again, if it was given back.
    enter_at_ms: Option<u64>,
}

impl<'a> Screen<'a> {
    fn new(guard: &'a Guard, options: &'a Options) -> Self {
        Screen {
            guard,
            options,
            state: first_state(options),
            cache: Cache::default(),
            drawn: Buffer::empty(Rect::ZERO),
            next: Buffer::empty(Rect::ZERO),
            clock: MonotonicClock::start(),
            dirty: true,
            frame_at_ms: 0,
            background: false,
            enter_at_ms: None,
        }
    }

    fn show(&mut self, mailbox: &Mailbox, mut send: impl FnMut(Request)) -> io::Result<Outcome> {
        let (width, height) = crossterm::terminal::size()?;
        self.guard.mouse(self.state.mouse == MouseOwner::Dashboard)?;
        if self.state.poll_step > 0 {
            send(Request::PollEvery(POLL_STEPS[self.state.poll_step].0));
        }
        if let Some(notice) = &self.options.notice {
            self.handle(Msg::Notice(notice.clone()), &mut send);
        }
        self.handle(Msg::Resize(width, height), &mut send);
        loop {
            let now = self.clock.now_ms();
            if self.enter_at_ms.is_some_and(|at| now >= at) {
                self.enter_again();
            }
            if self.dirty && now >= self.frame_at_ms {
                if let Err(error) = self.draw() {
                    // A terminal that hung up fails before its signal arrives.
                    return if error.kind() == io::ErrorKind::BrokenPipe || error.raw_os_error() == Some(EIO) {
                        Ok(self.outcome(Exit::Gone))
                    } else {
                        Err(error)
                    };
                }
                self.dirty = false;
                self.frame_at_ms = now + if self.background { BACKGROUND_FRAME_MS } else { FRAME_MS };
            }
            let next = if self.dirty { Some(self.frame_at_ms) } else { self.state.next_change_ms() };
            let next = next.into_iter().chain(self.enter_at_ms).min();
            let wait = next.map_or(3_600_000, |next| next.saturating_sub(self.clock.now_ms()));
            let mail = mailbox.take(Duration::from_millis(wait));
            if let Some(map) = mail.map {
                self.handle(Msg::Map(map), &mut send);
            }
            if let Some(snapshot) = mail.snapshot {
                self.handle(Msg::Snapshot(snapshot), &mut send);
            }
            for event in mail.events {
                if let Some(exit) = self.on_event(event, &mut send) {
                    return Ok(self.outcome(exit));
                }
            }
            // Also where snapshots come faster than frames are drawn: what is over must go.
            self.handle(Msg::Tick, &mut send);
        }
    }

    fn on_event(&mut self, event: TerminalEvent, send: &mut impl FnMut(Request)) -> Option<Exit> {
        match event {
            TerminalEvent::Key(key) => self.handle(Msg::Key(key), send),
            TerminalEvent::Paste(text) => self.handle(Msg::Paste(text), send),
            TerminalEvent::Click(x, y) => {
                let hit = self.cache.hit(x, y)?;
                self.handle(Msg::Click(hit), send)
            }
            TerminalEvent::Wheel(x, y, by) => {
                let hit = self.cache.hit(x, y)?;
                self.handle(Msg::Wheel(hit, by), send)
            }
            TerminalEvent::Resize(width, height) => self.handle(Msg::Resize(width, height), send),
            TerminalEvent::Focus(focused) => {
                self.background = !focused;
                if focused {
                    self.frame_at_ms = 0;
                }
                None
            }
            TerminalEvent::Continued => {
                self.enter_again();
                None
            }
            TerminalEvent::Signal(signal) => Some(Exit::Signal(signal)),
            TerminalEvent::Panicked => Some(Exit::Panicked),
            TerminalEvent::Gone => Some(Exit::Gone),
        }
    }

    fn outcome(&self, exit: Exit) -> Outcome {
        Outcome { exit, last: self.state.latest.clone(), ran_ms: self.clock.now_ms() }
    }

    fn handle(&mut self, msg: Msg, send: &mut impl FnMut(Request)) -> Option<Exit> {
        for cmd in update(&mut self.state, msg, self.clock.now_ms()) {
            match cmd {
                Cmd::Draw => self.dirty = true,
                Cmd::Send(command) => send(Request::Control(command)),
                Cmd::Read(query) => send(Request::Read(query)),
                Cmd::PollEvery(ms) => send(Request::PollEvery(ms)),
                // A terminal that is gone says so with the next frame.
                Cmd::Copy(text) => drop(self.guard.frame(&clipboard::osc_52(&text))),
                Cmd::Mouse(ours) => drop(self.guard.mouse(ours)),
                Cmd::Save => {
                    let notice = self.save_screen();
                    self.handle(Msg::Notice(notice), send);
                }
                Cmd::SaveSettings => {
                    let notice = self.save_settings();
                    self.handle(Msg::Notice(notice), send);
                }
                Cmd::Suspend => {
                    self.guard.suspend();
                    self.enter_at_ms = Some(self.clock.now_ms() + STOP_MS);
                }
                Cmd::Quit => return Some(Exit::Quit),
            }
        }
        None
    }

    /// The terminal was somebody else's meanwhile: everything is switched on and drawn again. One
    /// that is gone says so with the next frame.
    fn enter_again(&mut self) {
        self.enter_at_ms = None;
        let _ = self.guard.enter_again();
        let _ = self.guard.mouse(self.state.mouse == MouseOwner::Dashboard);
        if let Ok((width, height)) = crossterm::terminal::size() {
            update(&mut self.state, Msg::Resize(width, height), self.clock.now_ms());
        }
        self.drawn = Buffer::empty(Rect::ZERO);
        self.frame_at_ms = 0;
        self.dirty = true;
    }

    fn theme(&self) -> Theme {
        Theme { palette: self.state.palette(), ..self.options.theme }
    }
}

/// The state at the start: as the settings want it.
fn first_state(options: &Options) -> State {
    let mut state = State::new(options.theme.palette, &options.panes);
    options.settings.begin(&mut state);
    state
}
