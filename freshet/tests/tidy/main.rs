//! What a reader trips over, found by reading the sources, so that it need not be said in a review.
//!
//! Each check is a function from text to faults, with a test beside it that plants the fault and
//! sees it found. Here the checks meet the repository.
//!
//! # Simplifications
//!
//! All of it reads text and knows no types. What each check can't see stands at the check.

mod business;
mod comments;
mod dead;
mod dependencies;
mod files;
mod linux;
mod markdown;
mod names;
mod quotes;

use std::collections::BTreeSet;

use files::File;

/// Fails with a line for each fault.
fn none(faults: &[String], remedy: &str) {
    assert!(faults.is_empty(), "{remedy}:\n{}\n", faults.join("\n"));
}

/// The faults that `check` finds in each file, with the file's name and the line in front.
fn faults(files: &[File], check: impl Fn(&str) -> Vec<(usize, String)>) -> Vec<String> {
    let in_file = |file: &File| -> Vec<String> {
        check(&file.text).into_iter().map(|(line, fault)| format!("{}:{line}: {fault}", file.name)).collect()
    };
    files.iter().flat_map(in_file).collect()
}

fn architecture() -> Vec<File> {
    files::ending(".md").into_iter().filter(|file| file.name == "ARCHITECTURE.md").collect()
}

fn tour() -> Vec<File> {
    files::ending(".md").into_iter().filter(|file| file.name.starts_with("docs/tour/")).collect()
}

#[test]
fn no_comment_is_wider_than_100_columns() {
    let mut wide = Vec::new();
    for ending in [".rs", ".go", ".java", ".js"] {
        wide.extend(faults(&files::ending(ending), |text| comments::wide("//", text)));
    }
    let mut scripts = vec![".py", ".sh", ".toml", ".properties", "Makefile", "/run"];
    scripts.extend(["/airflow", "/dist", "/ecosystem", "/install", "/install-clients", "/kafka", "/wheel"]);
    for ending in scripts {
        wide.extend(faults(&files::ending(ending), |text| comments::wide("#", text)));
    }
    none(&wide, "wrap these comments");
}

#[test]
fn markdown_has_one_sentence_a_line() {
    none(
        &faults(&files::ending(".md"), markdown::sentences_and_lines),
        "one sentence a line, so that a diff shows the sentence that changed",
    );
}

#[test]
fn no_sentence_is_longer_than_200_characters() {
    none(&faults(&files::ending(".md"), markdown::long_sentences), "make two sentences of these");
}

#[test]
fn the_architecture_lists_the_top_level_folders() {
    let listed: BTreeSet<String> =
        architecture().iter().flat_map(|file| names::folders_in_tables(&file.text)).collect();
    let there = files::folders();
    assert_eq!(listed, there, "the code map of ARCHITECTURE.md (left) and the folders (right)");
}

#[test]
fn what_a_page_names_is_there() {
    let functions = names::functions(&files::ending(".rs"));
    let pages = files::ending(".md");
    let missing: Vec<String> =
        pages.iter().flat_map(|page| names::missing(page, &functions, files::exists)).collect();
    none(&missing, "these pages name files or tests that are not there any more");
}

#[test]
fn what_a_page_quotes_is_there() {
    let read = |path: &str| files::exists(path).then(|| files::text(path));
    let misquoted = faults(&files::ending(".md"), |page| quotes::misquoted(page, read));
    none(&misquoted, "quote these again, line by line");
    let programs = files::ending("docs/connect.md");
    assert_eq!(programs.len(), 1, "the page of programs");
    none(&faults(&programs, |page| quotes::cut(page, read)), "quote all of these, or say which part it is");
    let missing = faults(&files::ending(".md"), |page| quotes::missing_test_files(page, files::exists));
    none(&missing, "these pages run tests that are not there any more");
}

#[test]
fn every_page_of_the_tour_quotes_a_script_and_is_in_its_contents() {
    let tour = tour();
    let (contents, pages): (Vec<&File>, Vec<&File>) =
        tour.iter().partition(|page| page.name.ends_with("README.md"));
    assert_eq!(contents.len(), 1, "the tour begins with one README.md");
    none(&quotes::gaps_in_tour(&pages, &contents[0].text), "each page is built round a golden script");
}

#[test]
fn every_dependency_is_used() {
    none(&dependencies::unused(), "remove these lines, or use them");
}

#[test]
fn a_new_business_touches_no_more_files_than_the_architecture_says() {
    let architecture = files::text("ARCHITECTURE.md");
    let steps = business::Steps::read(&architecture, "## How to add a business");
    none(
        &business::faults(&files::ending(".rs"), &steps, "market"),
        "let these ask the business's value, or add them to the table",
    );
}

#[test]
fn what_only_linux_offers_stands_in_one_place_of_a_crate() {
    none(
        &linux::outside_of_kernels(&files::ending(".rs")),
        "do this in the crate's `kernel`, and in another form for other systems",
    );
}

#[test]
fn every_public_item_has_a_user_elsewhere() {
    none(&dead::public_items(&files::ending(".rs")), "make these private or remove them");
}
