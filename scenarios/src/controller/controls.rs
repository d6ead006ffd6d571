//! Commands by key: requested, accepted, effect visible.
//!
//! The supervisor executes a command at once: it is *accepted*. Its effect is then looked for where
//! any client could see it, in the cluster: a killed member leaves its group, a paused one commits
//! nothing more. Only that counts as *visible*.
//!
//! # Simplifications
//! - Two commands at once are both executed, in the order of the keys; none is taken back.

use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use bill::Lane;
use dashboard::{Action, Command, NoticeKind, OffsetSpec, Progress, RecordQuery, Request, Severity, Target};
use events::Timestamp;

use super::errands::{Outcome, offsets_at};
use super::{BURST_MS, ShowController};
use crate::clock::wall_ms;
use crate::records::RecordReader;
use crate::supervise::{Order, Worker};

/// A command that has been seen or has failed is reported for so long.
const FORGET_MS: i64 = 10_000;
/// A command whose effect is not seen for so long has failed. A second fraud detector learns from
/// the history before it joins.
const GIVE_UP_MS: i64 = 60_000;

/// A command on its way.
pub(super) struct Control {
    pub(super) id: u64,
    action: Action,
    target: Target,
    pub(super) progress: Progress,
    /// What came of it, in words.
    pub(super) note: Option<String>,
    expect: Expect,
    since_ms: i64,
}

/// What will be seen from outside once a command has had its effect.
enum Expect {
    /// The group has no member of this name.
    Gone { group: String, member: String },
    /// The group has a member of this name.
    Present { group: String, member: String },
    /// The group commits nothing more.
    Still { group: String },
    /// The group commits again.
    Moving { group: String },
    /// The topic gets at least so many records a second.
    Rate { topic: String, at_least: f64 },
    /// The group's committed offsets, summed, are before this.
    Before { group: String, committed: i64 },
    /// The workers' processes have ended.
    Ended { workers: Vec<String> },
    /// The worker's process runs.
    Running { worker: String },
    /// A run over a window of at most this length has been seen, which ended after the period was
    /// changed.
    Run { period_ms: i64, asked_at: Timestamp },
    /// A thread has done what it was started for, and says what came of it.
    Outcome(Outcome),
}

impl ShowController {
    /// Does what the dashboard has asked for since the last call.
    pub fn obey(&mut self, requests: &Receiver<Request>) {
        for request in requests.try_iter() {
            match request {
                Request::Control(command) => self.execute(&command),
                Request::Read(query) => self.read(query),
                Request::PollEvery(ms) => {
                    self.watch.poll_every(ms);
                    self.show.poll_every(ms as i64);
                }
            }
        }
    }

    /// Has these records read from now on.
    fn read(&mut self, query: Option<RecordQuery>) {
        match (query, &self.records) {
            (None, _) => self.records = None,
            (Some(query), Some(reader)) => reader.ask(query),
            (Some(query), None) => match RecordReader::start(self.admin.settings(), query) {
                Ok(reader) => self.records = Some(reader),
                Err(error) => tracing::warn!("the records can't be read: no thread for it: {error}"),
            },
        }
    }

    /// Executes the supervisor's part of a command.
    fn execute(&mut self, command: &Command) {
        let now_ms = wall_ms();
        match command.action {
            // A consumer that is behind after that has a reason.
            Action::Pause
            | Action::Resume
            | Action::Kill
            | Action::Restart
            | Action::ScaleUp
            | Action::ScaleDown
            | Action::Burst
            | Action::Rewind
            | Action::Reset(_) => self.slow_machine.excuse(),
            Action::Dial(_) | Action::Redrive { .. } | Action::CreateTopic { .. } | Action::Send => {}
        }
        let errand = self.errand(command.action, &command.target);
        let done = match errand {
            Some(started) => started.map(Expect::Outcome),
            None => self.carry_out(command.action, &command.target, now_ms),
        };
        let (progress, expect, severity, text) = match done {
            Ok(expect) => {
                let mut text = format!("{} requested", command.action.word());
                if let (Action::ScaleUp, Expect::Present { group, .. }) = (command.action, &expect) {
                    text.push_str(&self.idle_members(group));
                }
                (Progress::Accepted, expect, Severity::Info, text)
            }
            Err(reason) => {
                let text = format!("could not {}: {reason}", command.action.word());
                let expect = Expect::Ended { workers: Vec::new() };
                (Progress::Failed { reason }, expect, Severity::Warning, text)
            }
        };
        self.note(NoticeKind::Control, severity, command.target.name(), text);
        let (id, action, target) = (command.id, command.action, command.target.clone());
        self.controls.push(Control { id, action, target, progress, note: None, expect, since_ms: now_ms });
    }

    /// What is to be said of a group that has been made larger: nothing, while each of its members
    /// has a partition to read.
    fn idle_members(&self, group: &str) -> String {
        let members = self.workers().filter(|worker| worker.spec.group.as_deref() == Some(group)).count();
        let known = self.last_groups.iter().find(|known| known.id == group);
        let partitions = known.iter().flat_map(|known| &known.partitions);
        let most = partitions.map(|partition| usize::try_from(partition.partition + 1).unwrap_or(0)).max();
        idle_members(members, most.unwrap_or(members))
    }

    fn carry_out(&mut self, action: Action, target: &Target, now_ms: i64) -> Result<Expect, String> {
        let names = self.names(target)?;
        let group = match target {
            Target::Group(group) => Some(group.clone()),
            Target::Worker(name) => self.worker(name)?.spec.group.clone(),
            Target::Topic(_) | Target::Batch | Target::Record(_) => None,
        };
        let Some(first) = names.first().cloned() else {
            return Err("no worker of ours is in it".to_owned());
        };
        let supervisor = self.supervisor.as_mut().ok_or("the workers are not ours")?;
        let told =
            |expect: Expect, done: bool| if done { Ok(expect) } else { Err("it does not run".to_owned()) };
        match action {
            Action::Pause | Action::Resume => {
                let order = if action == Action::Pause { Order::Pause } else { Order::Resume };
                let done = names.iter().filter(|name| supervisor.order(name, order)).count() > 0;
                let expect = match group {
                    Some(group) if action == Action::Pause => Expect::Still { group },
                    Some(group) => Expect::Moving { group },
                    None => Expect::Running { worker: first },
                };
                told(expect, done)
            }
            Action::Kill => {
                let mut killed = names;
                killed.retain(|name| supervisor.kill(name));
                self.changed.extend(killed.iter().map(|name| (name.clone(), now_ms)));
                let done = !killed.is_empty();
                told(Expect::Ended { workers: killed }, done)
            }
            Action::Restart => {
                // Dead workers come first: to restart a group is to repair it.
                let ended =
                    names.iter().find(|name| supervisor.worker(name).is_some_and(|w| !w.is_running()));
                let name = ended.unwrap_or(&first).clone();
                let done = supervisor.restart(&name).map_err(|error| error.to_string())?;
                self.changed.insert(name.clone(), now_ms);
                let expect = match group {
                    Some(group) => Expect::Present { group, member: name },
                    None => Expect::Running { worker: name },
                };
                told(expect, done)
            }
            Action::ScaleUp => {
                let group = group.ok_or("a producer is scaled by its rate, not by its number")?;
                let name = supervisor.scale_up(&first).map_err(|error| error.to_string())?;
                let member = name.ok_or("there is no such worker")?;
                self.changed.insert(member.clone(), now_ms);
                Ok(Expect::Present { group, member })
            }
            Action::ScaleDown => {
                let group = group.ok_or("a producer is scaled by its rate, not by its number")?;
                let role =
                    supervisor.worker(&first).map(|worker| worker.spec.role.clone()).unwrap_or_default();
                let member =
                    supervisor.scale_down(&role).ok_or("the last one stays: pause or kill it instead")?;
                Ok(Expect::Gone { group, member })
            }
            Action::Burst => {
                let Target::Topic(topic) = target else { return Err("a burst is for a topic".to_owned()) };
                let at_least = self.last_rates.get(topic).copied().unwrap_or(0.0) * 1.5 + 1.0;
                let done = supervisor.order(&first, Order::Burst);
                self.bursting_until.insert(topic.clone(), now_ms + BURST_MS);
                told(Expect::Rate { topic: topic.clone(), at_least }, done)
            }
            Action::Dial(step) => {
                let period_ms = step.period_ms() as i64;
                let mut told_any = false;
                for name in &names {
                    told_any |= supervisor.order(name, Order::Period(period_ms));
                }
                let asked_at = self.show.clock().map_or(Timestamp::MIN, |clock| clock.simulated(now_ms));
                if told_any {
                    self.show.apply_new_period(period_ms, now_ms);
                    self.cpu_s_at_turn = Lane::ALL.map(|lane| self.cpu_s(lane));
                    self.keep_enough_for(period_ms);
                }
                told(Expect::Run { period_ms, asked_at }, told_any)
            }
            Action::Redrive { .. } | Action::CreateTopic { .. } | Action::Send => {
                Err("it is no matter of a worker".to_owned())
            }
            Action::Rewind | Action::Reset(_) => {
                let group = group.ok_or("a producer has no bookmark")?;
                let place = if let Action::Reset(place) = action { place } else { OffsetSpec::Beginning };
                self.reset(&group, &names, place)
            }
        }
    }

    fn names(&self, target: &Target) -> Result<Vec<String>, String> {
        Ok(match target {
            Target::Worker(name) => vec![self.worker(name)?.spec.name.clone()],
            Target::Group(group) => self
                .workers()
                .filter(|worker| worker.spec.group.as_ref() == Some(group))
                .map(|worker| worker.spec.name.clone())
                .collect(),
            Target::Batch => {
                let jobs = self.workers().filter(|worker| worker.spec.lane == Some(Lane::Batch));
                jobs.map(|worker| worker.spec.name.clone()).collect()
            }
            Target::Topic(topic) => {
                let producer = self.producer_of(topic).ok_or("no producer of ours writes it")?;
                vec![producer.spec.name.clone()]
            }
            Target::Record(_) => Vec::new(),
        })
    }

    fn worker(&self, name: &str) -> Result<&Worker, String> {
        self.supervisor
            .as_ref()
            .and_then(|supervisor| supervisor.worker(name))
            .ok_or_else(|| format!("{name} is not one of our workers"))
    }

    /// Sets a group's committed offsets to a place of its logs. Its workers are stopped, since no
    /// offset of a group with members can be set, and started again afterwards.
    fn reset(&mut self, group: &str, names: &[String], place: OffsetSpec) -> Result<Expect, String> {
        let now_ms = wall_ms();
        let known =
            self.last_groups.iter().find(|known| known.id == group).ok_or("it has no bookmarks yet")?;
        let committed = known.partitions.iter().filter_map(|partition| partition.committed).sum();
        let to = offsets_at(&self.admin, &self.read_by(group), place)?;
        let goes_back = to.iter().map(|(_, offset)| offset).sum::<i64>() < committed;
        let supervisor = self.supervisor.as_mut().ok_or("the workers are not ours")?;
        for name in names {
            supervisor.order(name, Order::Stop);
        }
        // They leave the group as they end, which takes some hundredths of a second; the reset is
        // refused until then.
        let mut reset = self.admin.reset(group, &to);
        for _ in 0..40 {
            if !matches!(reset, Err(client::ResetError::GroupInUse { .. })) {
                break;
            }
            self.take_in(Duration::from_millis(50));
            reset = self.admin.reset(group, &to);
        }
        let supervisor = self.supervisor.as_mut().ok_or("the workers are not ours")?;
        for name in names {
            supervisor.restart(name).map_err(|error| error.to_string())?;
            self.changed.insert(name.clone(), now_ms);
        }
        reset.map_err(|error| error.to_string())?;
        Ok(match names.first() {
            // What was committed before is passed again at once.
            Some(first) if !goes_back => Expect::Running { worker: first.clone() },
            Some(_) | None => Expect::Before { group: group.to_owned(), committed },
        })
    }

    /// Looks whether what was asked for has been seen.
    pub(super) fn progress(&mut self, now_ms: i64) {
        let mut controls = std::mem::take(&mut self.controls);
        for control in &mut controls {
            if control.progress != Progress::Accepted {
                continue;
            }
            if let Expect::Outcome(outcome) = &control.expect {
                let (word, said) = (control.action.word(), outcome.try_recv());
                let (severity, text) = match said {
                    Err(TryRecvError::Empty) => continue,
                    Ok(Ok(note)) => {
                        control.progress = Progress::Observed;
                        control.note = Some(note.clone());
                        (Severity::Good, format!("{word}: {note}"))
                    }
                    Ok(Err(reason)) => {
                        control.progress = Progress::Failed { reason: reason.clone() };
                        (Severity::Warning, format!("could not {word}: {reason}"))
                    }
                    Err(TryRecvError::Disconnected) => {
                        let reason = "the thread that did it ended".to_owned();
                        control.progress = Progress::Failed { reason: reason.clone() };
                        (Severity::Bad, format!("could not {word}: {reason}"))
                    }
                };
                control.since_ms = now_ms;
                self.note(NoticeKind::Control, severity, control.target.name(), text);
            } else if self.is_seen(&control.expect) {
                control.progress = Progress::Observed;
                control.since_ms = now_ms;
            } else if now_ms - control.since_ms > self.patience_ms(&control.expect) {
                let reason = format!("nothing was seen of it for {} s", GIVE_UP_MS / 1000);
                control.progress = Progress::Failed { reason };
                control.since_ms = now_ms;
            }
        }
        controls.retain(|c| c.progress == Progress::Accepted || now_ms - c.since_ms < FORGET_MS);
        self.controls = controls;
    }

    /// How long an effect is waited for: a run comes with the boundary.
    fn patience_ms(&self, expect: &Expect) -> i64 {
        match (expect, self.show.clock()) {
            (Expect::Run { period_ms, .. }, Some(clock)) => {
                GIVE_UP_MS + (*period_ms as f64 / clock.speed) as i64
            }
            _ => GIVE_UP_MS,
        }
    }

    fn is_seen(&self, expect: &Expect) -> bool {
        let group = |id: &String| self.last_groups.iter().find(|group| group.id == *id);
        let member = |id, name: &String| {
            group(id).is_some_and(|group| group.members.iter().any(|member| member.client_id == *name))
        };
        let rate = |id| group(id).and_then(|group| group.committed_per_second);
        match expect {
            Expect::Gone { group, member: name } => !member(group, name),
            Expect::Present { group, member: name } => member(group, name) && self.runs(name),
            Expect::Still { group } => rate(group).is_some_and(|rate| rate <= 0.0),
            Expect::Moving { group } => rate(group).is_some_and(|rate| rate > 0.0),
            Expect::Rate { topic, at_least } => {
                self.last_rates.get(topic).is_some_and(|rate| rate >= at_least)
            }
            Expect::Before { group: id, committed } => group(id).is_some_and(|group| {
                group.partitions.iter().filter_map(|partition| partition.committed).sum::<i64>() < *committed
            }),
            Expect::Ended { workers } => !workers.iter().any(|worker| self.runs(worker)),
            Expect::Running { worker } => self.runs(worker),
            Expect::Run { period_ms, asked_at } => self.show.lanes.ran(*period_ms, *asked_at),
            // An errand reports by itself.
            Expect::Outcome(_) => false,
        }
    }
}

/// What a group of so many members has to be told that reads topics of so many partitions: each
/// partition has one reader.
fn idle_members(members: usize, partitions: usize) -> String {
    match members.saturating_sub(partitions) {
        0 => String::new(),
        idle => format!(": {members} members for {partitions} partitions, {idle} of them idle"),
    }
}

#[cfg(test)]
mod tests {
    use super::idle_members;

    #[test]
    fn members_beyond_the_partitions_are_idle() {
        assert_eq!(idle_members(4, 4), "");
        assert_eq!(idle_members(5, 4), ": 5 members for 4 partitions, 1 of them idle");
        assert_eq!(idle_members(11, 4), ": 11 members for 4 partitions, 7 of them idle");
    }
}
