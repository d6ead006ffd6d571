//! `DescribeUserScramCredentials`: by which mechanisms users can log in.

use crate::ErrorCode;

request!(DescribeUserScramCredentials: DescribeUserScramCredentialsRequest => DescribeUserScramCredentialsResponse);

messages! {
    /// Which users; null or none ask for all.
    pub struct DescribeUserScramCredentialsRequest {
        users: Option<Vec<ScramUserName>>,
    }

    /// One user.
    pub struct ScramUserName {
        name: String,
    }

    /// The users.
    pub struct DescribeUserScramCredentialsResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode,
        error_message: Option<String>,
        results: Vec<DescribedScramUser>,
    }

    /// One of them.
    pub struct DescribedScramUser {
        user: String,
        error_code: ErrorCode,
        error_message: Option<String>,
        credential_infos: Vec<ScramCredentialInfo>,
    }

    /// A mechanism.
    pub struct ScramCredentialInfo {
        mechanism: i8,
        iterations: i32,
    }
}
