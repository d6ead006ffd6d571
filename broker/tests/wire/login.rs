//! Listeners that want a login. What a Kafka 4.3 answers to the same frames was asked of one.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use broker::{BrokerConfig, Cluster, Listener, SecurityProtocol, StartError, Users};
use bytes::Bytes;
use protocol::api_versions::ApiVersionsRequest;
use protocol::metadata::MetadataRequest;
use protocol::sasl_authenticate::{SaslAuthenticateRequest, SaslAuthenticateResponse};
use protocol::sasl_handshake::SaslHandshakeRequest;
use protocol::{ErrorCode, encode_request};
use tempfile::TempDir;

use crate::client::{Client, config};

const MECHANISMS: [&str; 1] = ["PLAIN"];
const GOOD: &[u8] = b"\0ada\0secret";

pub(crate) fn with_logins(data_dir: &TempDir) -> BrokerConfig {
    let file = data_dir.path().join("users");
    std::fs::write(&file, "ada:secret\nbob:b2\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let listener = Listener { protocol: SecurityProtocol::SaslPlaintext, ..Listener::on_this_machine() };
    let users = Some(Arc::new(Users::read(&file).unwrap()));
    BrokerConfig { listeners: vec![listener], users, ..config(data_dir) }
}

fn start() -> (Cluster, TempDir) {
    let data_dir = TempDir::new().unwrap();
    (Cluster::start(with_logins(&data_dir)).unwrap(), data_dir)
}

fn handshake(client: &mut Client, version: i16, mechanism: &str) -> ErrorCode {
    let response = client.call(version, &SaslHandshakeRequest { mechanism: mechanism.into() });
    let offered = if response.error_code == ErrorCode::ILLEGAL_SASL_STATE { &[][..] } else { &MECHANISMS };
    assert_eq!(response.mechanisms, offered);
    response.error_code
}

fn authenticate(client: &mut Client, version: i16, token: &[u8]) -> SaslAuthenticateResponse {
    client.call(version, &SaslAuthenticateRequest { auth_bytes: Bytes::copy_from_slice(token) })
}

fn bare(token: &[u8]) -> Vec<u8> {
    [&(token.len() as u32).to_be_bytes()[..], token].concat()
}

#[test]
fn what_is_said_before_a_login_is_answered_as_by_kafka() {
    let (cluster, _dir) = start();
    let metadata = MetadataRequest::default();
    for version in 0..=2 {
        let mut client = Client::to(&cluster);
        assert!(client.call(3, &ApiVersionsRequest::default()).error_code.is_none());
        assert_eq!(handshake(&mut client, 1, "PLAIN"), ErrorCode::NONE);
        let answer = authenticate(&mut client, version, GOOD);
        assert_eq!(
            (answer.error_code, answer.error_message, answer.session_lifetime_ms),
            (ErrorCode::NONE, None, 0)
        );
        assert_eq!(client.call(12, &metadata).brokers.len(), 1);
        // There is no second login.
        assert_eq!(handshake(&mut client, 1, "PLAIN"), ErrorCode::ILLEGAL_SASL_STATE);
        assert_eq!(authenticate(&mut client, version, GOOD).error_code, ErrorCode::ILLEGAL_SASL_STATE);
        assert_eq!(client.call(12, &metadata).brokers.len(), 1);
    }
    // The form of handshakes of version 0.
    let mut client = Client::to(&cluster);
    assert_eq!(handshake(&mut client, 0, "PLAIN"), ErrorCode::NONE);
    client.send_bytes(&bare(GOOD));
    assert!(client.receive_frame().is_empty());
    assert_eq!(client.call(12, &metadata).brokers.len(), 1);
    let mut client = Client::to(&cluster);
    assert_eq!(handshake(&mut client, 0, "PLAIN"), ErrorCode::NONE);
    client.send_bytes(&bare(b"\0ada\0wrong"));
    client.expect_hangup();

    for version in 0..=1 {
        let mut client = Client::to(&cluster);
        assert_eq!(handshake(&mut client, version, "GSSAPI"), ErrorCode::UNSUPPORTED_SASL_MECHANISM);
        client.expect_hangup();
    }
    // Anything else is not answered, or refused.
    let mut client = Client::to(&cluster);
    client.send(12, &metadata);
    client.expect_hangup();
    let mut client = Client::to(&cluster);
    client.send(1, &SaslAuthenticateRequest { auth_bytes: Bytes::from_static(GOOD) });
    client.expect_hangup();
    let mut client = Client::to(&cluster);
    client.call(3, &ApiVersionsRequest::default());
    client.send(3, &ApiVersionsRequest::default());
    client.expect_hangup();
    let mut client = Client::to(&cluster);
    handshake(&mut client, 1, "PLAIN");
    assert_eq!(handshake(&mut client, 1, "PLAIN"), ErrorCode::ILLEGAL_SASL_STATE);
    client.expect_hangup();
    let mut client = Client::to(&cluster);
    handshake(&mut client, 1, "PLAIN");
    client.send(12, &metadata);
    client.expect_hangup();
}

#[test]
fn a_refusal_has_kafkas_words_and_ends_the_connection() {
    let (cluster, _dir) = start();
    let of_plain = |why: &str| format!("Authentication failed: {why}");
    let three = |got| format!("Invalid SASL/PLAIN response: expected 3 tokens, got {got}");
    for (token, message) in [
        (&b"\0ada\0wrong"[..], of_plain("Invalid username or password")),
        (b"\0eve\0secret", of_plain("Invalid username or password")),
        (b"\0ada\0\xff\xfe", of_plain("Invalid username or password")),
        (b"\0\0secret", of_plain("username not specified")),
        (b"\0ada\0", of_plain("password not specified")),
        (
            b"bob\0ada\0secret",
            of_plain("Client requested an authorization id that is different from username"),
        ),
        (b"ada\0secret", three(2)),
        (b"\0ada\0secret\0x", three(4)),
        (b"", three(1)),
    ] {
        let mut client = Client::to(&cluster);
        handshake(&mut client, 1, "PLAIN");
        let answer = authenticate(&mut client, 2, token);
        assert_eq!(answer.error_code, ErrorCode::SASL_AUTHENTICATION_FAILED);
        assert_eq!(answer.error_message, Some(message));
        client.expect_hangup();
    }
    let mut client = Client::to(&cluster);
    handshake(&mut client, 1, "PLAIN");
    assert_eq!(authenticate(&mut client, 1, b"ada\0ada\0secret").error_code, ErrorCode::NONE);
}

/// Garbage, half of something, and what is too large: hung up on, and nobody else notices.
#[test]
fn no_token_does_harm() {
    let (cluster, _dir) = start();
    let mut half = Client::to(&cluster);
    half.send_bytes(&[0, 0, 0, 40, 0, 17]);
    for bytes in
        [(600_000u32).to_be_bytes().to_vec(), vec![0xff; 64], b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![0; 8]]
    {
        let mut client = Client::to(&cluster);
        client.send_bytes(&bytes);
        client.expect_hangup();
    }
    let mut client = Client::to(&cluster);
    handshake(&mut client, 1, "PLAIN");
    let huge = SaslAuthenticateRequest { auth_bytes: vec![b'x'; 600_000].into() };
    client.send_bytes(&encode_request(1, 2, "test", &huge)[..100]);
    client.expect_hangup();
    let mut state = 11u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    for _ in 0..20 {
        let mut client = Client::to(&cluster);
        handshake(&mut client, 1, "PLAIN");
        let token: Vec<u8> = (0..random()).map(|_| random() & random()).collect();
        let answer = authenticate(&mut client, 1, &token);
        assert_eq!(answer.error_code, ErrorCode::SASL_AUTHENTICATION_FAILED);
        client.expect_hangup();
    }
    let mut client = Client::to(&cluster);
    handshake(&mut client, 1, "PLAIN");
    assert_eq!(authenticate(&mut client, 1, GOOD).error_code, ErrorCode::NONE);
}

#[test]
fn a_listener_with_logins_needs_users() {
    let data_dir = TempDir::new().unwrap();
    let error = Cluster::start(BrokerConfig { users: None, ..with_logins(&data_dir) }).unwrap_err();
    assert!(matches!(error, StartError::NoUsers { .. }), "{error}");
}
