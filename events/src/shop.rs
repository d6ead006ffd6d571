//! The shop: what shoppers do, and the page that answers it.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::check::{Broken, id, not_negative, optional};

/// The most items on a page.
pub const PAGE_ITEMS: usize = 20;

/// What a shopper did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClickKind {
    /// An item's page was opened.
    #[default]
    View,
    /// Something on a page was clicked.
    Click,
    /// The pointer rested on an item for `dwell_ms`.
    Hover,
    /// A page was scrolled to `depth`.
    Scroll,
    /// An item went into the cart.
    AddToCart,
    /// An item was bought.
    Purchase,
}

/// `clicks`: one thing that a shopper did. Key: the session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Click {
    /// When.
    pub ts: Timestamp,
    /// Which event; logs from elsewhere may have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// In which visit.
    pub session_id: String,
    /// By whom, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shopper_id: Option<String>,
    /// What was done.
    #[serde(default)]
    pub kind: ClickKind,
    /// To which item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_id: Option<String>,
    /// How long, in milliseconds of event time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dwell_ms: Option<i64>,
    /// How far down the page, 0 (top) to 1 (bottom).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<f64>,
}

/// `recommendations`: the page for one session after one event. Key: the session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recommendations {
    /// The event time of the click that is answered.
    pub ts: Timestamp,
    /// For which visit; empty: the page for someone who has no session yet.
    pub session_id: String,
    /// The `event_id` of the click that is answered.
    pub after: Option<String>,
    /// At most [`PAGE_ITEMS`] items, best first.
    pub items: Vec<String>,
}

impl Click {
    pub(crate) fn check(&self) -> Result<(), Broken> {
        id(&self.session_id, "session_id")?;
        optional(self.depth, "depth", not_negative)
    }
}

impl Recommendations {
    pub(crate) fn check(&self) -> Result<(), Broken> {
        if self.items.len() > PAGE_ITEMS {
            return Err(Broken::new(format!(
                "items has {} entries: a page holds {PAGE_ITEMS}",
                self.items.len()
            )));
        }
        Ok(())
    }
}
