//! `DescribeCluster`: the brokers and which of them is the controller.

use crate::ErrorCode;

request!(DescribeCluster: DescribeClusterRequest => DescribeClusterResponse);

messages! {
    /// What to tell.
    pub struct DescribeClusterRequest {
        include_cluster_authorized_operations: bool,
        /// 1: brokers. 2: controllers.
        [1..] endpoint_type: i8 = 1,
        [2..] include_fenced_brokers: bool,
    }

    /// The cluster.
    pub struct DescribeClusterResponse {
        throttle_time_ms: i32,
        error_code: ErrorCode,
        error_message: Option<String>,
        [1..] endpoint_type: i8 = 1,
        cluster_id: String,
        controller_id: i32 = -1,
        brokers: Vec<DescribeClusterBroker>,
        cluster_authorized_operations: i32 = i32::MIN,
    }

    /// How to reach one broker.
    pub struct DescribeClusterBroker {
        broker_id: i32,
        host: String,
        port: i32,
        rack: Option<String>,
        [2..] is_fenced: bool,
    }
}
