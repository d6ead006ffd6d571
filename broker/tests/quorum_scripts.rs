//! Runs the stories in `quorum_scripts/`: how voters elect a leader, told step by step. After a
//! change, look at what `UPDATE_GOLDENFILES=1 cargo test -p broker --test quorum_scripts` changes
//! in them.

mod golden;
#[path = "quorum_simulation/log.rs"]
mod log;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;

use broker::quorum::{
    FetchAnswer, LeaderAndEpoch, MetadataLogView, Quorum, ReplicaFetch, Request, Role, Timeouts, Verdict,
    VoterConfig, decode_state, encode_state,
};

use golden::golden_scripts;
use log::{Entry, Log};

/// What a script can say. Voters are called 1, 2, 3.
#[derive(goldenscript::Command)]
enum Command {
    /// Starts a cluster of so many voters, or one of them with the disk it has.
    Start {
        voter: i32,
        #[arg(key)]
        of: Option<i32>,
    },
    /// Sends what a voter has for the others and lets them answer, until no one has more to say.
    /// `to` sends only to that one.
    Send {
        voter: i32,
        #[arg(key)]
        to: Option<i32>,
    },
    /// A follower fetches, gets so many records, and syncs them.
    Fetch {
        voter: i32,
        #[arg(key)]
        max: Option<usize>,
    },
    /// A leader writes so many records; `sync=false` leaves them in the page cache.
    Append {
        voter: i32,
        records: usize,
        #[arg(key)]
        sync: Option<bool>,
    },
    /// Kills the process: what is not synced is gone. The others see it unless `quiet=true`.
    Kill {
        voter: i32,
        #[arg(key)]
        quiet: Option<bool>,
    },
    /// Empties the disk of a voter that is down.
    Wipe { voter: i32 },
    /// Nothing gets to or from the voter, until it is healed.
    Cut { voter: i32 },
    /// The voter is reached again.
    Heal { voter: i32 },
    /// Stops the voter in order.
    Stop { voter: i32 },
    /// Time passes; whose timeout ends does what it does. No one sends.
    Tick { ms: i64 },
    /// Shows the logs: of each record its epoch; `|` is the high watermark.
    Logs,
    /// Shows the state file of a voter.
    Disk { voter: i32 },
}

#[derive(Default)]
struct Voter {
    quorum: Option<Quorum>,
    state: Option<Vec<u8>>,
    log: Log,
    shown: String,
}

#[derive(Default)]
struct Runner {
    voters: BTreeMap<i32, Voter>,
    cut: BTreeSet<i32>,
    now_ms: i64,
    starts: u64,
    records: u64,
}

impl Runner {
    fn start(&mut self, id: i32) {
        self.starts += 1;
        let voters = self.voters.keys().copied().collect();
        let timeouts = Timeouts { election_ms: 500, fetch_ms: 1_500 };
        let config = VoterConfig { id, voters, timeouts, seed: self.starts };
        let Some(voter) = self.voters.get_mut(&id) else { return };
        let state = voter.state.as_ref().map(|bytes| decode_state(bytes).expect("it was written here"));
        voter.quorum = Some(Quorum::open(config, state, self.now_ms, &voter.log));
        voter.shown.clear();
    }

    /// An event for a voter, and then the changes it causes. None if the voter is down.
    fn with<T>(
        &mut self,
        output: &mut String,
        id: i32,
        event: impl FnOnce(&mut Quorum, i64, &Log) -> T,
    ) -> Option<T> {
        let now_ms = self.now_ms;
        let voter = self.voters.get_mut(&id)?;
        let quorum = voter.quorum.as_mut()?;
        let result = event(quorum, now_ms, &voter.log);
        let changes = quorum.take_changes();
        if let Some(state) = &changes.remember {
            voter.state = Some(encode_state(state));
        }
        if let Some(at) = changes.truncate {
            let _ = writeln!(output, "{id} cuts its log at {at}");
            voter.log.truncate(at.0 as usize);
        }
        if let Some(epoch) = changes.append_leader_change {
            self.records += 1;
            voter.log.entries.push(Entry { epoch: epoch.0, number: self.records });
            voter.log.sync();
            quorum.appended(now_ms, voter.log.end());
        }
        self.show(output, id);
        Some(result)
    }

    /// Says what a voter is, if that is news.
    fn show(&mut self, output: &mut String, id: i32) {
        let Some(voter) = self.voters.get_mut(&id) else { return };
        let Some(quorum) = &voter.quorum else { return };
        let new = if quorum.is_newcomer() { " (newcomer)" } else { "" };
        let role = match (quorum.role(), quorum.leader()) {
            (Role::Follower, Some(leader)) => format!("Follower of {leader}"),
            (role, _) => format!("{role:?}"),
        };
        let (epoch, high_watermark) = (quorum.epoch(), quorum.high_watermark());
        let mut shown = format!("{id}{new}: {role}, epoch {epoch}, HW {high_watermark}");
        if let Some(offset) = quorum.newcomer_waits_for() {
            let _ = write!(shown, ", counts when {offset} are committed");
        }
        if voter.shown != shown {
            let _ = writeln!(output, "{shown}");
            voter.shown = shown;
        }
    }

    fn reaches(&self, from: i32, to: i32) -> bool {
        let is_up = self.voters.get(&to).is_some_and(|voter| voter.quorum.is_some());
        is_up && !self.cut.contains(&from) && !self.cut.contains(&to)
    }

    fn send(&mut self, output: &mut String, from: i32, only: Option<i32>) {
        let peers: Vec<i32> = self.voters.keys().copied().filter(|&peer| peer != from).collect();
        let mut told = BTreeSet::new();
        loop {
            let request = peers.iter().copied().find_map(|peer| {
                let is_meant = only.is_none_or(|only| only == peer) && self.reaches(from, peer);
                let voter = &self.voters[&from];
                let request = voter.quorum.as_ref()?.request_for(self.now_ms, peer, &voter.log)?;
                let is_new = !told.contains(&(peer, format!("{request:?}")));
                (is_meant && is_new).then_some((peer, request))
            });
            let Some((to, request)) = request else { return };
            told.insert((to, format!("{request:?}")));
            self.exchange(output, from, to, request);
        }
    }

    fn exchange(&mut self, output: &mut String, from: i32, to: i32, request: Request) {
        match request {
            Request::Vote(request) => {
                let what = if request.pre_vote { "would you vote" } else { "vote" };
                let asked = format!("{from} -> {to}: {what} for me in epoch {}?", request.epoch);
                let mut after = String::new();
                let answer =
                    self.with(&mut after, to, |quorum, now_ms, log| quorum.vote(now_ms, &request, log));
                let Some(answer) = answer else { return };
                let said = if answer.granted { "yes" } else { "no" };
                let LeaderAndEpoch { leader, epoch } = answer.current;
                let leader = leader.map(|leader| format!(", {leader} leads")).unwrap_or_default();
                let _ = writeln!(output, "{asked} {said}, epoch {epoch}{leader}\n{}", after.trim_end());
                self.with(output, from, |quorum, now_ms, log| {
                    quorum.vote_answered(now_ms, &request, &answer, log);
                });
            }
            Request::Begin(begin) => {
                let _ = writeln!(output, "{from} -> {to}: I lead epoch {}", begin.epoch);
                let answer = self.with(output, to, |quorum, now_ms, _| quorum.begin(now_ms, &begin));
                if let Some(answer) = answer {
                    self.with(output, from, |quorum, now_ms, _| quorum.told(now_ms, answer));
                }
            }
            Request::End(end) => {
                let _ = writeln!(output, "{from} -> {to}: I lead no more, elect one of {:?}", end.successors);
                let answer = self.with(output, to, |quorum, now_ms, _| quorum.end(now_ms, &end));
                if let Some(answer) = answer {
                    self.with(output, from, |quorum, now_ms, _| quorum.end_answered(now_ms, to, answer));
                }
            }
        }
    }

    fn fetch(&mut self, output: &mut String, id: i32, max: usize) -> Result<(), Box<dyn Error>> {
        let Some(voter) = self.voters.get_mut(&id) else { return Err("no such voter".into()) };
        voter.log.sync();
        let request = voter.quorum.as_ref().and_then(|quorum| quorum.fetch_request(&voter.log));
        let Some((leader, fetch)) = request else { return Err("it follows no one".into()) };
        let asked = format!("{id} -> {leader}: my log ends at {}", fetch.offset);
        if !self.reaches(id, leader) {
            let _ = writeln!(output, "{asked}; no answer");
            return Ok(());
        }
        let mut after = String::new();
        self.with(&mut after, leader, |quorum, now_ms, log| quorum.fetch(now_ms, &fetch, log));
        let voter = &self.voters[&leader];
        let Some(quorum) = &voter.quorum else { return Ok(()) };
        let answer = quorum.fetch_answer(&fetch, &voter.log);
        let records: Vec<Entry> =
            voter.log.entries.iter().skip(fetch.offset.0 as usize).take(max).copied().collect();
        let _ = writeln!(output, "{asked}; {}\n{}", said(&fetch, &answer, &records), after.trim_end());
        self.answer(output, id, &fetch, &answer, records);
        Ok(())
    }

    fn answer(
        &mut self,
        output: &mut String,
        id: i32,
        fetch: &ReplicaFetch,
        answer: &FetchAnswer,
        records: Vec<Entry>,
    ) {
        let result = self.with(output, id, |quorum, now_ms, log| quorum.fetched(now_ms, fetch, answer, log));
        match result {
            Some(Ok(true)) => {
                let Some(voter) = self.voters.get_mut(&id) else { return };
                voter.log.entries.extend(records);
                voter.log.sync();
                let end = voter.log.end();
                self.with(output, id, |quorum, now_ms, _| quorum.appended(now_ms, end));
            }
            Some(Err(error)) => {
                let _ = writeln!(output, "{id} refuses: {error}");
            }
            _ => {}
        }
    }

    fn tick(&mut self, output: &mut String, ms: i64) {
        let until_ms = self.now_ms + ms;
        loop {
            let due = self
                .voters
                .iter()
                .filter_map(|(&id, voter)| Some((voter.quorum.as_ref()?.deadline_ms()?, id)));
            let Some((at_ms, id)) = due.min().filter(|(at_ms, _)| *at_ms <= until_ms) else { break };
            self.now_ms = self.now_ms.max(at_ms);
            self.with(output, id, |quorum, now_ms, log| quorum.tick(now_ms, log));
        }
        self.now_ms = until_ms;
    }
}

fn said(fetch: &ReplicaFetch, answer: &FetchAnswer, records: &[Entry]) -> String {
    match answer.verdict {
        Verdict::Records => {
            let epochs: Vec<String> = records.iter().map(|record| record.epoch.to_string()).collect();
            let records = if epochs.is_empty() { "nothing new".into() } else { epochs.join(" ") };
            format!("gets {records}, HW {}", answer.high_watermark)
        }
        Verdict::Diverging { epoch, end } => format!("of epoch {epoch} I have what is before {end}"),
        Verdict::NotLeader => format!("I don't lead epoch {}", fetch.epoch),
    }
}

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &goldenscript::Context) -> Result<String, Box<dyn Error>> {
        let mut output = String::new();
        match command {
            Command::Start { voter, of } => {
                if let Some(of) = of {
                    self.voters = (1..=*of).map(|id| (id, Voter::default())).collect();
                    (1..=*of).for_each(|id| self.start(id));
                    (1..=*of).for_each(|id| {
                        self.with(&mut output, id, |_, _, _| ());
                    });
                } else {
                    self.start(*voter);
                    self.with(&mut output, *voter, |_, _, _| ());
                }
            }
            Command::Send { voter, to } => self.send(&mut output, *voter, *to),
            Command::Fetch { voter, max } => self.fetch(&mut output, *voter, max.unwrap_or(usize::MAX))?,
            Command::Append { voter: id, records, sync } => {
                let voter = self.voters.get_mut(id).ok_or("no such voter")?;
                let epoch = voter.quorum.as_ref().map_or(0, |quorum| quorum.epoch().0);
                for _ in 0..*records {
                    self.records += 1;
                    voter.log.entries.push(Entry { epoch, number: self.records });
                }
                if *sync != Some(false) {
                    voter.log.sync();
                    let end = voter.log.end();
                    self.with(&mut output, *id, |quorum, now_ms, _| quorum.appended(now_ms, end));
                }
            }
            Command::Kill { voter: id, quiet } => {
                let voter = self.voters.get_mut(id).ok_or("no such voter")?;
                voter.quorum = None;
                let synced = voter.log.synced;
                voter.log.truncate(synced);
                for other in self.voters.keys().copied().collect::<Vec<_>>() {
                    if *quiet != Some(true) && self.reaches(*id, other) {
                        self.with(&mut output, other, |quorum, now_ms, _| quorum.peer_gone(now_ms, *id));
                    }
                }
            }
            Command::Wipe { voter } => {
                self.voters.insert(*voter, Voter::default());
            }
            Command::Cut { voter } => {
                self.cut.insert(*voter);
            }
            Command::Heal { voter } => {
                self.cut.remove(voter);
            }
            Command::Stop { voter } => {
                self.with(&mut output, *voter, |quorum, now_ms, _| quorum.stop(now_ms));
            }
            Command::Tick { ms } => self.tick(&mut output, *ms),
            Command::Logs => {
                for (id, voter) in &self.voters {
                    let high_watermark =
                        voter.quorum.as_ref().map_or(0, |quorum| quorum.high_watermark().0 as usize);
                    let epochs: Vec<String> =
                        voter.log.entries.iter().map(|record| record.epoch.to_string()).collect();
                    let at = high_watermark.min(epochs.len());
                    let (safe, other) = (epochs[..at].join(" "), epochs[at..].join(" "));
                    let _ = writeln!(output, "{}", format!("{id}: {safe} | {other}").trim_end());
                }
            }
            Command::Disk { voter } => {
                let bytes = self.voters.get(voter).and_then(|voter| voter.state.clone());
                let _ = writeln!(output, "{}", String::from_utf8(bytes.unwrap_or_default())?);
            }
        }
        let lines: Vec<&str> = output.lines().filter(|line| !line.is_empty()).collect();
        Ok(if lines.is_empty() { String::new() } else { lines.join("\n") + "\n" })
    }
}

golden_scripts!(
    "quorum_scripts",
    Runner::default(),
    diverging_log,
    figure_8,
    first_election,
    leader_killed,
    lonely_leader,
    majority_lost,
    orderly_stop,
    pre_vote,
    single_voter,
    wiped_disk,
);
