//! TLS and logins, as `--client-config` has them: behind them the doctor goes on.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use broker::{BrokerConfig, Certificate, Cluster, Listener, Users};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tempfile::TempDir;

use crate::{expect, only_finding, strangers, well};

/// A broker in a folder that has its certificate and its users too.
pub(crate) struct Secured {
    folder: TempDir,
    cluster: Cluster,
}

impl Secured {
    fn start(listener: &str, certificate: impl FnOnce(&Path) -> Certificate) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let users = write(folder.path(), "users", "ada:se:cret\n");
        let config = BrokerConfig {
            listeners: vec![listener.parse::<Listener>().unwrap()],
            certificate: Some(certificate(folder.path())),
            users: Some(Arc::new(Users::read(Path::new(&users)).unwrap())),
            ..BrokerConfig::new(folder.path().join("data"))
        };
        Self { cluster: Cluster::start(config).unwrap(), folder }
    }

    pub(crate) fn own(listener: &str) -> Self {
        Self::start(listener, |_| Certificate::SelfSigned)
    }

    pub(crate) fn trusted(&self) -> String {
        format!("ssl.ca.location={}\n", self.cluster.trusted_certificate().unwrap().display())
    }

    /// The arguments of a client with this file.
    pub(crate) fn with(&self, properties: &str) -> [String; 3] {
        with(self.folder.path(), &self.server(), properties)
    }

    pub(crate) fn server(&self) -> String {
        self.cluster.bootstrap_servers()
    }
}

pub(crate) fn write(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    file.display().to_string()
}

pub(crate) fn with(folder: &Path, server: &str, properties: &str) -> [String; 3] {
    [server.to_owned(), "--client-config".to_owned(), write(folder, "client.properties", properties)]
}

pub(crate) fn finding(arguments: &[String]) -> (String, String, String) {
    only_finding(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A certificate of one's own for `host`, and changes of it.
fn made(
    host: &'static str,
    change: impl FnOnce(&mut CertificateParams),
) -> impl FnOnce(&Path) -> Certificate {
    move |folder| {
        let pair = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        change(&mut params);
        let pem = params.self_signed(&pair).unwrap().pem();
        Certificate::Files {
            certificate: write(folder, "certificate.pem", &pem).into(),
            key: write(folder, "key.pem", &pair.serialize_pem()).into(),
        }
    }
}

#[test]
fn behind_tls_it_goes_on_to_the_end() {
    let broker = Secured::own("SSL://127.0.0.1:0");
    let arguments = broker.with(&format!("security.protocol=SSL\n{}", broker.trusted()));
    let mut arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    assert_eq!(well(&arguments).len(), 4);
    arguments.push("--write");
    assert!(well(&arguments).iter().any(|line| line.contains("came back in")));
}

#[test]
fn behind_a_login_of_each_kind_too() {
    let broker = Secured::own("SASL_SSL://127.0.0.1:0");
    let login = |mechanism: &str, password: &str| {
        broker.with(&format!(
            "security.protocol=SASL_SSL\n{}sasl.mechanism={mechanism}\nsasl.username=ada\nsasl.password={password}\n",
            broker.trusted()
        ))
    };
    let mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];
    for mechanism in mechanisms {
        let arguments = login(mechanism, "se:cret");
        assert_eq!(well(&arguments.each_ref().map(String::as_str)).len(), 4, "{mechanism}");
    }
    for mechanism in mechanisms {
        let found = finding(&login(mechanism, "hunter2"));
        expect(&found, "login_refused", "SASL_AUTHENTICATION_FAILED", "user, password and mechanism");
    }
    let found = finding(&broker.with(&format!("security.protocol=SSL\n{}", broker.trusted())));
    expect(&found, "login_wanted", "by PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512", "security.protocol=SASL_SSL");
}

#[test]
fn a_certificate_that_is_wrong_is_said_with_what_is_wrong() {
    let (one, other) = (Secured::own("SSL://127.0.0.1:0"), Secured::own("SSL://127.0.0.1:0"));
    let found = finding(&one.with(&format!("security.protocol=SSL\n{}", other.trusted())));
    expect(
        &found,
        "certificate_untrusted",
        "no reason to trust",
        "`freshet broker --tls` the file that it names",
    );

    let own = |broker: &Secured| {
        let file = broker.folder.path().join("certificate.pem");
        finding(&broker.with(&format!("security.protocol=SSL\nssl.ca.location={}\n", file.display())))
    };
    let old = made("127.0.0.1", |params| params.not_after = date_time_ymd(2020, 1, 1));
    let old = Secured::start("SSL://127.0.0.1:0", old);
    expect(&own(&old), "certificate_dates", "a certificate that expired ", "have it renewed");
    let elsewhere = Secured::start("SSL://127.0.0.1:0", made("elsewhere.example", |_| {}));
    expect(
        &own(&elsewhere),
        "certificate_name",
        "a certificate for elsewhere.example, and not for 127.0.0.1",
        "ssl.endpoint.identification.algorithm=none",
    );
    let found = finding(&one.with("security.protocol=SSL\nssl.ca.location=/not/there.pem\n"));
    expect(&found, "tls_settings", "can't read /not/there.pem", "ssl.ca.location");
}

#[test]
fn who_has_no_tls_is_named() {
    let plain = Secured::own("127.0.0.1:0");
    let tls = "security.protocol=SSL\nenable.ssl.certificate.verification=false\n";
    let found = finding(&plain.with(tls));
    expect(&found, "no_tls", "is a Kafka without TLS", "write security.protocol=PLAINTEXT");
    let folder = plain.folder.path();
    let server = |port: u16| with(folder, &format!("127.0.0.1:{port}"), tls);
    let web = strangers::http("HTTP/1.1 404 Not Found\r\n\r\n");
    expect(&finding(&server(web)), "not_kafka", "a web server (HTTP)", "8081");
    // Of those that speak TLS and no more it is said why TLS with them fails.
    let found = finding(&server(strangers::tls()));
    assert_eq!(found.0, "tls_failed", "{found:?}");
}
