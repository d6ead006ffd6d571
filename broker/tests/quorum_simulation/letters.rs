//! What voters send each other, and the network that delays, doubles and loses it.

use std::collections::BTreeMap;

use broker::quorum::{
    BeginRequest, EndRequest, FetchAnswer, LeaderAndEpoch, ReplicaFetch, Request, VoteAnswer, VoteRequest,
};

use crate::dice::Dice;
use crate::log::Entry;

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Vote(VoteRequest),
    Voted(VoteRequest, VoteAnswer),
    Begin(BeginRequest),
    Begun(LeaderAndEpoch),
    End(EndRequest),
    Ended(LeaderAndEpoch),
    Fetch(ReplicaFetch),
    Fetched(ReplicaFetch, FetchAnswer, Vec<Entry>),
    /// The sender's process is gone: what its peers' kernels say.
    Gone,
}

impl From<Request> for Body {
    fn from(request: Request) -> Self {
        match request {
            Request::Vote(vote) => Self::Vote(vote),
            Request::Begin(begin) => Self::Begin(begin),
            Request::End(end) => Self::End(end),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// The process that asks. An answer finds no other.
    pub(crate) asker: u64,
    pub(crate) body: Body,
}

impl Letter {
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self.body, Body::Voted(..) | Body::Begun(_) | Body::Ended(_) | Body::Fetched(..))
    }
}

/// Letters under way, by arrival and order of sending.
#[derive(Default)]
pub(crate) struct Network {
    letters: BTreeMap<(i64, u64), Letter>,
    sent: u64,
    /// Until when nothing gets from one to the other.
    cuts: BTreeMap<(usize, usize), i64>,
}

impl Network {
    pub(crate) fn cut(&mut self, from: usize, to: usize, until_ms: i64) {
        self.cuts.insert((from, to), until_ms);
    }

    pub(crate) fn heal(&mut self) {
        self.cuts.clear();
    }

    pub(crate) fn is_cut(&self, from: usize, to: usize, now_ms: i64) -> bool {
        self.cuts.get(&(from, to)).is_some_and(|&until_ms| now_ms < until_ms)
    }

    pub(crate) fn send(&mut self, now_ms: i64, letter: Letter, dice: &mut Dice, trouble: bool) {
        if self.is_cut(letter.from, letter.to, now_ms) || trouble && dice.once_in(40) {
            return;
        }
        // Sent again on another connection, for its sender saw no answer.
        if trouble && dice.once_in(30) {
            self.post(now_ms + dice.between(1, 2_000), letter.clone());
        }
        let most_ms = if trouble && dice.once_in(20) { 1_500 } else { 25 };
        self.post(now_ms + dice.between(1, most_ms), letter);
    }

    pub(crate) fn post(&mut self, at_ms: i64, letter: Letter) {
        self.sent += 1;
        self.letters.insert((at_ms, self.sent), letter);
    }

    pub(crate) fn receive(&mut self, now_ms: i64) -> Option<Letter> {
        let first = self.letters.first_entry().filter(|first| first.key().0 <= now_ms)?;
        Some(first.remove())
    }
}
