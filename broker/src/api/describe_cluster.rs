//! `DescribeCluster`: the brokers and which of them is the controller.
//!
//! # Behaviour
//! One broker, which is also the controller, at the address by which this client has reached it.
//!
//! # Versions
//! 1 can ask for controllers instead, which is a question for a controller's own listener.

use protocol::ErrorCode;
use protocol::describe_cluster::{DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse};

use super::{Context, operations};

const BROKERS: i8 = 1;

pub(super) fn handle(context: &Context<'_>, request: &DescribeClusterRequest) -> DescribeClusterResponse {
    let node_id = context.node.config.node_id;
    if request.endpoint_type != BROKERS {
        return DescribeClusterResponse {
            error_code: ErrorCode::MISMATCHED_ENDPOINT_TYPE,
            error_message: Some("this is a broker's listener: ask for brokers".into()),
            ..Default::default()
        };
    }
    let broker = DescribeClusterBroker {
        broker_id: node_id,
        host: context.endpoint.host.clone(),
        port: i32::from(context.endpoint.port),
        rack: None,
    };
    DescribeClusterResponse {
        cluster_id: context.node.cluster_id.clone(),
        controller_id: node_id,
        brokers: vec![broker],
        cluster_authorized_operations: operations::if_asked(
            request.include_cluster_authorized_operations,
            operations::CLUSTER,
        ),
        ..Default::default()
    }
}
