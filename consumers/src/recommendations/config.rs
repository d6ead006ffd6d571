//! The parameters of the recommender.

use events::{DAY_MS, HOUR_MS};

/// The parameters of the recommender. [`Default`] is what the demo and `freshet replay` run with.
///
/// # Memory
/// The state is bounded by four limits, whatever is read: `items` names, `sessions` sessions,
/// `entries` items within them (twice: once in the index, once in the live sessions), and per item
/// one posting ring of `posting` × 4 bytes and one companion row of at most `companions` × 8 bytes.
/// Rings and rows grow as they fill: the benchmark prints what a shop of 100,000 items and
/// 1,000,000 clicks takes. Every ring and row of 524,288 items full would be 1.9 GB,
/// for which each item would have to be met by 500 sessions, with 200 others.
/// Sessions of a [shared history](super::RecommendationsProcessor::share_history) are kept beside
/// that, once for all clones.
#[derive(Clone, Debug, PartialEq)]
pub struct RecommendationsConfig {
    /// The most items known at once, at most 16 million. Then one that was not used for long is
    /// evicted.
    pub items: usize,
    /// The most sessions that are kept, in the index and as live sessions.
    pub sessions: usize,
    /// The most items of all those sessions together, counted once a session.
    pub entries: usize,
    /// The most items of one session. After that its pages are empty, for an item that it has met
    /// could no longer be excluded.
    pub items_per_session: usize,
    /// The most items of one session that the model learns from.
    pub training_examples_per_session: usize,
    /// Idle time after which a session expires, in milliseconds of event time.
    pub session_expiry_ms: i64,
    /// Sessions kept in an item's posting ring: Serenade's m.
    pub posting: usize,
    /// Neighbours that a page is made from: Serenade's k.
    pub neighbours: usize,
    /// How many of the shopper's latest items a page is made from.
    pub recent_items: usize,
    /// Items in a companion row.
    pub companions: usize,
    /// Half-life of the counts of a companion row, in milliseconds of event time.
    pub companion_half_life_ms: i64,
    /// Half-life of a session's weight as a neighbour, in milliseconds of event time.
    pub neighbour_half_life_ms: i64,
    /// Half-life of the quick count behind "trending", in milliseconds of event time.
    pub trend_half_life_ms: i64,
    /// Half-life of the slow count that steadies it, in milliseconds of event time.
    pub popularity_half_life_ms: i64,
    /// The weight of the slow count against the quick one, in events.
    pub popularity_prior: f64,
    /// The weights of the three estimates.
    pub blend: Blend,
    /// What each kind of event adds to the interest in an item.
    pub interest: Interest,
}

/// The weights of the three estimates. All three estimate the same probability, that the item comes
/// next, so they can be added. The weights were chosen on seven simulated shops of different kinds
/// (chains, tastes, search results, whole days at once, visitors who come back after days; the
/// demo's is one of the seven).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blend {
    /// Of shoppers who met the same items.
    pub neighbours: f64,
    /// Of what comes together with the items met.
    pub companions: f64,
    /// Of what all sessions look at now.
    pub trending: f64,
}

/// What each kind of event adds to a session's interest in an item, which is 1 after a plain view.
///
/// It changes the weight of the item in this *session*; the model counts an item once a session,
/// whatever the shopper did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interest {
    /// For each hover.
    pub hover: f64,
    /// For a minute of dwelling (hover or view), in proportion up to that.
    pub dwell: f64,
    /// For scrolling to the bottom, in proportion to the depth.
    pub scroll: f64,
    /// For putting it into the cart.
    pub add_to_cart: f64,
    /// For buying it; less than zero, since a shopper who has bought one seldom looks for another.
    pub purchase: f64,
}

impl Default for RecommendationsConfig {
    fn default() -> Self {
        Self {
            items: 1 << 19,
            sessions: 500_000,
            entries: 8_000_000,
            items_per_session: 10_000,
            training_examples_per_session: 500,
            session_expiry_ms: 30 * DAY_MS,
            posting: 500,
            neighbours: 100,
            recent_items: 10,
            companions: 200,
            companion_half_life_ms: 14 * DAY_MS,
            neighbour_half_life_ms: 14 * DAY_MS,
            trend_half_life_ms: HOUR_MS,
            popularity_half_life_ms: DAY_MS,
            popularity_prior: 2_000.0,
            blend: Blend { neighbours: 1.0, companions: 2.0, trending: 0.3 },
            interest: Interest { hover: 0.25, dwell: 1.0, scroll: 0.25, add_to_cart: 1.0, purchase: -1.5 },
        }
    }
}

impl Interest {
    /// Nothing is added: a session is its items in order.
    pub const NONE: Self = Self { hover: 0.0, dwell: 0.0, scroll: 0.0, add_to_cart: 0.0, purchase: 0.0 };
}
