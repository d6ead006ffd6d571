//! The errors that a response can carry.

use std::fmt;

use crate::{DecodeError, Reader, Version, Wire, Writer};

/// A number that says what went wrong, or [`ErrorCode::NONE`].
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ErrorCode(pub i16);

macro_rules! error_codes {
    ($( $(#[$meta:meta])* $name:ident = $code:literal; )+) => {
        impl ErrorCode {
            $( $(#[$meta])* pub const $name: Self = Self($code); )+

            /// Kafka's name for it, such as `OFFSET_OUT_OF_RANGE`.
            pub fn name(self) -> Option<&'static str> {
                match self {
                    $( Self::$name => Some(stringify!($name)), )+
                    _ => None,
                }
            }
        }
    };
}

error_codes! {
    /// The server broke in a way that it has no name for.
    UNKNOWN_SERVER_ERROR = -1;
    /// Success.
    NONE = 0;
    /// No record has that offset: it is before the start of the log or past its end.
    OFFSET_OUT_OF_RANGE = 1;
    /// A record batch is broken: length, CRC or header.
    CORRUPT_MESSAGE = 2;
    /// There is no such topic or partition.
    UNKNOWN_TOPIC_OR_PARTITION = 3;
    /// A fetch of negative size.
    INVALID_FETCH_SIZE = 4;
    /// The partition has no leader for now.
    LEADER_NOT_AVAILABLE = 5;
    /// Another broker leads the partition.
    NOT_LEADER_OR_FOLLOWER = 6;
    /// It took longer than the request allows.
    REQUEST_TIMED_OUT = 7;
    /// A record batch larger than `max.message.bytes`.
    MESSAGE_TOO_LARGE = 10;
    /// The metadata that a commit carries is too long.
    OFFSET_METADATA_TOO_LARGE = 12;
    /// The coordinator is still reading its log.
    COORDINATOR_LOAD_IN_PROGRESS = 14;
    /// The coordinator can't be reached.
    COORDINATOR_NOT_AVAILABLE = 15;
    /// Another broker coordinates that group.
    NOT_COORDINATOR = 16;
    /// A name that no topic can have.
    INVALID_TOPIC_EXCEPTION = 17;
    /// A record batch larger than a segment.
    RECORD_LIST_TOO_LARGE = 18;
    /// `acks` is not -1, 0 or 1.
    INVALID_REQUIRED_ACKS = 21;
    /// The group has moved on to another generation.
    ILLEGAL_GENERATION = 22;
    /// The group's members speak no assignment protocol that this one speaks too.
    INCONSISTENT_GROUP_PROTOCOL = 23;
    /// The group id is empty.
    INVALID_GROUP_ID = 24;
    /// The group does not know this member.
    UNKNOWN_MEMBER_ID = 25;
    /// The session timeout is outside the configured range.
    INVALID_SESSION_TIMEOUT = 26;
    /// The group is rebalancing: rejoin.
    REBALANCE_IN_PROGRESS = 27;
    /// The commit is too large to keep.
    INVALID_COMMIT_OFFSET_SIZE = 28;
    /// A timestamp outside what the topic accepts.
    INVALID_TIMESTAMP = 32;
    /// The broker knows no such way of logging in.
    UNSUPPORTED_SASL_MECHANISM = 33;
    /// Logging in is not possible here, or not now.
    ILLEGAL_SASL_STATE = 34;
    /// The version is not one of those announced.
    UNSUPPORTED_VERSION = 35;
    /// The topic exists.
    TOPIC_ALREADY_EXISTS = 36;
    /// The number of partitions makes no sense.
    INVALID_PARTITIONS = 37;
    /// The number of replicas makes no sense.
    INVALID_REPLICATION_FACTOR = 38;
    /// The assignment of replicas makes no sense.
    INVALID_REPLICA_ASSIGNMENT = 39;
    /// The setting makes no sense.
    INVALID_CONFIG = 40;
    /// The request contradicts itself.
    INVALID_REQUEST = 42;
    /// The log is of a form too old for this.
    UNSUPPORTED_FOR_MESSAGE_FORMAT = 43;
    /// A policy forbids it.
    POLICY_VIOLATION = 44;
    /// A sequence number that is neither the next one nor a repetition.
    OUT_OF_ORDER_SEQUENCE_NUMBER = 45;
    /// The batch is already in the log.
    DUPLICATE_SEQUENCE_NUMBER = 46;
    /// A newer producer with the same id has taken over.
    INVALID_PRODUCER_EPOCH = 47;
    /// The transaction is not in a state that allows this.
    INVALID_TXN_STATE = 48;
    /// The producer id does not belong to that transactional id.
    INVALID_PRODUCER_ID_MAPPING = 49;
    /// The client may not use that transactional id. Clients treat it as final.
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53;
    /// There is no access control.
    SECURITY_DISABLED = 54;
    /// The disk failed or is full.
    KAFKA_STORAGE_ERROR = 56;
    /// The client is not who it says.
    SASL_AUTHENTICATION_FAILED = 58;
    /// The log no longer knows the producer id.
    UNKNOWN_PRODUCER_ID = 59;
    /// Only who has logged in may ask for tokens.
    DELEGATION_TOKEN_REQUEST_NOT_ALLOWED = 64;
    /// The group has members.
    NON_EMPTY_GROUP = 68;
    /// There is no such group.
    GROUP_ID_NOT_FOUND = 69;
    /// There is no such fetch session.
    FETCH_SESSION_ID_NOT_FOUND = 70;
    /// The fetch session has moved on.
    INVALID_FETCH_SESSION_EPOCH = 71;
    /// The client knows an older leader than there is.
    FENCED_LEADER_EPOCH = 74;
    /// The client knows a newer leader than this broker.
    UNKNOWN_LEADER_EPOCH = 75;
    /// A compression that this version of the request must not carry.
    UNSUPPORTED_COMPRESSION_TYPE = 76;
    /// Join again with the member id in this response.
    MEMBER_ID_REQUIRED = 79;
    /// The preferred replica can't lead: it is away, or not in sync.
    PREFERRED_LEADER_NOT_AVAILABLE = 80;
    /// The group is full.
    GROUP_MAX_SIZE_REACHED = 81;
    /// Another member took over this `group.instance.id`.
    FENCED_INSTANCE_ID = 82;
    /// No replica that lives can lead.
    ELIGIBLE_LEADERS_NOT_AVAILABLE = 83;
    /// The record itself is at fault.
    INVALID_RECORD = 87;
    /// A transaction on these offsets has not ended.
    UNSTABLE_OFFSET_COMMIT = 88;
    /// The preferred replica leads already.
    ELECTION_NOT_NEEDED = 84;
    /// The group still subscribes to that topic.
    GROUP_SUBSCRIBED_TO_TOPIC = 86;
    /// A newer producer has taken over.
    PRODUCER_FENCED = 90;
    /// There is no such thing.
    RESOURCE_NOT_FOUND = 91;
    /// The request names it more than once.
    DUPLICATE_RESOURCE = 92;
    /// There is no topic with that id.
    UNKNOWN_TOPIC_ID = 100;
    /// The topic id and the topic's name do not belong together.
    INCONSISTENT_TOPIC_ID = 103;
    /// There is no such transaction.
    TRANSACTIONAL_ID_NOT_FOUND = 105;
    /// The member's epoch is not the group's (KIP-848).
    STALE_MEMBER_EPOCH = 113;
    /// Asked a broker for controllers, or a controller for brokers.
    MISMATCHED_ENDPOINT_TYPE = 114;
    /// Asked for what is neither a broker nor a controller.
    UNSUPPORTED_ENDPOINT_TYPE = 115;
}

impl ErrorCode {
    /// Whether this says success.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "error {}", self.0),
        }
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Wire for ErrorCode {
    fn encode(&self, writer: &mut Writer, version: Version) {
        self.0.encode(writer, version);
    }

    fn decode(reader: &mut Reader, version: Version) -> Result<Self, DecodeError> {
        i16::decode(reader, version).map(Self)
    }
}
