//! `DescribeUserScramCredentials`: by which mechanisms users can log in.
//!
//! # Behaviour
//! As by a Kafka whose users have both mechanisms: who names none is told of all. Each that is
//! named and is not there is not found; one that is named twice is told so, once. A broker without
//! logins has no users.

use std::collections::BTreeMap;

use protocol::ErrorCode;
use protocol::describe_user_scram_credentials::{
    DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse, DescribedScramUser,
    ScramCredentialInfo,
};
use protocol::scram::{ITERATIONS, Mechanism};

use super::Context;
use super::asked::MAX_ASKED;
use super::errors::sentence;
use crate::users::Users;

pub(super) fn handle(
    context: &Context<'_>,
    request: DescribeUserScramCredentialsRequest,
) -> DescribeUserScramCredentialsResponse {
    let users = context.node.config.users.as_deref();
    let mut mentions: BTreeMap<String, usize> = BTreeMap::new();
    match request.users.filter(|named| !named.is_empty()) {
        Some(named) => {
            for user in named.into_iter().take(MAX_ASKED) {
                *mentions.entry(user.name).or_default() += 1;
            }
        }
        None => mentions.extend(users.into_iter().flat_map(Users::names).map(|name| (name.to_owned(), 1))),
    }
    let results = mentions.into_iter().map(|(user, mentions)| {
        let (error_code, message) = if mentions > 1 {
            (ErrorCode::DUPLICATE_RESOURCE, sentence(format_args!("{user} is named twice in the request")))
        } else if users.is_some_and(|users| users.has_name(&user)) {
            return DescribedScramUser { user, credential_infos: both(), ..Default::default() };
        } else {
            (ErrorCode::RESOURCE_NOT_FOUND, sentence(format_args!("there is no user {user}")))
        };
        DescribedScramUser { user, error_code, error_message: Some(message), ..Default::default() }
    });
    DescribeUserScramCredentialsResponse {
        error_message: Some(String::new()),
        results: results.collect(),
        ..Default::default()
    }
}

/// Every user has both.
fn both() -> Vec<ScramCredentialInfo> {
    let info = |mechanism: Mechanism| ScramCredentialInfo {
        mechanism: mechanism.number(),
        iterations: ITERATIONS as i32,
    };
    Mechanism::ALL.map(info).into()
}
