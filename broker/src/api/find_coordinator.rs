//! `FindCoordinator`: which broker looks after a group.
//!
//! # Behaviour
//! This one, always; the topic in which it keeps groups' offsets is made when the first is asked
//! for. A coordinator of transactions is refused with an error that clients treat as
//! final: one that they retry would hang a transactional producer for a minute.
//!
//! # Versions
//! 1 adds the kind of key, 4 asks for several at once.

use protocol::ErrorCode;
use protocol::find_coordinator::{Coordinator, FindCoordinatorRequest, FindCoordinatorResponse};

use super::errors::sentence;
use super::{Context, Incoming, Outcome, RequestError};

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

pub(super) fn handle(context: &Context<'_>, incoming: Incoming) -> Result<Outcome, RequestError> {
    let one_key = incoming.version < 4;
    incoming.answer(|request: FindCoordinatorRequest| {
        let find = |key| find(context, key, request.key_type);
        if !one_key {
            let coordinators = request.coordinator_keys.into_iter().map(find).collect();
            return FindCoordinatorResponse { coordinators, ..Default::default() };
        }
        let Coordinator { node_id, host, port, error_code, error_message, .. } = find(request.key);
        FindCoordinatorResponse { error_code, error_message, node_id, host, port, ..Default::default() }
    })
}

fn find(context: &Context<'_>, key: String, key_type: i8) -> Coordinator {
    let refused = |error_code, message: &str| Coordinator {
        key: key.clone(),
        node_id: -1,
        port: -1,
        error_code,
        error_message: Some(message.to_owned()),
        ..Default::default()
    };
    if key_type == GROUP
        && let Err(error) = context.node.offsets_topic(context.random, context.now_ms)
    {
        tracing::error!("no group can commit: {error}");
        return refused(ErrorCode::COORDINATOR_NOT_AVAILABLE, &sentence(&error));
    }
    match key_type {
        GROUP => Coordinator {
            node_id: context.node.config.node_id,
            host: context.endpoint.host.clone(),
            port: i32::from(context.endpoint.port),
            key,
            ..Default::default()
        },
        TRANSACTION => refused(
            ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
            "this broker does not support transactions",
        ),
        _ => refused(ErrorCode::INVALID_REQUEST, "the key is neither a group nor a transactional id"),
    }
}
