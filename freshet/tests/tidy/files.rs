//! The repository's files, without what tools have put there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// A text file and its path from the repository's folder, with `/` between the names.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Folders that tools fill, wherever they are.
pub(crate) const BY_TOOLS: [&str; 4] = ["__pycache__", "data", "node_modules", "target"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a crate is a folder of the workspace")
}

/// Whether a path from the repository's folder leads to a file or a folder.
pub(crate) fn exists(path: &str) -> bool {
    root().join(path).exists()
}

/// The text of one file, by its path from the repository's folder.
pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files whose name ends so, in the order of their names.
pub(crate) fn ending(suffix: &str) -> Vec<File> {
    let mut found = Vec::new();
    walk("", suffix, &mut found);
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}

/// The top-level folders.
pub(crate) fn folders() -> BTreeSet<String> {
    entries("").into_iter().filter(|(_, is_folder)| *is_folder).map(|(name, _)| name).collect()
}

/// The path from the repository's folder, of what a file in `folder` calls `link`.
pub(crate) fn within(folder: &str, link: &str) -> String {
    let mut path: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    for name in link.split('/') {
        match name {
            "." | "" => {}
            ".." => drop(path.pop()),
            name => path.push(name),
        }
    }
    path.join("/")
}

fn walk(folder: &str, suffix: &str, found: &mut Vec<File>) {
    for (name, is_folder) in entries(folder) {
        let name = if folder.is_empty() { name } else { format!("{folder}/{name}") };
        if is_folder {
            walk(&name, suffix, found);
        } else if name.ends_with(suffix) {
            let text = text(&name);
            found.push(File { name, text });
        }
    }
}

fn entries(folder: &str) -> Vec<(String, bool)> {
    fs::read_dir(root().join(folder))
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| {
            let entry = entry.expect("a folder can be read to its end");
            let is_folder = entry.file_type().expect("an entry has a type").is_dir();
            (entry.file_name().to_string_lossy().into_owned(), is_folder)
        })
        .filter(|(name, _)| !name.starts_with('.') && !BY_TOOLS.contains(&name.as_str()))
        .collect()
}
