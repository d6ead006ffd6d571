//! The ride-share business: positions, trips, and what is learnt from them.

use serde::{Deserialize, Deserializer, Serialize};

use crate::Timestamp;
use crate::check::{Broken, coordinates, id, not_negative};

/// A point on the Earth, WGS 84 degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Degrees north of the equator, −90 to 90.
    pub lat: f64,
    /// Degrees east of Greenwich, −180 to 180.
    pub lon: f64,
}

/// `driver_locations`: where a driver's phone says the car is, once a second. Key: the driver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriverLocation {
    /// When the position was measured.
    pub ts: Timestamp,
    /// Whose car.
    pub driver_id: String,
    /// The trip under way, from the moment it is requested; none while the driver waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trip_id: Option<String>,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Speed over ground in m/s, as the receiver measured it. Less than zero is how phones say that
    /// they don't know.
    #[serde(default, deserialize_with = "known", skip_serializing_if = "Option::is_none")]
    pub speed_mps: Option<f64>,
    /// Direction of travel in degrees clockwise from north, 0 to 360. Less than zero is how phones
    /// say that they don't know.
    #[serde(default, deserialize_with = "known", skip_serializing_if = "Option::is_none")]
    pub heading_deg: Option<f64>,
}

/// `truck_gps_coordinates`: where a delivery lorry is. Key: the lorry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TruckLocation {
    /// When the position was measured.
    pub ts: Timestamp,
    /// Which lorry.
    pub truck_id: String,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Speed over ground in m/s. Less than zero is how phones say that they don't know.
    #[serde(default, deserialize_with = "known", skip_serializing_if = "Option::is_none")]
    pub speed_mps: Option<f64>,
    /// Direction of travel in degrees clockwise from north, 0 to 360. Less than zero is how phones
    /// say that they don't know.
    #[serde(default, deserialize_with = "known", skip_serializing_if = "Option::is_none")]
    pub heading_deg: Option<f64>,
}

/// What happened to a trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TripKind {
    /// A rider asked, and this driver was assigned.
    Requested,
    /// The rider is in the car.
    PickedUp,
    /// The rider has left the car: the trip's end.
    DroppedOff,
    /// The trip ended without a ride.
    Cancelled,
}

/// `trips`: the life of a trip, one event a step. Key: the driver, so that it is
/// ordered with the positions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trip {
    /// When it happened.
    pub ts: Timestamp,
    /// Which trip.
    pub trip_id: String,
    /// Who drives.
    pub driver_id: String,
    /// Who rides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rider_id: Option<String>,
    /// What happened.
    pub kind: TripKind,
    /// Where the rider is picked up.
    pub origin: Place,
    /// Where the rider wants to go.
    pub destination: Place,
}

/// `road_traversals`: one vehicle drove one directed link from end to end. Key: the link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoadTraversal {
    /// When the vehicle left the link.
    pub ts: Timestamp,
    /// Which directed link of the map.
    pub link_id: String,
    /// Which driver or lorry.
    pub vehicle_id: String,
    /// Time on the link in seconds.
    pub seconds: f64,
    /// Length driven in metres.
    pub metres: f64,
}

/// `traffic` (compacted): the estimated speed on one directed link now. Key: the link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// The newest traversal in it.
    pub ts: Timestamp,
    /// Which directed link of the map.
    pub link_id: String,
    /// The estimated speed in m/s.
    pub speed_mps: f64,
    /// The speed of the empty road in m/s.
    pub free_flow_mps: f64,
    /// How many traversals it rests on, old ones counting less.
    pub samples: f64,
}

/// `eta_updates`: when this trip will end, as known from the ping at `ts`. Key: the trip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EtaUpdate {
    /// The event time of the ping that is answered.
    pub ts: Timestamp,
    /// Which trip.
    pub trip_id: String,
    /// Who drives.
    pub driver_id: String,
    /// The instant of drop-off, kerb time included.
    pub eta: Timestamp,
    /// One trip in ten is over before this instant.
    pub p10: Timestamp,
    /// Nine trips in ten are over before this instant.
    pub p90: Timestamp,
    /// Metres of road still to drive.
    pub remaining_m: f64,
}

/// A measurement that may be missing. Receivers without one say −1 (as Core Location and several
/// trackers do); the position beside it is as good as any.
fn known<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
    Ok(Option::<f64>::deserialize(from)?.filter(|value| *value >= 0.0))
}

impl DriverLocation {
    pub(crate) fn check(&self) -> Result<(), Broken> {
        id(&self.driver_id, "driver_id")?;
        coordinates(self.lat, self.lon)
    }
}

impl TruckLocation {
    pub(crate) fn check(&self) -> Result<(), Broken> {
        id(&self.truck_id, "truck_id")?;
        coordinates(self.lat, self.lon)
    }
}

impl Trip {
    pub(crate) fn check(&self) -> Result<(), Broken> {
        id(&self.trip_id, "trip_id")?;
        id(&self.driver_id, "driver_id")?;
        coordinates(self.origin.lat, self.origin.lon)?;
        coordinates(self.destination.lat, self.destination.lon)
    }
}

impl RoadTraversal {
    pub(crate) fn check(&self) -> Result<(), Broken> {
        id(&self.link_id, "link_id")?;
        not_negative(self.seconds, "seconds")?;
        not_negative(self.metres, "metres")
    }
}

impl Traffic {
    pub(crate) fn check(&self) -> Result<(), Broken> {
        id(&self.link_id, "link_id")?;
        not_negative(self.speed_mps, "speed_mps")?;
        not_negative(self.free_flow_mps, "free_flow_mps")?;
        not_negative(self.samples, "samples")
    }
}

impl EtaUpdate {
    pub(crate) fn check(&self) -> Result<(), Broken> {
        id(&self.trip_id, "trip_id")?;
        not_negative(self.remaining_m, "remaining_m")
    }
}

#[cfg(test)]
mod tests {
    use crate::{Event, Topic};

    fn ping(rest: &str) -> Event {
        let json =
            format!(r#"{{"ts":"2026-03-03T10:45:00.000Z","driver_id":"d1","lat":-29.9,"lon":-71.25{rest}}}"#);
        Event::parse(Topic::DriverLocations, json.as_bytes()).expect("a ping")
    }

    #[test]
    fn a_receiver_without_speed_or_heading_still_has_a_position() {
        let bare = ping("");
        for unknown in
            [r#","speed_mps":null"#, r#","speed_mps":-1,"heading_deg":-1.0"#, r#","heading_deg":null"#]
        {
            assert_eq!(ping(unknown), bare, "{unknown}");
        }
        assert_ne!(
            ping(r#","speed_mps":0,"heading_deg":0"#),
            bare,
            "standing, and north, are something to know"
        );
    }
}
