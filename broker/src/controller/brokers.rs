//! The brokers of the cluster: who has registered, where each listens, and who may lead.
//!
//! A broker registers when it starts. Each life has an incarnation id, which the broker draws, and
//! a broker epoch, which is the offset of the record that says so: what an earlier life has sent is
//! told from what this one sends.
//!
//! # Simplifications
//! A broker is unfenced from the record on that registers it: there is one, and who reads its
//! answers has found it alive.

use std::collections::BTreeMap;

use protocol::Uuid;
use protocol::metadata_log::{BrokerEndpoint, MetadataRecord, RegisterBrokerRecord};

/// A broker in its present life.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BrokerRegistration {
    pub(crate) id: i32,
    pub(crate) epoch: i64,
    pub(crate) incarnation_id: Uuid,
    /// Its listeners, in their order.
    pub(crate) endpoints: Vec<BrokerEndpoint>,
    /// It leads nothing, and clients are not sent to it.
    pub(crate) fenced: bool,
}

impl BrokerRegistration {
    /// The record that says so.
    pub(crate) fn record(&self) -> MetadataRecord {
        MetadataRecord::RegisterBroker(RegisterBrokerRecord {
            broker_id: self.id,
            incarnation_id: self.incarnation_id,
            broker_epoch: self.epoch,
            end_points: self.endpoints.clone(),
            fenced: self.fenced,
            ..RegisterBrokerRecord::default()
        })
    }
}

/// All that have registered, by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Brokers(BTreeMap<i32, BrokerRegistration>);

impl Brokers {
    /// A broker has begun a life.
    pub(super) fn register(&mut self, record: RegisterBrokerRecord) {
        let RegisterBrokerRecord { broker_id: id, incarnation_id, broker_epoch: epoch, .. } = record;
        let RegisterBrokerRecord { end_points: endpoints, fenced, .. } = record;
        self.0.insert(id, BrokerRegistration { id, epoch, incarnation_id, endpoints, fenced });
    }

    /// The broker of that id.
    pub(crate) fn get(&self, id: i32) -> Option<&BrokerRegistration> {
        self.0.get(&id)
    }

    /// Whether a broker has registered and is not fenced.
    pub(crate) fn is_active(&self, id: i32) -> bool {
        self.get(id).is_some_and(|broker| !broker.fenced)
    }

    /// All of them, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &BrokerRegistration> {
        self.0.values()
    }

    /// The ids of those that are not fenced, in order.
    pub(crate) fn active(&self) -> Vec<i32> {
        self.iter().filter(|broker| !broker.fenced).map(|broker| broker.id).collect()
    }
}
