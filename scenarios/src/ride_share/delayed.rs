//! One trip that takes longer than anyone thought, followed in both lanes: a person remembers a
//! case, not a mean.
//!
//! It is found from the answers alone: of the trips that the batch lane has an answer for, the one
//! that the stream by now expects latest beside it.

use dashboard::FollowedCase;
use events::Timestamp;

use super::trips::{TripAnswers, TripsView};
use crate::view::CaseClock;

/// A trip is worth following when the stream expects it so much later than the batch lane, in
/// milliseconds of event time.
const DELAY_MS: i64 = 2 * 60_000;
/// A trip that has ended is shown for so long, in milliseconds of wall-clock time, before the next
/// takes its place.
const SHOWN_MS: i64 = 20_000;

/// Which trip is followed.
#[derive(Debug, Default)]
pub(super) struct DelayedTrip {
    followed: Option<Followed>,
}

/// A trip, and what both lanes said of its end when the delay was seen.
#[derive(Debug)]
struct Followed {
    trip_id: String,
    at: Timestamp,
    stream: Timestamp,
    batch: Timestamp,
}

impl DelayedTrip {
    /// Follows the trip with the largest delay, if none is followed, when event time is `now` and
    /// wall-clock time `wall_ms`. One that has gone stays until there is a next.
    pub(super) fn choose(&mut self, trips: &TripsView, now: Timestamp, wall_ms: i64) {
        let is_shown = |trip: TripAnswers| trip.ended.is_none_or(|(_, at_ms)| wall_ms - at_ms < SHOWN_MS);
        if self.trip_id().and_then(|id| trips.answers(id)).is_some_and(is_shown) {
            return;
        }
        let both = |id: &str| {
            let trip = trips.answers(id)?;
            let trip_id = id.to_owned();
            Some(Followed { trip_id, at: now, stream: trip.stream?, batch: trip.batch?.eta })
        };
        let delay_ms = |trip: &Followed| trip.stream.since_ms(trip.batch);
        let worst = trips.quoted_under_way().filter_map(both).max_by_key(delay_ms);
        if let Some(worst) = worst.filter(|worst| delay_ms(worst) >= DELAY_MS) {
            self.followed = Some(worst);
        }
    }

    /// Its id.
    pub(super) fn trip_id(&self) -> Option<&str> {
        self.followed.as_ref().map(|followed| followed.trip_id.as_str())
    }

    /// The case in words.
    pub(super) fn case(&self, trips: &TripsView, clock: &CaseClock) -> FollowedCase {
        let known = self.followed.as_ref().and_then(|followed| {
            let trip = trips.answers(&followed.trip_id)?;
            Some((followed, trip.ended, trip.stream?, trip.batch?))
        });
        let Some((followed, ended, stream, batch)) = known else {
            let stream = vec!["no trip is delayed yet".to_owned()];
            return FollowedCase { stream, ..FollowedCase::default() };
        };
        let hour = CaseClock::hour_and_minute;
        let id = &followed.trip_id;
        let (subject, stream, batch) = if let Some((ended, _)) = ended {
            let said = |eta: Timestamp| {
                let at = format!("said {} at {}", hour(eta), hour(followed.at));
                vec![off(eta.since_seconds(ended)), at]
            };
            let subject = format!("ride {id} arrived {}", hour(ended));
            (subject, said(followed.stream), said(followed.batch))
        } else {
            let minutes = (stream.since_seconds(clock.now) / 60.0).round().max(0.0);
            // Before its first run the job knows the map and no traffic.
            let by = if batch.from < clock.start {
                "by the map alone".to_owned()
            } else {
                format!("by the roads of {}", hour(batch.from))
            };
            let stream = vec![format!("arrives {}", hour(stream)), format!("in {minutes:.0} min")];
            (format!("ride {id}"), stream, vec![format!("still says {}", hour(batch.eta)), by])
        };
        FollowedCase { subject, stream, batch, ..FollowedCase::default() }
    }
}

/// By how much an answer was wrong, in seconds: `11 min too early`.
fn off(seconds: f64) -> String {
    let minutes = (seconds.abs() / 60.0).round();
    match minutes {
        ..1.0 => "right to a minute".to_owned(),
        _ if seconds < 0.0 => format!("{minutes:.0} min too early"),
        _ => format!("{minutes:.0} min too late"),
    }
}

#[cfg(test)]
mod tests {
    use events::{Batched, EtaUpdate, Event, Place, Trip, TripKind};

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_ms(1_772_535_600_000 + minute * 60_000)
    }

    fn words(parts: [&str; 2]) -> Vec<String> {
        parts.map(str::to_owned).to_vec()
    }

    fn trip(kind: TripKind, minute: i64) -> Event {
        let place = Place { lat: -29.9, lon: -71.25 };
        let (trip_id, driver_id) = ("t1".to_owned(), "d1".to_owned());
        let (ts, origin, destination) = (at(minute), place, place);
        Event::Trips(Trip { ts, trip_id, driver_id, rider_id: None, kind, origin, destination })
    }

    fn answer(minute: i64, eta: i64) -> EtaUpdate {
        let (trip_id, driver_id) = ("t1".to_owned(), "d1".to_owned());
        let eta = at(eta);
        EtaUpdate { ts: at(minute), trip_id, driver_id, eta, p10: eta, p90: eta, remaining_m: 900.0 }
    }

    #[test]
    fn a_delayed_trip_is_told_as_both_lanes_saw_it_when_the_delay_was_seen() {
        let (mut trips, mut delayed) = (TripsView::default(), DelayedTrip::default());
        let period_ms = Some(events::HOUR_MS);
        let clock = |now, start| CaseClock { start: at(start), now: at(now), period_ms, is_running: false };
        trips.observe(&trip(TripKind::Requested, 0), 0);
        trips.observe(&Event::EtaUpdates(answer(1, 9)), 1_000);
        delayed.choose(&trips, at(2), 2_000);
        assert_eq!(delayed.case(&trips, &clock(2, 0)).subject, "", "the batch lane has said nothing");
        let batch = Batched { answer: answer(1, 8), batch_id: "eta-1".into(), valid_from: at(0) };
        trips.observe(&Event::EtaBatch(batch), 3_000);
        delayed.choose(&trips, at(3), 3_000);
        assert_eq!(delayed.case(&trips, &clock(3, 0)).subject, "", "a minute is no delay");
        trips.observe(&Event::EtaUpdates(answer(4, 15)), 4_000);
        delayed.choose(&trips, at(4), 4_000);
        trips.observe(&Event::EtaUpdates(answer(6, 17)), 6_000);
        delayed.choose(&trips, at(6), 6_000);
        let case = delayed.case(&trips, &clock(6, 0));
        assert_eq!((case.subject.as_str(), case.stream), ("ride t1", words(["arrives 11:17", "in 11 min"])));
        assert_eq!(case.batch, words(["still says 11:08", "by the roads of 11:00"]));
        let case = delayed.case(&trips, &clock(6, 3));
        assert_eq!(case.batch, words(["still says 11:08", "by the map alone"]));

        trips.observe(&trip(TripKind::DroppedOff, 18), 18_000);
        let case = delayed.case(&trips, &clock(19, 0));
        assert_eq!(case.subject, "ride t1 arrived 11:18");
        assert_eq!(case.stream, words(["3 min too early", "said 11:15 at 11:04"]));
        assert_eq!(case.batch, words(["10 min too early", "said 11:08 at 11:04"]));
    }

    #[test]
    fn an_answer_is_early_or_late_by_whole_minutes() {
        let said: Vec<String> = [-660.0, -29.0, 20.0, 31.0, 150.0].into_iter().map(off).collect();
        let right = "right to a minute";
        assert_eq!(said, ["11 min too early", right, right, "1 min too late", "3 min too late"]);
    }
}
