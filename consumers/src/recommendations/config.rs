//! Every number that the recommender could have had otherwise.

use events::{DAY_MS, HOUR_MS};

/// How the recommender learns, answers and forgets. [`Default`] is what the demo and `freshet
/// replay` run with.
///
/// # Memory
/// What is kept is bounded by four limits, whatever is read: `items` names, `sessions` past
/// sessions, `entries` items within them (twice: once as the past, once as what each shopper
/// has met), and per item one posting ring of `posting` × 4 bytes and one companion row of
/// `companions` × 8 bytes. Rings and rows grow as they fill: the benchmark prints what a shop
/// of 100,000 items and 1,000,000 clicks takes. Every ring and row of 524,288 items full would
/// be 1.9 GB, for which each item would have to be met by 500 sessions, with 200 others.
/// Shoppers of a [shared past](super::RecommendationsProcessor::share_past) are kept beside
/// that, once for all who share it.
#[derive(Clone, Debug, PartialEq)]
pub struct RecommendationsConfig {
    /// Most items known at once; beyond it the one that was met longest ago (roughly) makes room.
    /// At most 16 million.
    pub items: usize,
    /// Most sessions remembered, as neighbours and as visits.
    pub sessions: usize,
    /// Most items remembered in all those sessions together, counted once a session.
    pub entries: usize,
    /// Most items one session may meet before its pages stay empty: what it met can no longer be
    /// left out.
    pub items_per_session: usize,
    /// Most items of one session that teach; nobody compares ten thousand things.
    pub lessons_per_session: usize,
    /// Idle time after which a session is forgotten, in milliseconds of event time.
    pub session_expiry_ms: i64,
    /// Sessions kept in an item's posting ring: Serenade's m.
    pub posting: usize,
    /// Neighbours that a page is made from: Serenade's k.
    pub neighbours: usize,
    /// How many of the shopper's latest items a page is made from.
    pub recent_items: usize,
    /// Items in a companion row.
    pub companions: usize,
    /// Half-life of what a companion row has counted, in milliseconds of event time.
    pub companion_half_life_ms: i64,
    /// Half-life of a past session's say as a neighbour, in milliseconds of event time.
    pub neighbour_half_life_ms: i64,
    /// Half-life of the quick count behind "trending", in milliseconds of event time.
    pub trend_half_life_ms: i64,
    /// Half-life of the slow count that steadies it, in milliseconds of event time.
    pub popularity_half_life_ms: i64,
    /// How many events the slow count is worth against the quick one.
    pub popularity_prior: f64,
    /// How the three opinions on an item are mixed.
    pub blend: Blend,
    /// What a shopper's signs of interest are worth.
    pub interest: Interest,
}

/// How much each of the three opinions on an item counts. All three are estimates of the same
/// probability, that the item comes next, so they may be added. The weights were chosen on seven
/// artificial shops of very different making (chains, tastes, search results, whole days at once,
/// visitors who come back after days; the demo's is one of the seven).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blend {
    /// Of shoppers who met the same items.
    pub neighbours: f64,
    /// Of what comes together with the items met.
    pub companions: f64,
    /// Of what everybody looks at now.
    pub trending: f64,
}

/// What each sign of interest adds to the weight of an item of the session, which a plain view
/// makes 1.
///
/// These move what the *session* is taken to be about; counting towards everybody's model is once a
/// session, whatever the shopper did.
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
    /// For buying it; less than zero, since who has bought one seldom looks for another.
    pub purchase: f64,
}

impl Default for RecommendationsConfig {
    fn default() -> Self {
        Self {
            items: 1 << 19,
            sessions: 500_000,
            entries: 8_000_000,
            items_per_session: 10_000,
            lessons_per_session: 500,
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
    /// No sign counts: a session is what was viewed, in which order.
    pub const NONE: Self = Self { hover: 0.0, dwell: 0.0, scroll: 0.0, add_to_cart: 0.0, purchase: 0.0 };
}
