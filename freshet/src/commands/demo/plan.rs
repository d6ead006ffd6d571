//! What a show consists of: its workers, and what each is told.

use std::path::{Path, PathBuf};

use crate::cli::{DemoArgs, Scenario};
use scenarios::clock::Clock;
use scenarios::supervise::WorkerSpec;

/// Which businesses run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Businesses {
    pub(super) rides: bool,
    pub(super) payments: bool,
    pub(super) shop: bool,
}

impl From<Scenario> for Businesses {
    fn from(scenario: Scenario) -> Self {
        let all = scenario == Scenario::All;
        Self {
            rides: all || scenario == Scenario::RideShare,
            payments: all || scenario == Scenario::Payments,
            shop: all || scenario == Scenario::Shop,
        }
    }
}

impl Businesses {
    /// Rides, payments, the shop.
    pub(super) fn in_order(self) -> [bool; 3] {
        [self.rides, self.payments, self.shop]
    }
}

/// Where things are while a show runs.
pub(super) struct Paths {
    pub(super) program: PathBuf,
    pub(super) bootstrap: String,
    /// A file's name, or the address of a server.
    pub(super) database: String,
    /// The past of the card holders, from which the fraud model learns before the first swipe.
    pub(super) swipes: PathBuf,
    /// The past of the shop, from which the recommender learns before the first click.
    pub(super) clicks: PathBuf,
}

/// The consumers of the stream lane: who answers should be there when the first question comes.
pub(super) fn consumers(args: &DemoArgs, places: &Paths) -> Vec<WorkerSpec> {
    let run = Businesses::from(args.scenario);
    let map = map(args);
    let consume = |what: &str, more: &[String]| {
        let command = [&["consume".to_owned(), what.to_owned()], more].concat();
        worker(places, what, Some(what), command)
    };
    let mut all = Vec::new();
    if run.rides {
        all.push(consume("eta", &map));
        all.push(consume("traffic", &map));
    }
    if run.payments {
        all.push(consume("fraud", &history(&places.swipes)));
    }
    if run.shop {
        all.push(consume("recommendations", &history(&places.clicks)));
    }
    if run.rides || run.payments {
        all.push(consume("notifications", &[]));
    }
    all
}

/// Those who need the show's clock: the producers, and the jobs of the batch lane.
pub(super) fn producers_and_jobs(args: &DemoArgs, clock: &Clock, places: &Paths) -> Vec<WorkerSpec> {
    let run = Businesses::from(args.scenario);
    let map = map(args);
    let time = [
        format!("--speed={}", args.time.speed),
        format!("--seed={}", args.time.seed),
        format!("--start={}", clock.start),
        format!("--started-at={}", clock.started_wall_ms),
    ];
    let batch = |what: &str, more: &[String]| {
        let name = format!("batch-{what}");
        let mut command = vec!["batch".to_owned(), what.to_owned()];
        command.push(format!("--period={}", args.batch_period));
        command.extend_from_slice(&time);
        command.extend_from_slice(more);
        let env = vec![("FRESHET_DATABASE", places.database.clone())];
        WorkerSpec { env, ..worker(places, &name, Some(&name), command) }
    };
    let until: Vec<String> = args.end(clock).iter().map(|end| format!("--until={end}")).collect();
    let produce = |what: &str, more: &[String]| {
        let command = [&["produce".to_owned(), what.to_owned()], &time[..], &until, more].concat();
        worker(places, what, None, command)
    };
    let mut all = Vec::new();
    if run.rides {
        all.push(batch("eta", &map));
    }
    if run.payments {
        all.push(batch("fraud", &history(&places.swipes)));
    }
    if run.shop {
        all.push(batch("recommendations", &history(&places.clicks)));
    }
    if run.rides {
        let drivers = format!("--drivers={}", args.drivers);
        all.push(produce("gps", &[&[drivers], &map[..]].concat()));
    }
    if run.payments {
        all.push(produce("swipes", &[]));
    }
    if run.shop {
        all.push(produce("clicks", &[]));
    }
    all
}

fn worker(places: &Paths, name: &str, group: Option<&str>, mut command: Vec<String>) -> WorkerSpec {
    command.extend(["--supervised".into(), "--bootstrap-servers".into(), places.bootstrap.clone()]);
    WorkerSpec {
        name: name.to_owned(),
        role: name.to_owned(),
        group: group.map(str::to_owned),
        program: places.program.clone(),
        args: command,
        env: Vec::new(),
    }
}

fn map(args: &DemoArgs) -> Vec<String> {
    args.map.iter().flat_map(|map| ["--map".to_owned(), text(map)]).collect()
}

fn history(path: &Path) -> [String; 2] {
    ["--history".to_owned(), text(path)]
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    #[test]
    fn a_password_stands_on_no_command_line() {
        let Command::Demo(args) = Cli::parse_from(["freshet", "demo"]).command else { panic!("a demo") };
        let database = "postgres://me:secret@localhost/shop".to_owned();
        let places = Paths {
            program: "freshet".into(),
            bootstrap: "localhost:9092".into(),
            database: database.clone(),
            swipes: "swipes".into(),
            clicks: "clicks".into(),
        };
        let clock = Clock { started_wall_ms: 0, start: args.time.start, speed: 60.0 };
        let workers = [consumers(&args, &places), producers_and_jobs(&args, &clock, &places)].concat();
        for worker in &workers {
            assert!(!worker.args.iter().any(|arg| arg.contains("secret")), "{worker:?}");
        }
        let told: Vec<&str> = workers
            .iter()
            .filter(|worker| worker.env.contains(&("FRESHET_DATABASE", database.clone())))
            .map(|worker| worker.name.as_str())
            .collect();
        assert_eq!(told, ["batch-eta", "batch-fraud", "batch-recommendations"]);
    }
}
