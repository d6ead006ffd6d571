//! What any client can learn of any Kafka cluster (topics, groups, partitions), and the processes
//! that we supervise.

use serde::{Deserialize, Serialize};

/// The cluster, as its metadata describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cluster {
    /// The bootstrap address: `127.0.0.1:9092`.
    pub bootstrap: String,
    /// How many brokers are alive; unknown until metadata was received.
    pub brokers: Option<u32>,
}

/// One topic and what flows through it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Whether it is one of the show's; otherwise it is a topic of the user ("yours").
    pub ours: bool,
    /// Records written, a second of wall time: growth of the log ends.
    pub in_per_second: Option<f64>,
    /// Records read, a second of wall time, as our workers say; none where no one says so.
    pub out_per_second: Option<f64>,
    /// Records committed, a second of wall time, by the groups whose members do not say what they
    /// read, from one commit to the next.
    pub committed_per_second: Option<f64>,
    /// `in_per_second` over the last two minutes, one value a second, newest last; at most 120.
    pub history_per_second: Vec<f64>,
    /// Records in it since it was made: the sum of its log end offsets.
    pub total_records: Option<u64>,
    /// How many partitions.
    pub partitions: Option<u32>,
    /// What it takes on disk.
    pub bytes: Option<u64>,
    /// Whether one of our producers writes it, and can be told to burst.
    pub can_burst: bool,
    /// Whether a burst is running now.
    pub bursting: bool,
}

/// A topic without a record for so long, in seconds of wall time, is silent: as far back as
/// [`Topic::history_per_second`] goes. A batch job writes once a minute at the show's usual speed:
/// its topics must not come and go between two runs.
const SILENT_S: usize = 120;

impl Topic {
    /// Whether nothing is to be seen in it: it is one of the show's, and has never had a record, or
    /// none for [`SILENT_S`]. A topic of the user is never silent: who has made one looks for it.
    pub fn is_silent(&self) -> bool {
        let history = &self.history_per_second;
        let is_quiet = || history.len() >= SILENT_S && history.iter().all(|&rate| rate == 0.0);
        self.ours && (self.total_records == Some(0) || is_quiet())
    }
}

/// One consumer group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Group {
    /// Its group id.
    pub id: String,
    /// Its state, as its coordinator reports it.
    pub state: GroupState,
    /// Whether its members are our workers; otherwise it is a program of the user ("yours").
    pub ours: bool,
    /// How many rebalances it has had.
    pub generation: Option<i32>,
    /// Its members.
    pub members: Vec<Member>,
    /// Every partition that it reads or has read, sorted by topic, then partition.
    pub partitions: Vec<GroupPartition>,
    /// Records between what is written and what is committed, over all partitions.
    pub lag_records: Option<u64>,
    /// How old the oldest record is that it has not committed, in milliseconds of wall time.
    pub lag_ms: Option<f64>,
    /// Whether it is at least so old: it was there before the watching began.
    pub lag_is_minimum: bool,
    /// Records committed, a second of wall time.
    pub committed_per_second: Option<f64>,
    /// `lag_records` over the last two minutes, one value a second, newest last; at most 120.
    pub lag_history_records: Vec<f64>,
    /// Its trend.
    pub trend: Trend,
    /// What the lag means to the business; `None` when no answer is due, or it is unknown.
    pub waiting: Option<Waiting>,
}

/// What waits for a consumer that is behind, and what is at stake meanwhile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Waiting {
    /// How many cases.
    pub cases: u64,
    /// What they are: "swipes unscored".
    pub what: String,
    /// The money, in cents, where it is about money.
    pub cents: Option<i64>,
}

/// The states of a group, as Kafka names them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupState {
    /// Not known yet.
    #[default]
    Unknown,
    /// No members; committed offsets only.
    Empty,
    /// Members are joining.
    PreparingRebalance,
    /// The leader is assigning partitions.
    CompletingRebalance,
    /// Every member has its partitions.
    Stable,
    /// Being removed.
    Dead,
}

/// One member of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Member {
    /// The id that the coordinator gave it.
    pub member_id: String,
    /// The name that it gave itself: `eta-1`, or the default `rdkafka`.
    pub client_id: String,
    /// What it is called here: its client id, with a number where several members share that
    /// (`rdkafka #2`).
    pub name: String,
    /// The host it connects from, as the broker writes it: `/127.0.0.1`.
    pub host: String,
    /// How many partitions it was assigned.
    pub partitions: Option<u32>,
}

/// One partition, as one group sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct GroupPartition {
    /// Of which topic.
    pub topic: String,
    /// Its number.
    pub partition: i32,
    /// The oldest offset that is still there.
    pub log_start: Option<i64>,
    /// The offset that the next record will get.
    pub log_end: Option<i64>,
    /// The committed offset: where the group continues after a restart. `None`: none was
    /// committed.
    pub committed: Option<i64>,
    /// Records between `committed` and `log_end`.
    pub lag_records: Option<u64>,
    /// How old the oldest uncommitted record is, in milliseconds of wall time.
    pub lag_ms: Option<f64>,
    /// Whether it is at least so old: it was there before the watching began.
    pub lag_is_minimum: bool,
    /// The name of the member that reads it.
    pub owner: Option<String>,
    /// Its trend.
    pub trend: Trend,
}

impl GroupPartition {
    /// Whether retention has deleted records that this group had not read: its committed offset is
    /// before the log's start.
    pub fn overtaken(&self) -> bool {
        matches!((self.committed, self.log_start), (Some(committed), Some(start)) if committed < start)
    }
}

/// The trend of a lag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "trend", rename_all = "snake_case")]
pub enum Trend {
    /// Too early to say.
    #[default]
    Unknown,
    /// Small and level.
    KeepingUp,
    /// Growing.
    FallingBehind {
        /// By how many records a second of wall time.
        records_per_second: Option<f64>,
    },
    /// Shrinking.
    Draining {
        /// Until none is left at the present rate, in milliseconds of wall time.
        done_in_ms: Option<f64>,
    },
    /// Its worker has died.
    Dead,
    /// It has no members: whether one died or was ended, the group does not say.
    NoMembers,
    /// Its worker runs, and has not joined it yet.
    Joining,
    /// Its worker is paused.
    Paused,
    /// A job of the batch lane: it reads nothing until its next run, and that is as it should be.
    Scheduled {
        /// Until then, in milliseconds of wall time; 0 while it runs.
        due_in_ms: Option<f64>,
    },
}

/// One process that we started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Worker {
    /// Its name, and its client id in its group: `fraud-1`.
    pub name: String,
    /// The group that it is in; producers have none.
    pub group: Option<String>,
    /// Its process id, while it lives.
    pub pid: Option<u32>,
    /// Its state.
    pub state: WorkerState,
    /// How often it has been started again.
    pub restarts: u32,
    /// For how long it has been in this state, in milliseconds of wall time.
    pub since_ms: Option<u64>,
}

/// The state of a worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum WorkerState {
    /// Started, and not observed yet.
    #[default]
    Starting,
    /// At work.
    Running,
    /// Told to pause.
    Paused,
    /// Told to stop.
    Stopping,
    /// It ended by itself or was killed: "exit status 1", "signal 9".
    Dead {
        /// How, in words.
        how: String,
    },
}

/// What happened: a bounded ring, newest last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeline {
    /// The notices that are still kept, oldest first.
    pub notices: Vec<Notice>,
    /// How many older ones were dropped.
    pub dropped: u64,
}

impl Timeline {
    /// How many notices a timeline keeps.
    pub const CAPACITY: usize = 500;

    /// Adds a notice and drops the oldest beyond [`Timeline::CAPACITY`].
    pub fn push(&mut self, notice: Notice) {
        self.notices.push(notice);
        let over = self.notices.len().saturating_sub(Self::CAPACITY);
        self.notices.drain(..over);
        self.dropped += over as u64;
        assert!(self.notices.len() <= Self::CAPACITY, "a timeline keeps {} notices", Self::CAPACITY);
    }
}

/// One thing that happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notice {
    /// When: wall clock, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// What kind of thing.
    pub kind: NoticeKind,
    /// Its severity.
    pub severity: Severity,
    /// What it concerns: a group, a worker, a job.
    pub subject: String,
    /// What happened, in words: "generation 4, 2 members".
    pub text: String,
    /// How long it took, in milliseconds of wall time, once it is over.
    pub duration_ms: Option<f64>,
}

/// The kinds of things that happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A group assigned its partitions again.
    Rebalance,
    /// A partition got a new leader.
    Election,
    /// A process ended that should not have.
    Crash,
    /// A process started.
    Start,
    /// The batch lane ran.
    BatchRun,
    /// Something happened in the simulated world.
    Incident,
    /// Somebody used a control.
    Control,
    /// Anything else.
    #[default]
    Note,
}

/// The severity of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    #[default]
    Info,
    /// Recovered.
    Good,
    /// Worth attention.
    Warning,
    /// Something is broken.
    Bad,
}
