//! Both lanes beside each other: how far the stream is behind, how old the batch is, and the bill.

use std::collections::{BTreeMap, VecDeque};

use dashboard::{FinishedRun, Lanes, Readers};
use events::{BatchRun, Event, HOUR_MS, Timestamp};

use crate::business::{Business, Freshness};
use crate::businesses::workers_of;
use crate::clock::SimulatedClock;
use crate::ledger::{QuestionAnswerPair, Sums};
use crate::observe::Age;
use crate::percentiles::Percentiles;
use crate::view::CaseClock;
use bill::{Bill, Lane};

/// Runs a person can scroll back.
const RUNS: usize = 20;

/// A lag of less, in milliseconds of wall-clock time, is no delay: a consumer commits once a
/// second, and the cluster is asked four times a second.
const COMMITS_MS: f64 = 2_000.0;
/// What a consumer that is not behind answered within so long before its newest answer is its
/// delay now, in milliseconds of wall-clock time; at most so many answers.
const NOW_MS: i64 = 2_000;
const NOW_MOST: usize = 4_096;
/// So much event time after the dial was moved, in milliseconds, its effect on the bill is told.
const ENOUGH_MS: i64 = 5 * 60_000;
/// An answer older than this, in milliseconds of wall-clock time, says nothing about now.
const SILENT_MS: i64 = 10_000;

/// What is known of both lanes.
#[derive(Debug)]
pub struct LanesView {
    period_ms: i64,
    /// The jobs of the businesses that are here.
    jobs: Vec<&'static str>,
    database: Option<String>,
    /// The workers that someone waits for, in the order in which they are shown.
    workers: Vec<(&'static str, Freshness)>,
    freshness: BTreeMap<&'static str, FreshnessView>,
    runs: VecDeque<FinishedRun>,
    /// The newest window that was run, as its start and end.
    window: Option<(Timestamp, Timestamp)>,
    /// Records that the jobs' runs have read.
    records: u64,
    /// When the dial was last moved.
    turned: Option<Turn>,
    /// The ends of the windows that each job has run, in event time, newest last. Those of a show
    /// before may be among them, whose clock went on for longer.
    window_ends: BTreeMap<String, VecDeque<Timestamp>>,
}

/// The dial was moved.
#[derive(Debug)]
struct Turn {
    at: Timestamp,
    /// What each line of the bill said then that waiting has cost, by its key.
    costs: BTreeMap<String, f64>,
}

impl Turn {
    fn new(at: Timestamp, items: Vec<dashboard::BillItem>) -> Self {
        let costs = items.into_iter().map(|item| (item.delay_cost().unwrap_or(0.0), item.key));
        Self { at, costs: costs.map(|(cost, key)| (key, cost)).collect() }
    }

    /// The bill at `now` with what each line costs in an hour since.
    fn with_rates(&self, mut bill: dashboard::Bill, now: Timestamp) -> dashboard::Bill {
        let passed_ms = now.since_ms(self.at);
        for item in bill.items.iter_mut().filter(|_| passed_ms >= ENOUGH_MS) {
            let since = item.delay_cost().zip(self.costs.get(&item.key));
            item.cost_per_hour = since.map(|(cost, then)| (cost - then) * HOUR_MS as f64 / passed_ms as f64);
        }
        bill
    }
}

#[derive(Debug, Default)]
struct FreshnessView {
    events: u64,
    answers: u64,
    delay: Percentiles,
    /// The delays of the last [`NOW_MS`], with the wall-clock time of each answer.
    now: VecDeque<(i64, f64)>,
    /// Whether it was behind when the cluster was asked last.
    was_behind: bool,
}

impl FreshnessView {
    fn delayed(&mut self, wall_ms: i64, delay_ms: f64) {
        self.delay.push(delay_ms);
        self.now.push_back((wall_ms, delay_ms));
        // In the order of reading, which is nearly that of wall-clock time.
        while self.now.len() > NOW_MOST || self.now.front().is_some_and(|&(at, _)| wall_ms - at > NOW_MS) {
            self.now.pop_front();
        }
    }

    /// The cluster says that the oldest record that it has not committed is `lag` old. What it
    /// answers while it is behind, and while it catches up, says nothing about the time after.
    fn polled(&mut self, lag: Option<Age>) {
        let is_behind = lag.is_some_and(is_delay);
        if is_behind || self.was_behind {
            self.now.clear();
        }
        self.was_behind = is_behind;
    }

    /// How far it is behind, if the oldest record that it has not committed is `lag` old. A
    /// question without an answer has no delay to show, so as long as some are left the answers
    /// say nothing; a disturbance that is over is over.
    fn behind(&self, wall_ms: i64, lag: Option<Age>) -> Option<Age> {
        let exact = |ms| Age { ms, is_minimum: false };
        lag.filter(|&lag| is_delay(lag)).or_else(|| self.delay_now(wall_ms).map(exact))
    }

    /// The median delay of the newest answers, when there are any.
    fn delay_now(&self, wall_ms: i64) -> Option<f64> {
        let newest = self.now.back().map(|&(at, _)| at).filter(|at| wall_ms - at <= SILENT_MS)?;
        let mut delays: Vec<f64> =
            self.now.iter().filter(|(at, _)| newest - at <= NOW_MS).map(|&(_, delay)| delay).collect();
        let middle = delays.len() / 2;
        (!delays.is_empty()).then(|| *delays.select_nth_unstable_by(middle, f64::total_cmp).1)
    }
}

/// Whether a lag is more than the interval of commits.
fn is_delay(lag: Age) -> bool {
    lag.ms > COMMITS_MS
}

impl LanesView {
    /// Nothing has been seen. The batch jobs run every `period_ms` of event time and load their
    /// rows into `database`.
    pub fn new(period_ms: i64, database: Option<String>, businesses: &[&'static Business]) -> Self {
        let workers = workers_of(businesses).into_iter();
        Self {
            jobs: businesses.iter().map(|business| business.job.group).collect(),
            period_ms,
            database,
            workers: workers.filter_map(|worker| Some((worker.name, worker.freshness?))).collect(),
            freshness: BTreeMap::new(),
            runs: VecDeque::new(),
            window: None,
            records: 0,
            turned: None,
            window_ends: BTreeMap::new(),
        }
    }

    /// Takes a record that the broker stamped `wall_ms`.
    pub fn observe(&mut self, event: &Event, wall_ms: i64, clock: Option<&SimulatedClock>) {
        if let Event::BatchRuns(run) = event {
            return self.ran_window(run);
        }
        let topic = event.topic();
        for (worker, Freshness { questions, answers, is_answer, asked_at }) in &self.workers {
            let is_question = questions.contains(&topic);
            let is_answer = *answers == topic && is_answer(event);
            if !is_question && !is_answer {
                continue;
            }
            let freshness = self.freshness.entry(worker).or_default();
            if is_question {
                freshness.events += 1;
                continue;
            }
            freshness.answers += 1;
            if let Some((clock, ts)) = clock.zip(asked_at(event)) {
                let delay_ms = (wall_ms - clock.wall_ms_at(ts)).max(0) as f64;
                freshness.delayed(wall_ms, delay_ms);
            }
        }
    }

    /// The cluster was asked: these businesses are `here`, and `lag_of` says how old the oldest
    /// record is that a group has not committed.
    pub fn polled(&mut self, here: &[&'static Business], lag_of: impl Fn(&str) -> Option<Age>) {
        self.jobs = here.iter().map(|business| business.job.group).collect();
        for (worker, view) in &mut self.freshness {
            view.polled(lag_of(worker));
        }
    }

    fn ran_window(&mut self, run: &BatchRun) {
        let ends = self.window_ends.entry(run.job.clone()).or_default();
        ends.push_back(run.window_end);
        ends.drain(..ends.len().saturating_sub(RUNS));
        self.records += run.records;
        self.window = self.window.max(Some((run.window_start, run.window_end)));
        self.runs.push_front(FinishedRun {
            job: run.job.clone(),
            batch_id: run.batch_id.clone(),
            finished_at_ms: run.finished_at.ms(),
            took_ms: Some(run.finished_at.since_ms(run.started_at) as f64),
            records: Some(run.records),
            rows: Some(run.rows),
        });
        self.runs.truncate(RUNS);
    }

    /// The state at `wall_ms` of wall-clock time, with the lines of the bill of the businesses that
    /// are `here`; `lag_of` says how old the oldest record is that a group has not committed.
    pub fn shown(
        &self,
        wall_ms: i64,
        clock: Option<&SimulatedClock>,
        (here, bill): (&[&'static Business], &Bill),
        lag_of: impl Fn(&str) -> Option<Age>,
    ) -> Lanes {
        let now = clock.map(|clock| clock.simulated(wall_ms));
        let freshness: Vec<dashboard::Freshness> = self
            .workers
            .iter()
            .filter_map(|(worker, _)| self.freshness.get_key_value(worker))
            .map(|(worker, view)| {
                let behind = view.behind(wall_ms, lag_of(worker));
                dashboard::Freshness {
                    business: (*worker).to_owned(),
                    delay_ms: behind.map(|age| age.ms),
                    delay_is_minimum: behind.is_some_and(|age| age.is_minimum),
                    // What a text answers is itself an answer of somebody: its questions are not
                    // counted apart.
                    events: Some(view.events).filter(|&events| events > 0),
                    answers: Some(view.answers),
                    p50_ms: view.delay.at(0.5),
                    p99_ms: view.delay.at(0.99),
                }
            })
            .collect();
        let oldest = now.and_then(|now| self.read_so_far(now).flatten().min());
        let next = now.zip(clock).map(|(now, clock)| {
            let due = now.floor(self.period_ms).plus_ms(self.period_ms);
            (clock.wall_ms_at(due) - wall_ms).max(0) as f64
        });
        Lanes {
            stream_delay_ms: freshness.iter().filter_map(|of| of.delay_ms).reduce(f64::max),
            batch_age_ms: now.zip(oldest).map(|(now, oldest)| now.since_ms(oldest) as f64),
            batch_period_ms: Some(self.period_ms as f64),
            can_turn: false,
            next_run_in_ms: next,
            running: now.zip(clock).is_some_and(|(now, clock)| self.is_running(now, clock.start)),
            dial_moved_ms: self.turned.as_ref().map(|turn| turn.at.ms()),
            stream_cpu_s_per_hour: None,
            batch_cpu_s_per_hour: None,
            database: self.database.clone(),
            runs: self.runs.iter().cloned().collect(),
            readers: here.iter().map(|business| self.readers(business, now.zip(clock))).collect(),
            freshness,
            bill: self.shown_bill(here, bill, now),
            past: None,
            past_is_due: false,
            cases: Vec::new(),
            counted_since_ms: None,
            ledger: Vec::new(),
        }
    }

    /// Who reads the questions of a business.
    fn readers(&self, business: &Business, at: Option<(Timestamp, &SimulatedClock)>) -> Readers {
        let job = business.job.group;
        let known = at.and_then(|(now, _)| Some(now.since_ms(self.read_up_to(job, now)?) as f64));
        let QuestionAnswerPair { questions, group, .. } = business.ledger.pair;
        Readers {
            business: business.name.to_owned(),
            questions: questions.name().to_owned(),
            stream_group: group.to_owned(),
            batch_group: job.to_owned(),
            batch_age_ms: known,
            running: at.is_some_and(|(now, clock)| self.job_is_running(job, now, clock.start)),
        }
    }

    fn shown_bill(&self, here: &[&'static Business], bill: &Bill, now: Option<Timestamp>) -> dashboard::Bill {
        let bill = shown_bill(here, bill);
        match self.turned.as_ref().zip(now) {
            Some((turn, now)) => turn.with_rates(bill, now),
            None => bill,
        }
    }

    /// The time by which a case is told whose batch lane is `job`.
    pub fn case_clock(&self, job: &str, wall_ms: i64, clock: &SimulatedClock) -> CaseClock {
        let now = clock.simulated(wall_ms);
        let is_running = self.job_is_running(job, now, clock.start);
        let on_schedule = self.is_on_schedule(job, wall_ms, Some(clock));
        CaseClock { start: clock.start, now, period_ms: on_schedule.then_some(self.period_ms), is_running }
    }

    /// The jobs run so often from the next boundary on.
    pub fn set_period_ms(&mut self, period_ms: i64) {
        self.period_ms = period_ms;
    }

    /// The dial was moved at `now`: from here on the cost in an hour is told beside the total, for
    /// a total of hours hides what changed a minute ago.
    pub fn apply_new_period(
        &mut self,
        period_ms: i64,
        now: Timestamp,
        here: &[&'static Business],
        bill: &Bill,
    ) {
        self.set_period_ms(period_ms);
        self.turned = Some(Turn::new(now, shown_bill(here, bill).items));
    }

    /// Whether a window that ended after `since` was run, no longer than `period_ms` and ending
    /// where such periods do.
    pub fn ran(&self, period_ms: i64, since: Timestamp) -> bool {
        self.window.is_some_and(|(start, end)| {
            end > since && end.since_ms(start) <= period_ms && end == end.floor(period_ms)
        })
    }

    /// Records that both lanes have read: events of the stream's consumers, and records of the
    /// jobs' runs.
    pub fn records(&self, lane: Lane) -> u64 {
        match lane {
            Lane::Stream => self.freshness.values().map(|view| view.events).sum(),
            Lane::Batch => self.records,
        }
    }

    /// Whether a run is under way: a period is over since the show began, and a job has not yet
    /// said that it has read it. One that says nothing for half a period is not at work but in
    /// trouble, which the workers' own pane tells.
    fn is_running(&self, now: Timestamp, start: Timestamp) -> bool {
        let due = now.floor(self.period_ms);
        let waited_ms = now.since_ms(due);
        let done = self.read_by_all(now).is_some_and(|oldest| oldest >= due);
        due > start && !done && waited_ms < self.period_ms / 2
    }

    /// Whether it is this job that has not yet said that it has read the window.
    fn job_is_running(&self, job: &str, now: Timestamp, start: Timestamp) -> bool {
        let has_run = self.read_up_to(job, now).is_some_and(|end| end >= now.floor(self.period_ms));
        !has_run && self.is_running(now, start)
    }

    /// Up to which instant of event time a job has read by `now`.
    fn read_up_to(&self, job: &str, now: Timestamp) -> Option<Timestamp> {
        self.window_ends.get(job)?.iter().copied().filter(|end| *end <= now).max()
    }

    /// Up to which instant of event time all jobs have read by `now`; none as long as one of them
    /// has read nothing, for the lane is as old as its worst job.
    fn read_by_all(&self, now: Timestamp) -> Option<Timestamp> {
        let all: Option<Vec<Timestamp>> = self.read_so_far(now).collect();
        all?.into_iter().min()
    }

    /// Up to which instant of event time each job has read by `now`; none for one that has not run.
    fn read_so_far(&self, now: Timestamp) -> impl Iterator<Item = Option<Timestamp>> {
        self.jobs.iter().map(move |job| self.read_up_to(job, now))
    }

    /// How long until a job runs, in milliseconds of wall-clock time; 0 while it does, as far as
    /// its runs tell.
    pub fn due_in_ms(&self, job: &str, wall_ms: i64, clock: Option<&SimulatedClock>) -> Option<f64> {
        let clock = clock?;
        let now = clock.simulated(wall_ms);
        let due = now.floor(self.period_ms);
        if self.job_is_running(job, now, clock.start) {
            return Some(0.0);
        }
        Some((clock.wall_ms_at(due.plus_ms(self.period_ms)) - wall_ms).max(0) as f64)
    }

    /// Whether a job's next run is not overdue: it has run in the last two periods, or the show is
    /// not older than that. Between two runs a job is no member of its group.
    pub fn is_on_schedule(&self, job: &str, wall_ms: i64, clock: Option<&SimulatedClock>) -> bool {
        clock.is_none_or(|clock| {
            let now = clock.simulated(wall_ms);
            now.since_ms(self.read_up_to(job, now).unwrap_or(clock.start)) < 2 * self.period_ms
        })
    }

    /// Events in and answers out of a worker.
    pub fn counts(&self, worker: &str) -> (u64, u64) {
        self.freshness.get(worker).map_or((0, 0), |view| (view.events, view.answers))
    }
}

/// A pair's sums as the dashboard takes them.
pub(super) fn shown_sums((pair, sums): &(QuestionAnswerPair, Sums)) -> dashboard::LedgerSums {
    dashboard::LedgerSums {
        questions: pair.questions.name().to_owned(),
        answers: pair.answers.name().to_owned(),
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
        replayed: sums.replayed,
    }
}

/// The bill in the dashboard's words, business by business.
fn shown_bill(businesses: &[&'static Business], bill: &Bill) -> dashboard::Bill {
    let items = bill.parts().flat_map(|(part, of_part)| {
        let business = businesses.iter().find(|business| business.id == part.business);
        business.map(|business| (business.bill_items)(of_part, &of_part.lines())).unwrap_or_default()
    });
    dashboard::Bill { items: items.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_the_turn_only_what_came_since_counts() {
        let item = |cost| dashboard::BillItem {
            key: "money".into(),
            stream: Some(0.0),
            batch: Some(cost),
            ..dashboard::BillItem::default()
        };
        let at = |minutes: i64| Timestamp::from_ms(minutes * 60_000);
        let turn = Turn::new(at(60), vec![item(1_000.0)]);
        let rate = |now| {
            let bill = dashboard::Bill { items: vec![item(1_500.0)] };
            turn.with_rates(bill, at(now)).items[0].cost_per_hour
        };
        assert_eq!(rate(64), None, "too early to say");
        assert_eq!(rate(90), Some(1_000.0), "500 in half an hour");
    }

    /// The lane is as old as its worst job: one that has run says nothing of the others.
    #[test]
    fn the_batch_lane_has_read_what_all_its_jobs_have_read() {
        let here = [&crate::payments::PAYMENTS, &crate::shop::SHOP];
        let mut lanes = LanesView::new(HOUR_MS, None, &here);
        let at = |minutes: i64| Timestamp::from_ms(minutes * 60_000);
        let run = |job: &str, minutes: i64| {
            Event::from(BatchRun {
                ts: at(minutes),
                job: job.into(),
                batch_id: format!("{job}-{minutes}"),
                window_start: at(minutes - 60),
                window_end: at(minutes),
                started_at: at(0),
                finished_at: at(0),
                records: 1,
                rows: 1,
            })
        };
        lanes.observe(&run(here[0].job.group, 60), 0, None);
        assert_eq!(lanes.read_by_all(at(70)), None, "the shop's job has not run");
        assert!(lanes.is_running(at(70), at(0)));
        let is_running = |job: &str| lanes.job_is_running(job, at(70), at(0));
        assert_eq!(here.map(|of| is_running(of.job.group)), [false, true], "each for itself");
        lanes.observe(&run(here[1].job.group, 60), 0, None);
        assert_eq!(lanes.read_by_all(at(70)), Some(at(60)));
        assert!(!lanes.is_running(at(70), at(0)));
        lanes.observe(&run(here[0].job.group, 120), 0, None);
        assert_eq!(lanes.read_by_all(at(130)), Some(at(60)), "the shop's is an hour behind");
        // Who attaches learns that there is no shop here.
        lanes.polled(&here[..1], |_| None);
        assert_eq!(lanes.read_by_all(at(130)), Some(at(120)));
    }

    #[test]
    fn a_delay_that_is_over_is_over() {
        let mut view = FreshnessView::default();
        assert_eq!(view.delay_now(0), None, "nothing was answered yet");
        for wall_ms in (0..1_000).step_by(10) {
            view.delayed(wall_ms, 180_000.0);
        }
        assert_eq!(view.delay_now(1_000), Some(180_000.0));
        for wall_ms in (12_000..12_100).step_by(10) {
            view.delayed(wall_ms, 20.0);
        }
        assert_eq!(view.delay_now(12_100), Some(20.0));
        view.delayed(14_200, 7.0);
        assert_eq!(view.delay_now(14_200), Some(7.0), "two seconds later it says nothing any more");
        assert_eq!(view.delay.at(0.5), Some(180_000.0), "it still counts in the long run");
        assert_eq!(view.delay_now(60_000), None, "who says nothing any more has no delay");
    }
}
