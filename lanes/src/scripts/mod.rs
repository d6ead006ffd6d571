//! Runs the stories in `golden/`: what the lanes' inner parts do, told step by step. After a
//! change, look at what `UPDATE_GOLDENFILES=1 cargo test -p lanes scripts` changes in them.
//!
//! These parts know neither a broker nor a clock, and nothing outside this crate may use them: so
//! their stories are run from here and not from `tests/`.

mod merge;
mod task;
mod window;

use std::path::Path;

/// Runs a story that is in `golden/`.
fn run<R: goldenscript::Runner>(mut runner: R, script: &str) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/scripts/golden");
    goldenscript::run(&mut runner, golden.join(script)).expect("the script runs");
}
