//! The rows of one run, gathered from its events: what SQL would do with `GROUP BY`.

use std::collections::BTreeMap;

use events::{
    Batched, CardSwipe, Chargeback, Click, ClickKind, EtaUpdate, Event, FraudDecision, HOUR_MS,
    RoadTraversal, Timestamp, Trip, TripKind,
};

/// What one run loads. Maps are sorted, so that the same events make the same rows in the same order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    pub(super) trips: BTreeMap<String, TripRow>,
    pub(super) swipes: BTreeMap<String, SwipeRow>,
    pub(super) chargebacks: BTreeMap<String, Chargeback>,
    pub(super) item_hours: BTreeMap<(Timestamp, String), ItemHour>,
    pub(super) link_hours: BTreeMap<(Timestamp, String), LinkHour>,
}

/// A trip as far as the window tells; a later window adds the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct TripRow {
    pub(super) driver_id: String,
    pub(super) trip: Option<Trip>,
    pub(super) requested_at: Option<Timestamp>,
    pub(super) picked_up_at: Option<Timestamp>,
    pub(super) dropped_off_at: Option<Timestamp>,
    pub(super) cancelled_at: Option<Timestamp>,
    /// The first quote of the window.
    pub(super) quoted: Option<Timestamp>,
}

/// A swipe, what the run said of it, or both.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SwipeRow {
    pub(super) card_id: String,
    pub(super) swipe: Option<CardSwipe>,
    pub(super) decision: Option<FraudDecision>,
}

/// Clicks on one item in one hour, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ItemHour {
    pub(super) by_kind: [i64; 6],
}

/// Drives along one link in one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct LinkHour {
    pub(super) traversals: i64,
    pub(super) metres: f64,
    pub(super) seconds: f64,
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

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.trips.len()
            + self.swipes.len()
            + self.chargebacks.len()
            + self.item_hours.len()
            + self.link_hours.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
