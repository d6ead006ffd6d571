//! `SaslHandshake`: which way of logging in to use.
//!
//! # Behaviour
//! As a Kafka without SASL: nobody logs in here, and who tries learns that from the code and is not
//! hung up on.
//!
//! # Versions
//! Both alike.

use protocol::ErrorCode;
use protocol::sasl_handshake::{SaslHandshakeRequest, SaslHandshakeResponse};

pub(super) fn handle(_request: &SaslHandshakeRequest) -> SaslHandshakeResponse {
    SaslHandshakeResponse { error_code: ErrorCode::ILLEGAL_SASL_STATE, ..Default::default() }
}
