//! How a process learns that it should pause, go on, or end: lines on standard input from a
//! supervisor, signals from anyone.

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::supervise::Order;

/// Somebody pressed Ctrl-C: everything ended in order, and the exit code says why.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// How long a process may take to end in order, once it was asked.
const PATIENCE: Duration = Duration::from_millis(1_900);

/// Where orders arrive. A second request to stop, or one that is not obeyed within [`PATIENCE`],
/// ends the process at once: what was acknowledged is in the log, and what was not will be done
/// again.
pub fn orders(supervised: bool) -> Result<Receiver<Order>> {
    let (send, orders) = channel();
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("could not watch for signals")?;
    let from_signals = send.clone();
    thread::Builder::new().name("signals".into()).spawn(move || {
        let mut asked = false;
        for signal in &mut signals {
            if asked {
                std::process::exit(128 + signal);
            }
            asked = true;
            let _ = from_signals.send(Order::Stop);
            end_anyway(128 + signal);
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
    end_anyway(1);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the process has nothing left to do but to wait for its own end"
)]
fn end_anyway(code: i32) {
    let _ = thread::Builder::new().name("end".into()).spawn(move || {
        thread::sleep(PATIENCE);
        std::process::exit(code);
    });
}
