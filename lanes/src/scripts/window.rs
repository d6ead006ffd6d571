//! Which records belong to which run of a batch job.

use std::error::Error;
use std::fmt::Write as _;

use events::{Event, Timestamp, Topic};
use goldenscript::Context;

use crate::arrival::{Arrival, parse};
use crate::commit_metadata::{CommitMetadata, PartitionId, RunEnd};
use crate::merge::Merge;
use crate::toy::swipe_at;
use crate::window::{Assignment, Cut, Cuts, Window};

const TOPIC: Topic = Topic::CardSwipes;

/// What a script can say. Times are of one day: `"11:20"`.
#[derive(goldenscript::Command)]
enum Command {
    /// Swipes of these times are appended to a partition.
    Arrive {
        #[arg(key, optional)]
        partition: usize,
        times: Vec<String>,
    },
    /// Unreadable bytes are appended to a partition.
    Broken {
        #[arg(key, optional)]
        partition: usize,
    },
    /// How long windows are from now on.
    Period { minutes: i64 },
    /// A run begins: it writes down which window it takes, and how far it reads.
    Plan,
    /// A run is made to its end: the one that was planned, or the next.
    Run,
}

/// One partition, and what is committed of it.
#[derive(Default)]
struct Partition {
    log: Vec<Arrival>,
    /// The first offset with a record that no run has processed.
    position: i64,
    /// The text beside it.
    metadata: String,
}

/// A job that forgets everything between two commands: what it knows is in the commits.
struct Runner {
    partitions: [Partition; 2],
    period_ms: i64,
}

fn clock(ts: Timestamp) -> String {
    ts.to_string()[11..16].to_owned()
}

fn time_of(arrival: &Arrival) -> Option<Timestamp> {
    arrival.content.as_ref().ok().and_then(Event::ts)
}

impl Partition {
    fn append(&mut self, number: usize, content: impl FnOnce(i64) -> Arrival) {
        let arrival = content(self.log.len() as i64);
        self.log.push(Arrival { partition: number as i32, ..arrival });
    }

    fn commit_metadata(&self) -> CommitMetadata {
        CommitMetadata::parse(&self.metadata).unwrap_or_default()
    }

    /// The oldest time of a record that waits for a run.
    fn oldest(&self) -> Option<Timestamp> {
        let cut = Cut { done: self.commit_metadata().read, until: Timestamp::MAX };
        let rest = self.log[self.position as usize..].iter();
        let waiting = rest.filter(|arrival| {
            cut.assignment(arrival.offset, arrival.content.as_ref().ok()) != Assignment::Earlier
        });
        waiting.filter_map(time_of).min()
    }
}

impl Runner {
    /// Which window is run next; the plan for it is committed before anything is done.
    fn plan(&mut self) -> Result<Window, Box<dyn Error>> {
        let metadata = self.partitions.each_ref().map(Partition::commit_metadata);
        let planned = metadata
            .iter()
            .find_map(|metadata| Some(Window { start: metadata.plan_start?, end: metadata.plan?.until }));
        if let Some(window) = planned {
            return Ok(window);
        }
        let after = metadata.iter().filter_map(|metadata| Some(metadata.read?.until)).max();
        let oldest = self.partitions.iter().filter_map(Partition::oldest).min();
        let window = Window::next(after, oldest.ok_or("no record waits")?, self.period_ms);
        for (partition, metadata) in self.partitions.iter_mut().zip(metadata) {
            let plan = Some(RunEnd { end: partition.log.len() as i64, until: window.end });
            partition.metadata =
                CommitMetadata { plan, plan_start: Some(window.start), ..metadata }.to_string();
        }
        Ok(window)
    }

    fn run(&mut self) -> Result<String, Box<dyn Error>> {
        let window = self.plan()?;
        let mut output =
            format!("{}: {} to {}\n", window.batch_id("job"), clock(window.start), clock(window.end));
        let mut cuts = Cuts::default();
        let mut merge = Merge::new(self.partitions.len());
        let mut stretches = Vec::new();
        for (number, partition) in self.partitions.iter().enumerate() {
            let CommitMetadata { read, plan, .. } = partition.commit_metadata();
            let place: PartitionId = (TOPIC, number as i32);
            cuts.0.insert(place, Cut { done: read, until: window.end });
            let end = plan.expect("a run is planned before it is made").end;
            stretches.push(partition.log[partition.position as usize..end as usize].iter());
        }
        let mut first_unprocessed = [None; 2];
        loop {
            for silent in merge.silent().collect::<Vec<_>>() {
                if let Some(arrival) = stretches[silent].next() {
                    merge.push(silent, cuts.event_time_order(arrival), arrival);
                }
            }
            let Some(arrival) = merge.next_of_all() else { break };
            let assignment = match cuts.assignment(arrival) {
                Assignment::Earlier => "was processed by an earlier run",
                Assignment::This => "processed",
                Assignment::Later => {
                    first_unprocessed[arrival.partition as usize].get_or_insert(arrival.offset);
                    "left for a later run"
                }
            };
            let time = time_of(arrival).map_or("broken".to_owned(), clock);
            writeln!(output, "  {}/{} {time}: {assignment}", arrival.partition, arrival.offset)?;
        }
        for (partition, first_unprocessed) in self.partitions.iter_mut().zip(first_unprocessed) {
            let plan = partition.commit_metadata().plan.expect("a run is planned before it is made");
            partition.position = first_unprocessed.unwrap_or(plan.end);
            partition.metadata = CommitMetadata { read: Some(plan), ..CommitMetadata::default() }.to_string();
        }
        Ok(output + &self.committed())
    }

    fn committed(&self) -> String {
        let partitions = self.partitions.iter().enumerate();
        let used = partitions.filter(|(_, partition)| !partition.log.is_empty());
        let lines = used.map(|(number, partition)| {
            let CommitMetadata { read, plan, .. } = partition.commit_metadata();
            let shown = |name: &str, read: Option<RunEnd>| {
                read.map_or(String::new(), |RunEnd { end, until }| {
                    format!(", {name} {end} for what is before {}", clock(until))
                })
            };
            let (read, plan) = (shown("has read to", read), shown("will read to", plan));
            format!("commit {number}: offset {}{read}{plan}\n", partition.position)
        });
        lines.collect()
    }
}

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(&mut self, command: &Command, _context: &Context) -> Result<String, Box<dyn Error>> {
        let arrival = |offset, content| Arrival {
            topic: TOPIC,
            partition: 0,
            offset,
            last_offset: offset,
            timestamp_ms: 0,
            content,
            bytes: None,
        };
        match command {
            Command::Arrive { partition, times } => {
                for time in times {
                    let ts: Timestamp = format!("2026-03-03T{time}:00Z").parse()?;
                    let content = Ok(swipe_at(ts, "s", "c", 1));
                    self.partitions[*partition].append(*partition, |offset| arrival(offset, content));
                }
            }
            Command::Broken { partition } => self.partitions[*partition].append(*partition, |offset| {
                arrival(offset, parse(TOPIC, *partition as i32, offset, Some(b"{")))
            }),
            Command::Period { minutes } => self.period_ms = minutes * 60_000,
            Command::Plan => {
                let window = self.plan()?;
                let planned = window.batch_id("job") + " is planned\n";
                return Ok(planned + &self.committed());
            }
            Command::Run => return self.run(),
        }
        Ok(String::new())
    }
}

#[test]
fn window() {
    let runner = Runner { partitions: Default::default(), period_ms: events::HOUR_MS };
    super::run(runner, "window");
}
