//! `freshet replay`: a consumer's logic over a file.

use std::path::PathBuf;

use clap::Args;
use scenarios::business::{Business, Logic};

use super::{FraudCosts, Period, names};

/// `freshet replay`
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// Whose logic
    #[arg(value_parser = names::replay())]
    pub(crate) consumer: &'static Business,
    /// 0s answers each event at once; anything longer is the batch lane with this period
    #[arg(long, default_value = "0s", value_name = "PERIOD")]
    pub(crate) period: Period,
    /// The streets, for eta [default: La Serena]
    #[arg(long, value_name = "FILE")]
    pub(crate) map: Option<PathBuf>,
    /// A ping that is older than this beside its driver's newest is counted as late
    #[arg(long, default_value = "30s", value_name = "TIME")]
    pub(crate) lateness: Period,
    #[command(flatten)]
    pub(crate) costs: FraudCosts,
}

impl ReplayArgs {
    /// What the processor is told.
    pub(crate) fn logic(&self) -> Logic {
        Logic { lateness_ms: self.lateness.ms(), ..self.costs.logic(self.map.as_ref(), None) }
    }
}
