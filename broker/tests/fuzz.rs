//! The functions of `fuzz/`, run for a second: over the corpus, and over mutations of it that a
//! seed decides.
//!
//! `make fuzz` looks further, guided by what it reaches; see CONTRIBUTING.md. What it finds goes
//! into `fuzz/corpus`, and is then looked at here for ever.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]

#[path = "../../fuzz/src/decode.rs"]
mod decode;
#[path = "../../fuzz/src/records.rs"]
mod records;
#[path = "../../fuzz/src/recover.rs"]
mod recover;

use std::fs;
use std::path::{Path, PathBuf};

/// Most of the corpus of requests was taken from the wire while real clients spoke to a broker:
/// each file is named after the client, the request and its version. The rest, named `reached-…`,
/// was found by the fuzzer.
#[test]
fn what_real_clients_send_is_understood_to_the_last_byte() {
    let name = |file: &PathBuf| file.file_name().unwrap().to_str().unwrap().to_owned();
    for file in corpus("decode").into_iter().filter(|file| !name(file).starts_with("reached-")) {
        let name = name(&file);
        let left = decode::decode(&fs::read(&file).unwrap());
        // A client that asks in a version that we don't know repeats it in one that we do.
        let from_the_future = name.ends_with("-ApiVersions-v5");
        assert_eq!(left, (!from_the_future).then_some(0), "{name}");
    }
}

#[test]
fn decoding_survives_the_corpus_and_its_mutations() {
    let decode = |bytes: &[u8]| {
        let _understood = decode::decode(bytes);
    };
    run("decode", decode, 50);
}

#[test]
fn records_survive_the_corpus_and_its_mutations() {
    run("records", records::records, 1_000);
}

#[test]
fn recovery_survives_the_corpus_and_its_mutations() {
    run("recover", recover::recover, 100);
}

/// Every file of the target's corpus as it is, then so many times with something changed in it.
fn run(target: &str, check: fn(&[u8]), mutations: u64) {
    let files = corpus(target);
    let corpus: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let mut dice = Dice(7);
    for (file, bytes) in files.iter().zip(&corpus) {
        check(bytes);
        for _ in 0..mutations {
            let other = &corpus[dice.below(corpus.len())];
            let mutant = dice.mutate(bytes, other);
            let outcome = std::panic::catch_unwind(|| check(&mutant));
            assert!(outcome.is_ok(), "a mutant of {} breaks it: {mutant:?}", file.display());
        }
    }
}

fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

/// Random numbers from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }

    /// A few changes, of the kinds that a fuzzer makes: a byte, a number at its limits, a piece
    /// gone, doubled or foreign.
    fn mutate(&mut self, bytes: &[u8], other: &[u8]) -> Vec<u8> {
        let mut mutant = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let from = self.below(mutant.len() + 1);
            let to = (from + self.below(12)).min(mutant.len());
            let piece = match self.below(5) {
                0 => vec![self.below(256) as u8],
                1 => [0x7fff_ffff_u32, 0xffff_ffff, 0x8000_0000, 0][self.below(4)].to_be_bytes().to_vec(),
                2 => Vec::new(),
                3 => mutant[from..to].repeat(2),
                _ => {
                    let from = self.below(other.len() + 1);
                    other[from..(from + 12).min(other.len())].to_vec()
                }
            };
            mutant.splice(from..to, piece);
        }
        mutant
    }
}
