//! The batch lane: the ETA of a job that runs once an hour.
//!
//! # Simplifications
//! - The job's matcher runs on every event, and only its forecasts wait for the end of a period: a
//!   real job would match the hour's pings at its end, with the same result.

use std::sync::Arc;

use events::{Batched, EtaUpdate, Event, Timestamp, Topic, TripKind};
use hashbrown::HashMap;
use streets::Map;

use super::EtaConfig;
use super::engine::{Answer, Engine, IDLE_MS};
use super::learn::Bands;
use super::replay::{INPUTS, StandaloneEta};
use super::stream::update;
use super::traffic::TrafficModel;
use super::trip::{Forecast, TripModel};
use processor::Processor;

/// The same matcher, traffic and forecasts as the stream lane, run as a job over whole periods.
///
/// At the end of each period the job publishes its model (speeds, correction, kerb times, bands),
/// and for every trip under way the ETA of its newest ping in the period. A trip that begins is
/// quoted at its first ping with the model of the last finished period. It keeps that quote until a
/// run publishes a newer ETA, or until it ends; after the quoted instant the quote is "now",
/// because between its runs a batch job does not know where the car is. So there is one `eta_batch`
/// for each ping that the stream answers, with the same `trip_id` and `ts`. Before the first period
/// is over the model is empty.
///
/// The model is used as the stream would use it: deviations of the period's last minutes decay to
/// the usual speed of the link and the hour, which in the hour that follows is a better guess than
/// the speed at the end of the period.
#[derive(Debug)]
pub struct BatchEta {
    standalone: StandaloneEta,
    lane: BatchLane,
    /// Whether traversals are published, too, for the rows of the database.
    tell_traversals: Option<Arc<Map>>,
}

impl BatchEta {
    /// A lane that has seen nothing.
    ///
    /// # Panics
    /// When the period is not at least a millisecond long.
    pub fn new(config: &EtaConfig) -> Self {
        Self {
            standalone: StandaloneEta::new(config),
            lane: BatchLane::new(config),
            tell_traversals: config.tell_traversals.then(|| config.roads.map().clone()),
        }
    }
}

impl Processor for BatchEta {
    fn inputs(&self) -> &'static [Topic] {
        INPUTS
    }

    fn process(&mut self, event: &Event, answers: &mut Vec<Event>) {
        let answer = self.standalone.process(event);
        if let Some(map) = &self.tell_traversals {
            self.standalone.tell_traversals(map, event, answers);
        }
        self.lane.process(event, answer.as_ref(), &mut self.standalone.engine, answers);
    }

    fn set_period_ms(&mut self, period_ms: i64) {
        self.lane.period_ms = period_ms.max(1);
    }

    fn counters(&self) -> Vec<(&'static str, u64)> {
        self.standalone.counts()
    }
}

/// The stream lane and the batch lane at several periods over one and the same matcher: what they
/// know at any moment is the same, so a comparison of many periods matches each ping once.
#[derive(Debug)]
pub struct MultiPeriodEta {
    standalone: StandaloneEta,
    /// Whether traversals are published, too, on the stream lane.
    tell_traversals: Option<Arc<Map>>,
    lanes: Vec<BatchLane>,
}

impl MultiPeriodEta {
    /// Lanes that have seen nothing, one for each of `periods_ms`, in milliseconds of event time.
    ///
    /// # Panics
    /// When a period is not at least a millisecond long.
    pub fn new(config: &EtaConfig, periods_ms: &[i64]) -> Self {
        let lane = |&period_ms: &i64| BatchLane::new(&EtaConfig { period_ms, ..config.clone() });
        Self {
            standalone: StandaloneEta::new(config),
            tell_traversals: config.tell_traversals.then(|| config.roads.map().clone()),
            lanes: periods_ms.iter().map(lane).collect(),
        }
    }

    /// Takes one event. Appends the answer of [`EtaReplay`](super::EtaReplay) to `stream`, and the
    /// answer that [`BatchEta`] gives at each period to the list of the same place in
    /// `batch`.
    pub fn process(&mut self, event: &Event, stream: &mut Vec<Event>, batch: &mut [Vec<Event>]) {
        let answer = self.standalone.process(event);
        for (lane, answers) in self.lanes.iter_mut().zip(batch) {
            lane.process(event, answer.as_ref(), &mut self.standalone.engine, answers);
        }
        if let Event::DriverLocations(ping) = event {
            stream.extend(answer.and_then(|answer| update(ping, &answer)).map(Event::from));
        }
        if let Some(map) = &self.tell_traversals {
            self.standalone.tell_traversals(map, event, stream);
        }
    }

    /// What was noticed, by name.
    pub fn counters(&self) -> Vec<(&'static str, u64)> {
        self.standalone.counts()
    }
}

/// The state that differs between periods: published models and quotes.
#[derive(Debug)]
struct BatchLane {
    period_ms: i64,
    /// The errors of quotes so far; each run publishes them.
    learnt: Bands,
    /// The models of the last two runs: a ping may still be of the period before.
    current: Option<Arc<PublishedModel>>,
    previous: Option<Arc<PublishedModel>>,
    empty: Arc<PublishedModel>,
    quotes: HashMap<String, Quote>,
    sweep_at: usize,
}

/// The model that one run of the job has published.
#[derive(Debug)]
struct PublishedModel {
    /// The end of its period.
    end: Timestamp,
    traffic: TrafficModel,
    trip_model: TripModel,
    bands: Bands,
}

/// The quote that a trip's rider has, and what the next run will publish.
#[derive(Debug)]
struct Quote {
    /// The first quote: when it was given, and the predicted seconds to the end of the trip.
    at: Timestamp,
    left_s: f64,
    contested_s: f64,
    last_event: Timestamp,
    current: QuotedEta,
    run_end: Timestamp,
    /// The stream's answer to the newest ping: what a run publishes that ends now.
    newest: (Timestamp, QuotedEta),
}

#[derive(Clone, Copy, Debug)]
struct QuotedEta {
    eta: Timestamp,
    p10: Timestamp,
    p90: Timestamp,
    metres: f64,
}

/// Old quotes are removed when there are at least so many.
const SWEEP_FROM: usize = 1024;

impl BatchLane {
    fn new(config: &EtaConfig) -> Self {
        assert!(config.period_ms > 0, "period_ms is {}: a period has a length", config.period_ms);
        Self {
            period_ms: config.period_ms,
            learnt: Bands::default(),
            current: None,
            previous: None,
            empty: Arc::new(PublishedModel {
                end: Timestamp::MIN,
                traffic: TrafficModel::new(config.roads.clone()),
                trip_model: TripModel::default(),
                bands: Bands::default(),
            }),
            quotes: HashMap::new(),
            sweep_at: SWEEP_FROM,
        }
    }

    /// Takes what the engine has just taken, with the answer that it gave.
    fn process(
        &mut self,
        event: &Event,
        answer: Option<&Answer>,
        engine: &mut Engine,
        answers: &mut Vec<Event>,
    ) {
        // The quote stays, for pings that are still on their way.
        if let Event::Trips(trip) = event
            && trip.kind == TripKind::DroppedOff
            && let Some(quote) = self.quotes.get(trip.trip_id.as_str())
        {
            let actual_s = trip.ts.since_seconds(quote.at).max(0.0);
            self.learnt.learn(quote.left_s, quote.contested_s, actual_s);
            self.learnt.trip_ended();
        }
        self.run_if_due(engine);
        let (Event::DriverLocations(ping), Some(answer)) = (event, answer) else { return };
        let Some(trip_id) = ping.trip_id.as_deref() else { return };
        let newest = QuotedEta { eta: answer.eta, p10: answer.p10, p90: answer.p90, metres: answer.metres };
        if !self.quotes.contains_key(trip_id) {
            let Some(quote) = self.quote(ping, trip_id, newest, engine) else { return };
            self.quotes.insert(trip_id.to_owned(), quote);
        }
        let run_end = ping.ts.floor(self.period_ms);
        let quote = self.quotes.get_mut(trip_id).expect("quoted before, or just now");
        let (latest_ts, latest) = quote.newest;
        if latest_ts < run_end && quote.run_end < run_end {
            // A run has finished since: its row replaces the quote.
            (quote.current, quote.run_end) = (latest, run_end);
        }
        if ping.ts >= latest_ts {
            quote.newest = (ping.ts, newest);
        }
        quote.last_event = quote.last_event.max(ping.ts);
        let eta = quote.current.eta.max(ping.ts);
        let update = EtaUpdate {
            ts: ping.ts,
            trip_id: trip_id.to_owned(),
            driver_id: ping.driver_id.clone(),
            eta,
            p10: quote.current.p10.clamp(ping.ts, eta),
            p90: quote.current.p90.max(eta),
            remaining_m: (quote.current.metres * 10.0).round() / 10.0,
        };
        answers.push(Batched::as_of(update, quote.run_end).into());
        self.sweep(engine);
    }

    /// Lets the job run when event time has entered another period.
    fn run_if_due(&mut self, engine: &Engine) {
        let Some(now) = engine.now() else { return };
        let end = now.floor(self.period_ms);
        let due = match &self.current {
            Some(current) => current.end != end,
            // The first period that is seen: nothing was finished before it.
            None => false,
        };
        if due {
            let run = PublishedModel {
                end,
                traffic: engine.traffic.clone(),
                trip_model: engine.trip_model.clone(),
                bands: self.learnt.clone(),
            };
            self.previous = self.current.replace(Arc::new(run));
        } else if self.current.is_none() {
            let empty = &self.empty;
            self.current = Some(Arc::new(PublishedModel {
                end,
                traffic: empty.traffic.clone(),
                trip_model: empty.trip_model.clone(),
                bands: empty.bands.clone(),
            }));
        }
    }

    /// The model of the last run that was finished at `ts`.
    fn run_at(&self, ts: Timestamp) -> Arc<PublishedModel> {
        let runs = [&self.current, &self.previous].into_iter().flatten();
        runs.clone().find(|run| run.end <= ts).cloned().unwrap_or_else(|| self.empty.clone())
    }

    fn quote(
        &self,
        ping: &events::DriverLocation,
        trip_id: &str,
        newest: QuotedEta,
        engine: &mut Engine,
    ) -> Option<Quote> {
        let run = self.run_at(ping.ts);
        let Forecast { eta, metres, contested_s } =
            engine.quote(ping, trip_id, &run.traffic, &run.trip_model)?;
        let left_s = eta.since_seconds(ping.ts).max(0.0);
        let (low_s, high_s) = run.bands.around(left_s, contested_s);
        Some(Quote {
            at: ping.ts,
            left_s,
            contested_s,
            last_event: ping.ts,
            current: QuotedEta {
                eta: ping.ts.plus_seconds(left_s),
                p10: ping.ts.plus_seconds(low_s),
                p90: ping.ts.plus_seconds(high_s),
                metres,
            },
            run_end: ping.ts.floor(self.period_ms),
            newest: (ping.ts, newest),
        })
    }

    fn sweep(&mut self, engine: &Engine) {
        if self.quotes.len() < self.sweep_at {
            return;
        }
        let Some(now) = engine.now() else { return };
        self.quotes.retain(|_, quote| now.since_ms(quote.last_event).abs() <= 2 * IDLE_MS);
        self.sweep_at = (2 * self.quotes.len()).max(SWEEP_FROM);
    }
}
