//! Where a place lies in each partition.

use client::{Admin, ClusterError, Offsets, TopicPartition};
use dashboard::OffsetSpec;

/// The offset of a place in each partition, in their order, with the offsets that each holds. A
/// time later than all records is the end.
pub(crate) fn offsets_at(
    admin: &Admin,
    place: OffsetSpec,
    partitions: &[(TopicPartition, Offsets)],
) -> Result<Vec<i64>, ClusterError> {
    let each = |offset: fn(&Offsets) -> i64| partitions.iter().map(|(_, held)| offset(held)).collect();
    Ok(match place {
        OffsetSpec::Beginning => each(|held| held.earliest),
        OffsetSpec::End => each(|held| held.latest),
        OffsetSpec::Offset(offset) => partitions.iter().map(|(_, held)| held.nearest(offset)).collect(),
        OffsetSpec::At(ms) => {
            let at: Vec<_> = partitions.iter().map(|(at, _)| at.clone()).collect();
            let since = admin.offsets_since(&at, ms)?;
            partitions.iter().zip(since).map(|((_, held), since)| since.unwrap_or(held.latest)).collect()
        }
    })
}
