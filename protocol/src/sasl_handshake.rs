//! `SaslHandshake`: which way of logging in to use.

use crate::ErrorCode;

request!(SaslHandshake: SaslHandshakeRequest => SaslHandshakeResponse);

messages! {
    /// What the client would use.
    pub struct SaslHandshakeRequest {
        mechanism: String,
    }

    /// What the broker offers.
    pub struct SaslHandshakeResponse {
        error_code: ErrorCode,
        mechanisms: Vec<String>,
    }
}
