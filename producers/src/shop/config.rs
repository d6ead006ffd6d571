//! The parameters of the simulated shop.

use events::Timestamp;

/// A shop. [`Default`] is fitted to two public click logs of real ones; the module's tests measure
/// every figure.
#[derive(Clone, Debug, PartialEq)]
pub struct ShopConfig {
    /// Same seed, same events, byte for byte.
    pub seed: u64,
    /// When the doors open, in event time.
    pub start: Timestamp,
    /// How many items are for sale at any time, at least 100. A consumer needs some ten views of
    /// each item to learn its similar ones: in a larger shop a consumer that starts empty takes
    /// longer.
    pub items: usize,
    /// New visits begun per simulated hour when the day is at its busiest (about 20:00 UTC). The
    /// default makes some 18 events per simulated second then: 1,100 a second at 60 times the
    /// speed of the wall clock.
    pub sessions_per_hour: f64,
    /// New items a day, as a share of all. Each takes the place of an old
    /// one, which is not seen again.
    pub new_items_per_day: f64,
    /// Flash trends begun a day.
    pub trends_per_day: f64,
    /// Share of views that bots make.
    pub bots: f64,
    /// Share of events that are sent a second time a little later, with the same `event_id`.
    pub duplicates: f64,
    /// Share of events that arrive late, after others that happened after them.
    pub late: f64,
    /// Longest delay of a late event, in seconds.
    pub late_up_to_s: f64,
    /// Just after when somebody comes in whom a newcomer can follow: one visit more than chance
    /// brings, which the truth says nothing of, so that no bill counts it.
    pub staged: Option<Timestamp>,
}

impl Default for ShopConfig {
    fn default() -> Self {
        Self {
            seed: 7,
            start: "2026-03-03T11:00:00.000Z".parse().expect("a good instant"),
            items: 5_000,
            sessions_per_hour: 9_500.0,
            new_items_per_day: 0.01,
            trends_per_day: 12.0,
            bots: 0.02,
            duplicates: 0.002,
            late: 0.01,
            late_up_to_s: 30.0,
            staged: None,
        }
    }
}
