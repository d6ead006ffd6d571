//! Builds a compact map from a pair of CSV files, and reads it again to be sure:
//! `cargo run --release -p streets --example build_map LINKS.csv NODES.csv OUT`. This is how
//! `maps/la-serena.map` was made; `freshet map build` does the same and more.

use std::error::Error;
use std::path::PathBuf;

use streets::Map;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [links, nodes, out] = paths.as_slice() else {
        return Err("usage: build_map LINKS.csv NODES.csv OUT".into());
    };
    let map = Map::from_csv(links, nodes)?;
    let bytes = map.write();
    Map::read(&bytes)?;
    std::fs::write(out, &bytes)?;
    println!(
        "{}: {} junctions, {} links, {} bytes",
        out.display(),
        map.node_count(),
        map.link_count(),
        bytes.len()
    );
    Ok(())
}
