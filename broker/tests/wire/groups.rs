//! Groups over the wire. The rules of rebalancing are tested where they are kept, in `coordinator`;
//! here it is that answers reach those who wait for them.

use std::time::{Duration, Instant};

use broker::Cluster;
use bytes::Bytes;
use protocol::ErrorCode;
use protocol::delete_groups::DeleteGroupsRequest;
use protocol::describe_groups::DescribeGroupsRequest;
use protocol::fetch::FetchRequest;
use protocol::heartbeat::HeartbeatRequest;
use protocol::join_group::{JoinGroupProtocol, JoinGroupRequest, JoinGroupResponse};
use protocol::leave_group::{LeaveGroupRequest, MemberIdentity};
use protocol::list_groups::ListGroupsRequest;
use protocol::offset_commit::{OffsetCommitPartition, OffsetCommitRequest, OffsetCommitTopic};
use protocol::offset_fetch::{OffsetFetchGroup, OffsetFetchRequest, OffsetFetchTopic};
use protocol::sync_group::{SyncGroupAssignment, SyncGroupRequest};

use crate::client::{Client, fetch, start};

const GROUP: &str = "g";

fn join(member_id: &str) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: GROUP.into(),
        session_timeout_ms: 30_000,
        rebalance_timeout_ms: 60_000,
        member_id: member_id.into(),
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupProtocol { name: "range".into(), metadata: Bytes::from_static(b"topics") }],
        ..Default::default()
    }
}

/// Gets a member id, then joins without waiting for the answer.
fn begin_join(client: &mut Client) -> String {
    let first = client.call(9, &join(""));
    assert_eq!(first.error_code, ErrorCode::MEMBER_ID_REQUIRED);
    client.send(9, &join(&first.member_id));
    first.member_id
}

fn sync(joined: &JoinGroupResponse, assignments: &[(&str, &'static [u8])]) -> SyncGroupRequest {
    let assignments = assignments.iter().map(|(member_id, assignment)| SyncGroupAssignment {
        member_id: (*member_id).into(),
        assignment: Bytes::from_static(assignment),
    });
    SyncGroupRequest {
        group_id: GROUP.into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        assignments: assignments.collect(),
        ..Default::default()
    }
}

fn leave(member_id: &str) -> LeaveGroupRequest {
    let member = MemberIdentity { member_id: member_id.into(), ..Default::default() };
    LeaveGroupRequest { group_id: GROUP.into(), members: vec![member], ..Default::default() }
}

fn heartbeat(joined: &JoinGroupResponse) -> HeartbeatRequest {
    HeartbeatRequest {
        group_id: GROUP.into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        ..Default::default()
    }
}

fn commit(generation_id: i32, member_id: &str, offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitPartition {
        committed_offset: offset,
        committed_metadata: Some(format!("note {offset}")),
        ..Default::default()
    };
    OffsetCommitRequest {
        group_id: GROUP.into(),
        generation_id,
        member_id: member_id.into(),
        topics: vec![OffsetCommitTopic { name: "t".into(), partitions: vec![partition] }],
        ..Default::default()
    }
}

fn committed(client: &mut Client) -> (i64, String) {
    let topics = Some(vec![OffsetFetchTopic { name: "t".into(), partition_indexes: vec![0] }]);
    let groups = vec![OffsetFetchGroup { group_id: GROUP.into(), topics, ..Default::default() }];
    let response = client.call(9, &OffsetFetchRequest { groups, ..Default::default() });
    let partition = &response.groups[0].topics[0].partitions[0];
    assert_eq!(partition.error_code, ErrorCode::NONE);
    (partition.committed_offset, partition.metadata.clone().unwrap())
}

/// A million times in 12 MB, which would hold up all groups.
#[test]
fn of_a_partition_that_a_commit_names_again_the_last_offset_stays() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let mut request = commit(-1, "", 1);
    request.topics[0].partitions.extend(commit(-1, "", 2).topics.remove(0).partitions);
    request.topics.extend(commit(-1, "", 3).topics);
    let answer = client.call(8, &request);
    let codes = answer.topics.iter().flat_map(|topic| &topic.partitions).map(|answer| answer.error_code);
    assert!(codes.eq([ErrorCode::NONE; 3]), "an answer to each");
    assert_eq!(committed(&mut client), (3, "note 3".into()));
}

/// A group of one member that is stable.
fn joined(cluster: &Cluster) -> (Client, JoinGroupResponse) {
    let mut client = Client::to(cluster);
    begin_join(&mut client);
    let joined = client.receive::<JoinGroupRequest>(9);
    assert_eq!((joined.error_code, &joined.leader), (ErrorCode::NONE, &joined.member_id));
    let synced = client.call(5, &sync(&joined, &[(&joined.member_id, b"all")]));
    assert_eq!((synced.error_code, &synced.assignment[..]), (ErrorCode::NONE, &b"all"[..]));
    (client, joined)
}

/// Peers needed 3 to 23 seconds. Nothing here waits, so the bound only has
/// to tell that from a delay.
#[test]
#[expect(clippy::disallowed_methods, reason = "how long it takes is what this test is about")]
fn a_first_join_does_not_wait_for_others_that_may_come() {
    let (cluster, _dir) = start();
    let begun = Instant::now();
    joined(&cluster);
    assert!(begun.elapsed() < Duration::from_secs(2), "took {:?}", begun.elapsed());
}

#[test]
fn a_member_id_is_required_from_version_4_on() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    for version in 0..=9 {
        let group_id = format!("g{version}");
        let response = client.call(version, &JoinGroupRequest { group_id, ..join("") });
        let expected = if version < 4 { ErrorCode::NONE } else { ErrorCode::MEMBER_ID_REQUIRED };
        assert_eq!(response.error_code, expected, "version {version}");
        assert!(!response.member_id.is_empty(), "version {version}");
    }
}

#[test]
fn a_leave_behind_a_parked_join_on_the_same_connection_releases_it() {
    let (cluster, _dir) = start();
    let (_first, _stable) = joined(&cluster);
    let mut second = Client::to(&cluster);
    // The first member has not rejoined, so this join waits; and answers come in order.
    let member_id = begin_join(&mut second);
    second.send(5, &leave(&member_id));
    let released = second.receive::<JoinGroupRequest>(9);
    assert_eq!(released.error_code, ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(second.receive::<LeaveGroupRequest>(5).members[0].error_code, ErrorCode::NONE);
}

#[test]
fn a_rebalance_takes_in_a_second_member_and_ends_when_it_leaves() {
    let (cluster, _dir) = start();
    let (mut first, old) = joined(&cluster);
    first.create_topic("t", 1, &[]);
    let mut second = Client::to(&cluster);
    let second_id = begin_join(&mut second);
    // The heartbeat may overtake the join on its way to the broker, but not for ever.
    while first.call(4, &heartbeat(&old)).error_code.is_none() {}
    assert_eq!(first.call(4, &heartbeat(&old)).error_code, ErrorCode::REBALANCE_IN_PROGRESS);
    let leader = first.call(9, &join(&old.member_id));
    let follower = second.receive::<JoinGroupRequest>(9);
    assert_eq!(leader.generation_id, old.generation_id + 1);
    assert_eq!((leader.members.len(), follower.members.len()), (2, 0), "only the leader sees the members");
    let refused = first.call(9, &commit(leader.generation_id, &leader.member_id, 1));
    assert_eq!(refused.topics[0].partitions[0].error_code, ErrorCode::REBALANCE_IN_PROGRESS);
    // The follower asks first and waits; the leader gives it nothing, which is an empty assignment.
    second.send(5, &sync(&follower, &[]));
    let all = first.call(5, &sync(&leader, &[(&leader.member_id, b"all")]));
    assert_eq!(&all.assignment[..], b"all");
    let nothing = second.receive::<SyncGroupRequest>(5);
    assert_eq!((nothing.error_code, nothing.assignment.len()), (ErrorCode::NONE, 0));
    let late = first.call(9, &commit(old.generation_id, &old.member_id, 1));
    assert_eq!(late.topics[0].partitions[0].error_code, ErrorCode::ILLEGAL_GENERATION);
    let good = first.call(9, &commit(leader.generation_id, &leader.member_id, 1));
    assert_eq!(good.topics[0].partitions[0].error_code, ErrorCode::NONE);
    assert_eq!(second.call(5, &leave(&second_id)).members[0].error_code, ErrorCode::NONE);
    assert_eq!(first.call(4, &heartbeat(&leader)).error_code, ErrorCode::REBALANCE_IN_PROGRESS);
    let alone = first.call(9, &join(&leader.member_id));
    assert_eq!((alone.error_code, alone.members.len()), (ErrorCode::NONE, 1));
}

/// The session of a member that is silent ends by the timer, with no request that would give
/// occasion to look.
#[test]
fn a_silent_member_is_removed_when_its_session_ends() {
    let data_dir = tempfile::TempDir::new().unwrap();
    let mut config = crate::client::config(&data_dir);
    config.groups.min_session_timeout_ms = 1;
    let cluster = Cluster::start(config).unwrap();
    let mut silent = Client::to(&cluster);
    let mut impatient = JoinGroupRequest { session_timeout_ms: 300, ..join("") };
    impatient.member_id = silent.call(9, &impatient).member_id;
    let silent_joined = silent.call(9, &impatient);
    silent.call(5, &sync(&silent_joined, &[(&silent_joined.member_id, b"all")]));
    // The newcomer's join waits for the silent member, until that is given up.
    let mut newcomer = Client::to(&cluster);
    begin_join(&mut newcomer);
    let alone = newcomer.receive::<JoinGroupRequest>(9);
    assert_eq!((alone.error_code, alone.members.len()), (ErrorCode::NONE, 1));
}

#[test]
fn commits_come_back_with_their_metadata_also_without_a_member() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    assert_eq!(committed(&mut client), (-1, String::new()));
    for version in 2..=9 {
        let response = client.call(version, &commit(-1, "", i64::from(version)));
        assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::NONE, "version {version}");
        assert_eq!(committed(&mut client), (i64::from(version), format!("note {version}")));
    }
    let mut unknown = commit(-1, "", 1);
    unknown.topics[0].name = "nowhere".into();
    let response = client.call(9, &unknown);
    assert_eq!(response.topics[0].partitions[0].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    // Version 7 asks for one group, and null asks for everything.
    let all =
        client.call(7, &OffsetFetchRequest { group_id: GROUP.into(), topics: None, ..Default::default() });
    assert_eq!((all.topics.len(), all.topics[0].name.as_str()), (1, "t"));
}

/// No client produces, so it is the commits themselves that have their log looked after.
#[test]
fn commits_do_not_pile_up_on_a_running_broker() {
    let (cluster, dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let mut request = commit(-1, "", 0);
    request.topics[0].partitions[0].committed_metadata = Some("m".repeat(4_000));
    for offset in 0..1_100 {
        request.topics[0].partitions[0].committed_offset = offset;
        client.call(9, &request);
    }
    let kept_bytes = || -> u64 {
        let dirs = dir.path().read_dir().unwrap().map(|dir| dir.unwrap());
        let dirs = dirs.filter(|dir| dir.file_name().to_string_lossy().starts_with("__consumer_offsets-"));
        let files = dirs.flat_map(|dir| dir.path().read_dir().unwrap());
        files.filter_map(|file| Some(file.unwrap().metadata().ok()?.len())).sum()
    };
    let wait_20_ms = FetchRequest { max_wait_ms: 20, ..fetch("t", &[(0, 0)]) };
    assert!(kept_bytes() > 4_000_000);
    let removed_in_time = (0..1_000).any(|_| {
        client.fetch(&wait_20_ms);
        kept_bytes() < 1_000_000
    });
    assert!(removed_in_time, "{} bytes of commits that are old", kept_bytes());
    assert_eq!(committed(&mut client).0, 1_099);
}

#[test]
fn groups_are_listed_described_and_deleted() {
    let (cluster, _dir) = start();
    let (mut client, member) = joined(&cluster);
    let listed = client.call(4, &ListGroupsRequest::default());
    assert_eq!(
        (listed.groups[0].group_id.as_str(), listed.groups[0].group_state.as_str()),
        (GROUP, "Stable")
    );
    let empty_ones = ListGroupsRequest { states_filter: vec!["Empty".into()], ..Default::default() };
    assert_eq!(client.call(4, &empty_ones).groups.len(), 0);
    let of_type = |client: &mut Client, kind: &str| {
        client.call(5, &ListGroupsRequest { types_filter: vec![kind.into()], ..Default::default() }).groups
    };
    assert_eq!(of_type(&mut client, "Classic")[0].group_type, "classic");
    assert_eq!(of_type(&mut client, "Consumer").len(), 0);
    let describe =
        DescribeGroupsRequest { groups: vec![GROUP.into(), "nobody".into()], ..Default::default() };
    let described = client.call(5, &describe);
    let [group, nobody] = &described.groups[..] else { panic!("two groups were asked for") };
    assert_eq!((group.group_state.as_str(), group.protocol_data.as_str()), ("Stable", "range"));
    let [only] = &group.members[..] else { panic!("one member has joined") };
    assert_eq!((only.client_id.as_str(), only.client_host.as_str()), ("test", "/127.0.0.1"));
    assert_eq!((&only.member_metadata[..], &only.member_assignment[..]), (&b"topics"[..], &b"all"[..]));
    assert_eq!((nobody.error_code, nobody.group_state.as_str()), (ErrorCode::NONE, "Dead"));
    let nobody = &client.call(6, &describe).groups[1];
    assert_eq!((nobody.error_code, nobody.group_state.as_str()), (ErrorCode::GROUP_ID_NOT_FOUND, "Dead"));
    let delete = DeleteGroupsRequest { groups_names: vec![GROUP.into(), "nobody".into()] };
    let codes = |client: &mut Client| {
        let results = client.call(2, &delete).results;
        results.iter().map(|result| result.error_code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&mut client), [ErrorCode::NON_EMPTY_GROUP, ErrorCode::GROUP_ID_NOT_FOUND]);
    client.call(5, &leave(&member.member_id));
    assert_eq!(codes(&mut client)[0], ErrorCode::NONE);
}
