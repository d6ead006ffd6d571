//! What can go wrong on a connection before any request is understood.

use std::io::{Read, Write};
use std::net::{Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use broker::{BrokerConfig, Cluster};
use bytes::Bytes;
use protocol::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use protocol::fetch::FetchRequest;
use protocol::heartbeat::HeartbeatRequest;
use protocol::metadata::MetadataRequest;
use protocol::sasl_authenticate::SaslAuthenticateRequest;
use protocol::sasl_handshake::SaslHandshakeRequest;
use protocol::{ApiKey, ErrorCode, decode_response, encode_request};
use tempfile::TempDir;

use crate::client::{Client, FOR_EVER_MS, batch, config, fetch, records, start};

#[test]
fn an_unknown_version_of_api_versions_is_answered_in_the_oldest_form() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    let mut request = encode_request(4, 5, "from the future", &ApiVersionsRequest::default());
    request[6..8].copy_from_slice(&99i16.to_be_bytes());
    client.send_bytes(&request);
    let (correlation_id, response) =
        decode_response::<ApiVersionsRequest>(0, client.receive_frame()).unwrap();
    assert_eq!((correlation_id, response.error_code), (5, ErrorCode::UNSUPPORTED_VERSION));
    let [only] = &response.api_keys[..] else { panic!("what to ask in is all there is to say") };
    assert_eq!((only.api_key, only.min_version, only.max_version), (ApiKey::ApiVersions.number(), 0, 4));
    // The connection is still good.
    assert!(client.call::<ApiVersionsRequest>(0, &ApiVersionsRequest::default()).error_code.is_none());
}

/// librdkafka before 2.2 misreads a response that spells out tagged fields with default values.
#[test]
fn api_versions_announces_every_request_and_no_default_tagged_field() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    for version in 0..=4 {
        client.send_bytes(&encode_request(version, 5, "test", &ApiVersionsRequest::default()));
        let frame = client.receive_frame();
        let (_, response): (_, ApiVersionsResponse) =
            decode_response::<ApiVersionsRequest>(version, frame.clone()).unwrap();
        assert_eq!(response.api_keys.len(), ApiKey::ALL.len());
        if version >= 3 {
            assert_eq!(frame.last(), Some(&0), "no tagged field follows");
        }
    }
}

/// The answer of an Apache Kafka 4.3 without SASL, which does not hang up either.
#[test]
fn who_tries_to_log_in_is_told_that_nobody_does() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    for version in 0..=1 {
        let response = client.call(version, &SaslHandshakeRequest { mechanism: "PLAIN".into() });
        assert_eq!((response.error_code, response.mechanisms), (ErrorCode::ILLEGAL_SASL_STATE, vec![]));
    }
    for version in 0..=2 {
        let login = SaslAuthenticateRequest { auth_bytes: Bytes::from_static(b"\0user\0password") };
        let response = client.call(version, &login);
        assert_eq!(response.error_code, ErrorCode::ILLEGAL_SASL_STATE, "version {version}");
        assert!(response.error_message.unwrap().contains("sasl") && response.auth_bytes.is_empty());
    }
    assert!(client.call::<ApiVersionsRequest>(0, &ApiVersionsRequest::default()).error_code.is_none());
}

#[test]
fn pipelined_requests_are_answered_in_order_even_behind_one_that_waits() {
    let (cluster, _dir) = start();
    let (mut client, mut producer) = (Client::to(&cluster), Client::to(&cluster));
    client.create_topic("t", 1, &[]);
    client.send(12, &FetchRequest { max_wait_ms: FOR_EVER_MS, ..fetch("t", &[(0, 0)]) });
    let unknown = HeartbeatRequest { group_id: "g".into(), ..Default::default() };
    for _ in 0..50 {
        client.send(4, &unknown);
    }
    producer.produce("t", 0, batch(&["a"]));
    let fetched = client.receive::<FetchRequest>(12);
    assert!(!records(&fetched.topics[0].partitions[0]).is_empty());
    for _ in 0..50 {
        assert_eq!(client.receive::<HeartbeatRequest>(4).error_code, ErrorCode::UNKNOWN_MEMBER_ID);
    }
}

#[test]
fn a_request_may_arrive_byte_by_byte() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    for byte in encode_request(3, 1, "slow", &ApiVersionsRequest::default()) {
        client.send_bytes(&[byte]);
    }
    let (correlation_id, _) = decode_response::<ApiVersionsRequest>(3, client.receive_frame()).unwrap();
    assert_eq!(correlation_id, 1);
}

#[test]
fn what_is_not_kafka_is_hung_up_on() {
    let (cluster, _dir) = start();
    let announce = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
    let unknown_request = announce(&[0x03, 0xe7, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
    let unknown_version = announce(&[0, 3, 0, 99, 0, 0, 0, 1, 0xff, 0xff]);
    // A Metadata request whose array claims two thousand million topics.
    let hostile_count = announce(&[0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let truncated = announce(&[0, 3, 0, 1, 0, 0, 0, 1]);
    for bytes in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3],
        vec![0xff; 64],
        (101u32 << 20).to_be_bytes().to_vec(),
        unknown_request,
        unknown_version,
        hostile_count,
        truncated,
        vec![0; 4],
    ] {
        let mut client = Client::to(&cluster);
        client.send_bytes(&bytes);
        client.expect_hangup();
    }
    assert!(Client::to(&cluster).call(3, &ApiVersionsRequest::default()).error_code.is_none());
}

/// Someone types the port into a browser: the log says so, in a line that they understand.
#[test]
fn an_http_request_is_recognized_in_the_log() {
    let log = CapturedLog::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    // Other tests in this process may log as well, so it must be the one for all threads.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.send_bytes(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client.expect_hangup();
    cluster.shutdown().unwrap();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let line = "connection closed: this is an HTTP request: this port speaks Kafka's protocol";
    assert!(text.contains(line), "{text}");
}

#[derive(Clone, Default)]
struct CapturedLog(Arc<Mutex<Vec<u8>>>);

impl Write for CapturedLog {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for CapturedLog {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[test]
fn localhost_is_both_of_its_addresses_and_each_client_is_told_one_it_can_reach() {
    let data_dir = TempDir::new().unwrap();
    let cluster =
        Cluster::start(BrokerConfig { listeners: vec!["localhost:0".parse().unwrap()], ..config(&data_dir) })
            .unwrap();
    let port = cluster.address().port();
    let told = |address: SocketAddr| {
        let mut client = Client::connect(address);
        let metadata = client.call(12, &MetadataRequest::default());
        (metadata.brokers[0].host.clone(), metadata.brokers[0].port)
    };
    assert_eq!(told(cluster.address()), ("127.0.0.1".into(), i32::from(port)));
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        assert_eq!(told((Ipv6Addr::LOCALHOST, port).into()), ("localhost".into(), i32::from(port)));
    }
}

/// A client that asks for far more than it reads: the broker stops reading from it, others don't
/// notice, and once it reads it gets everything.
#[test]
fn a_slow_reader_is_bounded_and_loses_nothing() {
    const REQUESTS: usize = 300;
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    let small_enough_to_be_copied = batch(&[&"x".repeat(60_000)]);
    client.produce("t", 0, small_enough_to_be_copied.clone());
    let mut slow = Client::to(&cluster);
    for _ in 0..REQUESTS {
        slow.send(12, &fetch("t", &[(0, 0)]));
    }
    assert_eq!(client.produce("t", 0, batch(&["meanwhile"])).base_offset, 1);
    for _ in 0..REQUESTS {
        let response = slow.receive::<FetchRequest>(12);
        assert!(records(&response.topics[0].partitions[0]).len() >= small_enough_to_be_copied.len());
    }
}

/// As in Kafka, whether they have said nothing or half of something; a request ends the silence.
#[test]
fn connections_on_which_nothing_moves_are_closed() {
    let data_dir = TempDir::new().unwrap();
    let hasty = BrokerConfig { connections_max_idle_ms: 1, ..config(&data_dir) };
    let cluster = Cluster::start(hasty).unwrap();
    let mut silent = Client::to(&cluster);
    let mut half = Client::to(&cluster);
    half.send_bytes(&[0, 0, 1]);
    silent.expect_hangup();
    half.expect_hangup();
}

#[test]
fn a_thousand_idle_connections_are_no_burden() {
    let (cluster, _dir) = start();
    let idle: Vec<_> = (0..1000).map(|_| TcpStream::connect(cluster.address()).unwrap()).collect();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    assert_eq!(client.produce("t", 0, batch(&["a"])).base_offset, 0);
    // Those that vanish in the middle of a request are no burden either.
    for mut stream in idle {
        stream.write_all(&[0, 0, 1]).unwrap();
    }
    assert_eq!(client.produce("t", 0, batch(&["b"])).base_offset, 1);
}

/// A client may say that it will send no more and still wait for what it has asked for.
#[test]
fn a_client_that_closes_its_side_still_gets_its_answers() {
    let (cluster, _dir) = start();
    let mut stream = TcpStream::connect(cluster.address()).unwrap();
    stream.write_all(&encode_request(3, 1, "test", &ApiVersionsRequest::default())).unwrap();
    stream.write_all(&encode_request(12, 2, "test", &MetadataRequest::default())).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answers = Vec::new();
    stream.read_to_end(&mut answers).unwrap();
    let first = 4 + u32::from_be_bytes(*answers.first_chunk().unwrap()) as usize;
    assert_eq!(answers[4..8], [0, 0, 0, 1]);
    assert_eq!(answers[first + 4..first + 8], [0, 0, 0, 2]);
}

/// Parked fetches whose clients are gone, each with half a large request behind it, delay no other
/// client.
#[test]
fn a_client_that_vanishes_while_it_waits_is_forgotten() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    client.create_topic("t", 1, &[]);
    for _ in 0..50 {
        let mut waiting = Client::to(&cluster);
        waiting.send(12, &FetchRequest { max_wait_ms: FOR_EVER_MS, ..fetch("t", &[(0, 0)]) });
        // Half of a large request that will never be whole.
        waiting.send_bytes(&(50u32 << 20).to_be_bytes());
        waiting.send_bytes(&[0; 10_000]);
    }
    assert_eq!(client.produce("t", 0, batch(&["wakes nobody"])).base_offset, 0);
    let read = client.fetch(&fetch("t", &[(0, 0)]));
    assert_eq!(records(&read).len(), batch(&["wakes nobody"]).len());
}

/// Whatever bytes come, the broker answers or hangs up, and lives.
#[test]
fn random_bytes_do_no_harm() {
    let (cluster, _dir) = start();
    let mut state = 7u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    for _ in 0..300 {
        let key = ApiKey::ALL[usize::from(random()) % ApiKey::ALL.len()];
        let (min, max) = key.versions();
        let version = min + i16::from(random()) % (max - min + 1);
        let body: Vec<u8> = (0..random() % 64).map(|_| random() & random()).collect();
        let header =
            [&key.number().to_be_bytes()[..], &version.to_be_bytes(), &[0; 4], &[0xff, 0xff]].concat();
        let length = (header.len() + body.len()) as u32;
        let mut stream = TcpStream::connect(cluster.address()).unwrap();
        stream.write_all(&[&length.to_be_bytes()[..], &header, &body].concat()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let _answer_or_hangup = stream.read_to_end(&mut Vec::new());
    }
    assert!(Client::to(&cluster).call(3, &ApiVersionsRequest::default()).error_code.is_none());
}
