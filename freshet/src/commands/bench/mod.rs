//! `freshet bench`: what a broker does in a second, and what that costs; and how long an answer
//! takes under load.
//!
//! librdkafka is the client, as in every other command, and any broker can be the one measured:
//! ours, another build of ours, or Apache Kafka. Compare what stands in one run on one machine, and
//! compare CPU time before speed: on a machine that client and broker share, the client is what
//! sets the speed, and the broker's CPU time divided by the client's is the figure that travels
//! from one machine to another.
//!
//! # Simplifications
//! - One client process, one broker process, one machine: nothing here sees a network.
//! - CPU time is in steps of 10 ms, as Linux tells it. Send more records for a finer figure.

mod answers;
mod figures;
mod latency;
mod schedule;
mod show;
mod start;
mod target;
mod volume;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

use anyhow::Result;

use crate::cli::BenchCommand;

use scenarios::Interrupted;
use scenarios::control;
use scenarios::supervise::Order;

/// Measures.
pub(crate) fn run(command: &BenchCommand) -> Result<()> {
    let stop = StopSignal { orders: Mutex::new(control::orders(false)?), stopped: AtomicBool::new(false) };
    match command {
        BenchCommand::Produce(args) => volume::produce(&stop, args),
        BenchCommand::Consume(args) => volume::consume(&stop, args),
        BenchCommand::Latency(args) => latency::latency(&stop, args),
        BenchCommand::Start(args) => start::start(&stop, args),
        BenchCommand::Swipes(args) => {
            answers::answers(&stop, args, answers::Cards::new(args.crowd.unwrap_or(20_000)), 5_000)
        }
        BenchCommand::Clicks(args) => {
            answers::answers(&stop, args, answers::Shoppers::new(args.crowd.unwrap_or(5_000)), 2_000)
        }
    }
}

/// Whether Ctrl-C has asked the benchmark to stop.
struct StopSignal {
    orders: Mutex<Receiver<Order>>,
    stopped: AtomicBool,
}

impl StopSignal {
    /// An error once Ctrl-C was pressed. Benchmarks check it in their loops, so that topics,
    /// folders and processes are cleaned up.
    fn check(&self) -> Result<(), Interrupted> {
        if let Ok(Ok(Order::Stop)) = self.orders.try_lock().map(|orders| orders.try_recv()) {
            self.stopped.store(true, Ordering::Relaxed);
        }
        if self.stopped.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
    }
}
