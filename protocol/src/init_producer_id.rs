//! `InitProducerId`: get the identity under which a producer numbers its batches.

use crate::ErrorCode;

request!(InitProducerId: InitProducerIdRequest => InitProducerIdResponse);

messages! {
    /// Who asks: null for a producer that is only idempotent.
    pub struct InitProducerIdRequest {
        transactional_id: Option<String>,
        transaction_timeout_ms: i32,
        [3..] producer_id: i64 = -1,
        [3..] producer_epoch: i16 = -1,
    }

    /// The identity.
    pub struct InitProducerIdResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode,
        producer_id: i64 = -1,
        producer_epoch: i16,
    }
}
