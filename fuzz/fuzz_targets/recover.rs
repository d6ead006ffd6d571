#![no_main]

#[path = "../src/recover.rs"]
mod recover;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| recover::recover(bytes));
