//! `meta.properties`: the file in which Kafka, too, keeps whose a data directory is.

use std::path::Path;

use thiserror::Error;

use super::{OpenError, random_uuid};
use crate::log::{Storage, StorageError, read_file, replace_file};

/// The directory is another broker's, and so are the replicas in it.
#[derive(Debug, Error)]
#[error("it is that of broker {stored}, and this is broker {node_id}: give each a directory of its own")]
pub(crate) struct OtherNode {
    stored: String,
    node_id: i32,
}

/// The id of the cluster that the data directory belongs to, drawn if it has none.
pub(super) fn read_or_write(
    storage: &dyn Storage,
    data_dir: &Path,
    node_id: i32,
    random: impl Fn() -> u64,
) -> Result<String, OpenError> {
    let path = data_dir.join("meta.properties");
    let bytes = read_file(storage, &path, 1 << 16)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    if let Some(stored) = value("node.id=").filter(|stored| stored.parse() != Ok(node_id)) {
        return Err(OtherNode { stored: stored.to_owned(), node_id }.into());
    }
    if let Some(cluster_id) = value("cluster.id=") {
        return Ok(cluster_id.to_owned());
    }
    write(storage, &path, node_id, random).map_err(OpenError::from)
}

fn write(
    storage: &dyn Storage,
    path: &Path,
    node_id: i32,
    random: impl Fn() -> u64,
) -> Result<String, StorageError> {
    let (cluster_id, directory_id) = (random_uuid(&random), random_uuid(&random));
    let text =
        format!("version=1\ncluster.id={cluster_id}\nnode.id={node_id}\ndirectory.id={directory_id}\n");
    replace_file(storage, path, text.as_bytes())?;
    Ok(cluster_id.to_string())
}
