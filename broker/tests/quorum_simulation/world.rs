//! Voters, their disks and the network, stepped through time.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};

use broker::quorum::{Changes, Diverged, MetadataLogView, Plant, Quorum, Role};

use crate::dice::Dice;
use crate::invariants::{Event, Invariant, all};
use crate::letters::{Body, Letter, Network};
use crate::log::{Entry, Log};
use crate::node::{Node, Part};

const STEP_MS: i64 = 5;
/// With faults.
pub(crate) const TROUBLE_MS: i64 = 40_000;
/// Without: by then all must be well.
const CALM_MS: i64 = 20_000;
/// In calm, this long records are still written.
const WRITES_MS: i64 = 1_000;
const FETCH_GIVES_UP_MS: i64 = 1_000;
const RESEND_MS: i64 = 100;

pub(crate) struct World {
    pub(crate) dice: Dice,
    plant: Option<Plant>,
    pub(crate) now_ms: i64,
    pub(crate) nodes: Vec<Node>,
    pub(crate) network: Network,
    processes: u64,
    records: u64,
    /// How many steps pass between two faults.
    pub(crate) fault_every: i64,
    /// In how many steps a leader is killed, if leaders don't live long here. (Raft's figure 8
    /// needs three reigns that end before their records have spread.)
    pub(crate) short_reigns: Option<i64>,
    /// Disks are wiped more often than processes are killed.
    pub(crate) many_wipes: bool,
    /// Whose disk is wiped when, and who is killed when.
    pub(crate) wipe_at: Option<(i64, usize)>,
    pub(crate) kill_at: Option<(i64, usize)>,
    /// How many records a fetch answers at most.
    fetch_max: usize,
    /// In this life a majority loses its logs: more than is promised to be borne.
    pub(crate) amnesia: bool,
    pub(crate) amnesia_at_ms: i64,
    invariants: Vec<Box<dyn Invariant>>,
    pub(crate) story: Option<String>,
    digest: DefaultHasher,
}

impl World {
    pub(crate) fn new(seed: u64, plant: Option<Plant>) -> Self {
        let mut dice = Dice::new(seed);
        let voters = match dice.between(1, 12) {
            1 => 1,
            2 => 5,
            _ => 3,
        };
        let amnesia = voters == 3 && dice.once_in(10);
        let (short_reigns, many_wipes) = match dice.between(1, 4) {
            1 => (Some(dice.between(20, 200)), false),
            2 => (None, true),
            _ => (None, false),
        };
        let fetch_max = match dice.between(1, 2) {
            _ if short_reigns.is_some() => 1,
            1 => dice.between(1, 4) as usize,
            _ => 100,
        };
        Self {
            plant,
            now_ms: 0,
            nodes: (0..voters).map(|index| Node::new(index, voters, &mut dice)).collect(),
            network: Network::default(),
            processes: 0,
            records: 0,
            fault_every: if many_wipes { dice.between(300, 1_000) } else { dice.between(20, 400) },
            short_reigns,
            many_wipes,
            wipe_at: None,
            kill_at: None,
            fetch_max,
            amnesia,
            amnesia_at_ms: dice.between(5_000, TROUBLE_MS),
            invariants: all(voters, amnesia),
            story: None,
            digest: DefaultHasher::new(),
            dice,
        }
    }

    pub(crate) fn digest(&self) -> u64 {
        self.digest.finish()
    }

    /// First trouble, then calm; then everything must be well.
    pub(crate) fn live(&mut self) -> Result<(), String> {
        while self.now_ms < TROUBLE_MS + CALM_MS {
            self.now_ms += STEP_MS;
            let trouble = self.now_ms < TROUBLE_MS;
            if trouble {
                self.break_something()?;
            } else if self.now_ms == TROUBLE_MS {
                self.heal();
            }
            while let Some(letter) = self.network.receive(self.now_ms) {
                self.deliver(letter)?;
            }
            for index in 0..self.nodes.len() {
                self.poll(index)?;
            }
            let may_be_well = !self.amnesia && self.now_ms >= TROUBLE_MS + WRITES_MS;
            if may_be_well && self.now_ms % 200 == 0 && self.end().is_ok() {
                return Ok(());
            }
        }
        self.end()
    }

    fn end(&mut self) -> Result<(), String> {
        let nodes = std::mem::take(&mut self.nodes);
        let result = self.tell(&Event::End { nodes: &nodes });
        self.nodes = nodes;
        result
    }

    pub(crate) fn trouble(&self) -> bool {
        self.now_ms < TROUBLE_MS
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            let _ = writeln!(story, "{:>6} {}", self.now_ms, line());
        }
    }

    /// What a process does when nothing has come.
    fn poll(&mut self, index: usize) -> Result<(), String> {
        let now_ms = self.now_ms;
        let node = &mut self.nodes[index];
        if node.quorum.is_none() && now_ms >= node.starts_at_ms {
            self.processes += 1;
            let seed = self.dice.between(0, i64::MAX - 1) as u64;
            node.start(now_ms, self.processes, seed, self.plant);
            self.note(|| format!("node {index} starts"));
            self.settle(index)?;
        }
        let node = &mut self.nodes[index];
        let Some(quorum) = node.quorum.as_mut().filter(|_| now_ms >= node.paused_until_ms) else {
            return Ok(());
        };
        if node.ends_at_ms.is_some_and(|ends_at_ms| now_ms >= ends_at_ms) {
            let restarts_at_ms = now_ms + self.dice.between(5, 2_000);
            if !self.sync(index)? {
                return Ok(());
            }
            return self.kill(index, restarts_at_ms);
        }
        quorum.tick(now_ms + node.skew_ms, &node.disk.log);
        if self.settle(index)? {
            self.tell(&Event::Ticked { node: index, now_ms })?;
            self.write(index)?;
            self.send_requests(index);
            self.send_fetch(index)?;
        }
        Ok(())
    }

    /// A leader takes records, and syncs them now and then.
    fn write(&mut self, index: usize) -> Result<(), String> {
        let now_ms = self.now_ms;
        let node = &mut self.nodes[index];
        let Some(quorum) = node.quorum.as_ref().filter(|quorum| quorum.role() == Role::Leader) else {
            return Ok(());
        };
        let epoch = quorum.epoch().0;
        let is_last_call = now_ms > TROUBLE_MS + WRITES_MS;
        if !is_last_call && self.dice.once_in(20) {
            self.records += 1;
            node.disk.log.entries.push(Entry { epoch, number: self.records });
            node.syncs_at_ms = node.syncs_at_ms.max(now_ms + self.dice.between(0, 30));
        }
        if node.disk.log.synced < node.disk.log.entries.len() && now_ms >= node.syncs_at_ms {
            return self.sync(index).map(|_| ());
        }
        Ok(())
    }

    /// The log is synced, and the core hears of it. False: the process didn't live to see it.
    fn sync(&mut self, index: usize) -> Result<bool, String> {
        let entries = self.nodes[index].disk.log.sync().to_vec();
        self.tell(&Event::Synced { node: index, entries: &entries })?;
        let node = &mut self.nodes[index];
        let end = node.disk.log.end();
        let Some(quorum) = &mut node.quorum else { return Ok(false) };
        quorum.appended(self.now_ms + node.skew_ms, end);
        self.settle(index)
    }

    fn send_requests(&mut self, index: usize) {
        let now_ms = self.now_ms;
        for peer in (0..self.nodes.len()).filter(|&peer| peer != index) {
            let node = &mut self.nodes[index];
            let Some(quorum) = &node.quorum else { return };
            let request = quorum.request_for(now_ms + node.skew_ms, peer as i32, &node.disk.log);
            let Some(request) = request else {
                node.sent[peer] = None;
                continue;
            };
            let is_same = |(sent, at_ms): &(_, i64)| *sent == request && now_ms < at_ms + RESEND_MS;
            if node.sent[peer].as_ref().is_some_and(is_same) {
                continue;
            }
            node.sent[peer] = Some((request.clone(), now_ms));
            let asker = node.process;
            self.send(Letter { from: index, to: peer, asker, body: request.into() });
        }
    }

    fn send_fetch(&mut self, index: usize) -> Result<(), String> {
        let now_ms = self.now_ms;
        let node = &mut self.nodes[index];
        let is_waiting = node.fetching.as_ref().is_some_and(|(_, gives_up_ms)| now_ms < *gives_up_ms);
        if is_waiting || now_ms < node.fetches_at_ms {
            return Ok(());
        }
        if node.disk.log.synced < node.disk.log.entries.len() && !self.sync(index)? {
            return Ok(());
        }
        let node = &mut self.nodes[index];
        let Some((leader, fetch)) =
            node.quorum.as_ref().and_then(|quorum| quorum.fetch_request(&node.disk.log))
        else {
            return Ok(());
        };
        node.fetching = Some((fetch.clone(), now_ms + FETCH_GIVES_UP_MS));
        let asker = node.process;
        self.send(Letter { from: index, to: leader as usize, asker, body: Body::Fetch(fetch) });
        Ok(())
    }

    fn send(&mut self, letter: Letter) {
        let trouble = self.trouble();
        self.network.send(self.now_ms, letter, &mut self.dice, trouble);
    }

    fn deliver(&mut self, letter: Letter) -> Result<(), String> {
        let (index, now_ms) = (letter.to, self.now_ms);
        let node = &mut self.nodes[index];
        if now_ms < node.paused_until_ms && node.quorum.is_some() {
            let resumes_at_ms = node.paused_until_ms;
            self.network.post(resumes_at_ms, letter);
            return Ok(());
        }
        if letter.is_answer() && node.process != letter.asker {
            return Ok(());
        }
        let Some(quorum) = &mut node.quorum else { return Ok(()) };
        (now_ms, index, letter.from, std::mem::discriminant(&letter.body)).hash(&mut self.digest);
        let (local_ms, log) = (now_ms + node.skew_ms, &node.disk.log);
        let mut dies = false;
        let mut diverged = None;
        let mut records = None;
        let answer = match letter.body.clone() {
            Body::Vote(request) => {
                let answer = quorum.vote(local_ms, &request, log);
                Some(Body::Voted(request, answer))
            }
            Body::Voted(request, answer) => {
                quorum.vote_answered(local_ms, &request, &answer, log);
                None
            }
            Body::Begin(request) => Some(Body::Begun(quorum.begin(local_ms, &request))),
            Body::End(request) => Some(Body::Ended(quorum.end(local_ms, &request))),
            Body::Begun(current) => {
                quorum.told(local_ms, current);
                None
            }
            Body::Ended(current) => {
                quorum.end_answered(local_ms, letter.from as i32, current);
                None
            }
            Body::Gone => {
                quorum.peer_gone(local_ms, letter.from as i32);
                None
            }
            Body::Fetch(fetch) => {
                let answer = quorum.fetch(local_ms, &fetch, log);
                Some(Body::Fetched(fetch, answer, Vec::new()))
            }
            Body::Fetched(fetch, answer, entries) => {
                if node.fetching.as_ref().is_some_and(|(under_way, _)| *under_way == fetch) {
                    node.fetching = None;
                    let pause_ms = if entries.is_empty() { 40 } else { 5 };
                    node.fetches_at_ms = now_ms + pause_ms;
                }
                match quorum.fetched(local_ms, &fetch, &answer, log) {
                    Ok(true) => records = Some(entries),
                    Ok(false) => {}
                    Err(error) => diverged = Some(error),
                }
                None
            }
        };
        if let Some(error) = diverged {
            self.refuse_to_cut(index, error)?;
        }
        let granted = match &answer {
            Some(Body::Voted(request, answer)) if answer.granted && !request.pre_vote => {
                Some((answer.voter, request.candidate, request.epoch.0))
            }
            _ => None,
        };
        if let Body::Fetch(fetch) = &letter.body {
            self.tell(&Event::Fetched { leader: index, peer: letter.from, now_ms })?;
            dies = self.short_reigns.is_some() && self.is_old_tail(index, fetch) && self.dice.once_in(2);
        }
        if !self.settle(index)? {
            return Ok(());
        }
        if let Some((voter, candidate, epoch)) = granted {
            self.tell(&Event::Voted { voter, candidate, epoch })?;
            // The worst moment: what was said must be on disk.
            dies = self.dice.once_in(15);
        }
        if let Some(entries) = records
            && !entries.is_empty()
        {
            self.nodes[index].disk.log.entries.extend(entries);
            return self.sync(index).map(|_| ());
        }
        if let Some(body) = answer {
            let body = self.with_records(index, body);
            self.send(Letter { from: index, to: letter.from, asker: letter.asker, body });
        }
        if !dies || !self.trouble() {
            return Ok(());
        }
        let is_leader = matches!(letter.body, Body::Fetch(_));
        self.kill(index, now_ms + if is_leader { 3_000 } else { 5 })?;
        for node in &mut self.nodes {
            if is_leader && node.index != index {
                node.starts_at_ms = node.starts_at_ms.min(now_ms + 5);
            }
        }
        Ok(())
    }

    /// A fetch's answer is made when the changes that it caused are done.
    fn with_records(&self, index: usize, body: Body) -> Body {
        let Body::Fetched(fetch, answer, _) = body else { return body };
        let node = &self.nodes[index];
        let answer =
            node.quorum.as_ref().map_or(answer, |quorum| quorum.fetch_answer(&fetch, &node.disk.log));
        let mut records = Vec::new();
        if answer.verdict == broker::quorum::Verdict::Records {
            let behind = node.disk.log.entries.iter().skip(fetch.offset.0 as usize);
            records.extend(behind.take(self.fetch_max));
        }
        Body::Fetched(fetch, answer, records)
    }

    fn refuse_to_cut(&mut self, index: usize, error: Diverged) -> Result<(), String> {
        self.note(|| format!("node {index}: {error}"));
        if self.amnesia { Ok(()) } else { Err(format!("node {index} was told to cut: {error}")) }
    }

    /// Does what the core has decided. False: the process was killed at it.
    pub(crate) fn settle(&mut self, index: usize) -> Result<bool, String> {
        let now_ms = self.now_ms;
        let node = &mut self.nodes[index];
        let Some(quorum) = &mut node.quorum else { return Ok(false) };
        let changes = quorum.take_changes();
        if changes != Changes::default() {
            for part in [Part::State, Part::Truncation, Part::LeaderChange] {
                if self.trouble() && self.dice.once_in(60) {
                    let away_ms = if self.dice.once_in(3) { 5 } else { self.dice.between(5, 2_000) };
                    self.kill(index, now_ms + away_ms)?;
                    return Ok(false);
                }
                if let (Part::Truncation, Some(at)) = (part, changes.truncate) {
                    let node = &self.nodes[index];
                    let cut = node.disk.log.entries[at.0 as usize..].to_vec();
                    let high_watermark = node.quorum.as_ref().map_or(0, |quorum| quorum.high_watermark().0);
                    self.note(|| format!("node {index} cuts its log at {at}, HW {high_watermark}"));
                    self.tell(&Event::Cut { node: index, at: at.0, high_watermark, entries: &cut })?;
                }
                self.records += 1;
                let epoch = changes.append_leader_change.map_or(0, |epoch| epoch.0);
                let entry = Entry { epoch, number: self.records };
                self.nodes[index].apply(&changes, part, entry);
            }
            if changes.append_leader_change.is_some() {
                if !self.sync(index)? {
                    return Ok(false);
                }
                self.look(index)?;
                if self.short_reigns.is_some() && self.trouble() && self.dice.once_in(2) {
                    self.kill(index, now_ms + 10_000)?;
                    return Ok(false);
                }
            }
        }
        self.look(index)?;
        Ok(true)
    }

    /// Shows the invariants what a voter is now.
    fn look(&mut self, index: usize) -> Result<(), String> {
        let now_ms = self.now_ms;
        let node = &mut self.nodes[index];
        let Some(quorum) = &node.quorum else { return Ok(()) };
        if node.wiped && !quorum.is_newcomer() {
            node.wiped = false;
        }
        let is_durable = quorum.epoch() == node.disk_epoch;
        let look =
            (quorum.role() as u8, quorum.epoch().0, quorum.high_watermark().0, node.disk.log.entries.len());
        if node.seen == look && is_durable {
            return Ok(());
        }
        node.seen = look;
        (now_ms, index, look).hash(&mut self.digest);
        if let Some(story) = &mut self.story {
            let _ = writeln!(story, "{now_ms:>6} {}", shown(index, quorum, &node.disk.log));
        }
        let event = Event::Seen {
            node: index,
            process: node.process,
            quorum,
            log: &node.disk.log.entries,
            disk_epoch: node.disk_epoch.0,
            now_ms,
        };
        self.invariants.iter_mut().try_for_each(|invariant| {
            invariant.see(&event).map_err(|what| format!("{} is broken: {what}", invariant.name()))
        })
    }

    pub(crate) fn tell(&mut self, event: &Event<'_>) -> Result<(), String> {
        self.invariants.iter_mut().try_for_each(|invariant| {
            invariant.see(event).map_err(|what| format!("{} is broken: {what}", invariant.name()))
        })
    }
}

fn shown(index: usize, quorum: &Quorum, log: &Log) -> String {
    let new = if quorum.is_newcomer() { " newcomer" } else { "" };
    let (role, epoch, high_watermark) = (quorum.role(), quorum.epoch(), quorum.high_watermark());
    let (leader, end) = (quorum.leader(), log.entries.len());
    format!("node {index}{new} {role:?} {epoch} leader {leader:?} HW {high_watermark} of {end}")
}
