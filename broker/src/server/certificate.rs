//! The certificate of listeners with TLS: one's own, or one that is made for this broker.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::StartError;
use crate::config::Certificate;

/// The files of a self-signed certificate, in the data directory.
const CERTIFICATE: &str = "tls-certificate.pem";
const KEY: &str = "tls-key.pem";

const DAY_S: i64 = 24 * 60 * 60;
/// A certificate that is made is good for so long, …
const VALID_S: i64 = 365 * DAY_S;
/// … and is replaced by the first start in its last days.
const RENEWAL_S: i64 = 30 * DAY_S;
/// Clients' clocks may be slow by so much.
const CLOCK_SKEW_S: i64 = DAY_S;

/// What listeners with TLS show to their clients, and where clients find whom to trust if the
/// certificate was made here. `names` are those by which clients may connect.
pub(super) fn open(
    certificate: &Certificate,
    data_dir: &Path,
    names: Vec<String>,
    now_ms: i64,
) -> Result<(TlsAcceptor, Option<PathBuf>), StartError> {
    let failed = |reason: String| StartError::Certificate { reason };
    let (config, trusted) = match certificate {
        Certificate::Files { certificate, key } => (read(certificate, key).map_err(failed)?, None),
        Certificate::SelfSigned => {
            let (certificate, key) = (data_dir.join(CERTIFICATE), data_dir.join(KEY));
            let about = About { names, until_s: now_ms / 1000 + VALID_S };
            let config = if let Some(config) = kept(&certificate, &key, &about, now_ms / 1000) {
                config
            } else {
                make(&certificate, &key, about).map_err(failed)?;
                read(&certificate, &key).map_err(failed)?
            };
            (config, Some(std::path::absolute(&certificate).unwrap_or(certificate)))
        }
    };
    Ok((TlsAcceptor::from(Arc::new(config)), trusted))
}

/// What a certificate that was made here says of itself, in lines before it that every reader of
/// PEM passes over.
struct About {
    names: Vec<String>,
    until_s: i64,
}

impl About {
    fn lines(&self) -> String {
        let (names, until_s) = (self.names.join(" "), self.until_s);
        format!(
            "# The certificate of a Freshet broker, signed by itself\n# names: {names}\n# until: {until_s}\n"
        )
    }

    /// Whether `text` is about a certificate for the same names that is good for long enough.
    fn is_met_by(&self, text: &str, now_s: i64) -> bool {
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let until_s = value("# until: ").and_then(|until| until.parse::<i64>().ok());
        value("# names: ") == Some(&self.names.join(" "))
            && until_s.is_some_and(|until_s| (now_s + RENEWAL_S..=self.until_s).contains(&until_s))
    }
}

/// The certificate of an earlier start, if it still serves. Whatever is wrong with its files, new
/// ones are right.
fn kept(certificate: &Path, key: &Path, about: &About, now_s: i64) -> Option<ServerConfig> {
    let text = std::fs::read_to_string(certificate).ok()?;
    if !about.is_met_by(&text, now_s) {
        return None;
    }
    read(certificate, key).ok()
}

fn make(certificate: &Path, key: &Path, about: About) -> Result<(), String> {
    let lines = about.lines();
    let pair = KeyPair::generate().map_err(|error| format!("can't make a key: {error}"))?;
    let mut params = CertificateParams::new(about.names)
        .map_err(|error| format!("can't make a certificate for these names: {error}"))?;
    let at = |s: i64| date_time_ymd(1970, 1, 1) + Duration::from_secs(s.max(0).unsigned_abs());
    params.not_before = at(about.until_s - VALID_S - CLOCK_SKEW_S);
    params.not_after = at(about.until_s);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Freshet broker");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let signed = params.self_signed(&pair).map_err(|error| format!("can't make a certificate: {error}"))?;
    let failed = |path: &Path, error: io::Error| format!("can't write {}: {error}", path.display());
    replace(key, &pair.serialize_pem(), 0o600).map_err(|error| failed(key, error))?;
    replace(certificate, &(lines + &signed.pem()), 0o644).map_err(|error| failed(certificate, error))
}

/// Writes a file that nobody else could open before it had its mode.
fn replace(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let new = path.with_extension("new");
    if let Err(error) = std::fs::remove_file(&new)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut file: File = OpenOptions::new().write(true).create_new(true).mode(mode).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)
}

/// What two files of PEM are together.
fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, String> {
    let bytes =
        |path: &Path| std::fs::read(path).map_err(|error| format!("can't read {}: {error}", path.display()));
    let chain: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(&bytes(certificate)?)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("{} is damaged: {error}", certificate.display()))?;
    if chain.is_empty() {
        return Err(format!(
            "there is no certificate in {}: it has to be PEM, with a line -----BEGIN CERTIFICATE-----",
            certificate.display()
        ));
    }
    let private = PrivateKeyDer::from_pem_slice(&bytes(key)?).map_err(|_no_secret_in_a_sentence| {
        format!(
            "there is no private key in {} that can be read: it has to be PEM without a passphrase, as \
             `openssl pkey -in FILE` writes it",
            key.display()
        )
    })?;
    if std::fs::metadata(key).is_ok_and(|data| data.permissions().mode() & 0o077 != 0) {
        tracing::warn!("others can read the private key {}: chmod 600 it", key.display());
    }
    let provider = Arc::new(ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|versions| versions.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|error| {
            let (certificate, key) = (certificate.display(), key.display());
            format!("the certificate {certificate} and the key {key} do not serve together: {error}")
        })
}
