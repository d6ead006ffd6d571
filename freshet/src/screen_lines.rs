//! What is said while the dashboard has the terminal: news for its events, not words on its screen.
//!
//! Words go to standard error, and where that is the terminal that the dashboard draws on, they
//! would stand in the middle of a pane until something else is drawn there. So as long as a
//! [`ScreenLines`] lives, whatever this process says is sent to it instead: the events of `tracing`
//! by the layer [`SaidOnScreen`], and the lines of `say!`.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

use dashboard::{Notice, NoticeKind, Severity};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::fields::Fields;
use scenarios::clock::wall_ms;
use text::escape;

/// Where the screen takes its lines from, while there is one.
static SCREEN: Mutex<Option<Sender<Notice>>> = Mutex::new(None);

fn screen() -> MutexGuard<'static, Option<Sender<Notice>>> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line that is said again within so long, in milliseconds of wall-clock time, is no news: each
/// client of a cluster says for itself that the broker went away.
const SAME_MS: i64 = 10_000;

/// Takes what is said, until it is dropped.
pub(crate) struct ScreenLines {
    lines: Receiver<Notice>,
    last: Option<Notice>,
}

impl ScreenLines {
    /// From now on, what is said is sent here.
    ///
    /// # Panics
    /// When another one lives: there is one terminal.
    pub(crate) fn take() -> Self {
        let (sender, lines) = channel();
        let before = screen().replace(sender);
        assert!(before.is_none(), "two screens take what is said");
        Self { lines, last: None }
    }

    /// What was said since the last look.
    pub(crate) fn news(&mut self) -> Vec<Notice> {
        let mut news = Vec::new();
        for line in self.lines.try_iter() {
            let is_same = |last: &Notice| last.text == line.text && line.at_ms - last.at_ms < SAME_MS;
            if !self.last.as_ref().is_some_and(is_same) {
                self.last = Some(line.clone());
                news.push(line);
            }
        }
        news
    }
}

impl Drop for ScreenLines {
    /// What the screen has not taken is said after it.
    fn drop(&mut self) {
        screen().take();
        for notice in self.news() {
            let _ = writeln!(io::stderr(), "{}", escape(&notice.text));
        }
    }
}

/// Sends a line to the screen; false when there is none.
pub(crate) fn send(text: &str, severity: Severity) -> bool {
    let screen = screen();
    let Some(screen) = &*screen else { return false };
    let notice = Notice {
        at_ms: wall_ms(),
        kind: NoticeKind::Note,
        severity,
        subject: "freshet".into(),
        text: text.to_owned(),
        duration_ms: None,
    };
    screen.send(notice).is_ok()
}

/// Standard error, unless a screen takes what is said.
pub(crate) fn stderr() -> Box<dyn Write> {
    if screen().is_some() { Box::new(io::sink()) } else { Box::new(io::stderr()) }
}

/// The layer that sends events to the screen.
pub(crate) struct SaidOnScreen;

impl<S: Subscriber> Layer<S> for SaidOnScreen {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let severity = match *event.metadata().level() {
            Level::ERROR => Severity::Bad,
            Level::WARN => Severity::Warning,
            _ => Severity::Info,
        };
        send(&Fields::of(event).message(), severity);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_goes_to_the_screen_while_there_is_one() {
        assert!(!send("no screen is open", Severity::Info));
        let mut lines = ScreenLines::take();
        say!("a sentence of {} words", 4);
        for _ in 0..3 {
            assert!(send("the broker went away", Severity::Warning));
        }
        let news: Vec<_> = lines.news().into_iter().map(|notice| (notice.text, notice.severity)).collect();
        let said = ("a sentence of 4 words".to_owned(), Severity::Info);
        assert_eq!(news, [said, ("the broker went away".to_owned(), Severity::Warning)]);
        drop(lines);
        assert!(!send("the screen is closed again", Severity::Info));
    }
}
