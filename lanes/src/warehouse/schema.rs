//! The schema, as the steps that made it what it is.

use std::collections::BTreeMap;

use processor::mart::{Mart, Migration};

/// How one database spells what the others spell differently.
pub(super) struct Dialect {
    /// The type of an instant.
    pub(super) instant: &'static str,
    /// The type of 64 bits.
    pub(super) integer: &'static str,
    /// The type of a double.
    pub(super) real: &'static str,
    /// What stands behind a table.
    pub(super) strict: &'static str,
    /// What stands behind a table that is found by its key alone.
    pub(super) by_key: &'static str,
}

/// Each step brings the schema one version further. The database knows how many it has had: `PRAGMA
/// user_version` in SQLite, the table `freshet_schema` in Postgres. What is released is never
/// edited. These are the tables of the run log; each mart brings the steps of its own.
const MIGRATIONS: [Migration; 2] = [
    Migration {
        version: 1,
        sql: "
CREATE TABLE batch_runs (
    batch_id     TEXT PRIMARY KEY,
    job          TEXT NOT NULL,
    window_start {instant} NOT NULL,   -- event time
    window_end   {instant} NOT NULL,
    records      {integer} NOT NULL,
    rows         {integer} NOT NULL,
    started_at   {instant} NOT NULL,   -- wall clock
    finished_at  {instant},            -- wall clock; none while the run's answers are not out
    visible_from {instant}             -- event time from which anyone could have seen them
){strict};
",
    },
    Migration {
        version: 2,
        sql: "
-- What a run read, so that the same window is never cut differently: see lanes/src/window.rs.
CREATE TABLE batch_offsets (
    batch_id       TEXT NOT NULL,
    topic          TEXT NOT NULL,
    partition_id   {integer} NOT NULL,
    settled_offset {integer} NOT NULL, -- before it, what is older than the window belongs to earlier runs
    end_offset     {integer} NOT NULL, -- the first offset that the run did not look at
    PRIMARY KEY (batch_id, topic, partition_id)
){by_key};
ALTER TABLE batch_runs ADD COLUMN attempts {integer} NOT NULL DEFAULT 1;
",
    },
];

/// The steps of each version, the warehouse's own first, as one text a version.
fn steps(marts: &[&'static Mart]) -> Vec<String> {
    let of_marts = marts.iter().flat_map(|mart| mart.migrations);
    let mut steps: BTreeMap<i64, String> = BTreeMap::new();
    for Migration { version, sql } in MIGRATIONS.iter().chain(of_marts) {
        *steps.entry(*version).or_default() += sql;
    }
    let versions: Vec<i64> = steps.keys().copied().collect();
    assert!(versions.iter().copied().eq(1..=versions.len() as i64), "a version is missing of {versions:?}");
    steps.into_values().collect()
}

/// The version that a schema has after every step.
pub(super) fn version(marts: &[&'static Mart]) -> i64 {
    steps(marts).len() as i64
}

impl Dialect {
    /// The steps from version `found` on.
    pub(super) fn migrations(&self, marts: &[&'static Mart], found: i64) -> impl Iterator<Item = String> {
        steps(marts).into_iter().skip(found.max(0) as usize).map(|step| {
            step.replace("{instant}", self.instant)
                .replace("{integer}", self.integer)
                .replace("{real}", self.real)
                .replace("{strict}", self.strict)
                .replace("{by_key}", self.by_key)
        })
    }
}

#[cfg(test)]
mod tests {
    use events::Business;
    use processor::mart::{Mart, Migration};

    use super::steps;

    static GAP: Mart = Mart {
        business: Business::Shop,
        tables: &[],
        migrations: &[Migration { version: 4, sql: "" }],
        rows: || unreachable!("no run"),
        queries: &[],
    };

    #[test]
    #[should_panic(expected = "a version is missing of [1, 2, 4]")]
    fn versions_have_no_gap() {
        steps(&[&GAP]);
    }
}
