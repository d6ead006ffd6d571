//! Public items that no other file uses. The compiler warns of what is private and dead; of what is
//! public it must think that some other crate may use it. Here all crates are in sight.
//!
//! Can't see: two items of one name, of which one use is enough for both; an item that only macros
//! or only tests name; public fields and variants. A type that its own file names again counts as
//! used: it stands in the signature of something that is.

use std::collections::{HashMap, HashSet};

use crate::files::File;

/// Public functions, constants and types of the crates' own code that nothing else names.
pub(crate) fn public_items(files: &[File]) -> Vec<String> {
    let code: Vec<String> = files.iter().map(|file| code(&file.text)).collect();
    let mut named_in: HashMap<&str, HashSet<usize>> = HashMap::new();
    for (number, code) in code.iter().enumerate() {
        for word in words(code) {
            named_in.entry(word).or_default().insert(number);
        }
    }
    let mut dead = Vec::new();
    for (number, (file, code)) in files.iter().zip(&code).enumerate() {
        if !file.name.contains("/src/") {
            continue;
        }
        for (line, (kind, name)) in
            code.lines().zip(1..).filter_map(|(line, number)| Some((number, public(line)?)))
        {
            let elsewhere = named_in[name].iter().any(|&place| place != number);
            let in_a_signature =
                TYPES.contains(&kind) && words(code).filter(|word| *word == name).count() > 1;
            if !elsewhere && !in_a_signature {
                dead.push(format!("{}:{line}: {kind} {name}", file.name));
            }
        }
    }
    dead
}

const TYPES: [&str; 4] = ["enum", "struct", "trait", "type"];
const VALUES: [&str; 3] = ["const", "fn", "static"];

/// The kind and the name of the public item that a line begins.
fn public(line: &str) -> Option<(&str, &str)> {
    let mut words = words(line.trim_start().strip_prefix("pub ")?).peekable();
    while let Some(kind) = words.next() {
        let is_modifier = kind == "const" && words.peek() == Some(&"fn");
        if !is_modifier && (TYPES.contains(&kind) || VALUES.contains(&kind)) {
            return words.next().map(|name| (kind, name));
        }
        if !is_modifier && !["async", "unsafe"].contains(&kind) {
            return None;
        }
    }
    None
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The text line by line, without comments and without `pub use`, which hands on and uses nothing.
pub(crate) fn code(text: &str) -> String {
    let mut in_export = false;
    let mut code = String::with_capacity(text.len());
    for line in text.lines() {
        let line = line.split("//").next().unwrap_or_default();
        in_export |=
            line.trim_start().starts_with("pub use ") || line.trim_start().starts_with("pub(crate) use ");
        if !in_export {
            code.push_str(line);
        }
        in_export &= !line.contains(';');
        code.push('\n');
    }
    code
}

#[test]
fn an_item_without_a_user_is_found() {
    let file = |name: &str, text: &str| File { name: name.to_owned(), text: text.to_owned() };
    let found = public_items(&[
        file(
            "log/src/lib.rs",
            "pub use a::{\n    unused,\n};\npub struct Log;\npub struct Gone;\n\
             impl Log {\n    pub const fn unused(&self) -> End { helper() } // unused\n    pub fn used(&self) {}\n}\n\
             pub enum End {}\nfn helper() {}\npub(crate) fn left_to_the_compiler() {}\n",
        ),
        file(
            "log/tests/all.rs",
            "fn test() { log.used(); Log::left_to_the_compiler(); }\npub fn helper_of_tests() {}\n",
        ),
    ]);
    assert_eq!(found, ["log/src/lib.rs:5: struct Gone", "log/src/lib.rs:7: fn unused"]);
}
