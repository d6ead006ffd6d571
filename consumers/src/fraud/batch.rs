//! The batch twin: the same detector, run over an hour of swipes at the end of the hour.
//!
//! The terminals have approved everything by then. A run can only stop later swipes: it blocks
//! cards from the end of its period on. The logic is the same; only the time of the answer differs.
//!
//! # Simplifications
//! - A late swipe is part of the next run, as if it were of its period.

use events::{Batched, Event, Timestamp, Topic};

use super::{AHEAD_MS, FraudConfig, FraudProcessor};
use processor::Processor;
use processor::bounded::fingerprint;
use processor::event_time::Watermark;

/// `card_swipes` and `chargebacks` in, one `fraud_batch` for each swipe out, when its period has
/// ended.
#[derive(Clone, Debug)]
pub struct FraudBatch {
    detector: FraudProcessor,
    period_ms: i64,
    watermark: Watermark,
    /// Events that no run has taken yet, in the order of arrival.
    waiting: Vec<Event>,
    /// The end of the period that is being collected.
    end: Option<Timestamp>,
}

impl FraudBatch {
    /// A lane whose runs are `period_ms` apart, in milliseconds of event time, aligned to midnight
    /// UTC.
    pub fn new(config: FraudConfig, period_ms: i64) -> Self {
        Self::with_detector(FraudProcessor::new(config), period_ms)
    }

    /// The same around a detector that has already learnt from history.
    pub fn with_detector(detector: FraudProcessor, period_ms: i64) -> Self {
        assert!(period_ms > 0, "a period has a length");
        Self {
            detector,
            period_ms,
            watermark: Watermark::confirmed_by_other_source_or_run(AHEAD_MS),
            waiting: Vec::new(),
            end: None,
        }
    }

    /// Runs everything from before `end`, late events too: no other run will take them.
    fn run(&mut self, end: Timestamp, answers: &mut Vec<Event>) {
        let mut decisions = Vec::new();
        let mut next = Vec::new();
        for event in self.waiting.drain(..) {
            // No period comes after the last instant there is: the one that ends there takes all.
            if end == Timestamp::MAX || event.ts().is_some_and(|ts| ts < end) {
                self.detector.process(&event, &mut decisions);
            } else {
                next.push(event);
            }
        }
        self.waiting = next;
        answers.extend(decisions.into_iter().filter_map(|decision| match decision {
            Event::FraudDecisions(answer) => Some(Batched::as_of(answer, end).into()),
            _ => None,
        }));
    }

    fn period_end(&self, at: Timestamp) -> Timestamp {
        at.floor(self.period_ms).plus_ms(self.period_ms)
    }
}

impl Processor for FraudBatch {
    fn inputs(&self) -> &'static [Topic] {
        self.detector.inputs()
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        match event {
            Event::CardSwipes(swipe) => {
                let now = self.watermark.advance_from(fingerprint(&swipe.card_id), swipe.ts);
                if let Some(end) = self.end
                    && self.watermark.has_passed(end)
                {
                    self.run(end, answers);
                    self.end = None;
                }
                if self.end.is_none() {
                    self.end = Some(self.period_end(now));
                }
            }
            Event::Chargebacks(_) => {}
            _ => return,
        }
        self.waiting.push(event.clone());
    }

    /// Ends the period that is being collected, and those after it.
    fn finish(&mut self, answers: &mut Vec<Event>) {
        while let Some(latest) = self.waiting.iter().filter_map(Event::ts).min() {
            let end =
                self.end.map_or_else(|| self.period_end(latest), |end| end.max(self.period_end(latest)));
            self.run(end, answers);
            self.end = None;
        }
    }

    fn set_period_ms(&mut self, period_ms: i64) {
        self.period_ms = period_ms.max(1);
        // What waits is run at the end of a period of the new length.
        self.end = self.end.map(|end| self.watermark.now().map_or(end, |now| self.period_end(now)));
    }

    fn fork(&self) -> Option<Box<dyn Processor>> {
        Some(Box::new(self.clone()))
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        self.detector.counters()
    }
}
