//! The doctor as it is used: it finds what is wrong, that is mended, it is asked again. Of what it
//! was refused itself the next time says nothing.

use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;

use protocol::encode_request;
use protocol::metadata::MetadataRequest;

use crate::brokers::start;
use crate::common::{Broker, freshet, signal};
use crate::tls::{Secured, finding};
use crate::{expect, only_finding, well};

/// All is well by this file of properties.
fn well_by(broker: &Secured, properties: &str) {
    let arguments = broker.with(properties);
    assert_eq!(well(&arguments.each_ref().map(String::as_str)).len(), 4);
}

fn login(protocol: &str, trusted: &str, password: &str) -> String {
    format!(
        "security.protocol={protocol}\n{trusted}sasl.mechanism=PLAIN\nsasl.username=ada\nsasl.password={password}\n"
    )
}

#[test]
fn a_login_that_was_missing_and_wrong_and_is_right() {
    let broker = Secured::own("SASL_PLAINTEXT://127.0.0.1:0");
    let found = finding(&broker.with("security.protocol=PLAINTEXT\n"));
    expect(&found, "login_wanted", "wants a login (SASL, by PLAIN", "sasl.mechanism=PLAIN");
    let found = finding(&broker.with(&login("SASL_PLAINTEXT", "", "hunter2")));
    expect(&found, "login_refused", "SASL_AUTHENTICATION_FAILED", "user, password and mechanism");
    let found =
        finding(&broker.with(&login("SASL_SSL", "enable.ssl.certificate.verification=false\n", "se:cret")));
    assert_eq!(found.0, "no_tls", "{found:?}");
    well_by(&broker, &login("SASL_PLAINTEXT", "", "se:cret"));
    // A client of somebody's is told of, with its name.
    let mut client = TcpStream::connect(broker.server()).unwrap();
    client.write_all(&encode_request(1, 1, "my-app", &MetadataRequest::default())).unwrap();
    let _until_it_is_hung_up_on = client.read_to_end(&mut Vec::new());
    let found = finding(&broker.with(&login("SASL_PLAINTEXT", "", "se:cret")));
    expect(&found, "refused_client", "Metadata before a login", "sasl.mechanism of that client");
    assert!(found.1.contains("client.id=\"my-app\""), "{found:?}");
}

#[test]
fn tls_that_was_missing_and_wrong_and_is_right() {
    let (broker, other) = (Secured::own("SASL_SSL://127.0.0.1:0"), Secured::own("SSL://127.0.0.1:0"));
    let trusted = broker.trusted();
    for (properties, kind) in [
        ("security.protocol=PLAINTEXT\n".to_owned(), "tls"),
        (login("SASL_PLAINTEXT", "", "se:cret"), "tls"),
        (format!("security.protocol=SSL\n{}", other.trusted()), "certificate_untrusted"),
        (format!("security.protocol=SSL\n{trusted}"), "login_wanted"),
        (login("SASL_SSL", &trusted, "hunter2"), "login_refused"),
    ] {
        let found = finding(&broker.with(&properties));
        assert_eq!(found.0, kind, "{found:?}");
    }
    well_by(&broker, &login("SASL_SSL", &trusted, "se:cret"));
}

#[test]
fn tls_that_is_not_there_and_was_wanted() {
    let (broker, _folder) = start();
    let folder = tempfile::tempdir().unwrap();
    let wants = "security.protocol=SSL\nenable.ssl.certificate.verification=false\n";
    let found = finding(&crate::tls::with(folder.path(), &broker.address, wants));
    assert_eq!(found.0, "no_tls", "{found:?}");
    assert_eq!(well(&[&broker.address]).len(), 4);
}

/// Who stands still is asked in other protocols too, and hears all of that when it goes on.
#[test]
fn a_broker_that_stood_still_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let users = crate::tls::write(folder.path(), "users", "ada:secret\n");
    let options = ["--listen", "127.0.0.1:0", "--listen", "sasl_plaintext://127.0.0.1:0", "--users", &users];
    let broker = Broker::start_with(freshet(), &folder.path().join("data"), &options[..2]);
    let strict = Broker::start_with(freshet(), &folder.path().join("strict"), &options[2..]);
    for broker in [&broker, &strict] {
        signal(broker.child.id(), "STOP");
        let found = only_finding(&[&broker.address]);
        assert_eq!(found.0, "silent", "{found:?}");
        signal(broker.child.id(), "CONT");
    }
    assert_eq!(well(&[&broker.address]).len(), 4);
    let right = login("SASL_PLAINTEXT", "", "secret");
    let right = crate::tls::with(folder.path(), &strict.address, &right);
    assert_eq!(well(&right.each_ref().map(String::as_str)).len(), 4);
}
