//! What goes wrong: by chance, and at the moments at which it would do most harm.

use broker::quorum::{ReplicaFetch, Role};
use protocol::records::LeaderEpoch;

use crate::invariants::Event;
use crate::letters::{Body, Letter};
use crate::log::Log;
use crate::node::{Disk, Node};
use crate::world::World;

impl World {
    pub(crate) fn heal(&mut self) {
        self.network.heal();
        let now_ms = self.now_ms;
        for node in &mut self.nodes {
            node.paused_until_ms = node.paused_until_ms.min(now_ms + 500);
            node.starts_at_ms = node.starts_at_ms.min(now_ms + 500);
        }
    }

    pub(crate) fn break_something(&mut self) -> Result<(), String> {
        if self.amnesia && self.now_ms >= self.amnesia_at_ms {
            self.amnesia_at_ms = i64::MAX;
            for index in 1..self.nodes.len() {
                self.kill(index, self.now_ms + 5)?;
                self.nodes[index].disk.log = Log::default();
            }
        }
        if let Some(steps) = self.short_reigns
            && self.dice.once_in(steps)
            && let Some(&leader) = self.leaders().first()
        {
            let restarts_at_ms = self.now_ms + self.dice.between(5, 800);
            self.kill(leader, restarts_at_ms)?;
        }
        if self.short_reigns.is_some() {
            self.bring_back_the_longest_dead();
        }
        if self.many_wipes {
            self.wipe_the_only_copy()?;
        }
        self.wipe_between_two_leaders()?;
        if !self.dice.once_in(self.fault_every) {
            return Ok(());
        }
        let (voters, now_ms) = (self.nodes.len() as i64, self.now_ms);
        let index = self.dice.between(0, voters - 1) as usize;
        match self.dice.between(if self.many_wipes { -10 } else { 1 }, 20) {
            1..=7 => {
                // At once, or after others have had the time to elect.
                let away_ms = if self.dice.once_in(3) { 5 } else { self.dice.between(5, 4_000) };
                self.kill(index, now_ms + away_ms)?;
            }
            ..=0 | 8 => {
                if self.may_wipe() || self.nodes[index].wiped || voters == 1 {
                    return self.wipe(index);
                }
            }
            9..=11 => {
                let until_ms = now_ms + self.dice.between(50, 6_000);
                self.note(|| format!("node {index} is stopped until {until_ms}"));
                self.nodes[index].paused_until_ms = until_ms;
            }
            12..=15 => {
                let other = self.dice.between(0, voters - 1) as usize;
                let until_ms = now_ms + self.dice.between(50, 6_000);
                let both = self.dice.once_in(2);
                self.note(|| format!("cut {index} -> {other} (both: {both}) until {until_ms}"));
                self.network.cut(index, other, until_ms);
                if both {
                    self.network.cut(other, index, until_ms);
                }
            }
            16..=17 => {
                let until_ms = now_ms + self.dice.between(50, 8_000);
                self.note(|| format!("cut off {index} until {until_ms}"));
                for other in 0..self.nodes.len() {
                    self.network.cut(index, other, until_ms);
                    self.network.cut(other, index, until_ms);
                }
            }
            18 => {
                // Only thought to be gone.
                let other = self.dice.between(0, voters - 1) as usize;
                self.network.post(now_ms, Letter { from: other, to: index, asker: 0, body: Body::Gone });
            }
            _ => {
                let node = &mut self.nodes[index];
                if let Some(quorum) = &mut node.quorum {
                    quorum.stop(now_ms + node.skew_ms);
                    node.ends_at_ms = Some(now_ms + 300);
                    self.note(|| format!("node {index} stops"));
                    return self.settle(index).map(|_| ());
                }
            }
        }
        Ok(())
    }

    /// The worst moment: one voter lags, the other, on whom the majority rests, is wiped, and soon
    /// after it is back the leader dies.
    fn wipe_the_only_copy(&mut self) -> Result<(), String> {
        let now_ms = self.now_ms;
        if let Some((_, victim)) = self.wipe_at.take_if(|(at_ms, _)| *at_ms <= now_ms)
            && self.may_wipe()
        {
            self.wipe(victim)?;
            self.nodes[victim].starts_at_ms = now_ms + 5;
        }
        if let Some((_, leader)) = self.kill_at.take_if(|(at_ms, _)| *at_ms <= now_ms) {
            self.kill(leader, now_ms + 4_000)?;
            self.network.heal();
        }
        let leaders = self.leaders();
        if self.kill_at.is_none() && leaders.len() == 1 && self.dice.once_in(400) {
            let leader = leaders[0];
            let followers = (0..self.nodes.len()).filter(|&index| index != leader);
            let mut followers: Vec<_> = followers.collect();
            if self.dice.once_in(2) {
                followers.reverse();
            }
            let &[lagging, victim, ..] = &*followers else { return Ok(()) };
            for other in 0..self.nodes.len() {
                self.network.cut(lagging, other, now_ms + 5_000);
                self.network.cut(other, lagging, now_ms + 5_000);
            }
            let wiped_at_ms = now_ms + self.dice.between(200, 2_000);
            self.wipe_at = Some((wiped_at_ms, victim));
            self.kill_at = Some((wiped_at_ms + self.dice.between(40, 2_000), leader));
        }
        Ok(())
    }

    /// The worst moment: who has elected and followed the second comes back to the first.
    fn wipe_between_two_leaders(&mut self) -> Result<(), String> {
        let leaders = self.leaders();
        if leaders.len() < 2 || !self.may_wipe() || !self.dice.once_in(100) {
            return Ok(());
        }
        let epoch = |index: &usize| self.nodes[*index].quorum.as_ref().map(|quorum| quorum.epoch().0);
        let newest = leaders.iter().copied().max_by_key(epoch).unwrap_or(0);
        let all = 0..self.nodes.len();
        let Some(victim) = all.clone().find(|index| !leaders.contains(index)) else { return Ok(()) };
        self.wipe(victim)?;
        self.nodes[victim].starts_at_ms = self.now_ms + 5;
        self.network.heal();
        for other in all {
            self.network.cut(newest, other, self.now_ms + 2_000);
            self.network.cut(other, newest, self.now_ms + 2_000);
        }
        Ok(())
    }

    /// Only as many as elect, and of the dead the one that has missed most.
    fn bring_back_the_longest_dead(&mut self) {
        let voters = self.nodes.len();
        let (up, down): (Vec<_>, Vec<_>) = self.nodes.iter_mut().partition(|node| node.quorum.is_some());
        let starting = down.iter().filter(|node| node.starts_at_ms <= self.now_ms + 5).count();
        if (up.len() + starting) <= voters / 2
            && let Some(node) = down.into_iter().min_by_key(|node| node.died_at_ms)
        {
            node.starts_at_ms = node.starts_at_ms.min(self.now_ms + 5);
        }
    }

    /// Whether a follower has all that earlier leaders left to this one, and nothing of its own.
    /// The worst moment to die, if others come back (Raft's figure 8).
    pub(crate) fn is_old_tail(&self, leader: usize, fetch: &ReplicaFetch) -> bool {
        let node = &self.nodes[leader];
        let leads = node.quorum.as_ref().is_some_and(|quorum| quorum.role() == Role::Leader);
        let own = node.disk.log.entries.iter().position(|entry| entry.epoch == fetch.epoch.0);
        leads && own.is_some_and(|own| own > 0 && own as i64 == fetch.offset.0)
    }

    fn leaders(&self) -> Vec<usize> {
        let leads = |node: &&Node| node.quorum.as_ref().is_some_and(|quorum| quorum.role() == Role::Leader);
        self.nodes.iter().filter(leads).map(|node| node.index).collect()
    }

    /// No more than a minority has lost its disks.
    fn may_wipe(&self) -> bool {
        let wiped = self.nodes.iter().filter(|node| node.wiped).count();
        !self.amnesia && wiped < self.nodes.len() / 2
    }

    fn wipe(&mut self, index: usize) -> Result<(), String> {
        let restarts_at_ms = self.now_ms + self.dice.between(5, 1_000);
        self.kill(index, restarts_at_ms)?;
        self.note(|| format!("the disk of node {index} is wiped"));
        if self.dice.once_in(2) {
            let other = self.dice.between(0, self.nodes.len() as i64 - 1) as usize;
            let until_ms = restarts_at_ms + self.dice.between(0, 3_000);
            self.network.cut(index, other, until_ms);
            self.network.cut(other, index, until_ms);
        }
        self.nodes[index].disk = Disk::default();
        self.nodes[index].disk_epoch = LeaderEpoch(0);
        self.nodes[index].wiped = true;
        self.tell(&Event::Wiped { node: index })
    }

    pub(crate) fn kill(&mut self, index: usize, restarts_at_ms: i64) -> Result<(), String> {
        if self.nodes[index].quorum.is_none() {
            return Ok(());
        }
        self.note(|| format!("node {index} is killed until {restarts_at_ms}"));
        self.nodes[index].died_at_ms = self.now_ms;
        let survived = self.nodes[index].kill(restarts_at_ms, &mut self.dice);
        for other in 0..self.nodes.len() {
            // A half-open link says nothing.
            let is_cut = self.network.is_cut(index, other, self.now_ms);
            if other != index && !is_cut && !self.dice.once_in(5) {
                let letter = Letter { from: index, to: other, asker: 0, body: Body::Gone };
                self.network.post(self.now_ms + self.dice.between(1, 10), letter);
            }
        }
        self.tell(&Event::Synced { node: index, entries: &survived })
    }
}
