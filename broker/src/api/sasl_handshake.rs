//! `SaslHandshake`: which way of logging in to use.
//!
//! # Behaviour
//! After a login, or to a listener without logins, the answer is `ILLEGAL_SASL_STATE`, and the
//! connection stays open.
//!
//! # Versions
//! Both alike.

use protocol::ErrorCode;
use protocol::sasl_handshake::{SaslHandshakeRequest, SaslHandshakeResponse};

pub(super) fn handle(_request: &SaslHandshakeRequest) -> SaslHandshakeResponse {
    SaslHandshakeResponse { error_code: ErrorCode::ILLEGAL_SASL_STATE, ..Default::default() }
}
