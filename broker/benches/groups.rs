//! What a rebalance costs the coordinator: all members join, the leader assigns, all receive.
//! `cargo bench -p broker --bench groups`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use broker::coordinator::{
    CommitRequest, CommittedOffset, Effect, Generation, GroupConfig, GroupCoordinator, JoinRequest,
    SyncRequest, Token,
};
use broker::log::{LogConfig, MemoryStorage, RecoveryHints, TopicPartition};
use broker::replica::{Partition, PartitionHandle};
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use protocol::records::{LeaderEpoch, Offset};

fn coordinator() -> GroupCoordinator {
    let (settings, hints) = (LogConfig::default(), RecoveryHints::default());
    let storage = Arc::new(MemoryStorage::new());
    let opened = Partition::open(storage, "offsets-0".into(), settings, LeaderEpoch(0), hints);
    let (partition, _) = opened.expect("memory works");
    let partition = PartitionHandle::new(TopicPartition::new("offsets", 0), partition);
    let mut coordinator = GroupCoordinator::new(GroupConfig::default(), 1);
    coordinator.load(vec![Arc::new(partition)], 0).expect("memory works");
    coordinator
}

fn join(member_id: &str) -> JoinRequest {
    JoinRequest {
        group_id: "g".into(),
        member_id: member_id.into(),
        group_instance_id: None,
        client_id: "bench".into(),
        client_host: "/127.0.0.1".into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        protocol_type: "consumer".into(),
        protocols: vec![("range".into(), Bytes::from_static(&[0; 100]))],
        requires_known_member_id: false,
        supports_skipping_assignment: false,
    }
}

/// The ids of those whose joins were answered, and the generation.
fn joined(effects: Vec<Effect>) -> (Vec<String>, Generation) {
    let mut generation = Generation(0);
    let members = effects.into_iter().filter_map(|effect| match effect {
        Effect::Join { result: Ok(joined), .. } => {
            generation = joined.generation;
            Some(joined.member_id)
        }
        _ => None,
    });
    (members.collect(), generation)
}

/// One generation: everybody rejoins, the leader hands in an assignment, everybody gets a part.
fn round(coordinator: &mut GroupCoordinator, members: &[String]) -> usize {
    let rejoin = |(token, member): (u64, &String)| (Token(token), join(member));
    let mut effects = Vec::new();
    // The first one is the leader, whose rejoining begins the round.
    for (token, request) in (0..).zip(members).map(rejoin) {
        effects.extend(coordinator.join(1, token, request));
    }
    let (answered, generation) = joined(effects);
    assert_eq!(answered.len(), members.len());
    let mut synced = 0;
    for (token, member) in (0..).zip(members.iter().rev()) {
        let leader = member == &members[0];
        let part = |member: &String| (member.clone(), Bytes::from_static(&[0; 50]));
        let assignments = if leader { members.iter().map(part).collect() } else { Vec::new() };
        let request = SyncRequest {
            group_id: "g".into(),
            generation,
            member_id: member.clone(),
            group_instance_id: None,
            protocol_type: None,
            protocol_name: None,
            assignments,
        };
        synced += coordinator.sync(1, Token(token), request).len();
    }
    synced
}

fn rounds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("group round");
    for size in [2, 20, 200] {
        let mut coordinator = coordinator();
        let mut members: Vec<String> = Vec::new();
        for number in 0..size {
            // The members rejoin, so that the newcomer is let in.
            let mut effects = coordinator.join(1, Token(number), join(""));
            for member in &members {
                effects.extend(coordinator.join(1, Token(number), join(member)));
            }
            let (answered, _) = joined(effects);
            let newcomer = answered.into_iter().find(|member| !members.contains(member));
            members.push(newcomer.expect("everybody has joined"));
        }
        group.throughput(Throughput::Elements(size));
        group.bench_function(format!("{size} members"), |bencher| {
            bencher.iter(|| round(black_box(&mut coordinator), &members));
        });
    }
    group.finish();
}

fn commits(criterion: &mut Criterion) {
    let mut coordinator = coordinator();
    let mut offset = 0;
    criterion.bench_function("commit/4 partitions", |bencher| {
        bencher.iter(|| {
            offset += 1;
            let committed = CommittedOffset { offset: Offset(offset), ..CommittedOffset::default() };
            let offsets = (0..4)
                .map(|partition| (TopicPartition::new("clicks", partition), committed.clone()))
                .collect();
            let request = CommitRequest {
                group_id: "g".into(),
                generation: Generation(-1),
                member_id: String::new(),
                group_instance_id: None,
                offsets,
            };
            coordinator.commit(1, request).expect("memory works").len()
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1)).sample_size(30);
    targets = rounds, commits
}
criterion_main!(benches);
