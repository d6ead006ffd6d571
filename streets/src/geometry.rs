//! Distances and directions on the ground.
//!
//! Over the few kilometres that matter here the Earth is a plane to within a few centimetres,
//! provided that the plane is laid where one stands: a degree of longitude is shorter by the cosine
//! of the latitude (the equirectangular projection).

/// Mean radius of the Earth in metres (IUGG).
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// Metres in a degree of latitude, anywhere.
pub(crate) const METRES_PER_DEGREE: f64 = EARTH_RADIUS_M * std::f64::consts::PI / 180.0;

/// Metres in a degree of longitude at this latitude; never quite zero, so that one can divide by it
/// at the poles.
pub(crate) fn metres_per_degree_lon(lat: f64) -> f64 {
    METRES_PER_DEGREE * lat.to_radians().cos().max(1e-6)
}

/// A point of the map in millionths of a degree: what is stored, and what a
/// text with six decimals says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Point {
    pub(crate) lat_e6: i32,
    pub(crate) lon_e6: i32,
}

impl Point {
    /// The nearest representable point, or none when the coordinates are not on the Earth.
    pub(crate) fn new(lat: f64, lon: f64) -> Option<Point> {
        let on_earth = (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon);
        on_earth.then(|| Point { lat_e6: (lat * 1e6).round() as i32, lon_e6: (lon * 1e6).round() as i32 })
    }

    // Divided, not multiplied by 1e-6: the quotient is the double nearest to the six decimals.
    pub(crate) fn lat(self) -> f64 {
        f64::from(self.lat_e6) / 1e6
    }

    pub(crate) fn lon(self) -> f64 {
        f64::from(self.lon_e6) / 1e6
    }

    pub(crate) fn distance_m(self, to: Point) -> f64 {
        distance_m(self.lat(), self.lon(), to.lat(), to.lon())
    }

    pub(crate) fn bearing_deg(self, to: Point) -> f64 {
        bearing_deg(self.lat(), self.lon(), to.lat(), to.lon())
    }
}

/// Metres between two points in degrees, on a plane laid at their mean latitude: right to a
/// millimetre within a city, to a thousandth within a hundred kilometres.
pub fn distance_m(lat: f64, lon: f64, to_lat: f64, to_lon: f64) -> f64 {
    let east = (to_lon - lon) * metres_per_degree_lon(f64::midpoint(lat, to_lat));
    let north = (to_lat - lat) * METRES_PER_DEGREE;
    east.hypot(north)
}

/// Direction from the first point to the second in degrees clockwise from north, 0 up to but not
/// 360; 0 if they are one.
pub fn bearing_deg(lat: f64, lon: f64, to_lat: f64, to_lon: f64) -> f64 {
    let east = (to_lon - lon) * metres_per_degree_lon(f64::midpoint(lat, to_lat));
    let north = (to_lat - lat) * METRES_PER_DEGREE;
    in_circle(east.atan2(north).to_degrees())
}

/// The same direction within 0 up to but not 360 degrees.
pub(crate) fn in_circle(degrees: f64) -> f64 {
    let turned = degrees.rem_euclid(360.0);
    // A tiny negative number is rounded up to 360 itself.
    if turned < 360.0 { turned } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_agree_with_the_sphere() {
        // Great-circle distance of Coquimbo's harbour and La Serena's square by the haversine
        // formula: 11,213.6 m.
        let haversine = |lat: f64, lon: f64, to_lat: f64, to_lon: f64| {
            let (a, b) = (lat.to_radians(), to_lat.to_radians());
            let h = ((b - a) / 2.0).sin().powi(2)
                + a.cos() * b.cos() * ((to_lon - lon).to_radians() / 2.0).sin().powi(2);
            2.0 * EARTH_RADIUS_M * h.sqrt().asin()
        };
        for (lat, lon, to_lat, to_lon) in
            [(-29.9533, -71.3395, -29.9027, -71.2519), (52.52, 13.405, 52.5, 13.3), (0.0, 0.0, 0.01, 0.01)]
        {
            let (plane, sphere) = (distance_m(lat, lon, to_lat, to_lon), haversine(lat, lon, to_lat, to_lon));
            assert!((plane - sphere).abs() < 1e-5 * sphere, "{plane} {sphere}");
        }
    }

    #[test]
    fn bearings_run_clockwise_from_north() {
        let from = (-30.0, -71.0);
        for (to, bearing) in
            [((-29.9, -71.0), 0.0), ((-30.0, -70.9), 90.0), ((-30.1, -71.0), 180.0), ((-30.0, -71.1), 270.0)]
        {
            assert!((bearing_deg(from.0, from.1, to.0, to.1) - bearing).abs() < 1e-9);
        }
        for whole in [-1e-300, 720.0, -360.0] {
            assert!(in_circle(whole).abs() < f64::MIN_POSITIVE, "{whole}");
        }
    }
}
