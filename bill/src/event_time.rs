//! The bill of a show in event time: the lanes' own answers, each from the instant on at which its
//! lane *could* have given it.
//!
//! What a person saw at the screen depends on wall-clock timing: on a busy machine a page comes 30
//! ms later, which at sixty times the speed are two simulated seconds, and a run that takes a
//! second publishes a simulated minute late. So a bill of what was seen is never twice the same,
//! and most of what makes it differ is the speed of the show and not the lane. This bill leaves the
//! wall out, as `freshet compare` does:
//!
//! - a question arrives when its simulator sent it, in simulated time;
//! - the stream's answer is there when its question arrives;
//! - an answer of the batch lane is there from the end of the period on whose run it rests.
//!
//! What is left is the lanes' answers and their periods, and that is the same on a slow machine, on
//! another broker, with another database. An answer that was never given counts as that here too.
//!
//! Records come in whatever order the topics happened to be read. Two things have to be known
//! before an answer can be placed: when its question arrived, and when its run's period ended.
//! Until then it is kept.
//!
//! Where partitions share what they learn (the speeds of roads), an answer hangs on which of two
//! records was read first, and no bookkeeping after the fact puts that back: rides are answered
//! once more, in order (see [`AnswerReplay`]).
//!
//! # Simplifications
//! - How long an answer took is left out whole: a consumer that was dead for a simulated hour is
//!   billed as if it had been there. The bill as it was seen, beside this one, tells that.

use std::collections::{BTreeMap, HashMap, HashSet};

use events::Source;
use events::{BatchRun, BatchedMut, Business, Event, Role, Timestamp, Topic};

use crate::arrivals::Arrivals;
use crate::bill::Bill;
use crate::part::{PATIENCE_MS, Part, Sweep, Terms, business_of};
use crate::ride_replay::{AnswerReplay, LiveVsReplay};
use crate::send_time::{LogPosition, SimulatedSendTime};

/// Up to where each job of the batch lane has run.
pub type JobProgress = BTreeMap<String, Timestamp>;

/// Answers by the offsets of their questions.
type Early = BTreeMap<i64, Vec<(LogPosition, Event)>>;

/// A record as the bill takes it.
#[derive(Debug, Clone)]
pub struct BillRecord<'a> {
    /// Where it stands.
    pub place: LogPosition,
    /// What it says.
    pub event: &'a Event,
    /// Which record it answers, if it says so.
    pub source: Option<Source>,
    /// Which run of the batch lane published it, if one did.
    pub run: Option<&'a str>,
    /// When its simulator sent it, with its sequence number, if one did.
    pub send_time: Option<SimulatedSendTime>,
}

/// A bill that knows when things could have been seen.
pub struct EventTimeBill {
    bill: Bill,
    /// Answers that are given once more, in order, in place of those that the lane gave.
    replays: Vec<Box<dyn AnswerReplay>>,
    /// When a record arrived whose answers don't tell by their own time: late pings, and what was
    /// said of them; all trades.
    arrived: Arrivals,
    /// The businesses whose answers never tell.
    dated_otherwise: Vec<Business>,
    /// How far each partition has been read.
    read_to: HashMap<(Topic, i32), i64>,
    /// Answers that were read before their questions.
    early: HashMap<(Topic, i32), Early>,
    runs: Runs,
    /// Up to where each business was judged last.
    judged: Vec<Timestamp>,
    /// When `arrived` was swept.
    sweep: Sweep,
}

/// What is known of the batch lane's runs.
#[derive(Debug, Default)]
struct Runs {
    /// The job of each business.
    jobs: HashMap<Business, &'static str>,
    /// The end of the window of the run whose answers could be seen, live, from an instant on: by
    /// job.
    ends: HashMap<String, HashMap<Timestamp, Timestamp>>,
    /// Runs that have been reported.
    done: HashSet<String>,
    /// Answers of runs that have not.
    waiting: HashMap<String, Vec<Event>>,
    /// Up to where each job has run.
    up_to: JobProgress,
}

impl EventTimeBill {
    /// Judges what happens to these businesses from `judged_from` on.
    pub fn new(parts: &[&'static Part], judged_from: Timestamp) -> Self {
        let jobs = parts.iter().map(|part| (part.business, part.job)).collect();
        let dated_otherwise = parts.iter().filter(|part| !part.answers_carry_question_time);
        let dated_otherwise = dated_otherwise.map(|part| part.business);
        Self {
            bill: Bill::new(parts, &Terms::from(judged_from)),
            replays: Vec::new(),
            arrived: Arrivals::default(),
            dated_otherwise: dated_otherwise.collect(),
            read_to: HashMap::new(),
            early: HashMap::new(),
            runs: Runs { jobs, ..Runs::default() },
            judged: Vec::new(),
            sweep: Sweep::default(),
        }
    }

    /// The same, with a business's answers in order.
    #[must_use]
    pub fn with_replay(mut self, replay: Box<dyn AnswerReplay>) -> Self {
        let business = replay.business();
        let known = self.replays.iter().any(|known| known.business() == business);
        assert!(!known, "two replays of {business:?}: each answer would be there twice");
        self.replays.push(replay);
        self
    }

    /// How far the answers that the lane gave lie from those in order, where they are replayed.
    pub fn live_vs_replay(&self) -> impl Iterator<Item = (Business, &LiveVsReplay)> {
        self.replays.iter().map(|replay| (replay.business(), replay.live_vs_replay()))
    }

    /// Takes a record.
    pub fn take(&mut self, record: &BillRecord<'_>) {
        let replay = self.replay_instead_of(record.event);
        if let Some((replay, Source { topic, partition, offset })) = replay.zip(record.source) {
            // It is only held beside the answer that stands in for it. So it does not wait for its
            // question: a reader may get a minute of answers before the first of them.
            self.replays[replay].live((topic, partition, offset), record.event);
            return self.mark_read(record.place);
        }
        match record.source {
            // The speeds of roads are on no bill, and the traversals that they answer are not read
            // here: the speeds would wait for ever.
            Some(_) if record.event.topic().role() == Role::Table => {}
            Some(source) if self.is_ahead(source) => {
                let waiting = self.early.entry((source.topic, source.partition)).or_default();
                waiting.entry(source.offset).or_default().push((record.place, record.event.clone()));
            }
            _ => self.place(record),
        }
    }

    /// The replay whose answers are given in place of this one.
    fn replay_instead_of(&self, answer: &Event) -> Option<usize> {
        self.replays
            .iter()
            .position(|replay| Some(replay.business()) == answer.business() && replay.replaces(answer))
    }

    /// A record that says nothing to a bill has been read.
    pub fn mark_read(&mut self, (topic, partition, offset): LogPosition) {
        let read_to = self.read_to.entry((topic, partition)).or_insert(offset);
        *read_to = offset.max(*read_to);
    }

    fn is_ahead(&self, source: Source) -> bool {
        self.read_to.get(&(source.topic, source.partition)).is_none_or(|&read_to| source.offset > read_to)
    }

    /// Takes a record whose question, if it answers one, is known.
    fn place(&mut self, record: &BillRecord<'_>) {
        let &BillRecord { place, event, source, run, send_time } = record;
        let (topic, partition, offset) = place;
        let asked = source
            .and_then(|Source { topic, partition, offset }| self.arrived.get((topic, partition, offset)));
        if let Some(arrived) = send_time.map(|send_time| send_time.at).or(asked).or(event.ts()) {
            let tells_nothing = || event.business().is_some_and(|of| self.dated_otherwise.contains(&of));
            if event.ts() != Some(arrived) || (event.topic().role() == Role::Input && tells_nothing()) {
                self.arrived.insert(place, arrived);
            }
            let replay = self.replays.iter().position(|replay| Some(replay.business()) == event.business());
            if let Some(at) = replay.filter(|_| business_of(event).is_some()) {
                let bill = &mut self.bill;
                let mut give = |event: &Event, at| bill.observe(event, at, 0);
                self.replays[at].take(place, event, send_time, arrived, &mut give);
            } else if self.replay_instead_of(event).is_none() {
                self.observe(event, run, arrived);
            }
        }
        self.mark_read(place);
        let Some(early) = self.early.get_mut(&(topic, partition)) else { return };
        let later = early.split_off(&(offset + 1));
        for (offset, answers) in std::mem::replace(early, later) {
            let source = Some(Source { topic, partition, offset });
            for (place, answer) in answers {
                self.place(&BillRecord { place, event: &answer, source, run: None, send_time: None });
            }
        }
    }

    fn observe(&mut self, event: &Event, run: Option<&str>, arrived: Timestamp) {
        if let Event::BatchRuns(run) = event {
            for answer in self.runs.report(run) {
                self.bill.observe(&answer, run.window_end, 0);
            }
        } else if event.topic().role() != Role::BatchAnswer {
            self.bill.observe(event, arrived, 0);
        } else if let Some(answer) = self.runs.answer(event, run) {
            self.bill.observe(&answer, arrived, 0);
        }
    }

    /// Up to where every job has run that has reported a run.
    pub fn up_to(&self) -> &JobProgress {
        &self.runs.up_to
    }

    /// Whether a partition has been read up to the offset `end`, as far as it matters to a bill:
    /// see [`EventTimeBill::take`].
    pub fn has_read(&self, topic: Topic, partition: i32, end: i64) -> bool {
        let is_on_no_bill = matches!(topic.role(), Role::Table | Role::Intermediate);
        let matters = !is_on_no_bill && topic != Topic::DeadLetters;
        !matters || end == 0 || self.read_to.get(&(topic, partition)).is_some_and(|&read| read + 1 >= end)
    }

    /// Judges the cases of which both lanes' answers have been read: those up to where each
    /// business's job has run, by `known`, and in any case those up to `until`.
    pub fn settle(&mut self, until: Timestamp, known: &JobProgress) {
        let judged_to =
            |part: &Part| known.get(part.job).map_or(until, |&run_to| run_to.max(until)).plus_ms(-1);
        let judged: Vec<Timestamp> = self.bill.parts().map(|(part, _)| judged_to(part)).collect();
        if judged == self.judged {
            return;
        }
        self.judged = judged;
        self.settle_each(|part| Some(judged_to(part)));
        if self.sweep.is_due(until) {
            // Whatever answers a record of so long ago comes too late for its case.
            self.arrived.retain(|arrived| until.since_ms(arrived) < PATIENCE_MS);
        }
    }

    /// The show ended at `end`, all that was said has been read: judges what is left. Of a trip the
    /// batch lane's quotes come with the run after it, so trips are judged up to where that job
    /// has run.
    pub fn finish(&mut self, end: Timestamp) -> &Bill {
        for (_, early) in std::mem::take(&mut self.early) {
            // Questions that retention has deleted unread.
            for (place, event) in early.into_values().flatten() {
                self.place(&BillRecord { place, event: &event, source: None, run: None, send_time: None });
            }
        }
        let bill = &mut self.bill;
        for replay in &mut self.replays {
            replay.finish(&mut |event, at| bill.observe(event, at, 0));
        }
        let last = end.plus_ms(-1);
        let up_to = self.runs.up_to.clone();
        self.settle_each(|part| match up_to.get(part.job) {
            Some(run_to) if part.needs_next_run => Some(last.min(run_to.plus_ms(-1))),
            None if part.needs_next_run => None,
            Some(_) | None => Some(last),
        });
        &self.bill
    }

    /// Judges each business up to an instant of its own, and none whose answers in order are not
    /// there yet.
    fn settle_each(&mut self, until: impl Fn(&Part) -> Option<Timestamp>) {
        let replays = &self.replays;
        self.bill.settle_each(|part| {
            let until = until(part)?;
            match replays.iter().find(|replay| replay.business() == part.business) {
                Some(replay) => Some(until.min(replay.now()?.plus_ms(-1))),
                None => Some(until),
            }
        });
    }

    /// How many answers wait for their questions.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.early.values().flat_map(|early| early.values()).map(Vec::len).sum()
    }

    #[cfg(test)]
    pub(super) fn into_bill(self) -> Bill {
        self.bill
    }
}

impl Runs {
    /// A run is over: the answers that waited for it.
    fn report(&mut self, run: &BatchRun) -> Vec<Event> {
        self.ends.entry(run.job.clone()).or_default().insert(run.ts, run.window_end);
        let up_to = self.up_to.entry(run.job.clone()).or_insert(run.window_end);
        *up_to = run.window_end.max(*up_to);
        self.done.insert(run.batch_id.clone());
        let waiting = self.waiting.remove(&run.batch_id).unwrap_or_default();
        let answers =
            waiting.into_iter().filter_map(|event| self.answer(&event, Some(&run.batch_id))).collect();
        let waits = self.waiting.contains_key(&run.batch_id);
        assert!(!waits, "an answer waits for run {}, which is over", run.batch_id);
        answers
    }

    /// An answer that `run` has published, from the end on of the period on whose run it rests,
    /// which may be an earlier one; none while that is not known.
    fn answer(&mut self, event: &Event, run: Option<&str>) -> Option<Event> {
        let mut answer = event.clone();
        let job = *self.jobs.get(&event.business()?)?;
        let BatchedMut { valid_from, .. } = answer.batched_mut()?;
        match (self.ends.get(job).and_then(|ends| ends.get(valid_from)), run) {
            (Some(&end), _) => *valid_from = end,
            (None, Some(run)) if !self.done.contains(run) => {
                self.waiting.entry(run.to_owned()).or_default().push(answer);
                return None;
            }
            // It rests on a period without a run: the time before the show.
            (None, _) => {}
        }
        Some(answer)
    }
}
