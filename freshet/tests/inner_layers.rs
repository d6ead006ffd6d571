//! The order inside a crate: which module may use which.
//!
//! `layers.rs` holds what the manifests say: which crate may use which. Inside a crate nothing but
//! this test keeps the order that its first page promises. It reads the sources: no file may use
//! another in a circle, and a module may use only modules that stand below it.
//!
//! To add a crate, give it a line in [`ORDER`].

#[path = "inner_layers/source.rs"]
mod source;

use std::collections::BTreeMap;
use std::path::Path;

use source::{Module, Uses};

/// The order inside one crate.
struct Inner {
    name: &'static str,
    /// Its modules from the ground up; those on one line do not know each other. A module stands
    /// for its children too, among which only circles are forbidden.
    order: &'static [&'static str],
    /// Whether a folder's own file is a module like its children. Otherwise they may use it
    /// although it uses them: the parts of one thing.
    strict: bool,
    because: &'static str,
}

const ORDER: [Inner; 9] = [
    Inner {
        name: "bill",
        order: &[
            "id send_time",
            "arrivals resample",
            "verdict",
            "lines",
            "part",
            "markets payments ride_replay rides shop",
            "bill",
            "compare event_time",
        ],
        strict: true,
        because: "what judges a business knows no other, and what adds them up knows none by name",
    },
    Inner {
        name: "broker",
        order: &[
            "listener log quorum request_metrics users",
            "replica",
            "coordinator",
            "config controller refusals",
            "replicas",
            "node",
            "api overview",
            "server",
        ],
        strict: false,
        because: "below the server nothing waits, and each can be tested alone",
    },
    Inner {
        name: "consumers",
        order: &["eta fraud markets notifications recommendations"],
        strict: false,
        because: "a domain is read, changed and tested without the others",
    },
    Inner {
        name: "dashboard",
        order: &[
            "place",
            "command",
            "snapshot",
            "format",
            "state",
            "view",
            "headless settings svg",
            "terminal",
        ],
        strict: true,
        because: "what is decided is tested without a picture, and what is drawn without a terminal",
    },
    Inner {
        name: "freshet",
        order: &[
            "fields xdg",
            "screen_lines",
            "output",
            "cli progress repeated temporary worker_lines",
            "metrics",
            "commands",
        ],
        strict: false,
        because: "options are read before anything is done with them",
    },
    Inner {
        name: "lanes",
        order: &[
            "arrival clock commit_metadata merge published_answers stats warehouse",
            "control progress",
            "error task window",
            "broadcast offsets outbox rebuild retry",
            "batch stream",
        ],
        strict: false,
        because: "what decides knows neither a broker nor a clock, and who runs it stands above",
    },
    Inner {
        name: "producers",
        order: &["emission", "cards city markets shop"],
        strict: false,
        because: "a simulator is read and changed without the others",
    },
    Inner {
        name: "scenarios",
        order: &[
            "clock kernel lines percentiles topics",
            "priority usage",
            "ledger records view",
            "business",
            "burst kept supervise",
            "control",
            "history",
            "markets notifications payments ride_share shop",
            "businesses",
            "hour_before observe plan",
            "metrics",
            "controller",
        ],
        strict: false,
        because: "what a business is stands below the businesses, and who goes through their list above them",
    },
    Inner {
        name: "text",
        order: &["numbers safe", "cells", "table"],
        strict: false,
        because: "which characters are harmless is decided once, for cells and tables too",
    },
];

/// Where in the order a module stands: the layer, and the entry that stands for it. The root, which
/// declares all, stands above all.
fn layer<'a>(order: &'a [&'a str], module: &Module) -> Option<(usize, &'a str)> {
    let top = module.first()?;
    let places = order.iter().enumerate();
    places.flat_map(|(at, line)| line.split(' ').map(move |name| (at, name))).find(|(_, name)| name == top)
}

/// What is wrong with the uses in a crate, in sentences that teach.
fn complaints(inner: &Inner, uses: &Uses) -> Vec<String> {
    let Inner { name, order, strict, because } = inner;
    let mut all = Vec::new();
    for (module, used) in uses.iter().filter(|(module, _)| !module.is_empty()) {
        let Some((at, entry)) = layer(order, module) else {
            all.push(format!("{name}: {} has no place in ORDER: say what it may use", shown(module)));
            continue;
        };
        for other in used {
            match layer(order, other) {
                Some((below, other)) if below < at || other == entry => {}
                _ => all.push(format!(
                    "{name}: {} uses {}, but {entry} may use only what stands below it: {because}. Ask whether \
                     what it needs belongs further down, or whether the caller should hand it over.",
                    shown(module),
                    shown(other)
                )),
            }
        }
    }
    all.extend(circle(uses, *strict).map(|circle| {
        let circle: Vec<String> = circle.iter().map(shown).collect();
        format!("{name}: files use each other in a circle: {}", circle.join(" -> "))
    }));
    all
}

fn shown(module: &Module) -> String {
    if module.is_empty() { "the root".to_owned() } else { module.join("::") }
}

/// A circle among the modules, if there is one. The root, which declares all, is left out.
fn circle(uses: &Uses, strict: bool) -> Option<Vec<Module>> {
    let mut done = Vec::new();
    uses.keys().find_map(|module| visit(uses, strict, module, &mut Vec::new(), &mut done))
}

/// The circle that is closed on the way on from a module. `done`: those from which none is.
fn visit(
    uses: &Uses,
    strict: bool,
    module: &Module,
    way: &mut Vec<Module>,
    done: &mut Vec<Module>,
) -> Option<Vec<Module>> {
    if module.is_empty() || done.contains(module) {
        return None;
    }
    if let Some(from) = way.iter().position(|before| before == module) {
        return Some(way[from..].iter().chain([module]).cloned().collect());
    }
    way.push(module.clone());
    let used = uses.get(module).into_iter().flatten();
    let mut counted = used.filter(|used| strict || !module.starts_with(used));
    let found = counted.find_map(|used| visit(uses, strict, used, way, done));
    done.extend(way.pop());
    found
}

#[test]
fn every_module_uses_only_what_it_may() {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a crate stands in the workspace's folder");
    let all: Vec<String> =
        ORDER.iter().flat_map(|inner| complaints(inner, &source::uses_in(&root.join(inner.name)))).collect();
    assert!(all.is_empty(), "\n{}\n", all.join("\n"));
}

fn planted(strict: bool, files: &[(&str, &str)]) -> Vec<String> {
    let module = |path: &str| path.split("::").map(str::to_owned).collect();
    let sources: BTreeMap<Module, String> =
        files.iter().map(|(path, text)| (module(path), (*text).to_owned())).collect();
    let order = &["ground", "middle", "roof"];
    complaints(&Inner { name: "planted", order, strict, because: "it is planted" }, &source::uses(&sources))
}

#[test]
fn a_use_of_what_stands_above_is_found_however_it_is_written() {
    for text in [
        "use crate::roof::Tile;",
        "use crate::{ground::Soil, roof::{self, Tile}};",
        "fn wet() -> super::roof::Tile { super::roof::tile() }",
        "fn wet() { crate::roof::tile(); }",
    ] {
        let found = planted(true, &[("ground", ""), ("middle", text), ("roof", "")]);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].contains("middle uses roof"), "{found:?}");
    }
    let harmless = "//! See [`crate::roof`].\nuse crate::ground::Soil;\nconst SAID: &str = \"crate::roof::Tile\";\n\
                    #[cfg(test)]\nmod tests {\n    use crate::roof::Tile;\n}\n";
    assert_eq!(planted(true, &[("ground", ""), ("middle", harmless), ("roof", "")]), Vec::<String>::new());
}

#[test]
fn a_circle_of_files_is_found_also_inside_a_folder() {
    let found = planted(
        true,
        &[
            ("ground", "mod clay;\nmod sand;\nuse clay::Clay;"),
            ("ground::clay", "use super::sand::Sand;"),
            ("ground::sand", "use crate::ground::clay::Clay;"),
        ],
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("ground::clay -> ground::sand -> ground::clay"), "{found:?}");
}

/// The parts of one thing may use what their folder's file defines, where the crate allows it.
#[test]
fn a_circle_through_the_folders_own_file_is_one_only_where_it_is_said() {
    let files = [("ground", "mod clay;\nfn dig() { clay::dig() }"), ("ground::clay", "use super::Spade;")];
    assert_eq!(planted(false, &files), Vec::<String>::new());
    let found = planted(true, &files);
    assert!(found.len() == 1 && found[0].contains("ground -> ground::clay -> ground"), "{found:?}");
}

/// A folder that passes on what its files define is no circle with them.
#[test]
fn what_is_passed_on_is_used_where_it_is_defined() {
    let files = |sand| {
        planted(
            true,
            &[
                ("ground", "mod clay;\nmod sand;\npub(crate) use clay::{Clay, Loam as Soil};"),
                ("ground::clay", "pub struct Clay;"),
                ("ground::sand", sand),
            ],
        )
    };
    assert_eq!(files("use crate::ground::{Clay, Soil};"), Vec::<String>::new());
    assert_eq!(files("use super::Clay;"), Vec::<String>::new());
}

#[test]
fn a_module_without_a_place_is_found() {
    let found = planted(true, &[("ground", ""), ("shed", "use crate::ground::Soil;")]);
    assert!(found.len() == 1 && found[0].contains("shed has no place"), "{found:?}");
}

#[test]
fn a_module_that_only_a_test_build_has_is_left_out() {
    let module = |path: &str| -> Module { path.split("::").map(ToOwned::to_owned).collect() };
    let root = "mod real;\n#[cfg(test)]\npub(crate) mod toy;\n#[cfg(test)]\nmod scripts;".to_owned();
    let mut sources: BTreeMap<Module, String> =
        ["real", "toy", "scripts::task"].map(|path| (module(path), String::new())).into();
    sources.insert(Module::new(), root);
    source::leave_out_tests(&mut sources);
    assert_eq!(sources.into_keys().collect::<Vec<_>>(), [Module::new(), module("real")]);
}
