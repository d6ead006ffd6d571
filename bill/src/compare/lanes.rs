//! The stream and the batch lane of every period over the same events.

use consumers::eta::{EtaConfig, MultiPeriodEta};
use consumers::notifications::NotificationsProcessor;
use events::Event;
use processor::Processor;

/// What answers at once, and at each period.
pub trait Lanes: Send {
    /// Takes one event. Appends the stream's answers to `stream`, and those of each period to the
    /// list of its place in `batch`.
    fn process(&mut self, event: &Event, stream: &mut Vec<Event>, batch: &mut [Vec<Event>]);

    /// The log has ended, which closes the last period.
    fn finish(&mut self, batch: &mut [Vec<Event>]);
}

/// A processor for each lane: payments and the shop.
pub struct Separate {
    /// Answers at once.
    pub stream: Box<dyn Processor>,
    /// One for each period.
    pub batch: Vec<Box<dyn Processor>>,
}

impl Lanes for Separate {
    fn process(&mut self, event: &Event, stream: &mut Vec<Event>, batch: &mut [Vec<Event>]) {
        self.stream.process(event, stream);
        for (lane, answers) in self.batch.iter_mut().zip(batch) {
            lane.process(event, answers);
        }
    }

    fn finish(&mut self, batch: &mut [Vec<Event>]) {
        for (lane, answers) in self.batch.iter_mut().zip(batch) {
            lane.finish(answers);
        }
    }
}

/// Ride-share: one matcher under all lanes, and the texts that follow the stream's answers.
pub struct Rides {
    eta: MultiPeriodEta,
    texts: NotificationsProcessor,
}

impl Rides {
    /// Lanes that have seen nothing.
    pub fn new(config: &EtaConfig, periods_ms: &[i64]) -> Self {
        Self { eta: MultiPeriodEta::new(config, periods_ms), texts: NotificationsProcessor::new() }
    }
}

impl Lanes for Rides {
    fn process(&mut self, event: &Event, stream: &mut Vec<Event>, batch: &mut [Vec<Event>]) {
        let before = stream.len();
        self.eta.process(event, stream, batch);
        let mut texts = Vec::new();
        self.texts.process(event, &mut texts);
        for answer in &stream[before..] {
            self.texts.process(answer, &mut texts);
        }
        stream.append(&mut texts);
    }

    fn finish(&mut self, _batch: &mut [Vec<Event>]) {
        // A quote is given with its ping: nothing is owed.
    }
}
