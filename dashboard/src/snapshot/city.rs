//! The ride-share business: streets, cars, and the arrival of one trip by stream, batch and truth.

use serde::{Deserialize, Serialize};

/// The streets, handed over once: they do not change while the program runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CityMap {
    /// The city's name.
    pub name: String,
    /// The attribution of the data, shown on the map.
    pub attribution: String,
    /// South-west and north-east corners of what to show, as `(longitude, latitude)` in WGS 84
    /// degrees.
    pub bounds: [(f64, f64); 2],
    /// The directed links; [`LinkSpeed::link`] is an index into it.
    pub streets: Vec<Street>,
}

/// One directed link.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Street {
    /// How important it is.
    pub class: StreetClass,
    /// Its course, as `(longitude, latitude)` in WGS 84 degrees.
    pub line: Vec<(f64, f64)>,
}

/// How important a street is; decides at which zoom it is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreetClass {
    /// Motorway, trunk, primary: always drawn.
    Arterial,
    /// Secondary, tertiary.
    Collector,
    /// Everything else: drawn close up only.
    #[default]
    Local,
}

/// The city now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct City {
    /// The links with an estimated speed. A link that is not here is unknown, not free.
    pub speeds: Vec<LinkSpeed>,
    /// The vehicles on the road.
    pub vehicles: Vec<Vehicle>,
    /// Known jams and closures: inferred from the traffic, or the truth where the bill has it.
    pub incidents: Vec<Incident>,
    /// Some trips (at most 16) to choose one from. Each keeps its place from about its beginning
    /// until some seconds after its end.
    pub trips: Vec<Trip>,
    /// The newest trips that have ended and of which it is known what both lanes had said (at most
    /// 8), newest first.
    pub arrivals: Vec<Arrival>,
    /// How many trips are under way altogether.
    pub trips_under_way: Option<u64>,
}

/// How fast a link is now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LinkSpeed {
    /// Index into [`CityMap::streets`].
    pub link: u32,
    /// Speed now over free-flow speed: 1 is free, 0.3 a jam.
    pub of_free_flow: f64,
}

/// What kind of vehicle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VehicleKind {
    /// A driver's car.
    #[default]
    Car,
    /// A delivery lorry.
    Lorry,
}

/// One vehicle, where its last ping put it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vehicle {
    /// Which.
    pub id: String,
    /// What.
    pub kind: VehicleKind,
    /// Where, as `(longitude, latitude)` in WGS 84 degrees.
    pub at: (f64, f64),
    /// Its direction, degrees clockwise from north.
    pub heading_deg: Option<f64>,
    /// The trip that it is on.
    pub trip_id: Option<String>,
}

/// A jam, a crash, a closure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Incident {
    /// Where, as `(longitude, latitude)` in WGS 84 degrees.
    pub at: (f64, f64),
    /// What, in a word or two: "jam", "crash".
    pub what: String,
    /// The remaining time, in seconds of event time.
    pub remaining_s: Option<f64>,
}

/// One trip, and when it ends according to the stream, the batch and the truth. All durations are
/// event time, counted from now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trip {
    /// Which.
    pub trip_id: String,
    /// Who drives.
    pub driver_id: String,
    /// Where the car is, as `(longitude, latitude)` in WGS 84 degrees.
    pub at: Option<(f64, f64)>,
    /// Where it is going.
    pub destination: Option<(f64, f64)>,
    /// The remaining route: the fastest on empty roads, which need not be the driver's.
    pub route: Vec<(f64, f64)>,
    /// Whether it has ended. Then the three answers are those at half of its time, so that they can
    /// be compared: the truth is not known before.
    pub arrived: bool,
    /// What the stream lane says.
    pub stream: Option<StreamEta>,
    /// What the batch lane's last answer says.
    pub batch: Option<BatchEta>,
    /// The actual time, known on arrival.
    pub truth_s: Option<f64>,
}

/// A trip that has ended, and what either lane had answered at half of its time. Seconds to go from
/// then on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Arrival {
    /// Which.
    pub trip_id: String,
    /// How long it actually took from there.
    pub truth_s: f64,
    /// The stream lane's answer.
    pub stream_s: Option<f64>,
    /// The answer of the batch lane's run before.
    pub batch_s: Option<f64>,
}

/// The stream lane's answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamEta {
    /// Seconds to go.
    pub remaining_s: f64,
    /// The early end of the band that should hold the truth four times in five.
    pub p10_s: f64,
    /// Its late end.
    pub p90_s: f64,
}

/// The batch lane's answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BatchEta {
    /// Seconds to go, if the last run was right.
    pub remaining_s: f64,
    /// The age of what it knows, in seconds of event time.
    pub age_s: f64,
}
