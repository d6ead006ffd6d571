//! What can go wrong, each with the address or the name that it concerns and with the remedy.

use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use thiserror::Error;

use crate::Settings;

/// Why an operation on a cluster failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
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
    /// A property that librdkafka does not take.
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
    /// A property given on a command line that is not `key=value`.
    #[error("-X {text}: a client property is written key=value, as in -X security.protocol=ssl")]
    NotAProperty {
        /// What was given.
        text: String,
    },
    /// A topic that the cluster does not have.
    #[error("{servers} has no topic {topic}: create it, or look at what there is with `freshet topics`")]
    NoSuchTopic {
        /// The topic.
        topic: String,
        /// The bootstrap servers.
        servers: String,
    },
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
    /// A record that no request could carry: it was not sent, and never will be.
    #[error(
        "a record of {bytes} bytes for {topic} is larger than this client sends: shorten it, or raise the limit with -X message.max.bytes and the topic's max.message.bytes"
    )]
    TooLarge {
        /// Where it was to go.
        topic: String,
        /// Its key and value together.
        bytes: usize,
    },
    /// Records that were taken but not acknowledged.
    #[error("{count} records were not acknowledged by {servers}: {reason}")]
    Undelivered {
        /// How many.
        count: u64,
        /// The bootstrap servers.
        servers: String,
        /// The first reason, in librdkafka's words.
        reason: String,
    },
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

impl Error {
    /// Sorts one of librdkafka's errors into ours.
    pub(crate) fn of(
        what: impl Into<String>,
        settings: &Settings,
        waited: Duration,
        error: &KafkaError,
    ) -> Self {
        match error {
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

    /// Whether trying again later may help, without anybody changing anything here.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
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
