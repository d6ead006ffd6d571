//! What the largest requests take of the broker's memory, each of them and several at a time.
//!
//! One test, in a program of its own: what is measured is the process, with the client's bytes in
//! it.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that can not go on should say where")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use broker::{BrokerConfig, Cluster, Listener};
use protocol::delete_topics::DeleteTopicsRequest;
use protocol::describe_groups::DescribeGroupsRequest;
use protocol::encode_request;
use protocol::fetch::{FetchPartition, FetchRequest, FetchTopic};
use protocol::metadata::{MetadataRequest, MetadataRequestTopic};
use protocol::offset_commit::{OffsetCommitPartition, OffsetCommitRequest, OffsetCommitTopic};
use protocol::offset_fetch::{OffsetFetchRequest, OffsetFetchTopic};
use protocol::produce::{PartitionData, ProduceRequest, TopicData};
use tikv_jemallocator::Jemalloc;

/// As in the program: one that gives back what is freed, whichever thread has freed it.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// What the arrays of a request may take, in bytes.
const MAX_ARRAYS: usize = 8 << 20;
/// What they may take together with all that comes of them, the client's copies too.
const MAX_BYTES: usize = 256 << 20;
/// So many send the same at the same time.
const CLIENTS: usize = 4;

fn names(element_bytes: usize) -> impl Iterator<Item = String> {
    (0..MAX_ARRAYS / element_bytes).map(|number| format!("{number:06}"))
}

fn numbers(element_bytes: usize) -> impl Iterator<Item = i32> {
    (0..(MAX_ARRAYS / element_bytes - 2) as i32).map(|number| number + 10)
}

/// The largest of each kind that are read.
fn requests() -> Vec<(&'static str, Vec<u8>)> {
    const STRING: usize = size_of::<String>();
    let groups = names(STRING).collect();
    let describe_groups = DescribeGroupsRequest { groups, ..Default::default() };
    let topics = names(size_of::<MetadataRequestTopic>());
    let topics = topics.map(|name| MetadataRequestTopic { name: Some(name), ..Default::default() });
    let metadata = MetadataRequest { topics: Some(topics.collect()), ..Default::default() };
    let delete = DeleteTopicsRequest { topic_names: names(STRING).collect(), ..Default::default() };
    let fetch = |count: usize, each: usize| {
        let partition = |partition| FetchPartition { partition, ..Default::default() };
        let partitions: Vec<_> = (0..each as i32).map(|number| partition(number + 10)).collect();
        let topics = (0..count).map(|name| FetchTopic {
            topic: format!("{name:06}"),
            partitions: partitions.clone(),
            ..Default::default()
        });
        FetchRequest { max_bytes: 1 << 30, topics: topics.collect(), ..Default::default() }
    };
    let partition = size_of::<FetchPartition>();
    let fetches =
        [fetch(1, MAX_ARRAYS / partition - 2), fetch(MAX_ARRAYS / (partition + size_of::<FetchTopic>()), 1)];
    let data = numbers(size_of::<PartitionData>()).map(|index| PartitionData { index, records: None });
    let topics = vec![TopicData { name: "t".into(), partitions: data.collect() }];
    let produce = ProduceRequest { acks: 1, topics, ..Default::default() };
    let partitions = numbers(size_of::<OffsetCommitPartition>());
    let partitions =
        partitions.map(|partition_index| OffsetCommitPartition { partition_index, ..Default::default() });
    let topics = vec![OffsetCommitTopic { name: "t".into(), partitions: partitions.collect() }];
    let commit = OffsetCommitRequest { group_id: "g".into(), topics, ..Default::default() };
    let partition_indexes = numbers(size_of::<i32>() + 1).collect();
    let topics = Some(vec![OffsetFetchTopic { name: "t".into(), partition_indexes }]);
    let offsets = OffsetFetchRequest { group_id: "g".into(), topics, ..Default::default() };
    vec![
        ("describe groups", encode_request(4, 1, "", &describe_groups)),
        ("metadata", encode_request(4, 1, "", &metadata)),
        ("delete topics", encode_request(4, 1, "", &delete)),
        ("fetch of partitions", encode_request(4, 1, "", &fetches[0])),
        ("fetch of topics", encode_request(4, 1, "", &fetches[1])),
        ("commit", encode_request(6, 1, "", &commit)),
        ("offsets", encode_request(5, 1, "", &offsets)),
        ("produce", encode_request(8, 1, "", &produce)),
    ]
}

/// The most memory that this process has had since `forget_peak`.
fn peak_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

fn forget_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}

#[test]
fn the_largest_requests_take_little_memory_even_several_at_a_time() {
    let data_dir = tempfile::TempDir::new().unwrap();
    let listeners = vec![Listener::on_this_machine()];
    let config = BrokerConfig { listeners, auto_create_topics: false, ..BrokerConfig::new(data_dir.path()) };
    let cluster = Cluster::start(config).unwrap();
    for (kind, request) in requests() {
        forget_peak();
        let mut clients: Vec<_> =
            (0..CLIENTS).map(|_| TcpStream::connect(cluster.address()).unwrap()).collect();
        for client in &mut clients {
            client.write_all(&request).unwrap();
        }
        for mut client in clients {
            let mut length = [0; 4];
            client.read_exact(&mut length).unwrap();
            let length = u64::from(u32::from_be_bytes(length));
            assert!(length > request.len() as u64 / 4, "{kind}: {length} bytes say too little");
            let answer = std::io::copy(&mut client.take(length), &mut std::io::sink());
            assert_eq!(answer.unwrap(), length);
        }
        let peak = peak_bytes();
        assert!(peak < MAX_BYTES, "{kind}: {} MB", peak >> 20);
    }
    let groups = names(size_of::<String>()).chain(["one more".into()]).collect();
    let larger = DescribeGroupsRequest { groups, ..Default::default() };
    let mut client = TcpStream::connect(cluster.address()).unwrap();
    client.write_all(&encode_request(4, 1, "", &larger)).unwrap();
    assert_eq!(client.read(&mut [0]).unwrap(), 0, "it is hung up on");
}
