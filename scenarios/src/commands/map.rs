//! `freshet map build`: anyone's streets.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use streets::Map;

use crate::cli::MapCommand;

/// Makes one map file, and says what is on it.
pub(crate) fn run(command: &MapCommand) -> Result<()> {
    let MapCommand::Build { files } = command;
    let (map, out) = build(files)?;
    let bytes = map.write();
    std::fs::write(out, &bytes).with_context(|| format!("could not write {}", out.display()))?;
    eprintln!(
        "{}: {} junctions, {} directed links, {} bytes",
        out.display(),
        map.node_count(),
        map.link_count(),
        bytes.len()
    );
    Ok(())
}

fn build(files: &[PathBuf]) -> Result<(Map, &Path)> {
    match files {
        [links, nodes, out] => Ok((Map::from_csv(links, nodes)?, out)),
        [extract, out] if extract.extension().is_some_and(|extension| extension == "pbf") => {
            Ok((Map::from_osm_pbf(extract)?, out))
        }
        [other, _] => {
            bail!("{} is not an .osm.pbf extract: pass one, or LINKS.csv NODES.csv OUT", other.display())
        }
        _ => bail!("pass LINKS.csv NODES.csv OUT, or FILE.osm.pbf OUT"),
    }
}
