//! What pages quote of other files, and the commands that they tell a reader to try. A golden
//! script changes with the code, and a page that quotes last month's teaches what is not so.
//!
//! A line that begins with ``From `path` `` and ends with a colon announces a quotation: the block
//! of code that follows is part of that file, line by line.
//!
//! Can't see: a quotation that is not announced, and whether a command does what the page says.

use crate::files::File;

/// A block of code that a page has from a file.
pub(crate) struct Quote {
    /// Where it is announced.
    line: usize,
    /// The file.
    pub(crate) from: String,
    text: String,
}

/// The quotations of a page.
pub(crate) fn quotes(page: &str) -> Vec<Quote> {
    let mut found: Vec<Quote> = Vec::new();
    let mut announced: Option<(usize, String)> = None;
    let mut lines = page.lines().zip(1..);
    while let Some((text, line)) = lines.next() {
        if let Some(rest) = text.strip_prefix("From `").filter(|_| text.ends_with(':')) {
            announced = rest.split_once('`').map(|(path, _)| (line, path.to_owned()));
        } else if text.starts_with("```") {
            let block = lines.by_ref().map(|(text, _)| text).take_while(|text| !text.starts_with("```"));
            let block = block.fold(String::new(), |block, text| block + text + "\n");
            if let Some((line, from)) = announced.take() {
                found.push(Quote { line, from, text: block });
            }
        } else if !text.is_empty() {
            announced = None;
        }
    }
    found
}

/// Quotations that are not in their files. `read` gives the text of a file, if there is one.
pub(crate) fn misquoted(page: &str, read: impl Fn(&str) -> Option<String>) -> Vec<(usize, String)> {
    let is_there = |quote: &Quote| {
        let file = read(&quote.from).unwrap_or_default();
        !quote.text.is_empty() && format!("\n{file}").contains(&format!("\n{}", quote.text))
    };
    let wrong = quotes(page).into_iter().filter(|quote| !is_there(quote));
    wrong.map(|Quote { line, from, .. }| (line, format!("this is not in {from}"))).collect()
}

/// Quotations that lack a part of their file and don't say which they are: ``From `a/b`:`` is the
/// whole of it, but for the comments at its head. What is pasted must run.
pub(crate) fn cut(page: &str, read: impl Fn(&str) -> Option<String>) -> Vec<(usize, String)> {
    let is_head = |line: &&str| line.is_empty() || line.starts_with("//") || line.starts_with('#');
    let body =
        |text: &str| text.lines().skip_while(is_head).map(|line| line.to_owned() + "\n").collect::<String>();
    let is_whole = |quote: &Quote| {
        page.lines().nth(quote.line - 1).is_some_and(|line| line == format!("From `{}`:", quote.from))
    };
    let lacks = |quote: &Quote| body(&quote.text) != body(&read(&quote.from).unwrap_or_default());
    let wrong = quotes(page).into_iter().filter(|quote| is_whole(quote) && lacks(quote));
    wrong.map(|Quote { line, from, .. }| (line, format!("this is not all of {from}"))).collect()
}

/// Commands that run a test file that is not there: `cargo test -p broker --test log_scripts`.
pub(crate) fn missing_test_files(page: &str, exists: impl Fn(&str) -> bool) -> Vec<(usize, String)> {
    let mut missing = Vec::new();
    for (text, line) in page.lines().zip(1..) {
        for command in text.split("cargo test -p ").skip(1) {
            let Some((member, rest)) = command.split_once(" --test ") else { continue };
            let test = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            let file = format!("{member}/tests/{test}.rs");
            if !exists(&file) && !exists(&format!("{member}/tests/{test}/main.rs")) {
                missing.push((line, file));
            }
        }
    }
    missing
}

/// What the tour lacks: a quotation on a page, or a page in its table of contents.
pub(crate) fn gaps_in_tour(pages: &[&File], contents: &str) -> Vec<String> {
    let mut gaps = Vec::new();
    for page in pages {
        let name = page.name.rsplit_once('/').map_or(page.name.as_str(), |(_, name)| name);
        if quotes(&page.text).is_empty() {
            gaps.push(format!("{}: quotes no golden script", page.name));
        }
        if !contents.contains(&format!("]({name})")) {
            gaps.push(format!("{}: is not in the table of contents", page.name));
        }
    }
    gaps
}

#[test]
fn a_quotation_that_is_not_in_its_file_is_found() {
    let file = "# A story.\nappend 1\n---\noffset 0\n\nappend 2\n---\noffset 1\n";
    let read = |path: &str| (path == "a/story").then(|| file.to_owned());
    let page = |from: &str, quoted: &str| {
        format!("Text.\n\nFrom `{from}`, the beginning:\n\n```text\n{quoted}```\n\n```sh\nnot quoted\n```\n")
    };
    for quoted in ["append 1\n---\noffset 0\n", "offset 0\n\nappend 2\n", file] {
        assert_eq!(misquoted(&page("a/story", quoted), read), []);
    }
    for quoted in ["append 1\n---\noffset 1\n", "ppend 1\n", "offset\n", "append 1\noffset 0\n", ""] {
        let found = misquoted(&page("a/story", quoted), read);
        assert_eq!(found, [(3, "this is not in a/story".to_owned())], "{quoted:?}");
    }
    assert_eq!(misquoted(&page("a/gone", "append 1\n"), read).len(), 1);
    assert_eq!(misquoted("From `a/story`:\n\nIt is long.\n\n```text\nx\n```\n", read), [], "not announced");
}

#[test]
fn a_program_that_is_cut_short_is_found() {
    let file = "// What it is.\npackage main\n\nfunc main() {\n}\n";
    let read = |path: &str| (path == "a.go").then(|| file.to_owned());
    let page = |from: &str, quoted: &str| format!("From {from}:\n\n```go\n{quoted}```\n");
    for quoted in [file, "package main\n\nfunc main() {\n}\n"] {
        assert_eq!(cut(&page("`a.go`", quoted), read), []);
    }
    let found = [(1, "this is not all of a.go".to_owned())];
    for quoted in ["func main() {\n}\n", "package main\n\nfunc main() {\n"] {
        assert_eq!(cut(&page("`a.go`", quoted), read), found, "{quoted:?}");
        assert_eq!(cut(&page("`a.go`, its `main`", quoted), read), [], "it says so");
    }
}

#[test]
fn a_command_with_a_test_that_is_gone_is_found() {
    let page = "`cargo test -p broker --test log_scripts`, `cargo test -p lanes scripts`\n\
                `cargo test -p broker --test group_simulation -- --nocapture`\n\
                A=1 cargo test -p bill --test gone && cargo test -p broker --test gone_too\n";
    let exists =
        |path: &str| ["broker/tests/log_scripts.rs", "broker/tests/group_simulation/main.rs"].contains(&path);
    let gone = |member: &str, test: &str| (3, format!("{member}/tests/{test}.rs"));
    assert_eq!(missing_test_files(page, exists), [gone("bill", "gone"), gone("broker", "gone_too")]);
}

#[test]
fn a_page_that_quotes_nothing_or_is_not_listed_is_found() {
    let page = |name: &str, text: &str| File { name: name.to_owned(), text: text.to_owned() };
    let (good, bad) = (page("t/1.md", "From `a`:\n```\nx\n```\n"), page("t/2.md", "From `a`, a story.\n"));
    let gaps = gaps_in_tour(&[&good, &bad], "[one](1.md)");
    assert_eq!(gaps, ["t/2.md: quotes no golden script", "t/2.md: is not in the table of contents"]);
}
