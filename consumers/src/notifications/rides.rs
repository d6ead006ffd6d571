//! Texts to riders.

use events::{EtaUpdate, Notification, NotificationKind, Timestamp, Trip, TripKind};
use processor::bounded::{FifoMap, fingerprint};

use super::sms;

/// "Five minutes away" is sent when the trip is expected to end within this, in seconds.
const SOON_S: f64 = 300.0;
/// How many trips are kept: those under way, and those that ended lately, so that no text is sent
/// twice.
const MAX_TRIPS: usize = 65_536;

/// The join of trips with their ETAs.
#[derive(Debug)]
pub(super) struct Rides {
    /// By the [`fingerprint`] of the trip's id.
    trips: FifoMap<u64, Ride>,
    /// Trips without a rider id: there is no recipient.
    pub(super) without_rider: u64,
}

#[derive(Debug, Default)]
struct Ride {
    rider_id: Option<Box<str>>,
    requested: Option<Timestamp>,
    picked_up: Option<Timestamp>,
    /// Metres from the pick-up to the destination, by the first ETA after the pick-up.
    metres: Option<f64>,
    soon_sent: bool,
    over: bool,
}

impl Default for Rides {
    fn default() -> Self {
        Self { trips: FifoMap::new(MAX_TRIPS), without_rider: 0 }
    }
}

impl Rides {
    /// Takes an ETA. One for an unknown trip is dropped: the next comes within a second.
    pub(super) fn update(&mut self, update: &EtaUpdate) -> Option<Notification> {
        let ride = self.trips.get_mut(&fingerprint(&update.trip_id))?;
        if ride.picked_up.is_some_and(|at| update.ts >= at) {
            ride.metres.get_or_insert(update.remaining_m);
        }
        let left_s = update.eta.since_seconds(update.ts);
        if ride.over || ride.soon_sent || left_s > SOON_S {
            return None;
        }
        let rider = ride.rider_id.as_deref()?;
        ride.soon_sent = true;
        let minutes = (left_s / 60.0).ceil().max(1.0);
        let plural = if minutes > 1.0 { "s" } else { "" };
        let text = format!("You arrive in about {minutes:.0} minute{plural}, at {} UTC.", clock(update.eta));
        Some(sms(update.ts, rider, NotificationKind::FiveMinutesAway, text))
    }

    /// Takes an event of a trip.
    pub(super) fn trip(&mut self, trip: &Trip) -> Option<Notification> {
        let id = fingerprint(&trip.trip_id);
        if !self.trips.contains_key(&id) {
            self.trips.push(id, Ride::default());
            self.without_rider += u64::from(trip.rider_id.is_none());
        }
        let ride = self.trips.get_mut(&id).expect("the trip was inserted above if it was unknown");
        if ride.over {
            return None;
        }
        if ride.rider_id.is_none() {
            ride.rider_id = trip.rider_id.as_deref().map(Box::from);
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

/// The text of a receipt, with the parts of the ride that are known.
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
