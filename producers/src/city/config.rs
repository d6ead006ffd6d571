//! The parameters of the city.

use std::sync::Arc;

use events::Timestamp;
use streets::Map;

/// The parameters of a city, with usable values in [`CityConfig::default`].
#[derive(Clone, Debug)]
pub struct CityConfig {
    /// The seed of everything random. Same seed, same events, byte for byte.
    pub seed: u64,
    /// The simulated instant at which it begins.
    pub start: Timestamp,
    /// How many drivers carry riders.
    pub drivers: u32,
    /// How many lorries make rounds.
    pub lorries: u32,
    /// Seconds between two positions of a lorry; drivers send theirs every second.
    pub lorry_ping_s: u32,
    /// The streets.
    pub map: Arc<Map>,
    /// Hours that local time is ahead of UTC; the rush hours follow it.
    pub utc_offset_h: f64,
    /// How many trips there are to do: 1 is a usual day, 2 halves the time
    /// that drivers wait for riders.
    pub demand: f64,
    /// Crashes and closures that begin in an hour of the day (at night a third of it), and a
    /// football match every other evening; 0 for none of it.
    pub incidents_per_hour: f64,
    /// Stretches of the main roads on which no position is received.
    pub tunnels: u32,
    /// The error of receivers.
    pub gps: Gps,
    /// How positions travel to the broker.
    pub delivery: Delivery,
    /// Whether the truth about a trip includes the oracle's forecasts.
    pub oracle: bool,
    /// Just after when there is a crash on the way of a trip that a newcomer can follow: one more
    /// than chance brings.
    pub staged: Option<Timestamp>,
}

/// The error of a receiver. Errors of one receiver are alike from one second to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gps {
    /// Half of all positions are off by less, in metres. With the default spread 95 % are within
    /// five times as much and 1 % beyond eleven times.
    pub median_m: f64,
    /// How much worse bad reception is than good: the standard deviation of
    /// the logarithm of its scale.
    pub spread: f64,
    /// Seconds after which a third of an error is left.
    pub memory_s: f64,
    /// Error of the speed in m/s (standard deviation).
    pub speed_mps: f64,
}

/// What the network does to positions. Shares are of all positions, 0 to 1; trips are always
/// delivered at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Delivery {
    /// Delivered 1 to 5 s late, so that others of the same car come before it.
    pub reordered: f64,
    /// Delivered much later: a minute in the mean, at most ten.
    pub late: f64,
    /// Delivered once more, up to 5 s after the first time.
    pub duplicated: f64,
}

impl Default for CityConfig {
    /// La Serena with 142 drivers and 12 lorries, from 8 in the morning of a Tuesday in autumn.
    fn default() -> CityConfig {
        CityConfig {
            seed: 7,
            // 2026-03-03T11:00:00Z
            start: Timestamp::from_ms(1_772_535_600_000),
            drivers: 142,
            lorries: 12,
            lorry_ping_s: 5,
            map: Arc::new(Map::la_serena()),
            utc_offset_h: -3.0,
            demand: 1.0,
            incidents_per_hour: 12.0,
            tunnels: 4,
            gps: Gps::default(),
            delivery: Delivery::default(),
            oracle: true,
            staged: None,
        }
    }
}

impl Default for Gps {
    fn default() -> Gps {
        Gps { median_m: 4.0, spread: 0.85, memory_s: 20.0, speed_mps: 0.3 }
    }
}

impl Default for Delivery {
    fn default() -> Delivery {
        Delivery { reordered: 0.005, late: 0.0005, duplicated: 0.002 }
    }
}

impl Delivery {
    /// A network that delivers everything once, at once.
    pub const PERFECT: Delivery = Delivery { reordered: 0.0, late: 0.0, duplicated: 0.0 };
}
