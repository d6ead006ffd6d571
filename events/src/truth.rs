//! What really happened. Only the bill reads it: a consumer that does is broken.

use serde::{Deserialize, Serialize};

use crate::{Business, Timestamp};

/// `simulation_truth`: one fact that only the simulator knows. Key: the id
/// of the thing it speaks of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum SimulationTruth {
    /// A trip has ended. Told at drop-off.
    Trip {
        /// When the rider left the car.
        ts: Timestamp,
        /// Which trip.
        id: String,
        /// Who drove.
        driver_id: String,
        /// Instants at which 0, 25, 50 and 75 % of the way were driven, from the first ping of the
        /// trip on.
        quarters: [Timestamp; 4],
        /// Metres driven from request to drop-off.
        metres: f64,
        /// Remaining seconds at each quarter that someone would have expected who knew every hidden
        /// pace, present and future, and all about every incident that had begun, but
        /// neither the noise nor what had not happened yet: the oracle. Absent when the
        /// simulator was not asked for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        oracle_s: Option<[f64; 4]>,
        /// The same of someone who foresaw incidents, too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        foresight_s: Option<[f64; 4]>,
        /// Whether an incident touched its way.
        incident: bool,
    },
    /// A vehicle has driven a directed link. Told when it leaves it.
    Link {
        /// When the vehicle left the link.
        ts: Timestamp,
        /// Which driver or lorry.
        id: String,
        /// Which directed link of the map.
        link_id: String,
        /// When it came onto the link.
        entered: Timestamp,
    },
    /// Something slows a corridor. Told when it begins.
    Incident {
        /// When it begins.
        ts: Timestamp,
        /// Which incident.
        id: String,
        /// The directed links it slows.
        link_ids: Vec<String>,
        /// When it is over.
        until: Timestamp,
        /// What the pace is multiplied by at its worst.
        slowdown: f64,
        /// In words: "crash on Avenida Balmaceda".
        text: String,
    },
    /// What a swipe was. Told with the swipe.
    Swipe {
        /// When the card was presented.
        ts: Timestamp,
        /// Which swipe.
        id: String,
        /// Whose card.
        card_id: String,
        /// The amount in cents.
        amount_cents: i64,
        /// The kind of fraud; none for an honest swipe.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pattern: Option<String>,
    },
    /// Why an item was viewed. Told with the view.
    Intent {
        /// When.
        ts: Timestamp,
        /// Which event of `clicks`.
        id: String,
        /// In which visit.
        session_id: String,
        /// The item.
        item_id: String,
        /// Whether it was in the middle of a flash trend.
        trending: bool,
        /// Whether the shopper is a bot.
        bot: bool,
    },
    /// The true price of a pair: the middle between bid and offer. Published at regular times.
    Price {
        /// When.
        ts: Timestamp,
        /// Which pair.
        id: String,
        /// The price of one unit, in 1e-8.
        mid_e8: i64,
    },
}

impl SimulationTruth {
    /// When it became true.
    pub fn ts(&self) -> Timestamp {
        match self {
            Self::Trip { ts, .. }
            | Self::Link { ts, .. }
            | Self::Incident { ts, .. }
            | Self::Swipe { ts, .. }
            | Self::Intent { ts, .. }
            | Self::Price { ts, .. } => *ts,
        }
    }

    /// Whose truth it is.
    pub fn business(&self) -> Business {
        match self {
            Self::Trip { .. } | Self::Link { .. } | Self::Incident { .. } => Business::RideShare,
            Self::Swipe { .. } => Business::Payments,
            Self::Intent { .. } => Business::Shop,
            Self::Price { .. } => Business::Markets,
        }
    }

    /// The id of the thing it speaks of.
    pub fn id(&self) -> &str {
        match self {
            Self::Trip { id, .. }
            | Self::Link { id, .. }
            | Self::Incident { id, .. }
            | Self::Swipe { id, .. }
            | Self::Intent { id, .. }
            | Self::Price { id, .. } => id,
        }
    }
}
