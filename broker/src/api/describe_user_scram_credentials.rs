//! `DescribeUserScramCredentials`: by which mechanisms users can log in.
//!
//! # Behaviour
//! There are no users, so all of them are none, and each that is named is not found. One that is
//! named twice is told so, once, as in Kafka.

use std::collections::BTreeMap;

use protocol::ErrorCode;
use protocol::describe_user_scram_credentials::{
    DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse, DescribedScramUser,
};

use super::asked::MAX_ASKED;
use super::errors::sentence;

pub(super) fn handle(request: DescribeUserScramCredentialsRequest) -> DescribeUserScramCredentialsResponse {
    let mut mentions: BTreeMap<String, usize> = BTreeMap::new();
    for user in request.users.unwrap_or_default().into_iter().take(MAX_ASKED) {
        *mentions.entry(user.name).or_default() += 1;
    }
    let results = mentions.into_iter().map(|(user, mentions)| {
        let (error_code, message) = if mentions == 1 {
            (ErrorCode::RESOURCE_NOT_FOUND, sentence(format_args!("there is no user {user}")))
        } else {
            (ErrorCode::DUPLICATE_RESOURCE, sentence(format_args!("{user} is named twice in the request")))
        };
        DescribedScramUser { user, error_code, error_message: Some(message), ..Default::default() }
    });
    DescribeUserScramCredentialsResponse {
        error_message: Some(String::new()),
        results: results.collect(),
        ..Default::default()
    }
}
