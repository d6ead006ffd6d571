//! The two lanes beside each other, with their bill and their ledger.

use serde::{Deserialize, Serialize};

use crate::snapshot::bill::Bill;

/// Both lanes beside each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lanes {
    /// How far the stream lane is behind: the largest [`Freshness::delay_ms`], in milliseconds of
    /// wall time.
    pub stream_delay_ms: Option<f64>,
    /// The age of what the batch lane knows, in milliseconds of event time: the largest of those of
    /// the jobs that have run. Which have not, the [`Readers`] say.
    pub batch_age_ms: Option<f64>,
    /// How often the batch lane runs, in milliseconds of event time.
    pub batch_period_ms: Option<f64>,
    /// Whether its jobs are ours, and take a new period.
    pub can_turn: bool,
    /// When the dial was last moved: event time, milliseconds since 1970 UTC. `None`: not yet.
    pub dial_moved_ms: Option<i64>,
    /// What the stream lane's consumers take to run since then, or since the beginning: CPU seconds
    /// in an hour of event time.
    pub stream_cpu_s_per_hour: Option<f64>,
    /// The same of the batch lane's jobs.
    pub batch_cpu_s_per_hour: Option<f64>,
    /// Until its next run, in milliseconds of wall time.
    pub next_run_in_ms: Option<f64>,
    /// Whether a run is under way now.
    pub running: bool,
    /// Where it loads its rows: a path or an address without its password.
    pub database: Option<String>,
    /// The newest runs, newest first; at most 20.
    pub runs: Vec<FinishedRun>,
    /// Who reads each business's questions, in the order in which to show them.
    pub readers: Vec<Readers>,
    /// How fresh each business's answers are.
    pub freshness: Vec<Freshness>,
    /// What the batch lane's delay has cost.
    pub bill: Bill,
    /// The same of the hours before the show; `None`: they have no bill, or none yet.
    pub past: Option<PastBill>,
    /// The bill of those hours is being worked out.
    pub past_is_due: bool,
    /// What became of one case of each business, in both lanes.
    pub cases: Vec<FollowedCase>,
    /// From which instant of event time on the bill and the ledger count, in milliseconds since
    /// 1970 UTC; `None`: from the beginning of the show.
    pub counted_since_ms: Option<i64>,
    /// What became of every question, one set of sums for each topic of questions.
    pub ledger: Vec<LedgerSums>,
}

impl Lanes {
    /// The bill to show: that of the show, once all that its first lines speak of is known, and
    /// before that the one of the hours before it, if there is one.
    pub fn shown_bill(&self) -> &Bill {
        self.shown_past().map_or(&self.bill, |past| &past.bill)
    }

    /// The bill of the hours before, while it is what is shown.
    pub fn shown_past(&self) -> Option<&PastBill> {
        let past = self.past.as_ref()?;
        let headlines = self.bill.headlines();
        let is_known = headlines.iter().all(|(item, _)| item.delay_cost().is_some());
        (headlines.is_empty() || !is_known).then_some(past)
    }

    /// Questions without an answer that was due, and answers beyond those that were due, over all
    /// topics; none while no question is known.
    pub fn lost_and_doubled(&self) -> Option<(u64, u64)> {
        let sums = self.ledger.iter().map(|sums| (sums.lost, sums.doubled));
        sums.reduce(|a, b| (a.0.saturating_add(b.0), a.1.saturating_add(b.1)))
    }
}

/// What the batch delay cost before the show, by simulation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PastBill {
    /// From when on it counts: event time, milliseconds since 1970 UTC.
    pub from_ms: i64,
    /// Until when.
    pub until_ms: i64,
    /// The bill.
    pub bill: Bill,
}

/// One case of a business, and what each lane made of it: the business puts it into words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FollowedCase {
    /// The business, by its name: "payments".
    pub business: String,
    /// Who it is about: "card-001234"; empty before there is a case.
    pub subject: String,
    /// What the stream lane did, in parts: "declined its 9th swipe after 7 ms", "$850 kept". Where
    /// there is no room for all, the last ones go. Without a subject, that there is no case yet.
    pub stream: Vec<String>,
    /// What the batch lane did, or when it will: "approved it", "finds out in 41 min".
    pub batch: Vec<String>,
}

/// What became of the records of one topic: `produced` is the sum of all that follows it but
/// `doubled` and `replayed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LedgerSums {
    /// The topic of the questions.
    pub questions: String,
    /// The topic of the answers.
    pub answers: String,
    /// Questions written.
    pub produced: u64,
    /// Questions that an answer names.
    pub answered: u64,
    /// Questions that their consumer has not read yet.
    pub in_flight: u64,
    /// Questions that could not be read, for which there is a dead letter.
    pub dead_lettered: u64,
    /// Questions that retention deleted before they were read.
    pub expired: u64,
    /// Duplicate events, answered once.
    pub repeated: u64,
    /// Events without a question: a car without a rider.
    pub nothing_owed: u64,
    /// Read without an answer, where the topic alone does not say whether one was due.
    pub unanswered: u64,
    /// Read without an answer that was due: must be 0.
    pub lost: u64,
    /// Answers beyond the first to one question: must be 0.
    pub doubled: u64,
    /// Answers that were given once more, after the group's offset was reset.
    pub replayed: u64,
}

/// One run of the batch lane.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FinishedRun {
    /// Which job.
    pub job: String,
    /// Which run of it.
    pub batch_id: String,
    /// When it finished: wall clock, milliseconds since 1970 UTC.
    pub finished_at_ms: i64,
    /// How long it took, in milliseconds of wall time.
    pub took_ms: Option<f64>,
    /// Records read.
    pub records: Option<u64>,
    /// Rows loaded.
    pub rows: Option<u64>,
}

/// Who reads the questions of a business in either lane: the same log, with a bookmark for each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Readers {
    /// Which business: `payments`.
    pub business: String,
    /// The topic of its questions: `card_swipes`.
    pub questions: String,
    /// The consumer group of the stream lane that answers them.
    pub stream_group: String,
    /// That of the batch lane's job.
    pub batch_group: String,
    /// The age of what that job knows, in milliseconds of event time; `None` before its first run.
    pub batch_age_ms: Option<f64>,
    /// Whether that job is processing a window.
    pub running: bool,
}

/// How soon after the event a business's answer is there, in milliseconds of wall time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Freshness {
    /// Which business: "eta", "fraud", "recommendations", "notifications".
    pub business: String,
    /// How far its answers are behind now, in milliseconds of wall time: the age of its oldest
    /// question without an answer if it is behind, otherwise the median delay of its newest
    /// answers.
    pub delay_ms: Option<f64>,
    /// Whether it is at least so far behind.
    pub delay_is_minimum: bool,
    /// Events in since the start.
    pub events: Option<u64>,
    /// Answers out since the start.
    pub answers: Option<u64>,
    /// The median.
    pub p50_ms: Option<f64>,
    /// The 99th percentile.
    pub p99_ms: Option<f64>,
}
