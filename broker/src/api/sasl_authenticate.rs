//! `SaslAuthenticate`: the bytes of a login.
//!
//! # Behaviour
//! Where a login is wanted, it comes before all other requests ([`super::login`]). What comes here
//! is too late, or to a listener without logins: as by Kafka the answer is `ILLEGAL_SASL_STATE`,
//! and the connection stays open. What was sent is not looked at.
//!
//! # Versions
//! 1 tells how long a login is good for, which is for ever.

use protocol::ErrorCode;
use protocol::sasl_authenticate::{SaslAuthenticateRequest, SaslAuthenticateResponse};

use super::Context;

pub(super) fn handle(context: &Context<'_>, _: &SaslAuthenticateRequest) -> SaslAuthenticateResponse {
    let listener = &context.node.config.listeners[context.endpoint.listener];
    let message = if listener.protocol.has_login() {
        "SaslAuthenticate request received after successful authentication"
    } else {
        "this listener takes no logins: leave sasl.* out of the client's settings"
    };
    SaslAuthenticateResponse {
        error_code: ErrorCode::ILLEGAL_SASL_STATE,
        error_message: Some(message.into()),
        ..Default::default()
    }
}
