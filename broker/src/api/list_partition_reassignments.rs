//! `ListPartitionReassignments`: partitions that are on their way to other brokers.
//!
//! # Behaviour
//! None is: there is one broker. What is not there is not on its way either, and no error.

use protocol::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};

pub(super) fn handle(_: &ListPartitionReassignmentsRequest) -> ListPartitionReassignmentsResponse {
    ListPartitionReassignmentsResponse::default()
}
