//! The edge: the only part of this crate with a clock, a terminal and threads.
//!
//! One thread draws. Keys, signals and snapshots meet in its mailbox; it sleeps until something
//! comes or the picture would change by itself, and draws when the picture has changed: at most
//! [`FRAME_MS`] apart, and slower while the window is in the background. A frame is one buffer of
//! bytes, between the marks of a synchronised update, and one write.
//!
//! # Simplifications
//! - The thread that reads keys checks five times a second whether it should end: a blocking read
//!   cannot be woken.
//! - crossterm's default reader waits for edges: a key that comes in the very moment of a resize
//!   may stay unread until the next key. Its `use-dev-tty` feature does not, and costs a
//!   dependency.
//! - Of the mouse there are presses and the wheel; while it is ours, most terminals select text
//!   with Shift held.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crossterm::event::{
    self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::command::Command;
use crate::settings::Settings;
use crate::snapshot::{RecordQuery, Snapshot};
use crate::state::keys::Key;
use crate::state::message::{Cmd, Msg};
use crate::state::pane::Pane;
use crate::state::update::update;
use crate::state::{MouseOwner, POLL_STEPS, State};
use crate::terminal::guard::Guard;
use crate::terminal::mailbox::{Mailbox, TerminalEvent};
use crate::view::theme::Theme;
use crate::view::{Cache, view};

mod clipboard;
mod guard;
mod mailbox;

pub use mailbox::{Feed, Publisher, feed};

/// Frames are at least so far apart: 15 a second.
const FRAME_MS: u64 = 66;
/// And so far while the terminal's window has not got the keyboard: 2 a second.
const BACKGROUND_FRAME_MS: u64 = 500;
/// How many rows one notch of the wheel is.
const WHEEL_ROWS: isize = 3;
/// What a terminal that hung up answers, on every Unix.
const EIO: i32 = 5;
/// How often the thread that reads keys checks whether it should end.
const STOP_POLL: Duration = Duration::from_millis(200);

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
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    let handle = signals.handle();
    let ended = Arc::new(AtomicBool::new(false));
    let guard = Guard::enter(mailbox)?;
    let signalled = Arc::clone(mailbox);
    let watch = std::thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            signalled.push(TerminalEvent::Signal(signal));
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
    background: bool,
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
            background: false,
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
        let mut frame_at = 0;
        loop {
            let now = self.clock.now_ms();
            if self.dirty && now >= frame_at {
                if let Err(error) = self.draw() {
                    // A terminal that hung up fails before its signal arrives.
                    return if error.kind() == io::ErrorKind::BrokenPipe || error.raw_os_error() == Some(EIO) {
                        Ok(self.outcome(Exit::Gone))
                    } else {
                        Err(error)
                    };
                }
                self.dirty = false;
                frame_at = now + if self.background { BACKGROUND_FRAME_MS } else { FRAME_MS };
            }
            let next = if self.dirty { Some(frame_at) } else { self.state.next_change_ms() };
            let wait = next.map_or(3_600_000, |next| next.saturating_sub(self.clock.now_ms()));
            let mail = mailbox.take(Duration::from_millis(wait));
            if let Some(map) = mail.map {
                self.handle(Msg::Map(map), &mut send);
            }
            if let Some(snapshot) = mail.snapshot {
                self.handle(Msg::Snapshot(snapshot), &mut send);
            }
            for event in mail.events {
                let exit = match event {
                    TerminalEvent::Key(key) => self.handle(Msg::Key(key), &mut send),
                    TerminalEvent::Click(x, y) => match self.cache.hit(x, y) {
                        Some(hit) => self.handle(Msg::Click(hit), &mut send),
                        None => None,
                    },
                    TerminalEvent::Wheel(x, y, by) => match self.cache.hit(x, y) {
                        Some(hit) => self.handle(Msg::Wheel(hit, by), &mut send),
                        None => None,
                    },
                    TerminalEvent::Resize(width, height) => {
                        self.handle(Msg::Resize(width, height), &mut send)
                    }
                    TerminalEvent::Focus(focused) => {
                        self.background = !focused;
                        if focused {
                            frame_at = 0;
                        }
                        None
                    }
                    TerminalEvent::Signal(signal) => Some(Exit::Signal(signal)),
                    TerminalEvent::Panicked => Some(Exit::Panicked),
                    TerminalEvent::Gone => Some(Exit::Gone),
                };
                if let Some(exit) = exit {
                    return Ok(self.outcome(exit));
                }
            }
            if !self.dirty {
                self.handle(Msg::Tick, &mut send);
            }
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
                Cmd::SaveSettings => {
                    let told = match self.save_settings() {
                        Ok(path) => format!("saved {}", path.display()),
                        Err(error) => format!("could not save the settings: {error}"),
                    };
                    self.handle(Msg::Notice(told), send);
                }
                Cmd::Quit => return Some(Exit::Quit),
                Cmd::Save => {
                    let told = match self.save() {
                        Ok(path) => format!("saved {}", path.display()),
                        Err(error) => format!("could not save the screen: {error}"),
                    };
                    self.handle(Msg::Notice(told), send);
                }
            }
        }
        None
    }

    fn theme(&self) -> Theme {
        Theme { palette: self.state.palette(), ..self.options.theme }
    }

    fn draw(&mut self) -> io::Result<()> {
        let (width, height) = self.state.size;
        let area = Rect::new(0, 0, width, height);
        let resized = self.drawn.area != area;
        if resized {
            self.drawn = Buffer::empty(area);
            self.next = Buffer::empty(area);
        }
        let theme = self.theme();
        view(&self.state, &mut self.cache, &theme, area, &mut self.next);
        let bytes = frame_bytes(&self.drawn, &self.next, resized)?;
        if !bytes.is_empty() {
            self.guard.frame(&bytes)?;
        }
        std::mem::swap(&mut self.drawn, &mut self.next);
        Ok(())
    }

    /// Saves what is set now, also what is as it always is: the file says what there is.
    fn save_settings(&self) -> io::Result<&Path> {
        let nowhere = || io::Error::other("neither XDG_CONFIG_HOME nor HOME is set");
        let path = self.options.settings_file.as_deref().ok_or_else(nowhere)?;
        let settings = Settings {
            theme: Some(self.state.palette()),
            glyphs: Some(self.options.theme.glyphs),
            mouse: Some(self.state.mouse == MouseOwner::Dashboard),
            poll_ms: Some(POLL_STEPS[self.state.poll_step].0),
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, settings.write())?;
        Ok(path)
    }

    #[expect(clippy::disallowed_methods, reason = "a saved screen is named after wall-clock time")]
    fn save(&self) -> io::Result<PathBuf> {
        let seconds =
            SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let path = self.options.save_in.join(format!("freshet-{seconds}.svg"));
        std::fs::write(&path, crate::svg::of_buffer(&self.drawn, &self.theme()))?;
        Ok(path)
    }
}

/// The state at the start: as the settings want it.
fn first_state(options: &Options) -> State {
    let mut state = State::new(options.theme.palette, &options.panes);
    if options.settings.mouse == Some(false) {
        state.mouse = MouseOwner::Terminal;
    }
    let wanted = options.settings.poll_ms;
    state.poll_step = POLL_STEPS.iter().position(|(ms, _)| Some(*ms) == wanted).unwrap_or(0);
    state
}

/// What a terminal that shows `drawn` must be sent to show `next`; nothing when they are the same.
pub(crate) fn frame_bytes(drawn: &Buffer, next: &Buffer, clear: bool) -> io::Result<Vec<u8>> {
    let changes = drawn.diff(next);
    if changes.is_empty() && !clear {
        return Ok(Vec::new());
    }
    let mut bytes = Vec::with_capacity(changes.len() * 8 + 64);
    queue!(bytes, BeginSynchronizedUpdate)?;
    if clear {
        queue!(bytes, Clear(ClearType::All))?;
    }
    CrosstermBackend::new(&mut bytes).draw(changes.into_iter())?;
    queue!(bytes, EndSynchronizedUpdate)?;
    bytes.flush()?;
    Ok(bytes)
}

fn read_keys(mailbox: &Mailbox, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let event = match event::poll(STOP_POLL)
            .and_then(|ready| if ready { event::read().map(Some) } else { Ok(None) })
        {
            Ok(Some(Event::Key(key))) => key_of(key).map(TerminalEvent::Key),
            Ok(Some(Event::Mouse(mouse))) => mouse_of(mouse),
            Ok(Some(Event::Resize(width, height))) => Some(TerminalEvent::Resize(width, height)),
            Ok(Some(Event::FocusGained)) => Some(TerminalEvent::Focus(true)),
            Ok(Some(Event::FocusLost)) => Some(TerminalEvent::Focus(false)),
            // A terminal that hung up reads as one without input.
            Ok(None) if has_hung_up() => Some(TerminalEvent::Gone),
            Ok(_) => None,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => None,
            Err(_) => {
                mailbox.push(TerminalEvent::Gone);
                return;
            }
        };
        if let Some(event) = event {
            mailbox.push(event);
            if event == TerminalEvent::Gone {
                return;
            }
        }
    }
}

/// Whether the terminal hung up. A shell sends its programs a signal, but there may be no shell;
/// from then on the kernel answers every question about the terminal with EIO.
fn has_hung_up() -> bool {
    crossterm::terminal::window_size().is_err_and(|error| error.raw_os_error() == Some(EIO))
}

/// A press of the left button, or a turn of the wheel.
fn mouse_of(mouse: MouseEvent) -> Option<TerminalEvent> {
    let (x, y) = (mouse.column, mouse.row);
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => Some(TerminalEvent::Click(x, y)),
        MouseEventKind::ScrollUp => Some(TerminalEvent::Wheel(x, y, -WHEEL_ROWS)),
        MouseEventKind::ScrollDown => Some(TerminalEvent::Wheel(x, y, WHEEL_ROWS)),
        MouseEventKind::Down(MouseButton::Right | MouseButton::Middle)
        | MouseEventKind::Up(_)
        | MouseEventKind::Drag(_)
        | MouseEventKind::Moved
        | MouseEventKind::ScrollLeft
        | MouseEventKind::ScrollRight => None,
    }
}

/// A key press as far as we tell them apart.
#[expect(clippy::wildcard_enum_match_arm, reason = "the keys that we know are few of many")]
fn key_of(key: KeyEvent) -> Option<Key> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    Some(match key.code {
        KeyCode::Char(char) if key.modifiers.contains(KeyModifiers::CONTROL) => {
            Key::Ctrl(char.to_ascii_lowercase())
        }
        KeyCode::Char(char) => Key::Char(char),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Esc,
        KeyCode::Tab => Key::Tab,
        KeyCode::BackTab => Key::BackTab,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::Left => Key::Left,
        KeyCode::Right => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashboard_testing::Sample;
    use ratatui::style::{Color, Modifier};
    use vt100::Color as Seen;

    /// A screen as the crate of samples draws it: with this crate as its tests do not see it, but
    /// the cells of a picture are everybody's.
    fn buffer(sample: Sample, key: char, size: (u16, u16)) -> Buffer {
        dashboard_testing::screen(sample, size, &[dashboard_testing::Key::Char(key)])
    }

    /// Compares what a terminal shows with what was drawn, cell by cell.
    fn assert_shows(terminal: &vt100::Parser, buf: &Buffer) {
        let color = |color: Color| {
            let Color::Rgb(r, g, b) = color else {
                assert_eq!(color, Color::Reset, "the default theme has true colours only");
                return Seen::Default;
            };
            Seen::Rgb(r, g, b)
        };
        for y in 0..buf.area.height {
            let mut x = 0;
            while x < buf.area.width {
                let drawn = &buf[(x, y)];
                let shown = terminal.screen().cell(y, x).expect("inside");
                let symbol = if shown.contents().is_empty() { " " } else { shown.contents() };
                assert_eq!(symbol, drawn.symbol(), "at {x},{y}");
                assert_eq!(shown.bgcolor(), color(drawn.bg), "at {x},{y}");
                if symbol != " " {
                    assert_eq!(shown.fgcolor(), color(drawn.fg), "at {x},{y} {symbol}");
                    assert_eq!(shown.bold(), drawn.modifier.contains(Modifier::BOLD), "at {x},{y} {symbol}");
                }
                x += if shown.is_wide() { 2 } else { 1 };
            }
        }
    }

    /// The bytes of each frame, on top of those before it, make the terminal show exactly the
    /// buffer.
    #[test]
    fn the_terminal_shows_what_was_drawn() {
        for size in [(60, 16), (80, 24), (120, 40), (200, 60)] {
            let mut terminal = vt100::Parser::new(size.1.try_into().unwrap(), size.0.try_into().unwrap(), 0);
            let mut drawn = Buffer::empty(Rect::new(0, 0, size.0, size.1));
            let mut first = true;
            for sample in [
                Sample::Normal,
                Sample::Extreme,
                Sample::Empty,
                Sample::Stale,
                Sample::Extreme,
                Sample::Foreign,
            ] {
                for key in ['1', '3', '4', '?'] {
                    let next = buffer(sample, key, size);
                    terminal.process(&frame_bytes(&drawn, &next, first).expect("into memory"));
                    assert_shows(&terminal, &next);
                    drawn = next;
                    first = false;
                }
            }
        }
    }

    #[test]
    fn the_same_picture_sends_nothing() {
        let drawn = buffer(Sample::Normal, '1', (120, 40));
        assert_eq!(
            frame_bytes(&drawn, &buffer(Sample::Normal, '1', (120, 40)), false).expect("into memory"),
            b""
        );
    }

    #[test]
    fn a_frame_is_one_synchronised_update() {
        let bytes =
            frame_bytes(&buffer(Sample::Empty, '1', (80, 24)), &buffer(Sample::Normal, '1', (80, 24)), false);
        let text = String::from_utf8(bytes.expect("into memory")).expect("UTF-8");
        assert!(text.starts_with("\u{1b}[?2026h") && text.ends_with("\u{1b}[?2026l"));
    }

    #[test]
    fn keys_are_told_apart() {
        let key = |code, modifiers| key_of(KeyEvent::new(code, modifiers));
        assert_eq!(key(KeyCode::Char('X'), KeyModifiers::SHIFT), Some(Key::Char('X')));
        assert_eq!(key(KeyCode::Char('C'), KeyModifiers::CONTROL), Some(Key::Ctrl('c')));
        assert_eq!(key(KeyCode::F(5), KeyModifiers::NONE), None);
        let mut released = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
        released.kind = KeyEventKind::Release;
        assert_eq!(key_of(released), None);
    }
}
