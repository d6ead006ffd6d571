//! What the members of a group are called, and who came and went.
//!
//! Many clients call themselves by their library's name, so several members of a group may share a
//! client id. They are told apart by a number, given in the order in which they are seen, and kept
//! as long as the member is there: `rdkafka #1`, `rdkafka #2`.
//!
//! # Simplifications
//! - A coordinator tells who is a member, not why somebody no longer is. Who left records unread
//!   and had committed nothing for [`SILENT_MS`] is taken for one whose session timed out; a client
//!   that commits more seldom and leaves in order is mistaken for one.
//! - A member whose session timed out while it owned nothing, or had nothing to read, counts as one
//!   that left.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use dashboard::snapshot::{GroupState, Notice, NoticeKind, Severity};

use super::GroupPoll;

/// Whose last commit is older than this, in milliseconds of wall-clock time, did not leave in
/// order: clients commit every five seconds unless told otherwise, and when they close.
const SILENT_MS: i64 = 5_500;
/// How many members a sentence names.
const NAMED: usize = 4;
/// How many characters of a name a sentence has.
const NAME_CHARS: usize = 40;

/// The names of a group's members.
#[derive(Debug, Default)]
pub struct MemberNames {
    clients: BTreeMap<String, Numbers>,
}

/// The members that share a client id.
#[derive(Debug, Default)]
struct Numbers {
    last: u32,
    of: BTreeMap<String, u32>,
}

impl MemberNames {
    /// Takes the client id and the member id of each member there is now. Those that are new get
    /// the next numbers, in the order of their member ids; the others keep theirs.
    pub fn update<'a>(&mut self, members: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let mut present: Vec<_> = members.into_iter().collect();
        present.sort_unstable();
        self.clients.retain(|client, numbers| {
            numbers.of.retain(|member, _| present.binary_search(&(&**client, &**member)).is_ok());
            !numbers.of.is_empty()
        });
        for (client, member) in present {
            let numbers = self.clients.entry(client.to_owned()).or_default();
            if !numbers.of.contains_key(member) {
                numbers.last += 1;
                numbers.of.insert(member.to_owned(), numbers.last);
            }
        }
    }

    /// What a member is called: its client id, with its number when it shares that with others; by
    /// its member id when it has no client id.
    pub fn of(&self, client_id: &str, member_id: &str) -> String {
        let name = if client_id.is_empty() { member_id } else { client_id };
        let numbers = self.clients.get(client_id).filter(|numbers| numbers.last > 1);
        match numbers.and_then(|numbers| numbers.of.get(member_id)) {
            Some(number) if !client_id.is_empty() => format!("{name} #{number}"),
            Some(_) | None => name.to_owned(),
        }
    }
}

/// A partition, by its topic and number.
type PartitionName = (String, i32);

/// The members of one group over time.
#[derive(Debug, Default)]
pub(super) struct Membership {
    pub(super) names: MemberNames,
    /// The member id of who owns each partition.
    pub(super) owners: BTreeMap<PartitionName, String>,
    /// How many rebalances were seen.
    pub(super) generation: i32,
    /// Who was there when the group was stable last: each member id's name.
    settled: BTreeMap<String, String>,
    rebalancing_since: Option<i64>,
    polled_ms: Option<i64>,
    /// Each committed offset, and since when it is that.
    commits: HashMap<PartitionName, (i64, i64)>,
}

impl Membership {
    /// Takes a poll of the group made at `now_ms`; `is_behind` says whether a partition has records
    /// that the group has not committed. Returns what happened since the last poll; what was so
    /// when the cluster was seen first, `at_first`, is not news.
    pub(super) fn take(
        &mut self,
        now_ms: i64,
        poll: &GroupPoll,
        at_first: bool,
        is_behind: impl Fn(&PartitionName) -> bool,
    ) -> Option<Notice> {
        let before_ms = self.polled_ms.replace(now_ms);
        let commits = poll.committed.iter().map(|(topic, partition, offset)| {
            let log = (topic.clone(), *partition);
            let known = self.commits.get(&log).filter(|(known, _)| known == offset).copied();
            (log, known.unwrap_or((*offset, now_ms)))
        });
        self.commits = commits.collect();
        self.names.update(poll.members.iter().map(|member| (&*member.client_id, &*member.member_id)));
        let present: BTreeMap<String, String> = poll
            .members
            .iter()
            .map(|member| (member.member_id.clone(), self.names.of(&member.client_id, &member.member_id)))
            .collect();
        if matches!(poll.state, GroupState::PreparingRebalance | GroupState::CompletingRebalance) {
            self.rebalancing_since.get_or_insert(now_ms);
            return None;
        }
        let owners: BTreeMap<PartitionName, String> = poll
            .members
            .iter()
            .flat_map(|member| member.assigned.iter().map(|log| (log.clone(), member.member_id.clone())))
            .collect();
        let began_ms = self.rebalancing_since.take();
        let changes = self.changes(&present, began_ms.unwrap_or(now_ms), is_behind);
        self.settled = present;
        let have_moved = owners != self.owners;
        self.owners = owners;
        if at_first || (began_ms.is_none() && !have_moved && changes == Changes::default()) {
            return None;
        }
        self.generation += 1;
        let mut text = match poll.members.len() {
            0 => "group is empty".to_owned(),
            1 => format!("rebalance {}: 1 member", self.generation),
            n => format!("rebalance {}: {n} members", self.generation),
        };
        text += &changes.words();
        if let (None, Some(before_ms)) = (began_ms, before_ms) {
            let _ = write!(text, "; in less than {} ms", now_ms - before_ms);
        }
        let is_bad = poll.members.is_empty() || !changes.timed_out.is_empty();
        Some(Notice {
            at_ms: now_ms,
            kind: NoticeKind::Rebalance,
            severity: if is_bad { Severity::Warning } else { Severity::Info },
            subject: poll.id.clone(),
            text,
            duration_ms: began_ms.map(|began| (now_ms - began) as f64),
        })
    }

    /// Who came and went since the group was stable last, in a rebalance that began at `began_ms`.
    fn changes(
        &self,
        present: &BTreeMap<String, String>,
        began_ms: i64,
        is_behind: impl Fn(&PartitionName) -> bool,
    ) -> Changes {
        let mut changes = Changes::default();
        let joined = present.iter().filter(|(member, _)| !self.settled.contains_key(*member));
        changes.joined = joined.map(|(_, name)| name.clone()).collect();
        changes.joined.sort_unstable();
        for (member, name) in self.settled.iter().filter(|(member, _)| !present.contains_key(*member)) {
            let owned = || self.owners.iter().filter(|(_, owner)| *owner == member).map(|(log, _)| log);
            let committed_ms = owned().filter_map(|log| self.commits.get(log)).map(|(_, since)| *since).max();
            let silent_ms = committed_ms.map_or(0, |since| began_ms - since);
            if silent_ms >= SILENT_MS && owned().any(&is_behind) {
                changes.timed_out.push((name.clone(), silent_ms));
            } else {
                changes.left.push(name.clone());
            }
        }
        changes.left.sort_unstable();
        changes.timed_out.sort_unstable();
        changes
    }
}

/// Who came and went in a rebalance, by name.
#[derive(Debug, Default, PartialEq, Eq)]
struct Changes {
    joined: Vec<String>,
    left: Vec<String>,
    /// Gone without a word, with for how long they had committed nothing, in milliseconds.
    timed_out: Vec<(String, i64)>,
}

impl Changes {
    /// As the end of a sentence: `; joined me-42; left me-41`.
    fn words(&self) -> String {
        let timed_out = self
            .timed_out
            .iter()
            .map(|(name, ms)| format!("{} (no commit for {} s)", shortened(name), ms / 1_000));
        listed("joined", self.joined.iter().map(|name| shortened(name)))
            + &listed("left", self.left.iter().map(|name| shortened(name)))
            + &listed("timed out", timed_out)
    }
}

/// `; joined a, b, c, d and 3 more`; nothing when there are none.
fn listed(what: &str, names: impl ExactSizeIterator<Item = String>) -> String {
    let count = names.len();
    let mut words = String::new();
    for (at, name) in names.take(NAMED).enumerate() {
        let before = if at == 0 { format!("; {what} ") } else { ", ".to_owned() };
        let _ = write!(words, "{before}{name}");
    }
    if count > NAMED {
        let _ = write!(words, " and {} more", count - NAMED);
    }
    words
}

/// A client names itself, at any length.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(NAME_CHARS) {
        Some((cut, _)) => format!("{}…", &name[..cut]),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_share_a_client_id_have_numbers_that_stay() {
        let mut names = MemberNames::default();
        names.update([("rdkafka", "m")]);
        assert_eq!(names.of("rdkafka", "m"), "rdkafka", "alone it needs no number");
        names.update([("rdkafka", "m"), ("rdkafka", "a"), ("me-7", "z")]);
        let named = |names: &MemberNames| ["m", "a"].map(|member| names.of("rdkafka", member));
        assert_eq!(named(&names), ["rdkafka #1", "rdkafka #2"], "in the order of coming");
        assert_eq!(names.of("me-7", "z"), "me-7");
        names.update([("rdkafka", "a")]);
        assert_eq!(names.of("rdkafka", "a"), "rdkafka #2", "its number stays when the other leaves");
        names.update([]);
        names.update([("rdkafka", "b")]);
        assert_eq!(names.of("rdkafka", "b"), "rdkafka");
        assert_eq!(names.of("", "member-5"), "member-5");
    }

    #[test]
    fn a_crowd_is_named_in_part_and_a_long_name_is_cut() {
        let mut changes = Changes::default();
        assert_eq!(changes.words(), "");
        changes.joined = (1..=6).map(|n| format!("me-{n}")).collect();
        changes.left = vec!["é".repeat(100_000)];
        changes.timed_out = vec![("me-0".to_owned(), 8_400)];
        let words = format!(
            "; joined me-1, me-2, me-3, me-4 and 2 more; left {}…; timed out me-0 (no commit for 8 s)",
            "é".repeat(40)
        );
        assert_eq!(changes.words(), words);
    }
}
