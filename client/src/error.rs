//! What can go wrong, each with the address or the name that it concerns and with the remedy: an
//! enum for each kind of operation, so that its caller matches on what can happen there.

use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use thiserror::Error;

use crate::Settings;
use crate::config_file::is_secret;

/// Why a question to a cluster has no answer: what can happen to every operation that needs one.
///
/// [`Watcher`](crate::Watcher) and most of [`Admin`](crate::Admin) give it as it is. The operations
/// to which more can happen have an enum of their own, in which this is the variant `Cluster`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClusterError {
    /// No answer came in time.
    #[error(
        "{what}: could not reach {servers} within {seconds} s: is a broker running? start one with `freshet broker`"
    )]
    Unreachable {
        /// What was tried.
        what: String,
        /// The bootstrap servers.
        servers: String,
        /// How long was waited.
        seconds: u64,
    },
    /// Somebody is there, and nothing can be said before a person changes something: a certificate,
    /// a protocol.
    #[error("{what}: {servers} can't be used: {reason}")]
    Unsuited {
        /// What was tried.
        what: String,
        /// The bootstrap servers.
        servers: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A property that librdkafka does not take. It is looked at when a client is made.
    #[error(
        "the client property {key}={value} is refused: {reason}; the list is librdkafka's CONFIGURATION.md"
    )]
    BadProperty {
        /// The name of the property.
        key: String,
        /// The value that was given.
        value: String,
        /// librdkafka's reason.
        reason: String,
    },
    /// The cluster answered, and refused.
    #[error("{what}: {servers} refused: {reason}")]
    Refused {
        /// What was tried.
        what: String,
        /// The bootstrap servers.
        servers: String,
        /// The reason, in librdkafka's words.
        reason: String,
    },
}

/// Why a topic can't be read: from [`LogReader::next`](crate::LogReader::next), and from
/// [`Admin::partitions`](crate::Admin::partitions), which asks before.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// The cluster did not answer, or refused.
    #[error("{0}")]
    Cluster(#[from] ClusterError),
    /// It does not have the topic.
    #[error("{0}")]
    NoSuchTopic(#[from] NoSuchTopic),
}

/// Why a record was not taken: from [`Producer::send`](crate::Producer::send).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// The queue stayed full, or librdkafka refused.
    #[error("{0}")]
    Cluster(#[from] ClusterError),
    /// The cluster does not have the topic, or not that partition of it.
    #[error("{0}")]
    NoSuchTopic(#[from] NoSuchTopic),
    /// A record that no request could carry: it was not sent, and never will be.
    #[error(
        "a record of {bytes} bytes for {topic} is larger than this client sends, {most} bytes with all that is in it: shorten it"
    )]
    TooLarge {
        /// Where it was to go.
        topic: String,
        /// Its key and value together.
        bytes: usize,
        /// The most that is sent.
        most: usize,
    },
}

/// Why a member of a group can't go on: from [`GroupConsumer`](crate::GroupConsumer), once it has
/// joined.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GroupError {
    /// The cluster did not answer, or refused.
    #[error("{0}")]
    Cluster(#[from] ClusterError),
    /// This consumer is no longer a member of the generation in which it got its partitions: it was
    /// away for too long, or the group is changing; others may have them.
    #[error(
        "the group {group} went on without this consumer, which was silent for too long or slow to join again: {reason}"
    )]
    Fenced {
        /// The group.
        group: String,
        /// The broker's reason.
        reason: String,
    },
}

/// Why the offsets of a group were not moved: from [`Admin::reset`](crate::Admin::reset).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ResetError {
    /// The cluster did not answer, or refused.
    #[error("{0}")]
    Cluster(#[from] ClusterError),
    /// Offsets of a group can only be moved while it has no members.
    #[error("the group {group} is {state} with {members} members: stop them, then move its offsets")]
    GroupInUse {
        /// The group.
        group: String,
        /// Its state in Kafka's words.
        state: String,
        /// How many members it has.
        members: usize,
    },
}

/// A topic that the cluster does not have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{servers} has no topic {topic}: create it, or look at what there is with `freshet topics`")]
pub struct NoSuchTopic {
    /// The topic.
    pub topic: String,
    /// The bootstrap servers.
    pub servers: String,
}

/// Records that were taken but not acknowledged: from [`Producer::flush`](crate::Producer::flush).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{count} records were not acknowledged by {servers}: {reason}")]
pub struct Undelivered {
    /// How many.
    pub count: u64,
    /// The bootstrap servers.
    pub servers: String,
    /// The first reason, in librdkafka's words.
    pub reason: String,
}

/// A property given on a command line that is not `key=value`: from
/// [`Settings::with_argument`](crate::Settings::with_argument).
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("-X {text}: a client property is written key=value, as in -X security.protocol=ssl")]
pub struct NotAProperty {
    /// What was given.
    pub text: String,
}

impl ClusterError {
    /// Sorts one of librdkafka's errors into ours.
    pub(crate) fn of(
        what: impl Into<String>,
        settings: &Settings,
        waited: Duration,
        error: &KafkaError,
    ) -> Self {
        match error {
            // librdkafka's reason may quote the value as well.
            KafkaError::ClientConfig(_, reason, key, value) if is_secret(key) => {
                let hidden = "(hidden)".to_owned();
                let reason =
                    if value.is_empty() { reason.clone() } else { reason.replace(&**value, &hidden) };
                Self::BadProperty { key: key.clone(), value: hidden, reason }
            }
            KafkaError::ClientConfig(_, reason, key, value) => {
                Self::BadProperty { key: key.clone(), value: value.clone(), reason: reason.clone() }
            }
            KafkaError::AdminOp(code) => Self::of_code(what, settings, waited, *code),
            _ => match error.rdkafka_error_code() {
                Some(code) => Self::of_code(what, settings, waited, code),
                None => Self::Refused {
                    what: what.into(),
                    servers: settings.servers().to_owned(),
                    reason: error.to_string(),
                },
            },
        }
    }

    pub(crate) fn of_code(
        what: impl Into<String>,
        settings: &Settings,
        waited: Duration,
        code: RDKafkaErrorCode,
    ) -> Self {
        let what = what.into();
        let servers = settings.servers().to_owned();
        if is_outage(code) {
            Self::Unreachable { what, servers, seconds: waited.as_secs().max(1) }
        } else {
            Self::Refused { what, servers, reason: code.to_string() }
        }
    }

    /// The same, for the reason that the cluster gave in its own words, if any.
    #[must_use]
    pub(crate) fn because(mut self, words: Option<String>) -> Self {
        if let (Self::Refused { reason, .. }, Some(words)) = (&mut self, words) {
            *reason = words;
        }
        self
    }

    /// Whether trying again later may help, without anybody changing anything here.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

impl SendError {
    /// Whether trying again later may help, as [`ClusterError::is_outage`] says.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.is_outage())
    }
}

impl ReadError {
    /// Whether trying again later may help, as [`ClusterError::is_outage`] says.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.is_outage())
    }
}

impl GroupError {
    /// Whether trying again later may help, as [`ClusterError::is_outage`] says.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Cluster(error) if error.is_outage())
    }
}

/// Whether the code means that the cluster does not take this record, whichever client sends it and
/// however often, while it may well take others.
pub(crate) fn refuses_a_record(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::MessageSizeTooLarge
            | Code::MessageBatchTooLarge
            | Code::InvalidMessage
            | Code::InvalidMessageSize
            | Code::InvalidTimestamp
            | Code::InvalidRecord
            | Code::PolicyViolation
    )
}

/// Whether the code means that something in a partition can't be read, now or ever.
pub(crate) fn is_unreadable(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::BadCompression
            | Code::BadMessage
            | Code::InvalidMessage
            | Code::InvalidMessageSize
            | Code::InvalidRecord
            | Code::MessageSizeTooLarge
            | Code::NotImplemented
    )
}

/// Whether the code means that there was no answer (yet), rather than a refusal.
pub(crate) fn is_outage(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::MessageTimedOut
            | Code::TimedOutQueue
            | Code::WaitingForCoordinator
            | Code::CoordinatorNotAvailable
            | Code::RequestTimedOut
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::NotCoordinator
            | Code::CoordinatorLoadInProgress
    )
}
