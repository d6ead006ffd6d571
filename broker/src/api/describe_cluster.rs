//! `DescribeCluster`: the brokers and which of them is the controller.
//!
//! # Behaviour
//! This broker, which is also the controller, is at the address by which the client has reached it.
//!
//! # Versions
//! 1 can ask for controllers instead, which is a question for a controller's own listener. 2 can
//! ask for brokers that are fenced as well.

use protocol::ErrorCode;
use protocol::describe_cluster::{DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse};

use super::{Context, operations, reachable};

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(super) fn handle(context: &Context<'_>, request: &DescribeClusterRequest) -> DescribeClusterResponse {
    if request.endpoint_type != BROKERS {
        let (error_code, message) = match request.endpoint_type {
            CONTROLLERS => {
                (ErrorCode::MISMATCHED_ENDPOINT_TYPE, "this is a broker's listener: ask for brokers")
            }
            _ => (ErrorCode::UNSUPPORTED_ENDPOINT_TYPE, "there are brokers and controllers: ask for brokers"),
        };
        return DescribeClusterResponse {
            error_code,
            error_message: Some(message.into()),
            ..Default::default()
        };
    }
    let brokers = context.node.metadata.brokers();
    let told = brokers.iter().filter(|broker| !broker.fenced || request.include_fenced_brokers);
    let told = told.filter_map(|broker| {
        let (host, port) = reachable::address(context, broker)?;
        Some(DescribeClusterBroker { broker_id: broker.id, host, port, rack: None, is_fenced: broker.fenced })
    });
    DescribeClusterResponse {
        cluster_id: context.node.cluster_id.clone(),
        controller_id: context.node.metadata.controller_id(),
        brokers: told.collect(),
        cluster_authorized_operations: operations::if_asked(
            request.include_cluster_authorized_operations,
            operations::CLUSTER,
        ),
        ..Default::default()
    }
}
