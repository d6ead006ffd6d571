//! The commands and their options. Each `--help` is written to be read by someone who has just met
//! Kafka.

mod batch;
mod bench;
mod compare;
mod demo;
mod doctor;
mod groups;
mod ledger;
mod listen;
mod manual;
mod names;
mod replay;
mod send;
mod topics;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use consumers::fraud::Costs;
use events::Timestamp;
use scenarios::business::{Business, Logic, OPENING_START, Worker, World};

pub(crate) use batch::{BatchArgs, DEFAULT_DATABASE, ReportArgs};
pub(crate) use bench::{AnswersArgs, BenchCommand, LatencyArgs, StartArgs, TargetArgs, VolumeArgs};
pub(crate) use compare::CompareArgs;
pub(crate) use demo::DemoArgs;
pub(crate) use doctor::DoctorArgs;
pub(crate) use groups::{
    DeleteGroupsArgs, DescribeGroupArgs, GroupsArgs, GroupsCommand, ResetGroupArgs, ResetTo, SomePartitions,
};
pub(crate) use ledger::LedgerArgs;
pub(crate) use listen::ListenArgs;
pub(crate) use manual::ManualArgs;
pub(crate) use replay::ReplayArgs;
pub(crate) use send::{Acks, Codec, SendArgs};
pub(crate) use topics::{
    AlterTopicArgs, CreateTopicArgs, DeleteTopicsArgs, DescribeTopicArgs, TopicsArgs, TopicsCommand,
};
pub(crate) use values::{Moment, Period, Span, Start};
use values::{address, servers, share, speed, text};

/// Where a broker listens unless told otherwise.
pub(crate) const DEFAULT_LISTEN: &str = "localhost:9092";
/// Where clients look for a broker unless told otherwise.
pub(crate) const DEFAULT_ADDRESS: &str = "127.0.0.1:9092";

/// See on live data what streaming is, and what waiting costs.
///
/// `freshet demo` shows everything at once: a broker that speaks the Kafka protocol, three
/// simulated businesses that feed it, the consumers that answer them, the same logic as an hourly
/// batch job, and a dashboard that keeps the bill.
///
/// Every other command is one part of it, to be run by itself against this broker or any other
/// Kafka.
#[derive(Debug, Parser)]
#[command(name = "freshet", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// What a command line says, or what is wrong with it.
    pub(crate) fn read<T: Into<OsString> + Clone>(
        line: impl IntoIterator<Item = T>,
    ) -> Result<Self, clap::Error> {
        let mut command = with_negative_numbers(Self::command());
        let matches = command.try_get_matches_from_mut(line)?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

/// A negative number behind an option is its value. Few take one: they say themselves what is wrong
/// with it, in place of clap's advice on how to write one that is an argument.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let option = |arg: clap::Arg| {
        let takes = !arg.is_positional() && arg.get_action().takes_values();
        if takes { arg.allow_negative_numbers(true) } else { arg }
    };
    command.mut_args(option).mut_subcommands(with_negative_numbers)
}

/// One variant a command; each is a file of `commands/`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the whole show: broker, businesses, both lanes, dashboard
    Demo(DemoArgs),
    /// Run the broker alone, for anyone's client
    Broker(BrokerArgs),
    /// Run one simulated business, which sends its events as they happen
    Produce(ProduceArgs),
    /// Run one consumer of the stream lane, which answers each event at once
    Consume(ConsumeArgs),
    /// Run one job of the batch lane, once an hour of simulated time
    Batch(BatchArgs),
    /// Ask the database what an hour brought: revenue, fraud, busiest roads, best sellers
    Report(ReportArgs),
    /// Watch any cluster: throughput, lag, and the show if there is one
    Dashboard(DashboardArgs),
    /// Find out why nothing connects: what is wrong with an address, and what to do
    ///
    /// Goes the way that your program goes (the name, what listens there, where the broker says
    /// that it is) and says in a sentence each what is wrong and what to do. Of a `freshet broker`
    /// it also tells which clients that has refused lately, and why. Where nothing is wrong it says
    /// what it has looked at, and how a Python program reads from there. Exits with 1 if there are
    /// findings. Example: `freshet doctor localhost:9092 --topic clicks --group my-app`
    Doctor(DoctorArgs),
    /// Print a topic's records as they arrive
    Tail(TailArgs),
    /// List topics with their partitions and offsets; create, describe, alter and delete them
    Topics(TopicsArgs),
    /// List consumer groups with their members and lag; describe, reset and delete them
    Groups(GroupsArgs),
    /// List the brokers of a cluster: what each leads and follows, and who is the controller
    ///
    /// A partition is led by one broker; others may follow, with a replica each, and are in sync
    /// while they have all that its leader has. The controllers keep the log of the cluster's
    /// metadata: the active one of them decides who leads what.
    Brokers(BrokersArgs),
    /// Send records: each line of standard input is one
    Send(SendArgs),
    /// Write topics to a file, one record a line, from their beginning to their present end
    Record(RecordArgs),
    /// Run a consumer's logic over a file, with no broker
    ///
    /// Answers go to standard output. What was noticed goes to standard error, and for fraud how
    /// good the decisions were by the log's own chargebacks: ROC AUC, average precision, card
    /// precision at 100 a day, calibration, money stopped, legitimate customers declined, and
    /// decision latency. Each swipe counts with what was said before its label came, so no figure
    /// is of data that had been learnt from.
    Replay(ReplayArgs),
    /// Say what became of every question: answered, in flight, expired, lost
    ///
    /// Reads every question and every answer that the cluster keeps and matches them by the header
    /// of the answers that names the record they answer: asked = answered + waiting + lost. Fails
    /// when anything was lost or answered twice. Run it after killing a consumer, or the broker.
    ///
    /// The longer a show has run, the longer this takes. `--since` reads the end of the log alone.
    Ledger(LedgerArgs),
    /// Show what waiting costs: one log, the same logic at several periods, the bill of each
    ///
    /// Runs the stream and, at each period, the batch lane over one and the same log, and bills
    /// each against what truly happened: minutes of ETA error, money, missed clicks, with the
    /// number of cases and how sure the figure is. Needs no broker, and gives the same bill for the
    /// same log every time. It says so where batch is equivalent within a stated margin, and where
    /// there is no significant difference yet.
    ///
    /// The default takes one to three minutes on two processors. After some seconds it says how
    /// long it takes on yours, and from then on how long is left. A show that runs on the same
    /// machine slows it down: end the show first.
    Compare(CompareArgs),
    /// Make a street map
    #[command(subcommand)]
    Map(MapCommand),
    /// Measure a broker, ours or any other Kafka: records and megabytes a second, CPU time, memory,
    /// delays
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Write pages for man, and completions for bash, fish and zsh, into a folder
    ///
    /// They are laid out below it as below /usr/share. man, bash and fish look below ~/.local/share
    /// by themselves; zsh does once the line `fpath+=(~/.local/share/zsh/site-functions)` stands in
    /// .zshrc before `compinit`.
    Manual(ManualArgs),
}

impl Command {
    /// Whether a supervisor has started it, and reads what it tells on standard output.
    pub(crate) fn is_supervised(&self) -> bool {
        match self {
            Self::Produce(args) => args.control.supervised,
            Self::Consume(args) => args.control.supervised,
            Self::Batch(args) => args.control.supervised,
            Self::Demo(_)
            | Self::Broker(_)
            | Self::Report(_)
            | Self::Dashboard(_)
            | Self::Doctor(_)
            | Self::Tail(_)
            | Self::Topics(_)
            | Self::Brokers(_)
            | Self::Groups(_)
            | Self::Send(_)
            | Self::Record(_)
            | Self::Replay(_)
            | Self::Ledger(_)
            | Self::Compare(_)
            | Self::Map(_)
            | Self::Bench(_)
            | Self::Manual(_) => false,
        }
    }
}

/// A ping that is older than this beside its driver's newest is late, where no option says
/// otherwise.
const USUAL_LATENESS: Period = Period(30_000);

/// How to reach the cluster.
#[derive(Debug, Clone, Args)]
pub(crate) struct ClusterArgs {
    /// Any broker of the cluster, ours or any other Kafka [default: as --client-config says, or
    /// 127.0.0.1:9092]
    #[arg(long, value_name = "HOST:PORT", env = "FRESHET_BOOTSTRAP_SERVERS", value_parser = servers)]
    pub(crate) bootstrap_servers: Option<String>,
    /// A Kafka client's properties file as clouds hand it out: where the cluster is, TLS, user and
    /// password
    #[arg(long, value_name = "FILE", env = "FRESHET_CLIENT_CONFIG")]
    pub(crate) client_config: Option<PathBuf>,
}

/// `freshet brokers`
#[derive(Debug, Args)]
pub(crate) struct BrokersArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// The two clocks and the seed, the same for every process of a show.
#[derive(Debug, Clone, Args)]
pub(crate) struct TimeArgs {
    /// Simulated seconds in a second: at 60 an hour is a minute
    #[arg(long, default_value_t = 60.0, value_parser = speed)]
    pub(crate) speed: f64,
    /// The same seed gives the same events, byte for byte, at any speed
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Simulated time at the start, RFC 3339
    #[arg(long, value_name = "TIME", default_value = OPENING_START, value_parser = values::instant)]
    pub(crate) start: Timestamp,
    /// Wall-clock start time (Unix ms), when several processes share one show [default: now]
    #[arg(long, value_name = "MS")]
    pub(crate) started_at: Option<i64>,
}

/// How the dashboard looks.
#[derive(Debug, Clone, Args)]
pub(crate) struct ScreenArgs {
    /// Colours of the dashboard (`NO_COLOR` is respected too) [default: as the settings say, or
    /// dark]
    #[arg(long, value_name = "NAME", value_parser = text)]
    pub(crate) theme: Option<String>,
    /// Which characters draw the map and the plots [default: as in the settings, or braille; ascii
    /// where the locale has no UTF-8 or TERM is dumb]
    #[arg(long, value_name = "SET", value_parser = text)]
    pub(crate) glyphs: Option<String>,
}

/// What Prometheus is told.
#[derive(Debug, Clone, Args)]
pub(crate) struct MetricsArgs {
    /// Tell what is measured to Prometheus, at http://HOST:PORT/metrics, such as 127.0.0.1:9308
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    pub(crate) metrics: Option<String>,
}

/// The form of what is written to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Words
    Text,
    /// One JSON object a line
    Jsonl,
}

/// `freshet broker`
#[derive(Debug, Args)]
pub(crate) struct BrokerArgs {
    #[command(flatten)]
    pub(crate) listen: ListenArgs,
    /// Where the log is kept
    #[arg(long, value_name = "DIR", default_value = "data/broker")]
    pub(crate) data_dir: PathBuf,
    /// Keep the log in a temporary folder, which is gone afterwards
    #[arg(long, conflicts_with = "data_dir")]
    pub(crate) temporary: bool,
    /// Partitions of a topic that is made by being written to
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(i32).range(1..=1000))]
    pub(crate) partitions: i32,
    /// Refuse topics that nobody has made, instead of making them
    #[arg(long)]
    pub(crate) no_auto_create: bool,
    /// End when standard input closes: so it never outlives the program that has started it
    #[arg(long)]
    pub(crate) supervised: bool,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
}

/// `freshet produce`
#[derive(Debug, Args)]
pub(crate) struct ProduceArgs {
    /// Which business
    #[arg(value_parser = names::producer())]
    pub(crate) business: &'static Business,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    #[command(flatten)]
    pub(crate) time: TimeArgs,
    /// Cars on the road
    #[arg(long, default_value_t = 160, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) drivers: u32,
    /// The streets [default: La Serena]
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,
    /// Write the events to standard output as lines for `freshet replay`, as fast as possible, for
    /// so much simulated time, and send nothing
    #[arg(long, value_name = "TIME", value_parser = values::length)]
    pub(crate) print: Option<Period>,
    /// Send what leaves before this instant of simulated time, RFC 3339, and end
    #[arg(long, value_name = "TIME", value_parser = values::instant)]
    pub(crate) until: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) control: ControlArgs,
}

impl ProduceArgs {
    /// What the simulator is told.
    pub(crate) fn world(&self) -> World {
        let TimeArgs { seed, start, .. } = self.time;
        World { seed, start, drivers: self.drivers, map: self.map.clone() }
    }
}

/// How a supervisor talks to a worker.
#[derive(Debug, Clone, Args)]
pub(crate) struct ControlArgs {
    /// The name under which the cluster's tools and the dashboard show this process [default: what
    /// it does]
    #[arg(long, value_name = "NAME", env = "FRESHET_CLIENT_ID", value_parser = text)]
    pub(crate) client_id: Option<String>,
    /// Obey lines on standard input (pause, resume, burst, stop) and end when it closes
    #[arg(long, hide = true)]
    pub(crate) supervised: bool,
}

/// `freshet consume`
#[derive(Debug, Args)]
pub(crate) struct ConsumeArgs {
    /// Which consumer
    #[arg(value_parser = names::worker())]
    pub(crate) consumer: &'static Worker,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Instances with the same group share the partitions [default: the consumer's name]
    #[arg(long, value_parser = text)]
    pub(crate) group: Option<String>,
    /// The streets, for eta and traffic [default: La Serena]
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,
    /// A ping that is older than this beside its driver's newest is counted as late
    #[arg(long, default_value = "30s", value_name = "TIME")]
    pub(crate) lateness: Period,
    /// Swipes and chargebacks to learn from before the first decision, as lines of a record
    #[arg(long, value_name = "FILE")]
    pub(crate) history: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) costs: FraudCosts,
    #[command(flatten)]
    pub(crate) control: ControlArgs,
}

impl ConsumeArgs {
    /// What the processors are told.
    pub(crate) fn logic(&self) -> Logic {
        let logic = self.costs.logic(self.map.as_ref(), self.history.clone());
        Logic { lateness_ms: self.lateness.ms(), ..logic }
    }
}

/// What a wrong decision costs the business.
#[derive(Debug, Clone, Args)]
pub(crate) struct FraudCosts {
    /// Cost of declining a legitimate customer, in cents, whatever the amount
    #[arg(long, default_value_t = 500, value_name = "CENTS", value_parser = clap::value_parser!(i64).range(0..=100_000_000))]
    pub(crate) decline_cost_cents: i64,
    /// Further cost of declining a legitimate customer, as a share of the amount
    #[arg(long, default_value_t = 0.02, value_name = "SHARE", value_parser = share)]
    pub(crate) decline_margin: f64,
    /// A swipe without a chargeback for so long counts as genuine
    #[arg(long, default_value = "7d", value_name = "TIME")]
    pub(crate) label_delay: Period,
}

impl FraudCosts {
    /// What a processor is told, with the streets of `map` and the histories of these files.
    fn logic(&self, map: Option<&PathBuf>, histories: impl IntoIterator<Item = PathBuf>) -> Logic {
        Logic {
            map: map.cloned(),
            lateness_ms: USUAL_LATENESS.ms(),
            costs: Costs { fixed_cents: self.decline_cost_cents as f64, margin: self.decline_margin },
            label_delay_ms: self.label_delay.ms(),
            histories: histories.into_iter().collect(),
        }
    }
}

/// `freshet dashboard`
#[derive(Debug, Args)]
pub(crate) struct DashboardArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// The streets to draw [default: La Serena]
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,
    /// Watch for a few seconds, draw one screen as SVG into this file, and end
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) snapshot: Option<PathBuf>,
    /// The size of that screen in characters
    #[arg(long, value_name = "COLSxROWS", default_value = "120x40", value_parser = text)]
    pub(crate) size: String,
    /// No dashboard: a line a second on standard output
    #[arg(long)]
    pub(crate) headless: bool,
    /// What a headless run writes
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
    #[command(flatten)]
    pub(crate) screen: ScreenArgs,
}

/// `freshet tail`
#[derive(Debug, Args)]
pub(crate) struct TailArgs {
    /// Which topic
    #[arg(value_parser = text)]
    pub(crate) topic: String,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Start here instead of with the next record: `beginning`, an offset, an instant, or `15m` ago
    ///
    /// An offset counts in each partition, and one that is not there stands for the nearest that
    /// is. Times are those at which records were sent, not those of a show's clock.
    #[arg(long, value_name = "WHERE", default_value = "end")]
    pub(crate) from: Start,
    /// The same as `--from beginning`
    #[arg(long, conflicts_with = "from")]
    pub(crate) from_beginning: bool,
    /// Only this partition
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(0..))]
    pub(crate) partition: Option<i32>,
    /// Only records with this key
    #[arg(long, value_parser = text)]
    pub(crate) key: Option<String>,
    /// Exit after N records
    #[arg(long, short = 'n', value_name = "COUNT")]
    pub(crate) count: Option<u64>,
    /// Only the values, without partition, offset and key
    #[arg(long)]
    pub(crate) values: bool,
    /// The topic as a table: of each key the newest value, up to the present end of the topic
    ///
    /// A table is what a log of changes amounts to: each record sets its key to its value, and one
    /// without a value (a tombstone) removes it. Rows are sorted by the bytes of their keys. Behind
    /// them is said how many records were read, how many keys there are, how many are gone, and
    /// whether the topic is compacted. All keys and their values are held in memory.
    #[arg(long, conflicts_with_all = ["from", "from_beginning", "count"])]
    pub(crate) as_table: bool,
}

/// `freshet record`
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// Which topics
    #[arg(required = true, value_parser = text)]
    pub(crate) topics: Vec<String>,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// `freshet map`
#[derive(Debug, Subcommand)]
pub(crate) enum MapCommand {
    /// Make a map from a CSV of links and one of junctions, or from an OpenStreetMap extract
    ///
    /// `freshet map build LINKS.csv NODES.csv OUT` or `freshet map build FILE.osm.pbf OUT`
    Build {
        /// LINKS.csv NODES.csv OUT, or FILE.osm.pbf OUT
        #[arg(required = true, num_args = 2..=3, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

#[cfg(test)]
mod tests;
