//! The shop: shoppers, their pages, and what is trending.

use serde::{Deserialize, Serialize};

/// The shop's homepage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shop {
    /// Some shoppers (at most 8), the busiest first, to choose one from.
    pub shoppers: Vec<Shopper>,
    /// The items that are trending, the most frequent first; at most 20.
    pub trending: Vec<Trending>,
    /// Sessions that are open now.
    pub sessions: Option<u64>,
}

/// One shopper, what they did, and what the page showed them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shopper {
    /// Which session.
    pub session_id: String,
    /// What they did, newest last; at most 40.
    pub trail: Vec<ShopEvent>,
    /// The page that the stream lane made after their last event.
    pub page: Page,
    /// The page of the batch lane: the answer itself is a period old.
    pub batch_page: Page,
    /// The page of a model that is a period old and a session that is live.
    pub stale_page: Page,
}

/// One page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Page {
    /// Its items, the best first; at most 20. Empty: there is no page yet.
    pub items: Vec<String>,
    /// How old it is, in milliseconds of event time.
    pub age_ms: Option<f64>,
}

/// One thing that a shopper did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShopEvent {
    /// When: event time, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// What.
    pub kind: ShopEventKind,
    /// With which item.
    pub item: Option<String>,
    /// Whether the item was on the stream lane's page when it happened.
    pub on_page: Option<bool>,
    /// Whether it was on the batch lane's.
    pub on_batch_page: Option<bool>,
}

/// What shoppers do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShopEventKind {
    /// Saw a page.
    #[default]
    View,
    /// Followed a link.
    Click,
    /// Rested the pointer on it.
    Hover,
    /// Read on.
    Scroll,
    /// Put it in the cart.
    AddToCart,
    /// Bought it.
    Purchase,
}

/// An item that is trending.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trending {
    /// Which.
    pub item: String,
    /// Events with it, a minute of event time.
    pub per_minute: Option<f64>,
    /// Its present rate over its usual one: 1 is usual.
    pub lift: Option<f64>,
}
