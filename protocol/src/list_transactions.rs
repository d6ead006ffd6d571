//! `ListTransactions`: transactions that a coordinator looks after.

use crate::ErrorCode;

request!(ListTransactions: ListTransactionsRequest => ListTransactionsResponse);

messages! {
    /// Which ones; what is empty filters nothing.
    pub struct ListTransactionsRequest {
        state_filters: Vec<String>,
        producer_id_filters: Vec<i64>,
        [1..] duration_filter: i64 = -1,
        [2.., null 2..] transactional_id_pattern: Option<String>,
    }

    /// Those that match, and the states among the filters that there are not.
    pub struct ListTransactionsResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode,
        unknown_state_filters: Vec<String>,
        transaction_states: Vec<ListedTransaction>,
    }

    /// One transaction.
    pub struct ListedTransaction {
        transactional_id: String,
        producer_id: i64,
        transaction_state: String,
    }
}
