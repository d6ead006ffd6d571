//! A pane as data: its name, its rows, how its cursor moves, its place in each layout.
//!
//! Everything about a pane except its picture is one [`Spec`] in this file, so that the keys, the
//! line of tabs and the layout treat all panes alike. The picture is a function in `view::panes`.
//! The program that starts the dashboard decides which panes a show has, and in which order (see
//! [`State::new`](super::State::new)).
//!
//! To add one: a variant of [`Pane`] and its `Spec` here, its data in [`crate::snapshot`], its
//! picture in `view::panes`. The compiler names the places.
//!
//! # Simplifications
//! - The map's keys (`+`, `-`, Esc) and the partitions, which follow the selected group, are the
//!   two cases in which the keys know a pane by name.

use std::cmp::Reverse;

use crate::snapshot::{Decision, FinishedRun, MarketPair, Notice, Shopper, Snapshot, Source, Trip};
use crate::state::rows::{self, Item, Order, Query, Row, entries, workers_of};

/// The panes that can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// Of each topic, records a second.
    Throughput,
    /// Of each group, how far behind.
    Lag,
    /// Of each partition, the log and the committed offset in it.
    Partitions,
    /// Streets and cars.
    City,
    /// Decisions on card swipes.
    Payments,
    /// A shopper and their page.
    Shop,
    /// Pairs of currencies, and what the lanes say to do.
    Markets,
    /// Both lanes and their bill.
    Lanes,
    /// What happened.
    Events,
}

impl Pane {
    /// All that can be drawn.
    pub(crate) const ALL: [Pane; 9] = [
        Pane::Throughput,
        Pane::Lag,
        Pane::Partitions,
        Pane::City,
        Pane::Payments,
        Pane::Shop,
        Pane::Markets,
        Pane::Lanes,
        Pane::Events,
    ];

    /// The one with this name in the line of tabs.
    pub(crate) fn with_tab(name: &str) -> Option<Pane> {
        Self::ALL.into_iter().find(|pane| pane.spec().tab == name)
    }
}

/// A pane's place in one of the layouts: its column, and its share of the column's height.
pub(crate) type GridPlace = (usize, u16);

/// A pane without its picture.
pub(crate) struct Spec {
    /// As its border shows it.
    pub(crate) name: &'static str,
    /// As the line of tabs shows it.
    pub(crate) tab: &'static str,
    /// What it is, for the help while it has the focus.
    pub(crate) what: &'static str,
    /// Said where its source does not exist.
    pub(crate) absent: &'static str,
    /// Said where it has no rows.
    pub(crate) empty: &'static str,
    /// Whether its data is there, and from when.
    pub(crate) source: fn(&Snapshot) -> &Source,
    /// The rows that its cursor can be on.
    pub(crate) rows: fn(&Query) -> Vec<Row>,
    /// How many rows of the screen it has a use for, border and all; `None`: as many as there are.
    /// A filter changes nothing about it: typing must not move the panes.
    pub(crate) height: fn(&Query) -> Option<usize>,
    pub(crate) follow: Follow,
    pub(crate) detail: Detail,
    /// How its rows can be sorted; none: they can be neither sorted nor hidden.
    pub(crate) orders: &'static [Order],
    /// Its place where the screen has two columns.
    pub(crate) two_columns: GridPlace,
    /// Its place where the screen has three.
    pub(crate) three_columns: GridPlace,
    /// Its place in two columns on a cluster without our businesses; `None`: it is a business's.
    pub(crate) lag_monitor: Option<GridPlace>,
}

/// Where a cursor is after a new snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follow {
    /// On its row.
    Row,
    /// On the first row until a key moves it: groups appear one after another in the first
    /// seconds.
    FirstUntilMoved,
    /// At the top while rows move under it, until a key moves it or more is shown about its row: a
    /// list of news is read from there.
    Top,
}

/// What Enter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Nothing: a row says all there is.
    None,
    /// Shows the records of the selected topic.
    Records,
    /// Shows the members of the selected group below it.
    Members,
    /// More about the selected row beside the others: there is room for both.
    Beside,
    /// More about the selected row, on the whole screen.
    Zoomed,
}

/// Rows of the chart below a list, and the empty one between.
const CHART: usize = 9;
/// A border's two lines.
pub(crate) const BORDER: usize = 2;

impl Pane {
    /// The panes of a show: the cluster's own, then those of its businesses, then what compares the
    /// lanes, and what happened.
    pub fn of_show(businesses: impl IntoIterator<Item = Pane>) -> Vec<Pane> {
        let cluster = [Pane::Throughput, Pane::Lag, Pane::Partitions];
        cluster.into_iter().chain(businesses).chain([Pane::Lanes, Pane::Events]).collect()
    }

    /// Its name, as its border shows it.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    pub(crate) fn spec(self) -> &'static Spec {
        match self {
            Pane::Throughput => &THROUGHPUT,
            Pane::Lag => &LAG,
            Pane::Partitions => &PARTITIONS,
            Pane::City => &CITY,
            Pane::Payments => &PAYMENTS,
            Pane::Shop => &SHOP,
            Pane::Markets => &MARKETS,
            Pane::Lanes => &LANES,
            Pane::Events => &EVENTS,
        }
    }

    /// How many rows it needs for what it is there for: the bill all its lines, the lag all groups.
    pub(crate) fn least_rows(self, snapshot: &Snapshot) -> usize {
        let bill = &snapshot.lanes.data.bill.items;
        match self {
            Pane::Lanes => 1 + bill.len() + bill.iter().filter(|item| item.stale_model.is_some()).count(),
            Pane::Lag => snapshot.groups.data.len(),
            Pane::Throughput
            | Pane::Partitions
            | Pane::City
            | Pane::Payments
            | Pane::Shop
            | Pane::Markets
            | Pane::Events => 0,
        }
    }
}

static THROUGHPUT: Spec = Spec {
    name: "throughput",
    tab: "throughput",
    what: "Throughput: records a second, written to each topic (in) and read from it (out), as our consumers say, a batch run's spread over its period. Of others their commits are known: c.",
    absent: "not on this cluster",
    empty: "none",
    source: |snapshot| &snapshot.topics.source,
    rows: rows::topics,
    height: |query| Some(rows::topics(query).len() + BORDER + 1 + CHART),
    follow: Follow::FirstUntilMoved,
    detail: Detail::Records,
    orders: &[Order::Given, Order::Rate, Order::Total, Order::Name],
    two_columns: (0, 22),
    three_columns: (1, 37),
    lag_monitor: Some((0, 45)),
};

static LAG: Spec = Spec {
    name: "lag",
    tab: "lag",
    what: "Lag: records written that this group has not committed yet, and how old the oldest of them is. Ours commit once a second, so up to 1 s is normal. $ waiting: swipes without a decision.",
    absent: "not on this cluster",
    empty: "none",
    source: |snapshot| &snapshot.groups.source,
    rows: rows::groups,
    height: |query| {
        let groups = &query.snapshot.groups.data;
        let below = groups.iter().filter(|group| query.expanded.contains(&group.id)).map(|group| {
            if group.ours { workers_of(query.snapshot, group).count() } else { group.members.len() }
        });
        Some(groups.len() + BORDER + CHART + below.sum::<usize>())
    },
    follow: Follow::FirstUntilMoved,
    detail: Detail::Members,
    orders: &[Order::Given, Order::Lag, Order::LagRecords, Order::Name],
    two_columns: (0, 22),
    three_columns: (1, 32),
    lag_monitor: Some((1, 45)),
};

static PARTITIONS: Spec = Spec {
    name: "partitions",
    tab: "partitions",
    what: "Partitions: each is a log, from the oldest record that is kept to the newest. The bookmark is where its group continues after a crash.",
    absent: "not on this cluster",
    empty: "none",
    source: |snapshot| &snapshot.groups.source,
    rows: rows::partitions,
    height: |_| None,
    follow: Follow::FirstUntilMoved,
    detail: Detail::Zoomed,
    orders: &[],
    two_columns: (0, 18),
    three_columns: (2, 31),
    lag_monitor: Some((1, 55)),
};

static CITY: Spec = Spec {
    name: "city",
    tab: "city",
    what: "City: streets by their speed now, cars, and one trip: what the stream says of its arrival, what the last batch run says, and the actual time.",
    absent: "no positions on this cluster",
    empty: "none",
    source: |snapshot| &snapshot.city.source,
    rows: |query| {
        let wanted = |trip: &Trip| query.finds_any([&*trip.trip_id, &trip.driver_id]);
        entries(&query.snapshot.city.data.trips, wanted, |trip| (&trip.trip_id, String::new()))
    },
    height: |_| None,
    follow: Follow::FirstUntilMoved,
    detail: Detail::Beside,
    orders: &[],
    // It needs height: with three columns it has one to itself.
    two_columns: (1, 43),
    three_columns: (0, 100),
    lag_monitor: None,
};

static PAYMENTS: Spec = Spec {
    name: "payments",
    tab: "payments",
    what: "Payments: each row is a card swipe and the decision on it, with its strongest reason. A terminal without an answer in time approves alone (stand-in).",
    absent: "no card swipes on this cluster",
    empty: "none",
    source: |snapshot| &snapshot.payments.source,
    rows: |query| {
        let wanted = |decision: &Decision| {
            let known = [&*decision.card_id, decision.verdict.word()].into_iter();
            query.finds_any(known.chain(decision.reasons.iter().map(String::as_str)))
        };
        entries(&query.snapshot.payments.data.recent, wanted, |decision| {
            (&decision.card_id, format!("{}\n{}", decision.at_ms, decision.amount_cents))
        })
    },
    height: |_| None,
    follow: Follow::Top,
    detail: Detail::Zoomed,
    orders: &[],
    two_columns: (1, 19),
    three_columns: (2, 23),
    lag_monitor: None,
};

static SHOP: Spec = Spec {
    name: "shop",
    tab: "shop",
    what: "Shop: what one visitor did, and the page that each lane offers them: the stream's knows the last click, the batch's the last full period.",
    absent: "no clicks on this cluster",
    empty: "none",
    source: |snapshot| &snapshot.shop.source,
    rows: |query| {
        let wanted = |shopper: &Shopper| query.finds(&shopper.session_id);
        entries(&query.snapshot.shop.data.shoppers, wanted, |shopper| (&shopper.session_id, String::new()))
    },
    // A page has twenty items and a heading.
    height: |_| Some(BORDER + 21),
    follow: Follow::Row,
    detail: Detail::None,
    orders: &[],
    two_columns: (1, 21),
    three_columns: (2, 25),
    lag_monitor: None,
};

static MARKETS: Spec = Spec {
    name: "markets",
    tab: "markets",
    what: "Markets: pairs of currencies, and the orders on their signals: how late each lane's came, and how far the price had moved against it.",
    absent: "no trades on this cluster",
    empty: "no trades yet",
    source: |snapshot| &snapshot.markets.source,
    rows: |query| {
        let wanted = |pair: &MarketPair| query.finds(&pair.name);
        entries(&query.snapshot.markets.data.pairs, wanted, |pair| (&pair.name, String::new()))
    },
    height: |_| None,
    follow: Follow::Row,
    detail: Detail::Zoomed,
    orders: &[],
    // In a show of its own it takes the place that a city would have.
    two_columns: (1, 43),
    three_columns: (0, 100),
    lag_monitor: None,
};

static LANES: Spec = Spec {
    name: "lanes",
    tab: "lanes",
    what: "Lanes, stream and batch: one logic, the same records; what batch costs more is the cost of its delay. Hour-old model: the clicks missed if the batch model saw the live session.",
    absent: "no batch lane on this cluster",
    empty: "none",
    source: |snapshot| &snapshot.lanes.source,
    rows: |query| {
        let wanted = |run: &FinishedRun| query.finds(&run.job);
        entries(&query.snapshot.lanes.data.runs, wanted, |run| (&run.batch_id, String::new()))
    },
    height: |_| None,
    follow: Follow::Top,
    detail: Detail::None,
    orders: &[],
    two_columns: (0, 38),
    three_columns: (1, 31),
    lag_monitor: Some((0, 25)),
};

static EVENTS: Spec = Spec {
    name: "events",
    tab: "events",
    what: "Events: what happened to the machinery, newest first, with how long it took. Times are real time in UTC, not the show's.",
    absent: "not on this cluster",
    empty: "nothing has happened yet",
    source: |_| &Source::Live,
    rows: |query| {
        let wanted = |notice: &Notice| query.finds_any([&*notice.subject, &notice.text]);
        let notices = &query.snapshot.timeline.notices;
        let mut rows = entries(notices, wanted, |notice| {
            (&notice.subject, format!("{}\n{}", notice.at_ms, notice.text))
        });
        // Newest first, by when it happened: a job's run is known some time after it ended.
        rows.reverse();
        rows.sort_by_key(|row| {
            let Item::Entry(at) = row.item else { return Reverse(None) };
            Reverse(notices.get(at).map(|notice| notice.at_ms))
        });
        rows
    },
    height: |_| None,
    follow: Follow::Top,
    detail: Detail::Zoomed,
    orders: &[],
    two_columns: (1, 17),
    three_columns: (2, 21),
    lag_monitor: Some((0, 30)),
};
