//! Listeners that want a login. What a Kafka 4.3 answers to the same frames was asked of one.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use broker::{BrokerConfig, Cluster, Listener, SecurityProtocol, StartError, Users};
use bytes::Bytes;
use protocol::api_versions::ApiVersionsRequest;
use protocol::describe_user_scram_credentials::{DescribeUserScramCredentialsRequest, ScramUserName};
use protocol::metadata::MetadataRequest;
use protocol::sasl_authenticate::{SaslAuthenticateRequest, SaslAuthenticateResponse};
use protocol::sasl_handshake::SaslHandshakeRequest;
use protocol::scram::{self, Mechanism};
use protocol::{ErrorCode, encode_request};
use tempfile::TempDir;

use crate::client::{Client, config};

const MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];
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

const REFUSED: &str =
    "Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-";

/// A login by SCRAM, which says of itself that it is this user with this password.
fn log_in(client: &mut Client, mechanism: Mechanism, user: &str, password: &str) -> Result<(), String> {
    assert_eq!(handshake(client, 1, mechanism.name()), ErrorCode::NONE);
    let login = scram::Client::new(mechanism, user, password, "nonce-of-the-client");
    let taken = |answer: SaslAuthenticateResponse| match answer.error_code {
        ErrorCode::NONE => Ok(answer.auth_bytes),
        ErrorCode::SASL_AUTHENTICATION_FAILED => Err(answer.error_message.unwrap()),
        other => panic!("{other}"),
    };
    let challenge = taken(authenticate(client, 2, &login.first()))?;
    let (proof, expected) = login.answer(&challenge).map_err(|error| error.to_string())?;
    let last = taken(authenticate(client, 2, &proof))?;
    expected.check(&last).map_err(|error| error.to_string())
}

#[test]
fn by_scram_who_knows_the_password_is_let_in_and_neither_shows_it() {
    let (cluster, _dir) = start();
    for mechanism in Mechanism::ALL {
        for (user, password) in [("ada", "secret"), ("bob", "b2")] {
            let mut client = Client::to(&cluster);
            assert_eq!(log_in(&mut client, mechanism, user, password), Ok(()));
            assert_eq!(client.call(12, &MetadataRequest::default()).brokers.len(), 1);
            assert_eq!(handshake(&mut client, 1, "PLAIN"), ErrorCode::ILLEGAL_SASL_STATE);
        }
        for (user, password) in [("ada", "b2"), ("eve", "secret"), ("ada", "")] {
            let mut client = Client::to(&cluster);
            let refused = log_in(&mut client, mechanism, user, password).unwrap_err();
            assert!(refused.starts_with(REFUSED), "{refused}");
            client.expect_hangup();
        }
    }
    // The form of handshakes of version 0.
    let mut client = Client::to(&cluster);
    assert_eq!(handshake(&mut client, 0, "SCRAM-SHA-256"), ErrorCode::NONE);
    let login = scram::Client::new(Mechanism::Sha256, "ada", "secret", "nonce");
    client.send_bytes(&bare(&login.first()));
    let (proof, expected) = login.answer(&client.receive_frame()).unwrap();
    client.send_bytes(&bare(&proof));
    assert_eq!(expected.check(&client.receive_frame()), Ok(()));
    assert_eq!(client.call(12, &MetadataRequest::default()).brokers.len(), 1);
}

/// A name that there is not is asked for its proof like any other, with the same salt each time.
#[test]
fn by_scram_no_name_can_be_told_from_another() {
    let (cluster, _dir) = start();
    let challenge = |user: &str| {
        let mut client = Client::to(&cluster);
        handshake(&mut client, 1, "SCRAM-SHA-512");
        let login = scram::Client::new(Mechanism::Sha512, user, "", "nonce");
        let answer = authenticate(&mut client, 2, &login.first());
        assert_eq!(answer.error_code, ErrorCode::NONE);
        String::from_utf8(answer.auth_bytes.to_vec()).unwrap()
    };
    let mut salts = Vec::new();
    for user in ["ada", "bob", "eve"] {
        let (one, other) = (challenge(user), challenge(user));
        assert_ne!(one, other, "a nonce is never said twice");
        let salt = |challenge: &str| challenge.split(",s=").nth(1).unwrap().to_owned();
        assert!(one.starts_with("r=nonce") && salt(&one).ends_with(",i=4096"), "{one}");
        assert_eq!(salt(&one), salt(&other));
        assert!(!salts.contains(&salt(&one)), "each has its own");
        salts.push(salt(&one));
    }
}

#[test]
fn users_are_told_of_as_by_a_kafka_that_has_them() {
    let (cluster, _dir) = start();
    let mut client = Client::to(&cluster);
    log_in(&mut client, Mechanism::Sha256, "ada", "secret").unwrap();
    let mut describe = |users: Option<Vec<ScramUserName>>| {
        let told = client.call(0, &DescribeUserScramCredentialsRequest { users });
        assert_eq!(told.error_code, ErrorCode::NONE);
        let user = |told: protocol::describe_user_scram_credentials::DescribedScramUser| {
            let by: Vec<_> =
                told.credential_infos.iter().map(|info| (info.mechanism, info.iterations)).collect();
            (told.user, told.error_code, by)
        };
        told.results.into_iter().map(user).collect::<Vec<_>>()
    };
    let both = vec![(1, 4096), (2, 4096)];
    let (ada, bob) =
        (("ada".into(), ErrorCode::NONE, both.clone()), ("bob".into(), ErrorCode::NONE, both.clone()));
    assert_eq!(describe(None), [ada.clone(), bob.clone()]);
    assert_eq!(describe(Some(Vec::new())), [ada, bob.clone()]);
    let named = ["eve", "bob", "ada", "ada"].map(|name| ScramUserName { name: name.into() });
    let expected = [
        ("ada".into(), ErrorCode::DUPLICATE_RESOURCE, Vec::new()),
        bob,
        ("eve".into(), ErrorCode::RESOURCE_NOT_FOUND, Vec::new()),
    ];
    assert_eq!(describe(Some(named.into())), expected);
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
    for round in 0..60 {
        let mut client = Client::to(&cluster);
        handshake(&mut client, 1, MECHANISMS[round % MECHANISMS.len()]);
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
