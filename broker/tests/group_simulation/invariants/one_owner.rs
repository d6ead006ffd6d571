//! In one generation a partition has one owner, and the group one leader. (KIP-62: the reason why
//! generations exist.)

use std::collections::BTreeMap;

use super::{Event, Invariant};

#[derive(Default)]
pub(super) struct OneOwner {
    owners: BTreeMap<(i32, u8), String>,
    leaders: BTreeMap<i32, String>,
}

impl Invariant for OneOwner {
    fn name(&self) -> &'static str {
        "one owner for each partition in each generation"
    }

    fn see(&mut self, event: &Event<'_>) -> Result<(), String> {
        match event {
            Event::Joined(joined) if !joined.members.is_empty() && !joined.skip_assignment => {
                let leader =
                    self.leaders.entry(joined.generation.0).or_insert_with(|| joined.member_id.clone());
                // The same leader may ask again when its answer got lost.
                if *leader != joined.member_id {
                    return Err(format!("generation {} has two leaders", joined.generation));
                }
            }
            Event::Assigned { member_id, generation, partitions } => {
                for partition in *partitions {
                    let owner =
                        self.owners.entry((generation.0, *partition)).or_insert_with(|| (*member_id).into());
                    // A static member's new process has a new id, and its old share.
                    let same =
                        owner == member_id || owner.starts_with("instance") && same_name(owner, member_id);
                    if !same {
                        return Err(format!(
                            "{partition} is owned by {owner} and {member_id} in {generation}"
                        ));
                    }
                }
            }
            // A new broker counts generations from the start, under new member ids.
            Event::BrokerStarted { .. } => *self = Self::default(),
            _ => {}
        }
        Ok(())
    }
}

fn same_name(one: &str, other: &str) -> bool {
    one.split('-').next() == other.split('-').next()
}
