//! The evaluation of a fraud detector while it works: the summary of `freshet replay fraud`.
//!
//! Every figure comes from the log itself: what was true is what its chargebacks say, and each
//! swipe counts with what was said before its label was there ([`Scorecard`]). How long a decision
//! took is measured in wall-clock time, around the detector alone: no broker and no network stands
//! between. The answers are what they are without all this, to the byte.

use std::fmt;
use std::time::{Duration, Instant};

use consumers::fraud::{FraudConfig, Quality, Scorecard};
use events::{Event, Topic};
use lanes::Histogram;
use processor::Processor;
use text::money;

use super::DEADLINE_MS;
use crate::business::Replayed;

/// A lane of the payments business, and its report card.
pub(super) struct EvaluatedDetector {
    lane: Box<dyn Processor>,
    scorecard: Scorecard,
    /// From a swipe to its decision: in wall-clock time, or for the batch lane in event time.
    took: Histogram,
    batched: bool,
    costs: (f64, f64),
}

impl EvaluatedDetector {
    /// Judges `lane`, which was made with `config`.
    pub(super) fn new(lane: Box<dyn Processor>, config: &FraudConfig) -> Self {
        Self {
            lane,
            scorecard: Scorecard::new(config),
            took: Histogram::default(),
            batched: false,
            costs: (config.costs.fixed_cents, config.costs.margin),
        }
    }

    fn judge(&mut self, answers: &[Event]) {
        for answer in answers {
            if let Event::FraudBatch(batched) = answer {
                self.batched = true;
                let waited_ms = batched.valid_from.since_ms(batched.answer.ts).max(0);
                self.took.record(Duration::from_millis(waited_ms as u64));
            }
            self.scorecard.observe(answer);
        }
    }

    /// The report card, when the log has ended.
    fn into_report(mut self) -> Report {
        self.scorecard.finish();
        let Self { scorecard, took, batched, costs, .. } = self;
        Report { scorecard, took, batched, costs }
    }
}

impl Processor for EvaluatedDetector {
    fn inputs(&self) -> &'static [Topic] {
        self.lane.inputs()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the edge: how long a decision takes is measured in wall-clock time"
    )]
    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        self.scorecard.observe(event);
        let before = answers.len();
        let started = Instant::now();
        self.lane.process(event, answers);
        let took = started.elapsed();
        if let [Event::FraudDecisions(_)] = answers[before..] {
            self.took.record(took);
        }
        self.judge(&answers[before..]);
    }

    fn finish(&mut self, answers: &mut Vec<Event>) {
        let before = answers.len();
        self.lane.finish(answers);
        self.judge(&answers[before..]);
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        self.lane.counters()
    }
}

impl Replayed for EvaluatedDetector {
    fn processor(&mut self) -> &mut dyn Processor {
        self
    }

    fn report(self: Box<Self>) -> Option<String> {
        Some(self.into_report().to_string())
    }
}

/// How good the decisions of a log were, in words.
struct Report {
    scorecard: Scorecard,
    took: Histogram,
    batched: bool,
    costs: (f64, f64),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scorecard { before_labels, after_labels, unlabelled, unmatched_chargebacks, .. } =
            &self.scorecard;
        writeln!(f, "how good the decisions were, by the chargebacks in this log:")?;
        writeln!(
            f,
            "  judged                 {} swipes, each by what was said before its label; {unlabelled} have no label yet",
            before_labels.swipes() + after_labels.swipes()
        )?;
        if *unmatched_chargebacks > 0 {
            writeln!(
                f,
                "                         {unmatched_chargebacks} chargebacks of swipes that were not there to be judged"
            )?;
        }
        writeln!(f, "  before any label       {}", before_labels.ranking())?;
        writeln!(f, "  after                  {}", after_labels.ranking())?;
        if after_labels.frauds() > 0 {
            judged(f, after_labels, self.costs)?;
        }
        self.time(f)
    }
}

fn judged(f: &mut fmt::Formatter<'_>, quality: &Quality, (fixed_cents, margin): (f64, f64)) -> fmt::Result {
    if let Some(calibration) = quality.calibration() {
        writeln!(
            f,
            "  calibration            {calibration:.3}: {:.0} frauds expected, {} were",
            quality.expected_frauds(),
            quality.frauds()
        )?;
    }
    if let Some((precision, best)) = quality.card_precision() {
        writeln!(f, "  card precision         {precision:.4} at 100 a day ({best:.4} at best)")?;
    }
    let worth = quality.money();
    let share = |part: f64, of: f64| 100.0 * part / of.max(1.0);
    writeln!(
        f,
        "  money stopped          {} of {} ({:.1} %), in {} of {} frauds",
        money(worth.stopped_cents),
        money(worth.fraud_cents),
        share(worth.stopped_cents as f64, worth.fraud_cents as f64),
        worth.frauds_stopped,
        quality.frauds()
    )?;
    writeln!(
        f,
        "  honest declined        {} ({:.3} % of the honest), at a cost of {} ({} each and {:.1} %); net {}",
        worth.honest_declined,
        share(worth.honest_declined as f64, (quality.swipes() - quality.frauds()) as f64),
        money(worth.decline_cost_cents as i64),
        money(fixed_cents as i64),
        100.0 * margin,
        money(worth.net_cents() as i64)
    )
}

impl Report {
    fn time(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p99, p999) = (self.took.quantile(0.5), self.took.quantile(0.99), self.took.quantile(0.999));
        let (Some(p50), Some(p99), Some(p999)) = (p50, p99, p999) else { return Ok(()) };
        if self.batched {
            let minutes = |waited: Duration| format!("{:.1} min", waited.as_secs_f64() / 60.0);
            let (p50, p99, p999) = (minutes(p50), minutes(p99), minutes(p999));
            return writeln!(
                f,
                "  time to decide         p50 {p50}, p99 {p99}, p99.9 {p999} of event time, when the run is over; none within {DEADLINE_MS} ms"
            );
        }
        let micros = |took: Duration| format!("{:.1} us", took.as_secs_f64() * 1e6);
        let share = 100.0 * self.took.up_to(Duration::from_millis(DEADLINE_MS as u64));
        writeln!(
            f,
            "  time to decide         p50 {}, p99 {}, p99.9 {}; {share:.3} % within {DEADLINE_MS} ms (the detector alone, in real time)",
            micros(p50),
            micros(p99),
            micros(p999)
        )
    }
}

#[cfg(test)]
mod tests {
    use consumers::fraud::{FraudBatch, FraudProcessor};
    use events::{DAY_MS, HOUR_MS};
    use producers::cards::{Cards, CardsConfig};

    use super::*;

    /// Four weeks of a small town.
    fn log() -> Vec<Event> {
        let config = CardsConfig {
            seed: 41,
            cards: 400,
            terminals: 200,
            busy_swipes_per_second: 0.03,
            history_days: 0,
            ..CardsConfig::default()
        };
        let end = config.start.plus_ms(28 * DAY_MS);
        let events = Cards::new(&config).take_while(|emission| emission.at < end);
        events
            .map(|emission| emission.event)
            .filter(|event| event.topic() != Topic::SimulationTruth)
            .collect()
    }

    fn run(lane: Box<dyn Processor>, log: &[Event]) -> (Vec<Event>, Report) {
        let mut judged = EvaluatedDetector::new(lane, &FraudConfig::default());
        let mut answers = Vec::new();
        for event in log {
            judged.process(event, &mut answers);
        }
        judged.finish(&mut answers);
        (answers, judged.into_report())
    }

    #[test]
    fn being_judged_changes_nothing_and_everything_is_said() {
        let log = log();
        let mut plain = FraudProcessor::new(FraudConfig::default());
        let mut unjudged = Vec::new();
        for event in &log {
            plain.process(event, &mut unjudged);
        }
        let (answers, report) = run(Box::new(FraudProcessor::new(FraudConfig::default())), &log);
        assert_eq!(answers, unjudged);
        let swipes = log.iter().filter(|event| matches!(event, Event::CardSwipes(_))).count() as u64;
        let Scorecard { before_labels, after_labels, unlabelled, .. } = &report.scorecard;
        assert_eq!(
            before_labels.swipes() + after_labels.swipes() + unlabelled,
            swipes,
            "each is judged once or has no label"
        );
        assert!(after_labels.frauds() > 20 && after_labels.auc().is_some(), "{report}");
        assert_eq!(report.took.count(), swipes);
        let text = report.to_string();
        for said in [
            "ROC AUC 0.",
            "average precision 0.",
            "calibration",
            "at 100 a day",
            "money stopped",
            "honest declined",
            "p99.9",
            "within 100 ms",
        ] {
            assert!(text.contains(said), "{said} is not said:\n{text}");
        }

        let (_, late) = run(Box::new(FraudBatch::new(FraudConfig::default(), HOUR_MS)), &log);
        assert_eq!(
            late.scorecard.after_labels.auc(),
            report.scorecard.after_labels.auc(),
            "the same logic, an hour late"
        );
        assert!(late.to_string().contains("min of event time"));
    }

    #[test]
    fn what_is_unknown_is_said_to_be() {
        let (_, report) = run(Box::new(FraudProcessor::new(FraudConfig::default())), &log()[..50]);
        let text = report.to_string();
        assert!(text.contains("50 have no label yet") && text.contains("ROC AUC unknown"), "{text}");
        assert!(!text.contains("money stopped"), "{text}");
        let (_, nothing) = run(Box::new(FraudProcessor::new(FraudConfig::default())), &[]);
        assert!(!nothing.to_string().contains("time to decide"));
    }
}
