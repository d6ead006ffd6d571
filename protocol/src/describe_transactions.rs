//! `DescribeTransactions`: the state of transactions.

use crate::ErrorCode;

request!(DescribeTransactions: DescribeTransactionsRequest => DescribeTransactionsResponse);

messages! {
    /// Which ones.
    pub struct DescribeTransactionsRequest {
        transactional_ids: Vec<String>,
    }

    /// The transactions.
    pub struct DescribeTransactionsResponse {
        throttle_time_ms: i32,
        transaction_states: Vec<DescribedTransaction>,
    }

    /// One transaction.
    pub struct DescribedTransaction {
        error_code: ErrorCode,
        transactional_id: String,
        transaction_state: String,
        transaction_timeout_ms: i32,
        transaction_start_time_ms: i64,
        producer_id: i64,
        producer_epoch: i16,
        topics: Vec<TransactionTopic>,
    }

    /// The partitions of a topic that are part of it.
    pub struct TransactionTopic {
        topic: String,
        partitions: Vec<i32>,
    }
}
