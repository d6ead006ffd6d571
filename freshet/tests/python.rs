//! The Python package: its own tests against this program, its types, its form, and that it works
//! with the oldest Python that it names. `make wheel` tries it installed, with every Python there
//! is.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::path::Path;
use std::process::Command;

use common::repository;

/// Runs a tool of `target/clients` in the package's folder.
fn run(tool: &str, arguments: &[&str]) {
    let program = Path::new(env!("CARGO_BIN_EXE_freshet")).parent().unwrap();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(program.to_owned()).chain(std::env::split_paths(&path));
    let done = Command::new(repository().join("target/clients/bin").join(tool))
        .args(arguments)
        .current_dir(repository().join("python"))
        .env("PATH", std::env::join_paths(path).unwrap())
        .env("PYTHONPATH", repository().join("python/src"))
        .output()
        .unwrap();
    let said = [done.stdout, done.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    assert!(done.status.success(), "{tool} {arguments:?}: {said}");
}

#[test]
fn a_broker_of_pythons_leaves_nothing_and_pytest_has_one_a_session() {
    run("pytest", &["-q", "-n2"]);
}

#[test]
fn the_package_is_typed_and_formatted() {
    run("mypy", &["src", "tests"]);
    run("ruff", &["check"]);
    run("ruff", &["format", "--check"]);
}

#[test]
fn the_package_needs_no_newer_python_than_it_says() {
    run("vermin", &["-q", "-t=3.9-", "--violations", "--no-tips", "--eval-annotations", "src"]);
}
