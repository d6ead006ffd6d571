//! Both lanes beside each other: how far the stream is behind, how old the batch is, and the bill.

use std::collections::{BTreeMap, VecDeque};

use dashboard::{BillItem, Freshness, Lanes, Run};
use events::{Event, Timestamp};

use super::percentiles::Percentiles;
use crate::bill::Bill;
use crate::clock::Clock;

/// Runs a person can scroll back.
const RUNS: usize = 20;

/// The answering consumers, in the order in which they are shown, with what they answer.
const BUSINESSES: [&str; 4] = ["eta", "fraud", "recommendations", "notifications"];

/// What is known of both lanes.
#[derive(Debug)]
pub(crate) struct LanesView {
    period_ms: i64,
    database: Option<String>,
    freshness: BTreeMap<&'static str, FreshnessView>,
    runs: VecDeque<Run>,
    /// The newest window that was run, as its start and end.
    window: Option<(Timestamp, Timestamp)>,
    /// Records that the jobs' runs have read.
    records: u64,
    /// Up to which instant of event time each job has read.
    read_up_to: BTreeMap<String, Timestamp>,
}

#[derive(Debug, Default)]
struct FreshnessView {
    events: u64,
    answers: u64,
    delay: Percentiles,
}

impl LanesView {
    pub(crate) fn new(period_ms: i64, database: Option<String>) -> Self {
        Self {
            period_ms,
            database,
            freshness: BTreeMap::new(),
            runs: VecDeque::new(),
            window: None,
            records: 0,
            read_up_to: BTreeMap::new(),
        }
    }

    /// Takes a record that the broker stamped `wall_ms`.
    pub(crate) fn observe(&mut self, event: &Event, wall_ms: i64, clock: Option<&Clock>) {
        let (business, answered) = match event {
            Event::DriverLocations(_) | Event::TruckGpsCoordinates(_) | Event::Trips(_) => ("eta", None),
            Event::EtaUpdates(answer) => ("eta", Some(answer.ts)),
            Event::CardSwipes(_) => ("fraud", None),
            Event::FraudDecisions(answer) => ("fraud", Some(answer.ts)),
            Event::Clicks(_) => ("recommendations", None),
            Event::Recommendations(answer) if answer.after.is_some() => ("recommendations", Some(answer.ts)),
            Event::Notifications(text) => ("notifications", Some(text.ts)),
            Event::BatchRuns(run) => {
                let newest = self.read_up_to.entry(run.job.clone()).or_insert(run.window_end);
                *newest = (*newest).max(run.window_end);
                self.records += run.records;
                self.window = self.window.max(Some((run.window_start, run.window_end)));
                self.runs.push_front(Run {
                    job: run.job.clone(),
                    batch_id: run.batch_id.clone(),
                    finished_at_ms: run.finished_at.ms(),
                    took_ms: Some(run.finished_at.since_ms(run.started_at) as f64),
                    records: Some(run.records),
                    rows: Some(run.rows),
                });
                self.runs.truncate(RUNS);
                return;
            }
            _ => return,
        };
        let freshness = self.freshness.entry(business).or_default();
        match answered {
            None => freshness.events += 1,
            Some(ts) => {
                freshness.answers += 1;
                if let Some(clock) = clock {
                    freshness.delay.push((wall_ms - clock.wall_ms_at(ts)).max(0) as f64);
                }
            }
        }
    }

    /// Everything as it is when the wall shows `wall_ms`.
    pub(crate) fn shown(&self, wall_ms: i64, clock: Option<&Clock>, bill: &Bill) -> Lanes {
        let now = clock.map(|clock| clock.simulated(wall_ms));
        let freshness: Vec<Freshness> = BUSINESSES
            .iter()
            .filter_map(|business| self.freshness.get_key_value(business))
            .map(|(business, view)| Freshness {
                business: (*business).to_owned(),
                // What a text answers is itself an answer of somebody: its questions are not counted apart.
                events: Some(view.events).filter(|&events| events > 0),
                answers: Some(view.answers),
                p50_ms: view.delay.at(0.5),
                p99_ms: view.delay.at(0.99),
            })
            .collect();
        let oldest = self.read_up_to.values().min();
        let next = now.zip(clock).map(|(now, clock)| {
            let due = now.floor(self.period_ms).plus_ms(self.period_ms);
            (clock.wall_ms_at(due) - wall_ms).max(0) as f64
        });
        Lanes {
            stream_delay_ms: freshness.iter().filter_map(|f| f.p50_ms).reduce(f64::max),
            batch_age_ms: now.zip(oldest).map(|(now, oldest)| now.since_ms(*oldest).max(0) as f64),
            batch_period_ms: Some(self.period_ms as f64),
            can_turn: false,
            next_run_in_ms: next,
            running: false,
            database: self.database.clone(),
            runs: self.runs.iter().cloned().collect(),
            freshness,
            bill: shown_bill(bill),
            ledger: Vec::new(),
        }
    }

    /// The dial was turned: the jobs run so often from the next boundary on.
    pub(crate) fn set_period_ms(&mut self, period_ms: i64) {
        self.period_ms = period_ms;
    }

    /// Whether a window that ended after `since` was run, no longer than `period_ms` and ending where such periods do.
    pub(crate) fn ran(&self, period_ms: i64, since: Timestamp) -> bool {
        self.window.is_some_and(|(start, end)| {
            end > since && end.since_ms(start) <= period_ms && end == end.floor(period_ms)
        })
    }

    /// Records that both lanes have read: events of the stream's consumers, and records of the jobs' runs.
    pub(crate) fn records(&self, batch: bool) -> u64 {
        if batch { self.records } else { self.freshness.values().map(|view| view.events).sum() }
    }

    /// Events in and answers out of a business, and how long the answers took.
    pub(crate) fn counts(&self, business: &str) -> (u64, u64) {
        self.freshness.get(business).map_or((0, 0), |view| (view.events, view.answers))
    }
}

/// The bill in the dashboard's words. Both columns of an item are judged on the same cases; before there is a case, nothing
/// is known.
pub(crate) fn shown_bill(bill: &Bill) -> dashboard::Bill {
    let rides = &bill.rides;
    let (fresh, late) = (&rides.stream_beside_batch, &rides.batch);
    let minutes = (late.quotes > 0 && fresh.quotes > 0).then(|| {
        // A quote each lane could not give is no minute; the mean over its quotes stands for a trip.
        let trips = (late.quotes + late.unanswered) as f64 / 4.0;
        let per_trip = |lane: &crate::bill::RideLane| lane.mean_error_min().map(|mean| mean * trips);
        (per_trip(fresh), per_trip(late), trips as u64)
    });
    let money = &bill.payments;
    let shop = &bill.shop;
    dashboard::Bill {
        late_minutes: BillItem {
            stream: minutes.and_then(|m| m.0),
            batch: minutes.and_then(|m| m.1),
            stale_model: None,
            cases: minutes.map(|m| m.2),
        },
        wrong_texts: item(fresh.texts_wrong as f64, late.texts_wrong as f64, late.texts_due),
        money_cents: item(
            money.stream.cost_cents() as f64,
            money.batch.cost_cents() as f64,
            money.stream.swipes,
        ),
        missed_clicks: BillItem {
            // What the stale model missed beyond the stream where both were judged, as if it had been judged everywhere.
            stale_model: shop.stale.hit_rate().zip(shop.stream_beside_stale.hit_rate()).map(
                |(stale, stream)| {
                    (shop.stream.cases - shop.stream.hits) as f64
                        + (stream - stale) * shop.stream.cases as f64
                },
            ),
            ..item(
                (shop.stream.cases - shop.stream.hits) as f64,
                (shop.batch.cases - shop.batch.hits) as f64,
                shop.stream.cases,
            )
        },
    }
}

fn item(stream: f64, batch: f64, cases: u64) -> BillItem {
    if cases == 0 {
        return BillItem::default();
    }
    BillItem { stream: Some(stream), batch: Some(batch), stale_model: None, cases: Some(cases) }
}
