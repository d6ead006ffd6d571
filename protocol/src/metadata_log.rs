//! Records of the metadata log: what a cluster has, as a row of changes.
//!
//! A Kafka keeps its topics in a log of its own, `__cluster_metadata`, whose records are these
//! messages. What the cluster has is what comes of applying them one after the other. The value of
//! a record is a frame of its own, which says what it is:
//!
//! ```text
//! frame version (1) | record type | version of that type | message     (the numbers are varints)
//! ```
//!
//! # Simplifications
//! Only the types that a broker without peers writes, in version 0.

use bytes::Bytes;
use thiserror::Error;

use crate::{DecodeError, Reader, Uuid, Version, Wire, Writer};

/// Records are young: all their versions are flexible ones.
const VERSION: Version = Version { number: 0, flexible: true };

const FRAME_VERSION: u32 = 1;

messages! {
    /// A broker has begun a life.
    pub struct RegisterBrokerRecord {
        broker_id: i32,
        incarnation_id: Uuid,
        broker_epoch: i64,
        end_points: Vec<BrokerEndpoint>,
        features: Vec<BrokerFeature>,
        rack: Option<String>,
        fenced: bool = true,
    }

    /// One of its listeners.
    pub struct BrokerEndpoint {
        name: String,
        host: String,
        port: u16,
        security_protocol: i16,
    }

    /// What it can do, from a level to a level.
    pub struct BrokerFeature {
        name: String,
        min_supported_version: i16,
        max_supported_version: i16,
    }

    /// There is a topic.
    pub struct TopicRecord {
        name: String,
        topic_id: Uuid,
    }

    /// A topic has a partition.
    pub struct PartitionRecord {
        partition_id: i32 = -1,
        topic_id: Uuid,
        replicas: Vec<i32>,
        isr: Vec<i32>,
        removing_replicas: Vec<i32>,
        adding_replicas: Vec<i32>,
        leader: i32 = -1,
        leader_epoch: i32 = -1,
        partition_epoch: i32 = -1,
    }

    /// A setting has a value; null returns it to its default.
    pub struct ConfigRecord {
        resource_type: i8,
        resource_name: String,
        name: String,
        value: Option<String>,
    }

    /// A topic is gone, with its partitions and settings.
    pub struct RemoveTopicRecord {
        topic_id: Uuid,
    }

    /// A leader's reign begins: the value of a control record, with [`LEADER_CHANGE_KEY`].
    pub struct LeaderChangeMessage {
        version: i16,
        leader_id: i32,
        voters: Vec<LeaderChangeVoter>,
        granting_voters: Vec<LeaderChangeVoter>,
    }

    /// Who could vote, or did.
    pub struct LeaderChangeVoter {
        voter_id: i32,
    }
}

/// Key of the control record that says who leads: version 0 of a key, of type 2.
pub const LEADER_CHANGE_KEY: [u8; 4] = [0, 0, 0, 2];

impl LeaderChangeMessage {
    /// The record's value.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.encode(&mut writer, VERSION);
        writer.into_parts().0
    }
}

/// Why the value of a record could not be read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum MetadataRecordError {
    /// Bytes that are none of ours.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// A newer program has written it.
    #[error("version {version} of record type {number} (frame version {frame}) is not known here")]
    Unknown {
        /// Version of the frame around it.
        frame: u32,
        /// What it is.
        number: u32,
        /// Which version of that.
        version: u32,
    },
}

macro_rules! records {
    ($( $(#[$meta:meta])* $name:ident($message:ident) = $number:literal; )+) => {
        /// One change to what the cluster has.
        #[derive(Clone, Debug, PartialEq)]
        pub enum MetadataRecord {
            $( $(#[$meta])* $name($message), )+
        }

        impl MetadataRecord {
            /// The value of the record that says so.
            pub fn encode(&self) -> Vec<u8> {
                let mut writer = Writer::default();
                writer.put_unsigned_varint(FRAME_VERSION);
                match self {
                    $( Self::$name(message) => {
                        writer.put_unsigned_varint($number);
                        writer.put_unsigned_varint(VERSION.number as u32);
                        message.encode(&mut writer, VERSION);
                    } )+
                }
                let (bytes, _no_gaps) = writer.into_parts();
                bytes
            }

            /// Reads the value of a record.
            pub fn decode(value: &[u8]) -> Result<Self, MetadataRecordError> {
                let mut reader = Reader::new(Bytes::copy_from_slice(value));
                let (frame, number, version) =
                    (reader.unsigned_varint()?, reader.unsigned_varint()?, reader.unsigned_varint()?);
                match (frame, number, version) {
                    $( (FRAME_VERSION, $number, 0) => {
                        Ok(Self::$name($message::decode(&mut reader, VERSION)?))
                    } )+
                    _ => Err(MetadataRecordError::Unknown { frame, number, version }),
                }
            }
        }

        #[cfg(test)]
        impl crate::sample::Sample for MetadataRecord {
            fn sample(random: &mut crate::sample::Random, version: Version) -> Self {
                let all = [$( |random: &mut crate::sample::Random, version| {
                    Self::$name(crate::sample::Sample::sample(random, version))
                }, )+];
                all[random.below(all.len() as u64) as usize](random, version)
            }
        }
    };
}

records! {
    /// A broker has begun a life.
    RegisterBroker(RegisterBrokerRecord) = 0;
    /// There is a topic.
    Topic(TopicRecord) = 2;
    /// A topic has a partition.
    Partition(PartitionRecord) = 3;
    /// A setting has a value.
    Config(ConfigRecord) = 4;
    /// A topic is gone.
    RemoveTopic(RemoveTopicRecord) = 9;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Random, Sample};

    #[test]
    fn a_record_is_read_as_it_was_written_and_half_of_it_is_an_error() {
        for seed in 0..400 {
            let record = MetadataRecord::sample(&mut Random(seed), VERSION);
            let bytes = record.encode();
            assert_eq!(MetadataRecord::decode(&bytes).as_ref(), Ok(&record));
            for len in 0..bytes.len() {
                assert!(MetadataRecord::decode(&bytes[..len]).is_err(), "{len} bytes of {record:?}");
            }
        }
    }

    /// As Kafka's own tool reads them (`kafka-dump-log --cluster-metadata-decoder`).
    #[test]
    fn records_have_kafkas_form() {
        let topic_id = Uuid([7; 16]);
        let broker = MetadataRecord::RegisterBroker(RegisterBrokerRecord {
            broker_id: 1,
            incarnation_id: topic_id,
            broker_epoch: 5,
            end_points: vec![BrokerEndpoint {
                name: "P".into(),
                host: "h".into(),
                port: 9092,
                security_protocol: 0,
            }],
            fenced: false,
            ..RegisterBrokerRecord::default()
        });
        let endpoint = [2, 2, b'P', 2, b'h', 0x23, 0x84, 0, 0, 0];
        let numbers = [&[0, 0, 0, 0, 0, 0, 0, 5][..], &endpoint, &[1, 0, 0, 0]].concat();
        assert_eq!(broker.encode(), [&[1, 0, 0, 0, 0, 0, 1][..], &[7; 16], &numbers].concat());
        let topic = MetadataRecord::Topic(TopicRecord { name: "t".into(), topic_id });
        assert_eq!(topic.encode(), [&[1, 2, 0, 2, b't'][..], &[7; 16], &[0]].concat());
        let partition = MetadataRecord::Partition(PartitionRecord {
            partition_id: 3,
            topic_id,
            replicas: vec![1],
            isr: vec![1],
            leader: 1,
            leader_epoch: 0,
            partition_epoch: 0,
            ..PartitionRecord::default()
        });
        let numbers = [2, 0, 0, 0, 1, 2, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(partition.encode(), [&[1, 3, 0, 0, 0, 0, 3][..], &[7; 16], &numbers].concat());
        let config = MetadataRecord::Config(ConfigRecord {
            resource_type: 2,
            resource_name: "t".into(),
            name: "retention.ms".into(),
            value: None,
        });
        assert_eq!(config.encode(), [&[1, 4, 0, 2, 2, b't', 13][..], b"retention.ms", &[0, 0]].concat());
        let gone = MetadataRecord::RemoveTopic(RemoveTopicRecord { topic_id });
        assert_eq!(gone.encode(), [&[1, 9, 0][..], &[7; 16], &[0]].concat());
    }

    #[test]
    fn what_a_newer_program_has_written_is_named() {
        let error = MetadataRecord::decode(&[1, 27, 3, 0]);
        assert_eq!(error, Err(MetadataRecordError::Unknown { frame: 1, number: 27, version: 3 }));
    }
}
