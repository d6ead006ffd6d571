//! The street map: a public fact, used alike by the simulated city and by those who try to
//! understand its traffic.
//!
//! A map is a graph. Its **junctions** are where streets meet; its **links** are the stretches
//! between two junctions, one for each direction in which one may drive. Everything that is known
//! of a street is an attribute of its links; what is *not* known (most speeds, in OpenStreetMap)
//! stays unknown here, and code that needs a value takes a documented default
//! ([`Map::free_flow_mps`]) and learns better from traffic.
//!
//! Four questions are asked of a map, and each has a file:
//! - *What is around this position?* [`Map::near`], by an R-tree over the pieces of all streets.
//! - *Where is the point so many metres along this link?* [`Map::place_at`].
//! - *What is the best way from here to there?* [`Router`], exact, with [`dijkstra`] as the plain
//!   text to check it against.
//! - *What can be reached within so many metres?* [`DistanceSearch`], the question that map
//!   matching asks once a ping.
//!
//! Maps come from a pair of CSV files ([`Map::from_csv`]), from an OpenStreetMap extract
//! ([`Map::from_osm_pbf`]), or from the compact file that [`Map::write`] makes and [`Map::read`]
//! checks; [`Map::la_serena`] is in the program.
//!
//! # Simplifications
//! - Turn restrictions, barriers, tolls, ferries and opening hours are not read.
//! - A street has one speed limit, the same in both directions and along its whole length.
//! - Coordinates are kept to a millionth of a degree (11 cm), lengths to a decimetre.
//! - Distances are measured on a plane around the place in question; a query across the 180th
//!   meridian finds one side only.

mod builder;
mod class;
mod compact;
mod csv;
mod geometry;
mod map;
mod near;
mod osm;
mod route;

pub use class::RoadClass;
pub use compact::CompactError;
pub use csv::CsvError;
pub use geometry::{bearing_deg, distance_m};
pub use map::{Bounds, Link, LinkId, Map, NodeId, Position, Spot};
pub use near::Candidate;
pub use osm::OsmError;
pub use route::{Costs, DistanceSearch, FreeFlow, Route, RouteEnd, Router, dijkstra};
