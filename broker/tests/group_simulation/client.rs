//! A consumer as the simulation plays it: what a real client's group code does, without records.

use broker::coordinator::{GroupError, Joined};
use bytes::Bytes;

/// Partitions of the one topic they share.
pub(crate) const PARTITIONS: u8 = 6;

/// What a client asks the coordinator.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    Join,
    Sync { assignments: Vec<(String, Bytes)> },
    Heartbeat,
    Commit { partition: u8, offset: i64 },
    Leave,
}

/// What comes back.
#[derive(Debug)]
pub(crate) enum Response {
    Joined(Result<Joined, GroupError>),
    Synced(Result<Bytes, GroupError>),
    Done(Result<(), GroupError>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not running.
    Down,
    /// Must join.
    Unjoined,
    /// Has joined, must sync.
    Joined,
    /// Has its partitions.
    Working,
}

#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) phase: Phase,
    /// Counts its processes: answers to an earlier one are not for it.
    pub(crate) process: u64,
    pub(crate) instance: Option<String>,
    pub(crate) member_id: String,
    pub(crate) generation: i32,
    pub(crate) owned: Vec<u8>,
    /// The next request, once it has been decided by an answer.
    pub(crate) assignments: Vec<(String, Bytes)>,
    /// What it waits for: request number, and when it gives up (ms).
    pub(crate) outstanding: Option<(u64, i64)>,
    pub(crate) wakes_at_ms: i64,
    pub(crate) position: i64,
}

impl Client {
    pub(crate) fn new(instance: Option<String>) -> Self {
        Self {
            phase: Phase::Down,
            process: 0,
            instance,
            member_id: String::new(),
            generation: -1,
            owned: Vec::new(),
            assignments: Vec::new(),
            outstanding: None,
            wakes_at_ms: 0,
            position: 0,
        }
    }

    /// The process ends without a word and knows nothing when it starts again.
    pub(crate) fn crash(&mut self, starts_again_ms: i64) {
        let process = self.process + 1;
        *self = Self { process, wakes_at_ms: starts_again_ms, ..Self::new(self.instance.take()) };
    }

    /// What it does when it may act.
    pub(crate) fn act(&mut self, choice: i64) -> Request {
        match self.phase {
            Phase::Down | Phase::Unjoined => {
                self.phase = Phase::Unjoined;
                Request::Join
            }
            Phase::Joined => Request::Sync { assignments: self.assignments.clone() },
            Phase::Working if choice < 50 || self.owned.is_empty() => Request::Heartbeat,
            Phase::Working => {
                self.position += 1;
                let partition = self.owned[choice as usize % self.owned.len()];
                Request::Commit { partition, offset: self.position }
            }
        }
    }

    /// It leaves: whatever the answer, it is no member any more.
    pub(crate) fn forget(&mut self) {
        self.phase = Phase::Unjoined;
        self.member_id.clear();
        self.owned.clear();
    }

    /// Takes an answer to what it asked last.
    pub(crate) fn receive(&mut self, response: Response) {
        let error = match response {
            Response::Joined(Ok(joined)) => {
                self.assignments = assign(&joined);
                self.member_id = joined.member_id;
                self.generation = joined.generation.0;
                self.phase = Phase::Joined;
                return;
            }
            Response::Synced(Ok(owned)) => {
                self.owned = owned.to_vec();
                self.phase = Phase::Working;
                return;
            }
            // It left, and does not care what came of it.
            Response::Done(_) if self.phase != Phase::Working => return,
            Response::Done(Ok(())) => return,
            Response::Joined(Err(error)) | Response::Synced(Err(error)) | Response::Done(Err(error)) => error,
        };
        match error {
            GroupError::MemberIdRequired { member_id } => self.member_id = member_id,
            GroupError::RebalanceInProgress | GroupError::Storage(_) => {}
            _ => self.member_id.clear(),
        }
        self.phase = Phase::Unjoined;
        self.owned.clear();
    }

    /// Nothing came in time. A heartbeat is repeated; with anything else it starts over.
    pub(crate) fn give_up(&mut self) {
        self.outstanding = None;
        if self.phase != Phase::Working {
            self.phase = Phase::Unjoined;
        }
    }
}

/// The leader deals the partitions out in turn.
fn assign(joined: &Joined) -> Vec<(String, Bytes)> {
    let count = joined.members.len().max(1);
    let dealt = joined.members.iter().enumerate().map(|(index, member)| {
        let share: Vec<u8> =
            (0..PARTITIONS).filter(|partition| usize::from(*partition) % count == index).collect();
        (member.member_id.clone(), Bytes::from(share))
    });
    dealt.collect()
}
