//! `freshet ledger`: what became of every question.

use clap::Args;

use super::{ClusterArgs, Format, Moment};

/// `freshet ledger`
#[derive(Debug, Args)]
pub(crate) struct LedgerArgs {
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Count from here on, not from the beginning of the log: `10m` ago, or an instant
    ///
    /// Times are those at which records were sent, not those of a show's clock.
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<Moment>,
    /// Show everything that was counted, dead letters and duplicate events too
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
