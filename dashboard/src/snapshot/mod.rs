//! What the dashboard knows: plain values, taken 4 to 10 times a second by the program that
//! observes the cluster.
//!
//! A [`Snapshot`] is all that this crate knows. The views draw it, the JSON lines are it, the
//! summary after `q` is made from the last one, and the tests write it by hand. It is never a
//! delta: a snapshot that was missed costs nothing.
//!
//! Two rules make it honest. *Unknown is not zero*: everything that may be unknown is an `Option`,
//! and is drawn as `–`. *Stale is not absent*: each part is in a [`Sourced`], which keeps the last
//! data of a source that stopped answering and has the reason, and for how long it has been silent.
//!
//! Units are part of the names. `_ms` is milliseconds; an instant is milliseconds since 1970 in
//! UTC, and the field's text has the clock: *wall-clock time* (yours) or *event time* (that of the
//! simulated world).
//!
//! # Simplifications
//! - Everything is sent whole each time. With 10,000 vehicles that is a megabyte a snapshot, inside
//!   one process.
//! - JSON has no NaN: a measurement that is not a number belongs in the snapshot as `None`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

mod bill;
mod city;
mod cluster;
mod lanes;
mod markets;
mod payments;
mod records;
mod shop;

pub use bill::{Bill, BillItem, Headline, LaneVerdict, Unit};
pub use city::{
    Arrival, BatchEta, City, CityMap, Incident, LinkSpeed, StreamEta, Street, StreetClass, Trip, Vehicle,
    VehicleKind,
};
pub use cluster::{
    Cluster, Group, GroupPartition, GroupState, Member, Notice, NoticeKind, Severity, Timeline, Topic, Trend,
    Waiting, Worker, WorkerState,
};
pub use lanes::{FinishedRun, FollowedCase, Freshness, Lanes, LedgerSums, PastBill, Readers};
pub use markets::{MarketMove, MarketOrder, MarketPair, Markets};
pub use payments::{Decision, Payments, Verdict};
pub use records::{Letter, PageStart, RecordPage, RecordQuery, RecordRow, WholeRecord};
pub use shop::{Page, Shop, ShopEvent, ShopEventKind, Shopper, Trending};

use crate::command::ControlState;

/// Everything that is known at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    /// When it was taken: wall clock, milliseconds since 1970 UTC. Two snapshots that differ in
    /// nothing else are equal to the dashboard, which then draws nothing.
    pub taken_at_ms: i64,
    /// What the first line says.
    pub title: Title,
    /// The cluster itself.
    pub cluster: Sourced<Cluster>,
    /// Every topic worth showing, in the order in which to show them.
    pub topics: Sourced<Vec<Topic>>,
    /// Every consumer group of the cluster, ours and others', in the order in which to show them.
    pub groups: Sourced<Vec<Group>>,
    /// The ride-share business.
    pub city: Sourced<City>,
    /// The payments business.
    pub payments: Sourced<Payments>,
    /// The shop.
    pub shop: Sourced<Shop>,
    /// The markets.
    pub markets: Sourced<Markets>,
    /// Both lanes beside each other, and what the batch lane's delay has cost.
    pub lanes: Sourced<Lanes>,
    /// The worker processes that we supervise; empty when attached to a foreign cluster.
    pub workers: Sourced<Vec<Worker>>,
    /// What happened, newest last.
    pub timeline: Timeline,
    /// The progress of the controls that were requested (see [`crate::command`]).
    pub controls: Vec<ControlState>,
    /// The records that were asked for (see [`RecordQuery`]); not part of the JSON lines.
    #[serde(skip)]
    pub records: Option<Arc<RecordPage>>,
}

impl Snapshot {
    /// Whether two snapshots would draw the same picture: equal in everything but the moment they
    /// were taken.
    pub fn same_picture(&self, other: &Snapshot) -> bool {
        // Compared field by field, because setting `taken_at_ms` equal would cost a copy of
        // everything.
        let Snapshot {
            taken_at_ms: _,
            title,
            cluster,
            topics,
            groups,
            city,
            payments,
            shop,
            markets,
            lanes,
            workers,
            timeline,
            controls,
            records,
        } = self;
        *title == other.title
            && *cluster == other.cluster
            && *topics == other.topics
            && *groups == other.groups
            && *city == other.city
            && *payments == other.payments
            && *shop == other.shop
            && *markets == other.markets
            && *lanes == other.lanes
            && *workers == other.workers
            && *timeline == other.timeline
            && *controls == other.controls
            && *records == other.records
    }
}

/// What the first line says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Title {
    /// The scenario or city ("la serena"), or the address of a foreign cluster.
    pub name: String,
    /// The simulated clock: event time, milliseconds since 1970 UTC.
    pub clock_ms: Option<i64>,
    /// The offset of local time from UTC where the scenario takes place, in minutes; affects only
    /// how the clock is shown.
    pub utc_offset_min: i32,
    /// How many times faster than wall-clock time simulated time runs.
    pub speed: Option<f64>,
    /// The seed that repeats this run.
    pub seed: Option<u64>,
    /// Whether the workers are ours to pause, restart, scale and kill. Controls are offered only
    /// then.
    pub supervised: bool,
    /// The options with which to start the show on this machine, if it is too slow for it:
    /// `--drivers 60`.
    pub remedy: Option<String>,
}

/// The last data of a source, and whether it still answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sourced<T> {
    /// The last data; empty while [`Source::Waiting`].
    pub data: T,
    /// Whether it still answers.
    pub source: Source,
}

impl<T> Sourced<T> {
    /// Data from a source that answers.
    pub fn live(data: T) -> Self {
        Sourced { data, source: Source::Live }
    }

    /// The last data of a source that stopped answering.
    pub fn stale(data: T, for_ms: u64, reason: impl Into<String>) -> Self {
        Sourced { data, source: Source::Stale { for_ms, reason: reason.into() } }
    }
}

/// Whether a source answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Source {
    /// Nothing was received yet: the data is empty, which says nothing about the cluster.
    #[default]
    Waiting,
    /// The data is from now.
    Live,
    /// The source stopped answering; the data is its last.
    Stale {
        /// For how long, in milliseconds of wall time before the snapshot was taken.
        for_ms: u64,
        /// Why, in words: "connection refused".
        reason: String,
    },
    /// This source does not exist here (a foreign cluster has no city), and never will.
    Absent,
}
