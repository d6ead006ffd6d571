//! Every message in every version, checked against the `kafka-protocol` crate, whose codec is
//! generated from Kafka's own descriptions of the messages.
//!
//! A message of ours is filled at random and encoded; the oracle must read exactly those bytes and
//! write them again; and what we read back must be what we started with.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable};

use crate::sample::{Random, Sample};
use crate::{ApiKey, DecodeError, Reader, Version, Wire, Writer};

const ROUNDS: u64 = 40;

/// Versions that came after the oracle, each with a test of its own below.
const NEWER: [(ApiKey, i16); 2] = [(ApiKey::ListOffsets, 11), (ApiKey::DescribeLogDirs, 5)];

fn encode(value: &impl Wire, version: Version) -> Bytes {
    let mut writer = Writer::default();
    value.encode(&mut writer, version);
    let (bytes, gaps) = writer.into_parts();
    assert!(gaps.is_empty());
    bytes.into()
}

/// Decodes, and requires that every byte was used.
fn decode<T: Wire>(bytes: &Bytes, version: Version) -> Result<T, DecodeError> {
    let mut reader = Reader::new(bytes.clone());
    let value = T::decode(&mut reader, version)?;
    assert_eq!(reader.remaining(), 0, "bytes left over");
    Ok(value)
}

fn samples<T: Sample + Wire>(key: ApiKey, mut check: impl FnMut(T, Bytes, Version)) {
    let (min, max) = key.versions();
    for number in min..=max {
        for round in 0..ROUNDS {
            let version = key.version(number);
            let mut random = Random(u64::from(number.unsigned_abs()) << 32 | round);
            let value = T::sample(&mut random, version);
            let bytes = encode(&value, version);
            check(value, bytes, version);
        }
    }
}

fn round_trips<Ours, Theirs>(key: ApiKey, first_known_to_oracle: i16)
where
    Ours: Wire + Sample + PartialEq + std::fmt::Debug,
    Theirs: Encodable + Decodable + std::fmt::Debug,
{
    samples::<Ours>(key, |value, bytes, version| {
        assert_eq!(decode::<Ours>(&bytes, version).as_ref(), Ok(&value), "{key} v{}", version.number);
        if version.number < first_known_to_oracle || NEWER.contains(&(key, version.number)) {
            return;
        }
        let mut rest = bytes.clone();
        let oracle = Theirs::decode(&mut rest, version.number)
            .unwrap_or_else(|error| panic!("{key} v{}: {error}\n{value:#?}", version.number));
        assert!(rest.is_empty(), "{key} v{}: the oracle left {} bytes", version.number, rest.len());
        let mut again = BytesMut::new();
        oracle
            .encode(&mut again, version.number)
            .unwrap_or_else(|error| panic!("{key} v{}: {error}\n{oracle:#?}", version.number));
        assert_eq!(again.freeze(), bytes, "{key} v{}\n{value:#?}", version.number);
    });
}

/// However many bytes of a valid message are missing, that is an error and not a
/// panic or another message.
fn truncations_are_errors<T: Wire + Sample>(key: ApiKey) {
    samples::<T>(key, |_value, bytes, version| {
        for length in (0..bytes.len()).rev().take(40).chain((0..bytes.len()).step_by(17)) {
            let mut reader = Reader::new(bytes.slice(..length));
            assert!(T::decode(&mut reader, version).is_err(), "{key} v{}, {length} bytes", version.number);
        }
    });
}

/// Any byte may be wrong: the answer is a value or an error, never a panic.
fn damage_is_survived<T: Wire + Sample>(key: ApiKey) {
    let mut random = Random(7);
    samples::<T>(key, |_value, bytes, version| {
        let mut damaged = bytes.to_vec();
        for _ in 0..4 {
            if damaged.is_empty() {
                break;
            }
            let place = random.below(damaged.len() as u64) as usize;
            damaged[place] = [0, 1, 0x7f, 0x80, 0xff][random.below(5) as usize];
            let _any = T::decode(&mut Reader::new(damaged.clone().into()), version);
        }
    });
}

macro_rules! check_all {
    ($( $module:ident $key:ident $request:ident $response:ident $first:literal; )+) => {
        $(
            mod $module {
                use super::*;

                #[test]
                fn request_is_as_the_oracle_has_it() {
                    round_trips::<crate::$module::$request, theirs::$request>(ApiKey::$key, $first);
                }

                #[test]
                fn response_is_as_the_oracle_has_it() {
                    round_trips::<crate::$module::$response, theirs::$response>(ApiKey::$key, $first);
                }

                #[test]
                fn truncated_or_damaged_is_an_error() {
                    truncations_are_errors::<crate::$module::$request>(ApiKey::$key);
                    truncations_are_errors::<crate::$module::$response>(ApiKey::$key);
                    damage_is_survived::<crate::$module::$request>(ApiKey::$key);
                    damage_is_survived::<crate::$module::$response>(ApiKey::$key);
                }
            }
        )+

        #[test]
        fn no_request_is_left_out() {
            let checked = [$(ApiKey::$key),+];
            for key in ApiKey::ALL {
                assert!(checked.contains(key), "{key} is announced but not checked against the oracle");
            }
        }
    };
}

// The number is the first version that the oracle knows: Kafka 4 removed older ones, which old
// clients still send.
check_all! {
    produce Produce ProduceRequest ProduceResponse 3;
    fetch Fetch FetchRequest FetchResponse 4;
    list_offsets ListOffsets ListOffsetsRequest ListOffsetsResponse 1;
    metadata Metadata MetadataRequest MetadataResponse 0;
    offset_commit OffsetCommit OffsetCommitRequest OffsetCommitResponse 2;
    offset_fetch OffsetFetch OffsetFetchRequest OffsetFetchResponse 1;
    find_coordinator FindCoordinator FindCoordinatorRequest FindCoordinatorResponse 0;
    join_group JoinGroup JoinGroupRequest JoinGroupResponse 0;
    heartbeat Heartbeat HeartbeatRequest HeartbeatResponse 0;
    leave_group LeaveGroup LeaveGroupRequest LeaveGroupResponse 0;
    sync_group SyncGroup SyncGroupRequest SyncGroupResponse 0;
    describe_groups DescribeGroups DescribeGroupsRequest DescribeGroupsResponse 0;
    list_groups ListGroups ListGroupsRequest ListGroupsResponse 0;
    sasl_handshake SaslHandshake SaslHandshakeRequest SaslHandshakeResponse 0;
    api_versions ApiVersions ApiVersionsRequest ApiVersionsResponse 0;
    create_topics CreateTopics CreateTopicsRequest CreateTopicsResponse 2;
    delete_topics DeleteTopics DeleteTopicsRequest DeleteTopicsResponse 1;
    delete_records DeleteRecords DeleteRecordsRequest DeleteRecordsResponse 0;
    init_producer_id InitProducerId InitProducerIdRequest InitProducerIdResponse 0;
    offset_for_leader_epoch OffsetForLeaderEpoch OffsetForLeaderEpochRequest OffsetForLeaderEpochResponse 2;
    describe_configs DescribeConfigs DescribeConfigsRequest DescribeConfigsResponse 1;
    alter_configs AlterConfigs AlterConfigsRequest AlterConfigsResponse 0;
    sasl_authenticate SaslAuthenticate SaslAuthenticateRequest SaslAuthenticateResponse 0;
    create_partitions CreatePartitions CreatePartitionsRequest CreatePartitionsResponse 0;
    delete_groups DeleteGroups DeleteGroupsRequest DeleteGroupsResponse 0;
    incremental_alter_configs IncrementalAlterConfigs IncrementalAlterConfigsRequest IncrementalAlterConfigsResponse 0;
    offset_delete OffsetDelete OffsetDeleteRequest OffsetDeleteResponse 0;
    describe_cluster DescribeCluster DescribeClusterRequest DescribeClusterResponse 0;
    describe_acls DescribeAcls DescribeAclsRequest DescribeAclsResponse 1;
    describe_client_quotas DescribeClientQuotas DescribeClientQuotasRequest DescribeClientQuotasResponse 0;
    describe_delegation_token DescribeDelegationToken DescribeDelegationTokenRequest DescribeDelegationTokenResponse 1;
    describe_log_dirs DescribeLogDirs DescribeLogDirsRequest DescribeLogDirsResponse 1;
    describe_producers DescribeProducers DescribeProducersRequest DescribeProducersResponse 0;
    describe_quorum DescribeQuorum DescribeQuorumRequest DescribeQuorumResponse 0;
    describe_topic_partitions DescribeTopicPartitions DescribeTopicPartitionsRequest DescribeTopicPartitionsResponse 0;
    describe_transactions DescribeTransactions DescribeTransactionsRequest DescribeTransactionsResponse 0;
    describe_user_scram_credentials DescribeUserScramCredentials DescribeUserScramCredentialsRequest DescribeUserScramCredentialsResponse 0;
    elect_leaders ElectLeaders ElectLeadersRequest ElectLeadersResponse 0;
    list_config_resources ListConfigResources ListConfigResourcesRequest ListConfigResourcesResponse 0;
    list_partition_reassignments ListPartitionReassignments ListPartitionReassignmentsRequest ListPartitionReassignmentsResponse 0;
    list_transactions ListTransactions ListTransactionsRequest ListTransactionsResponse 0;
}

/// A version that changes nothing but what may be asked for.
#[test]
fn list_offsets_11_is_as_10() {
    let key = ApiKey::ListOffsets;
    for round in 0..ROUNDS {
        let request = crate::list_offsets::ListOffsetsRequest::sample(&mut Random(round), key.version(11));
        assert_eq!(encode(&request, key.version(11)), encode(&request, key.version(10)));
        let response = crate::list_offsets::ListOffsetsResponse::sample(&mut Random(round), key.version(11));
        assert_eq!(encode(&response, key.version(11)), encode(&response, key.version(10)));
    }
}

/// The one new field stands between the last old one of a directory and its tagged fields.
#[test]
fn describe_log_dirs_5_has_one_more_field_for_each_directory() {
    use crate::describe_log_dirs::{DescribeLogDirsRequest, DescribeLogDirsResponse, DescribeLogDirsResult};
    let key = ApiKey::DescribeLogDirs;
    for round in 0..ROUNDS {
        let request = DescribeLogDirsRequest::sample(&mut Random(round), key.version(5));
        assert_eq!(encode(&request, key.version(5)), encode(&request, key.version(4)));
    }
    let result = DescribeLogDirsResult { log_dir: "d".into(), is_cordoned: true, ..Default::default() };
    let response = DescribeLogDirsResponse { results: vec![result], ..Default::default() };
    let mut bytes = encode(&response, key.version(4)).to_vec();
    let tagged_fields = bytes.split_off(bytes.len() - 2);
    bytes.push(1);
    bytes.extend(tagged_fields);
    assert_eq!(encode(&response, key.version(5)), bytes);
}
