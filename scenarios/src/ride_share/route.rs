//! The way that a trip has before it, as it is drawn on the map.
//!
//! # Simplifications
//! - It is the quickest on empty roads: the driver's own is not said on any topic.

use events::Place;
use streets::{FreeFlow, Map, Router, Spot};

/// Turning round in the street takes so long, in seconds.
const U_TURN_S: f64 = 30.0;
/// Where a trip begins or ends is looked for on the streets within so many metres.
const NEAR_M: f64 = 400.0;

/// The quickest way on empty roads from where the car is, by way of its rider while it has not got
/// one.
pub(super) fn quickest_route(
    router: &mut Router,
    map: &Map,
    at: Option<(f64, f64)>,
    rider: Option<Place>,
    destination: Place,
) -> Vec<(f64, f64)> {
    let spot = |lat: f64, lon: f64| {
        let found = map.near(lat, lon, NEAR_M, 1).first().copied()?;
        Some(Spot { link: found.link, offset_m: found.offset_m })
    };
    let of = |place: Place| spot(place.lat, place.lon);
    let Some((lon, lat)) = at else { return Vec::new() };
    let mut stops = vec![spot(lat, lon)];
    stops.extend(rider.map(of));
    stops.push(of(destination));
    let costs = FreeFlow { map, u_turn_s: U_TURN_S };
    let mut line = Vec::new();
    for pair in stops.windows(2) {
        let (Some(from), Some(to)) = (pair[0], pair[1]) else { continue };
        for link in router.route(map, from, to, &costs).into_iter().flat_map(|route| route.links) {
            line.extend(map.shape(link).map(|(lat, lon)| (lon, lat)));
        }
    }
    line
}

/// What of a line lies ahead of a place: from its nearest point on.
pub(super) fn ahead(line: &[(f64, f64)], at: (f64, f64)) -> Vec<(f64, f64)> {
    let squeeze = at.1.to_radians().cos();
    let distance = |point: &(f64, f64)| ((point.0 - at.0) * squeeze).powi(2) + (point.1 - at.1).powi(2);
    let nearest = line.iter().enumerate().min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)));
    nearest.map_or_else(Vec::new, |(place, _)| line[place..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_ahead_begins_at_the_nearest_point() {
        let line = [(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)];
        assert_eq!(ahead(&line, (1.2, 0.1)), line[1..]);
        assert!(ahead(&[], (0.0, 0.0)).is_empty());
    }
}
