//! Commands to a process, to pause, resume or end: lines on standard input from a supervisor, and
//! signals.

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::supervise::Order;

/// Ctrl-C was pressed, or another signal came: everything ended in order, and the exit code tells
/// why.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// The exit code that a shell expects of a process that a signal has ended, 128 and its number;
/// none while no signal has come.
pub fn exit_code_of_signal() -> Option<u8> {
    match SIGNAL.load(Ordering::Relaxed) {
        0 => None,
        signal => u8::try_from(128 + signal).ok(),
    }
}

/// The signal that came first, or 0: no signal has that number.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// Temporary folders, to be removed also when the process ends by force.
static TEMPORARY: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// How long a worker may take to end in order, once it was asked: its supervisor waits no longer.
const PATIENCE_OF_WORKERS: Duration = Duration::from_millis(1_900);
/// How long any other process may: a show ends its workers, its broker and its screen one after
/// the other. A second signal ends it at once.
const PATIENCE: Duration = Duration::from_secs(15);

/// Another part, such as the screen, took a signal: the exit code must tell it.
pub fn note_signal(signal: i32) {
    SIGNAL.store(signal, Ordering::Relaxed);
}

/// Has a temporary folder removed also when the process ends by force, where no destructor runs.
pub fn remove_at_forced_end(folder: &Path) {
    TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).push(folder.to_owned());
}

/// Ends the process at once, and leaves no folder behind.
fn force_end(code: i32) -> ! {
    for folder in TEMPORARY.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        // A thread that still writes there may make a file; other errors have no remedy.
        let _ = std::fs::remove_dir_all(&folder).or_else(|_| std::fs::remove_dir_all(&folder));
    }
    std::process::exit(code)
}

/// The receiver of commands. A second request to stop, or one that is not obeyed in time, ends the
/// process at once: what was acknowledged is in the log, and what was not will be done again.
pub fn orders(supervised: bool) -> Result<Receiver<Order>> {
    let patience = if supervised { PATIENCE_OF_WORKERS } else { PATIENCE };
    let (send, orders) = channel();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("could not watch for signals")?;
    let from_signals = send.clone();
    thread::Builder::new().name("signals".into()).spawn(move || {
        let mut asked = false;
        for signal in &mut signals {
            if asked {
                force_end(128 + signal);
            }
            asked = true;
            note_signal(signal);
            let _ = from_signals.send(Order::Stop);
            end_anyway(128 + signal, patience);
        }
    })?;
    if supervised {
        thread::Builder::new().name("orders".into()).spawn(move || obey(&send))?;
    }
    Ok(orders)
}

fn obey(send: &Sender<Order>) {
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        if let Some(order) = Order::read(&line) {
            let _ = send.send(order);
        }
    }
    // The supervisor has gone, in order or not.
    let _ = send.send(Order::Stop);
    end_anyway(1, PATIENCE_OF_WORKERS);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the process has nothing left to do but to wait for its own end"
)]
fn end_anyway(code: i32, patience: Duration) {
    let _ = thread::Builder::new().name("end".into()).spawn(move || {
        thread::sleep(patience);
        force_end(code);
    });
}
