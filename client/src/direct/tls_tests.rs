//! Brokers with certificates of all kinds, on loopback.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};

use super::tests::{announces_all, listen, request, within};
use super::*;
use crate::Settings;

/// A certificate and its key, as PEM.
struct Shown {
    certificate: String,
    key: String,
}

impl Shown {
    /// One that has signed itself, for `host`, with something changed. All have the same name of
    /// their own, as those of our brokers do.
    fn with(host: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let pair = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "a broker");
        change(&mut params);
        Self { certificate: params.self_signed(&pair).unwrap().pem(), key: pair.serialize_pem() }
    }

    fn of(host: &str) -> Self {
        Self::with(host, |_| {})
    }

    fn chain(&self) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(self.certificate.as_bytes()).map(Result::unwrap).collect()
    }

    /// A server that shows this and answers the first request.
    fn serve(&self) -> SocketAddr {
        self.serve_those_who_show(None)
    }

    /// The same, for clients that show a certificate of this one's.
    fn serve_those_who_show(&self, trusted: Option<&Shown>) -> SocketAddr {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = match trusted {
            None => builder.with_no_client_auth(),
            Some(trusted) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(trusted.chain());
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let config = Arc::new(builder.with_single_cert(self.chain(), key).unwrap());
        listen(move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            while let Some(asked) = request(&mut stream) {
                let id = i32::from_be_bytes(asked[4..8].try_into().unwrap());
                let _gone = std::io::Write::write_all(&mut stream, &announces_all(id));
            }
        })
    }

    fn trusted(&self) -> Settings {
        with(&[("ssl.ca.pem", &self.certificate)])
    }
}

fn with(properties: &[(&str, &str)]) -> Settings {
    let tls = Settings::new("").with_property("security.protocol", "SSL");
    properties.iter().fold(tls, |settings, (key, value)| settings.with_property(*key, *value))
}

/// What comes of going there as `host` and asking what the broker speaks.
fn greet(address: SocketAddr, host: &str, settings: &Settings) -> Result<(), TlsError> {
    let connection = Connection::open(address, host, settings, within(20_000)).unwrap();
    match connection.secure()?.greet() {
        Ok(()) => Ok(()),
        Err(CallError::Tls(error)) => Err(error),
        Err(error) => panic!("{error:?}"),
    }
}

fn localhost(address: SocketAddr, settings: &Settings) -> Result<(), TlsError> {
    greet(address, "localhost", settings)
}

#[test]
fn who_is_trusted_is_spoken_to_under_its_own_name() {
    let shown = Shown::of("localhost");
    let address = shown.serve();
    assert_eq!(localhost(address, &shown.trusted()), Ok(()));
    assert_eq!(localhost(address, &Shown::of("localhost").trusted()), Err(TlsError::Untrusted));
    let of_number = Shown::of("127.0.0.1");
    assert_eq!(greet(of_number.serve(), "127.0.0.1", &of_number.trusted()), Ok(()));
    let wrong = greet(address, "127.0.0.1", &shown.trusted()).unwrap_err();
    let expected = TlsError::WrongName { host: "127.0.0.1".into(), names: vec!["localhost".into()] };
    assert_eq!(wrong, expected);
    assert_eq!(wrong.to_string(), "has a certificate for localhost, and not for 127.0.0.1");
    let nameless = Shown::with("localhost", |params| params.subject_alt_names.clear());
    let error = localhost(nameless.serve(), &nameless.trusted()).unwrap_err();
    assert!(error.to_string().contains("names no host"), "{error}");
}

#[test]
fn dates_count() {
    let old = Shown::with("localhost", |params| params.not_after = date_time_ymd(2020, 1, 1));
    let error = localhost(old.serve(), &old.trusted()).unwrap_err();
    assert!(matches!(&error, TlsError::Expired(_)) && error.to_string().ends_with(" days ago"), "{error}");
    let young = Shown::with("localhost", |params| params.not_before = date_time_ymd(4000, 1, 1));
    let error = localhost(young.serve(), &young.trusted()).unwrap_err();
    assert!(matches!(error, TlsError::NotYetValid(_)), "{error}");
}

#[test]
fn what_is_not_to_be_looked_at_is_not() {
    let (shown, other) = (Shown::of("elsewhere.example"), Shown::of("localhost"));
    let address = shown.serve();
    for value in ["none", "None"] {
        let any_name = shown.trusted().with_property("ssl.endpoint.identification.algorithm", value);
        assert_eq!(localhost(address, &any_name), Ok(()));
        let others = other.trusted().with_property("ssl.endpoint.identification.algorithm", value);
        assert_eq!(localhost(address, &others), Err(TlsError::Untrusted));
    }
    let anything = other.trusted().with_property("enable.ssl.certificate.verification", "false");
    assert_eq!(localhost(address, &anything), Ok(()));
}

/// As `openssl req -x509` makes it.
#[test]
fn an_authority_that_shows_itself_is_trusted_if_it_is_meant() {
    let authority =
        |host: &str| Shown::with(host, |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let shown = authority("localhost");
    assert_eq!(localhost(shown.serve(), &shown.trusted()), Ok(()));
    let others = localhost(shown.serve(), &authority("localhost").trusted());
    assert_eq!(others, Err(TlsError::Untrusted));
    let elsewhere = authority("elsewhere.example");
    let error = localhost(elsewhere.serve(), &elsewhere.trusted()).unwrap_err();
    assert!(matches!(error, TlsError::WrongName { .. }), "{error}");
    let old = Shown::with("localhost", |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let error = localhost(old.serve(), &old.trusted()).unwrap_err();
    assert!(matches!(error, TlsError::Expired(_)), "{error}");
}

/// A cloud's broker, whose certificate an authority has signed.
#[test]
fn who_has_an_authority_vouch_for_it_is_trusted() {
    let pair = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&pair).unwrap().pem();
    let issuer = Issuer::new(params, pair);
    let pair = KeyPair::generate().unwrap();
    let signed = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&pair, &issuer).unwrap();
    let shown = Shown { certificate: signed.pem(), key: pair.serialize_pem() };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let location = |location: &str| localhost(shown.serve(), &with(&[("ssl.ca.location", location)]));
    assert_eq!(location(&write("ca.pem", &format!("# notes\n{authority}"))), Ok(()));
    // A folder whose files have the names that OpenSSL looks for.
    write("0a1b2c3d.0", &authority);
    assert_eq!(location(&folder.path().display().to_string()), Ok(()));
    assert_eq!(location("probe"), Err(TlsError::Untrusted), "the system has never heard of it");
}

#[test]
fn who_wants_to_see_a_certificate_is_shown_one_if_there_is_one() {
    let (shown, ours) = (Shown::of("localhost"), Shown::of("client"));
    let address = shown.serve_those_who_show(Some(&ours));
    assert_eq!(localhost(address, &shown.trusted()), Err(TlsError::WantsCertificate));
    let own = |certificate: &str, key: &str| {
        let with_certificate = shown.trusted().with_property("ssl.certificate.pem", certificate);
        localhost(address, &with_certificate.with_property("ssl.key.pem", key))
    };
    assert_eq!(own(&ours.certificate, &ours.key), Ok(()));
    let said = |error: TlsError| format!("{error}: {}", error.remedy());
    for (certificate, key, words) in [
        (&ours.certificate, &shown.key, "do not serve together"),
        (&ours.key, &ours.key, "there is no certificate in ssl.certificate.pem"),
        (&ours.certificate, &ours.key.replace(" PRIVATE", " ENCRYPTED PRIVATE"), "PEM without a passphrase"),
    ] {
        let said = said(own(certificate, key).unwrap_err());
        assert!(said.contains(words) && !said.contains("BEGIN PRIVATE"), "{said}");
    }
    let store = with(&[("ssl.ca.pem", &shown.certificate), ("ssl.keystore.location", "k.p12")]);
    let said = said(localhost(address, &store).unwrap_err());
    assert!(said.contains("openssl pkcs12 -in k.p12 -nodes"), "{said}");
}

#[test]
fn a_file_that_helps_nothing_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    let address = Shown::of("localhost").serve();
    for (file, words) in [
        (empty.as_path(), "there is no certificate in"),
        (Path::new("/not/there.pem"), "can't read /not/there.pem"),
        (folder.path(), "there is no certificate in"),
    ] {
        let error =
            localhost(address, &with(&[("ssl.ca.location", &file.display().to_string())])).unwrap_err();
        assert!(matches!(&error, TlsError::Settings { .. }) && error.to_string().contains(words), "{error}");
    }
    let error = greet(address, "no_name at all", &Shown::of("localhost").trusted()).unwrap_err();
    assert!(matches!(error, TlsError::Settings { .. }), "{error}");
}

#[test]
fn who_speaks_no_tls_is_told_from_who_is_silent() {
    let settings = Shown::of("localhost").trusted();
    let silent = listen(|mut stream| drop(std::io::Read::read_to_end(&mut stream, &mut Vec::new())));
    // A length of its own: a Kafka in plain text takes the hello for a frame that is too long.
    let closes = listen(|mut stream: TcpStream| {
        let _hello = std::io::Read::read(&mut stream, &mut [0; 1024]);
    });
    assert_eq!(localhost(closes, &settings), Err(TlsError::HungUp));
    let web = listen(|mut stream: TcpStream| {
        let _hello = std::io::Read::read(&mut stream, &mut [0; 1024]);
        let _gone = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    assert_eq!(localhost(web, &settings), Err(TlsError::NotTls));
    let connection = Connection::open(silent, "localhost", &settings, within(100)).unwrap();
    assert_eq!(connection.secure().err(), Some(TlsError::TimedOut));
}

/// A server that sends anything in the middle of a handshake.
#[test]
fn random_bytes_are_an_error() {
    let seed = std::sync::atomic::AtomicU64::new(1);
    let settings = Shown::of("localhost").trusted();
    let address = listen(move |mut stream: TcpStream| {
        let mut state = seed.fetch_add(1, std::sync::atomic::Ordering::Relaxed) * 0x9e37_79b9_7f4a_7c15;
        let mut throw = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        let mut bytes: Vec<u8> = (0..200).map(|_| throw()).collect();
        if throw() % 2 == 0 {
            bytes[..5].copy_from_slice(&[0x16, 3, 3, 0, throw() % 195]);
        }
        let _hello = std::io::Read::read(&mut stream, &mut [0; 1024]);
        let _gone = std::io::Write::write_all(&mut stream, &bytes);
    });
    for _ in 0..100 {
        assert!(localhost(address, &settings).is_err());
    }
}
