//! What the broker does about each request: one file each, named as Kafka names the request.
//!
//! Nothing here waits, reads a clock or knows of sockets. A handler gets the time and what the
//! connection is, and says what to answer: now, never (`acks=0`), or once something has happened
//! ([`Parked`]). The `server` does the waiting.

mod alter_configs;
mod api_versions;
mod asked;
mod broker_configs;
mod broker_settings;
mod configs;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_acls;
mod describe_client_quotas;
mod describe_cluster;
mod describe_configs;
mod describe_delegation_token;
mod describe_groups;
mod describe_log_dirs;
mod describe_producers;
mod describe_quorum;
mod describe_topic_partitions;
mod describe_transactions;
mod describe_user_scram_credentials;
mod elect_leaders;
mod errors;
pub(crate) mod fetch;
mod find_coordinator;
mod frame;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
pub(crate) mod join_group;
mod kept_settings;
mod leader;
mod leave_group;
mod list_config_resources;
mod list_groups;
mod list_offsets;
mod list_partition_reassignments;
mod list_transactions;
mod login;
mod mechanisms;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod operations;
mod plain;
mod produce;
mod reachable;
mod refused_connections;
mod resources;
mod sasl_authenticate;
mod sasl_handshake;
pub(crate) mod sync_group;

use std::ops::ControlFlow;

use bytes::Bytes;
use protocol::{ApiKey, DecodeError, Reader, Request, RequestHeader};
use thiserror::Error;

use crate::coordinator::{Effect, Token};
use crate::node::Node;
use crate::replica::ValidationBudget;

pub(crate) use frame::Frame;
pub(crate) use login::{Login, Step};

/// `connection.failed.authentication.delay.ms`: so long a refused login waits for its answer.
pub(crate) const FAILED_LOGIN_DELAY_MS: u64 = 100;

/// `log.cleaner.backoff.ms`: after a change the logs are looked at so much later, together with all
/// that change until then.
pub(crate) const LOGS_DELAY_MS: i64 = 1_000;

/// What a handler may know beside the request itself.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) node: &'a Node,
    /// ms since 1970.
    pub(crate) now_ms: i64,
    /// How this client reaches this broker.
    pub(crate) endpoint: &'a Endpoint,
    /// Where the client connects from, for those who describe its group.
    pub(crate) client_host: &'a str,
    /// Names this request among all that wait; different for each request.
    pub(crate) token: Token,
    /// Numbers that don't repeat.
    pub(crate) random: fn() -> u64,
    /// How much work validating batches may be. What is more ends in [`RequestError::OverBudget`],
    /// and nothing has been done.
    pub(crate) budget: ValidationBudget,
}

/// The listener by which a client has come, and the host and port to tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Its place among those of the configuration.
    pub(crate) listener: usize,
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// What comes of a request.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Send this.
    Reply(Frame),
    /// Send nothing: the client does not wait for an answer.
    NoReply,
    /// The answer depends on what is still to happen.
    Delayed(Parked),
}

/// A request that waits. Its connection's later requests are handled
/// meanwhile, and answered after it.
#[derive(Debug)]
pub(crate) enum Parked {
    /// Until there is enough to read, or its time is up.
    Fetch(fetch::ParkedFetch),
    /// Until the coordinator answers the context's token.
    Join(join_group::ParkedJoin),
    /// Until the coordinator answers the context's token.
    Sync(sync_group::ParkedSync),
}

/// An answer, and what the request did to others that wait.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) answer: Answer,
    /// Answers of the coordinator to requests that are parked, this one among them perhaps.
    pub(crate) effects: Vec<Effect>,
    pub(crate) changed: Changed,
}

/// What a request may have changed, and with it when something is next due there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    Nothing,
    Logs,
    Groups,
    /// Groups and their offsets, which are in a log too.
    Offsets,
}

impl Outcome {
    fn reply(frame: Frame) -> Self {
        Self { answer: Answer::Reply(frame), effects: Vec::new(), changed: Changed::Nothing }
    }

    fn changing(self, changed: Changed) -> Self {
        Self { changed, ..self }
    }
}

/// Why a connection can't go on.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum RequestError {
    #[error("request number {number} is not one this broker knows")]
    UnknownApi { number: i16 },
    #[error("{key} version {version} is not one this broker announces")]
    UnsupportedVersion { key: ApiKey, version: i16 },
    #[error("{key} version {version} is malformed: {source}")]
    Malformed { key: ApiKey, version: i16, source: DecodeError },
    #[error("the request's header is malformed: {0}")]
    Header(DecodeError),
    /// It is to be handled where it holds up nothing else.
    #[error("the request takes longer than others can wait for")]
    OverBudget,
    /// With `acks=0` there is no answer that could carry the error, so a closed connection has to.
    #[error("records sent with acks=0 were refused: {0}")]
    Refused(protocol::ErrorCode),
}

/// A request as far as its header tells.
struct Incoming {
    version: i16,
    correlation_id: i32,
    client_id: Option<String>,
    body: Reader,
}

impl Incoming {
    fn decode<R: Request>(&mut self) -> Result<R, RequestError> {
        R::decode(&mut self.body, R::KEY.version(self.version)).map_err(|source| RequestError::Malformed {
            key: R::KEY,
            version: self.version,
            source,
        })
    }

    fn encode<R: Request>(&self, response: &R::Response) -> Frame {
        Frame::response::<R>(self.version, self.correlation_id, response)
    }

    /// The answer of a handler to what was asked.
    fn frame<R: Request>(mut self, handler: impl FnOnce(R) -> R::Response) -> Result<Frame, RequestError> {
        let response = handler(self.decode::<R>()?);
        Ok(self.encode::<R>(&response))
    }

    /// For the many requests whose answer is at hand.
    fn answer<R: Request>(self, handler: impl FnOnce(R) -> R::Response) -> Result<Outcome, RequestError> {
        self.frame(handler).map(Outcome::reply)
    }
}

/// A request of more bytes may take longer than others should wait.
const LARGE: usize = 256 << 10;

fn key_of(frame: &[u8]) -> Option<ApiKey> {
    frame.first_chunk().and_then(|number| ApiKey::from_number(i16::from_be_bytes(*number)))
}

/// So many shares there are of the memory that large requests may take.
pub(crate) const MEMORY_SHARES: u32 = 2;

/// How many of them a request takes that went over its budget: one batch of it may have a hundred
/// megabytes of records in it.
pub(crate) const OVER_BUDGET_SHARES: u32 = 1;

/// How many of them this one needs: what is read of it, and what is said to it, may take many times
/// its bytes. Of a produce it seldom does, for records are not unpacked.
pub(crate) fn memory_shares(frame: &[u8]) -> u32 {
    match key_of(frame) {
        _ if frame.len() <= LARGE => 0,
        Some(ApiKey::Produce) => 1,
        _ => MEMORY_SHARES,
    }
}

/// Whether handling this frame may take milliseconds: it is large, or asks for work on the disk or
/// for an answer that grows with what there is.
pub(crate) fn may_take_long(node: &Node, frame: &[u8]) -> bool {
    match key_of(frame) {
        _ if frame.len() > LARGE => true,
        // Most are at hand, and to change threads for each takes longer than to give it.
        Some(ApiKey::InitProducerId) => !node.has_producer_id_at_hand(),
        Some(
            ApiKey::ListOffsets
            | ApiKey::Metadata
            | ApiKey::DescribeGroups
            | ApiKey::ListGroups
            | ApiKey::FindCoordinator
            | ApiKey::CreateTopics
            | ApiKey::DeleteTopics
            | ApiKey::DeleteRecords
            | ApiKey::DescribeConfigs
            | ApiKey::AlterConfigs
            | ApiKey::CreatePartitions
            | ApiKey::IncrementalAlterConfigs
            | ApiKey::DescribeLogDirs
            | ApiKey::DescribeProducers
            | ApiKey::DescribeQuorum
            | ApiKey::DescribeTopicPartitions
            | ApiKey::ElectLeaders
            | ApiKey::ListConfigResources,
        ) => true,
        _ => false,
    }
}

/// Which request a frame is, its length already taken off. It breaks with the answer to the one
/// request that has one in a version that is not known.
fn read(frame: Bytes) -> Result<ControlFlow<Frame, (ApiKey, Incoming)>, RequestError> {
    let (header, body) = RequestHeader::decode(frame).map_err(RequestError::Header)?;
    let RequestHeader { api_key, api_version: version, correlation_id, client_id } = header;
    let key = ApiKey::from_number(api_key).ok_or(RequestError::UnknownApi { number: api_key })?;
    if key.supports(version) {
        return Ok(ControlFlow::Continue((key, Incoming { version, correlation_id, client_id, body })));
    }
    match key {
        ApiKey::ApiVersions => Ok(ControlFlow::Break(api_versions::unsupported(correlation_id))),
        _ => Err(RequestError::UnsupportedVersion { key, version }),
    }
}

/// Handles one frame, its length already taken off.
pub(crate) fn handle(context: &Context<'_>, frame: Bytes) -> Result<Outcome, RequestError> {
    let (key, incoming) = match read(frame)? {
        ControlFlow::Continue(incoming) => incoming,
        ControlFlow::Break(answer) => return Ok(Outcome::reply(answer)),
    };
    let groups = |outcome: Result<Outcome, _>| outcome.map(|outcome| outcome.changing(Changed::Groups));
    let offsets = |outcome: Result<Outcome, _>| outcome.map(|outcome| outcome.changing(Changed::Offsets));
    let logs = |outcome: Result<Outcome, _>| outcome.map(|outcome| outcome.changing(Changed::Logs));
    match key {
        ApiKey::Produce => produce::handle(context, incoming),
        ApiKey::Fetch => fetch::handle(context, incoming),
        ApiKey::ListOffsets => incoming.answer(|request| list_offsets::handle(context, request)),
        ApiKey::Metadata => metadata::handle(context, incoming),
        ApiKey::OffsetCommit => offsets(incoming.answer(|request| offset_commit::handle(context, request))),
        ApiKey::OffsetFetch => offset_fetch::handle(context, incoming),
        ApiKey::FindCoordinator => find_coordinator::handle(context, incoming),
        ApiKey::JoinGroup => join_group::handle(context, incoming),
        ApiKey::Heartbeat => groups(incoming.answer(|request| heartbeat::handle(context, request))),
        ApiKey::LeaveGroup => leave_group::handle(context, incoming),
        ApiKey::SyncGroup => sync_group::handle(context, incoming),
        ApiKey::DescribeGroups => describe_groups::handle(context, incoming),
        ApiKey::ListGroups => incoming.answer(|request| list_groups::handle(context, &request)),
        ApiKey::SaslAuthenticate => incoming.answer(|request| sasl_authenticate::handle(context, &request)),
        ApiKey::SaslHandshake => incoming.answer(|request| sasl_handshake::handle(&request)),
        ApiKey::ApiVersions => incoming.answer(|request| api_versions::handle(&request)),
        ApiKey::CreateTopics => incoming.answer(|request| create_topics::handle(context, request)),
        ApiKey::DeleteTopics => offsets(incoming.answer(|request| delete_topics::handle(context, request))),
        ApiKey::DeleteRecords => incoming.answer(|request| delete_records::handle(context, request)),
        ApiKey::InitProducerId => incoming.answer(|request| init_producer_id::handle(context, &request)),
        ApiKey::OffsetForLeaderEpoch => {
            incoming.answer(|request| offset_for_leader_epoch::handle(context, request))
        }
        ApiKey::DescribeConfigs => incoming.answer(|request| describe_configs::handle(context, request)),
        ApiKey::AlterConfigs => logs(incoming.answer(|request| alter_configs::handle(context, request))),
        ApiKey::CreatePartitions => incoming.answer(|request| create_partitions::handle(context, request)),
        ApiKey::DeleteGroups => offsets(incoming.answer(|request| delete_groups::handle(context, request))),
        ApiKey::IncrementalAlterConfigs => {
            logs(incoming.answer(|request| incremental_alter_configs::handle(context, request)))
        }
        ApiKey::OffsetDelete => offsets(incoming.answer(|request| offset_delete::handle(context, request))),
        ApiKey::DescribeCluster => incoming.answer(|request| describe_cluster::handle(context, &request)),
        ApiKey::DescribeAcls => incoming.answer(|request| describe_acls::handle(&request)),
        ApiKey::DescribeClientQuotas => incoming.answer(|request| describe_client_quotas::handle(&request)),
        ApiKey::DescribeDelegationToken => {
            incoming.answer(|request| describe_delegation_token::handle(&request))
        }
        ApiKey::DescribeLogDirs => incoming.answer(|request| describe_log_dirs::handle(context, request)),
        ApiKey::DescribeProducers => incoming.answer(|request| describe_producers::handle(context, request)),
        ApiKey::DescribeQuorum => incoming.answer(|request| describe_quorum::handle(context, request)),
        ApiKey::DescribeTopicPartitions => {
            incoming.answer(|request| describe_topic_partitions::handle(context, request))
        }
        ApiKey::DescribeTransactions => incoming.answer(describe_transactions::handle),
        ApiKey::DescribeUserScramCredentials => {
            incoming.answer(|request| describe_user_scram_credentials::handle(context, request))
        }
        ApiKey::ElectLeaders => incoming.answer(|request| elect_leaders::handle(context, request)),
        ApiKey::ListConfigResources => list_config_resources::handle(context, incoming),
        ApiKey::ListPartitionReassignments => {
            incoming.answer(|request| list_partition_reassignments::handle(&request))
        }
        ApiKey::ListTransactions => incoming.answer(list_transactions::handle),
    }
}
