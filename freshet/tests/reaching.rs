//! How real clients reach a broker: by every address that it listens on, and by no other.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::{Broker, call, freshet, repository, second_listener, until};
use protocol::ErrorCode;
use protocol::metadata::{MetadataRequest, MetadataRequestTopic};
use serde_json::Value;

/// Sends a record and reads it, by kcat, confluent-kafka and kafka-python.
fn reach(servers: &str, settings: &[&str]) -> Result<(), String> {
    kcat(servers, settings)?;
    let said = said(
        Command::new("timeout")
            .arg("60")
            .arg(repository().join("target/clients/bin/python"))
            .arg(repository().join("freshet/tests/clients/reach.py"))
            .arg(servers)
            .args(settings),
    )?;
    assert!(said.contains("all well"), "{said}");
    Ok(())
}

fn kcat(servers: &str, settings: &[&str]) -> Result<(), String> {
    let kcat = |how: &str| {
        let mut kcat = Command::new("timeout");
        kcat.args(["30", "kcat", "-b", servers, how, "-t", "kcat", "-p", "0", "-m", "5"]);
        kcat.args(settings.iter().flat_map(|setting| ["-X", setting]));
        kcat
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("value");
    std::fs::write(&file, "by kcat").unwrap();
    said(kcat("-P").args(["-X", "message.timeout.ms=5000"]).arg(file))?;
    let read = said(kcat("-C").args(["-e", "-q"]))?;
    assert!(read.contains("by kcat"), "{read}");
    Ok(())
}

/// What a program said, or all that it said if it failed.
fn said(command: &mut Command) -> Result<String, String> {
    // Cargo's path has our librdkafka, which knows no TLS; these clients come with their own.
    command.env_remove("LD_LIBRARY_PATH");
    let Output { status, stdout, stderr } = command.stdin(Stdio::null()).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    if status.success() { Ok(stdout.into_owned()) } else { Err(format!("{status}: {stdout}{stderr}")) }
}

#[test]
fn clients_come_by_every_address_that_a_broker_listens_on() {
    let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    for (listen, hosts) in [
        ("localhost:0", &["localhost", "127.0.0.1", "[::1]"][..]),
        ("0.0.0.0:0", &["localhost", "127.0.0.1"]),
        ("[::]:0", &["localhost", "127.0.0.1", "[::1]"]),
        ("[::1]:0", &["[::1]"]),
    ] {
        if listen.starts_with('[') && !v6 {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let broker = Broker::start_on(folder.path(), listen);
        let port = broker.address.rsplit(':').next().unwrap();
        for host in hosts.iter().filter(|host| v6 || !host.starts_with('[')) {
            let servers = format!("{host}:{port}");
            reach(&servers, &[]).unwrap_or_else(|failure| panic!("{listen} by {servers}: {failure}"));
        }
    }
}

/// A broker whose log is kept, and that log.
fn start(folder: &Path, options: &[&str]) -> (Broker, PathBuf) {
    let said = folder.join("said");
    let mut program = freshet();
    program.stderr(std::fs::File::create(&said).unwrap());
    (Broker::start_with(program, &folder.join("data"), options), said)
}

/// Waits until a broker has said all of this.
fn until_said(said: &Path, words: &[&str]) {
    until("the broker says what is wrong", || {
        let said = std::fs::read_to_string(said).unwrap();
        words.iter().all(|words| said.contains(words))
    });
}

fn certificate(folder: &Path) -> String {
    format!("ssl.ca.location={}", folder.join("data/tls-certificate.pem").display())
}

#[test]
fn clients_come_with_tls_and_whoever_should_not_is_told_why() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (broker, said) = start(folder.path(), &["--listen", "localhost:0", "--tls"]);
    drop(start(other.path(), &["--listen", "ssl://127.0.0.1:0", "--tls"]));
    let stranger = certificate(other.path());
    let (trusted, port) = (certificate(folder.path()), broker.address.rsplit(':').next().unwrap());
    for host in ["localhost", "127.0.0.1"] {
        reach(&format!("{host}:{port}"), &["security.protocol=SSL", &trusted]).unwrap();
    }
    let refused = kcat(&broker.address, &["security.protocol=SSL", &stranger]).unwrap_err();
    assert!(refused.contains("certificate verify failed"), "{refused}");
    kcat(&broker.address, &[]).unwrap_err();
    until_said(&said, &["does not trust this broker's certificate", "use security.protocol=SSL"]);
    let help = std::fs::read_to_string(&said).unwrap();
    assert!(help.contains(&trusted) && help.contains("ssl_cafile=") && help.contains("truststore"), "{help}");

    let (plain, said) = start(other.path(), &["--listen", "127.0.0.1:0"]);
    kcat(&plain.address, &["security.protocol=SSL", &trusted]).unwrap_err();
    until_said(&said, &["use security.protocol=PLAINTEXT"]);
}

#[test]
fn a_broker_shows_the_certificate_that_it_is_given() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(start(other.path(), &["--listen", "127.0.0.1:0", "--tls"]));
    let file = |name: &str| other.path().join("data").join(name).display().to_string();
    let (pem, key) = (file("tls-certificate.pem"), file("tls-key.pem"));
    let options = ["--listen", "127.0.0.1:0", "--tls-cert", &pem, "--tls-key", &key];
    let (broker, _said) = start(folder.path(), &options);
    kcat(&broker.address, &["security.protocol=SSL", &certificate(other.path())]).unwrap();
    assert!(!folder.path().join("data/tls-certificate.pem").exists(), "it needs none of its own");
}

#[test]
fn a_broker_that_is_to_make_no_topic_makes_none() {
    let topic = MetadataRequestTopic { name: Some("new".to_owned()), ..MetadataRequestTopic::default() };
    let asked = MetadataRequest { topics: Some(vec![topic]), ..MetadataRequest::default() };
    for (options, made) in [(&[][..], true), (&["--no-auto-create"][..], false)] {
        let folder = tempfile::tempdir().unwrap();
        let (broker, _said) = start(folder.path(), &[&["--listen", "127.0.0.1:0"][..], options].concat());
        let topics = call(&broker.address, 4, &asked).topics;
        let is_unknown = topics[0].error_code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        assert_eq!(is_unknown, !made, "{options:?}: {topics:?}");
    }
}

/// A port of this process's own, and an address of another machine.
#[test]
fn a_broker_that_cannot_listen_says_what_to_do() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for (options, remedy) in [
        (["--listen", &free, "--metrics", &free], "--listen and --metrics want the same port"),
        (["--listen", "192.0.2.1:0", "--partitions", "1"], "--listen 0.0.0.0:0 for all its networks"),
    ] {
        let refused = said(freshet().arg("broker").arg("--temporary").args(options)).unwrap_err();
        assert!(refused.contains(remedy), "{refused}");
    }
}

/// A file of users that nobody else can read.
fn users(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users");
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    (folder, file.display().to_string())
}

#[test]
fn clients_log_in_and_whoever_should_not_is_told_why() {
    let (_users, file) = users("# who may come\nada:se:cret\n");
    let folder = tempfile::tempdir().unwrap();
    let (broker, said) = start(
        folder.path(),
        &["--listen", "127.0.0.1:0", "--listen", "sasl_plaintext://127.0.0.1:0", "--tls", "--users", &file],
    );
    let plain = second_listener(&said);
    let trusted = certificate(folder.path());
    drop(TcpStream::connect(&plain).unwrap());
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let mechanism = format!("sasl.mechanism={mechanism}");
        let plain_text = ["security.protocol=SASL_PLAINTEXT", &mechanism, "sasl.username=ada"];
        let encrypted = ["security.protocol=SASL_SSL", &mechanism, "sasl.username=ada", &trusted];
        reach(&plain, &[&plain_text[..], &["sasl.password=se:cret"]].concat()).unwrap();
        reach(&broker.address, &[&encrypted[..], &["sasl.password=se:cret"]].concat()).unwrap();
        let refused = kcat(&plain, &[&plain_text[..], &["sasl.password=hunter2"]].concat()).unwrap_err();
        assert!(refused.contains("Authentication failed"), "{refused}");
    }
    kcat(&plain, &[]).unwrap_err();
    let words =
        ["Invalid username or password", "SASL mechanism SCRAM-SHA-512", "wants one, with sasl.mechanism"];
    until_said(&said, &words);
    let said = std::fs::read_to_string(&said).unwrap();
    assert!(!said.contains("cret") && !said.contains("hunter2"), "no password in a log: {said}");
    assert!(!said.contains("eof"), "who hangs up before a login is not worth a line: {said}");
}

/// Its own processes reach the show's broker by a listener of their own.
#[test]
fn a_show_runs_whatever_its_broker_advertises() {
    let (folder, users) = users("ada:secret\n");
    let logins = ["--users", &users];
    for options in [&["--advertise", "nobody-is-here.invalid:9"][..], &["--tls"], &logins] {
        let show = said(
            freshet()
                .args(["demo", "--headless", "--scenario", "markets", "--format", "jsonl"])
                .args(["--duration", "4s", "--listen", "127.0.0.1:0"])
                .args(options),
        );
        let show = show.unwrap();
        let summary: Value = serde_json::from_str(show.lines().last().unwrap()).unwrap();
        let answers = summary["businesses"][0]["answers_out"].as_u64();
        assert!(answers.is_some_and(|answers| answers > 0), "{options:?}: {summary}");
    }
    drop(folder);
}
