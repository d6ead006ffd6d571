//! The options of `freshet send`.

use clap::{Args, ValueEnum};

use super::{ClusterArgs, text};

/// What `--help` ends with.
const EXAMPLES: &str = "\
Records with the same key go to the same partition, and stay in order there; those without a key go \
anywhere. The command ends when all records are acknowledged, says where they are, and fails when \
one was refused.

Example:              freshet send greetings -m hello
With keys:            printf 'ada:3\\nbob:4\\n' | freshet send scores --key-separator :
A tombstone:          freshet send balances --key ada --tombstone
To another topic:     freshet record clicks | freshet send copy --json";

/// `freshet send`
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct SendArgs {
    /// Which topic; with `--json` it may be left away, and each record goes to the topic that its
    /// line names
    #[arg(required_unless_present = "json", value_parser = text)]
    pub(crate) topic: Option<String>,
    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
    /// The value of a record, in place of standard input; may be given again
    #[arg(long, short, value_name = "VALUE", value_parser = message, conflicts_with = "json")]
    pub(crate) message: Vec<String>,
    /// The key of every record
    #[arg(long, value_parser = text, conflicts_with = "json")]
    pub(crate) key: Option<String>,
    /// What stands between the key and the value of a record; `\t` is a tab
    #[arg(long, value_name = "TEXT", value_parser = separator, conflicts_with_all = ["key", "json"])]
    pub(crate) key_separator: Option<String>,
    /// A header of every record; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = header, conflicts_with = "json")]
    pub(crate) header: Vec<(String, String)>,
    /// To this partition, whatever the key
    #[arg(long, value_name = "NUMBER", conflicts_with = "json", value_parser = clap::value_parser!(i32).range(0..))]
    pub(crate) partition: Option<i32>,
    /// One record without a value: of a table it removes the key
    #[arg(long, requires = "key", conflicts_with_all = ["message", "json"])]
    pub(crate) tombstone: bool,
    /// Lines of the form that `freshet record` writes:
    /// `{"key":"ada","value":{"x":3},"headers":{"h":"v"},"partition":0,"timestamp":1772535600000}`
    ///
    /// Only the value must be there. It is sent as the JSON that it is, a text with its quotes;
    /// null is a tombstone. A timestamp is in milliseconds since 1970, or RFC 3339.
    #[arg(long)]
    pub(crate) json: bool,
    /// How batches are compressed
    #[arg(long, value_enum, default_value_t = Codec::None)]
    pub(crate) compression: Codec,
    /// Who has to have a record before it counts as sent
    #[arg(long, value_enum, default_value_t = Acks::All)]
    pub(crate) acks: Acks,
}

/// Kafka's `compression.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Codec {
    /// Not at all
    None,
    /// Small, for much processor time
    Gzip,
    /// Fast
    Snappy,
    /// Fast, and smaller
    Lz4,
    /// Small
    Zstd,
}

/// Kafka's `acks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Acks {
    /// All replicas that are in sync; each record is then written exactly once
    All,
    /// The leader
    #[value(name = "1")]
    Leader,
    /// No broker: a record may be lost, and its offset is not known
    #[value(name = "0")]
    None,
}

fn message(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it is empty: an empty line of standard input sends an empty value".to_owned());
    }
    Ok(text.to_owned())
}

fn separator(text: &str) -> Result<String, String> {
    match text {
        "\t" | "\\t" => Ok("\t".to_owned()),
        _ if text.trim().is_empty() => {
            Err("it is blank: write what stands between key and value, such as : or \\t".to_owned())
        }
        _ => Ok(text.to_owned()),
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE, such as from=me".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_and_headers_are_written_as_people_do() {
        for (text, taken) in [(":", ":"), ("\\t", "\t"), ("\t", "\t"), (" | ", " | ")] {
            assert_eq!(separator(text).as_deref(), Ok(taken));
        }
        assert!(separator("").is_err() && separator(" ").is_err());
        assert_eq!(header("from=a=b"), Ok(("from".to_owned(), "a=b".to_owned())));
        assert_eq!(header("from="), Ok(("from".to_owned(), String::new())));
        for text in ["", " ", "from", "=me", " =me"] {
            assert!(header(text).is_err(), "{text}");
        }
    }
}
