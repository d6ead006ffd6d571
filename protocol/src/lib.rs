//! Kafka's wire protocol: bytes to Rust values and back.
//!
//! A client and a broker exchange *frames*, each with its length in front. A request's [header]
//! says which request it is ([`ApiKey`]) and in which version; the body is the message of that
//! name, [`fetch`] for example. A response carries the correlation id of its request, and nothing
//! else that says what it is.
//!
//! Kafka has never changed the meaning of a version. It adds versions, and each side says which it
//! speaks, so a client of 2015 and one of today are served alike. That is why a message here is a
//! list of fields *by version*, which one macro (the private module `message`) turns into both
//! directions of the codec. To see what a request looks like, open the file of its name.
//!
//! Bytes from a socket are hostile. Nothing here panics on them, and none of them can ask for more
//! memory than a small multiple of the frame they came in ([`Reader`]). Record batches are not
//! opened, only handed on: see [`records`] for what is in them.
//!
//! # Simplifications
//! - Only the requests that this project answers, in the versions of [`ApiKey::versions`].
//! - Tagged fields from newer peers are skipped, not kept.
//! - Bytes after the end of a message are ignored, as Kafka does.

#[macro_use]
mod message;

mod api_key;
mod error;
mod error_code;
pub mod header;
mod reader;
mod uuid;
mod wire;
mod writer;

pub mod records;
pub mod scram;

pub use api_key::ApiKey;
pub use error::DecodeError;
pub use error_code::ErrorCode;
pub use header::{RequestHeader, decode_response, encode_request, encode_response};
pub use reader::Reader;
pub use uuid::Uuid;
pub use wire::{MAX_STRING_LEN, Payload, Version, Wire};
pub use writer::{Gap, Writer};

/// The body of a request.
pub trait Request: Wire + Send {
    /// Its number and versions.
    const KEY: ApiKey;
    /// What answers it.
    type Response: Wire + Send;
}

pub mod alter_configs;
pub mod api_versions;
pub mod create_partitions;
pub mod create_topics;
pub mod delete_groups;
pub mod delete_records;
pub mod delete_topics;
pub mod describe_acls;
pub mod describe_client_quotas;
pub mod describe_cluster;
pub mod describe_configs;
pub mod describe_delegation_token;
pub mod describe_groups;
pub mod describe_log_dirs;
pub mod describe_producers;
pub mod describe_quorum;
pub mod describe_topic_partitions;
pub mod describe_transactions;
pub mod describe_user_scram_credentials;
pub mod elect_leaders;
pub mod fetch;
pub mod find_coordinator;
pub mod heartbeat;
pub mod incremental_alter_configs;
pub mod init_producer_id;
pub mod join_group;
pub mod leave_group;
pub mod list_config_resources;
pub mod list_groups;
pub mod list_offsets;
pub mod list_partition_reassignments;
pub mod list_transactions;
pub mod metadata;
pub mod metadata_log;
pub mod offset_commit;
pub mod offset_delete;
pub mod offset_fetch;
pub mod offset_for_leader_epoch;
pub mod produce;
pub mod sasl_authenticate;
pub mod sasl_handshake;
pub mod sync_group;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod sample;
