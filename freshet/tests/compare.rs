//! `freshet compare`: what it says before and while it works.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

mod common;

use std::fs::{self, File};
use std::path::Path;
use std::process::Output;

use common::freshet;

/// Compares half an hour of the shop on a machine whose temporary files are there.
fn compare(temporary: &Path) -> Output {
    let ran = freshet()
        .args(["compare", "--scenario", "shop", "--duration", "30m", "--periods", "15m", "--format", "jsonl"])
        .env("TMPDIR", temporary)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    ran
}

#[test]
fn a_comparison_warns_of_a_show_that_runs_beside_it_and_comes_to_the_same_bill() {
    let machine = tempfile::tempdir().unwrap();
    let alone = compare(machine.path());
    let said = String::from_utf8_lossy(&alone.stderr);
    assert!(said.starts_with("comparing the stream with runs every 15m on 30 minutes of shop; "), "{said}");

    // A show as it is found: its folder, which it keeps locked, and in it the name of its database.
    let show = machine.path().join("freshet-show");
    fs::create_dir(&show).unwrap();
    fs::write(show.join("database"), "warehouse.sqlite").unwrap();
    let lock = File::create(show.join("in-use.lock")).unwrap();
    lock.lock().unwrap();
    let beside = compare(machine.path());
    let said = String::from_utf8_lossy(&beside.stderr);
    assert!(said.starts_with("a show is running on this machine: "), "{said}");
    assert!(said.contains("end the show first (`q`)\ncomparing the stream"), "{said}");
    assert_eq!(alone.stdout, beside.stdout);
}
