//! Which files name a business. ARCHITECTURE.md says in *How to add a business* which files the
//! business that was added last has, and which others it touched: a new one needs no more.
//!
//! Can't see: a business that is meant and not named, such as in a catch-all arm, for which there
//! is a lint.

use std::collections::BTreeSet;

use crate::dead::code;
use crate::files::File;

/// Files in the table that follows `title`: the business's own (or folders), and those it touched.
pub(crate) struct Steps {
    own: BTreeSet<String>,
    touched: BTreeSet<String>,
}

impl Steps {
    /// Reads the table; what stands in a row is in the `src` of the first path in it.
    pub(crate) fn read(page: &str, title: &str) -> Self {
        let mut steps = Self { own: BTreeSet::new(), touched: BTreeSet::new() };
        let section = page.split_once(title).map_or("", |(_, rest)| rest);
        let section = section.split("\n## ").next().unwrap_or_default();
        for row in section.lines().filter(|line| line.starts_with("| ") && line.contains("/src/")) {
            let mut cells = row.split('|').skip(2).map(|cell| cell.split('`').skip(1).step_by(2));
            let (Some(own), Some(touched)) = (cells.next(), cells.next()) else { continue };
            let own: Vec<&str> = own.collect();
            let src = own[0].split_inclusive("/src/").next().unwrap_or_default();
            let within =
                |path: &str| if path.contains("/src/") { path.into() } else { format!("{src}{path}") };
            steps.own.extend(own.iter().map(|path| within(path)));
            let is_file = |path: &&str| path.strip_suffix(".rs").is_some();
            steps.touched.extend(touched.filter(is_file).map(within));
        }
        steps
    }

    fn has(&self, name: &str) -> bool {
        self.touched.contains(name)
            || self.own.iter().any(|own| name == own || own.ends_with('/') && name.starts_with(own.as_str()))
    }
}

/// The files that a business may touch outside its own.
pub(crate) const MOST: usize = 12;

/// What is wrong with the table of steps, and the files that name the business `word` in their
/// code, outside of tests, and are not in it.
pub(crate) fn faults(files: &[File], steps: &Steps, word: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if steps.own.is_empty() || !(1..=MOST).contains(&steps.touched.len()) {
        faults.push(format!("{} files are touched, of 1 to {MOST}", steps.touched.len()));
    }
    for file in files.iter().filter(|file| !is_of_tests(&file.name) && !steps.has(&file.name)) {
        let of_program = file.text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        for (line, number) in code(of_program).lines().zip(1..) {
            if line.to_lowercase().contains(word) {
                faults.push(format!("{}:{number}: {}", file.name, line.trim()));
            }
        }
    }
    faults
}

/// Whether a file is compiled for tests, examples or benchmarks alone.
pub(crate) fn is_of_tests(name: &str) -> bool {
    let folders = ["/tests/", "/testing/", "/examples/", "/benches/", "/scripts/"];
    folders.iter().any(|folder| name.contains(folder)) || name.ends_with("tests.rs")
}

#[test]
fn a_file_that_names_a_business_and_is_not_in_the_table_is_found() {
    let page = "## Add\n| step | own | touched |\n|---|---|---|\n\
                | 1. draw it | `a/src/hats.rs`, `view/hats/` | `lib.rs` (a line in `ALL`), `mod.rs` |\n## Else\n";
    let file = |name: &str, text: &str| File { name: name.to_owned(), text: text.to_owned() };
    let files = [
        file("a/src/hats.rs", "struct Hats;"),
        file("a/src/view/hats/draw.rs", "fn hats() {}"),
        file("a/src/lib.rs", "mod hats;"),
        file("a/src/more.rs", "// hats\nfn more() { Pane::Hats }\n#[cfg(test)]\nmod tests {\n hats(); }\n"),
        file("a/tests/hats.rs", "fn hats() {}"),
    ];
    let steps = Steps::read(page, "## Add");
    assert_eq!(steps.touched.len(), 2);
    assert_eq!(faults(&files, &steps, "hats"), ["a/src/more.rs:2: fn more() { Pane::Hats }"]);
    assert_eq!(faults(&[], &Steps::read("", "## Add"), "hats").len(), 1, "a table that is gone");
}
