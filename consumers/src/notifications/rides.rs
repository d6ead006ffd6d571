//! Texts to riders.

use events::{EtaUpdate, Notification, NotificationKind, Timestamp, Trip, TripKind};
use processor::bounded::FifoMap;

use super::sms;

/// "Five minutes away" is said when the trip is expected to end within this, in seconds.
const SOON_S: f64 = 300.0;
/// So many trips are remembered: those under way, and those just ended, lest they are told of
/// twice.
const MOST_TRIPS: usize = 65_536;

/// Trips and what their riders have been told.
#[derive(Debug)]
pub(super) struct Rides {
    trips: FifoMap<String, Ride>,
    /// Trips that nobody can be told of, because nobody said who rides.
    pub(super) nobody: u64,
}

#[derive(Debug, Default)]
struct Ride {
    rider_id: Option<String>,
    requested: Option<Timestamp>,
    picked_up: Option<Timestamp>,
    /// Metres from where the rider got in, as first said after that.
    metres: Option<f64>,
    told_soon: bool,
    over: bool,
}

impl Default for Rides {
    fn default() -> Self {
        Self { trips: FifoMap::new(MOST_TRIPS), nobody: 0 }
    }
}

impl Rides {
    /// An ETA was given. One for a trip that is not known yet says nothing: the next will come in a
    /// second.
    pub(super) fn update(&mut self, update: &EtaUpdate) -> Option<Notification> {
        let ride = self.trips.get_mut(&update.trip_id)?;
        if ride.picked_up.is_some_and(|at| update.ts >= at) {
            ride.metres.get_or_insert(update.remaining_m);
        }
        let left_s = update.eta.since_seconds(update.ts);
        if ride.over || ride.told_soon || left_s > SOON_S {
            return None;
        }
        let rider = ride.rider_id.as_deref()?;
        ride.told_soon = true;
        let minutes = (left_s / 60.0).ceil().max(1.0);
        let plural = if minutes > 1.0 { "s" } else { "" };
        let text = format!("You arrive in about {minutes:.0} minute{plural}, at {} UTC.", clock(update.eta));
        Some(sms(update.ts, rider, NotificationKind::FiveMinutesAway, text))
    }

    /// A trip took a step.
    pub(super) fn trip(&mut self, trip: &Trip) -> Option<Notification> {
        if self.trips.get_mut(&trip.trip_id).is_none() {
            self.trips.push(trip.trip_id.clone(), Ride::default());
            self.nobody += u64::from(trip.rider_id.is_none());
        }
        let ride = self.trips.get_mut(&trip.trip_id).expect("added, if it was not there");
        if ride.over {
            return None;
        }
        if ride.rider_id.is_none() {
            ride.rider_id.clone_from(&trip.rider_id);
        }
        match trip.kind {
            TripKind::Requested => {
                ride.requested.get_or_insert(trip.ts);
            }
            TripKind::PickedUp => {
                ride.picked_up.get_or_insert(trip.ts);
            }
            TripKind::Cancelled => ride.over = true,
            TripKind::DroppedOff => {
                ride.over = true;
                let rider = ride.rider_id.as_deref()?;
                let text = receipt(ride, trip.ts);
                return Some(sms(trip.ts, rider, NotificationKind::TripReceipt, text));
            }
        }
        None
    }
}

/// What is known of the ride, and nothing that is not.
fn receipt(ride: &Ride, end: Timestamp) -> String {
    let mut text = String::from("Thank you for riding with us");
    if let Some(metres) = ride.metres {
        text += &format!(": {:.1} km", metres / 1000.0);
    }
    if let Some(start) = ride.picked_up.or(ride.requested) {
        let minutes = end.since_seconds(start).max(0.0) / 60.0;
        let joint = if ride.metres.is_some() { " in" } else { ":" };
        text += &format!("{joint} {minutes:.0} min");
    }
    text + "."
}

/// Hours and minutes.
fn clock(at: Timestamp) -> String {
    at.to_string()[11..16].to_owned()
}
