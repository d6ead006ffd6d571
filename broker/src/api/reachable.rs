//! The brokers as a client can reach them.

use super::Context;
use crate::controller::BrokerRegistration;

/// Host and port of a broker, for who asks by this listener: of this broker the address by which
/// the client has come. Several brokers are on one machine, so another is at the same host, and at
/// the port of its listener in the same place.
pub(super) fn address(context: &Context<'_>, broker: &BrokerRegistration) -> Option<(String, i32)> {
    let port = if broker.id == context.node.config.node_id {
        context.endpoint.port
    } else {
        broker.endpoints.get(context.endpoint.listener)?.port
    };
    Some((context.endpoint.host.clone(), i32::from(port)))
}
