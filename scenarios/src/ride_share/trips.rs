//! The trips of the city as their topics tell them: what each lane says of when they end, and how
//! right it was.
//!
//! A trip's true end is known when it ends, and what the batch lane would have said of it comes
//! with its next run, up to a period later. So a trip is followed twice: while it lives, for the
//! screen, and after its end, until both answers can be held against the truth at one moment, when
//! half of its time was over.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use dashboard::{Arrival, BatchEta, StreamEta, Trip};
use events::{EtaUpdate, Event, HOUR_MS, Place, Timestamp, TripKind};
use streets::{Map, Router};

use super::route::{ahead, quickest_route};

/// How many trips a person can choose from.
const CHOICE: usize = 16;
/// A trip stays in that choice for so long after its end, in milliseconds of wall-clock time: time
/// to read how it went.
const STAYS_MS: i64 = 8_000;
/// How many trips are shown of which both lanes' answers are known.
const ARRIVALS: usize = 8;
/// Of a trip's answers one in so many milliseconds of event time is kept, to look up what was said
/// half-way.
const KEPT_EVERY_MS: i64 = 10_000;
/// A trip without an event for so long, in event time, is dropped.
const SILENT_MS: i64 = 10 * 60_000;
/// The batch lane's answer is waited for so long, in event time: it comes with the run after the
/// trip.
const PATIENCE_MS: i64 = 3 * HOUR_MS;

/// One answer of the stream lane.
#[derive(Debug, Clone, Copy)]
struct Answer {
    ts: Timestamp,
    eta: Timestamp,
    p10: Timestamp,
    p90: Timestamp,
}

impl Answer {
    fn of(update: &EtaUpdate) -> Self {
        Self { ts: update.ts, eta: update.eta, p10: update.p10, p90: update.p90 }
    }

    fn seen_at(&self, moment: Timestamp) -> StreamEta {
        StreamEta {
            remaining_s: self.eta.since_seconds(moment),
            p10_s: self.p10.since_seconds(moment),
            p90_s: self.p90.since_seconds(moment),
        }
    }
}

/// The batch lane's quote: of which ping, when anyone could have seen it, and what it says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quote {
    ts: Timestamp,
    pub(crate) from: Timestamp,
    pub(crate) eta: Timestamp,
}

#[derive(Debug)]
struct Known {
    driver_id: String,
    requested: Timestamp,
    origin: Place,
    destination: Place,
    picked_up: bool,
    touched: Timestamp,
    newest: Option<Answer>,
    kept: Vec<Answer>,
    quote: Option<Quote>,
    /// When it ended, in event time and in wall-clock time.
    ended: Option<(Timestamp, i64)>,
    /// Where it leads, computed once somebody can see it.
    route: Option<Vec<(f64, f64)>>,
}

impl Known {
    fn half_way(&self) -> Option<Timestamp> {
        let (ended, _) = self.ended?;
        Some(self.requested.plus_ms(ended.since_ms(self.requested) / 2))
    }

    /// What the stream lane had said by `moment`.
    fn said_by(&self, moment: Timestamp) -> Option<Answer> {
        self.kept.iter().rev().find(|answer| answer.ts <= moment).copied()
    }

    /// What the batch lane's last run had said by `moment`.
    fn quoted_by(&self, moment: Timestamp) -> Option<Quote> {
        self.quote.filter(|quote| quote.from <= moment && quote.ts <= moment)
    }

    fn arrival(&self, trip_id: &str) -> Option<Arrival> {
        let ((ended, _), half) = (self.ended?, self.half_way()?);
        let quote = self.quoted_by(half)?;
        Some(Arrival {
            trip_id: trip_id.to_owned(),
            truth_s: ended.since_seconds(half),
            stream_s: self.said_by(half).map(|answer| answer.eta.since_seconds(half)),
            batch_s: Some(quote.eta.since_seconds(half)),
        })
    }
}

/// What both lanes say of a trip.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TripAnswers {
    /// When it ended, in event time and in milliseconds of wall-clock time.
    pub(crate) ended: Option<(Timestamp, i64)>,
    /// When it ends, by the stream's newest answer.
    pub(crate) stream: Option<Timestamp>,
    /// The batch lane's answer.
    pub(crate) batch: Option<Quote>,
}

/// What is known of the trips.
#[derive(Debug, Default)]
pub(crate) struct TripsView {
    trips: BTreeMap<String, Known>,
    /// Those to choose from: each keeps its place until its successor takes it.
    choice: Vec<String>,
    /// The one that is shown first: one of which both lanes have an answer, as soon as there is
    /// one.
    lead: Option<String>,
    /// Up to which ping the batch lane has quoted.
    quoted_until: Option<Timestamp>,
    router: Router,
}

impl TripsView {
    /// Takes a record that was sent when the wall showed `wall_ms`.
    pub(crate) fn observe(&mut self, event: &Event, wall_ms: i64) {
        if let Event::DriverLocations(ping) = event {
            if let Some(known) = ping.trip_id.as_ref().and_then(|trip| self.trips.get_mut(trip)) {
                known.touched = known.touched.max(ping.ts);
            }
        } else if let Event::Trips(trip) = event {
            match trip.kind {
                TripKind::Requested => {
                    let known = Known {
                        driver_id: trip.driver_id.clone(),
                        requested: trip.ts,
                        origin: trip.origin,
                        destination: trip.destination,
                        picked_up: false,
                        touched: trip.ts,
                        newest: None,
                        kept: Vec::new(),
                        quote: None,
                        ended: None,
                        route: None,
                    };
                    self.trips.insert(trip.trip_id.clone(), known);
                }
                TripKind::PickedUp => {
                    if let Some(known) = self.trips.get_mut(&trip.trip_id) {
                        known.picked_up = true;
                        known.route = None;
                    }
                }
                TripKind::DroppedOff => {
                    if let Some(known) = self.trips.get_mut(&trip.trip_id) {
                        known.ended = Some((trip.ts, wall_ms));
                        known.touched = trip.ts;
                        // The others are not looked up any more, and the trip is held for hours.
                        let half_way = known.half_way().and_then(|moment| known.said_by(moment));
                        known.kept = half_way.into_iter().collect();
                    }
                }
                TripKind::Cancelled => {
                    self.trips.remove(&trip.trip_id);
                }
            }
        } else if let Event::EtaUpdates(update) = event {
            if let Some(known) = self.trips.get_mut(&update.trip_id) {
                let answer = Answer::of(update);
                known.touched = known.touched.max(answer.ts);
                if known.newest.is_none_or(|newest| newest.ts <= answer.ts) {
                    known.newest = Some(answer);
                }
                let due = known.kept.last().is_none_or(|last| answer.ts.since_ms(last.ts) >= KEPT_EVERY_MS);
                if due && known.ended.is_none() {
                    known.kept.push(answer);
                }
            }
        } else if let Event::EtaBatch(batched) = event {
            let (answer, from) = (&batched.answer, batched.valid_from);
            self.quoted_until = self.quoted_until.max(Some(answer.ts));
            if let Some(known) = self.trips.get_mut(&answer.trip_id) {
                // The quote is repeated for every ping, and then says no less than "any moment
                // now": the first is it.
                if known.quote.is_none_or(|quote| answer.ts < quote.ts) {
                    known.quote = Some(Quote { ts: answer.ts, from, eta: answer.eta });
                }
            }
        }
    }

    /// What both lanes say of a trip; none if it is not known.
    pub(crate) fn answers(&self, trip_id: &str) -> Option<TripAnswers> {
        let known = self.trips.get(trip_id)?;
        let stream = known.newest.map(|answer| answer.eta);
        Some(TripAnswers { ended: known.ended, stream, batch: known.quote })
    }

    /// The trips under way that the batch lane has an answer for.
    pub(crate) fn quoted_under_way(&self) -> impl Iterator<Item = &str> {
        let quoted = |known: &Known| known.ended.is_none() && known.quote.is_some();
        self.trips.iter().filter(move |(_, known)| quoted(known)).map(|(id, _)| id.as_str())
    }

    /// Trips that are under way.
    pub(crate) fn under_way(&self) -> u64 {
        self.trips.values().filter(|known| known.ended.is_none()).count() as u64
    }

    /// The newest trips of which all is known, newest first. Those that ended after the last run's
    /// period are left out even when they were quoted in it: they would be the longest alone,
    /// about which everybody is wrong.
    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        let all_known = |(id, known): (&String, &Known)| {
            let (ended, _) = known.ended.filter(|(ended, _)| Some(*ended) <= self.quoted_until)?;
            Some((ended, known.arrival(id)?))
        };
        let mut arrivals: Vec<(Timestamp, Arrival)> = self.trips.iter().filter_map(all_known).collect();
        arrivals.sort_by_key(|(ended, _)| Reverse(*ended));
        arrivals.into_iter().take(ARRIVALS).map(|(_, arrival)| arrival).collect()
    }

    /// The trips to choose from, when the city's clock shows `now` and the wall clock `wall_ms`:
    /// first the one that is `followed`, or another with two answers to compare. `place` says where
    /// a driver is.
    pub(crate) fn shown(
        &mut self,
        map: &Map,
        (now, wall_ms): (Timestamp, i64),
        followed: Option<&str>,
        place: impl Fn(&str) -> Option<(f64, f64)>,
    ) -> Vec<Trip> {
        self.trips.retain(|_, known| match known.ended {
            Some((ended, _)) => now.since_ms(ended) < PATIENCE_MS,
            None => now.since_ms(known.touched) < SILENT_MS,
        });
        self.choose(wall_ms);
        self.lead(followed);
        let mut shown = Vec::with_capacity(CHOICE);
        // Without a lead it is one that is under way: what is over and can't be compared says
        // least.
        let under_way = |id: &&String| self.trips.get(*id).is_some_and(|known| known.ended.is_none());
        let first = self.lead.as_ref().or_else(|| self.choice.iter().find(under_way));
        let others = self.choice.iter().filter(|id| first != Some(id));
        for id in first.into_iter().chain(others).take(CHOICE) {
            let known = self.trips.get_mut(id).expect("only those are chosen that are known");
            let at = place(&known.driver_id);
            if known.route.is_none() && known.ended.is_none() {
                let rider = (!known.picked_up).then_some(known.origin);
                known.route = Some(quickest_route(&mut self.router, map, at, rider, known.destination));
            }
            shown.push(trip(id, known, now, at));
        }
        shown
    }

    /// Decides which trip is first. One that has ended stays until another one is under way that
    /// both lanes have answered: between two runs there is none.
    fn lead(&mut self, followed: Option<&str>) {
        let Self { trips, lead, .. } = self;
        let under_way = |id: &String| trips.get(id).is_some_and(|known| known.ended.is_none());
        let quoted = |known: &Known| known.quote.is_some() && known.newest.is_some();
        let longest = trips
            .iter()
            .filter(|(_, known)| known.ended.is_none() && quoted(known))
            .max_by_key(|(_, known)| known.newest.map(|answer| answer.eta));
        let newest_arrival = || {
            let both = |known: &Known| known.half_way().and_then(|half| known.quoted_by(half)).is_some();
            let arrived = trips.iter().filter(|(_, known)| both(known));
            arrived.max_by_key(|(_, known)| known.ended)
        };
        *lead = followed
            .filter(|id| trips.contains_key(*id))
            .map(str::to_owned)
            .or_else(|| lead.take().filter(|id| under_way(id)))
            .or_else(|| Some(longest.or_else(newest_arrival)?.0.clone()));
    }

    /// Who has gone gives its place to the newest trip that is not yet to be chosen.
    fn choose(&mut self, wall_ms: i64) {
        let Self { trips, choice, .. } = self;
        let stays = |id: &String| {
            trips
                .get(id)
                .is_some_and(|known| known.ended.is_none_or(|(_, ended_ms)| wall_ms - ended_ms < STAYS_MS))
        };
        if choice.len() == CHOICE && choice.iter().all(stays) {
            return;
        }
        let mut new: Vec<(&Timestamp, &String)> = trips
            .iter()
            .filter(|(id, known)| known.ended.is_none() && known.newest.is_some() && !choice.contains(id))
            .map(|(id, known)| (&known.requested, id))
            .collect();
        // The newest last, to be taken from there.
        new.sort_unstable();
        for place in choice.iter_mut() {
            if !stays(place)
                && let Some((_, id)) = new.pop()
            {
                place.clone_from(id);
            }
        }
        while choice.len() < CHOICE
            && let Some((_, id)) = new.pop()
        {
            choice.push(id.clone());
        }
        choice.retain(|id| trips.contains_key(id));
    }
}

fn trip(id: &str, known: &Known, now: Timestamp, at: Option<(f64, f64)>) -> Trip {
    // What has ended is shown as it stood half-way, beside the truth.
    let half = known.half_way();
    let moment = half.unwrap_or(now);
    let answer = if half.is_some() { known.said_by(moment) } else { known.newest };
    let quote = if half.is_some() { known.quoted_by(moment) } else { known.quote };
    let destination = (known.destination.lon, known.destination.lat);
    Trip {
        trip_id: id.to_owned(),
        driver_id: known.driver_id.clone(),
        at: if half.is_some() { Some(destination) } else { at },
        destination: Some(destination),
        route: match (&known.route, at) {
            (Some(route), Some(at)) if half.is_none() => ahead(route, at),
            _ => Vec::new(),
        },
        arrived: half.is_some(),
        stream: answer.map(|answer| answer.seen_at(moment)),
        batch: quote.map(|quote| BatchEta {
            remaining_s: quote.eta.since_seconds(moment),
            age_s: moment.since_seconds(quote.from).max(0.0),
        }),
        truth_s: known.ended.map(|(ended, _)| ended.since_seconds(moment)),
    }
}

#[cfg(test)]
mod tests {
    use events::Batched;

    use super::*;

    const ORIGIN: Place = Place { lat: -29.90, lon: -71.25 };
    const DESTINATION: Place = Place { lat: -29.92, lon: -71.26 };

    fn at(minute: f64) -> Timestamp {
        Timestamp::from_ms(1_772_500_000_000 + (minute * 60_000.0) as i64)
    }

    fn event(trip_id: &str, kind: TripKind, ts: Timestamp) -> Event {
        Event::Trips(events::Trip {
            ts,
            trip_id: trip_id.into(),
            driver_id: "d1".into(),
            rider_id: None,
            kind,
            origin: ORIGIN,
            destination: DESTINATION,
        })
    }

    fn update(trip_id: &str, ts: Timestamp, eta: Timestamp) -> EtaUpdate {
        let (p10, p90) = (eta.plus_ms(-60_000), eta.plus_ms(60_000));
        EtaUpdate { ts, trip_id: trip_id.into(), driver_id: "d1".into(), eta, p10, p90, remaining_m: 900.0 }
    }

    fn batched(answer: EtaUpdate, valid_from: Timestamp) -> Event {
        Event::EtaBatch(Batched { answer, batch_id: "eta-1".into(), valid_from })
    }

    /// Twenty minutes, of which the stream says twenty-one at first and nineteen later; the job had
    /// said thirty.
    fn ride(view: &mut TripsView, id: &str) {
        view.observe(&event(id, TripKind::Requested, at(0.0)), 0);
        for minute in 0..20 {
            let eta = if minute < 8 { at(21.0) } else { at(19.0) };
            view.observe(&Event::EtaUpdates(update(id, at(f64::from(minute)), eta)), 0);
        }
    }

    #[test]
    fn what_has_ended_is_held_against_the_truth_half_way() {
        let map = Map::la_serena();
        let mut view = TripsView::default();
        ride(&mut view, "t1");
        let live = &view.shown(&map, (at(19.0), 19_000), None, |_| Some((ORIGIN.lon, ORIGIN.lat)))[0];
        assert!(!live.arrived && live.truth_s.is_none(), "the truth is not known before: {live:?}");
        assert_eq!(live.stream.map(|eta| eta.remaining_s), Some(0.0));
        assert!(live.route.len() > 10, "there is a way from here to there");
        view.observe(&event("t1", TripKind::DroppedOff, at(20.0)), 20_000);
        let ended = &view.shown(&map, (at(21.0), 21_000), None, |_| None)[0];
        assert!(ended.arrived && ended.batch.is_none(), "the run has not come yet");
        assert_eq!((ended.truth_s, ended.stream.map(|eta| eta.remaining_s)), (Some(600.0), Some(540.0)));
        assert!(view.arrivals().is_empty(), "one of the lanes is unknown");

        view.observe(&batched(update("t1", at(0.0), at(30.0)), at(-5.0)), 60_000);
        view.observe(&batched(update("t1", at(15.0), at(30.0)), at(-5.0)), 60_000);
        assert!(view.arrivals().is_empty(), "it ended after all that was quoted");
        view.observe(&batched(update("another", at(21.0), at(30.0)), at(-5.0)), 60_000);
        let known =
            Arrival { trip_id: "t1".into(), truth_s: 600.0, stream_s: Some(540.0), batch_s: Some(1_200.0) };
        assert_eq!(view.arrivals(), [known]);
    }

    #[test]
    fn a_quote_that_was_not_out_by_then_says_nothing() {
        let mut view = TripsView::default();
        ride(&mut view, "t1");
        view.observe(&event("t1", TripKind::DroppedOff, at(20.0)), 20_000);
        view.observe(&batched(update("t1", at(0.0), at(30.0)), at(12.0)), 60_000);
        view.observe(&batched(update("another", at(21.0), at(30.0)), at(12.0)), 60_000);
        assert!(view.arrivals().is_empty());
    }

    #[test]
    fn a_place_in_the_choice_is_kept_until_some_time_after_the_end() {
        let map = Map::la_serena();
        let mut view = TripsView::default();
        for number in 0..20 {
            ride(&mut view, &format!("t{number:02}"));
        }
        let ids = |view: &mut TripsView, wall_ms| {
            let shown = view.shown(&map, (at(21.0), wall_ms), None, |_| None);
            shown.into_iter().map(|trip| trip.trip_id).collect::<Vec<_>>()
        };
        let before = ids(&mut view, 0);
        assert_eq!(before.len(), CHOICE);
        view.observe(&event(&before[5], TripKind::DroppedOff, at(20.0)), 1_000);
        view.observe(&event(&before[7], TripKind::Cancelled, at(20.0)), 1_000);
        let after = ids(&mut view, 1_000 + STAYS_MS - 1);
        let same = |to: &Vec<String>| (0..CHOICE).filter(|place| to[*place] == before[*place]).count();
        assert_eq!((same(&after), after.len()), (CHOICE - 1, CHOICE), "only the cancelled one has gone");
        let later = ids(&mut view, 1_000 + STAYS_MS);
        assert_ne!(later[5], before[5]);
        assert_eq!((same(&later), later.len()), (CHOICE - 2, CHOICE));
    }

    #[test]
    fn the_first_trip_is_one_that_both_lanes_have_answered() {
        let map = Map::la_serena();
        let mut view = TripsView::default();
        for id in ["t1", "t2", "t3"] {
            ride(&mut view, id);
        }
        let first = |view: &mut TripsView, minute, followed| {
            view.shown(&map, (at(minute), 0), followed, |_| None)[0].trip_id.clone()
        };
        view.observe(&batched(update("t2", at(0.0), at(30.0)), at(8.0)), 0);
        assert_eq!(first(&mut view, 19.0, None), "t2");
        view.observe(&event("t2", TripKind::DroppedOff, at(20.0)), 0);
        assert_eq!(first(&mut view, 24.0, None), "t2", "no other can be compared");
        view.observe(&batched(update("t3", at(0.0), at(30.0)), at(8.0)), 0);
        assert_eq!(first(&mut view, 25.0, None), "t3");
        assert_eq!(first(&mut view, 25.0, Some("t1")), "t1", "unless a trip is followed");
        assert_eq!(view.shown(&map, (at(25.0), 0), None, |_| None).len(), 3, "each of them once");
    }

    /// A trip that was under way when the show began has arrived before anybody said anything about
    /// its half.
    #[test]
    fn one_that_has_arrived_without_an_answer_to_compare_is_not_the_first() {
        let map = Map::la_serena();
        let mut view = TripsView::default();
        for id in ["t1", "t2"] {
            ride(&mut view, id);
        }
        let first = |view: &mut TripsView, minute| {
            view.shown(&map, (at(minute), 0), None, |_| None)[0].trip_id.clone()
        };
        let before = first(&mut view, 3.0);
        view.observe(&event(&before, TripKind::DroppedOff, at(4.0)), 0);
        assert_ne!(first(&mut view, 5.0), before);
    }
}
