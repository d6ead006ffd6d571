//! The events of a reign: fetches, their answers, and logs that grow.

use protocol::records::{LeaderEpoch, Offset};

use super::core::{Quorum, State};
use super::follower::{Diverged, cut};
use super::log_view::MetadataLogView;
use super::messages::{FetchAnswer, ReplicaFetch, Verdict};
use super::plants::Plant;

impl Quorum {
    /// A replica fetches. What its fetch says of it counts, and the answer says what to do; the
    /// records are added by the caller.
    pub fn fetch(&mut self, now_ms: i64, fetch: &ReplicaFetch, log: &dyn MetadataLogView) -> FetchAnswer {
        if fetch.epoch > self.durable.epoch && self.voters.contains(&fetch.replica.id) {
            self.adopt(now_ms, fetch.epoch, None);
        }
        let verdict = self.verdict(fetch, log);
        if let State::Leader(leader) = &mut self.state
            && verdict != Verdict::NotLeader
        {
            let keeps_former_life = self.plants.has(Plant::KeepsAFormerLife);
            if leader.hear(now_ms, fetch, log.end(), keeps_former_life) {
                self.changes.append_leader_change = Some(self.durable.epoch);
            }
            if verdict == Verdict::Records || self.plants.has(Plant::CountsDiverging) {
                leader.matched(fetch);
            }
            self.commit();
        }
        self.fetch_answer(fetch, log)
    }

    /// What a fetch is answered, without counting it again: for one that has waited for records.
    pub fn fetch_answer(&self, fetch: &ReplicaFetch, log: &dyn MetadataLogView) -> FetchAnswer {
        let newcomer_waits_for = match &self.state {
            State::Leader(leader) if fetch.newcomer => leader.waits_for(fetch.replica),
            _ => None,
        };
        FetchAnswer {
            current: self.leader_and_epoch(),
            verdict: self.verdict(fetch, log),
            high_watermark: self.high_watermark,
            newcomer_waits_for,
        }
    }

    /// A follower's next fetch, and to whom.
    pub fn fetch_request(&self, log: &dyn MetadataLogView) -> Option<(i32, ReplicaFetch)> {
        let State::Follower(following) = &self.state else { return None };
        let fetch = ReplicaFetch {
            replica: self.key(),
            epoch: self.durable.epoch,
            offset: log.end(),
            last_epoch: log.last_epoch(),
            newcomer: self.is_newcomer(),
        };
        Some((following.leader, fetch))
    }

    /// The leader has answered a fetch. True: its records are to be appended; false: there is
    /// nothing to append, or no longer. An error: the log would have to be cut where it is
    /// committed, and isn't.
    pub fn fetched(
        &mut self,
        now_ms: i64,
        request: &ReplicaFetch,
        answer: &FetchAnswer,
        log: &dyn MetadataLogView,
    ) -> Result<bool, Diverged> {
        self.told(now_ms, answer.current);
        let epoch = self.durable.epoch;
        let State::Follower(following) = &mut self.state else { return Ok(false) };
        if request.epoch != epoch || answer.current.epoch != epoch {
            return Ok(false);
        }
        let leader = following.leader;
        // An answer that comes twice speaks of a log that was cut since, and may be as long again.
        let is_next = request.offset == log.end() && request.last_epoch == log.last_epoch();
        match answer.verdict {
            Verdict::NotLeader => {
                if answer.current.leader.is_none() {
                    self.state = State::Unattached;
                    self.stand_soon(now_ms, Some(leader));
                }
                Ok(false)
            }
            Verdict::Diverging { epoch, end } => {
                self.heard(now_ms, leader);
                if !is_next {
                    return Ok(false);
                }
                match cut(log, epoch, end) {
                    Some(cut)
                        if cut < self.high_watermark && !self.plants.has(Plant::CutsBelowHighWatermark) =>
                    {
                        Err(Diverged { cut, high_watermark: self.high_watermark })
                    }
                    cut => {
                        self.changes.truncate = cut;
                        Ok(false)
                    }
                }
            }
            Verdict::Records => {
                if is_next {
                    following.high_watermark = following.high_watermark.max(answer.high_watermark);
                    following.waits_for = answer.newcomer_waits_for;
                }
                self.heard(now_ms, leader);
                if is_next {
                    self.settle(now_ms, log.end());
                }
                Ok(is_next)
            }
        }
    }

    /// The voter's own log is synced up to `durable_end`.
    pub fn appended(&mut self, now_ms: i64, durable_end: Offset) {
        if let State::Leader(leader) = &mut self.state {
            leader.synced(durable_end);
            self.commit();
        } else {
            self.settle(now_ms, durable_end);
        }
    }

    /// What this voter, if it leads in the fetch's epoch, says to the log of the one who fetches.
    fn verdict(&self, fetch: &ReplicaFetch, log: &dyn MetadataLogView) -> Verdict {
        if !matches!(self.state, State::Leader(_)) || fetch.epoch != self.durable.epoch {
            return Verdict::NotLeader;
        }
        if fetch.offset <= Offset::ZERO {
            return Verdict::Records;
        }
        // Who has records knows the epoch of the last; who says none is believed nothing.
        let last_epoch = fetch.last_epoch.unwrap_or(LeaderEpoch(-1));
        match log.end_of_epoch(last_epoch) {
            Some((epoch, end)) if epoch == last_epoch && fetch.offset <= end => Verdict::Records,
            Some((epoch, end)) => Verdict::Diverging { epoch, end },
            None => {
                let epoch = log.last_epoch().unwrap_or(LeaderEpoch(0));
                Verdict::Diverging { epoch, end: log.end() }
            }
        }
    }

    /// The leader's high watermark follows the majority.
    fn commit(&mut self) {
        let (newcomers_count, slack) = (
            self.plants.has(Plant::NewcomerCounts),
            i64::from(self.plants.has(Plant::HighWatermarkOffByOne)),
        );
        if let State::Leader(leader) = &self.state
            && let Some(end) = leader.committed(self.majority(), newcomers_count, slack)
        {
            self.high_watermark = self.high_watermark.max(end);
        }
    }

    /// A follower's high watermark follows the leader's, as far as its own log goes; and a newcomer
    /// that has what it waited for counts from now on.
    fn settle(&mut self, now_ms: i64, durable_end: Offset) {
        let State::Follower(following) = &self.state else { return };
        let committed = following.high_watermark.min(durable_end);
        let waits_for = following.waits_for;
        self.high_watermark = self.high_watermark.max(committed);
        if self.durable.newcomer && waits_for.is_some_and(|offset| offset <= committed) {
            self.count(now_ms);
        }
    }
}
