//! `freshet batch`: one job of the batch lane.

use anyhow::{Result, bail};

use crate::cli::BatchArgs;

/// Runs the job on its schedule, or once.
pub(crate) fn run(_args: &BatchArgs) -> Result<()> {
    bail!("the batch lane is being put together")
}
