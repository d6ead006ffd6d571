//! The options of `freshet bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Format, Period, values};

/// `freshet bench`
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Send records as fast as the broker takes them
    Produce(VolumeArgs),
    /// Read records as fast as the broker gives them
    Consume(VolumeArgs),
    /// Send records at a fixed rate and time each one from its due moment to its arrival at a
    /// consumer
    Latency(LatencyArgs),
    /// Start a broker several times and time the first record it accepts and the first group it
    /// forms
    Start(StartArgs),
    /// Run the whole demo, put thousands of swipes a second on top, and time each one to its
    /// decision
    Swipes(AnswersArgs),
    /// Run the whole demo, put thousands of clicks a second on top, and time each one to its page
    Clicks(AnswersArgs),
}

/// Which broker is measured, and how the figures are written.
#[derive(Debug, Clone, Args)]
pub(crate) struct TargetArgs {
    /// Measure this cluster, ours or any other Kafka [default: a broker of our own, in a process of
    /// its own, on a temporary folder]
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "program", value_parser = values::servers)]
    pub(crate) bootstrap_servers: Option<String>,
    /// The same, by a Kafka client's properties file as clouds hand it out
    #[arg(long, value_name = "FILE", conflicts_with = "program", env = "FRESHET_CLIENT_CONFIG")]
    pub(crate) client_config: Option<PathBuf>,
    /// The process id of that cluster's broker on this machine, to count its CPU time and memory
    #[arg(long, value_name = "PID", requires = "bootstrap_servers")]
    pub(crate) broker_pid: Option<u32>,
    /// Start our broker from this `freshet` program, to compare two builds [default: this one]
    #[arg(long, value_name = "FILE")]
    pub(crate) program: Option<PathBuf>,
    /// Partitions of the topic that is written and read
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(i32).range(1..=1000))]
    pub(crate) partitions: i32,
    /// Any property of librdkafka, such as -X enable.idempotence=false
    #[arg(short = 'X', value_name = "KEY=VALUE", value_parser = values::text)]
    pub(crate) properties: Vec<String>,
    /// How the figures are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// How much, for `produce` and `consume`.
#[derive(Debug, Clone, Args)]
pub(crate) struct VolumeArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Records in a round
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(crate) records: u64,
    /// Bytes of each record's value
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(8..=900_000))]
    pub(crate) size: u32,
    /// How often it is done; all rounds are shown, and the median of each figure
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
    /// How long the producer lets records wait for company, in milliseconds
    #[arg(long, default_value_t = 5)]
    pub(crate) linger_ms: u32,
}

/// How much, for `latency`.
#[derive(Debug, Clone, Args)]
pub(crate) struct LatencyArgs {
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Records a second, whether or not the broker keeps up
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) rate: u64,
    /// For how long; the first second warms up and is in no percentile
    #[arg(long, default_value = "11s", value_name = "TIME", value_parser = values::length)]
    pub(crate) duration: Period,
    /// Bytes of each record's value
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(8..=900_000))]
    pub(crate) size: u32,
    /// How long the producer lets records wait for company, in milliseconds
    #[arg(long, default_value_t = 0)]
    pub(crate) linger_ms: u32,
}

/// How often, for `start`.
#[derive(Debug, Clone, Args)]
pub(crate) struct StartArgs {
    /// Start our broker from this `freshet` program [default: this one]
    #[arg(long, value_name = "FILE")]
    pub(crate) program: Option<PathBuf>,
    /// How often it is done; all rounds are shown, and the median of each figure
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
    /// How the figures are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// How much, for `swipes` and `clicks`.
#[derive(Debug, Clone, Args)]
pub(crate) struct AnswersArgs {
    /// Questions a second, whether or not they are answered [default: 5000 swipes, 2000 clicks]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) rate: Option<u64>,
    /// For how long; the first second warms up and is in no percentile
    #[arg(long, default_value = "21s", value_name = "TIME", value_parser = values::length)]
    pub(crate) duration: Period,
    /// How many different cards or items there are [default: 20000 cards, 5000 items]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) crowd: Option<u32>,
    /// Only the business that is asked runs, not the whole demo
    #[arg(long)]
    pub(crate) alone: bool,
    /// Run the demo from this `freshet` program, to compare two builds [default: this one]
    #[arg(long, value_name = "FILE")]
    pub(crate) program: Option<PathBuf>,
    /// How the figures are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
