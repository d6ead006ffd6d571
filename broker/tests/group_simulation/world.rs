//! Clients, network and broker, stepped through time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use broker::coordinator::{
    CommitRequest, CommittedOffset, Effect, Generation, GroupConfig, GroupCoordinator, HeartbeatRequest,
    JoinRequest, LeaveRequest, LeavingMember, SyncRequest, Token,
};
use broker::log::{LogConfig, MemoryStorage, RecoveryHints, TopicPartition};
use broker::replica::{Partition, PartitionHandle};
use bytes::Bytes;
use protocol::records::{LeaderEpoch, Offset};

use crate::client::{Client, Phase, Request, Response};
use crate::dice::Dice;
use crate::invariants::{Event, Invariant, all};

pub(crate) const GROUP: &str = "g";
const STEP_MS: i64 = 50;
/// With faults.
const TROUBLE_MS: i64 = 120_000;
/// Without: long enough for a session and a round to time out, twice.
const CALM_MS: i64 = 60_000;
const SESSION_MS: i32 = 6_000;
const REBALANCE_MS: i32 = 8_000;

/// Who wrote a letter, as it was then.
#[derive(Clone)]
struct Sender {
    client: usize,
    process: u64,
    number: u64,
    member_id: String,
    generation: Generation,
}

enum Letter {
    ToBroker { from: Sender, request: Request },
    ToClient { to: Sender, response: Response },
}

pub(crate) struct World {
    dice: Dice,
    now_ms: i64,
    storage: MemoryStorage,
    coordinator: GroupCoordinator,
    broker_starts: u64,
    pub(crate) clients: Vec<Client>,
    /// Letters under way by arrival and order of sending.
    letters: BTreeMap<(i64, u64), Letter>,
    /// Who waits behind a token.
    parked: BTreeMap<Token, Sender>,
    numbers: u64,
    invariants: Vec<Box<dyn Invariant>>,
    history: String,
}

fn start(storage: &MemoryStorage, starts: u64, now_ms: i64) -> GroupCoordinator {
    let (settings, hints) = (LogConfig::default(), RecoveryHints::default());
    let opened = Partition::open(Arc::new(storage.clone()), "o-0".into(), settings, LeaderEpoch(0), hints);
    let (partition, _) = opened.expect("memory works");
    let partition = PartitionHandle::new(TopicPartition::new("o", 0), partition);
    let mut coordinator = GroupCoordinator::new(GroupConfig::default(), starts);
    coordinator.load(vec![Arc::new(partition)], now_ms).expect("memory works");
    coordinator
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let storage = MemoryStorage::new();
        let clients = (0..dice.between(1, 5))
            .map(|index| Client::new(dice.once_in(3).then(|| format!("instance{index}"))))
            .collect();
        Self {
            dice,
            now_ms: 0,
            coordinator: start(&storage, 0, 0),
            storage,
            broker_starts: 0,
            clients,
            letters: BTreeMap::new(),
            parked: BTreeMap::new(),
            numbers: 0,
            invariants: all(),
            history: String::new(),
        }
    }

    pub(crate) fn into_history(self) -> String {
        self.history
    }

    /// First trouble, then calm; then everything must be well.
    pub(crate) fn live(&mut self) -> Result<(), String> {
        while self.now_ms < TROUBLE_MS + CALM_MS {
            self.now_ms += STEP_MS;
            self.step(self.now_ms < TROUBLE_MS)?;
        }
        let waiting = self.parked.len();
        let clients = std::mem::take(&mut self.clients);
        let result = self.tell(&Event::End { waiting, clients: &clients });
        self.clients = clients;
        result
    }

    fn step(&mut self, trouble: bool) -> Result<(), String> {
        if trouble && self.dice.once_in(800) {
            self.restart_broker()?;
        }
        while let Some(entry) = self.letters.first_entry().filter(|entry| entry.key().0 <= self.now_ms) {
            match entry.remove() {
                Letter::ToBroker { from, request } => self.serve(from, request, trouble)?,
                Letter::ToClient { to, response } => self.deliver(&to, response),
            }
        }
        if self.coordinator.next_deadline_ms().is_some_and(|due| due <= self.now_ms) {
            let effects = self.coordinator.tick(self.now_ms);
            self.answer(effects, trouble)?;
        }
        for index in 0..self.clients.len() {
            self.move_client(index, trouble);
        }
        Ok(())
    }

    fn restart_broker(&mut self) -> Result<(), String> {
        self.broker_starts += 1;
        self.parked.clear();
        self.storage = self.storage.kill();
        self.coordinator = start(&self.storage, self.broker_starts, self.now_ms);
        let committed = self.coordinator.all_committed(GROUP);
        let committed =
            committed.into_iter().map(|(partition, at)| (partition.partition as u8, at.offset.0)).collect();
        let _ = writeln!(self.history, "{} broker starts", self.now_ms);
        self.tell(&Event::BrokerStarted { committed })
    }

    fn move_client(&mut self, index: usize, trouble: bool) {
        let (now_ms, dice) = (self.now_ms, &mut self.dice);
        let client = &mut self.clients[index];
        if trouble && client.phase != Phase::Down && dice.once_in(600) {
            client.crash(now_ms + dice.between(0, 15_000));
            let _ = writeln!(self.history, "{now_ms} client {index} crashes");
            return;
        }
        if now_ms < client.wakes_at_ms {
            return;
        }
        if let Some((_, gives_up_ms)) = client.outstanding {
            if now_ms < gives_up_ms {
                return;
            }
            client.give_up();
        }
        // A long garbage collection, or a laptop that was closed.
        if trouble && dice.once_in(400) {
            client.wakes_at_ms = now_ms + dice.between(1_000, 12_000);
            return;
        }
        let request = if trouble && client.phase == Phase::Working && dice.once_in(100) {
            Request::Leave
        } else {
            client.act(dice.between(0, 99))
        };
        self.numbers += 1;
        client.outstanding = Some((self.numbers, now_ms + 10_000));
        client.wakes_at_ms = now_ms + dice.between(100, 1_000);
        let from = Sender {
            client: index,
            process: client.process,
            number: self.numbers,
            member_id: client.member_id.clone(),
            generation: Generation(client.generation),
        };
        if matches!(request, Request::Leave) {
            client.forget();
        }
        self.send(Letter::ToBroker { from, request }, trouble);
    }

    fn send(&mut self, letter: Letter, trouble: bool) {
        if trouble && self.dice.once_in(25) {
            return;
        }
        let delay_ms = if trouble && self.dice.once_in(20) { 3_000 } else { 120 };
        self.numbers += 1;
        self.letters.insert((self.now_ms + self.dice.between(1, delay_ms), self.numbers), letter);
    }

    /// Letters of processes that have died meanwhile arrive like any other.
    fn serve(&mut self, from: Sender, request: Request, trouble: bool) -> Result<(), String> {
        let index = from.client;
        let (member_id, generation) = (from.member_id.clone(), from.generation);
        let group_instance_id = self.clients[index].instance.clone();
        let group_id = GROUP.to_owned();
        let token = Token(from.number);
        let _ = writeln!(self.history, "{} client {index} asks {request:?}", self.now_ms);
        let result = match request {
            Request::Join => {
                self.parked.insert(token, from);
                let request = JoinRequest {
                    group_id,
                    member_id,
                    group_instance_id,
                    client_id: format!("client{index}"),
                    client_host: "/127.0.0.1".to_owned(),
                    session_timeout_ms: SESSION_MS,
                    rebalance_timeout_ms: REBALANCE_MS,
                    protocol_type: "consumer".to_owned(),
                    protocols: vec![("range".to_owned(), Bytes::new())],
                    requires_known_member_id: true,
                    supports_skipping_assignment: true,
                };
                let effects = self.coordinator.join(self.now_ms, token, request);
                return self.answer(effects, trouble);
            }
            Request::Sync { assignments } => {
                self.parked.insert(token, from);
                let request = SyncRequest {
                    group_id,
                    generation,
                    member_id,
                    group_instance_id,
                    protocol_type: None,
                    protocol_name: None,
                    assignments,
                };
                let effects = self.coordinator.sync(self.now_ms, token, request);
                return self.answer(effects, trouble);
            }
            Request::Heartbeat => {
                let request = HeartbeatRequest { group_id, generation, member_id, group_instance_id };
                self.coordinator.heartbeat(self.now_ms, &request)
            }
            Request::Commit { partition, offset } => {
                let committed = CommittedOffset { offset: Offset(offset), ..CommittedOffset::default() };
                let offsets = vec![(TopicPartition::new("t", i32::from(partition)), committed)];
                let request = CommitRequest {
                    group_id,
                    generation,
                    member_id: member_id.clone(),
                    group_instance_id,
                    offsets,
                };
                let result = self.coordinator.commit(self.now_ms, request).and_then(|mut all| all.remove(0));
                if result.is_ok() {
                    self.tell(&Event::Committed { member_id: &member_id, generation, partition, offset })?;
                }
                result
            }
            Request::Leave => {
                let members = vec![LeavingMember { member_id, group_instance_id }];
                let (result, effects) =
                    self.coordinator.leave(self.now_ms, &LeaveRequest { group_id, members });
                self.answer(effects, trouble)?;
                result.and_then(|mut all| all.remove(0))
            }
        };
        let response = Response::Done(result);
        self.send(Letter::ToClient { to: from, response }, trouble);
        Ok(())
    }

    /// The coordinator's answers go out.
    fn answer(&mut self, effects: Vec<Effect>, trouble: bool) -> Result<(), String> {
        for effect in effects {
            let (token, response) = match effect {
                Effect::Join { token, result } => {
                    if let Ok(joined) = &result {
                        self.tell(&Event::Joined(joined))?;
                    }
                    (token, Response::Joined(result))
                }
                Effect::Sync { token, result } => {
                    let asker = self.parked.get(&token).cloned();
                    if let (Ok(synced), Some(Sender { member_id, generation, .. })) = (&result, asker) {
                        let partitions = &synced.assignment.clone();
                        self.tell(&Event::Assigned { member_id: &member_id, generation, partitions })?;
                    }
                    (token, Response::Synced(result.map(|synced| synced.assignment)))
                }
            };
            let _ = writeln!(self.history, "{} {response:?}", self.now_ms);
            let Some(to) = self.parked.remove(&token) else {
                return Err(format!("{token:?} was answered twice, or never asked"));
            };
            self.send(Letter::ToClient { to, response }, trouble);
        }
        Ok(())
    }

    fn deliver(&mut self, to: &Sender, response: Response) {
        let client = &mut self.clients[to.client];
        let awaited = client.outstanding.is_some_and(|(outstanding, _)| outstanding == to.number);
        if client.process == to.process && awaited {
            client.outstanding = None;
            client.receive(response);
        }
    }

    fn tell(&mut self, event: &Event<'_>) -> Result<(), String> {
        self.invariants.iter_mut().try_for_each(|invariant| {
            invariant.see(event).map_err(|what| format!("{} is broken: {what}", invariant.name()))
        })
    }
}
