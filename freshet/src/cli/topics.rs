//! The options of `freshet topics` and of what it can do to one.

use clap::{ArgGroup, Args, Subcommand};

use super::{ClusterArgs, Format, text};

/// `freshet topics`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct TopicsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<TopicsCommand>,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// What can be done with one topic.
#[derive(Debug, Subcommand)]
pub(crate) enum TopicsCommand {
    /// Show a topic: leaders, replicas, offsets, and the settings that somebody has set
    ///
    /// A partition's log lies on as many brokers as it has replicas. One of them leads: it takes
    /// the records and answers the readers. Those of the in-sync replicas (ISR) have all that it
    /// has. Eligible leader replicas (ELR) are no longer in sync and have all that was
    /// acknowledged: since Kafka 4.0 one of them may lead when no other is left.
    ///
    /// Example: `freshet topics describe card_swipes`
    Describe(DescribeTopicArgs),
    /// Create a topic
    ///
    /// Records with the same key go to the same partition and stay in order there; of the consumers
    /// of one group each has partitions of its own. So the number of partitions is the most
    /// consumers of a group that work at a time.
    ///
    /// Example: `freshet topics create payments --partitions 6 --config retention.ms=3600000`
    ///
    /// A table: `freshet topics create balances --config cleanup.policy=compact`
    Create(CreateTopicArgs),
    /// Change a topic's settings, or give it more partitions
    ///
    /// Settings that are not named stay as they are, and all that are named change or none does.
    /// Each is shown as it was and as it is. A topic can get more partitions, never fewer; the keys
    /// of new records are then spread otherwise, so that a key's old and new records may lie in two
    /// partitions.
    ///
    /// Example: `freshet topics alter payments --config retention.ms=60000`
    ///
    /// Back to the default: `freshet topics alter payments --delete-config retention.ms`
    Alter(AlterTopicArgs),
    /// Delete topics, with all their records
    ///
    /// It asks before it deletes. A script can't be asked: it says `--yes`.
    ///
    /// Example: `freshet topics delete payments balances`
    Delete(DeleteTopicsArgs),
}

/// `freshet topics describe`
#[derive(Debug, Args)]
pub(crate) struct DescribeTopicArgs {
    /// Which topic
    #[arg(value_name = "NAME", value_parser = text)]
    pub(crate) topic: String,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// All settings, also those with their default
    #[arg(long)]
    pub(crate) all: bool,
    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// `freshet topics create`
#[derive(Debug, Args)]
pub(crate) struct CreateTopicArgs {
    /// What it is to be called: letters, digits, `.`, `_` and `-`
    #[arg(value_name = "NAME", value_parser = text)]
    pub(crate) topic: String,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// How many partitions [default: as the cluster is set, `num.partitions`]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(1..=100_000))]
    pub(crate) partitions: Option<i32>,
    /// On how many brokers each partition is kept [default: as the cluster is set]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(1..=1_000))]
    pub(crate) replication_factor: Option<i32>,
    /// A setting, such as cleanup.policy=compact; may be given again
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
    pub(crate) config: Vec<(String, String)>,
    /// A topic of this name that is there already is no error, and stays as it is
    #[arg(long)]
    pub(crate) if_not_exists: bool,
}

/// `freshet topics alter`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("change").required(true).multiple(true)))]
pub(crate) struct AlterTopicArgs {
    /// Which topic
    #[arg(value_name = "NAME", value_parser = text)]
    pub(crate) topic: String,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// How many partitions it is to have in all
    #[arg(long, value_name = "NUMBER", group = "change", value_parser = clap::value_parser!(i32).range(1..=100_000))]
    pub(crate) partitions: Option<i32>,
    /// A setting and its new value; may be given again
    #[arg(long, value_name = "KEY=VALUE", group = "change", value_parser = setting)]
    pub(crate) config: Vec<(String, String)>,
    /// A setting that goes back to its default; may be given again
    #[arg(long, value_name = "KEY", group = "change", value_parser = text)]
    pub(crate) delete_config: Vec<String>,
}

/// `freshet topics delete`
#[derive(Debug, Args)]
pub(crate) struct DeleteTopicsArgs {
    /// Which topics
    #[arg(required = true, value_name = "NAME", value_parser = text)]
    pub(crate) topics: Vec<String>,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// A topic that is not there is no error
    #[arg(long)]
    pub(crate) if_exists: bool,
    /// Also a topic that Kafka keeps for itself, such as `__consumer_offsets`: how far all groups
    /// are is lost with it
    #[arg(long)]
    pub(crate) internal: bool,
}

/// A setting and its value.
fn setting(text: &str) -> Result<(String, String), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err("write KEY=VALUE, such as retention.ms=60000".to_owned());
    };
    // An empty value is one: whether the setting takes it is for the broker to say.
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() {
        return Err("before the = stands no setting: write KEY=VALUE, such as retention.ms=60000".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_has_a_name_and_a_value_which_may_be_empty() {
        let both = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(setting("retention.ms=60000"), both("retention.ms", "60000"));
        assert_eq!(setting(" a = b=c "), both("a", "b=c"));
        assert_eq!(setting("cleanup.policy= "), both("cleanup.policy", ""));
        for text in ["", " ", "retention.ms", "=60000", "="] {
            assert!(setting(text).is_err(), "{text}");
        }
    }
}
