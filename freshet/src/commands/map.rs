//! `freshet map build`: anyone's streets.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use streets::{LinkId, Map, RoadClass};

use crate::cli::MapCommand;

/// Makes one map file, and says what is on it.
pub(crate) fn run(command: &MapCommand) -> Result<()> {
    let MapCommand::Build { files } = command;
    let (out, sources) = files.split_last().context("pass LINKS.csv NODES.csv OUT, or FILE.osm.pbf OUT")?;
    if let Some(source) = sources.iter().find(|source| is_same_file(source, out)) {
        bail!("{} is what the map is made from: give OUT another name", source.display());
    }
    let map = build(sources)?;
    let bytes = map.write();
    std::fs::write(out, &bytes).with_context(|| format!("could not write {}", out.display()))?;
    say!(
        "{}: {} junctions, {} directed links, {} bytes",
        out.display(),
        map.node_count(),
        map.link_count(),
        bytes.len()
    );
    say!("{}", known(&map));
    Ok(())
}

/// Of how many links what is known: a column that was misspelt shows here as nothing known of any.
fn known(map: &Map) -> String {
    let count = |has: &dyn Fn(LinkId) -> bool| map.link_ids().filter(|&link| has(link)).count();
    format!(
        "{} one-way, {} with a name, {} with a speed limit, {} of a known class; the other speeds are taken by class until they are learnt",
        count(&|link| map.twin(link).is_none()),
        count(&|link| map.name(link).is_some()),
        count(&|link| map.link(link).max_speed_mps.is_some()),
        count(&|link| map.link(link).class != RoadClass::Unknown),
    )
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

fn build(sources: &[PathBuf]) -> Result<Map> {
    match sources {
        [links, nodes] => Ok(Map::from_csv(links, nodes)?),
        [extract] if extract.extension().is_some_and(|extension| extension == "pbf") => {
            Ok(Map::from_osm_pbf(extract)?)
        }
        [other] => {
            bail!("{} is not an .osm.pbf extract: pass one, or LINKS.csv NODES.csv OUT", other.display())
        }
        _ => bail!("pass LINKS.csv NODES.csv OUT, or FILE.osm.pbf OUT"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_it_knows_and_never_writes_over_its_source() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let nodes = file("nodes.csv", "node,lon,lat\n0,0,0\n1,0.01,0\n");
        let rows =
            "from_node,to_node,highway,oneway,name,maxspeed_kmh\n0,1,spaceport,1,,\n0,1,primary,0,Main,50\n";
        let links = file("links.csv", rows);
        let map = build(&[links.clone(), nodes.clone()]).unwrap();
        assert!(
            known(&map).starts_with("1 one-way, 2 with a name, 2 with a speed limit, 2 of a known class"),
            "{}",
            known(&map)
        );

        let same = folder.path().join(".").join("links.csv");
        let error = run(&MapCommand::Build { files: vec![links.clone(), nodes, same] }).unwrap_err();
        assert!(error.to_string().contains("give OUT another name"), "{error}");
        assert_eq!(std::fs::read_to_string(links).unwrap(), rows);
    }
}
