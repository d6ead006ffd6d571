//! Changes of what the cluster has: decided on the image, written to the metadata log, applied, and
//! followed by the replicas here.

use std::sync::Arc;

use protocol::Uuid;
use protocol::describe_configs::BROKER;
use protocol::metadata_log::{BrokerEndpoint, MetadataRecord};

use super::Node;
use crate::BrokerConfig;
use crate::controller::{
    BrokerRegistration, Change, Placement, ResourceConfig, Topic, TopicConfig, TopicError, alteration,
    resource_alteration, topics,
};
use crate::log::StorageError;
use crate::replica::PartitionHandle;

impl Node {
    /// Begins this broker's life in the cluster. On a full disk the registration of its last one
    /// stands: what is set aside there is for the changes that make room.
    pub(super) fn register(&self, incarnation_id: Uuid) -> Result<(), StorageError> {
        let id = self.config.node_id;
        let mut change = self.metadata.begin_change();
        let is_known = self.metadata.brokers().get(id).is_some();
        let (epoch, endpoints) = (change.next_offset().0, endpoints(&self.config));
        let broker = BrokerRegistration { id, epoch, incarnation_id, endpoints, fenced: false };
        let records = vec![broker.record()];
        let written = if is_known { change.append(&records) } else { change.append_to_make_room(&records) };
        match written {
            Ok(()) => change.apply(records),
            Err(error) if is_known && error.lacks_room() => {
                tracing::warn!("the broker goes on under its last registration: {error}");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Makes a topic. It lasts: that it was made is on disk before this returns.
    pub(crate) fn create_topic(
        &self,
        name: &str,
        id: Uuid,
        placement: &Placement,
        config: TopicConfig,
    ) -> Result<Arc<Topic>, TopicError> {
        let mut change = self.metadata.begin_change();
        let log_config = self.metadata.defaults().log_config(&config);
        let records = topics::create(&self.metadata.image(), name, id, placement, config)?;
        let name: Arc<str> = name.into();
        let made = self.replicas.make(&name, &records, &log_config)?;
        change.append(&records).inspect_err(|_| self.replicas.discard(&made))?;
        self.show(&change, (&name, id), records, made);
        topics::find(&self.metadata.image(), &name)
    }

    /// The topic of that name, made if it is not there.
    pub(crate) fn get_or_create_topic(
        &self,
        name: &str,
        id: impl FnOnce() -> Uuid,
        partitions: i32,
        config: impl FnOnce() -> TopicConfig,
    ) -> Result<Arc<Topic>, TopicError> {
        if let Some(topic) = self.metadata.topic(name) {
            return Ok(topic);
        }
        let placement = Placement::Spread { partitions, replication_factor: 1 };
        match self.create_topic(name, id(), &placement, config()) {
            // Another connection was faster.
            Err(TopicError::AlreadyExists { name }) => topics::find(&self.metadata.image(), &name),
            created => created,
        }
    }

    /// Makes a topic of one partition that has files already, if it has.
    pub(super) fn adopt_topic(&self, name: &str, id: Uuid, config: TopicConfig) -> Result<(), TopicError> {
        let mut change = self.metadata.begin_change();
        let log_config = self.metadata.defaults().log_config(&config);
        let placement = Placement::Spread { partitions: 1, replication_factor: 1 };
        let records = topics::create(&self.metadata.image(), name, id, &placement, config)?;
        let name: Arc<str> = name.into();
        let adopted = self.replicas.adopt(&name, &records, &log_config)?;
        if !adopted.is_empty() {
            change.append(&records)?;
            self.show(&change, (&name, id), records, adopted);
        }
        Ok(())
    }

    /// Gives a topic more partitions, `count` in all, on these brokers or wherever there is room.
    pub(crate) fn grow_topic(
        &self,
        name: &str,
        count: i32,
        assigned: Option<Vec<Vec<i32>>>,
    ) -> Result<(), TopicError> {
        let mut change = self.metadata.begin_change();
        let (topic, records) = topics::grow(&self.metadata.image(), name, count, assigned)?;
        let log_config = self.metadata.defaults().log_config(&topic.config);
        let made = self.replicas.make(&topic.name, &records, &log_config)?;
        change.append(&records).inspect_err(|_| self.replicas.discard(&made))?;
        self.show(&change, (&topic.name, topic.id), records, made);
        Ok(())
    }

    /// New partitions have been written down: shows them, and before that their replicas here.
    fn show(
        &self,
        change: &Change<'_>,
        (topic, id): (&Arc<str>, Uuid),
        records: Vec<MetadataRecord>,
        made: Vec<Arc<PartitionHandle>>,
    ) {
        self.replicas.add(topic, id, made);
        change.apply(records);
    }

    /// Removes a topic and its records. Fetches that wait for it are answered.
    pub(crate) fn delete_topic(&self, name: &str) -> Result<Arc<Topic>, TopicError> {
        let mut change = self.metadata.begin_change();
        let (topic, removal) = topics::delete(&self.metadata.image(), name)?;
        let records = vec![removal];
        change.append_to_make_room(&records)?;
        change.apply(records);
        self.replicas.delete(&topic)?;
        // Some of what has become free is set aside again.
        self.metadata.keep_reserve();
        Ok(topic)
    }

    /// Replaces what is set for a topic; its logs go by it at once.
    pub(crate) fn configure_topic(&self, name: &str, config: &TopicConfig) -> Result<(), TopicError> {
        let mut change = self.metadata.begin_change();
        let topic = topics::find(&self.metadata.image(), name)?;
        let records = alteration(name, &topic.config, config);
        // A shorter retention makes room.
        change.append_to_make_room(&records)?;
        change.apply(records);
        self.replicas.configure(topic.id, &self.metadata.defaults().log_config(config));
        Ok(())
    }

    /// Replaces what is set for a resource that is no topic. It lasts, and topics go at once by
    /// what is set for the broker.
    pub(crate) fn configure_resource(
        &self,
        of_type: i8,
        name: &str,
        config: &ResourceConfig,
    ) -> Result<(), StorageError> {
        let mut change = self.metadata.begin_change();
        let old = self.metadata.resource_config(of_type, name);
        let records = resource_alteration(of_type, name, &old, config);
        // A shorter retention makes room.
        change.append_to_make_room(&records)?;
        change.apply(records);
        if of_type == BROKER {
            let defaults = self.metadata.defaults();
            for topic in self.metadata.topics() {
                self.replicas.configure(topic.id, &defaults.log_config(&topic.config));
            }
        }
        Ok(())
    }
}

/// Where this broker listens, as others are told. Kafka's listeners have names: a protocol's first
/// has that of the protocol.
fn endpoints(config: &BrokerConfig) -> Vec<BrokerEndpoint> {
    let listeners = config.listeners.iter().enumerate().map(|(index, listener)| {
        let protocol = listener.protocol;
        let before = config.listeners[..index].iter().filter(|other| other.protocol == protocol).count();
        let advertised = listener.advertised.as_ref();
        BrokerEndpoint {
            name: if before == 0 { protocol.to_string() } else { format!("{protocol}_{}", before + 1) },
            host: advertised.map_or(&listener.host, |told| &told.host).clone(),
            port: advertised.and_then(|told| told.port).unwrap_or(listener.port),
            security_protocol: protocol as i16,
        }
    });
    listeners.collect()
}
