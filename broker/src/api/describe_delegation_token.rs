//! `DescribeDelegationToken`: tokens that stand for a login.
//!
//! # Behaviour
//! Nobody logs in here, so nobody may ask.

use protocol::ErrorCode;
use protocol::describe_delegation_token::{DescribeDelegationTokenRequest, DescribeDelegationTokenResponse};

pub(super) fn handle(_: &DescribeDelegationTokenRequest) -> DescribeDelegationTokenResponse {
    DescribeDelegationTokenResponse {
        error_code: ErrorCode::DELEGATION_TOKEN_REQUEST_NOT_ALLOWED,
        ..Default::default()
    }
}
