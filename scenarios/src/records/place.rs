//! Where a place lies in each partition.

use client::{Admin, ClusterError, Offsets, TopicPartition};
use dashboard::Place;

/// The offset of a place in each partition, in their order, with the offsets that each holds. A
/// time later than all records is the end.
pub(crate) fn offsets_at(
    admin: &Admin,
    place: Place,
    partitions: &[(TopicPartition, Offsets)],
) -> Result<Vec<i64>, ClusterError> {
    let each = |offset: fn(&Offsets) -> i64| partitions.iter().map(|(_, held)| offset(held)).collect();
    Ok(match place {
        Place::Beginning => each(|held| held.earliest),
        Place::End => each(|held| held.latest),
        Place::Offset(offset) => partitions.iter().map(|(_, held)| held.nearest(offset)).collect(),
        Place::At(ms) => {
            let at: Vec<_> = partitions.iter().map(|(at, _)| at.clone()).collect();
            let since = admin.offsets_since(&at, ms)?;
            partitions.iter().zip(since).map(|((_, held), since)| since.unwrap_or(held.latest)).collect()
        }
    })
}
