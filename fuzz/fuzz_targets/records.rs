#![no_main]

#[path = "../src/records.rs"]
mod records;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| records::records(bytes));
