//! `freshet consume`: one consumer of the stream lane.

use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use client::{Admin, GroupOptions};
use events::Topic;
use lanes::{Control, DesiredState, StreamConfig, WorkerStats, run_stream};
use scenarios::priority::lower_priority;
use scenarios::supervise::Order;
use scenarios::{control, topics};

use super::worker_settings;
use crate::cli::ConsumeArgs;

/// Runs until told to stop.
pub(crate) fn run(args: &ConsumeArgs) -> Result<()> {
    let worker = args.consumer;
    if let Some(priority) = worker.priority {
        lower_priority(priority);
    }
    let control = Control::new();
    forward_commands(&control, control::orders(args.control.supervised)?)?;
    let settings = worker_settings(&args.cluster, &args.control, worker.name)?;
    let group = args.group.as_deref().unwrap_or(worker.name);
    let lane = StreamConfig {
        broadcast: worker.broadcast.to_vec(),
        horizon_ms: worker.horizon_ms,
        member: GroupOptions { gather: worker.gather, ..GroupOptions::default() },
        ..StreamConfig::new(settings, group, worker.outputs)
    };
    let processors = (worker.processors)(&args.logic(), &|| control.desired_state() != DesiredState::Stop)?;
    let admin = Admin::connect(&lane.settings, Duration::from_secs(5))?;
    let written = [worker.outputs, worker.broadcast, &[Topic::DeadLetters]].concat();
    topics::ensure(&admin, &[worker.inputs, &written].concat())?;
    tell(&run_stream(&lane, &*processors, &control)?);
    Ok(())
}

/// Passes orders on to a lane.
pub(crate) fn forward_commands(control: &Control, orders: Receiver<Order>) -> Result<()> {
    let control = control.clone();
    thread::Builder::new().name("orders to the lane".into()).spawn(move || {
        for order in orders {
            match order {
                Order::Pause => control.pause(),
                Order::Resume => control.resume(),
                Order::Stop => control.stop(),
                Order::Period(ms) => control.set_period_ms(ms),
                Order::Close => control.close(),
                Order::Burst => {}
            }
        }
    })?;
    Ok(())
}

/// A worker's last words.
pub(crate) fn tell(stats: &WorkerStats) {
    say!("{stats}");
}
