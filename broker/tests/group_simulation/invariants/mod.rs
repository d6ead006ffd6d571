//! What must hold, whatever happens.

mod acknowledged_commits_survive;
mod eventually_stable;
mod every_request_is_answered;
mod old_commits_are_refused;
mod one_owner;

use broker::coordinator::{Generation, Joined};

use crate::client::Client;

/// What an invariant is told of.
pub(crate) enum Event<'a> {
    /// A member was let into a generation.
    Joined(&'a Joined),
    /// A member got its partitions.
    Assigned { member_id: &'a str, generation: Generation, partitions: &'a [u8] },
    /// A commit was accepted.
    Committed { member_id: &'a str, generation: Generation, partition: u8, offset: i64 },
    /// The broker was killed and started; this is what it knows.
    BrokerStarted { committed: Vec<(u8, i64)> },
    /// After a time without trouble.
    End { waiting: usize, clients: &'a [Client] },
}

pub(crate) trait Invariant {
    fn name(&self) -> &'static str;
    fn see(&mut self, event: &Event<'_>) -> Result<(), String>;
}

pub(crate) fn all() -> Vec<Box<dyn Invariant>> {
    vec![
        Box::new(one_owner::OneOwner::default()),
        Box::new(old_commits_are_refused::OldCommitsAreRefused::default()),
        Box::new(acknowledged_commits_survive::AcknowledgedCommitsSurvive::default()),
        Box::new(every_request_is_answered::EveryRequestIsAnswered),
        Box::new(eventually_stable::EventuallyStable),
    ]
}
