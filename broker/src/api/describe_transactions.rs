//! `DescribeTransactions`: the state of transactions.
//!
//! # Behaviour
//! There are none, so no id is known.

use protocol::ErrorCode;
use protocol::describe_transactions::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, DescribedTransaction,
};

use super::asked;

pub(super) fn handle(request: DescribeTransactionsRequest) -> DescribeTransactionsResponse {
    let ids = asked::names(request.transactional_ids).into_iter();
    let transaction_states = ids.map(|transactional_id| DescribedTransaction {
        error_code: if transactional_id.is_empty() {
            ErrorCode::INVALID_REQUEST
        } else {
            ErrorCode::TRANSACTIONAL_ID_NOT_FOUND
        },
        transactional_id,
        ..Default::default()
    });
    DescribeTransactionsResponse { transaction_states: transaction_states.collect(), ..Default::default() }
}
