//! The schema, as the steps that made it what it is.

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
/// edited.
pub(super) const MIGRATIONS: &[&str] = &[
    "
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
CREATE TABLE swipes (
    swipe_id     TEXT PRIMARY KEY,
    ts           {instant},
    card_id      TEXT NOT NULL,
    terminal_id  TEXT,
    amount_cents {integer},
    currency     TEXT,
    category     TEXT,
    lat          {real},
    lon          {real},
    decision     TEXT,                 -- what the run says, after the till had approved
    probability  {real},
    batch_id     TEXT NOT NULL
){strict};
CREATE TABLE chargebacks (
    swipe_id    TEXT PRIMARY KEY,
    ts          {instant} NOT NULL,
    card_id     TEXT NOT NULL,
    terminal_id TEXT NOT NULL,
    batch_id    TEXT NOT NULL
){strict};
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
    "
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
CREATE INDEX swipes_by_ts ON swipes (ts);
CREATE INDEX item_hours_by_run ON item_hours (batch_id);
CREATE INDEX link_hours_by_run ON link_hours (batch_id);
",
];

impl Dialect {
    /// The steps from version `found` on.
    pub(super) fn migrations(&self, found: i64) -> impl Iterator<Item = String> {
        MIGRATIONS[found.clamp(0, MIGRATIONS.len() as i64) as usize..].iter().map(|step| {
            step.replace("{instant}", self.instant)
                .replace("{integer}", self.integer)
                .replace("{real}", self.real)
                .replace("{strict}", self.strict)
                .replace("{by_key}", self.by_key)
        })
    }
}
