//! Listeners with TLS, and those who come to them without.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use broker::{BrokerConfig, Certificate, Cluster, Listener, SecurityProtocol, StartError};
use protocol::api_versions::ApiVersionsRequest;
use protocol::encode_request;
use protocol::fetch::FetchRequest;
use protocol::metadata::MetadataRequest;
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::client::{Client, batch, config, connect, fetch, records};

/// One listener with TLS and one without.
fn with_tls(data_dir: &TempDir) -> BrokerConfig {
    let tls = Listener { protocol: SecurityProtocol::Ssl, ..Listener::on_this_machine() };
    let listeners = vec![tls, Listener::on_this_machine()];
    BrokerConfig { listeners, certificate: Some(Certificate::SelfSigned), ..config(data_dir) }
}

/// A connection with TLS, for a client that trusts this file and believes to speak with this host.
fn tls(address: SocketAddr, trusted: &Path, host: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(trusted).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), connect(address))
}

fn to(cluster: &Cluster) -> Client {
    Client::over(tls(cluster.address(), cluster.trusted_certificate().unwrap(), "127.0.0.1"))
}

/// Records of a file larger than any buffer, and other requests in between.
#[test]
fn what_goes_through_tls_arrives_whole() {
    let data_dir = TempDir::new().unwrap();
    let cluster = Cluster::start(with_tls(&data_dir)).unwrap();
    let mut client = to(&cluster);
    client.create_topic("t", 1, &[]);
    let mut stored = Vec::new();
    for n in 0..40u8 {
        let value: String =
            (0..100_000u32).map(|at| char::from(b'a' + (at * 7 + u32::from(n)) as u8 % 26)).collect();
        let records = batch(&[&value]);
        let base_offset = client.produce("t", 0, records.clone()).base_offset;
        assert_eq!(base_offset, i64::from(n));
        // The broker sets the base offset and the epoch, outside of what the checksum covers.
        let (offset, epoch) = (base_offset.to_be_bytes(), 0i32.to_be_bytes());
        stored.extend_from_slice(&[&offset, &records[8..12], &epoch, &records[16..]].concat());
    }
    assert!(stored.len() > 4_000_000);
    let mut large = fetch("t", &[(0, 0)]);
    large.max_bytes = 8 << 20;
    large.topics[0].partitions[0].partition_max_bytes = 8 << 20;
    for _ in 0..3 {
        client.send(12, &large);
        client.send(12, &MetadataRequest::default());
    }
    for _ in 0..3 {
        let fetched = client.receive::<FetchRequest>(12);
        let read = records(&fetched.topics[0].partitions[0]);
        assert!(read == stored, "{} bytes, of {}, or others", read.len(), stored.len());
        let told = client.receive::<MetadataRequest>(12).brokers.remove(0);
        assert_eq!((told.host.as_str(), told.port), ("127.0.0.1", i32::from(cluster.address().port())));
    }
}

#[test]
fn whoever_does_not_trust_the_certificate_or_its_name_gets_nothing() {
    let (one, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (cluster, stranger) =
        (Cluster::start(with_tls(&one)).unwrap(), Cluster::start(with_tls(&other)).unwrap());
    let (trusted, of_other) =
        (cluster.trusted_certificate().unwrap(), stranger.trusted_certificate().unwrap());
    let says = |trusted: &Path, host: &str| {
        let mut stream = tls(cluster.address(), trusted, host);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).map_err(|error| error.to_string())?;
        }
        Ok::<(), String>(())
    };
    assert_eq!(says(trusted, "localhost"), Ok(()));
    assert!(says(of_other, "localhost").unwrap_err().contains("certificate"));
    assert!(says(trusted, "elsewhere.example").unwrap_err().contains("certificate"));
}

/// None of them holds up a client that does speak TLS, nor takes the broker down.
#[test]
fn who_speaks_no_tls_or_half_of_it_is_hung_up_on() {
    let data_dir = TempDir::new().unwrap();
    let cluster =
        Cluster::start(BrokerConfig { connections_max_idle_ms: 2_000, ..with_tls(&data_dir) }).unwrap();
    let hello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    let mut silent = Client::to(&cluster);
    let mut half = Client::to(&cluster);
    half.send_bytes(&hello);
    let garbage = [&hello[..], &[0xee; 600]].concat();
    let plain = encode_request(3, 1, "plain", &ApiVersionsRequest::default());
    let too_long = [&[0x16, 3, 1, 0xff, 0xff][..], &vec![1; 70_000]].concat();
    for bytes in [garbage, plain, too_long, b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![0xff; 64]] {
        let mut stream = connect(cluster.address());
        // The broker may hang up before it has read all.
        let _sent = std::io::Write::write_all(&mut stream, &bytes);
        let mut answer = Vec::new();
        let _hangup = std::io::Read::read_to_end(&mut stream, &mut answer);
        assert!(answer.is_empty() || answer[0] == 0x15, "nothing but an alert: {answer:?}");
    }
    assert!(to(&cluster).call(3, &ApiVersionsRequest::default()).error_code.is_none());
    silent.expect_hangup();
    half.expect_hangup();
}

#[test]
fn a_client_with_tls_is_hung_up_on_where_there_is_none() {
    let data_dir = TempDir::new().unwrap();
    let cluster = Cluster::start(with_tls(&data_dir)).unwrap();
    let plain = cluster.listening()[1].address;
    let mut stream = tls(plain, cluster.trusted_certificate().unwrap(), "localhost");
    assert!(stream.conn.complete_io(&mut stream.sock).is_err());
    assert!(Client::connect(plain).call(3, &ApiVersionsRequest::default()).error_code.is_none());
}

/// A client of a broker that ends is told so, and by a word of TLS.
#[test]
fn an_idle_connection_is_ended_in_order() {
    let data_dir = TempDir::new().unwrap();
    let cluster =
        Cluster::start(BrokerConfig { connections_max_idle_ms: 300, ..with_tls(&data_dir) }).unwrap();
    let mut client = to(&cluster);
    client.call(3, &ApiVersionsRequest::default());
    client.expect_hangup();
}

#[test]
fn the_certificate_is_kept_while_it_serves() {
    let data_dir = TempDir::new().unwrap();
    let start = |advertised: Option<&str>| {
        let mut config = with_tls(&data_dir);
        config.listeners[0].advertised = advertised.map(|host| host.parse().unwrap());
        let cluster = Cluster::start(config).unwrap();
        let mut client = to(&cluster);
        assert!(client.call(3, &ApiVersionsRequest::default()).error_code.is_none());
        let file = cluster.trusted_certificate().unwrap().to_owned();
        drop(cluster);
        std::fs::read_to_string(file).unwrap()
    };
    let first = start(None);
    assert_eq!(start(None), first, "it is used again");
    let renamed = start(Some("Broker.example"));
    assert_ne!(renamed, first);
    assert_eq!(start(Some("broker.example")), renamed);
    let files = ["tls-certificate.pem", "tls-key.pem"].map(|name| data_dir.path().join(name));
    let until = renamed.lines().find(|line| line.starts_with("# until: ")).unwrap();
    std::fs::write(&files[0], renamed.replace(until, "# until: 1000")).unwrap();
    let renewed = start(Some("broker.example"));
    assert_ne!(renewed, renamed, "it has expired");
    for damaged in files {
        std::fs::write(damaged, "").unwrap();
        assert_ne!(start(Some("broker.example")), renewed);
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &data_dir.path().join("tls-key.pem").metadata().unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_certificate_of_ones_own_is_used_or_refused_with_the_reason() {
    let (made, other, data_dir) = (TempDir::new().unwrap(), TempDir::new().unwrap(), TempDir::new().unwrap());
    for made in [&made, &other] {
        Cluster::start(with_tls(made)).unwrap().shutdown().unwrap();
    }
    let at = |dir: &TempDir, name: &str| dir.path().join(name);
    let (certificate, key) = (at(&made, "tls-certificate.pem"), at(&made, "tls-key.pem"));
    let start = |certificate: &Path, key: &Path| {
        let files = Certificate::Files { certificate: certificate.to_owned(), key: key.to_owned() };
        Cluster::start(BrokerConfig { certificate: Some(files), ..with_tls(&data_dir) })
    };
    let cluster = start(&certificate, &key).unwrap();
    assert_eq!(cluster.trusted_certificate(), None);
    let mut client = Client::over(tls(cluster.address(), &certificate, "localhost"));
    assert!(client.call(3, &ApiVersionsRequest::default()).error_code.is_none());
    drop(cluster);
    for (certificate, key, reason) in [
        (&certificate, &at(&other, "tls-key.pem"), "do not serve together"),
        (&key, &key, "no certificate in"),
        (&certificate, &certificate, "no private key in"),
        (&at(&made, "missing"), &key, "can't read"),
    ] {
        let error = start(certificate, key).unwrap_err();
        assert!(
            matches!(error, StartError::Certificate { .. }) && error.to_string().contains(reason),
            "{error}"
        );
    }
    let error = Cluster::start(BrokerConfig { certificate: None, ..with_tls(&data_dir) }).unwrap_err();
    assert!(error.to_string().contains("SSL://127.0.0.1:"), "{error}");
}
