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
    trip_id: Option<String>,
}

impl DelayedTrip {
    /// Follows the trip with the largest delay, if none is followed; `wall_ms` is wall-clock time.
    pub(super) fn choose(&mut self, trips: &TripsView, wall_ms: i64) {
        let is_shown = |trip: TripAnswers| trip.ended.is_none_or(|(_, at_ms)| wall_ms - at_ms < SHOWN_MS);
        if self.trip_id.as_deref().and_then(|id| trips.answers(id)).is_some_and(is_shown) {
            return;
        }
        let delay_ms = |trip: TripAnswers| Some(trip.stream?.since_ms(trip.batch?.eta));
        let worst = trips
            .quoted_under_way()
            .filter_map(|id| Some((trips.answers(id).and_then(delay_ms)?, id)))
            .filter(|&(delay_ms, _)| delay_ms >= DELAY_MS)
            .max();
        // Who has gone stays until there is a next.
        if let Some((_, id)) = worst {
            self.trip_id = Some(id.to_owned());
        }
    }

    /// Its id.
    pub(super) fn trip_id(&self) -> Option<&str> {
        self.trip_id.as_deref()
    }

    /// The case in words.
    pub(super) fn case(&self, trips: &TripsView, clock: &CaseClock) -> FollowedCase {
        let known = self.trip_id.as_deref().and_then(|id| Some((id, trips.answers(id)?)));
        let both = known.and_then(|(id, trip)| Some((id, trip, trip.stream?, trip.batch?)));
        let Some((id, trip, stream, batch)) = both else {
            return FollowedCase { stream: "no trip is delayed yet".into(), ..FollowedCase::default() };
        };
        let hour = CaseClock::hour_and_minute;
        let minutes = |to: Timestamp| (to.since_seconds(clock.now) / 60.0).round().max(0.0);
        let (stream, batch) = match (trip.ended, trip.half_way) {
            (Some((ended, _)), Some((stream_s, batch_s))) => (
                format!("said {}, {}", hour(ended.plus_seconds(stream_s)), off(stream_s)),
                format!("said {}, {}", hour(ended.plus_seconds(batch_s)), off(batch_s)),
            ),
            (Some(_), None) => ("said nothing".to_owned(), "said nothing".to_owned()),
            (None, _) => (
                format!("arrives {}, in {:.0} min", hour(stream), minutes(stream)),
                format!("still says {}, by the roads of {}", hour(batch.eta), hour(batch.from)),
            ),
        };
        let subject = match trip.ended {
            Some((ended, _)) => format!("ride {id} arrived {}; half-way", hour(ended)),
            None => format!("ride {id}"),
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
    use super::*;

    #[test]
    fn an_answer_is_early_or_late_by_whole_minutes() {
        let said: Vec<String> = [-660.0, -29.0, 20.0, 31.0, 150.0].into_iter().map(off).collect();
        let right = "right to a minute";
        assert_eq!(said, ["11 min too early", right, right, "1 min too late", "3 min too late"]);
    }
}
