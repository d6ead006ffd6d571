//! `freshet batch` and `freshet report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use scenarios::business::{Job, Logic};

use super::{ClusterArgs, ControlArgs, Format, FraudCosts, Period, Span, TimeArgs, names, values};

/// Where the batch lane loads its rows unless told otherwise.
pub(crate) const DEFAULT_DATABASE: &str = "data/warehouse.sqlite";

/// A step of a run of the batch lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BatchStage {
    /// The window's records, and what came before them, from the log to files
    Extract,
    /// Records to rows and answers; needs neither cluster nor database
    Transform,
    /// Rows to the database
    Load,
    /// Answers to their topics
    Publish,
}

impl From<BatchStage> for lanes::Stage {
    fn from(stage: BatchStage) -> Self {
        match stage {
            BatchStage::Extract => Self::Extract,
            BatchStage::Transform => Self::Transform,
            BatchStage::Load => Self::Load,
            BatchStage::Publish => Self::Publish,
        }
    }
}

/// What `freshet batch --help` ends with.
const BATCH_HELP: &str = "\
Without --window the job has a scheduler inside: it waits for each period to be over, and runs it. Periods that it missed it runs one after the other.

With --window it runs exactly the periods that are named, as a scheduler such as Airflow wants it (see examples/airflow and docs/batch.md). A window that is run again changes nothing. With --stage it does one step of that, and leaves files for the next:

  freshet batch fraud --once
  freshet batch fraud --window 2026-03-03T11:00Z..2026-03-03T12:00Z
  freshet batch fraud --window 2026-03-03..2026-03-04          (24 windows, one after the other)
  freshet batch fraud --window 2026-03-03T11:00Z..2026-03-03T12:00Z --stage extract --files data/runs";

/// `freshet batch`
#[derive(Debug, Args)]
#[command(after_long_help = BATCH_HELP)]
pub(crate) struct BatchArgs {
    /// Which job
    #[arg(value_parser = names::job())]
    pub(crate) job: &'static Job,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    #[command(flatten)]
    pub(crate) time: TimeArgs,
    /// How often the job runs, in simulated time
    #[arg(long, default_value = "1h", value_name = "PERIOD", value_parser = values::between_runs)]
    pub(crate) period: Period,
    /// Where the rows go: a file's name for SQLite, or `postgres://user@host:5432/name` (set the
    /// password in PGPASSWORD)
    #[arg(long, value_name = "FILE|URL", default_value = DEFAULT_DATABASE, env = "FRESHET_DATABASE", value_parser = values::database)]
    pub(crate) database: String,
    /// Run once over what is there now, then end
    #[arg(long, conflicts_with = "window")]
    pub(crate) once: bool,
    /// Run the periods from START to END, then end. Instants are RFC 3339, or a date; without an
    /// offset they are UTC
    #[arg(long, value_name = "START..END")]
    pub(crate) window: Option<Span>,
    /// Do this step alone
    #[arg(long, value_enum, requires = "window", requires = "files")]
    pub(crate) stage: Option<BatchStage>,
    /// Where the steps leave files for each other, in a folder for each run [default: a temporary
    /// folder]
    #[arg(long, value_name = "DIR", requires = "window")]
    pub(crate) files: Option<PathBuf>,
    /// How long after its end a window is left open for late records, in event time
    #[arg(long, default_value = "30s", value_name = "TIME")]
    pub(crate) grace: Period,
    /// How often to retry a database that is down, locked, full or not writable, after 1, 2, 4, …
    /// 30 s; scheduled jobs retry forever
    #[arg(long, default_value_t = 5, value_name = "COUNT")]
    pub(crate) retries: u32,
    /// The streets, for eta [default: La Serena]
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,
    /// Swipes and chargebacks to learn from before the first run, as lines of a record
    #[arg(long, value_name = "FILE")]
    pub(crate) history: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) costs: FraudCosts,
    #[command(flatten)]
    pub(crate) control: ControlArgs,
}

impl BatchArgs {
    /// What the processors are told.
    pub(crate) fn logic(&self) -> Logic {
        self.costs.logic(self.map.as_ref(), self.history.clone())
    }
}

/// What `freshet report --help` ends with.
const REPORT_HELP: &str = "\
The database is data at rest: it may be asked anything else, too, by anyone who knows SQL. docs/batch.md has the tables.

  freshet report --window 2026-03-03..2026-03-04 --format jsonl
  sqlite3 data/warehouse.sqlite 'SELECT * FROM batch_runs'";

/// `freshet report`
#[derive(Debug, Args)]
#[command(after_long_help = REPORT_HELP)]
pub(crate) struct ReportArgs {
    /// The database that `freshet batch` has loaded: a file's name for SQLite, or
    /// `postgres://user@host:5432/name` [default: that of the running demo, or
    /// data/warehouse.sqlite]
    #[arg(long, value_name = "FILE|URL", env = "FRESHET_DATABASE", value_parser = values::database)]
    pub(crate) database: Option<String>,
    /// The time to tell of [default: the latest window that all jobs have loaded]
    #[arg(long, value_name = "START..END")]
    pub(crate) window: Option<Span>,
    /// Print the queries instead of their answers, to be pasted into sqlite3 or psql
    #[arg(long, conflicts_with = "format")]
    pub(crate) sql: bool,
    /// How many roads and items
    #[arg(long, default_value_t = 10, value_name = "COUNT")]
    pub(crate) top: u32,
    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// The streets, for their names [default: La Serena]
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,
}
