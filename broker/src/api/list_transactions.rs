//! `ListTransactions`: transactions that a coordinator looks after.
//!
//! # Behaviour
//! There are none. States among the filters that no transaction can have are named, each once.
//!
//! # Versions
//! 1 can ask for long ones, 2 for ids that match a pattern, which is not looked at: nothing could.

use protocol::list_transactions::{ListTransactionsRequest, ListTransactionsResponse};

use super::asked;

/// As Kafka calls the states of a transaction.
const STATES: [&str; 8] = [
    "CompleteAbort",
    "CompleteCommit",
    "Dead",
    "Empty",
    "Ongoing",
    "PrepareAbort",
    "PrepareCommit",
    "PrepareEpochFence",
];

pub(super) fn handle(request: ListTransactionsRequest) -> ListTransactionsResponse {
    let unknown = request.state_filters.into_iter().filter(|state| !STATES.contains(&state.as_str()));
    ListTransactionsResponse {
        unknown_state_filters: asked::names(unknown).into_iter().collect(),
        ..Default::default()
    }
}
