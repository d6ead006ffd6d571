//! What only Linux offers stands in one place of a crate, its `kernel`, which has another form of
//! it for other systems. No compiler here would miss that form elsewhere.
//!
//! Can't see: what Linux offers and is not in the list, and values that mean something else on
//! other systems.

use crate::business::is_of_tests;
use crate::dead::code;
use crate::files::File;

/// Paths, and names in the crates through which system calls are made.
const OF_LINUX: [&str; 18] = [
    "/proc/",
    "/sys/",
    "copy_file_range",
    "epoll",
    "eventfd",
    "fadvise",
    "fallocate",
    "inotify",
    "memfd_create",
    "os::linux",
    "pidfd",
    "prctl",
    "process::nice",
    "renameat_with",
    "sendfile",
    "SendFlags",
    "pipe::splice",
    "syncfs",
];

/// Where a program names something of Linux and is no `kernel`.
pub(crate) fn outside_of_kernels(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    let helpers: Vec<String> = files.iter().flat_map(helpers_of_tests).collect();
    let is_kernel = |name: &str| name.contains("/kernel/") || name.ends_with("/kernel.rs");
    let programs = files.iter().filter(|file| file.name.contains("/src/") && !is_of_tests(&file.name));
    for file in programs.filter(|file| !is_kernel(&file.name) && !helpers.contains(&file.name)) {
        let of_program = file.text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for (line, number) in code(of_program).lines().zip(1..) {
            if OF_LINUX.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{number}: {}", file.name, line.trim()));
            }
        }
    }
    found
}

/// Modules that a file declares for tests alone, where they stand beside it.
fn helpers_of_tests(file: &File) -> Vec<String> {
    let folder = file.name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let lines: Vec<&str> = file.text.lines().map(str::trim).collect();
    let of_tests = lines.windows(2).filter(|two| two[0] == "#[cfg(test)]").map(|two| two[1]);
    let name = |line: &str| Some(line.rsplit_once("mod ")?.1.strip_suffix(';')?.to_owned());
    of_tests.filter_map(name).map(|name| format!("{folder}/{name}.rs")).collect()
}

#[test]
fn what_is_of_linux_is_found_outside_of_kernels() {
    let file = |name: &str, text: &str| File { name: name.to_owned(), text: text.to_owned() };
    let uses =
        "// reads /proc/self\nfn a() { read(\"/proc/self\") }\n#[cfg(test)]\nmod tests { splice(); }\n";
    let mut files = vec![file("a/src/lib.rs", "#[cfg(test)]\npub(crate) mod help;\n")];
    for name in ["b", "help", "kernel", "kernel/linux", "c/tests"] {
        files.push(file(&format!("a/src/{name}.rs"), uses));
    }
    let found = outside_of_kernels(&files);
    assert_eq!(found, ["a/src/b.rs:2: fn a() { read(\"/proc/self\") }"]);
}
