//! Why bytes could not be turned into a message.

use thiserror::Error;

/// The bytes are not what the protocol says they are.
///
/// A peer that sends such bytes is broken or is not speaking Kafka at all, and nothing after the
/// mistake can be trusted, so a server's only sound answer is to close the connection.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The frame ends inside a value.
    #[error("the frame ends early: {needed} bytes needed, {remaining} left")]
    Truncated {
        /// Bytes the value takes.
        needed: usize,
        /// Bytes the frame still has.
        remaining: usize,
    },
    /// An array claims more elements than the rest of the frame can hold.
    #[error("an array claims {count} elements in the {remaining} bytes that remain")]
    TooManyElements {
        /// Elements claimed.
        count: usize,
        /// Bytes the frame still has.
        remaining: usize,
    },
    /// The values would take far more memory than the frame that describes them, or more than any
    /// request needs.
    #[error("the frame describes values that take more than {limit} bytes of memory")]
    TooLarge {
        /// Bytes of memory allowed for this frame.
        limit: usize,
    },
    /// A length below -1, null where a value is required, or a string of more than 32,767 bytes.
    #[error("a length of {length} is not possible here")]
    InvalidLength {
        /// The length as read.
        length: i64,
    },
    /// A string is not UTF-8.
    #[error("a string is not valid UTF-8")]
    InvalidUtf8,
    /// A variable-length integer does not end within its five bytes.
    #[error("a variable-length integer does not fit 32 bits")]
    InvalidVarint,
}
