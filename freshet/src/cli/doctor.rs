//! The options of `freshet doctor`.

use clap::Args;

use super::values::{address, time_to_look};
use super::{ClusterArgs, Format, Period, text};

/// `freshet doctor`
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The address, just as your program has it [default: that of --bootstrap-servers]
    #[arg(value_name = "HOST:PORT", value_parser = address)]
    pub(crate) address: Option<String>,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Look at this topic too: whether it is there, and has its leaders
    #[arg(long, value_name = "NAME", value_parser = text)]
    pub(crate) topic: Option<String>,
    /// Look at this consumer group too: its state, and how far it has come (in --topic)
    #[arg(long, value_name = "NAME", value_parser = text)]
    pub(crate) group: Option<String>,
    /// Send one record and read it back, and compare the broker's clock with this machine's
    ///
    /// It goes to a topic of its own, which is deleted again; with --topic to that topic, where it
    /// stays, and tells the broker's time only if that topic has
    /// message.timestamp.type=LogAppendTime.
    #[arg(long)]
    pub(crate) write: bool,
    /// Be done after so long at most: more for a cluster that is far away
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time_to_look)]
    pub(crate) within: Period,
    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
