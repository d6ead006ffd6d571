//! `freshet manual`: its option.

use std::path::PathBuf;

use clap::Args;

/// `freshet manual`
#[derive(Debug, Args)]
pub(crate) struct ManualArgs {
    /// Which folder, such as ~/.local/share
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
}
