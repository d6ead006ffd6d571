//! `freshet produce`: one simulated business, which sends its events as they happen.

use std::io::{self, BufWriter};
use std::iter::Peekable;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::Result;
use client::{Admin, Outgoing, Producer, ProducerOptions, TopicPartition};
use events::Timestamp;
use producers::Emission;

use super::worker_settings;
use crate::cli::{ProduceArgs, TimeArgs};
use crate::output::stdout;
use bill::{SEND_TIME_HEADER, SimulatedSendTime};
use scenarios::business::{Business, Emissions};
use scenarios::clock::{SimulatedClock, wall_ms};
use scenarios::controller::BURST_MS;
use scenarios::priority::lower_priority;
use scenarios::supervise::Order;
use scenarios::{control, lines, topics};

/// Events are sent in batches, so far apart: imperceptible on the screen, and fewer batches are
/// less work for broker and consumers.
const BATCH: Duration = Duration::from_millis(20);
/// No batch is larger.
const MOST: usize = 20_000;
/// How long a broker may be away before its producer gives up: as long as it takes to start it
/// again.
const OUTAGE: Duration = Duration::from_mins(10);
/// How long to wait for the last acknowledgements.
const FLUSH: Duration = Duration::from_millis(1_500);

/// The endless events of a business, each with how many came before it.
type Numbered = Box<dyn Iterator<Item = (u64, Emission)>>;

/// Runs until told to stop.
pub(crate) fn run(args: &ProduceArgs) -> Result<()> {
    let Business { producer: simulator, .. } = args.business;
    let world = args.world();
    let emissions = (simulator.simulate)(&world)?;
    if let Some(length) = args.print {
        return print(emissions, args, length.0);
    }
    if let Some(priority) = simulator.priority {
        lower_priority(priority);
    }
    let mut numbered = (0..).zip(emissions);
    let orders = control::orders(args.control.supervised)?;
    let settings = worker_settings(&args.cluster, &args.control, simulator.name)?;
    let clock = args.time.clock();
    let admin = Admin::connect(&settings, Duration::from_secs(5))?;
    topics::ensure(&admin, simulator.topics)?;
    let producer = Producer::new(&settings, &ProducerOptions::stream())?;
    let mut first = None;
    if already_began(&admin, args.business.main_topic().name())? {
        // Time has passed since someone stopped: what happened meanwhile was never sent, as with a
        // phone without a network.
        let now = clock.simulated(wall_ms());
        first = numbered.by_ref().find(|(_, emission)| emission.at >= now);
    }
    let usual: Numbered = Box::new(first.into_iter().chain(numbered));
    let more = |moment| Ok(Box::new((0_u64..).zip(simulator.burst_at(&world, moment)?)) as Numbered);
    let usual: Numbered = match args.until {
        Some(until) => Box::new(usual.take_while(move |(_, emission)| emission.at < until)),
        None => usual,
    };
    let sent = send(usual, &producer, &clock, &orders, more)?;
    producer.flush(FLUSH)?;
    say!("{sent} events sent and acknowledged");
    Ok(())
}

fn already_began(admin: &Admin, topic: &str) -> Result<bool> {
    let partitions: Vec<_> =
        (0..admin.partitions(topic)?).map(|partition| TopicPartition::new(topic, partition)).collect();
    Ok(admin.ends(&partitions)?.into_iter().flatten().any(|end| end > 0))
}

/// Sends each event when the clock says that it is its time; says how many. `more` makes what a
/// burst adds from a moment on.
fn send(
    usual: Numbered,
    producer: &Producer,
    clock: &SimulatedClock,
    orders: &Receiver<Order>,
    more: impl Fn(Timestamp) -> Result<Numbered>,
) -> Result<u64> {
    let mut usual = usual.peekable();
    let mut burst = None::<(i64, Peekable<Numbered>)>;
    let (mut sent, mut value) = (0, Vec::new());
    loop {
        let now_ms = wall_ms();
        let now = clock.simulated(now_ms);
        burst.take_if(|(until_ms, _)| *until_ms <= now_ms);
        // A burst may be more than can be sent in its time, and an order must not wait for the end
        // of it.
        for _ in 0..MOST {
            let next = |from: &mut Peekable<Numbered>| from.peek().map(|(_, emission)| emission.at);
            let first = next(&mut usual);
            let from = match &mut burst {
                Some((_, more)) => match next(more) {
                    Some(at) if first.is_none_or(|first| at < first) => more,
                    _ => &mut usual,
                },
                None => &mut usual,
            };
            let Some((number, emission)) = from.next_if(|(_, emission)| emission.at <= now) else { break };
            let send_time = SimulatedSendTime { at: emission.at, number }.to_string();
            value.clear();
            emission.event.write_json(&mut value);
            let record = Outgoing {
                topic: emission.event.topic().name(),
                key: Some(emission.event.key().as_bytes()),
                value: Some(&value),
                headers: &[(SEND_TIME_HEADER, send_time.as_bytes())],
                timestamp_ms: Some(wall_ms()),
                ..Outgoing::default()
            };
            producer.send(record, OUTAGE)?;
            sent += 1;
        }
        let Some((_, next)) = usual.peek() else { return Ok(sent) };
        let due = Duration::from_millis((clock.wall_ms_at(next.at) - now_ms).max(0) as u64);
        let due = if burst.is_some() { BATCH } else { due.max(BATCH) };
        match wait(orders, due) {
            Some(Order::Stop) => return Ok(sent),
            Some(Order::Burst) => {
                let began_ms = wall_ms();
                let moment = clock.simulated(began_ms).floor(1_000);
                burst = Some((began_ms + BURST_MS, more(moment)?.peekable()));
            }
            // The world goes on while production is paused; what happened meanwhile is sent at once
            // afterwards.
            Some(Order::Pause) => loop {
                match orders.recv() {
                    Ok(Order::Resume) => break,
                    Ok(Order::Stop) | Err(_) => return Ok(sent),
                    Ok(_) => {}
                }
            },
            Some(Order::Resume | Order::Period(_) | Order::Close) | None => {}
        }
    }
}

fn wait(orders: &Receiver<Order>, time: Duration) -> Option<Order> {
    match orders.recv_timeout(time) {
        Ok(order) => Some(order),
        Err(RecvTimeoutError::Timeout) => None,
        Err(RecvTimeoutError::Disconnected) => Some(Order::Stop),
    }
}

/// Writes the events of so much simulated time as lines.
fn print(emissions: Emissions, args: &ProduceArgs, length_ms: i64) -> Result<()> {
    let end = args.time.start.plus_ms(length_ms);
    let mut to = BufWriter::with_capacity(1 << 16, stdout());
    let mut scratch = Vec::new();
    for emission in emissions.take_while(|emission| emission.at < end) {
        match lines::write(&mut to, &emission.event, &mut scratch) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
    }
    match io::Write::flush(&mut to) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

impl TimeArgs {
    /// The two clocks: the show's, or one that starts now.
    pub(crate) fn clock(&self) -> SimulatedClock {
        SimulatedClock {
            started_wall_ms: self.started_at.unwrap_or_else(wall_ms),
            start: self.start,
            speed: self.speed,
        }
    }
}
