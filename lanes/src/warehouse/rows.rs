//! The rows of one run, gathered from its events: what SQL would do with `GROUP BY`.

use std::collections::BTreeMap;

use events::{
    Batched, CardSwipe, Chargeback, Click, ClickKind, Decision, EtaUpdate, Event, FraudDecision, HOUR_MS,
    RoadTraversal, Timestamp, Trip, TripKind,
};

use super::TableRows;
use super::tables::Cell;

/// What one run loads. Maps are sorted, so that the same events make the same rows in the same
/// order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    trips: BTreeMap<String, TripRow>,
    swipes: BTreeMap<String, SwipeRow>,
    chargebacks: BTreeMap<String, Chargeback>,
    item_hours: BTreeMap<(Timestamp, String), ItemHour>,
    link_hours: BTreeMap<(Timestamp, String), LinkHour>,
}

/// A trip as far as the window tells; a later window adds the rest.
#[derive(Clone, Debug, Default, PartialEq)]
struct TripRow {
    driver_id: String,
    trip: Option<Trip>,
    requested_at: Option<Timestamp>,
    picked_up_at: Option<Timestamp>,
    dropped_off_at: Option<Timestamp>,
    cancelled_at: Option<Timestamp>,
    /// The first quote of the window.
    quoted: Option<Timestamp>,
}

/// A swipe, what the run said of it, or both.
#[derive(Clone, Debug, Default, PartialEq)]
struct SwipeRow {
    card_id: String,
    swipe: Option<CardSwipe>,
    decision: Option<FraudDecision>,
}

/// Clicks on one item in one hour, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ItemHour {
    by_kind: [i64; 6],
}

/// Drives along one link in one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct LinkHour {
    traversals: i64,
    metres: f64,
    seconds: f64,
}

impl Rows {
    /// Adds what an event, read or answered, has to say to the tables. Most have nothing.
    pub fn add(&mut self, event: &Event) {
        match event {
            Event::Trips(trip) => self.trip(trip),
            Event::EtaBatch(Batched { answer, .. }) => self.quote(answer),
            Event::CardSwipes(swipe) => {
                let row = self.swipes.entry(swipe.swipe_id.clone()).or_default();
                row.card_id.clone_from(&swipe.card_id);
                row.swipe = Some(swipe.clone());
            }
            Event::FraudBatch(Batched { answer, .. }) => {
                let row = self.swipes.entry(answer.swipe_id.clone()).or_default();
                row.card_id.clone_from(&answer.card_id);
                row.decision = Some(answer.clone());
            }
            Event::Chargebacks(chargeback) => {
                self.chargebacks.insert(chargeback.swipe_id.clone(), chargeback.clone());
            }
            Event::Clicks(click) => self.click(click),
            Event::RoadTraversals(traversal) => self.traversal(traversal),
            _ => {}
        }
    }

    /// The rows as the tables hold them, said by the run `batch_id`. The order of the tables and of
    /// their columns is that of `tables.rs`.
    pub fn tables(&self, batch_id: &str) -> TableRows {
        let by = || Cell::from(batch_id);
        let trips = self.trips.iter().map(|(trip_id, row)| {
            let trip = row.trip.as_ref();
            vec![
                trip_id.into(),
                (&row.driver_id).into(),
                trip.and_then(|trip| trip.rider_id.as_ref()).into(),
                trip.map(|trip| trip.origin.lat).into(),
                trip.map(|trip| trip.origin.lon).into(),
                trip.map(|trip| trip.destination.lat).into(),
                trip.map(|trip| trip.destination.lon).into(),
                row.requested_at.into(),
                row.picked_up_at.into(),
                row.dropped_off_at.into(),
                row.cancelled_at.into(),
                row.quoted.into(),
                by(),
            ]
        });
        let swipes = self.swipes.iter().map(|(swipe_id, row)| {
            let (swipe, said) = (row.swipe.as_ref(), row.decision.as_ref());
            vec![
                swipe_id.into(),
                swipe.map(|swipe| swipe.ts).or(said.map(|said| said.ts)).into(),
                (&row.card_id).into(),
                swipe.map(|swipe| &swipe.terminal_id).into(),
                swipe.map(|swipe| swipe.amount_cents).into(),
                swipe.and_then(|swipe| swipe.currency.as_ref()).into(),
                swipe.and_then(|swipe| swipe.category.as_ref()).into(),
                swipe.and_then(|swipe| swipe.lat).into(),
                swipe.and_then(|swipe| swipe.lon).into(),
                said.map(|said| match said.decision {
                    Decision::Approve => "approve",
                    Decision::Decline => "decline",
                })
                .into(),
                said.map(|said| said.probability).into(),
                by(),
            ]
        });
        let chargebacks = self.chargebacks.iter().map(|(swipe_id, row)| {
            vec![swipe_id.into(), row.ts.into(), (&row.card_id).into(), (&row.terminal_id).into(), by()]
        });
        let item_hours = self.item_hours.iter().map(|((hour, item_id), row)| {
            let mut cells = vec![(*hour).into(), item_id.into(), by()];
            cells.extend(row.by_kind.map(Cell::from));
            cells
        });
        let link_hours = self.link_hours.iter().map(|((hour, link_id), row)| {
            let counts = [row.traversals.into(), row.metres.into(), row.seconds.into()];
            [(*hour).into(), link_id.into(), by()].into_iter().chain(counts).collect()
        });
        TableRows([
            trips.collect(),
            swipes.collect(),
            chargebacks.collect(),
            item_hours.collect(),
            link_hours.collect(),
        ])
    }

    fn trip(&mut self, trip: &Trip) {
        let row = self.trips.entry(trip.trip_id.clone()).or_default();
        row.driver_id.clone_from(&trip.driver_id);
        let at = match trip.kind {
            TripKind::Requested => &mut row.requested_at,
            TripKind::PickedUp => &mut row.picked_up_at,
            TripKind::DroppedOff => &mut row.dropped_off_at,
            TripKind::Cancelled => &mut row.cancelled_at,
        };
        *at = Some(trip.ts);
        row.trip = Some(trip.clone());
    }

    fn quote(&mut self, quote: &EtaUpdate) {
        // Looked up first: a trip has a quote for every ping, and its id is copied once.
        if let Some(row) = self.trips.get_mut(&quote.trip_id) {
            row.quoted = row.quoted.or(Some(quote.eta));
            return;
        }
        let driver_id = quote.driver_id.clone();
        let row = TripRow { driver_id, quoted: Some(quote.eta), ..TripRow::default() };
        self.trips.insert(quote.trip_id.clone(), row);
    }

    fn click(&mut self, click: &Click) {
        let Some(item) = &click.item_id else { return };
        let hour = self.item_hours.entry((click.ts.floor(HOUR_MS), item.clone())).or_default();
        let kind = match click.kind {
            ClickKind::View => 0,
            ClickKind::Click => 1,
            ClickKind::Hover => 2,
            ClickKind::Scroll => 3,
            ClickKind::AddToCart => 4,
            ClickKind::Purchase => 5,
        };
        hour.by_kind[kind] += 1;
    }

    fn traversal(&mut self, traversal: &RoadTraversal) {
        let hour =
            self.link_hours.entry((traversal.ts.floor(HOUR_MS), traversal.link_id.clone())).or_default();
        hour.traversals += 1;
        hour.metres += traversal.metres;
        hour.seconds += traversal.seconds;
    }
}
