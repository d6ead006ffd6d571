//! TLS towards a broker: whom to believe, and why a broker was not believed.
//!
//! It is told by the settings that librdkafka is told by, in the same words: `ssl.ca.location` (a
//! file, or a folder as OpenSSL has them), `ssl.ca.pem`, or else the authorities that the system
//! trusts; `ssl.certificate.*` and `ssl.key.*` for a certificate of the client's own.
//!
//! A certificate that stands itself among those to trust is trusted, whatever it says that it may
//! be used for: `openssl req -x509` makes one that calls itself an authority, and librdkafka and
//! Java take it.
//!
//! # Simplifications
//! - Keys with a passphrase and stores of PKCS#12 are not read.
//! - A certificate that names its host only as its common name is for no host, as for clients in
//!   Go and in Python.
//! - Nothing is asked about certificates that were revoked.

use std::fmt::{self, Display};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, GetRandomFailed, SecureRandom, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{AlertDescription, CertificateError, ClientConfig, ClientConnection, RootCertStore};
use rustls::{DigitallySignedStruct, Error, SignatureScheme, StreamOwned};

use super::stranger::DOCTOR;
use super::timed::Timed;
use crate::Settings;

/// The random part of a hello has so many bytes (RFC 8446).
const HELLO_RANDOM_BYTES: usize = 32;
/// So many of the names in a certificate are told.
const MOST_NAMES: usize = 4;
/// As much of one of them is told.
const LONGEST_NAME: usize = 80;

/// Why nothing can be said to a broker by TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsError {
    /// The settings say something that can't be used: what, and what to write instead.
    Settings {
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The other side does not speak TLS.
    NotTls,
    /// Its certificate, or who has signed it, is not among those to trust.
    Untrusted,
    /// Its certificate was good until so long ago.
    Expired(Duration),
    /// Its certificate is good only after so long.
    NotYetValid(Duration),
    /// Its certificate is for other hosts.
    WrongName {
        /// The host that was connected to.
        host: String,
        /// The hosts that it is for; some of them, if there are many.
        names: Vec<String>,
    },
    /// It wants to see a certificate of ours.
    WantsCertificate,
    /// The other side hung up.
    HungUp,
    /// It said nothing in time.
    TimedOut,
    /// Anything else.
    Failed(String),
}

impl TlsError {
    /// What to do about it: a sentence without its full stop.
    pub fn remedy(&self) -> &str {
        match self {
            Self::Settings { remedy, .. } => remedy,
            Self::NotTls | Self::HungUp => {
                "write security.protocol=PLAINTEXT (SASL_PLAINTEXT where it asks for a login), or use the port of a \
                 listener with TLS"
            }
            Self::Untrusted => {
                "name in ssl.ca.location a file with the certificate of who has signed it: of `freshet broker --tls` the \
                 file that it names when it starts"
            }
            Self::Expired(_) => {
                "have it renewed on the side of the broker (`freshet broker --tls` does when it is started again), or set \
                 this machine's clock"
            }
            Self::NotYetValid(_) => "set the clocks of this machine and of the broker's",
            Self::WrongName { .. } => {
                "use a name that it has, or have it made for this one too (`freshet broker --tls` makes it for the \
                 hosts of --advertise); ssl.endpoint.identification.algorithm=none trusts it under any name"
            }
            Self::WantsCertificate => {
                "name yours and its key in ssl.certificate.location and ssl.key.location, or in \
                 ssl.keystore.location with ssl.keystore.type=PEM"
            }
            Self::TimedOut => {
                "look whether the broker hangs, and whether a firewall stands between here and there"
            }
            Self::Failed(_) => "look into the broker's log",
        }
    }

    fn settings(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Settings { what: what.into(), remedy: remedy.into() }
    }

    /// Why reading or writing failed, if TLS is the reason.
    pub(super) fn of(error: &io::Error, host: &str) -> Option<Self> {
        let reason = error.get_ref()?.downcast_ref::<Error>()?;
        Some(match reason {
            Error::InvalidCertificate(certificate) => Self::of_certificate(certificate, host),
            Error::InvalidMessage(_) => Self::NotTls,
            // What the older versions have no word of their own for.
            Error::AlertReceived(
                AlertDescription::CertificateRequired
                | AlertDescription::BadCertificate
                | AlertDescription::NoCertificate,
            ) => Self::WantsCertificate,
            other => Self::Failed(other.to_string()),
        })
    }

    fn of_certificate(error: &CertificateError, host: &str) -> Self {
        let between = |before: &UnixTime, after: &UnixTime| {
            Duration::from_secs(after.as_secs().saturating_sub(before.as_secs()))
        };
        match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::Untrusted,
            CertificateError::ExpiredContext { time, not_after } => Self::Expired(between(not_after, time)),
            CertificateError::NotValidYetContext { time, not_before } => {
                Self::NotYetValid(between(time, not_before))
            }
            CertificateError::NotValidForNameContext { presented, .. } => {
                let names = presented.iter().take(MOST_NAMES).map(|name| plain_name(name)).collect();
                Self::WrongName { host: host.to_owned(), names }
            }
            CertificateError::Other(other) if is_used_as_end_entity(other) => Self::Untrusted,
            other => Self::Failed(format!("its certificate can't be used: {other}")),
        }
    }
}

/// `localhost`, of what rustls calls `DnsName("localhost")`.
fn plain_name(name: &str) -> String {
    let inside = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inside.unwrap_or(name).trim_matches('"').chars().take(LONGEST_NAME).collect()
}

/// The end of a sentence that begins with the broker's address.
impl Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings { what, .. } => write!(f, "can't be asked by TLS: {what}"),
            Self::NotTls => f.write_str("speaks no TLS, and security.protocol says that it does"),
            Self::Untrusted => f.write_str("has a certificate that this client has no reason to trust"),
            Self::Expired(ago) => write!(f, "has a certificate that expired {} ago", rough(*ago)),
            Self::NotYetValid(to) => write!(f, "has a certificate that is good only in {}", rough(*to)),
            Self::WrongName { host, names } if names.is_empty() => {
                write!(f, "has a certificate that names no host (subjectAltName), and so not {host}")
            }
            Self::WrongName { host, names } => {
                write!(f, "has a certificate for {}, and not for {host}", names.join(", "))
            }
            Self::WantsCertificate => f.write_str("wants to see a certificate of the client's"),
            Self::HungUp => f.write_str("hangs up on TLS, and security.protocol says that it speaks it"),
            Self::TimedOut => f.write_str("does not answer to TLS"),
            Self::Failed(reason) => write!(f, "can't be spoken to by TLS: {reason}"),
        }
    }
}

impl std::error::Error for TlsError {}

/// Days, hours or minutes: the largest of them that there is.
fn rough(time: Duration) -> String {
    let minutes = time.as_secs() / 60;
    let (count, unit) = match minutes {
        0..=119 => (minutes, "minute"),
        120..=2879 => (minutes / 60, "hour"),
        _ => (minutes / 60 / 24, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// Agrees on keys with the other side, which calls itself `host`, and makes sure that it is that.
pub(super) fn handshake(
    stream: Timed,
    host: &str,
    settings: &Settings,
) -> Result<StreamOwned<ClientConnection, Timed>, TlsError> {
    let config = config(settings)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned()).map_err(|_| {
        TlsError::settings(
            format!("{host} is no name that a certificate can have"),
            "use the broker's address",
        )
    })?;
    let connection =
        ClientConnection::new(config, name).map_err(|error| TlsError::Failed(error.to_string()))?;
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).map_err(|error| {
            TlsError::of(&error, host).unwrap_or_else(|| match error.kind() {
                io::ErrorKind::TimedOut => TlsError::TimedOut,
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionReset => TlsError::HungUp,
                _ => TlsError::Failed(error.to_string()),
            })
        })?;
    }
    Ok(stream)
}

/// Whether what the settings say of TLS can be used.
pub(crate) fn tls_settings(settings: &Settings) -> Result<(), TlsError> {
    if settings.has_tls() { config(settings).map(drop) } else { Ok(()) }
}

/// What the settings say of TLS.
fn config(settings: &Settings) -> Result<Arc<ClientConfig>, TlsError> {
    let mut provider = ring::default_provider();
    if settings.client_id() == DOCTOR {
        provider.secure_random = &DoctorsRandom;
    }
    let provider = Arc::new(provider);
    let verifier = Arc::new(Verifier::new(settings, &provider)?);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Failed(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let Some((chain, key)) = own_certificate(settings)? else {
        return Ok(Arc::new(builder.with_no_client_auth()));
    };
    let config = builder.with_client_auth_cert(chain, key).map_err(|error| {
        TlsError::settings(
            format!("the client's certificate and key do not serve together: {error}"),
            "look at ssl.certificate.location and ssl.key.location",
        )
    })?;
    Ok(Arc::new(config))
}

/// Randomness for the doctor's hellos, in which its name stands. A hello of TLS has no other place
/// for it, and enough remains random: it has to be unique, and is no secret. Keys have their own.
#[derive(Debug)]
struct DoctorsRandom;

impl SecureRandom for DoctorsRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        ring::default_provider().secure_random.fill(bytes)?;
        if bytes.len() == HELLO_RANDOM_BYTES {
            bytes[HELLO_RANDOM_BYTES - DOCTOR.len()..].copy_from_slice(DOCTOR.as_bytes());
        }
        Ok(())
    }
}

/// Whether a setting says no, as librdkafka takes it.
fn is_off(settings: &Settings, name: &str) -> bool {
    let value = settings.property(name).map(str::to_ascii_lowercase);
    matches!(value.as_deref(), Some("false" | "f" | "0" | "none"))
}

/// Looks at certificates as the settings want it.
#[derive(Debug)]
struct Verifier {
    /// Whether it looks at all (`enable.ssl.certificate.verification`).
    looks: bool,
    /// Whether the name has to be right (`ssl.endpoint.identification.algorithm`).
    looks_at_name: bool,
    roots: RootCertStore,
    /// The certificates of `roots`, as they came.
    trusted: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    fn new(settings: &Settings, provider: &CryptoProvider) -> Result<Self, TlsError> {
        let looks = !is_off(settings, "enable.ssl.certificate.verification");
        let trusted = if looks { authorities(settings)? } else { Vec::new() };
        let mut roots = RootCertStore::empty();
        // Some systems have certificates among theirs that are older than the rules.
        roots.add_parsable_certificates(trusted.iter().cloned());
        Ok(Self {
            looks,
            looks_at_name: !is_off(settings, "ssl.endpoint.identification.algorithm"),
            roots,
            trusted,
            algorithms: provider.signature_verification_algorithms,
        })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.looks {
            return Ok(ServerCertVerified::assertion());
        }
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let signed = verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        );
        match signed {
            // This is found behind the dates, which are right then.
            Err(Error::InvalidCertificate(CertificateError::Other(other)))
                if is_used_as_end_entity(&other)
                    && self.trusted.iter().any(|trusted| trusted == end_entity) => {}
            other => other?,
        }
        if self.looks_at_name {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether the only thing wrong is that an authority's own certificate is shown.
fn is_used_as_end_entity(error: &rustls::OtherError) -> bool {
    error.to_string().contains("CaUsedAsEndEntity")
}

/// Whom to trust.
fn authorities(settings: &Settings) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    if let Some(pem) = settings.property("ssl.ca.pem") {
        return certificates(pem.as_bytes(), "ssl.ca.pem");
    }
    let Some(location) = settings.property("ssl.ca.location").filter(|location| *location != "probe") else {
        let found = rustls_native_certs::load_native_certs();
        if found.certs.is_empty() {
            let why = found.errors.first().map_or(String::new(), |error| format!(": {error}"));
            return Err(TlsError::settings(
                format!("this machine trusts no authority{why}"),
                "install the package ca-certificates, or name a file in ssl.ca.location",
            ));
        }
        return Ok(found.certs);
    };
    let path = Path::new(location);
    if path.is_dir() {
        let found = rustls_native_certs::load_certs_from_paths(None, Some(path));
        return if found.certs.is_empty() { Err(no_certificate(location)) } else { Ok(found.certs) };
    }
    certificates(&read("ssl.ca.location", location)?, location)
}

/// The client's own certificate and key, if it has one.
fn own_certificate(
    settings: &Settings,
) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, TlsError> {
    if let Some(store) = settings.property("ssl.keystore.location") {
        return Err(TlsError::settings(
            format!("{store} is a keystore of PKCS#12, which freshet's own connections can't read"),
            format!(
                "make a PEM file of it with `openssl pkcs12 -in {store} -nodes -out client.pem` and write \
                 ssl.keystore.type=PEM and ssl.keystore.location=client.pem"
            ),
        ));
    }
    let given = |name: &str, from: &str| match settings.property(&format!("{name}.pem")) {
        Some(pem) => Ok(Some((pem.as_bytes().to_vec(), format!("{name}.pem")))),
        None => match settings.property(&format!("{name}.location")) {
            Some(file) => Ok(Some((read(from, file)?, file.to_owned()))),
            None => Ok(None),
        },
    };
    let Some((pem, place)) = given("ssl.certificate", "ssl.certificate.location")? else { return Ok(None) };
    let chain = certificates(&pem, &place)?;
    let Some((pem, place)) = given("ssl.key", "ssl.key.location")? else { return Ok(None) };
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_no_secret_in_a_sentence| {
        TlsError::settings(
            format!("there is no private key in {place} that can be read"),
            "it has to be PEM without a passphrase, as `openssl pkey -in FILE` writes it",
        )
    })?;
    Ok(Some((chain, key)))
}

fn read(name: &str, file: &str) -> Result<Vec<u8>, TlsError> {
    std::fs::read(file).map_err(|error| {
        TlsError::settings(
            format!("can't read {file}: {error}"),
            format!("look at {name} in the client's settings"),
        )
    })
}

/// The certificates in a text of PEM, which came from there.
fn certificates(pem: &[u8], place: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    all.ok().filter(|all| !all.is_empty()).ok_or_else(|| no_certificate(place))
}

fn no_certificate(place: &str) -> TlsError {
    TlsError::settings(
        format!("there is no certificate in {place} that can be read"),
        "it has to be PEM, with a line -----BEGIN CERTIFICATE-----",
    )
}
