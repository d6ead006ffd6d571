//! `SaslAuthenticate`: the bytes of a login.

use bytes::Bytes;

use crate::ErrorCode;

request!(SaslAuthenticate: SaslAuthenticateRequest => SaslAuthenticateResponse);

messages! {
    /// What the client has to say, in the form of the mechanism that was agreed on.
    pub struct SaslAuthenticateRequest {
        auth_bytes: Bytes,
    }

    /// What the broker says to it.
    pub struct SaslAuthenticateResponse {
        error_code: ErrorCode,
        error_message: Option<String>,
        auth_bytes: Bytes,
        [1..] session_lifetime_ms: i64,
    }
}
