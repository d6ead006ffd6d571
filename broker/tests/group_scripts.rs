//! Runs the stories in `group_scripts/`: what a group does, told step by step. After a change, look
//! at what `UPDATE_GOLDENFILES=1 cargo test -p broker --test group_scripts` changes in them.

mod golden;

use std::collections::BTreeMap;
use std::error::Error;
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

use golden::golden_scripts;

const GROUP: &str = "g";

/// What a script can say. Clients are called by name; they remember their member id and generation
/// as real ones do.
#[derive(goldenscript::Command)]
enum Command {
    /// Commits: `commit alice t-0=5`. `generation=` overrides what the client knows.
    Commit {
        client: String,
        #[arg(key)]
        generation: Option<i32>,
        #[arg(key)]
        metadata: Option<String>,
        #[arg(key)]
        outsider: Option<bool>,
        partition: String,
        offset: i64,
    },
    /// Changes `group.initial.rebalance.delay.ms`, for a new coordinator.
    Delay { ms: i64 },
    /// Removes the group.
    DeleteGroup,
    /// Shows the group's state and members.
    Describe,
    /// Shows committed offsets.
    Fetch,
    /// Sends a heartbeat.
    Heartbeat { client: String },
    /// Joins. `v3` clients don't need a member id first.
    Join {
        client: String,
        #[arg(key)]
        instance: Option<String>,
        #[arg(key)]
        protocols: Option<String>,
        #[arg(key)]
        session: Option<i32>,
        #[arg(key)]
        rebalance: Option<i32>,
        #[arg(key)]
        version: Option<i16>,
        #[arg(key)]
        subscription: Option<String>,
        #[arg(key)]
        forget: Option<bool>,
    },
    /// Leaves.
    Leave { client: String },
    /// The broker is killed and starts again.
    Restart,
    /// Syncs; a leader says who gets what: `sync alice alice=p0 bob=p1`.
    Sync {
        client: String,
        #[arg(optional)]
        assignments: Vec<(String, String)>,
    },
    /// Time passes; what is due happens when it is due.
    Wait { ms: i64 },
}

#[derive(Default)]
struct Client {
    member_id: String,
    generation: i32,
    instance: Option<String>,
}

struct Runner {
    storage: MemoryStorage,
    config: GroupConfig,
    coordinator: GroupCoordinator,
    incarnation: u64,
    now_ms: i64,
    clients: BTreeMap<String, Client>,
    /// Who waits behind which token.
    waiting: BTreeMap<Token, String>,
    /// Member id to client, for the answers.
    names: BTreeMap<String, String>,
}

fn start(storage: &MemoryStorage, config: &GroupConfig, incarnation: u64, now_ms: i64) -> GroupCoordinator {
    let (settings, hints) = (LogConfig::default(), RecoveryHints::default());
    let opened = Partition::open(Arc::new(storage.clone()), "o-0".into(), settings, LeaderEpoch(0), hints);
    let (partition, _) = opened.expect("memory works");
    let partition = PartitionHandle::new(TopicPartition::new("o", 0), partition);
    let mut coordinator = GroupCoordinator::new(config.clone(), incarnation);
    coordinator.load(vec![Arc::new(partition)], now_ms).expect("memory works");
    coordinator
}

impl Runner {
    fn new() -> Self {
        let (storage, config) = (MemoryStorage::new(), GroupConfig::default());
        let coordinator = start(&storage, &config, 1, 0);
        Self {
            storage,
            config,
            coordinator,
            incarnation: 1,
            now_ms: 0,
            clients: BTreeMap::new(),
            waiting: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    fn client(&mut self, name: &str) -> &mut Client {
        self.clients.entry(name.to_owned()).or_default()
    }

    fn park(&mut self, name: &str) -> Token {
        let token = Token(self.incarnation * 1_000 + self.waiting.len() as u64 + 1);
        let token = if self.waiting.contains_key(&token) { Token(token.0 + 500) } else { token };
        self.waiting.insert(token, name.to_owned());
        token
    }

    fn name_of(&self, member_id: &str) -> String {
        // A member id begins with the client's name; after an answer its present process is known.
        let name = member_id.split('-').next().unwrap_or_default();
        self.names.get(member_id).cloned().unwrap_or_else(|| name.to_owned())
    }

    /// Tells the clients, and says what they were told. `asker` is told of even if it must wait.
    fn deliver(&mut self, asker: Option<(&str, Token)>, effects: Vec<Effect>) -> String {
        let mut output = String::new();
        let mut lines = Vec::new();
        for effect in effects {
            let (token, line) = match effect {
                Effect::Join { token, result } => (token, self.joined(token, result)),
                Effect::Sync { token, result } => {
                    let line = match result {
                        Ok(synced) if synced.assignment.is_empty() => "is assigned nothing".to_owned(),
                        Ok(synced) => format!("is assigned {}", String::from_utf8_lossy(&synced.assignment)),
                        Err(error) => format!("sync: {error:?}"),
                    };
                    (token, line)
                }
            };
            let name = self.waiting.remove(&token).expect("every token is answered once");
            lines.push(format!("{name} {line}\n"));
        }
        if let Some((name, _)) = asker.filter(|(_, token)| self.waiting.contains_key(token)) {
            let _ = writeln!(output, "{name} waits");
        }
        output + &lines.concat()
    }

    fn joined(
        &mut self,
        token: Token,
        result: Result<broker::coordinator::Joined, broker::coordinator::GroupError>,
    ) -> String {
        let name = self.waiting[&token].clone();
        match result {
            Ok(joined) => {
                self.names.insert(joined.member_id.clone(), name.clone());
                let client = self.client(&name);
                client.member_id.clone_from(&joined.member_id);
                client.generation = joined.generation.0;
                let mut line = format!("joined generation {} ({})", joined.generation, joined.protocol_name);
                if joined.leader == joined.member_id {
                    let members: Vec<_> = joined.members.iter().map(|m| self.name_of(&m.member_id)).collect();
                    let _ = write!(line, ", leads {}", members.join(" "));
                }
                if joined.skip_assignment {
                    line.push_str(", keeps the assignment");
                }
                line
            }
            Err(broker::coordinator::GroupError::MemberIdRequired { member_id }) => {
                self.names.insert(member_id.clone(), name.clone());
                self.client(&name).member_id = member_id;
                "gets a member id".to_owned()
            }
            Err(error) => format!("join: {error:?}"),
        }
    }

    fn run_until(&mut self, end_ms: i64) -> String {
        let mut output = String::new();
        while let Some(due) = self.coordinator.next_deadline_ms().filter(|due| *due <= end_ms) {
            self.now_ms = self.now_ms.max(due);
            let effects = self.coordinator.tick(self.now_ms);
            let lines = self.deliver(None, effects);
            if !lines.is_empty() {
                let _ = write!(output, "at {} ms:\n{lines}", self.now_ms);
            }
        }
        self.now_ms = end_ms;
        output
    }

    fn describe(&self) -> String {
        let Some(group) = self.coordinator.describe(GROUP) else { return "no such group\n".to_owned() };
        let members = group.members.iter().map(|member| {
            let instance = member.group_instance_id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
            let assignment = String::from_utf8_lossy(&member.assignment).into_owned();
            format!("  {}{instance} {assignment}\n", self.name_of(&member.member_id)).replace(" \n", "\n")
        });
        format!("{} {}\n{}", group.state, group.protocol_name, members.collect::<String>())
            .replace(" \n", "\n")
    }
}

impl goldenscript::Runner for Runner {
    type Command = Command;

    #[expect(clippy::too_many_lines, reason = "one arm for each command")]
    fn run(&mut self, command: &Command, _context: &goldenscript::Context) -> Result<String, Box<dyn Error>> {
        let now_ms = self.now_ms;
        match command {
            Command::Join {
                client,
                instance,
                protocols,
                session,
                rebalance,
                version,
                subscription,
                forget,
            } => {
                let name = client.clone();
                if *forget == Some(true) {
                    self.client(&name).member_id.clear();
                }
                self.client(&name).instance.clone_from(instance);
                let metadata = Bytes::from(subscription.clone().unwrap_or_default());
                let protocols = protocols.as_deref().unwrap_or("range").split('/');
                let version = version.unwrap_or(9);
                let request = JoinRequest {
                    group_id: GROUP.to_owned(),
                    member_id: self.client(&name).member_id.clone(),
                    group_instance_id: instance.clone(),
                    client_id: name.clone(),
                    client_host: "/127.0.0.1".to_owned(),
                    session_timeout_ms: session.unwrap_or(10_000),
                    rebalance_timeout_ms: rebalance.unwrap_or(30_000),
                    protocol_type: "consumer".to_owned(),
                    protocols: protocols.map(|name| (name.to_owned(), metadata.clone())).collect(),
                    requires_known_member_id: version >= 4,
                    supports_skipping_assignment: version >= 9,
                };
                let token = self.park(&name);
                let effects = self.coordinator.join(now_ms, token, request);
                Ok(self.deliver(Some((&name, token)), effects))
            }
            Command::Sync { client, assignments } => {
                let ids: BTreeMap<_, _> =
                    self.clients.iter().map(|(name, c)| (name, c.member_id.clone())).collect();
                let assignments = assignments
                    .iter()
                    .filter_map(|(name, bytes)| Some((ids.get(name)?.clone(), Bytes::from(bytes.clone()))))
                    .collect();
                let known = self.client(client);
                let request = SyncRequest {
                    group_id: GROUP.to_owned(),
                    generation: Generation(known.generation),
                    member_id: known.member_id.clone(),
                    group_instance_id: known.instance.clone(),
                    protocol_type: Some("consumer".to_owned()),
                    protocol_name: None,
                    assignments,
                };
                let token = self.park(client);
                let effects = self.coordinator.sync(now_ms, token, request);
                Ok(self.deliver(Some((client, token)), effects))
            }
            Command::Heartbeat { client } => {
                let known = self.client(client);
                let request = HeartbeatRequest {
                    group_id: GROUP.to_owned(),
                    generation: Generation(known.generation),
                    member_id: known.member_id.clone(),
                    group_instance_id: known.instance.clone(),
                };
                Ok(match self.coordinator.heartbeat(now_ms, &request) {
                    Ok(()) => format!("{client} lives\n"),
                    Err(error) => format!("{client} heartbeat: {error:?}\n"),
                })
            }
            Command::Leave { client } => {
                let known = self.client(client);
                let leaving = LeavingMember {
                    member_id: known.member_id.clone(),
                    group_instance_id: known.instance.clone(),
                };
                let request = LeaveRequest { group_id: GROUP.to_owned(), members: vec![leaving] };
                let (result, effects) = self.coordinator.leave(now_ms, &request);
                let answer = match result.and_then(|mut answers| answers.remove(0)) {
                    Ok(()) => format!("{client} left\n"),
                    Err(error) => format!("{client} leave: {error:?}\n"),
                };
                Ok(answer + &self.deliver(None, effects))
            }
            Command::Commit { client, generation, metadata, outsider, partition, offset } => {
                let known = self.client(client);
                let outsider = *outsider == Some(true);
                let committed = CommittedOffset {
                    offset: Offset(*offset),
                    metadata: metadata.clone().unwrap_or_default(),
                    ..CommittedOffset::default()
                };
                let partition = TopicPartition::from_dir_name(partition).ok_or("TOPIC-PARTITION")?;
                let request = CommitRequest {
                    group_id: GROUP.to_owned(),
                    generation: generation
                        .map_or(Generation(if outsider { -1 } else { known.generation }), Generation),
                    member_id: if outsider { String::new() } else { known.member_id.clone() },
                    group_instance_id: known.instance.clone(),
                    offsets: vec![(partition, committed)],
                };
                Ok(match self.coordinator.commit(now_ms, request).and_then(|mut answers| answers.remove(0)) {
                    Ok(()) => format!("{client} committed\n"),
                    Err(error) => format!("{client} commit: {error:?}\n"),
                })
            }
            Command::Fetch => {
                let lines =
                    self.coordinator.all_committed(GROUP).into_iter().map(|(partition, committed)| {
                        format!("{partition} {} {}\n", committed.offset, committed.metadata)
                            .replace(" \n", "\n")
                    });
                Ok(lines.collect())
            }
            Command::Describe => Ok(self.describe()),
            Command::DeleteGroup => Ok(match self.coordinator.delete_group(now_ms, GROUP) {
                Ok(()) => "deleted\n".to_owned(),
                Err(error) => format!("{error:?}\n"),
            }),
            Command::Wait { ms } => Ok(self.run_until(now_ms + ms)),
            Command::Delay { ms } => {
                self.config.initial_rebalance_delay_ms = *ms;
                self.coordinator = start(&self.storage, &self.config, self.incarnation, now_ms);
                Ok(String::new())
            }
            Command::Restart => {
                self.incarnation += 1;
                self.waiting.clear();
                self.storage = self.storage.kill();
                self.coordinator = start(&self.storage, &self.config, self.incarnation, now_ms);
                Ok(String::new())
            }
        }
    }
}

golden_scripts!(
    "group_scripts",
    Runner::new(),
    commit,
    cooperative,
    crash,
    idle_leader,
    initial_delay,
    join,
    leave,
    protocols,
    restart,
    simple_consumer,
    slow_member,
    static_member,
);
