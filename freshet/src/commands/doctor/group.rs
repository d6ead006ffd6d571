//! A topic, and a group that reads it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use client::direct::{CallError, GroupListing, TopicView};
use client::{Offsets, TopicPartition};
use text::{grouped, plural};

use super::address::contacts;
use super::cluster::Cluster;
use super::names::{did_you_mean, short};
use super::{Exam, Report, findings};

/// Is the topic there, with all of its leaders? Whether it is.
pub(super) fn examine_topic(cluster: &mut Cluster, topic: &str, report: &mut Report) -> bool {
    let view = &cluster.view;
    let Some(found) = view.topics.iter().find(|found| found.name == topic) else {
        let names = view.topics.iter().filter(|topic| !topic.is_internal).map(|topic| topic.name.as_str());
        report.findings.push(findings::topic_missing(topic, did_you_mean(topic, names)));
        return false;
    };
    if let Some(error) = &found.error {
        report.findings.push(findings::topic_refused(topic, error));
        return false;
    }
    let leaderless = found.partitions.iter().filter(|partition| partition.leader.is_none());
    let leaderless: Vec<i32> = leaderless.map(|partition| partition.number).collect();
    if leaderless.is_empty() {
        let found = found.clone();
        let offsets = offsets(cluster, &found);
        let records = offsets.values().map(|offsets| count(*offsets)).fold(0, u64::saturating_add);
        let partitions = plural(found.partitions.len() as u64, "partition");
        report.checked.push(format!("{} has {partitions} with {}", short(topic), plural(records, "record")));
    } else {
        report.findings.push(findings::no_leader(topic, &leaderless));
    }
    true
}

/// How many records lie between two offsets.
fn count(offsets: Offsets) -> u64 {
    u64::try_from(offsets.latest.saturating_sub(offsets.earliest)).unwrap_or(0)
}

/// The offsets of a topic's partitions, as far as their leaders tell.
fn offsets(cluster: &mut Cluster, topic: &TopicView) -> BTreeMap<i32, Offsets> {
    let mut led: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
    for partition in &topic.partitions {
        if let Some(leader) = partition.leader {
            led.entry(leader).or_default().push(partition.number);
        }
    }
    let mut all = BTreeMap::new();
    for (leader, numbers) in led {
        let Some(connection) = cluster.brokers.get_mut(&leader) else { continue };
        let Ok(offsets) = connection.offsets(&topic.name, &numbers) else { continue };
        all.extend(numbers.into_iter().zip(offsets).filter_map(|(number, offsets)| Some((number, offsets?))));
    }
    all
}

/// Who is in the group, and how far has it come?
pub(super) fn examine_group(
    exam: &Exam<'_>,
    cluster: &mut Cluster,
    group: &str,
    topic: Option<&str>,
    report: &mut Report,
) {
    let (groups, committed) = match ask_coordinator(exam, cluster, group) {
        Ok(answers) => answers,
        Err(error) if error.awaits_coordinator() => {
            report.findings.push(findings::no_coordinator(group, &error.to_string()));
            return;
        }
        Err(error) => {
            report.findings.push(findings::unanswered("what it knows of the group", &error.to_string()));
            return;
        }
    };
    let known = groups.iter().find(|known| known.id == group);
    let is_known = known.is_some() || !committed.is_empty();
    let others = || groups.iter().map(|other| other.id.as_str());
    let question = if known.is_none() { did_you_mean(group, others()) } else { None };
    let lag = lag(cluster, &committed, topic);
    let state = known.and_then(|known| known.state.as_deref());
    let findings_before = report.findings.len();
    match state {
        Some("Empty") => report.findings.push(findings::group_empty(group, lag)),
        Some(state @ ("PreparingRebalance" | "CompletingRebalance" | "Assigning" | "Reconciling")) => {
            report.findings.push(findings::group_rebalances(group, state));
        }
        _ => {}
    }
    if let Some(topic) = topic
        && let Some(view) = cluster.view.topics.iter().find(|found| found.name == topic).cloned()
    {
        let has_committed =
            |number: &i32| committed.iter().any(|(at, _)| at.topic == topic && at.partition == *number);
        let without: Vec<_> = view
            .partitions
            .iter()
            .map(|partition| partition.number)
            .filter(|number| !has_committed(number))
            .collect();
        let offsets = offsets(cluster, &view);
        let kept = without.iter().filter_map(|number| offsets.get(number)).map(|offsets| count(*offsets));
        let records = kept.fold(0, u64::saturating_add);
        if records > 0 {
            let partitions = (without.len(), view.partitions.len());
            report
                .findings
                .push(findings::nothing_committed(group, is_known, topic, partitions, records, question));
            return;
        }
    }
    if !is_known {
        report.findings.push(findings::group_missing(group, question));
        return;
    }
    if report.findings.len() == findings_before {
        let state = state.map_or(String::new(), |state| format!(" is {} and", short(state)));
        let come = match lag {
            Some(lag) => format!("has committed; its lag is {}", grouped(lag)),
            None if committed.iter().any(|(at, _)| topic.is_none_or(|topic| at.topic == topic)) => {
                "has committed; its lag is not known".to_owned()
            }
            None => format!(
                "has committed nothing yet{}",
                topic.map_or(String::new(), |topic| format!(" in {}", short(topic)))
            ),
        };
        report.checked.push(format!("the group {}{state} {come}", short(group)));
    }
}

type Answers = (Vec<GroupListing>, Vec<(TopicPartition, i64)>);

/// All groups of the coordinator, and what this one has committed. A cluster in which no group has
/// ever been needs a moment to choose one.
fn ask_coordinator(exam: &Exam<'_>, cluster: &mut Cluster, group: &str) -> Result<Answers, CallError> {
    // From the beginning each time: meanwhile another may have been chosen.
    insist(exam, || {
        let any = cluster.brokers.values_mut().next().ok_or(CallError::HungUp)?;
        let found = any.coordinator(group)?;
        let coordinator = match cluster.brokers.entry(found.id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let port = u16::try_from(found.port).unwrap_or(0);
                let there = contacts(exam, &found.host, port).unwrap_or_default();
                let there = there.into_iter().find_map(|(_, contact)| contact.kafka());
                unknown.insert(there.ok_or(CallError::HungUp)?)
            }
        };
        Ok((coordinator.groups()?, coordinator.committed(group)?))
    })
}

/// Asks until it is not refused any more for a while. When the time is up, that was the answer.
fn insist<T>(exam: &Exam<'_>, mut question: impl FnMut() -> Result<T, CallError>) -> Result<T, CallError> {
    let mut last = CallError::TimedOut;
    loop {
        match question() {
            Err(CallError::TimedOut) => return Err(last),
            Err(error) if error.awaits_coordinator() && exam.pause() => last = error,
            other => return other,
        }
    }
}

/// How many records the group has not read, where it has committed: in one topic, or in all.
fn lag(cluster: &mut Cluster, committed: &[(TopicPartition, i64)], topic: Option<&str>) -> Option<u64> {
    let names = committed.iter().map(|(at, _)| at.topic.as_str());
    let mut names: Vec<_> = names.filter(|name| topic.is_none_or(|topic| topic == *name)).collect();
    names.sort_unstable();
    names.dedup();
    let mut sum = None;
    for name in names {
        let view = cluster.view.topics.iter().find(|found| found.name == name).cloned();
        let Some(view) = view else { continue };
        let offsets = offsets(cluster, &view);
        for (at, next) in committed.iter().filter(|(at, _)| at.topic == name) {
            if let Some(offsets) = offsets.get(&at.partition) {
                let behind =
                    u64::try_from(offsets.latest.saturating_sub((*next).max(offsets.earliest))).unwrap_or(0);
                sum = Some(sum.unwrap_or(0_u64).saturating_add(behind));
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use client::Settings;
    use protocol::ErrorCode;

    use super::*;

    /// The time may end between two questions, or in the middle of one.
    #[test]
    fn when_the_time_is_up_the_last_refusal_is_the_answer() {
        let refused = || Err(CallError::Refused(ErrorCode::COORDINATOR_NOT_AVAILABLE));
        let settings = Settings::new("");
        let mut answers = [refused(), refused(), Err(CallError::TimedOut)].into_iter();
        let exam = Exam::begin(&settings, std::time::Duration::from_secs(20));
        let last: Result<(), _> = insist(&exam, || answers.next().expect("it is asked three times"));
        assert!(matches!(last, Err(CallError::Refused(_))), "{last:?}");
        let over = Exam::begin(&settings, std::time::Duration::ZERO);
        let last: Result<(), _> = insist(&over, refused);
        assert!(matches!(last, Err(CallError::Refused(_))), "{last:?}");
        let mut asked = 0;
        let denied: Result<(), _> = insist(&exam, || {
            asked += 1;
            Err(CallError::Refused(ErrorCode::INVALID_GROUP_ID))
        });
        assert!(matches!(denied, Err(CallError::Refused(_))) && asked == 1, "{denied:?} after {asked}");
        let silent: Result<(), _> = insist(&exam, || Err(CallError::TimedOut));
        assert!(matches!(silent, Err(CallError::TimedOut)), "{silent:?}");
    }
}
