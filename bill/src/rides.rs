//! Ride-share: minutes of ETA error, and texts with a wrong time.
//!
//! # Simplifications
//! - An arrival more than 24 days from the first answer to its trip counts as 24 days from it.

use std::collections::HashMap;

use events::{Business, Event, NotificationKind, SimulationTruth, Timestamp, TripKind};

use serde_json::{Value, json};
use text::grouped;

use super::lines::{Line, Measure, Sums, plain_tick, ratio, signed};
use super::part::{BusinessBill, Lane, PATIENCE_MS, Part, Terms};
use super::resample::Resampled;
use super::verdict::Margin;

/// A rider opens the app and looks for this long, in milliseconds of event time: what is on the
/// screen by then counts.
const LOOK_MS: i64 = 15_000;
/// A text "five minutes away" is right when it comes from three to seven minutes before the end of
/// the trip.
const TEXT_MS: i64 = 5 * 60_000;
const TEXT_TOLERANCE_MS: i64 = 2 * 60_000;

/// The business's part of the bill.
pub static RIDES: Part = Part {
    business: Business::RideShare,
    name: "ride-share",
    key: "rides",
    job: "batch-eta",
    needs_next_run: true,
    answers_carry_question_time: true,
    measures: &[&ETA_ERROR_MIN, &WRONG_TEXTS_PERCENT],
    is_truth: |event| matches!(event, Event::SimulationTruth(SimulationTruth::Trip { .. })),
    new: |terms| Box::new(RidesBill::new(terms)),
    question: "Ride-share: when will I arrive?",
    lesson: "<p>A rider looks at the screen when the trip begins and after each quarter of the way. The stream has seen the car a second ago. \
             The batch lane quotes a new trip with the road speeds of its last run, and a trip under way with what that run said of it; between runs it does not \
             know where the car is. On a quiet road that is nearly as good. In a jam, or when the driver takes another way, it is not.</p>",
    breakdown: None,
};

/// |ETA − drop-off| of what was on the rider's screen, mean over looks at it, in minutes.
///
/// Margin: half a minute. An app shows whole minutes, so a smaller error is lost in the rounding.
pub static ETA_ERROR_MIN: Measure = Measure {
    key: "eta_error_min",
    title: "ETA error, minutes per quote",
    name: "ETA error per quote",
    unit: " min",
    cases: "quotes",
    evidence: "quotes",
    margin: Margin::Of(0.5),
    amount: |minutes| signed(minutes, 2),
    tick: plain_tick,
};

/// Texts "five minutes away" that came at another time, or never; of a hundred.
///
/// Margin: two of a hundred. For a rider with a ride a week that is one wrong text more a year.
pub static WRONG_TEXTS_PERCENT: Measure = Measure {
    key: "wrong_texts_percent",
    title: "wrong texts, of 100",
    name: "wrong texts",
    unit: " %",
    cases: "texts due",
    evidence: "texts due",
    margin: Margin::Of(2.0),
    amount: |percent| signed(percent, 1),
    tick: plain_tick,
};

/// How one lane did.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RideLane {
    /// Looks at the screen that found an answer: at 0, 25, 50 and 75 % of each trip.
    pub quotes: u64,
    /// Looks that found none.
    pub unanswered: u64,
    /// Sum over the quotes of |ETA − drop-off|, in milliseconds: whole numbers, whose sum is the
    /// same in whatever order.
    pub error_ms: u64,
    /// Trips that were long enough to deserve a text.
    pub texts_due: u64,
    /// Of these, how many got theirs too early, too late, or never.
    pub texts_wrong: u64,
}

impl RideLane {
    /// Mean absolute error of a quote in minutes, if there was one.
    pub fn mean_error_min(&self) -> Option<f64> {
        (self.quotes > 0).then(|| self.error_ms as f64 / self.quotes as f64 / 60_000.0)
    }

    /// Looks at the screen, whether or not it had an answer.
    fn looks(&self) -> u64 {
        self.quotes + self.unanswered
    }

    fn add(&mut self, trip: RideLane) {
        self.quotes += trip.quotes;
        self.unanswered += trip.unanswered;
        self.error_ms += trip.error_ms;
        self.texts_due += trip.texts_due;
        self.texts_wrong += trip.texts_wrong;
    }

    fn quote(&mut self, eta: Option<Timestamp>, dropped_off: Timestamp) {
        match eta {
            Some(eta) => {
                self.quotes += 1;
                self.error_ms += eta.since_ms(dropped_off).unsigned_abs();
            }
            None => self.unanswered += 1,
        }
    }

    fn text(&mut self, sent: Option<Timestamp>, dropped_off: Timestamp) {
        self.texts_due += 1;
        let right =
            sent.is_some_and(|sent| (dropped_off.since_ms(sent) - TEXT_MS).abs() <= TEXT_TOLERANCE_MS);
        self.texts_wrong += u64::from(!right);
    }
}

/// What a lane said of a trip: from an instant on, when it will end. A trip has a thousand answers
/// and waits for those of the batch lane: each is held in eight bytes.
#[derive(Debug, Default)]
struct Quotes {
    first: Option<Timestamp>,
    /// Milliseconds after the first.
    list: Vec<(i32, i32)>,
}

impl Quotes {
    fn push(&mut self, from: Timestamp, eta: Timestamp) {
        let first = *self.first.get_or_insert(from);
        let after_first = |at: Timestamp| at.since_ms(first).clamp(i32::MIN.into(), i32::MAX.into()) as i32;
        if self.list.len() == self.list.capacity() {
            // A quarter more: a vector would double.
            self.list.reserve_exact((self.list.len() / 4).max(16));
        }
        self.list.push((after_first(from), after_first(eta)));
    }

    fn iter(&self) -> impl DoubleEndedIterator<Item = (Timestamp, Timestamp)> + Clone {
        let first = self.first.unwrap_or(Timestamp::MIN);
        let at = move |after_ms: i32| first.plus_ms(after_ms.into());
        self.list.iter().map(move |&(from, eta)| (at(from), at(eta)))
    }
}

/// The riders of so many trips that have ended are known all the same.
const ENDED: usize = 1_000;

/// What is known of one trip until it is judged.
#[derive(Debug, Default)]
struct Open {
    /// The answers of the stream, from when anyone could see them.
    stream: Quotes,
    /// The same for the batch lane.
    batch: Quotes,
    /// When the stream's text went out.
    texted: Option<Timestamp>,
    /// How it really went, once that is known.
    truth: Option<Truth>,
    /// How the stream did on it; the batch lane's answers come an hour later.
    stream_judged: Option<RideLane>,
    /// The time of its newest event, to drop trips that never end.
    touched: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy)]
struct Truth {
    dropped_off: Timestamp,
    quarters: [Timestamp; 4],
}

/// The ride-share part of the bill.
#[derive(Debug)]
pub struct RidesBill {
    /// The stream lane, over every trip that has ended.
    pub stream: RideLane,
    /// The batch lane; it is judged an hour later, when its answers are known.
    pub batch: RideLane,
    /// The stream lane over the trips that `batch` was judged on: the two that may be compared.
    pub stream_beside_batch: RideLane,
    /// Trip by trip, what `stream_beside_batch` and `batch` sum up: see [`sums`].
    pub spread: Resampled<7>,
    judged_from: Timestamp,
    open: HashMap<String, Open>,
    trip_of_rider: HashMap<String, String>,
}

impl RidesBill {
    /// Nothing has been observed.
    pub fn new(terms: &Terms) -> Self {
        Self {
            stream: RideLane::default(),
            batch: RideLane::default(),
            stream_beside_batch: RideLane::default(),
            spread: Resampled::default(),
            judged_from: terms.judged_from,
            open: HashMap::new(),
            trip_of_rider: HashMap::new(),
        }
    }

    fn touch(&mut self, trip: &str, seen: Timestamp) -> &mut Open {
        if !self.open.contains_key(trip) {
            self.open.insert(trip.to_owned(), Open::default());
        }
        let open = self.open.get_mut(trip).expect("it was there or has just been inserted");
        open.touched = open.touched.max(Some(seen));
        open
    }
}

impl BusinessBill for RidesBill {
    fn observe(&mut self, event: &Event, seen: Timestamp, _wall_ms: i64) {
        if let Event::EtaUpdates(answer) = event {
            let open = self.touch(&answer.trip_id, seen);
            open.stream.push(seen, answer.eta);
        } else if let Event::EtaBatch(batched) = event {
            // A quote can't be seen before it is asked for, however old the speeds behind it are.
            let from = batched.valid_from.max(batched.answer.ts);
            let open = self.touch(&batched.answer.trip_id, seen);
            // The quote is repeated for every ping; only a new one says something.
            if open.batch.iter().next_back().is_none_or(|(_, eta)| eta != batched.answer.eta) {
                open.batch.push(from, batched.answer.eta);
            }
        } else if let Event::Trips(trip) = event {
            match (trip.kind, &trip.rider_id) {
                (TripKind::Requested, Some(rider)) => {
                    self.trip_of_rider.insert(rider.clone(), trip.trip_id.clone());
                    // Who waits for a first quote is not forgotten.
                    self.touch(&trip.trip_id, seen);
                }
                (TripKind::Cancelled, _) => drop(self.open.remove(&trip.trip_id)),
                (TripKind::Requested | TripKind::PickedUp | TripKind::DroppedOff, _) => {}
            }
        } else if let Event::Notifications(text) = event {
            let trip = self.trip_of_rider.get(&text.recipient).cloned();
            if let Some(trip) = trip.filter(|_| text.kind == NotificationKind::FiveMinutesAway) {
                self.touch(&trip, seen).texted.get_or_insert(seen);
            }
        } else if let Event::SimulationTruth(SimulationTruth::Trip { ts, id, quarters, .. }) = event {
            let truth = Truth { dropped_off: *ts, quarters: *quarters };
            self.touch(id, seen).truth = Some(truth);
        }
    }

    fn settle(&mut self, until: Timestamp) {
        let Self { stream, batch, stream_beside_batch, spread, judged_from, open, .. } = self;
        open.retain(|trip_id, open| {
            let Some(truth) = open.truth else {
                // A trip that was cancelled or cut off by the end of a show never gets its truth.
                return open.touched.is_some_and(|touched| until.since_ms(touched) < PATIENCE_MS);
            };
            if truth.quarters[0] < *judged_from {
                return false;
            }
            if truth.dropped_off.plus_ms(LOOK_MS) > until {
                return true;
            }
            let streamed = *open.stream_judged.get_or_insert_with(|| {
                let judged = judge(truth, &std::mem::take(&mut open.stream), open.texted);
                stream.add(judged);
                judged
            });
            let given_up = until.since_ms(truth.dropped_off) > PATIENCE_MS;
            if open.batch.list.is_empty() && !given_up {
                return true;
            }
            let batched = judge(truth, &open.batch, text_of(&open.batch));
            batch.add(batched);
            stream_beside_batch.add(streamed);
            assert_eq!(
                batch.looks(),
                stream_beside_batch.looks(),
                "looks at both lanes' screens: they are judged on the same trips"
            );
            spread.add(trip_id, sums(&streamed, &batched));
            false
        });
        // Most of those that are known have ended.
        if self.trip_of_rider.len() > 2 * self.open.len() + ENDED {
            let open = &self.open;
            self.trip_of_rider.retain(|_, trip| open.contains_key(trip));
            self.trip_of_rider.shrink_to_fit();
        }
    }

    fn lines(&self) -> Vec<Line> {
        let (stream, batch) = (&self.stream_beside_batch, &self.batch);
        let sums = Sums { all: sums(stream, batch), spread: &self.spread };
        let quotes = stream.quotes.min(batch.quotes);
        let minutes = |ms: f64, quotes: f64| ratio(ms / 60_000.0, quotes);
        let errors =
            sums.line(&ETA_ERROR_MIN, (quotes, quotes), |s| minutes(s[0], s[1]), |s| minutes(s[2], s[3]));
        let percent = |wrong: f64, due: f64| ratio(100.0 * wrong, due);
        let texts = sums.line(
            &WRONG_TEXTS_PERCENT,
            (batch.texts_due, batch.texts_due),
            |s| percent(s[5], s[4]),
            |s| percent(s[6], s[4]),
        );
        errors.into_iter().chain(texts).collect()
    }

    fn counts(&self, lane: Lane) -> Value {
        let lane = match lane {
            Lane::Stream => &self.stream_beside_batch,
            Lane::Batch => &self.batch,
        };
        json!({
            "quotes": lane.quotes, "unanswered": lane.unanswered,
            "texts_due": lane.texts_due, "texts_wrong": lane.texts_wrong,
        })
    }

    fn summary(&self) -> Value {
        let lane = |lane: &RideLane| {
            json!({
                "quotes": lane.quotes, "unanswered": lane.unanswered, "mean_error_min": lane.mean_error_min(),
                "texts_due": lane.texts_due, "texts_wrong": lane.texts_wrong,
            })
        };
        json!({
            "stream": lane(&self.stream), "stream_beside_batch": lane(&self.stream_beside_batch),
            "batch": lane(&self.batch),
        })
    }

    fn sentences(&self) -> Vec<String> {
        let minutes =
            |lane: &RideLane| lane.mean_error_min().map_or("–".to_owned(), |mean| format!("{mean:.2} min"));
        vec![format!(
            "mean ETA error per quote: stream {} ({} quotes); on the same trips stream {}, batch {} ({} quotes)",
            minutes(&self.stream),
            grouped(self.stream.quotes),
            minutes(&self.stream_beside_batch),
            minutes(&self.batch),
            grouped(self.batch.quotes),
        )]
    }
}

/// Of each lane the error in milliseconds and the quotes it is the sum of, then texts that were
/// due, and each lane's wrong ones.
fn sums(stream: &RideLane, batch: &RideLane) -> [f64; 7] {
    [
        stream.error_ms as f64,
        stream.quotes as f64,
        batch.error_ms as f64,
        batch.quotes as f64,
        batch.texts_due as f64,
        stream.texts_wrong as f64,
        batch.texts_wrong as f64,
    ]
}

/// When a text "five minutes away" goes out to someone who is quoted these arrivals, each from an
/// instant on: as soon as the quote of the moment is five minutes away.
fn text_of(quotes: &Quotes) -> Option<Timestamp> {
    let next = quotes.iter().skip(1).map(|(from, _)| from).chain([Timestamp::MAX]);
    let due = quotes.iter().map(|(from, eta)| eta.plus_ms(-TEXT_MS).max(from));
    due.zip(next).find(|(due, next)| due < next).map(|(due, _)| due)
}

/// How a lane with these answers did on one trip.
fn judge(truth: Truth, answers: &Quotes, texted: Option<Timestamp>) -> RideLane {
    let mut lane = RideLane::default();
    for quarter in truth.quarters {
        let look = quarter.plus_ms(LOOK_MS);
        let on_screen = answers.iter().filter(|(seen, _)| *seen <= look).max_by_key(|(seen, _)| *seen);
        lane.quote(on_screen.map(|(_, eta)| eta), truth.dropped_off);
    }
    if truth.dropped_off.since_ms(truth.quarters[0]) > TEXT_MS + TEXT_TOLERANCE_MS {
        lane.text(texted, truth.dropped_off);
    }
    assert_eq!(lane.looks(), truth.quarters.len() as u64, "a rider looks at each quarter of the way");
    lane
}

#[cfg(test)]
mod tests {
    use events::{DAY_MS, Place, Trip};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a plain list.
        #[test]
        fn quotes_are_held_to_the_millisecond(
            first in Timestamp::MIN.ms()..Timestamp::MAX.ms(),
            told in prop::collection::vec((-12 * DAY_MS..12 * DAY_MS, -12 * DAY_MS..12 * DAY_MS), 0..50),
        ) {
            let at = |after_ms| Timestamp::from_ms(first).plus_ms(after_ms);
            let told: Vec<_> = told.into_iter().map(|(from, eta)| (at(from / 2), at(eta))).collect();
            let mut quotes = Quotes::default();
            for &(from, eta) in &told {
                quotes.push(from, eta);
            }
            prop_assert!(quotes.iter().eq(told));
        }
    }

    #[test]
    fn riders_whose_trips_have_ended_are_forgotten() {
        let mut bill = RidesBill::new(&Terms::from(Timestamp::MIN));
        let place = Place { lat: 0.0, lon: 0.0 };
        for number in 0..20_000_i64 {
            let ts = Timestamp::from_ms(number * 1_000);
            for kind in [TripKind::Requested, TripKind::Cancelled] {
                let trip = Trip {
                    ts,
                    trip_id: format!("trip {number}"),
                    driver_id: "driver".into(),
                    rider_id: Some(format!("rider {number}")),
                    kind,
                    origin: place,
                    destination: place,
                };
                // The last one goes on.
                if kind == TripKind::Requested || number < 19_999 {
                    bill.observe(&Event::Trips(trip), ts, 0);
                }
            }
            bill.settle(ts);
            assert!(bill.trip_of_rider.len() <= ENDED + 2, "{} riders", bill.trip_of_rider.len());
        }
        assert!(bill.trip_of_rider.contains_key("rider 19999"));
    }

    #[test]
    fn an_arrival_in_the_year_9999_is_far_away() {
        let (mut quotes, now) = (Quotes::default(), Timestamp::from_ms(0));
        quotes.push(now, Timestamp::MAX);
        let (from, eta) = quotes.iter().next().expect("one was told");
        assert_eq!((from, eta.since_ms(now) / DAY_MS), (now, 24));
    }
}
