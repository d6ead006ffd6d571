//! `freshet bench latency`: how long a record takes at a rate that does not give way.
//!
//! The due moment of each record (see [`super::schedule`]) travels in its first eight bytes, and
//! its delay counts from there to the consumer's hands.

use std::time::Instant;

use anyhow::{Result, bail};
use client::{LogReader, Outgoing, Producer, ProducerOptions};

use super::StopSignal;
use super::figures::{Figure, Meter, Report, quantile};
use super::schedule::{Schedule, WARM_UP_NS};
use super::target::{PATIENCE, Target};
use crate::cli::LatencyArgs;

/// Sends at the rate, reads what arrives, and tells the delays.
pub(super) fn latency(stop: &StopSignal, args: &LatencyArgs) -> Result<()> {
    let schedule = Schedule::new(args.rate, args.duration)?;
    let target = Target::open(&args.target)?;
    let topic = target.topic("latency")?;
    let options = ProducerOptions {
        linger_ms: args.linger_ms,
        delivery_timeout: Some(2 * PATIENCE),
        ..ProducerOptions::stream()
    };
    let producer = Producer::new(&target.settings, &options)?;
    let mut reader = LogReader::follow(&target.settings, &topic.name, target.partitions)?;
    greet(&producer, &mut reader, &topic.name, &target)?;

    let meter = Meter::start(target.broker_pid)?;
    let began = now();
    let mut delays_ns = std::thread::scope(|scope| {
        let sender = scope.spawn(|| send(stop, &producer, &topic.name, &target, schedule, args.size, began));
        let delays = receive(stop, &mut reader, schedule, began);
        sender.join().expect("the sender does not panic")?;
        delays
    })?;
    let cost = meter.stop()?;

    delays_ns.sort_unstable();
    let ms = |q: f64| quantile(&delays_ns, q).map(|delay| delay as f64 / 1e6);
    let mut report = Report::new("latency");
    report.add(vec![
        Figure::new("records_per_s", "records/s", 0, args.rate as f64),
        Figure::new("p50_ms", "p50 ms", 3, ms(0.5)),
        Figure::new("p99_ms", "p99 ms", 3, ms(0.99)),
        Figure::new("p999_ms", "p99.9 ms", 3, ms(0.999)),
        Figure::new("max_ms", "max ms", 3, ms(1.0)),
        Figure::new("broker_cpu_s", "broker CPU s", 2, cost.broker_s),
        Figure::new("client_cpu_s", "client CPU s", 2, cost.client_s),
        Figure::new(
            "broker_per_client_cpu",
            "broker/client",
            3,
            cost.broker_s.map(|cpu| cpu / cost.client_s),
        ),
        Figure::new("broker_rss_mb", "broker RSS MB", 1, cost.broker_rss_mb),
    ]);
    report.write(args.target.format)
}

/// One record through each partition, so that both sides have found their way before the clock
/// runs.
fn greet(producer: &Producer, reader: &mut LogReader, topic: &str, target: &Target) -> Result<()> {
    for partition in 0..target.partitions {
        let record = Outgoing { topic, partition: Some(partition), value: Some(&[]), ..Outgoing::default() };
        producer.send(record, PATIENCE)?;
    }
    for arrived in 0..target.partitions {
        if reader.next(PATIENCE)?.is_none() {
            bail!("{arrived} of {} first records arrived within {PATIENCE:?}", target.partitions);
        }
    }
    Ok(())
}

fn send(
    stop: &StopSignal,
    producer: &Producer,
    topic: &str,
    target: &Target,
    schedule: Schedule,
    size: u32,
    began: Instant,
) -> Result<()> {
    let mut value = vec![b'.'; size as usize];
    let mut partitions = (0..target.partitions).cycle();
    schedule.keep(stop, began, |_, due_ns| {
        value[..8].copy_from_slice(&due_ns.to_be_bytes());
        let partition = partitions.next();
        producer.send(Outgoing { topic, partition, value: Some(&value), ..Outgoing::default() }, PATIENCE)?;
        Ok(())
    })?;
    Ok(producer.flush(PATIENCE)?)
}

/// The delays of all records but the first second's, in nanoseconds, in the order of arrival.
fn receive(
    stop: &StopSignal,
    reader: &mut LogReader,
    schedule: Schedule,
    began: Instant,
) -> Result<Vec<u64>> {
    let mut delays_ns = Vec::with_capacity(schedule.count() as usize);
    for arrived in 0..schedule.count() {
        stop.check()?;
        let Some(record) = reader.next(PATIENCE)? else {
            bail!("{arrived} of {} records arrived, then none for {PATIENCE:?}", schedule.count());
        };
        let arrived_ns = began.elapsed().as_nanos() as u64;
        let Some(due_ns) = record.value().and_then(|value| value.first_chunk()).copied() else {
            bail!("{record:?} is not what was sent there");
        };
        let due_ns = u64::from_be_bytes(due_ns);
        if due_ns >= WARM_UP_NS {
            delays_ns.push(arrived_ns.saturating_sub(due_ns));
        }
    }
    Ok(delays_ns)
}

#[expect(clippy::disallowed_methods, reason = "this is the edge: a benchmark measures wall-clock time")]
fn now() -> Instant {
    Instant::now()
}
