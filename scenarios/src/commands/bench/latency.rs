//! `freshet bench latency`: how long a record takes at a rate that does not give way.
//!
//! Every record has a *due* moment, fixed before the run: the first at zero, and one every 1/rate seconds after it. The due
//! moment travels in the record's first eight bytes, and its delay counts from there to the consumer's hands. A sender that was
//! held up sends late, but its records were due all the same: so a broker that stalls for a second shows a second of
//! delay in every record of that second, and not in the one that it happened to hold. (Timing from the actual sending would leave
//! the rest out. Gil Tene calls that mistake coordinated omission.)

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use client::{LogReader, Outgoing, Producer, ProducerOptions};

use super::Run;
use super::args::LatencyArgs;
use super::figures::{Figure, Meter, Report, quantile};
use super::target::{PATIENCE, Target};

/// Connections, caches and the processor's clock settle in this time. ns.
const WARM_UP_NS: u64 = 1_000_000_000;

/// Sends at the rate, reads what arrives, and tells the delays.
pub(super) fn latency(run: &Run, args: &LatencyArgs) -> Result<()> {
    let duration_ns = args.duration.0 as u64 * 1_000_000;
    ensure!(duration_ns > WARM_UP_NS, "--duration must be longer than the second that warms up");
    let schedule = Schedule { rate: args.rate, count: (args.rate as f64 * duration_ns as f64 / 1e9) as u64 };
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
        let sender = scope.spawn(|| send(run, &producer, &topic.name, &target, schedule, args.size, began));
        let delays = receive(run, &mut reader, schedule, began);
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

/// When each record is due.
#[derive(Debug, Clone, Copy)]
struct Schedule {
    /// Records a second.
    rate: u64,
    count: u64,
}

impl Schedule {
    /// Nanoseconds from the beginning to the moment of record `index`.
    fn due_ns(self, index: u64) -> u64 {
        (u128::from(index) * 1_000_000_000 / u128::from(self.rate)) as u64
    }
}

/// One record through each partition, so that both sides have found their way before the clock runs.
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

#[expect(
    clippy::disallowed_methods,
    reason = "this is the rim, and the next record's moment is what is awaited"
)]
fn send(
    run: &Run,
    producer: &Producer,
    topic: &str,
    target: &Target,
    schedule: Schedule,
    size: u32,
    began: Instant,
) -> Result<()> {
    let mut value = vec![b'.'; size as usize];
    let mut partitions = (0..target.partitions).cycle();
    for index in 0..schedule.count {
        let due_ns = schedule.due_ns(index);
        let early = Duration::from_nanos(due_ns).saturating_sub(began.elapsed());
        if !early.is_zero() {
            run.check()?;
            std::thread::sleep(early);
        }
        value[..8].copy_from_slice(&due_ns.to_be_bytes());
        let partition = partitions.next();
        producer.send(Outgoing { topic, partition, value: Some(&value), ..Outgoing::default() }, PATIENCE)?;
    }
    Ok(producer.flush(PATIENCE)?)
}

/// The delays of all records but the first second's, in nanoseconds, in the order of arrival.
fn receive(run: &Run, reader: &mut LogReader, schedule: Schedule, began: Instant) -> Result<Vec<u64>> {
    let mut delays_ns = Vec::with_capacity(schedule.count as usize);
    for arrived in 0..schedule.count {
        run.check()?;
        let Some(record) = reader.next(PATIENCE)? else {
            bail!("{arrived} of {} records arrived, then none for {PATIENCE:?}", schedule.count);
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

#[expect(clippy::disallowed_methods, reason = "this is the rim: a benchmark measures on the wall")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_does_not_drift() {
        let schedule = Schedule { rate: 3, count: 9 };
        let due: Vec<u64> = (0..4).map(|index| schedule.due_ns(index)).collect();
        assert_eq!(due, [0, 333_333_333, 666_666_666, 1_000_000_000]);
        // Ten million a second for a day still fits.
        assert_eq!(Schedule { rate: 10_000_000, count: 0 }.due_ns(864_000_000_000), 86_400_000_000_000);
    }
}
