//! Why a broker can't be asked, and why it gave no answer.

use std::io;

use protocol::scram::ScramError;
use protocol::{ApiKey, DecodeError, ErrorCode};
use thiserror::Error;

use super::tls::TlsError;

/// Why there is no connection to an address.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Nothing listens there.
    #[error("the connection is refused")]
    Refused,
    /// Nobody answers, not even to refuse.
    #[error("no answer in time")]
    TimedOut,
    /// The network says no: no route, not permitted, …
    #[error("{0}")]
    Failed(io::Error),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::Failed(error),
        }
    }
}

/// Why a request has no answer, or not the one that was asked for.
#[derive(Debug, Error)]
pub enum CallError {
    /// None came in time.
    #[error("no answer in time")]
    TimedOut,
    /// The other side closed the connection instead.
    #[error("the connection was closed without an answer")]
    HungUp,
    /// What came is no frame of Kafka's, or not the answer to this request. Its first bytes.
    #[error("the answer is none of Kafka's protocol")]
    NotKafka(Vec<u8>),
    /// What came is a frame of Kafka's and can't be decoded.
    #[error("the answer is malformed: {0}")]
    Malformed(#[from] DecodeError),
    /// The broker does not answer this request, or in no version that we speak.
    #[error("the broker speaks no version of {0} that this program speaks")]
    Unsupported(ApiKey),
    /// The broker answered with an error.
    #[error("{0}")]
    Refused(ErrorCode),
    /// A login by SCRAM has not come to its end.
    #[error("the login by SCRAM ends: {0}")]
    Scram(#[from] ScramError),
    /// TLS ended it.
    #[error("{0}")]
    Tls(TlsError),
    /// The socket failed.
    #[error("{0}")]
    Io(io::Error),
}

impl CallError {
    /// Kafka's name for the error with which the broker answered.
    pub fn code(&self) -> Option<String> {
        match self {
            Self::Refused(code) => Some(code.to_string()),
            _ => None,
        }
    }

    /// Whether that is what a cluster says which is still choosing who looks after a group, or
    /// whose choice is still reading what the group has committed: it may be asked again.
    pub fn awaits_coordinator(&self) -> bool {
        let passing = [
            ErrorCode::COORDINATOR_NOT_AVAILABLE,
            ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
            ErrorCode::NOT_COORDINATOR,
        ];
        matches!(self, Self::Refused(code) if passing.contains(code))
    }
}

impl From<io::Error> for CallError {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut};
        match error.kind() {
            TimedOut => Self::TimedOut,
            BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected => Self::HungUp,
            _ => Self::Io(error),
        }
    }
}

/// An answer that carries an error code of its own.
pub(super) fn check(code: ErrorCode) -> Result<(), CallError> {
    if code.is_none() { Ok(()) } else { Err(CallError::Refused(code)) }
}
