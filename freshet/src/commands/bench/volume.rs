//! `freshet bench produce` and `consume`: how many records pass, and what each million costs.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use client::{LogReader, Outgoing, Producer, ProducerOptions};

use super::StopSignal;
use super::figures::{Cost, Figure, Meter, Report};
use super::target::{PATIENCE, Target};
use crate::cli::VolumeArgs;

/// So many records are sent or read between two checks for an interrupt.
const STRIDE: u64 = 4_096;

/// Sends, round after round, each into an empty topic.
pub(super) fn produce(stop: &StopSignal, args: &VolumeArgs) -> Result<()> {
    let target = Target::open(&args.target)?;
    let mut report = Report::new("produce");
    for round in 1..=args.rounds {
        let topic = target.topic(&format!("produce-{round}"))?;
        let producer = producer(&target, args)?;
        // Connects, and asks where the partitions are: that is not what is measured.
        send(stop, &producer, &topic.name, &target, &[0; 8], u64::from(target.partitions.unsigned_abs()))?;
        let meter = Meter::start(target.broker_pid)?;
        let seconds = send(stop, &producer, &topic.name, &target, &value(args), args.records)?;
        report.add(figures(args, seconds, meter.stop()?));
    }
    report.write(args.target.format)
}

/// Fills one topic, then reads it, round after round.
pub(super) fn consume(stop: &StopSignal, args: &VolumeArgs) -> Result<()> {
    let target = Target::open(&args.target)?;
    let topic = target.topic("consume")?;
    let producer = producer(&target, args)?;
    send(stop, &producer, &topic.name, &target, &value(args), args.records)?;
    let stretches: Vec<(i32, i64, i64)> = (0..target.partitions)
        .map(|partition| (partition, 0, producer.acknowledged_end(&topic.name, partition).unwrap_or(0)))
        .collect();
    drop(producer);
    // librdkafka's own bounds on what it keeps ready, not those of a client that should stay small.
    let settings = target
        .settings_with(&[("queued.min.messages", "100000"), ("queued.max.messages.kbytes", "65536")])?;
    let mut report = Report::new("consume");
    for _ in 0..args.rounds {
        let meter = Meter::start(target.broker_pid)?;
        let began = now();
        let mut reader = LogReader::range(&settings, &topic.name, &stretches)?;
        let mut read = 0;
        while !reader.is_finished() {
            if read % STRIDE == 0 {
                stop.check()?;
            }
            let record = reader.next(PATIENCE)?;
            if let Some(record) = record {
                ensure!(
                    record.value().is_some_and(|value| value.len() == args.size as usize),
                    "{record:?} is not what was sent there"
                );
                read += 1;
            } else if !reader.is_finished() {
                anyhow::bail!("{read} of {} records came, then none for {PATIENCE:?}", args.records);
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        ensure!(read == args.records, "{read} records were read of {} sent", args.records);
        report.add(figures(args, seconds, meter.stop()?));
    }
    report.write(args.target.format)
}

fn producer(target: &Target, args: &VolumeArgs) -> Result<Producer> {
    let options = ProducerOptions {
        linger_ms: args.linger_ms,
        delivery_timeout: Some(2 * PATIENCE),
        ..ProducerOptions::stream()
    };
    Ok(Producer::new(&target.settings, &options)?)
}

/// A value that no compression makes much smaller: what a record says does not repeat itself.
fn value(args: &VolumeArgs) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(args.size as usize).collect()
}

/// Sends `count` records to the partitions in turn, and returns after how many seconds the last is
/// acknowledged.
fn send(
    stop: &StopSignal,
    producer: &Producer,
    topic: &str,
    target: &Target,
    value: &[u8],
    count: u64,
) -> Result<f64> {
    let began = now();
    let mut partitions = (0..target.partitions).cycle();
    for sent in 0..count {
        if sent % STRIDE == 0 {
            stop.check()?;
        }
        let partition = partitions.next();
        producer.send(Outgoing { topic, partition, value: Some(value), ..Outgoing::default() }, PATIENCE)?;
    }
    producer.flush(PATIENCE).context("the last records")?;
    Ok(began.elapsed().as_secs_f64())
}

fn figures(args: &VolumeArgs, seconds: f64, cost: Cost) -> Vec<Figure> {
    let records = args.records as f64;
    let per_million = 1e6 / records;
    vec![
        Figure::new("records_per_s", "records/s", 0, records / seconds),
        Figure::new("mb_per_s", "MB/s", 1, records * f64::from(args.size) / 1e6 / seconds),
        Figure::new(
            "broker_cpu_s_per_million",
            "broker CPU s/1M",
            3,
            cost.broker_s.map(|cpu| cpu * per_million),
        ),
        Figure::new("client_cpu_s_per_million", "client CPU s/1M", 3, cost.client_s * per_million),
        Figure::new(
            "broker_per_client_cpu",
            "broker/client",
            3,
            cost.broker_s.map(|cpu| cpu / cost.client_s),
        ),
        Figure::new("broker_rss_mb", "broker RSS MB", 1, cost.broker_rss_mb),
    ]
}

#[expect(clippy::disallowed_methods, reason = "this is the edge: a benchmark measures wall-clock time")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_per_million() {
        use clap::Parser as _;
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: VolumeArgs,
        }
        let line = Line::parse_from(["bench", "--records", "2000000", "--size", "50"]);
        let cost = Cost { broker_s: Some(0.5), client_s: 2.0, broker_rss_mb: None };
        let figures = figures(&line.args, 4.0, cost);
        let values: Vec<_> = figures.iter().map(|figure| (figure.name, figure.value)).collect();
        assert_eq!(
            values,
            [
                ("records_per_s", Some(500_000.0)),
                ("mb_per_s", Some(25.0)),
                ("broker_cpu_s_per_million", Some(0.25)),
                ("client_cpu_s_per_million", Some(1.0)),
                ("broker_per_client_cpu", Some(0.25)),
                ("broker_rss_mb", None),
            ]
        );
        assert_eq!(value(&line.args).len(), 50);
    }
}
