//! What the batch lane's delay has cost: one line for each thing that a business counts.
//!
//! The lines come from outside: a business names what it counts, and in which unit. Here they are
//! only put on the screen and into JSON.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What each lane's delay has cost since the start, in each business's own unit, in the order in
/// which to show it.
///
/// In JSON it is an object, each line under its key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bill {
    /// Its lines.
    pub items: Vec<BillItem>,
}

/// One line of the bill.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BillItem {
    /// What it is called in JSON: `money_cents`.
    #[serde(skip)]
    pub key: String,
    /// What is counted, in words: "ETA error, minutes".
    pub name: String,
    /// The same in at most 14 cells: "ETA error, min".
    pub short_name: String,
    /// In what.
    pub unit: Unit,
    /// How the first lines of the screen name it; `None`: they leave it out.
    pub headline: Option<Headline>,
    /// What the stream lane's answers cost.
    pub stream: Option<f64>,
    /// What the batch lane's cost.
    pub batch: Option<f64>,
    /// What the delay has cost in an hour of event time since the dial was moved; unknown before it
    /// was, and for a while after.
    pub cost_per_hour: Option<f64>,
    /// The 95 % confidence interval of [`BillItem::delay_cost`]; unknown while there are too few
    /// cases.
    #[serde(rename = "likely")]
    pub interval_95: Option<(f64, f64)>,
    /// What an old model with a live session costs, where a business has one.
    pub stale_model: Option<f64>,
    /// The interval of that model's cost beyond the stream lane's.
    #[serde(rename = "stale_likely")]
    pub stale_interval_95: Option<(f64, f64)>,
    /// In how many cases both were judged.
    pub cases: Option<u64>,
    /// Who did better; unknown before there is a case.
    pub verdict: Option<LaneVerdict>,
    /// Who did better, the stream lane or the old model.
    pub stale_verdict: Option<LaneVerdict>,
}

/// Who did better, as the bill judges it: here it is only put into words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum LaneVerdict {
    /// The delay cost something.
    StreamWins,
    /// The delay saved something.
    BatchWins,
    /// What the delay cost or saved is within the margin.
    AsGood {
        /// The margin, in the line's unit.
        margin: f64,
    },
    /// Too few cases to tell.
    TooFew {
        /// How many there are of those on which it hangs.
        evidence: u64,
        /// What they are: "frauds".
        of: String,
        /// About how many would tell, if that can be foreseen.
        needed: Option<u64>,
    },
}

/// How the first lines of the screen name a line of the bill, after the amount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Headline {
    /// The lower, the earlier it is said, and the later it gives way on a narrow screen. The line
    /// keeps its place whatever it costs.
    pub rank: u8,
    /// The words: "wrong texts"; empty for money, which needs none.
    pub words: String,
    /// The same where there is little room: "texts".
    pub short: String,
}

/// In what a line of the bill is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Things, or minutes.
    #[default]
    Count,
    /// Cents.
    Cents,
}

impl Bill {
    /// The lines that the first lines of the screen name, by rank.
    pub fn headlines(&self) -> Vec<(&BillItem, &Headline)> {
        let mut all: Vec<_> =
            self.items.iter().filter_map(|item| Some((item, item.headline.as_ref()?))).collect();
        all.sort_by_key(|(_, headline)| headline.rank);
        all
    }

    /// Whether anything has been judged yet.
    pub fn is_known(&self) -> bool {
        self.items.iter().any(|item| item.stream.is_some() || item.batch.is_some() || item.cases.is_some())
    }
}

impl BillItem {
    /// What the delay has cost: batch minus stream. Negative when batch was the better one.
    pub fn delay_cost(&self) -> Option<f64> {
        Some(self.batch? - self.stream?).filter(|cost| cost.is_finite())
    }
}

impl Serialize for Bill {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.items.iter().map(|item| (&item.key, item)))
    }
}

impl<'de> Deserialize<'de> for Bill {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;

        impl<'de> Visitor<'de> for Items {
            type Value = Bill;

            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                out.write_str("an object with a line of the bill under each key")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Bill, A::Error> {
                let mut items = Vec::new();
                while let Some((key, item)) = map.next_entry::<String, BillItem>()? {
                    items.push(BillItem { key, ..item });
                }
                Ok(Bill { items })
            }
        }

        deserializer.deserialize_map(Items)
    }
}
