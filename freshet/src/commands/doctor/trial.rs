//! One record, there and back.

use client::TopicPartition;
use client::direct::{CallError, Connection};
use scenarios::clock::wall_ms;

use super::cluster::Cluster;
use super::names::short;
use super::{Exam, Report, findings, now};

/// Clocks that differ by less do no harm.
const SKEW_MS: i64 = 1_000;
const KEY: &[u8] = b"freshet-doctor";

/// Sends a record to `topic`, or to one that is made for it and deleted again. That has as much
/// time as all before it, and cleaning up as much again.
pub(super) fn send_and_read(
    exam: &Exam<'_>,
    cluster: &mut Cluster,
    topic: Option<&str>,
    report: &mut Report,
) {
    let exam = Exam::begin(exam.settings, exam.time);
    for connection in cluster.brokers.values_mut() {
        connection.set_deadline(exam.deadline);
    }
    if let Some(topic) = topic {
        return send(&exam, cluster, topic, report);
    }
    let own = format!("freshet-doctor-{}-{}", std::process::id(), wall_ms());
    let Some(any) = cluster.brokers.values_mut().next() else { return };
    if let Err(error) = any.create_topic_of_append_time(&own) {
        report.findings.push(findings::write_refused(&own, &format!("the topic can't be made: {error}")));
        return;
    }
    send(&exam, cluster, &own, report);
    let Some(any) = cluster.brokers.values_mut().next() else { return };
    any.set_deadline(now() + exam.time);
    if let Err(error) = any.delete_topic(&own) {
        report.findings.push(findings::topic_left(&own, &error.to_string()));
    }
}

fn send(exam: &Exam<'_>, cluster: &mut Cluster, topic: &str, report: &mut Report) {
    let leader = match leader(exam, cluster, topic) {
        Ok(leader) => leader,
        Err(error) => {
            report.findings.push(findings::write_refused(topic, &error.to_string()));
            return;
        }
    };
    let Some((at, connection)) = leader else {
        report.findings.push(findings::write_refused(topic, "none of its leaders can be reached"));
        return;
    };
    let (began, sent_ms) = (now(), wall_ms());
    let value = format!("a trial of freshet doctor at {sent_ms}");
    let appended = match connection.append(&at, sent_ms, KEY, value.as_bytes()) {
        Ok(appended) => appended,
        Err(error) => {
            report.findings.push(findings::write_refused(topic, &error.to_string()));
            return;
        }
    };
    let answered_ms = wall_ms();
    let read = connection.value_at(&at, appended.offset);
    let took_ms = began.elapsed().as_secs_f64() * 1_000.0;
    match read {
        Ok(Some(read)) if read == value.as_bytes() => {
            report
                .checked
                .push(format!("a record went to {} and came back in {took_ms:.1} ms", short(topic)));
        }
        Ok(Some(_)) => {
            report.findings.push(findings::write_lost(topic, appended.offset, "another one is there"));
        }
        Ok(None) => report.findings.push(findings::write_lost(topic, appended.offset, "it is not there")),
        Err(error) => report.findings.push(findings::write_lost(topic, appended.offset, &error.to_string())),
    }
    if let Some(broker_ms) = appended.log_append_time_ms {
        let skew_ms = skew(broker_ms, sent_ms, answered_ms);
        if skew_ms.saturating_abs() >= SKEW_MS {
            report.findings.push(findings::clock_skew(skew_ms));
        } else {
            report.checked.push(format!("the broker's clock differs by {} ms", skew_ms.unsigned_abs()));
        }
    } else {
        report.checked.push(format!(
            "the broker's clock was not looked at: the records of {} have their sender's time",
            short(topic)
        ));
    }
}

/// How far the broker's time is from the span in which it was told.
fn skew(broker_ms: i64, sent_ms: i64, answered_ms: i64) -> i64 {
    broker_ms.saturating_sub(broker_ms.clamp(sent_ms, answered_ms.max(sent_ms)))
}

/// A partition of the topic, and a connection to its leader, as soon as it has one.
fn leader<'a>(
    exam: &Exam<'_>,
    cluster: &'a mut Cluster,
    topic: &str,
) -> Result<Option<(TopicPartition, &'a mut Connection)>, CallError> {
    loop {
        let Some(any) = cluster.brokers.values_mut().next() else { return Ok(None) };
        let view = any.cluster(Some(&[topic]))?;
        let partitions = view.topics.iter().flat_map(|found| &found.partitions);
        let led = partitions.filter_map(|partition| Some((partition.number, partition.leader?)));
        let led = led.filter(|(_, leader)| cluster.brokers.contains_key(leader)).min();
        match led {
            Some((number, leader)) => {
                let connection = cluster.brokers.get_mut(&leader);
                return Ok(connection.map(|connection| (TopicPartition::new(topic, number), connection)));
            }
            None if exam.pause() => {}
            None => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::skew;

    #[test]
    fn a_clock_that_shows_a_time_between_asking_and_answering_is_right() {
        assert_eq!(skew(105, 100, 110), 0);
        assert_eq!(skew(90, 100, 110), -10);
        assert_eq!(skew(5_110, 100, 110), 5_000);
        assert_eq!(skew(i64::MIN, i64::MAX, 0), i64::MIN, "nonsense is no panic");
    }
}
