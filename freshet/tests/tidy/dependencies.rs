//! Dependencies that are declared and not used.
//!
//! Can't see: a name in a string, and one that is used on one platform only.

use std::collections::BTreeSet;

use crate::files::{self, File};

/// The sections of a manifest, and the folders in which each one's crates may be used.
const SECTIONS: [(&str, &[&str]); 3] = [
    ("dependencies", &["src"]),
    ("dev-dependencies", &["src", "tests", "benches", "examples"]),
    ("build-dependencies", &["build.rs"]),
];

/// What the manifests of the workspace declare and nothing uses.
pub(crate) fn unused() -> Vec<String> {
    let workspace = manifest("Cargo.toml");
    let members: Vec<&str> = workspace["workspace"]["members"]
        .as_array()
        .expect("members is a list")
        .iter()
        .filter_map(toml::Value::as_str)
        .collect();
    let sources = files::ending(".rs");
    let mut declared = BTreeSet::new();
    let mut unused = Vec::new();
    for member in &members {
        let manifest = manifest(&format!("{member}/Cargo.toml"));
        for (section, folders) in SECTIONS {
            let texts = texts(member, folders, &sources);
            for name in keys(manifest.get(section)) {
                if !texts.iter().any(|text| names(text, &name)) {
                    unused.push(format!("{member}/Cargo.toml: [{section}] {name}"));
                }
                declared.insert(name);
            }
        }
    }
    let shared = keys(workspace["workspace"].get("dependencies")).into_iter();
    let by_none = shared.filter(|name| !declared.contains(name) && !members.contains(&name.as_str()));
    unused.extend(by_none.map(|name| format!("Cargo.toml: [workspace.dependencies] {name}")));
    unused
}

/// The sources of a crate in some of its folders, and those elsewhere that they include.
fn texts<'a>(member: &str, folders: &[&str], sources: &'a [File]) -> Vec<&'a str> {
    let starts: Vec<String> = folders.iter().map(|folder| format!("{member}/{folder}")).collect();
    let own = sources.iter().filter(|file| starts.iter().any(|start| file.name.starts_with(start)));
    own.flat_map(|file| {
        let folder = file.name.rsplit_once('/').map_or("", |(folder, _)| folder);
        let paths =
            file.text.lines().filter_map(|line| line.trim().strip_prefix("#[path = \"")?.split_once('"'));
        let included: Vec<String> = paths.map(|(path, _)| files::within(folder, path)).collect();
        let elsewhere = sources.iter().filter(move |file| included.contains(&file.name));
        std::iter::once(file).chain(elsewhere).map(|file| file.text.as_str())
    })
    .collect()
}

fn manifest(path: &str) -> toml::Table {
    files::text(path).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn keys(section: Option<&toml::Value>) -> Vec<String> {
    section.and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys).cloned().collect()
}

/// Whether a source says `name::` or `use name`, outside of comments.
fn names(text: &str, dependency: &str) -> bool {
    let name = dependency.replace('-', "_");
    let path = format!("{name}::");
    let import = format!("use {name}");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| {
        let starts_a_word =
            |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        let ends_a_word = |at: usize| !line[at..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
        line.match_indices(&path).any(|(at, _)| starts_a_word(at))
            || line.match_indices(&import).any(|(at, _)| ends_a_word(at + import.len()))
    })
}

#[test]
fn a_use_is_seen_and_a_word_is_none() {
    assert!(names("use serde_json::Value;", "serde-json"));
    assert!(names("let row = csv::Reader::new(file);", "csv"));
    assert!(names("pub use toml;", "toml"));
    assert!(!names("// csv::Reader", "csv"));
    assert!(!names("use super::csv::Row; let mycsv = my_csv::Row; use csvs;", "csv"));
}
