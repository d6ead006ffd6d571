//! `freshet compare`.

use std::path::PathBuf;

use clap::Args;
use events::Timestamp;

use scenarios::business::{Logic, World};
use scenarios::businesses::Scenario;

use super::values::{self, speed};
use super::{Format, FraudCosts, Period, names};

/// `freshet compare`
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Which businesses are compared
    #[arg(long, value_parser = names::scenario(), default_value = Scenario::ALL)]
    pub(crate) scenario: Scenario,
    /// How often the batch lane runs, in event time; 0s is the stream, beside which all others
    /// stand
    #[arg(long, value_delimiter = ',', value_name = "PERIOD,…", default_value = "0s,10s,1m,15m,1h,6h,1d")]
    pub(crate) periods: Vec<Period>,
    /// Compare on this file that `freshet record` wrote, `simulation_truth` included, instead of
    /// simulating
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "start", "drivers"])]
    pub(crate) from: Option<PathBuf>,
    /// Simulate so much time of each business [default: 1h; 36h of payments, 24h of markets, 6h of
    /// the shop alone]; of a file, take so much from its beginning
    #[arg(long, value_name = "TIME", value_parser = values::length)]
    pub(crate) duration: Option<Period>,
    /// Read --duration as a demo does, as wall-clock time in which simulated time runs so much
    /// faster
    #[arg(long, requires = "duration", value_parser = speed)]
    pub(crate) speed: Option<f64>,
    /// The same seed gives the same events, and so the same bill
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Simulated time at the start, RFC 3339
    #[arg(long, value_name = "TIME", default_value = "2026-03-03T10:45:00Z")]
    pub(crate) start: Timestamp,
    /// Cars on the road
    #[arg(long, default_value_t = 160, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) drivers: u32,
    /// The streets [default: La Serena]
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,
    /// A past to learn from before the first event, as lines of a record; both lanes learn from it.
    /// A simulated log has its own
    #[arg(long, value_name = "FILE")]
    pub(crate) history: Vec<PathBuf>,
    /// Write a page with plots that needs nothing else, for a browser
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write the plots alone, as one picture
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// What is written to standard output
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) costs: FraudCosts,
}

impl CompareArgs {
    /// What the processors are told.
    pub(crate) fn logic(&self) -> Logic {
        self.costs.logic(self.map.as_ref(), self.history.clone())
    }

    /// What the simulators are told.
    pub(crate) fn world(&self) -> World {
        World { seed: self.seed, start: self.start, drivers: self.drivers, map: self.map.clone() }
    }
}
