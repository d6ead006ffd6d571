//! What a socket may bring: a frame of any bytes. Decoding it gives a request or an error; a
//! request that was read can be written, and what was written is read as the same request.

use bytes::Bytes;
use protocol::{
    ApiKey, Reader, Request, RequestHeader, alter_configs, api_versions, create_partitions, create_topics,
    decode_response, delete_groups, delete_records, delete_topics, describe_acls, describe_client_quotas,
    describe_cluster, describe_configs, describe_delegation_token, describe_groups, describe_log_dirs,
    describe_producers, describe_quorum, describe_topic_partitions, describe_transactions,
    describe_user_scram_credentials, elect_leaders, encode_request, fetch, find_coordinator, heartbeat,
    incremental_alter_configs, init_producer_id, join_group, leave_group, list_config_resources, list_groups,
    list_offsets, list_partition_reassignments, list_transactions, metadata, offset_commit, offset_delete,
    offset_fetch, offset_for_leader_epoch, produce, sasl_authenticate, sasl_handshake, sync_group,
};

/// `bytes` is a frame without its length. Returns how many of them the request does not need, if it
/// is one.
pub(crate) fn decode(bytes: &[u8]) -> Option<usize> {
    let frame = Bytes::copy_from_slice(bytes);
    let (header, body) = RequestHeader::decode(frame.clone()).ok()?;
    let key = ApiKey::from_number(header.api_key).filter(|key| key.supports(header.api_version))?;
    let version = header.api_version;
    match key {
        ApiKey::Produce => both::<produce::ProduceRequest>(version, body, frame),
        ApiKey::Fetch => both::<fetch::FetchRequest>(version, body, frame),
        ApiKey::ListOffsets => both::<list_offsets::ListOffsetsRequest>(version, body, frame),
        ApiKey::Metadata => both::<metadata::MetadataRequest>(version, body, frame),
        ApiKey::OffsetCommit => both::<offset_commit::OffsetCommitRequest>(version, body, frame),
        ApiKey::OffsetFetch => both::<offset_fetch::OffsetFetchRequest>(version, body, frame),
        ApiKey::FindCoordinator => both::<find_coordinator::FindCoordinatorRequest>(version, body, frame),
        ApiKey::JoinGroup => both::<join_group::JoinGroupRequest>(version, body, frame),
        ApiKey::Heartbeat => both::<heartbeat::HeartbeatRequest>(version, body, frame),
        ApiKey::LeaveGroup => both::<leave_group::LeaveGroupRequest>(version, body, frame),
        ApiKey::SyncGroup => both::<sync_group::SyncGroupRequest>(version, body, frame),
        ApiKey::DescribeGroups => both::<describe_groups::DescribeGroupsRequest>(version, body, frame),
        ApiKey::ListGroups => both::<list_groups::ListGroupsRequest>(version, body, frame),
        ApiKey::SaslAuthenticate => both::<sasl_authenticate::SaslAuthenticateRequest>(version, body, frame),
        ApiKey::SaslHandshake => both::<sasl_handshake::SaslHandshakeRequest>(version, body, frame),
        ApiKey::ApiVersions => both::<api_versions::ApiVersionsRequest>(version, body, frame),
        ApiKey::CreateTopics => both::<create_topics::CreateTopicsRequest>(version, body, frame),
        ApiKey::DeleteTopics => both::<delete_topics::DeleteTopicsRequest>(version, body, frame),
        ApiKey::DeleteRecords => both::<delete_records::DeleteRecordsRequest>(version, body, frame),
        ApiKey::InitProducerId => both::<init_producer_id::InitProducerIdRequest>(version, body, frame),
        ApiKey::OffsetForLeaderEpoch => {
            both::<offset_for_leader_epoch::OffsetForLeaderEpochRequest>(version, body, frame)
        }
        ApiKey::DescribeConfigs => both::<describe_configs::DescribeConfigsRequest>(version, body, frame),
        ApiKey::AlterConfigs => both::<alter_configs::AlterConfigsRequest>(version, body, frame),
        ApiKey::CreatePartitions => both::<create_partitions::CreatePartitionsRequest>(version, body, frame),
        ApiKey::DeleteGroups => both::<delete_groups::DeleteGroupsRequest>(version, body, frame),
        ApiKey::IncrementalAlterConfigs => {
            both::<incremental_alter_configs::IncrementalAlterConfigsRequest>(version, body, frame)
        }
        ApiKey::OffsetDelete => both::<offset_delete::OffsetDeleteRequest>(version, body, frame),
        ApiKey::DescribeCluster => both::<describe_cluster::DescribeClusterRequest>(version, body, frame),
        ApiKey::DescribeAcls => both::<describe_acls::DescribeAclsRequest>(version, body, frame),
        ApiKey::DescribeClientQuotas => {
            both::<describe_client_quotas::DescribeClientQuotasRequest>(version, body, frame)
        }
        ApiKey::DescribeDelegationToken => {
            both::<describe_delegation_token::DescribeDelegationTokenRequest>(version, body, frame)
        }
        ApiKey::DescribeLogDirs => both::<describe_log_dirs::DescribeLogDirsRequest>(version, body, frame),
        ApiKey::DescribeProducers => {
            both::<describe_producers::DescribeProducersRequest>(version, body, frame)
        }
        ApiKey::DescribeQuorum => both::<describe_quorum::DescribeQuorumRequest>(version, body, frame),
        ApiKey::DescribeTopicPartitions => {
            both::<describe_topic_partitions::DescribeTopicPartitionsRequest>(version, body, frame)
        }
        ApiKey::DescribeTransactions => {
            both::<describe_transactions::DescribeTransactionsRequest>(version, body, frame)
        }
        ApiKey::DescribeUserScramCredentials => {
            both::<describe_user_scram_credentials::DescribeUserScramCredentialsRequest>(version, body, frame)
        }
        ApiKey::ElectLeaders => both::<elect_leaders::ElectLeadersRequest>(version, body, frame),
        ApiKey::ListConfigResources => {
            both::<list_config_resources::ListConfigResourcesRequest>(version, body, frame)
        }
        ApiKey::ListPartitionReassignments => {
            both::<list_partition_reassignments::ListPartitionReassignmentsRequest>(version, body, frame)
        }
        ApiKey::ListTransactions => both::<list_transactions::ListTransactionsRequest>(version, body, frame),
    }
}

/// The request, and the same bytes as if they were its response.
fn both<R: Request + PartialEq + std::fmt::Debug>(
    version: i16,
    mut body: Reader,
    frame: Bytes,
) -> Option<usize> {
    let _a_response_or_an_error = decode_response::<R>(version, frame);
    let request = R::decode(&mut body, R::KEY.version(version)).ok()?;
    let written = encode_request(version, 1, "fuzz", &request);
    let (_, mut again) = RequestHeader::decode(Bytes::from(written).slice(4..)).expect("we wrote it");
    assert_eq!(
        R::decode(&mut again, R::KEY.version(version)).as_ref(),
        Ok(&request),
        "what was written is what is read"
    );
    Some(body.remaining())
}
