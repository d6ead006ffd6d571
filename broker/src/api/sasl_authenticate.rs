//! `SaslAuthenticate`: the bytes of a login.
//!
//! # Behaviour
//! As a Kafka without SASL: the answer is `ILLEGAL_SASL_STATE`, and the connection stays open. What
//! was sent is not looked at.
//!
//! # Versions
//! 1 tells how long the login is good for, which none is here.

use protocol::ErrorCode;
use protocol::sasl_authenticate::{SaslAuthenticateRequest, SaslAuthenticateResponse};

pub(super) fn handle(_request: &SaslAuthenticateRequest) -> SaslAuthenticateResponse {
    SaslAuthenticateResponse {
        error_code: ErrorCode::ILLEGAL_SASL_STATE,
        error_message: Some("this broker takes no logins: leave sasl.* out of the client's settings".into()),
        ..Default::default()
    }
}
