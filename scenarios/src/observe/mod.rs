//! What a bystander can learn: the show as its cluster and its topics tell it.
//!
//! Nothing here is told by a worker about itself. Throughput, lag and owners come from questions
//! that any client may ask any Kafka; positions, decisions and pages are read from their topics, as
//! a student's own script would. So a group that we know nothing of appears by itself, and a worker
//! that lies or hangs is seen to.
//!
//! [`Show`] is pure: it is told what was seen and when, and turns it into the dashboard's
//! [`Snapshot`]. The threads that ask and read are in [`watch`].

mod city;
mod cluster;
mod lanes;
mod pace;
mod payments;
mod percentiles;
mod read_barrier;
mod shop;
#[cfg(test)]
mod tests;
mod trips;
mod verdicts;
pub mod watch;

use std::sync::Arc;

use consumers::eta::EtaConfig;
use dashboard::{Cluster, Notice, NoticeKind, Severity, Snapshot, Sourced, Timeline, Title};
use events::{Business as Id, Event, Topic};
use streets::Map;

use crate::business::Business;
use crate::businesses::books_of;
use crate::clock::Clock;
use crate::ledger::{Book, Ledger, QuestionAnswerPair, Sums};
use crate::payments::DEADLINE_MS;
use bill::{self, Bill, BillRecord, DeterministicRideReplay, EventTimeBill};

pub use self::lanes::LanesView;
pub use city::city_map;
pub use cluster::{ClusterPoll, ClusterView, GroupPoll, LogPoll, MemberPoll};
use watch::SeenRecord;

/// How long a record may be on its way to us, in milliseconds of the wall, before cases around it
/// are judged without it.
const SETTLE_MS: i64 = 3_000;

/// What is watched, as far as it is known beforehand.
pub struct ShowConfig {
    /// What the first line calls it.
    pub name: String,
    /// The address that was dialled.
    pub bootstrap: String,
    /// The show's clock, when we are told or have worked it out.
    pub clock: Option<Clock>,
    /// The show's seed, when we are told.
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
    fn runs(&self, id: Id) -> bool {
        self.businesses.iter().any(|business| business.id == id)
    }
}

/// Everything learnt so far.
pub struct Show {
    config: ShowConfig,
    cluster: ClusterView,
    city: city::CityView,
    payments: payments::PaymentsView,
    shop: shop::ShopView,
    /// How both lanes do.
    pub lanes: LanesView,
    /// What both lanes cost as it was seen, with the time that the wall took.
    pub bill: Bill,
    /// The same in event time, of a show that is ours.
    pub settled: Option<EventTimeBill>,
    /// Which of the batch jobs' reports count.
    read_barrier: read_barrier::ReadBarrier,
    ledger: Ledger,
    timeline: Timeline,
    dead_letters: u64,
    polled: bool,
    /// Since when the cluster is silent, and why.
    silent: Option<(i64, String)>,
    /// To work out a clock that nobody told us.
    pace: Option<pace::Pace>,
}

impl Show {
    /// Nothing has been seen.
    pub fn new(config: ShowConfig) -> Self {
        Self {
            cluster: ClusterView::default(),
            city: city::CityView::new(Arc::clone(&config.map)),
            payments: payments::PaymentsView::default(),
            shop: shop::ShopView::default(),
            lanes: LanesView::new(config.period_ms, config.database.clone(), &config.businesses),
            bill: Bill::new(DEADLINE_MS),
            settled: None,
            read_barrier: read_barrier::ReadBarrier::default(),
            ledger: Ledger::new(books_of(&config.businesses)),
            timeline: Timeline::default(),
            dead_letters: 0,
            polled: false,
            silent: None,
            // Whoever shows a seed has a clock to start.
            pace: config.seed.is_none().then(pace::Pace::default),
            config,
        }
    }

    /// The show's clock starts. It is billed from when on its batch jobs have had a chance to run.
    pub fn start(&mut self, clock: Clock) {
        let judged_from = bill::judged_from(clock.start, self.config.period_ms);
        self.bill = Bill::from(DEADLINE_MS, judged_from);
        let mut settled = EventTimeBill::new(judged_from);
        // To answer riders once more costs as much as their workers do; a show that somebody leaves
        // when they like is never twice the same.
        if self.config.ends && self.config.runs(Id::RideShare) {
            settled = settled
                .with_rides(DeterministicRideReplay::new(EtaConfig::new(Arc::clone(&self.config.map))));
        }
        self.settled = Some(settled);
        self.config.clock = Some(clock);
    }

    /// When the show's clock started, in milliseconds of the wall, and what it shows then.
    pub fn clock(&self) -> Option<Clock> {
        self.config.clock
    }

    /// Whether the group's members have begun to read all that they own.
    pub fn is_at_work(&self, group: &str) -> bool {
        self.cluster.is_at_work(group)
    }

    /// Takes the facts of a poll made at `now_ms` of the wall.
    pub fn poll(&mut self, now_ms: i64, poll: ClusterPoll) {
        self.polled = true;
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
    }

    /// Tells the ledger the bookmarks, each with the end of the answers that belong to it.
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

    /// The cluster did not answer at `now_ms` of the wall.
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
        let since_ms = self.silent.as_ref().map_or(now_ms, |(since_ms, _)| *since_ms);
        self.silent = Some((since_ms, reason.to_owned()));
    }

    /// Takes a record of one of our topics.
    pub fn take(&mut self, record: &SeenRecord) {
        self.ledger.take(record.place, record.event.as_ref(), record.source);
        let Some(event) = &record.event else {
            if let Some(settled) = &mut self.settled {
                settled.mark_read(record.place);
            }
            return;
        };
        self.observe(event, record.sent_ms);
        if let Some(settled) = &mut self.settled {
            let SeenRecord { place, source, send_time, .. } = *record;
            settled.take(&BillRecord { place, event, source, run: record.run.as_deref(), send_time });
        }
    }

    /// Takes what a record says, which the broker or its producer stamped `wall_ms`.
    pub fn observe(&mut self, event: &Event, wall_ms: i64) {
        self.infer_clock(event, wall_ms);
        let clock = self.config.clock;
        self.city.observe(event, wall_ms);
        self.payments.observe(event, wall_ms, DEADLINE_MS);
        self.shop.observe(event);
        self.lanes.observe(event, wall_ms, clock.as_ref());
        if let Some(clock) = clock {
            self.bill.observe(event, clock.simulated(wall_ms), wall_ms);
        }
        if let Event::BatchRuns(run) = event {
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
            self.note(Notice {
                at_ms: wall_ms,
                kind: NoticeKind::Note,
                severity: Severity::Warning,
                subject: "dead letter".into(),
                text: format!("{at}: {}", letter.error),
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
        self.config.clock = clock.or(self.config.clock);
    }

    /// Judges what can be judged when the wall shows `now_ms`.
    pub fn settle(&mut self, now_ms: i64) {
        if let Some(clock) = &self.config.clock {
            self.bill.settle(clock.simulated(now_ms - SETTLE_MS));
            let Some(settled) = &mut self.settled else { return };
            self.read_barrier.reported(settled.up_to());
            let known =
                self.read_barrier.known(|topic, partition, end| settled.has_read(topic, partition, end));
            let known = known.cloned().unwrap_or_default();
            // Who never runs is not waited for.
            settled.settle(clock.simulated(now_ms).plus_ms(-bill::PATIENCE_MS), &known);
        }
    }

    /// Whether all has been read that was there when the cluster was last asked.
    pub fn has_read_all(&self) -> bool {
        let Some(settled) = &self.settled else { return true };
        self.read_barrier.has_read_all(|topic, partition, end| settled.has_read(topic, partition, end))
    }

    /// Adds to what has happened.
    pub fn note(&mut self, notice: Notice) {
        self.timeline.push(notice);
    }

    /// Records that their consumers could not read.
    pub fn dead_letters(&self) -> u64 {
        self.dead_letters
    }

    /// What a group's lag means to the business: whoever waits for an answer, and the money that is
    /// at stake meanwhile.
    fn waiting(&self, group: &str, ledger: &[(QuestionAnswerPair, Sums)]) -> Option<dashboard::Waiting> {
        let mut books = self.config.businesses.iter().map(|business| &business.book);
        let Book { pair, waiting, .. } = books.find(|book| book.pair.group == group)?;
        let (cases, cents) = if group == "fraud" {
            let (swipes, cents) = self.payments.unscored();
            (swipes, Some(cents))
        } else {
            (ledger.iter().find(|(of, _)| of == pair)?.1.in_flight, None)
        };
        (cases > 0).then(|| dashboard::Waiting { cases, what: (*waiting).to_owned(), cents })
    }

    /// Everything as it is when the wall shows `now_ms`. `ours` says which groups have our workers
    /// as members.
    pub fn snapshot(&mut self, now_ms: i64, ours: impl Fn(&str) -> bool) -> Snapshot {
        let clock = self.config.clock;
        let silent = self.silent.clone();
        let polled = self.polled;
        let ledger = self.ledger.sums();
        let mut groups = self.cluster.groups(ours);
        for group in groups.iter_mut().filter(|group| group.lag_records.is_some_and(|lag| lag > 0)) {
            group.waiting = self.waiting(&group.id, &ledger);
        }
        let mut lanes = self.lanes.shown(now_ms, clock.as_ref(), &self.bill);
        lanes.ledger = ledger.iter().map(shown_book).collect();
        // Without its topic a business is not late but absent: somebody else's cluster has none of
        // ours.
        let here = |id: Id| {
            let here = |business: &&Business| !polled || self.cluster.has_topic(business.main_topic().name());
            self.config.businesses.iter().copied().filter(|business| business.id == id).any(|b| here(&b))
        };
        let [rides, payments, shop] = [here(Id::RideShare), here(Id::Payments), here(Id::Shop)];
        let both_lanes = rides || payments || shop;
        let cluster = Cluster { bootstrap: self.config.bootstrap.clone(), brokers: self.cluster.brokers };
        Snapshot {
            taken_at_ms: now_ms,
            title: Title {
                name: self.config.name.clone(),
                clock_ms: clock.map(|clock| clock.simulated(now_ms).ms()),
                utc_offset_min: 0,
                // One that was worked out is right to some parts in a hundred.
                speed: clock.map(|clock| match &self.pace {
                    Some(_) if clock.speed >= 10.0 => clock.speed.round(),
                    _ => (clock.speed * 10.0).round() / 10.0,
                }),
                seed: self.config.seed,
                supervised: false,
            },
            cluster: sourced(polled, silent.as_ref(), now_ms, cluster),
            topics: sourced(polled, silent.as_ref(), now_ms, self.cluster.topics()),
            groups: sourced(polled, silent.as_ref(), now_ms, groups),
            city: business(rides, self.city.shown(now_ms), silent.as_ref(), now_ms),
            payments: business(payments, self.payments.shown(DEADLINE_MS), silent.as_ref(), now_ms),
            shop: business(shop, self.shop.shown(), silent.as_ref(), now_ms),
            lanes: if both_lanes { sourced(polled, silent.as_ref(), now_ms, lanes) } else { absent() },
            workers: absent(),
            timeline: self.timeline.clone(),
            controls: Vec::new(),
        }
    }
}

/// A book of the ledger in the dashboard's words.
fn shown_book((book, sums): &(QuestionAnswerPair, Sums)) -> dashboard::Book {
    dashboard::Book {
        questions: book.questions.name().to_owned(),
        answers: book.answers.name().to_owned(),
        produced: sums.produced,
        answered: sums.answered,
        in_flight: sums.in_flight,
        dead_lettered: sums.dead_lettered,
        expired: sums.expired,
        repeated: sums.repeated,
        nothing_owed: sums.nothing_owed,
        unanswered: sums.unanswered,
        lost: sums.lost.unwrap_or(0),
        doubled: sums.doubled,
    }
}

fn sourced<T: Default>(heard: bool, silent: Option<&(i64, String)>, now_ms: i64, data: T) -> Sourced<T> {
    match silent {
        Some((since, reason)) if heard => {
            // In whole seconds, so that a screen on which nothing else changes is drawn once a
            // second and no more.
            let for_ms = (now_ms - since).max(0) as u64 / 1000 * 1000;
            Sourced::stale(data, for_ms, reason.clone())
        }
        _ if heard => Sourced::live(data),
        _ => Sourced::default(),
    }
}

fn business<T: Default>(
    here: bool,
    data: Option<T>,
    silent: Option<&(i64, String)>,
    now_ms: i64,
) -> Sourced<T> {
    match data {
        Some(data) => sourced(true, silent, now_ms, data),
        None if here => Sourced::default(),
        None => absent(),
    }
}

/// What is not here and will not come.
fn absent<T: Default>() -> Sourced<T> {
    Sourced { data: T::default(), source: dashboard::Source::Absent }
}
