//! `InitProducerId`: get the identity under which a producer numbers its batches.
//!
//! # Behaviour
//! Every producer gets an id that was never given out before, with epoch 0. One that asks
//! again, having lost track of its sequence numbers, gets a new id too. Transactional
//! producers are refused.
//!
//! # Versions
//! 3 lets a producer say who it was; only transactions need that.

use protocol::ErrorCode;
use protocol::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};

use super::Context;
use super::errors::ToErrorCode;

pub(super) fn handle(context: &Context<'_>, request: &InitProducerIdRequest) -> InitProducerIdResponse {
    let refused =
        |error_code| InitProducerIdResponse { error_code, producer_epoch: -1, ..Default::default() };
    if request.transactional_id.is_some() {
        return refused(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    }
    match context.node.producer_ids().allocate() {
        Ok(producer_id) => InitProducerIdResponse { producer_id, ..Default::default() },
        Err(error) => {
            tracing::error!("no producer id: {error}");
            refused(error.code())
        }
    }
}
