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
