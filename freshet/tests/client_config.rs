//! `--client-config`: a cluster is reached as a Kafka client's properties file says, and nobody
//! sees its secrets.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use common::{Broker, freshet};
use serde_json::Value;

const SECRET: &str = "s3cr3t";

fn write(file: &Path, mode: u32, text: &str) {
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
}

/// What `freshet topics` says with this file, all that it can say.
fn topics(file: &Path, options: &[&str]) -> (Output, String) {
    let mut command = freshet();
    command.args(["topics", "--client-config"]).arg(file).args(options).env("RUST_LOG", "trace");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains(SECRET), "{said}");
    (output, said)
}

#[test]
fn a_file_says_where_the_cluster_is_and_a_command_line_wins_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Broker::start(&folder.path().join("data"));
    let file = folder.path().join("c.properties");
    write(&file, 0o644, &format!("bootstrap.servers={}\n", broker.address));
    let (output, said) = topics(&file, &[]);
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("WARN"), "it holds no secret: {said}");

    write(&file, 0o644, "bootstrap.servers=127.0.0.1:1\ngroup.id=mine\n");
    let (output, said) = topics(&file, &["--bootstrap-servers", &broker.address]);
    assert!(output.status.success(), "{said}");
    let differs = format!("--bootstrap-servers {} is used, not 127.0.0.1:1", broker.address);
    assert!(said.contains(&differs) && said.contains("freshet decides itself about group.id"), "{said}");

    write(&file, 0o644, "client.rack=a\n");
    let (output, said) = topics(&file, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("names no bootstrap.servers"), "{said}");
}

#[test]
fn secrets_are_seen_nowhere_and_a_file_that_others_can_read_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.properties");
    let text = format!(
        "bootstrap.servers=127.0.0.1:1\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n\
         sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username='ada' \
         password='{SECRET}';\n"
    );
    for (mode, warned) in [(0o644, true), (0o600, false)] {
        write(&file, mode, &text);
        let (output, said) = topics(&file, &[]);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert_eq!(said.contains("`chmod 600 "), warned, "{said}");
    }
    write(&file, 0o600, &text.replace("sasl.mechanism", "sasl.mechanim"));
    let (output, said) = topics(&file, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("c.properties, line 3: ") && said.contains("did you mean sasl.mechanism?"),
        "{said}"
    );
    let (output, said) = topics(&folder.path().join("none"), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("could not read the client's configuration"), "{said}");
}

/// A broker that lets in ada alone, and the file with which she comes.
fn broker_with_logins(folder: &Path) -> (Broker, std::path::PathBuf) {
    let users = folder.join("users");
    write(&users, 0o600, &format!("ada:{SECRET}\n"));
    let options = ["--listen", "127.0.0.1:0", "--users", users.to_str().unwrap()];
    let broker = Broker::start_with(freshet(), &folder.join("data"), &options);
    let file = folder.join("ada.properties");
    let text = format!(
        "bootstrap.servers={}\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n\
         sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username='ada' \
         password='{SECRET}';\n",
        broker.address
    );
    write(&file, 0o600, &text);
    (broker, file)
}

#[test]
fn a_show_runs_on_a_cluster_that_wants_a_login() {
    let folder = tempfile::tempdir().unwrap();
    let (_broker, file) = broker_with_logins(folder.path());
    let mut show = freshet();
    show.args(["demo", "--headless", "--scenario", "markets", "--format", "jsonl", "--duration", "4s"]);
    let output = show.arg("--client-config").arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains(SECRET), "{said}");
    let told = String::from_utf8(output.stdout).unwrap();
    let summary: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    let answers = summary["businesses"][0]["answers_out"].as_u64();
    assert!(answers.is_some_and(|answers| answers > 0), "{summary}");
}

#[test]
fn who_is_not_let_in_is_told_so_and_not_that_no_broker_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (_broker, file) = broker_with_logins(folder.path());
    let text = std::fs::read_to_string(&file).unwrap();
    write(&file, 0o600, &text.replace("'ada'", "'eve'"));
    let (output, said) = topics(&file, &[]);
    assert!(!output.status.success());
    assert!(said.contains("Invalid username or password") && said.contains("sasl.username"), "{said}");
    assert!(!said.contains("is a broker running?"), "{said}");
}

/// Without TLS, where a broker has it: whatever the command, it says what to write.
#[test]
fn who_comes_in_plain_text_to_tls_is_told_so_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    let broker =
        Broker::start_with(freshet(), &folder.path().join("data"), &["--listen", "127.0.0.1:0", "--tls"]);
    let commands: [&[&str]; 8] = [
        &["topics"],
        &["groups"],
        &["send", "t"],
        &["tail", "t"],
        &["record", "t"],
        &["produce", "swipes"],
        &["consume", "fraud"],
        &["ledger"],
    ];
    std::thread::scope(|scope| {
        for command in commands {
            let address = &broker.address;
            scope.spawn(move || {
                let mut program = freshet();
                program
                    .args(command)
                    .args(["--bootstrap-servers", address])
                    .stdin(std::process::Stdio::null());
                let output = program.output().unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert_eq!(output.status.code(), Some(1), "{command:?}: {said}");
                assert!(said.contains("it speaks TLS") && said.contains("security.protocol=SSL"), "{said}");
                assert!(!said.contains("is a broker running?"), "{said}");
            });
        }
    });
}

/// What librdkafka does by OpenSSL, beside our own connections by rustls.
#[cfg(feature = "ssl")]
mod tls {
    use super::*;

    fn start(folder: &Path, options: &[&str]) -> (Broker, String) {
        let data = folder.join("data");
        let options = [&["--listen", "localhost:0", "--tls"][..], options].concat();
        let broker = Broker::start_with(freshet(), &data, &options);
        (broker, format!("ssl.ca.location={}\n", data.join("tls-certificate.pem").display()))
    }

    fn said(file: &Path, arguments: &[&str]) -> (Option<i32>, String) {
        let output = freshet().args(arguments).arg("--client-config").arg(file).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    }

    /// What goes over connections of ours, between those of librdkafka.
    #[test]
    fn topics_are_altered_and_offsets_deleted_over_tls_with_every_login() {
        let folder = tempfile::tempdir().unwrap();
        let users = folder.path().join("users");
        write(&users, 0o600, "ada:secret\n");
        let (broker, trusted) = start(folder.path(), &["--users", users.to_str().unwrap()]);
        let file = folder.path().join("c.properties");
        for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
            let text = format!(
                "bootstrap.servers={}\nsecurity.protocol=SASL_SSL\n{trusted}sasl.mechanism={mechanism}\n\
                 sasl.username=ada\nsasl.password=secret\n",
                broker.address
            );
            write(&file, 0o600, &text);
            let topic = mechanism.to_ascii_lowercase();
            for arguments in [
                &["topics", "create", &topic][..],
                &["topics", "alter", &topic, "--config", "retention.ms=1000"],
                &["groups", "reset", "g", "--topic", &topic, "--to", "beginning", "--execute"],
                &["groups", "delete", "g", "--topic", &topic, "--yes"],
            ] {
                let (code, said) = said(&file, arguments);
                assert_eq!(code, Some(0), "{arguments:?}: {said}");
            }
        }
    }

    #[test]
    fn what_is_wrong_with_tls_is_one_sentence_with_the_remedy() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (broker, trusted) = start(one.path(), &[]);
        let (_stranger, of_stranger) = start(other.path(), &[]);
        let plain = Broker::start(&one.path().join("plain"));
        std::thread::scope(|scope| {
            for (at, (server, properties, words)) in [
                (&broker.address, &of_stranger, "no reason to trust"),
                (&plain.address, &trusted, "speaks no TLS"),
                (
                    &broker.address,
                    &"ssl.ca.location=/not/there.pem\n".to_owned(),
                    "can't read /not/there.pem",
                ),
            ]
            .into_iter()
            .enumerate()
            {
                let file = one.path().join(format!("{at}.properties"));
                write(
                    &file,
                    0o600,
                    &format!("bootstrap.servers={server}\nsecurity.protocol=SSL\n{properties}"),
                );
                scope.spawn(move || {
                    let (code, said) = said(&file, &["topics"]);
                    assert_eq!(code, Some(1), "{said}");
                    assert!(said.contains(words), "{said}");
                });
            }
        });
    }
}
