//! `freshet bench start`: how long one waits for a broker that was just started.

use std::time::Instant;

use anyhow::{Result, bail};
use client::{GroupConsumer, GroupOptions, Outgoing, Polled, Producer, ProducerOptions, Settings};

use super::StopSignal;
use super::figures::{Figure, Report};
use super::target::{OwnBroker, PATIENCE};
use crate::cli::StartArgs;

const TOPIC: &str = "first";

/// Starts a broker on an empty folder, sends it one record (which makes the topic), and joins a
/// group, round after round. All times are from the moment before the process was made, but for the
/// group, which counts from its own beginning.
#[expect(clippy::disallowed_methods, reason = "this is the edge: a benchmark measures wall-clock time")]
pub(super) fn start(stop: &StopSignal, args: &StartArgs) -> Result<()> {
    let mut report = Report::new("start");
    for _ in 0..args.rounds {
        stop.check()?;
        let began = Instant::now();
        let broker = OwnBroker::start(args.program.as_deref())?;
        let listening = began.elapsed();
        let settings = Settings::new(&broker.address).with_client_id("freshet-bench");
        let options = ProducerOptions { delivery_timeout: Some(PATIENCE), ..ProducerOptions::answers() };
        // An idempotent librdkafka looks for its producer id when it is made, finds itself not yet
        // connected, and looks again half a second later, whatever the broker: that is its time and
        // not the broker's.
        let plain = settings.clone().with_property("enable.idempotence", "false");
        let producer = Producer::new(&plain, &options)?;
        producer.send(Outgoing { topic: TOPIC, value: Some(b"hello"), ..Outgoing::default() }, PATIENCE)?;
        producer.flush(PATIENCE)?;
        let accepted = began.elapsed();

        let joining = Instant::now();
        let member = GroupConsumer::join(&settings, "first-group", &[TOPIC], &GroupOptions::default())?;
        while !matches!(member.poll(PATIENCE)?, Polled::Assigned(_)) {
            stop.check()?;
            if joining.elapsed() > PATIENCE {
                bail!("the group did not form within {PATIENCE:?}");
            }
        }
        let joined = joining.elapsed();
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
        report.add(vec![
            Figure::new("listening_ms", "listening ms", 1, ms(listening)),
            Figure::new("first_produce_ms", "first record accepted ms", 1, ms(accepted)),
            Figure::new("first_join_ms", "first group join ms", 1, ms(joined)),
        ]);
    }
    report.write(args.format)
}
