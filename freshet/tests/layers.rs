//! Who may use whom: read from the manifests, so that a dependency that breaks the design fails
//! with a sentence.

use std::collections::BTreeSet;
use std::path::Path;

/// The crates of ours that each crate may use, in its code and its build. What tests use is another
/// matter: they may hold any two parts against each other.
const MAY_USE: [(&str, &[&str], &str); 15] = [
    ("protocol", &[], "Kafka's bytes mean the same to everyone: the protocol knows no one"),
    ("events", &[], "the contract stands above those who keep it"),
    ("streets", &[], "a map is a fact of the world that both sides may look at"),
    ("text", &[], "what a terminal must not obey is decided in one place, below all who write to one"),
    ("broker", &["protocol"], "a broker moves bytes; it must not know what they say"),
    (
        "client",
        &["protocol"],
        "it speaks to any Kafka, with librdkafka and, where that fails, in Kafka's own bytes; it must not know our broker",
    ),
    ("producers", &["events", "streets"], "producers and consumers know topics, never each other"),
    (
        "processor",
        &["events"],
        "it is what consumers and lanes have in common, so that neither needs the other",
    ),
    (
        "consumers",
        &["events", "processor", "streets", "text"],
        "a consumer that sees the simulator sees the truth, and proves nothing; one that sees a lane needs a cluster to be tested",
    ),
    ("lanes", &["client", "events", "processor"], "they run any processor and know none"),
    ("dashboard", &["text"], "it draws plain values; what fills them in may change"),
    (
        "bill",
        &["consumers", "events", "processor", "text"],
        "it compares answers with the truth, whatever carried them and whatever shows the result",
    ),
    (
        "dashboard-testing",
        &["dashboard"],
        "it holds synthetic snapshots, and no program that is released uses it",
    ),
    (
        "scenarios",
        &[
            "bill",
            "client",
            "consumers",
            "dashboard",
            "events",
            "lanes",
            "processor",
            "producers",
            "streets",
            "text",
        ],
        "it knows the businesses and runs a show on any Kafka; the command line stands above it",
    ),
    (
        "freshet",
        &[
            "bill",
            "broker",
            "client",
            "consumers",
            "dashboard",
            "events",
            "lanes",
            "processor",
            "producers",
            "scenarios",
            "streets",
            "text",
        ],
        "it puts everything together",
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a crate stands in the workspace's folder")
}

fn manifest(folder: &str) -> toml::Table {
    let path = root().join(folder).join("Cargo.toml");
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn ours() -> BTreeSet<&'static str> {
    MAY_USE.iter().map(|(name, ..)| *name).collect()
}

/// What is wrong with a crate's manifest, in a sentence that teaches.
fn complaint(name: &str, manifest: &toml::Table) -> Option<String> {
    let (_, may, why) = MAY_USE.iter().find(|(known, ..)| *known == name)?;
    for section in ["dependencies", "build-dependencies"] {
        let used =
            manifest.get(section).and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
        for used in used.filter(|used| ours().contains(used.as_str())) {
            if !may.contains(&used.as_str()) {
                let allowed = if may.is_empty() { "none of our crates".to_owned() } else { may.join(", ") };
                return Some(format!(
                    "{name}/Cargo.toml uses {used}, but {name} may use only {allowed}: {why}. If {name} needs something of {used}, \
                     ask whether it belongs further down, or whether the crate that puts both together should hand it over."
                ));
            }
        }
    }
    None
}

#[test]
fn every_crate_uses_only_what_it_may() {
    let complaints: Vec<String> =
        ours().into_iter().filter_map(|name| complaint(name, &manifest(&name.replace('-', "/")))).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn every_crate_of_the_workspace_has_its_place() {
    let workspace = manifest(".");
    let members = workspace["workspace"]["members"].as_array().expect("members is a list");
    let folders: Vec<&str> = members.iter().filter_map(toml::Value::as_str).collect();
    let named: Vec<String> = folders.iter().map(|folder| folder.replace('/', "-")).collect();
    let members: BTreeSet<&str> = named.iter().map(String::as_str).collect();
    assert_eq!(members, ours(), "a new crate needs a line in MAY_USE that says who it may use, and why");
    for (folder, name) in folders.iter().zip(&named) {
        let package = manifest(folder);
        assert_eq!(package["package"]["name"].as_str(), Some(&**name), "a folder is called as its crate");
    }
}

#[test]
fn a_forbidden_dependency_is_found() {
    let planted = "[dependencies]\nproducers = { path = \"../producers\" }".parse().unwrap();
    let said = complaint("consumers", &planted).expect("consumers must not use producers");
    assert!(said.contains("consumers/Cargo.toml uses producers"), "{said}");
    let harmless = "[dev-dependencies]\nproducers = { path = \"../producers\" }".parse().unwrap();
    assert_eq!(complaint("consumers", &harmless), None, "tests may hold both against each other");
}

#[test]
fn every_dependency_has_its_reason() {
    let workspace = manifest(".");
    let dependencies = workspace["workspace"]["dependencies"].as_table().expect("a table");
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md can be read");
    for name in dependencies.keys().filter(|name| !ours().contains(name.as_str())) {
        let line = format!("| `{name}` |");
        assert!(text.contains(&line), "ARCHITECTURE.md has no line `{line} …` that says what {name} is for");
    }
    let names: Vec<_> = std::fs::read_to_string(root().join("Cargo.toml"))
        .expect("the manifest can be read")
        .lines()
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split(' ').next().map(str::to_owned))
        .collect();
    assert!(names.is_sorted(), "[workspace.dependencies] is one alphabetical list: {names:?}");
}
