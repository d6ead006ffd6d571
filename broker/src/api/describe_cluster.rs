//! `DescribeCluster`: the brokers and which of them is the controller.
//!
//! # Behaviour
//! One broker, which is also the controller, at the address by which this client has reached it.
//!
//! # Versions
//! 1 can ask for controllers instead, which is a question for a controller's own listener. 2 can
//! ask for brokers that are fenced as well: this one would not answer if it were.

use protocol::ErrorCode;
use protocol::describe_cluster::{DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse};

use super::{Context, operations};

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(super) fn handle(context: &Context<'_>, request: &DescribeClusterRequest) -> DescribeClusterResponse {
    let node_id = context.node.config.node_id;
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
    let broker = DescribeClusterBroker {
        broker_id: node_id,
        host: context.endpoint.host.clone(),
        port: i32::from(context.endpoint.port),
        ..Default::default()
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
