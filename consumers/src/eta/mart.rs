//! The rides in the warehouse: trips, and drives along each road by the hour.

use std::collections::BTreeMap;

use events::{Batched, Business, EtaUpdate, Event, HOUR_MS, RoadTraversal, Timestamp, Trip, TripKind};
use processor::mart::{
    BATCH_ID, Cell, Kind, Line, Mart, MartRows, Migration, Query, RowsOfTable, Table, keep_existing, key,
    overwrite,
};
use serde_json::json;

/// The rides' part of the warehouse. Its tables are as old as the warehouse.
pub static MART: Mart = Mart {
    business: Business::RideShare,
    tables: &[
        Table {
            name: "trips",
            by_run: false,
            columns: &[
                key("trip_id", Kind::Text),
                overwrite("driver_id", Kind::Text),
                overwrite("rider_id", Kind::Text),
                overwrite("origin_lat", Kind::Real),
                overwrite("origin_lon", Kind::Real),
                overwrite("destination_lat", Kind::Real),
                overwrite("destination_lon", Kind::Real),
                overwrite("requested_at", Kind::Instant),
                overwrite("picked_up_at", Kind::Instant),
                overwrite("dropped_off_at", Kind::Instant),
                overwrite("cancelled_at", Kind::Instant),
                keep_existing("quoted_eta", Kind::Instant),
                BATCH_ID,
            ],
        },
        Table {
            name: "link_hours",
            by_run: true,
            columns: &[
                key("hour", Kind::Instant),
                key("link_id", Kind::Text),
                key("batch_id", Kind::Text),
                overwrite("traversals", Kind::Integer),
                overwrite("metres", Kind::Real),
                overwrite("seconds", Kind::Real),
            ],
        },
    ],
    migrations: &[
        Migration {
            version: 1,
            sql: "
CREATE TABLE trips (
    trip_id         TEXT PRIMARY KEY,
    driver_id       TEXT NOT NULL,
    rider_id        TEXT,
    origin_lat      {real},
    origin_lon      {real},
    destination_lat {real},
    destination_lon {real},
    requested_at    {instant},
    picked_up_at    {instant},
    dropped_off_at  {instant},
    cancelled_at    {instant},
    quoted_eta      {instant},         -- the first arrival that the batch lane quoted
    batch_id        TEXT NOT NULL      -- the latest run that touched the row, as in all tables
){strict};
CREATE TABLE link_hours (
    hour       {instant} NOT NULL,
    link_id    TEXT NOT NULL,
    batch_id   TEXT NOT NULL,
    traversals {integer} NOT NULL,
    metres     {real} NOT NULL,
    seconds    {real} NOT NULL,
    PRIMARY KEY (hour, link_id, batch_id)
){by_key};
",
        },
        Migration {
            version: 2,
            sql: "
CREATE INDEX link_hours_by_run ON link_hours (batch_id);
",
        },
    ],
    rows: || Box::new(Rows::default()),
    queries: &[ROADS],
};

/// Maps are sorted, so that the same events make the same rows in the same order.
#[derive(Debug, Default)]
struct Rows {
    trips: BTreeMap<String, TripRow>,
    link_hours: BTreeMap<(Timestamp, String), LinkHour>,
}

/// A trip as far as the window knows it; a later window adds the rest.
#[derive(Debug, Default)]
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

/// Drives along one link in one hour.
#[derive(Debug, Default)]
struct LinkHour {
    traversals: i64,
    metres: f64,
    seconds: f64,
}

impl MartRows for Rows {
    fn add(&mut self, event: &Event) {
        if let Event::Trips(trip) = event {
            self.trip(trip);
        } else if let Event::EtaBatch(Batched { answer, .. }) = event {
            self.quote(answer);
        } else if let Event::RoadTraversals(traversal) = event {
            self.traversal(traversal);
        }
    }

    fn tables(&self, batch_id: &str) -> Vec<RowsOfTable> {
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
        let link_hours = self.link_hours.iter().map(|((hour, link_id), row)| {
            let counts = [row.traversals.into(), row.metres.into(), row.seconds.into()];
            [(*hour).into(), link_id.into(), by()].into_iter().chain(counts).collect()
        });
        vec![trips.collect(), link_hours.collect()]
    }
}

impl Rows {
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

    fn traversal(&mut self, traversal: &RoadTraversal) {
        let hour =
            self.link_hours.entry((traversal.ts.floor(HOUR_MS), traversal.link_id.clone())).or_default();
        hour.traversals += 1;
        hour.metres += traversal.metres;
        hour.seconds += traversal.seconds;
    }
}

/// The busiest roads, by whole hours.
const ROADS: Query = Query {
    order: 3,
    title: "busiest roads",
    empty: "no drives: `freshet batch eta` loads them",
    headings: &["road", "link", "drives", "km/h"],
    kind: "road",
    sql: "
SELECT link_id, CAST(SUM(traversals) AS BIGINT), SUM(metres), SUM(seconds) FROM link_hours
WHERE hour >= $1 AND hour < $2 GROUP BY link_id ORDER BY 2 DESC, 1 LIMIT $3",
    top_by_hour: true,
    columns: &[Kind::Text, Kind::Integer, Kind::Real, Kind::Real],
    line: |question, cells| {
        let link_id = cells[0].text().unwrap_or_default();
        let drives = cells[1].count();
        let mps = cells[2].real().zip(cells[3].real().filter(|s| *s > 0.0)).map(|(m, s)| m / s);
        let street = (question.street)(link_id);
        let unknown = || "–".to_owned();
        Line {
            text: vec![
                street.clone().unwrap_or_else(unknown),
                link_id.to_owned(),
                drives.to_string(),
                mps.map_or_else(unknown, |mps| format!("{:.1}", 3.6 * mps)),
            ],
            json: json!({ "link_id": link_id, "name": street, "traversals": drives, "speed_mps": mps }),
        }
    },
};
