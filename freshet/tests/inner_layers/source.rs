//! What the modules of a crate say of each other, read from its sources.
//!
//! A module is a file. It uses another when it names it, by `crate::`, `super::`, `self::` or as
//! its child; a name that another module only passes on (`pub use`) counts as used where it is
//! defined, and passing on is not using.
//!
//! # Simplifications
//! - Words are compared, no names resolved: `pub use x::*`, macros that make paths, and modules
//!   inside a file are not seen.
//! - Tests are left out: they may hold any two modules against each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A module's path without `crate`; the root is empty.
pub(crate) type Module = Vec<String>;

/// Who uses whom.
pub(crate) type Uses = BTreeMap<Module, BTreeSet<Module>>;

/// The uses among all modules of the crate in this folder.
pub(crate) fn uses_in(folder: &Path) -> Uses {
    let mut sources = BTreeMap::new();
    read(&folder.join("src"), &Module::new(), &mut sources);
    assert!(!sources.is_empty(), "{} has sources", folder.display());
    leave_out_tests(&mut sources);
    uses(&sources)
}

/// Takes away the modules that only a test build has.
pub(crate) fn leave_out_tests(sources: &mut BTreeMap<Module, String>) {
    let of_tests = |(module, text): (&Module, &String)| -> Vec<Module> {
        let tokens = tokens(text);
        let kept = without_tests(&tokens);
        let declared = |tokens: &[String]| -> Vec<String> {
            let is_mod = |three: &&[String]| three[0] == "mod" && three[2] == ";";
            tokens.windows(3).filter(is_mod).map(|three| three[1].clone()).collect()
        };
        let kept = declared(&kept);
        let gone = declared(&tokens).into_iter().filter(|name| !kept.contains(name));
        gone.map(|name| module.iter().cloned().chain([name]).collect()).collect()
    };
    let all: Vec<Module> = sources.iter().flat_map(of_tests).collect();
    sources.retain(|module, _| !all.iter().any(|test| module.starts_with(test)));
}

/// The uses among modules with these texts.
pub(crate) fn uses(sources: &BTreeMap<Module, String>) -> Uses {
    let parsed: BTreeMap<&Module, Parsed> =
        sources.iter().map(|(module, text)| (module, Parsed::of(text))).collect();
    let mut all = Uses::new();
    for (module, its) in &parsed {
        let used = its.paths.iter().filter_map(|path| resolve(&parsed, module, path, 0));
        let used = used.filter(|used| used != *module);
        all.insert((*module).clone(), used.collect());
    }
    all
}

fn read(folder: &Path, module: &Module, sources: &mut BTreeMap<Module, String>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a folder can be read to its end").path();
        let name = path.file_stem().and_then(|name| name.to_str()).expect("names are UTF-8").to_owned();
        if name == "tests" || name.ends_with("_tests") {
            continue;
        }
        let child: Module = module.iter().cloned().chain([name.clone()]).collect();
        if path.is_dir() {
            read(&path, &child, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("sources are UTF-8");
            let is_parent = matches!(name.as_str(), "mod" | "lib" | "main");
            // A binary beside a library is another root: what it uses is the library's.
            sources.entry(if is_parent { module.clone() } else { child }).or_default().push_str(&text);
        }
    }
}

/// The module that a path leads to; `None`: out of the crate, or a name of the module's own.
fn resolve(
    parsed: &BTreeMap<&Module, Parsed>,
    from: &Module,
    path: &[String],
    depth: usize,
) -> Option<Module> {
    let first = path.first()?;
    let child = |name: &String| from.iter().cloned().chain([name.clone()]).collect::<Module>();
    let (mut at, rest) = match first.as_str() {
        "crate" => (Module::new(), &path[1..]),
        "self" => (from.clone(), &path[1..]),
        "super" => (from.split_last().map_or(Module::new(), |(_, above)| above.to_vec()), &path[1..]),
        _ if parsed.contains_key(&child(first)) && path.len() > 1 => (child(first), &path[1..]),
        _ => return None,
    };
    for (place, name) in rest.iter().enumerate() {
        if name == "super" {
            at.pop();
            continue;
        }
        let below: Module = at.iter().cloned().chain([name.clone()]).collect();
        if parsed.contains_key(&below) {
            at = below;
        } else if let Some(passed_on) = parsed.get(&at).and_then(|its| its.passed_on.get(name))
            && depth < 8
        {
            let path: Vec<String> = passed_on.iter().chain(&rest[place + 1..]).cloned().collect();
            return resolve(parsed, &at, &path, depth + 1);
        } else {
            break;
        }
    }
    Some(at)
}

/// What a file says of others.
struct Parsed {
    /// Every path in it.
    paths: Vec<Vec<String>>,
    /// What it passes on: the name, and the path behind it.
    passed_on: BTreeMap<String, Vec<String>>,
}

impl Parsed {
    fn of(text: &str) -> Parsed {
        let tokens = without_tests(&tokens(text));
        let mut parsed = Parsed { paths: Vec::new(), passed_on: BTreeMap::new() };
        let mut at = 0;
        while at < tokens.len() {
            if tokens[at] == "pub" && tokens.get(at + 1).is_some_and(|next| next == "(") {
                // `pub(crate)` names no module.
                at += tokens[at..].iter().take_while(|token| *token != ")").count() + 1;
                continue;
            }
            let is_use = tokens[at] == "use";
            let is_public = is_use && at > 0 && matches!(tokens[at - 1].as_str(), "pub" | ")");
            let start = if is_use { at + 1 } else { at };
            let mut found = Vec::new();
            at = tree(&tokens, start, &[], &mut found).max(at + 1);
            for (path, name) in found {
                match name.or_else(|| path.last().cloned()) {
                    Some(name) if is_public => drop(parsed.passed_on.insert(name, path)),
                    _ => parsed.paths.push(path),
                }
            }
        }
        parsed
    }
}

/// Reads a path, or a tree of them, that begins at a token: each with the name that `as` gives it.
/// Returns the place after it.
fn tree(
    tokens: &[String],
    mut at: usize,
    before: &[String],
    found: &mut Vec<(Vec<String>, Option<String>)>,
) -> usize {
    let token = |at: usize| tokens.get(at).map_or("", String::as_str);
    let mut path = before.to_vec();
    loop {
        if token(at) == "{" && !path.is_empty() {
            at += 1;
            while at < tokens.len() && token(at) != "}" {
                at = if token(at) == "," { at + 1 } else { tree(tokens, at, &path, found).max(at + 1) };
            }
            return at + 1;
        }
        if !is_name(token(at)) {
            break;
        }
        if token(at) != "self" || path.is_empty() {
            path.push(token(at).to_owned());
        }
        at += 1;
        if token(at) != "::" {
            break;
        }
        at += 1;
    }
    let renamed = (token(at) == "as").then(|| token(at + 1).to_owned());
    at += if renamed.is_some() { 2 } else { 0 };
    if !path.is_empty() {
        found.push((path, renamed));
    }
    at
}

fn is_name(token: &str) -> bool {
    token.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Names, `::` and single signs; comments, texts and numbers are left out.
fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    let starts =
        |at: usize, word: &str| word.chars().enumerate().all(|(off, c)| chars.get(at + off) == Some(&c));
    while at < chars.len() {
        let char = chars[at];
        if starts(at, "//") {
            at += chars[at..].iter().take_while(|c| **c != '\n').count();
        } else if starts(at, "/*") {
            while at < chars.len() && !starts(at, "*/") {
                at += 1;
            }
            at += 2;
        } else if char == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += if chars[at] == '\\' { 2 } else { 1 };
            }
            at += 1;
        } else if char == '\'' {
            // A character ends in a quote; a lifetime does not.
            let length = if chars.get(at + 1) == Some(&'\\') {
                2 + chars[at + 2..].iter().skip(1).take_while(|c| **c != '\'').count() + 2
            } else if chars.get(at + 2) == Some(&'\'') {
                3
            } else {
                1
            };
            at += length;
        } else if char.is_alphanumeric() || char == '_' {
            let length = chars[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').count();
            let word: String = chars[at..at + length].iter().collect();
            at += length;
            if matches!(word.as_str(), "r" | "br") && matches!(chars.get(at), Some('"' | '#')) {
                let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
                if chars.get(at + hashes) == Some(&'"') {
                    let end = format!("\"{}", "#".repeat(hashes));
                    at += hashes + 1;
                    while at < chars.len() && !starts(at, &end) {
                        at += 1;
                    }
                    at += end.len();
                    continue;
                }
            }
            if is_name(&word) {
                tokens.push(word);
            }
        } else if starts(at, "::") {
            tokens.push("::".to_owned());
            at += 2;
        } else {
            if !char.is_whitespace() {
                tokens.push(char.to_string());
            }
            at += 1;
        }
    }
    tokens
}

/// Without what only a test build has.
fn without_tests(tokens: &[String]) -> Vec<String> {
    const CFG: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if !tokens[at..].iter().map(String::as_str).take(CFG.len()).eq(CFG) {
            kept.push(tokens[at].clone());
            at += 1;
            continue;
        }
        // The item ends with its braces, or where it has none with a semicolon.
        let mut depth = 0;
        while at < tokens.len() {
            match tokens[at].as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            at += 1;
            if depth == 0 && matches!(tokens[at - 1].as_str(), "}" | ";") {
                break;
            }
        }
    }
    kept
}
