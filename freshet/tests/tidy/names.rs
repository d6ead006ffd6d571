//! What pages name: folders, files, other pages and tests. Code moves, and a page that sends its
//! reader to a place that is gone is worse than none.
//!
//! Can't see: a name in plain text or in a block of code, and whether a function is a test.

use std::collections::BTreeSet;

use crate::files::{BY_TOOLS, File, within};

/// A name with so many words is the name of a test.
const WORDS_OF_A_TEST: usize = 5;

/// Folders in the first column of tables, written `` `name/` ``.
pub(crate) fn folders_in_tables(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("/` |"))
        .map(|(folder, _)| folder.to_owned())
        .collect()
}

/// The names of all functions.
pub(crate) fn functions(files: &[File]) -> BTreeSet<String> {
    files
        .iter()
        .flat_map(|file| file.text.lines())
        .filter_map(|line| line.split_once("fn ").map(|(_, rest)| rest))
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default())
        .map(str::to_owned)
        .collect()
}

/// What a page names and is not there.
pub(crate) fn missing(
    page: &File,
    functions: &BTreeSet<String>,
    exists: impl Fn(&str) -> bool,
) -> Vec<String> {
    let folder = page.name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_there = |name: &str| match name.strip_suffix('*') {
        Some(start) => functions.iter().any(|function| function.starts_with(start)),
        None => functions.contains(name),
    };
    let mut missing = Vec::new();
    for (line, number) in page.text.lines().zip(1..) {
        let code = line.split('`').skip(1).step_by(2);
        let paths = code.clone().filter(|code| looks_like_a_path(code, &exists)).map(str::to_owned);
        let links = links(line).map(|link| within(folder, link));
        missing.extend(paths.chain(links).filter(|path| !exists(path)).map(|path| (number, path)));
        let tests = code.filter_map(|code| code.rsplit("::").next()).filter(|name| looks_like_a_test(name));
        missing.extend(tests.filter(|name| !is_there(name)).map(|name| (number, name.to_owned())));
    }
    missing.into_iter().map(|(number, name)| format!("{}:{number}: {name}", page.name)).collect()
}

/// A path of our own, without a `WORD` that stands for something else.
fn looks_like_a_path(code: &str, exists: impl Fn(&str) -> bool) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let stands_for = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase());
    code.chars().all(plain)
        && code.split_once('/').is_some_and(|(first, _)| exists(first))
        && !code.split('/').any(|name| BY_TOOLS.contains(&name) || stands_for(name))
}

fn looks_like_a_test(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '*';
    name.chars().all(plain) && name.split('_').count() >= WORDS_OF_A_TEST
}

/// The targets of links to other files.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .filter(|target| !target.contains("://"))
        .filter_map(|target| target.split('#').next())
        .filter(|target| !target.is_empty())
}

#[test]
fn a_name_of_something_that_is_gone_is_found() {
    let page = File {
        name: "docs/tour/log.md".to_owned(),
        text: "`broker/src/log` and `broker/src/gone.rs`, not `data/log` nor `a/b`\n\
               `x::a_log_reads_like_a_vector`, `a_log_is_*`, `a_test_that_is_gone`, `retention_ms`\n\
               [log](../batch.md#part), [gone](gone.md), [elsewhere](https://kafka.apache.org)\n"
            .to_owned(),
    };
    let functions = ["a_log_reads_like_a_vector", "a_log_is_short"].map(str::to_owned).into();
    let exists = |path: &str| ["broker", "broker/src/log", "docs/batch.md", "data"].contains(&path);
    assert_eq!(
        missing(&page, &functions, exists),
        [
            "docs/tour/log.md:1: broker/src/gone.rs",
            "docs/tour/log.md:2: a_test_that_is_gone",
            "docs/tour/log.md:3: docs/tour/gone.md",
        ]
    );
}

#[test]
fn folders_of_a_table_are_found() {
    assert_eq!(folders_in_tables("| `broker/` | …\n| `clap` | …\nthe `docs/` folder\n"), ["broker"]);
}
