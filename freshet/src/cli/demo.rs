//! `freshet demo`.

use std::path::PathBuf;

use clap::Args;

use scenarios::business::World;
use scenarios::businesses::Scenario;

use super::{Format, ListenArgs, MetricsArgs, Period, ScreenArgs, TimeArgs, names, values};

/// `freshet demo`
#[derive(Debug, Clone, Args)]
pub(crate) struct DemoArgs {
    /// Which businesses run
    #[arg(long, value_parser = names::scenario(), default_value = Scenario::ALL)]
    pub(crate) scenario: Scenario,
    #[command(flatten)]
    pub(crate) time: TimeArgs,
    /// How often the batch jobs run, in simulated time
    #[arg(long, default_value = "1h", value_name = "PERIOD", value_parser = values::between_runs)]
    pub(crate) batch_period: Period,
    /// No dashboard: a line a second on standard output
    #[arg(long)]
    pub(crate) headless: bool,
    /// Stop after this much real time, such as 30s or 5m, counted from when the show's clock starts
    #[arg(long, value_name = "TIME", value_parser = values::length)]
    pub(crate) duration: Option<Period>,
    /// What a headless run writes
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) listen: ListenArgs,
    /// The embedded broker refuses topics that nobody has made, instead of making them
    #[arg(long, conflicts_with_all = ["bootstrap_servers", "client_config"])]
    pub(crate) no_auto_create: bool,
    /// Use this cluster instead of an embedded broker
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["listen", "advertise", "tls", "tls_cert", "users"], env = "FRESHET_BOOTSTRAP_SERVERS", value_parser = values::servers)]
    pub(crate) bootstrap_servers: Option<String>,
    /// Use the cluster of this Kafka client's properties file, as clouds hand it out: where the
    /// cluster is, TLS, user and password
    #[arg(long, value_name = "FILE", conflicts_with_all = ["listen", "advertise"], env = "FRESHET_CLIENT_CONFIG")]
    pub(crate) client_config: Option<PathBuf>,
    /// Leave the log and the database in this empty folder, to look into them afterwards [default:
    /// a temporary folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// How much of the disk the show may take, such as 1.5GB: of its log the newest is kept
    /// [default: 1.5GB, or what the batch period needs]
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub(crate) disk: Option<u64>,
    /// Where the batch jobs load their rows, such as `postgres://user@host:5432/name` [default: a
    /// SQLite file beside the log]
    #[arg(long, value_name = "FILE|URL", env = "FRESHET_DATABASE", value_parser = values::database)]
    pub(crate) database: Option<String>,
    /// Cars on the road
    #[arg(long, default_value_t = 160, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) drivers: u32,
    /// Draw the city on this map instead of La Serena (see `freshet map build`)
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,
    /// Say at the end all that was counted, and the bill with this machine's delays too
    #[arg(long, short)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

impl DemoArgs {
    /// What the simulators are told.
    pub(crate) fn world(&self) -> World {
        let TimeArgs { seed, start, .. } = self.time;
        World { seed, start, drivers: self.drivers, map: self.map.clone() }
    }
}
