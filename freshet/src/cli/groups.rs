//! The options of `freshet groups` and of what it can do to one.

use std::str::FromStr;

use clap::{ArgGroup, Args, Subcommand};

use super::{ClusterArgs, Format, Start, text};

/// `freshet groups`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct GroupsArgs {
    #[command(subcommand)]
    pub(crate) command: Option<GroupsCommand>,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// What can be done with one group.
#[derive(Debug, Subcommand)]
pub(crate) enum GroupsCommand {
    /// Show a group: its state, coordinator, members, and how far it is in each partition
    ///
    /// One broker coordinates the group: it knows its members and keeps its committed offsets. One
    /// of the members assigns the partitions, by the assignor that all of them know. The lag is
    /// what lies between a committed offset and the log's end: records that are still to be read.
    ///
    /// Example: `freshet groups describe fraud`
    Describe(DescribeGroupArgs),
    /// Move a group's committed offsets, to read again or to skip
    ///
    /// A group reads on at its committed offsets. This moves them: back, and records are read
    /// again; forward, and records are never read. The group may have no members meanwhile, since
    /// they would commit over it. Without `--execute` it only shows what would be moved.
    ///
    /// Example: `freshet groups reset my-first-app --topic card_swipes --to beginning --execute`
    ///
    /// Two partitions, a quarter of an hour back: `--topic card_swipes:0,2 --to 15m`
    Reset(ResetGroupArgs),
    /// Delete groups, or what a group has committed for a topic
    ///
    /// A group that is deleted has committed nothing: its consumers begin again, where their
    /// `auto.offset.reset` says. It may have no members. It asks before it deletes; a script says
    /// `--yes`.
    ///
    /// Example: `freshet groups delete my-first-app`
    ///
    /// What it has committed for one topic: `freshet groups delete my-first-app --topic
    /// card_swipes`
    Delete(DeleteGroupsArgs),
}

/// `freshet groups describe`
#[derive(Debug, Args)]
pub(crate) struct DescribeGroupArgs {
    /// Which group
    #[arg(value_parser = text)]
    pub(crate) group: String,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// `freshet groups reset`
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true)))]
pub(crate) struct ResetGroupArgs {
    /// Which group
    #[arg(value_parser = text)]
    pub(crate) group: String,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// A topic, all of it or some partitions, as `clicks:0,2`; may be given again
    #[arg(long, value_name = "TOPIC[:P,P]", group = "which")]
    pub(crate) topic: Vec<SomePartitions>,
    /// All that the group has committed offsets of
    #[arg(long, group = "which")]
    pub(crate) all_topics: bool,
    /// Where: `beginning`, `end`, an offset, an instant, `15m` ago, or `+10` and `-10` records from
    /// where it is
    ///
    /// What is not there stands for the nearest that is. Times are those at which records were
    /// sent, not those of a show's clock.
    #[arg(long, value_name = "WHERE", required = true, allow_hyphen_values = true)]
    pub(crate) to: ResetTo,
    /// Do it
    #[arg(long)]
    pub(crate) execute: bool,
    /// What is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// `freshet groups delete`
#[derive(Debug, Args)]
pub(crate) struct DeleteGroupsArgs {
    /// Which groups
    #[arg(required = true, value_name = "GROUP", value_parser = text)]
    pub(crate) groups: Vec<String>,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// Only what they have committed for this topic, which none of their members may read
    #[arg(long, value_parser = text)]
    pub(crate) topic: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// A topic, and which of its partitions: all where none is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SomePartitions {
    pub(crate) topic: String,
    pub(crate) partitions: Vec<i32>,
}

impl FromStr for SomePartitions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // No topic's name has a colon.
        let (topic, numbers) = text.split_once(':').map_or((text, None), |(topic, some)| (topic, Some(some)));
        let number = |text: &str| {
            text.parse().ok().filter(|number| *number >= 0).ok_or_else(|| {
                format!("`{text}` is no partition: write the topic and numbers, such as clicks:0,2")
            })
        };
        let partitions = numbers.map_or(Ok(Vec::new()), |all| all.split(',').map(number).collect())?;
        Ok(Self { topic: super::text(topic)?, partitions })
    }
}

/// Where a group is to read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResetTo {
    /// At a place in the topic.
    Place(Start),
    /// So many records from where it is.
    By(i64),
}

impl FromStr for ResetTo {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(digits) = text.strip_prefix(['+', '-'])
            && !digits.is_empty()
            && digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            return text.parse().map(Self::By).map_err(|_| format!("`{text}` is further than any offset"));
        }
        text.parse().map(Self::Place).map_err(|error| format!("{error}; or +10 or -10 from where it is"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Moment, Period};
    use super::*;

    #[test]
    fn partitions_of_a_topic_are_named_as_kafkas_tool_names_them() {
        let some = |topic: &str, partitions: &[i32]| {
            Ok(SomePartitions { topic: topic.to_owned(), partitions: partitions.to_vec() })
        };
        assert_eq!("clicks".parse(), some("clicks", &[]));
        assert_eq!("clicks:0".parse(), some("clicks", &[0]));
        assert_eq!("clicks:0,2".parse(), some("clicks", &[0, 2]));
        for text in [
            "",
            " ",
            ":0",
            "clicks:",
            "clicks:0,",
            "clicks:-1",
            "clicks:a",
            "clicks:0:1",
            "clicks:99999999999",
        ] {
            assert!(text.parse::<SomePartitions>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_place_to_read_on_may_count_from_where_it_is() {
        let places = [
            ("+10", ResetTo::By(10)),
            ("-10", ResetTo::By(-10)),
            ("10", ResetTo::Place(Start::Offset(10))),
            ("end", ResetTo::Place(Start::End)),
            ("15m", ResetTo::Place(Start::Sent(Moment::Ago(Period(900_000))))),
        ];
        for (text, place) in places {
            assert_eq!(text.parse(), Ok(place), "{text}");
        }
        for text in
            ["", " ", "+", "-", "--10", "+-1", "-15m", "99999999999999999999", "+99999999999999999999"]
        {
            assert!(text.parse::<ResetTo>().is_err(), "{text}");
        }
    }
}
