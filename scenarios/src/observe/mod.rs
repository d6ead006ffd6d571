//! What a bystander can learn: the show as its cluster and its topics tell it.
//!
//! Nothing here but what it has read is told by a worker about itself: that is nowhere else to be
//! learnt, for a commit says it late. Throughput, lag and owners come from questions that any
//! client may ask any Kafka; positions, decisions and pages are read from their topics, as a
//! student's own script would. So a group that we know nothing of appears by itself, and a worker
//! that lies or hangs is seen to.
//!
//! [`Show`] is pure: it is told what was seen and when, and turns it into the dashboard's
//! [`Snapshot`]. The threads that ask and read are in [`watch`].

mod cluster;
mod lanes;
mod pace;
mod read_barrier;
#[cfg(test)]
mod tests;
mod waiting;
pub mod watch;

use std::sync::Arc;

use dashboard::{
    Cluster, FollowedCase, Group, Notice, NoticeKind, PastBill, Severity, Snapshot, Sourced, Timeline, Title,
    Trend,
};
use events::{Event, Timestamp, Topic};
use streets::Map;

use crate::business::Business;
use crate::businesses::{ALL, lane_of_group, ledger_entries};
use crate::clock::SimulatedClock;
use crate::ledger::{Ledger, QuestionAnswerPair, Sums};
use crate::view::{PaneSource, View, absent};
use bill::{self, Bill, BillRecord, EventTimeBill, Lane, Part, Terms};

pub use self::lanes::LanesView;
pub use cluster::{
    Age, ClusterPoll, ClusterView, GroupPoll, LogPoll, MemberNames, MemberPoll, group_state, is_watched,
    shares_partitions,
};
use watch::SeenRecord;

/// How long a record may be on its way to us, in milliseconds of wall-clock time, before cases
/// around it are judged without it.
const SETTLE_MS: i64 = 3_000;
/// A cluster that has not answered for so long after it should have been asked, in milliseconds of
/// wall-clock time, is shown as stale: on a busy machine an answer takes its time.
const STALE_MS: i64 = 1_350;
/// How often it is asked unless a person wants it otherwise, in milliseconds of wall-clock time.
const POLL_EVERY_MS: i64 = 250;

/// What is watched, as far as it is known beforehand.
pub struct ShowConfig {
    /// What the first line calls it.
    pub name: String,
    /// The address that was dialled.
    pub bootstrap: String,
    /// The show's clock, when it is given or was inferred.
    pub clock: Option<SimulatedClock>,
    /// The show's seed, when it is given.
    pub seed: Option<u64>,
    /// How often the batch jobs run, in milliseconds of event time.
    pub period_ms: i64,
    /// Where they load their rows.
    pub database: Option<String>,
    /// The streets.
    pub map: Arc<Map>,
    /// Which businesses may be there, in the order in which they are shown.
    pub businesses: Vec<&'static Business>,
    /// Whether it ends at an instant that is known beforehand, and will be asked for a bill that is
    /// the same every time.
    pub ends: bool,
}

impl ShowConfig {
    fn parts(&self) -> Vec<&'static Part> {
        self.businesses.iter().map(|business| business.bill).collect()
    }
}

/// Everything learnt so far.
pub struct Show {
    config: ShowConfig,
    cluster: ClusterView,
    /// What each business shows of itself, also those that are not there.
    views: Vec<(&'static Business, Box<dyn View>)>,
    /// How both lanes do.
    pub lanes: LanesView,
    /// What both lanes cost as it was seen, with the delays of wall-clock time.
    pub bill: Bill,
    /// The same in event time, of a show that is ours.
    pub event_time_bill: Option<EventTimeBill>,
    /// Which of the batch jobs' reports count.
    read_barrier: read_barrier::ReadBarrier,
    ledger: Ledger,
    timeline: Timeline,
    dead_letters: u64,
    /// When the cluster answered last, in milliseconds of wall-clock time.
    polled_ms: Option<i64>,
    /// Up to when the show's clock was shown, likewise: a clock that stands has not gone back.
    clock_shown_ms: i64,
    /// How often it is asked, likewise.
    poll_every_ms: i64,
    /// Since when the cluster is silent, and why.
    silent: Option<(i64, String)>,
    /// From when on the bill counts, of a show that was found running.
    counted_since: Option<Timestamp>,
    /// Infers the clock when none is given.
    pace: Option<pace::Pace>,
    /// The bill of the hours before, and whether it is being worked out.
    past: Option<PastBill>,
    past_is_due: bool,
}

impl Show {
    /// Nothing has been seen.
    pub fn new(config: ShowConfig) -> Self {
        Self {
            cluster: ClusterView::default(),
            views: ALL.iter().map(|&business| (business, (business.view)(&config.map))).collect(),
            lanes: LanesView::new(config.period_ms, config.database.clone(), &config.businesses),
            bill: Bill::new(&config.parts(), &Terms::from(Timestamp::MIN)),
            event_time_bill: None,
            read_barrier: read_barrier::ReadBarrier::default(),
            ledger: Ledger::new(ledger_entries(&config.businesses)),
            timeline: Timeline::default(),
            dead_letters: 0,
            polled_ms: None,
            clock_shown_ms: i64::MIN,
            poll_every_ms: POLL_EVERY_MS,
            silent: None,
            counted_since: None,
            // A show with a seed has a clock to start.
            pace: config.seed.is_none().then(pace::Pace::default),
            past: None,
            past_is_due: false,
            config,
        }
    }

    /// The bill of the hours before is being worked out.
    pub fn expect_past(&mut self) {
        self.past_is_due = true;
    }

    /// It is there, or will not come. When the show's own bill has begun meanwhile, that one stays
    /// on the screen: a figure must not go back to the time before.
    pub fn set_past(&mut self, past: Option<PastBill>) {
        (self.past, self.past_is_due) = (past.filter(|_| self.bill.lines().is_empty()), false);
    }

    /// The show's clock starts. It is billed from when on its batch jobs have had a chance to run.
    pub fn start(&mut self, clock: SimulatedClock) {
        let judged_from = bill::judged_from(clock.start, self.config.period_ms);
        self.bill = Bill::new(&self.config.parts(), &Terms::from(judged_from));
        let mut event_time_bill = EventTimeBill::new(&self.config.parts(), judged_from);
        // To answer riders once more costs as much as their workers do; a show that somebody leaves
        // when they like is never twice the same.
        if self.config.ends {
            let replays = self.config.businesses.iter().filter_map(|business| business.answer_replay);
            event_time_bill =
                replays.fold(event_time_bill, |bill, replay| bill.with_replay(replay(&self.config.map)));
        }
        self.event_time_bill = Some(event_time_bill);
        self.config.clock = Some(clock);
    }

    /// When the show's clock started, in milliseconds of wall-clock time, and its time then.
    pub fn clock(&self) -> Option<SimulatedClock> {
        self.config.clock
    }

    /// What became of the questions so far, as far as was seen.
    pub fn ledger(&self) -> Vec<(QuestionAnswerPair, Sums)> {
        self.ledger.sums()
    }

    /// The dial was moved at the wall-clock time `now_ms`: the jobs run so often from the next
    /// boundary on.
    pub fn apply_new_period(&mut self, period_ms: i64, now_ms: i64) {
        match self.config.clock {
            Some(clock) => {
                let here = self.businesses_here();
                self.lanes.apply_new_period(period_ms, clock.simulated(now_ms), &here, &self.bill);
            }
            None => self.lanes.set_period_ms(period_ms),
        }
    }

    /// Whether the group's members have begun to read all that they own.
    pub fn is_at_work(&self, group: &str) -> bool {
        self.cluster.is_at_work(group)
    }

    /// A worker of ours, of this group, says at the wall-clock time `now_ms` how many records of
    /// a topic it has read.
    pub fn read(&mut self, now_ms: i64, worker: &str, group: &str, topic: &str, records: u64) {
        self.cluster.read(now_ms, worker, group, topic, records);
    }

    /// Questions are read from these offsets on: topic, partition, offset.
    pub fn begin(&mut self, questions: &[(Topic, i32, i64)]) {
        for &(topic, partition, offset) in questions {
            self.ledger.begin(topic, partition, offset);
        }
    }

    /// Takes a poll made at `now_ms` of wall-clock time.
    pub fn poll(&mut self, now_ms: i64, poll: ClusterPoll) {
        self.polled_ms = Some(now_ms);
        if let Some((since, _)) = self.silent.take() {
            self.note(Notice {
                at_ms: now_ms,
                kind: NoticeKind::Note,
                severity: Severity::Good,
                subject: "cluster".into(),
                text: "answers again".into(),
                duration_ms: Some((now_ms - since) as f64),
            });
        }
        self.mark(&poll);
        self.read_barrier.polled(&poll, |group, topic| self.ledger.answers_of(group, topic).is_some());
        for notice in self.cluster.take(now_ms, poll) {
            self.note(notice);
        }
        let here = self.businesses_here();
        self.lanes.polled(&here, |worker| self.cluster.lag_of(worker));
    }

    /// Tells the ledger the committed offsets, each with the end of the answers' partition.
    fn mark(&mut self, poll: &ClusterPoll) {
        for group in &poll.groups {
            for (topic, partition, offset) in &group.committed {
                let Some(topic) = Topic::named(topic) else { continue };
                let Some(answers) = self.ledger.answers_of(&group.id, topic) else { continue };
                let log = |log: &&LogPoll| log.topic == answers.name() && log.partition == *partition;
                let end = poll.logs.iter().find(log).map_or(0, |log| log.end);
                self.ledger.committed(&group.id, topic, *partition, *offset, end);
            }
        }
    }

    /// The cluster did not answer at `now_ms` of wall-clock time.
    pub fn silence(&mut self, now_ms: i64, reason: &str) {
        if self.silent.is_none() {
            self.note(Notice {
                at_ms: now_ms,
                kind: NoticeKind::Crash,
                severity: Severity::Bad,
                subject: "cluster".into(),
                text: reason.to_owned(),
                duration_ms: None,
            });
        }
        // What is shown is as old as the last answer, not as the news that none came.
        let polled_ms = self.polled_ms.unwrap_or(now_ms);
        let since_ms = self.silent.as_ref().map_or(polled_ms, |(since_ms, _)| *since_ms);
        self.silent = Some((since_ms, reason.to_owned()));
    }

    /// The cluster is asked every so many milliseconds from now on: an answer is late later.
    pub fn poll_every(&mut self, ms: i64) {
        self.poll_every_ms = ms;
    }

    /// Since when the cluster has not answered, and why, if that is too long.
    fn silent_at(&self, now_ms: i64) -> Option<(i64, String)> {
        let patience_ms = self.poll_every_ms + STALE_MS;
        let overdue = self.polled_ms.filter(|polled_ms| now_ms - polled_ms > patience_ms);
        self.silent.clone().or_else(|| Some((overdue?, "the broker does not answer".to_owned())))
    }

    /// As of when the cluster is known at the wall-clock time `now_ms`. Without news the clock
    /// stands, and so does all that is derived from it.
    pub fn seen_ms(&self, now_ms: i64) -> i64 {
        self.silent_at(now_ms).map_or(now_ms, |(since_ms, _)| since_ms)
    }

    /// Takes a record of one of our topics.
    pub fn take(&mut self, record: &SeenRecord) {
        let is_again = self.ledger.take(record.place, record.event.as_ref(), record.headers);
        let Some(event) = &record.event else {
            if let Some(event_time_bill) = &mut self.event_time_bill {
                event_time_bill.mark_read(record.place);
            }
            return;
        };
        // A group that is sent back answers questions that have long been answered: neither its
        // delay nor what the answers cost is that of now.
        if !is_again {
            self.observe(event, record.sent_ms);
        }
        if let Some(event_time_bill) = &mut self.event_time_bill {
            let SeenRecord { place, headers, send_time, .. } = *record;
            let source = headers.source;
            event_time_bill.take(&BillRecord { place, event, source, run: record.run.as_deref(), send_time });
        }
    }

    /// Takes what a record says, which the broker or its producer stamped `wall_ms`.
    pub fn observe(&mut self, event: &Event, wall_ms: i64) {
        self.infer_clock(event, wall_ms);
        let clock = self.config.clock;
        for (_, view) in &mut self.views {
            view.observe(event, wall_ms, clock.as_ref());
        }
        self.lanes.observe(event, wall_ms, clock.as_ref());
        if let Some(clock) = clock {
            self.bill.observe(event, clock.simulated(wall_ms), wall_ms);
        }
        if let Event::BatchRuns(run) = event {
            // A screen that attaches has no other source for it.
            if self.pace.is_some() && run.window_end > run.window_start {
                self.lanes.set_period_ms(run.window_end.since_ms(run.window_start));
            }
            self.note(Notice {
                at_ms: run.finished_at.ms(),
                kind: NoticeKind::BatchRun,
                severity: Severity::Info,
                subject: run.job.clone(),
                text: format!("{} records in, {} rows out", run.records, run.rows),
                duration_ms: Some(run.finished_at.since_ms(run.started_at) as f64),
            });
        } else if let Event::DeadLetters(letter) = event {
            self.dead_letters += 1;
            let at = format!("{}/{}@{}", letter.topic, letter.partition, letter.offset);
            let whose = letter.consumer.as_ref().map_or(at.clone(), |who| format!("{who} can't read {at}"));
            self.note(Notice {
                at_ms: wall_ms,
                kind: NoticeKind::Note,
                severity: Severity::Warning,
                subject: "dead letter".into(),
                text: format!("{whose}: {}", letter.error),
                duration_ms: None,
            });
        }
    }

    /// Someone who attaches to a running show is not told its clock: what is sent by the world
    /// itself gives it away.
    fn infer_clock(&mut self, event: &Event, wall_ms: i64) {
        let Some(pace) = &mut self.pace else { return };
        let told = self.config.businesses.iter().any(|business| business.main_topic() == event.topic());
        let clock = event.ts().filter(|_| told).and_then(|ts| pace.observe(ts, wall_ms));
        if self.config.clock.is_none() {
            self.counted_since = clock.map(|clock| clock.simulated(wall_ms));
        }
        self.config.clock = clock.or(self.config.clock);
    }

    /// Judges what can be judged at `now_ms` of wall-clock time.
    pub fn settle(&mut self, now_ms: i64) {
        // What a silent cluster has not answered may have been answered: nothing is missed yet.
        let now_ms = self.seen_ms(now_ms);
        if let Some(clock) = &self.config.clock {
            self.bill.settle(clock.simulated(now_ms - SETTLE_MS));
            let Some(event_time_bill) = &mut self.event_time_bill else { return };
            self.read_barrier.reported(event_time_bill.up_to());
            let known = self
                .read_barrier
                .known(|topic, partition, end| event_time_bill.has_read(topic, partition, end));
            let known = known.cloned().unwrap_or_default();
            // A job that never runs is not waited for.
            event_time_bill.settle(clock.simulated(now_ms).plus_ms(-bill::PATIENCE_MS), &known);
        }
    }

    /// Whether all has been read that was there when the cluster was last asked.
    pub fn has_read_all(&self) -> bool {
        let Some(event_time_bill) = &self.event_time_bill else { return true };
        self.read_barrier
            .has_read_all(|topic, partition, end| event_time_bill.has_read(topic, partition, end))
    }

    /// Adds to what has happened.
    pub fn note(&mut self, notice: Notice) {
        self.timeline.push(notice);
    }

    /// Records that their consumers could not read.
    pub fn dead_letters(&self) -> u64 {
        self.dead_letters
    }

    /// The cluster as it was found last.
    pub fn cluster(&self) -> &ClusterView {
        &self.cluster
    }

    /// The businesses that are here. Those of a show are, from its start on. Who attaches to a
    /// cluster finds those whose topics have at least one record; before its first answer, any of
    /// them may be there.
    fn businesses_here(&self) -> Vec<&'static Business> {
        let has_records = |business: &Business| {
            let own = Topic::ALL.iter().filter(|topic| topic.business() == Some(business.id));
            own.map(|topic| topic.name()).any(|topic| self.cluster.has_records(topic))
        };
        let is_known = self.pace.is_none() || self.polled_ms.is_none();
        let businesses = self.config.businesses.iter().copied();
        businesses.filter(|business| is_known || has_records(business)).collect()
    }

    /// Whether a topic is shown: not one of a business that is absent, unless it has records.
    fn is_shown(&self, here: &[&'static Business], topic: &str) -> bool {
        let of_business = Topic::named(topic).and_then(Topic::business);
        let is_here = |id| here.iter().any(|business| business.id == id);
        of_business.is_none_or(is_here) || self.cluster.has_records(topic)
    }

    /// Everything as it is at the wall-clock time `now_ms`. `ours` says which groups have our
    /// workers as members.
    pub fn snapshot(&mut self, now_ms: i64, ours: impl Fn(&str) -> bool) -> Snapshot {
        let clock = self.config.clock;
        let silent = self.silent_at(now_ms);
        let polled = self.polled_ms.is_some();
        let seen_ms = self.seen_ms(now_ms);
        // Silence is noticed some time after the last answer.
        self.clock_shown_ms = if silent.is_some() { self.clock_shown_ms.max(seen_ms) } else { seen_ms };
        let ledger = self.ledger.sums();
        let mut groups = self.cluster.groups(ours);
        for group in groups.iter_mut().filter(|group| group.lag_records.is_some_and(|lag| lag > 0)) {
            group.waiting = self.waiting(&group.id, &ledger);
        }
        let behind = |worker: &str| self.cluster.lag_of(worker);
        let here = self.businesses_here();
        let mut lanes = self.lanes.shown(seen_ms, clock.as_ref(), (&here, &self.bill), behind);
        let on_schedule = |group: &Group| {
            lane_of_group(&group.id) == Some(Lane::Batch)
                && group.members.is_empty()
                && self.lanes.is_on_schedule(&group.id, seen_ms, clock.as_ref())
        };
        for group in groups.iter_mut().filter(|group| on_schedule(group)) {
            let due_in_ms = self.lanes.due_in_ms(&group.id, seen_ms, clock.as_ref());
            group.trend = Trend::Scheduled { due_in_ms };
            group.partitions.iter_mut().for_each(|partition| partition.trend = group.trend);
        }
        lanes.ledger = ledger.iter().map(lanes::shown_sums).collect();
        lanes.past.clone_from(&self.past);
        lanes.past_is_due = self.past_is_due;
        lanes.counted_since_ms = self.counted_since.map(Timestamp::ms);
        let is_here = |business: &Business| here.iter().any(|of| of.id == business.id);
        // What is absent has no rows, also not where a shared worker waits for its questions.
        let mut topics = self.cluster.topics();
        topics.retain(|topic| self.is_shown(&here, &topic.name));
        for group in groups.iter_mut().filter(|group| lane_of_group(&group.id).is_some()) {
            group.partitions.retain(|partition| self.is_shown(&here, &partition.topic));
        }
        let both_lanes = !here.is_empty();
        let brokers = self.cluster.brokers.as_ref().map(|all| all.len() as u32);
        let cluster = Cluster { bootstrap: self.config.bootstrap.clone(), brokers };
        let mut snapshot = Snapshot {
            taken_at_ms: now_ms,
            title: Title {
                name: self.config.name.clone(),
                clock_ms: clock.map(|clock| clock.simulated(self.clock_shown_ms).ms()),
                utc_offset_min: 0,
                // One that was worked out is right to some parts in a hundred.
                speed: clock.map(|clock| match &self.pace {
                    Some(_) if clock.speed >= 10.0 => clock.speed.round(),
                    _ => (clock.speed * 10.0).round() / 10.0,
                }),
                seed: self.config.seed,
                supervised: false,
                remedy: None,
            },
            cluster: sourced(polled, silent.as_ref(), now_ms, cluster),
            topics: sourced(polled, silent.as_ref(), now_ms, topics),
            groups: sourced(polled, silent.as_ref(), now_ms, groups),
            lanes: if both_lanes { sourced(polled, silent.as_ref(), now_ms, lanes) } else { absent() },
            workers: absent(),
            timeline: self.timeline.clone(),
            controls: Vec::new(),
            ..Snapshot::default()
        };
        for (business, view) in &mut self.views {
            let here = is_here(business);
            view.show(&PaneSource { now_ms, here, silent: silent.as_ref() }, &mut snapshot);
        }
        if let Some(clock) = self.config.clock.filter(|_| both_lanes) {
            let of_business = |(business, view): &(&Business, Box<dyn View>)| {
                let clock = self.lanes.case_clock(business.job.group, seen_ms, &clock);
                FollowedCase { business: business.name.to_owned(), ..view.case(&clock) }
            };
            let shown = self.views.iter().filter(|(business, _)| is_here(business));
            snapshot.lanes.data.cases = shown.map(of_business).collect();
        }
        snapshot
    }
}

/// Data of a source that has sent something, or has not.
fn sourced<T: Default>(is_known: bool, silent: Option<&(i64, String)>, now_ms: i64, data: T) -> Sourced<T> {
    PaneSource { now_ms, here: true, silent }.sourced(is_known.then_some(data))
}
