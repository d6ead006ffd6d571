//! The shop in the warehouse: what was done with each item, by the hour.

use std::collections::BTreeMap;

use events::{Business, Click, ClickKind, Event, HOUR_MS, Timestamp, item_name};
use processor::mart::{
    Cell, Kind, Line, Mart, MartRows, Migration, Query, RowsOfTable, Table, key, overwrite,
};
use serde_json::json;

/// The shop's part of the warehouse. Its table is as old as the warehouse.
pub static MART: Mart = Mart {
    business: Business::Shop,
    tables: &[Table {
        name: "item_hours",
        by_run: true,
        columns: &[
            key("hour", Kind::Instant),
            key("item_id", Kind::Text),
            key("batch_id", Kind::Text),
            overwrite("views", Kind::Integer),
            overwrite("clicks", Kind::Integer),
            overwrite("hovers", Kind::Integer),
            overwrite("scrolls", Kind::Integer),
            overwrite("add_to_carts", Kind::Integer),
            overwrite("purchases", Kind::Integer),
        ],
    }],
    migrations: &[
        Migration {
            version: 1,
            sql: "
-- Late events are counted by a later run: the sum over the runs is the truth, and a run that is repeated replaces its own share.
CREATE TABLE item_hours (
    hour         {instant} NOT NULL,
    item_id      TEXT NOT NULL,
    batch_id     TEXT NOT NULL,
    views        {integer} NOT NULL,
    clicks       {integer} NOT NULL,
    hovers       {integer} NOT NULL,
    scrolls      {integer} NOT NULL,
    add_to_carts {integer} NOT NULL,
    purchases    {integer} NOT NULL,
    PRIMARY KEY (hour, item_id, batch_id)
){by_key};
",
        },
        Migration {
            version: 2,
            sql: "
CREATE INDEX item_hours_by_run ON item_hours (batch_id);
",
        },
    ],
    rows: || Box::new(Rows::default()),
    queries: &[SELLERS],
};

/// The map is sorted, so that the same events make the same rows in the same order.
#[derive(Debug, Default)]
struct Rows {
    item_hours: BTreeMap<(Timestamp, String), ItemHour>,
}

/// Clicks on one item in one hour, by kind.
#[derive(Debug, Default)]
struct ItemHour {
    by_kind: [i64; 6],
}

impl MartRows for Rows {
    fn add(&mut self, event: &Event) {
        if let Event::Clicks(click) = event {
            self.click(click);
        }
    }

    fn tables(&self, batch_id: &str) -> Vec<RowsOfTable> {
        let by = || Cell::from(batch_id);
        let item_hours = self.item_hours.iter().map(|((hour, item_id), row)| {
            let mut cells = vec![(*hour).into(), item_id.into(), by()];
            cells.extend(row.by_kind.map(Cell::from));
            cells
        });
        vec![item_hours.collect()]
    }
}

impl Rows {
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
}

/// The best sellers, by whole hours.
const SELLERS: Query = Query {
    order: 4,
    title: "best sellers",
    empty: "no purchases: `freshet batch recommendations` loads them",
    headings: &["item", "id", "purchases", "into carts", "views"],
    kind: "best_seller",
    sql: "
SELECT item_id, CAST(SUM(purchases) AS BIGINT), CAST(SUM(add_to_carts) AS BIGINT), CAST(SUM(views) AS BIGINT)
FROM item_hours WHERE hour >= $1 AND hour < $2
GROUP BY item_id HAVING SUM(purchases) > 0 ORDER BY 2 DESC, 3 DESC, 1 LIMIT $3",
    top_by_hour: true,
    columns: &[Kind::Text, Kind::Integer, Kind::Integer, Kind::Integer],
    line: |_, cells| {
        let item_id = cells[0].text().unwrap_or_default();
        let [purchases, carts, views] = [1, 2, 3].map(|place: usize| cells[place].count());
        Line {
            text: vec![
                item_name(item_id).unwrap_or_else(|| "–".to_owned()),
                item_id.to_owned(),
                purchases.to_string(),
                carts.to_string(),
                views.to_string(),
            ],
            json: json!({
                "item_id": item_id, "purchases": purchases, "add_to_carts": carts, "views": views,
            }),
        }
    },
};
