//! When trouble ends, one voter leads, all follow it, have all it has, and know it.

use broker::quorum::Role;

use super::{Event, Invariant};

pub(super) struct EventuallyWell;

impl Invariant for EventuallyWell {
    fn name(&self) -> &'static str {
        "eventually all is well"
    }

    fn see(&mut self, event: &Event<'_>) -> Result<(), String> {
        let Event::End { nodes } = event else { return Ok(()) };
        let told = nodes.iter().map(|node| {
            let quorum = node.quorum.as_ref().ok_or_else(|| format!("node {} is down", node.index))?;
            let (end, high_watermark) = (node.disk.log.entries.len() as i64, quorum.high_watermark().0);
            Ok((quorum.leader(), quorum.epoch(), end, high_watermark, quorum.is_newcomer()))
        });
        let told: Vec<_> = told.collect::<Result<_, String>>()?;
        let leading = |node: &crate::node::Node| {
            node.quorum.as_ref().is_some_and(|quorum| quorum.role() == Role::Leader)
        };
        let leaders = nodes.iter().filter(|node| leading(node)).count();
        let (leader, _, end, high_watermark, newcomer) = told[0];
        let is_well = leader.is_some() && leaders == 1 && high_watermark == end && end > 0 && !newcomer;
        if is_well && told.iter().all(|other| *other == told[0]) {
            return Ok(());
        }
        Err(format!("at the end they are (leader, epoch, end, high watermark, newcomer) {told:?}"))
    }
}
