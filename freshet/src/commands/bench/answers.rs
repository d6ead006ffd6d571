//! `freshet bench swipes` and `freshet bench clicks`: how long a question waits for its answer
//! while everything else runs.
//!
//! A whole show is started, all its businesses with both lanes and the observer, and on top of
//! what its simulators send comes a load of our own at a fixed rate (see [`super::schedule`]): a
//! crowd of cards at terminals, or of shoppers in the shop. A delay is from the moment when the
//! question was due to the moment when its answer is in the hands of a reader here: sending,
//! broker, consumer, broker, reading.
//!
//! # Simplifications
//! - The crowd is drawn evenly and remembers nothing: good for load, useless for judging an answer.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use client::{LogReader, Outgoing, Producer, ProducerOptions, Settings};
use events::{CardSwipe, Click, ClickKind, Event, Timestamp, Topic};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::StopSignal;
use super::figures::{Figure, Meter, Report, quantile};
use super::schedule::{Schedule, WARM_UP_NS};
use super::show::RunningShow;
use super::target::PATIENCE;
use crate::cli::AnswersArgs;
use scenarios::payments::DEADLINE_MS;
use scenarios::topics::PARTITIONS;

/// How long the terminal waits before it decides alone. ns.
const DEADLINE_NS: u64 = DEADLINE_MS as u64 * 1_000_000;
/// How long the show's consumers may take for their first answer: on a busy machine to learn from
/// the history takes its time.
const READY: Duration = Duration::from_mins(3);
/// A reader without records checks this often whether it should end.
const LOOK: Duration = Duration::from_millis(200);

/// Who asks, and what an answer to them looks like.
pub(super) trait Crowd: Send {
    /// What is measured, for the report.
    const WHAT: &'static str;
    /// The scenario that has nothing else in it.
    const ALONE: &'static str;
    /// Where the answers are.
    const ANSWERS: Topic;

    /// Question `index`, asked at `ts`.
    fn ask(&mut self, index: u64, ts: Timestamp) -> Event;

    /// The name of the question that is answered.
    fn answered(answer: &Event) -> Option<&str>;
}

/// Asks at the rate, reads the answers, and tells the delays.
pub(super) fn answers<C: Crowd>(
    stop: &StopSignal,
    args: &AnswersArgs,
    mut crowd: C,
    rate: u64,
) -> Result<()> {
    let schedule = Schedule::new(args.rate.unwrap_or(rate), args.duration)?;
    let scenario = if args.alone { C::ALONE } else { "all" };
    let show = RunningShow::start(stop, args.program.as_deref(), scenario)?;
    let settings = Settings::new(&show.bootstrap).with_client_id("freshet-bench");
    let options = ProducerOptions { delivery_timeout: Some(2 * PATIENCE), ..ProducerOptions::stream() };
    let producer = Producer::new(&settings, &options)?;
    let mut reader = LogReader::follow_from_now(&settings, C::ANSWERS.name(), PARTITIONS)?;
    // The show's own answers: once one is here, its consumer has learnt from its history, and
    // whatever follows will be here, too.
    next(stop, &mut reader, READY)?;

    let meter = Meter::start(None)?;
    let clock = show.clock;
    let (began, began_ms) = now();
    let mut delays_ns = std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut value = Vec::new();
            schedule.keep(stop, began, |index, due_ns| {
                let event = crowd.ask(index, clock.simulated(began_ms + (due_ns / 1_000_000) as i64));
                value.clear();
                event.write_json(&mut value);
                let (topic, key) = (event.topic().name(), Some(event.key().as_bytes()));
                Ok(producer
                    .send(Outgoing { topic, key, value: Some(&value), ..Outgoing::default() }, PATIENCE)?)
            })?;
            Ok(producer.flush(PATIENCE)?)
        });
        let delays = receive::<C>(stop, &mut reader, schedule, began);
        match sender.join().expect("the sender does not panic") {
            Ok(()) => delays,
            Err(error) => Err(error),
        }
    })?;
    let cost = meter.stop()?;

    delays_ns.sort_unstable();
    let ms = |q: f64| quantile(&delays_ns, q).map(|delay| delay as f64 / 1e6);
    let in_time = delays_ns.partition_point(|&delay| delay <= DEADLINE_NS);
    let mut report = Report::new(C::WHAT);
    report.add(vec![
        Figure::new("per_s", "a second", 0, schedule.rate() as f64),
        Figure::new("answers", "answers", 0, delays_ns.len() as f64),
        Figure::new("p50_ms", "p50 ms", 1, ms(0.5)),
        Figure::new("p99_ms", "p99 ms", 1, ms(0.99)),
        Figure::new("p999_ms", "p99.9 ms", 1, ms(0.999)),
        Figure::new("max_ms", "max ms", 1, ms(1.0)),
        Figure::new(
            "within_100_ms_percent",
            "within 100 ms %",
            2,
            100.0 * in_time as f64 / delays_ns.len().max(1) as f64,
        ),
        Figure::new("client_cpu_s", "client CPU s", 2, cost.client_s),
    ]);
    report.write(args.format)
}

/// The delays of all answers to our questions but the first second's, in nanoseconds, in the order
/// of arrival.
fn receive<C: Crowd>(
    stop: &StopSignal,
    reader: &mut LogReader,
    schedule: Schedule,
    began: Instant,
) -> Result<Vec<u64>> {
    let mut delays_ns = Vec::with_capacity(schedule.count() as usize);
    let mut arrived = 0;
    let mut last_ns = 0;
    while arrived < schedule.count() {
        let answer = next(stop, reader, PATIENCE)?;
        let now_ns = began.elapsed().as_nanos() as u64;
        if let Some(index) = C::answered(&answer).and_then(index_of) {
            arrived += 1;
            last_ns = now_ns;
            let due_ns = schedule.due_ns(index);
            if due_ns >= WARM_UP_NS {
                delays_ns.push(now_ns.saturating_sub(due_ns));
            }
        } else if now_ns > schedule.due_ns(schedule.count()).max(last_ns) + PATIENCE.as_nanos() as u64 {
            bail!("{arrived} of {} answers arrived, then none for {PATIENCE:?}", schedule.count());
        }
    }
    Ok(delays_ns)
}

/// The next answer to any question.
fn next(stop: &StopSignal, reader: &mut LogReader, patience: Duration) -> Result<Event> {
    let topic = Topic::named(reader.topic()).expect("a topic of the contract is read");
    for _ in 0..patience.as_millis() / LOOK.as_millis() {
        stop.check()?;
        if let Some(record) = reader.next(LOOK)? {
            return Ok(Event::parse(topic, record.value().unwrap_or_default())?);
        }
    }
    bail!("no answer on {} within {patience:?}", topic.name())
}

/// The name of our question `index`; those of the show's own simulators look otherwise.
fn name_of(index: u64) -> String {
    format!("bench-{index}")
}

fn index_of(name: &str) -> Option<u64> {
    name.strip_prefix("bench-")?.parse().ok()
}

/// Cards that are presented anywhere at any time.
pub(super) struct Cards {
    dice: StdRng,
    cards: u32,
}

impl Cards {
    pub(super) fn new(cards: u32) -> Self {
        Self { dice: StdRng::seed_from_u64(7), cards }
    }
}

impl Crowd for Cards {
    const WHAT: &'static str = "swipes";
    const ALONE: &'static str = "payments";
    const ANSWERS: Topic = Topic::FraudDecisions;

    fn ask(&mut self, index: u64, ts: Timestamp) -> Event {
        let terminal = self.dice.random_range(0..2_000);
        Event::from(CardSwipe {
            ts,
            swipe_id: name_of(index),
            card_id: format!("bench-card-{}", self.dice.random_range(0..self.cards)),
            terminal_id: format!("bench-terminal-{terminal}"),
            amount_cents: self.dice.random_range(100..20_000),
            currency: None,
            category: Some(["groceries", "fuel", "restaurant", "online"][terminal % 4].to_owned()),
            lat: Some(f64::from(-29_900_000 + terminal as i32 * 10) / 1e6),
            lon: Some(-71.25),
        })
    }

    fn answered(answer: &Event) -> Option<&str> {
        let Event::FraudDecisions(decision) = answer else { return None };
        Some(&decision.swipe_id)
    }
}

/// Shoppers who look at four or five items each, favourites more often.
pub(super) struct Shoppers {
    dice: StdRng,
    items: u32,
    /// The session of each of those who are in the shop now.
    present: Vec<u64>,
    visits: u64,
}

impl Shoppers {
    /// How many are in the shop at a time.
    const PRESENT: u64 = 500;
    /// The share of clicks that are a session's last.
    const LEAVING: f64 = 1.0 / 4.4;

    pub(super) fn new(items: u32) -> Self {
        Self {
            dice: StdRng::seed_from_u64(7),
            items,
            present: (0..Self::PRESENT).collect(),
            visits: Self::PRESENT,
        }
    }
}

impl Crowd for Shoppers {
    const WHAT: &'static str = "clicks";
    const ALONE: &'static str = "shop";
    const ANSWERS: Topic = Topic::Recommendations;

    fn ask(&mut self, index: u64, ts: Timestamp) -> Event {
        let place = self.dice.random_range(0..self.present.len());
        let session = self.present[place];
        if self.dice.random_bool(Self::LEAVING) {
            self.present[place] = self.visits;
            self.visits += 1;
        }
        // The cube makes the first hundredth of the items a fifth of the clicks.
        let item = (self.dice.random::<f64>().powi(3) * f64::from(self.items)) as u32;
        Event::from(Click {
            ts,
            event_id: Some(name_of(index)),
            session_id: format!("bench-session-{session}"),
            shopper_id: None,
            kind: ClickKind::View,
            item_id: Some(format!("bench-item-{item}")),
            dwell_ms: None,
            depth: None,
        })
    }

    fn answered(answer: &Event) -> Option<&str> {
        let Event::Recommendations(page) = answer else { return None };
        page.after.as_deref()
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the edge: a benchmark measures wall-clock time")]
fn now() -> (Instant, i64) {
    (Instant::now(), scenarios::clock::wall_ms())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_keeps_the_contract_and_its_answer_is_known() {
        let ts = Timestamp::from_ms(1_000);
        for asked in [Cards::new(10).ask(12, ts), Shoppers::new(10).ask(12, ts)] {
            let mut value = Vec::new();
            asked.write_json(&mut value);
            assert_eq!(Event::parse(asked.topic(), &value).unwrap(), asked);
        }
        assert_eq!(index_of(&name_of(12)), Some(12));
        assert_eq!(index_of("s-12"), None);
    }

    #[test]
    fn shoppers_come_and_go() {
        let mut shoppers = Shoppers::new(1_000);
        let mut sessions = std::collections::BTreeMap::<String, u32>::new();
        for index in 0..20_000 {
            *sessions.entry(shoppers.ask(index, Timestamp::from_ms(0)).key().to_owned()).or_default() += 1;
        }
        let mean = 20_000.0 / sessions.len() as f64;
        assert!((4.0..4.8).contains(&mean), "{mean} clicks a session");
    }
}
