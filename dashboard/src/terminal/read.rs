//! Reads the terminal: keys, the mouse, resizes, focus, and that it hung up.
//!
//! # Simplifications
//! - The thread that reads keys checks five times a second whether it should end: a blocking read
//!   cannot be woken.
//! - crossterm's default reader waits for edges: a key that comes in the very moment of a resize
//!   may stay unread until the next key. Its `use-dev-tty` feature does not, and costs a
//!   dependency.
//! - Of the mouse there are presses and the wheel; while it is ours, most terminals select text
//!   with Shift held.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::event::{
    self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

use crate::state::keys::Key;
use crate::terminal::mailbox::{Mailbox, TerminalEvent};

/// How many rows one notch of the wheel is.
const WHEEL_ROWS: isize = 3;
/// How often the thread checks whether it should end.
const STOP_POLL: Duration = Duration::from_millis(200);
/// What a terminal that hung up answers, on every Unix.
pub(super) const EIO: i32 = 5;

/// Puts what happens at the terminal into the mailbox, until `stop` is true or the terminal is
/// gone.
pub(super) fn read_keys(mailbox: &Mailbox, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let event = match event::poll(STOP_POLL)
            .and_then(|ready| if ready { event::read().map(Some) } else { Ok(None) })
        {
            Ok(Some(Event::Key(key))) => key_of(key).map(TerminalEvent::Key),
            Ok(Some(Event::Paste(text))) => Some(TerminalEvent::Paste(text)),
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
            let is_gone = event == TerminalEvent::Gone;
            mailbox.push(event);
            if is_gone {
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
