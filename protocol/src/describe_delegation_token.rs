//! `DescribeDelegationToken`: tokens that stand for a login.

use crate::ErrorCode;
use bytes::Bytes;

request!(DescribeDelegationToken: DescribeDelegationTokenRequest => DescribeDelegationTokenResponse);

messages! {
    /// Whose tokens; null asks for all.
    pub struct DescribeDelegationTokenRequest {
        owners: Option<Vec<DelegationTokenOwner>>,
    }

    /// An owner.
    pub struct DelegationTokenOwner {
        principal_type: String,
        principal_name: String,
    }

    /// The tokens.
    pub struct DescribeDelegationTokenResponse {
        error_code: ErrorCode,
        tokens: Vec<DescribedDelegationToken>,
        throttle_time_ms: i32,
    }

    /// One token.
    pub struct DescribedDelegationToken {
        principal_type: String,
        principal_name: String,
        [3..] token_requester_principal_type: String,
        [3..] token_requester_principal_name: String,
        issue_timestamp: i64,
        expiry_timestamp: i64,
        max_timestamp: i64,
        token_id: String,
        hmac: Bytes,
        renewers: Vec<DelegationTokenRenewer>,
    }

    /// Who may renew it.
    pub struct DelegationTokenRenewer {
        principal_type: String,
        principal_name: String,
    }
}
