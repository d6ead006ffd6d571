//! The terminal's modes: switched on once, and off again whatever happens.
//!
//! A program that dies in raw mode on the alternate screen leaves a shell that shows nothing of
//! what is typed. So what was switched on is remembered in one place, and taken back from all three
//! ways out: `Drop` (an error, a return), the panic hook (of any thread: a panic elsewhere does not
//! unwind the thread that draws), and the signals, which end the loop.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Once, PoisonError, RwLock};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange};
use crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{queue, style};

use crate::terminal::mailbox::{Mailbox, TerminalEvent};

/// Whether the terminal is in our modes.
static ACTIVE: AtomicBool = AtomicBool::new(false);
/// Where the panic hook sends the news.
static LISTENER: RwLock<Option<Arc<Mailbox>>> = RwLock::new(None);

/// Presses and the wheel, with coordinates of any size (xterm's modes 1000 and 1006). Not the
/// movements, which crossterm's own command switches on too: they would be an event a cell.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";

/// While it lives, the terminal is in raw mode on its alternate screen.
pub(crate) struct Guard;

impl Guard {
    pub(crate) fn enter(mailbox: &Arc<Mailbox>) -> io::Result<Guard> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let others = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                // First the terminal, or the message would be lost with the alternate screen; and
                // only then the news, or the program could have ended before the message is out.
                let was_active = restore();
                others(panic);
                if was_active
                    && let Ok(listener) = LISTENER.try_read()
                    && let Some(mailbox) = &*listener
                {
                    mailbox.try_push(TerminalEvent::Panicked);
                }
            }));
        });
        *LISTENER.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(mailbox));
        enable_raw_mode()?;
        ACTIVE.store(true, Ordering::SeqCst);
        // From here on `Drop` takes back what was done, also when the rest fails.
        let guard = Guard;
        write(&modes()?)?;
        Ok(guard)
    }

    #[expect(clippy::unused_self, reason = "only the holder of the guard may change the modes")]
    /// Gives the terminal back and stops this program, with whatever a shell has started together
    /// with it (such as the `make` that waits for it), until the shell lets it go on. Where there
    /// is no shell that could, the kernel stops nothing.
    pub(crate) fn suspend(&self) {
        restore();
        // A terminal does the same at Ctrl-Z, where it has not been told to pass on all keys.
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
    }

    #[expect(clippy::unused_self, reason = "only the holder of the guard may change the modes")]
    /// Switches everything on once more: this program was stopped, and a shell may have had the
    /// terminal.
    pub(crate) fn enter_again(&self) -> io::Result<()> {
        // What is known of the modes is what they were before.
        disable_raw_mode()?;
        enable_raw_mode()?;
        ACTIVE.store(true, Ordering::SeqCst);
        write(&modes()?)
    }

    #[expect(clippy::unused_self, reason = "only the holder of the guard may change the modes")]
    /// Takes the mouse, or gives it back to the terminal.
    pub(crate) fn mouse(&self, ours: bool) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if ACTIVE.load(Ordering::SeqCst) {
            out.write_all(if ours { MOUSE_ON } else { MOUSE_OFF })?;
            out.flush()?;
        }
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "only the holder of the guard may draw")]
    /// Writes a frame, unless the terminal has been restored meanwhile.
    pub(crate) fn frame(&self, bytes: &[u8]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if ACTIVE.load(Ordering::SeqCst) {
            out.write_all(bytes)?;
            out.flush()?;
        }
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
        *LISTENER.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Restores the terminal exactly once; returns whether it was in our modes.
pub(crate) fn restore() -> bool {
    // The lock of the output lets a frame that is being written finish before the modes change.
    let mut out = io::stdout().lock();
    if !ACTIVE.swap(false, Ordering::SeqCst) {
        return false;
    }
    // Also where the mouse was never ours: it takes nothing away.
    let mut bytes = MOUSE_OFF.to_vec();
    // A terminal that hung up cannot be restored, and there is nowhere to report it.
    let _ = queue!(
        bytes,
        EndSynchronizedUpdate,
        style::ResetColor,
        DisableBracketedPaste,
        DisableFocusChange,
        Show,
        LeaveAlternateScreen
    );
    let _ = out.write_all(&bytes).and_then(|()| out.flush());
    let _ = disable_raw_mode();
    true
}

/// The bytes that switch on all but raw mode and the mouse.
fn modes() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // A line break in what is pasted is none of our keys, nor is a `q`.
    queue!(bytes, EnterAlternateScreen, Hide, EnableFocusChange, EnableBracketedPaste)?;
    Ok(bytes)
}

fn write(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}
