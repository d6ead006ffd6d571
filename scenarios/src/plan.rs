//! The plan of a show: its workers, and the options of each.

use std::path::{Path, PathBuf};

use anyhow::Result;
use bill::Lane;
use events::Timestamp;

use crate::business::{Business, Job, Need, Producer, Worker, World};
use crate::businesses::workers_of;
use crate::clock::SimulatedClock;
use crate::history::write_history;
use crate::supervise::WorkerSpec;

/// A show before it starts.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The businesses that run.
    pub businesses: Vec<&'static Business>,
    /// The options of their simulators.
    pub world: World,
    /// Simulated seconds in a second.
    pub speed: f64,
    /// How often the jobs run, in milliseconds of event time.
    pub batch_period_ms: i64,
    /// How long the show's clock runs, in milliseconds of wall-clock time; none for a show that
    /// somebody ends.
    pub length_ms: Option<i64>,
    /// Where things are while it runs.
    pub paths: Paths,
}

/// Where things are while a show runs.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The program of every worker.
    pub program: PathBuf,
    /// The cluster.
    pub bootstrap: String,
    /// The file that says how to get into it: workers are told its name, not what is in it.
    pub client_config: Option<PathBuf>,
    /// A file's name, or the address of a server.
    pub database: String,
    /// The folder of the histories.
    pub folder: PathBuf,
}

impl Paths {
    /// The file of what happened before the show.
    fn history(&self, producer: &Producer) -> PathBuf {
        self.folder.join(format!("past-{}.jsonl", producer.name))
    }
}

impl Plan {
    /// The consumers of the stream lane: who answers should be there when the first question comes.
    pub fn consumers(&self) -> Vec<WorkerSpec> {
        let spec = |worker: &&Worker| {
            let mut command = vec!["consume".to_owned(), worker.name.to_owned()];
            let producer = self.producer_for(worker);
            command.extend(self.told(worker.needs, producer));
            WorkerSpec {
                lane: Some(Lane::Stream),
                group: Some(worker.name.to_owned()),
                history: producer.filter(|_| worker.needs.contains(&Need::History)).map(|of| of.name),
                ..self.worker(worker.name, command)
            }
        };
        workers_of(&self.businesses).iter().map(spec).collect()
    }

    /// The processes that need the show's clock: the jobs of the batch lane, then the producers.
    pub fn producers_and_jobs(&self, clock: &SimulatedClock) -> Vec<WorkerSpec> {
        let jobs = self.businesses.iter().map(|business| self.job(business, clock));
        jobs.chain(self.businesses.iter().map(|business| self.producer(&business.producer, clock))).collect()
    }

    /// The instant of simulated time at which a show of a given length ends; the same however busy
    /// the machine was.
    pub fn end(&self, clock: &SimulatedClock) -> Option<Timestamp> {
        let length = |length_ms: i64| (length_ms as f64 * clock.speed) as i64;
        self.length_ms.map(|length_ms| clock.start.plus_ms(length(length_ms)))
    }

    /// The producers whose histories processors learn from.
    pub fn histories(&self) -> impl Iterator<Item = &'static Producer> {
        self.businesses
            .iter()
            .map(|business| &business.producer)
            .filter(|producer| producer.history.is_some())
    }

    /// Writes the history of a producer, if it has one.
    pub fn write_history(&self, producer: &Producer) -> Result<()> {
        let Some(history) = producer.history else { return Ok(()) };
        write_history(history(&self.world), &self.paths.history(producer))
    }

    fn job(&self, business: &Business, clock: &SimulatedClock) -> WorkerSpec {
        let Job { name, group, needs, .. } = business.job;
        let mut command = vec!["batch".to_owned(), name.to_owned()];
        command.push(format!("--period={}ms", self.batch_period_ms));
        command.extend(self.time(clock));
        command.extend(self.told(needs, Some(&business.producer)));
        WorkerSpec {
            lane: Some(Lane::Batch),
            group: Some(group.to_owned()),
            history: needs.contains(&Need::History).then_some(business.producer.name),
            env: vec![("FRESHET_DATABASE", self.paths.database.clone())],
            ..self.worker(group, command)
        }
    }

    fn producer(&self, producer: &Producer, clock: &SimulatedClock) -> WorkerSpec {
        let mut command = vec!["produce".to_owned(), producer.name.to_owned()];
        command.extend(self.time(clock));
        command.extend(self.end(clock).map(|end| format!("--until={end}")));
        command.extend(self.told(producer.needs, Some(producer)));
        WorkerSpec { bursts: producer.bursts, ..self.worker(producer.name, command) }
    }

    fn worker(&self, name: &str, mut command: Vec<String>) -> WorkerSpec {
        command.extend(["--supervised".into(), "--bootstrap-servers".into(), self.paths.bootstrap.clone()]);
        if let Some(file) = &self.paths.client_config {
            command.extend(["--client-config".into(), file.to_string_lossy().into_owned()]);
        }
        WorkerSpec {
            name: name.to_owned(),
            role: name.to_owned(),
            lane: None,
            group: None,
            bursts: &[],
            history: None,
            program: self.paths.program.clone(),
            args: command,
            env: Vec::new(),
        }
    }

    /// The producer whose history a worker learns from: that of the first business it serves.
    fn producer_for(&self, worker: &Worker) -> Option<&'static Producer> {
        let served = self.businesses.iter().find(|business| worker.serves.contains(&business.id));
        served.map(|business| &business.producer)
    }

    fn time(&self, clock: &SimulatedClock) -> [String; 4] {
        [
            format!("--speed={}", self.speed),
            format!("--seed={}", self.world.seed),
            format!("--start={}", clock.start),
            format!("--started-at={}", clock.started_wall_ms),
        ]
    }

    /// The options that say what a process needs.
    fn told(&self, needs: &[Need], producer: Option<&Producer>) -> Vec<String> {
        let option = |name: &str, path: &Path| vec![name.to_owned(), path.to_string_lossy().into_owned()];
        let one = |need: &Need| match need {
            Need::Map => self.world.map.as_deref().map(|map| option("--map", map)).unwrap_or_default(),
            Need::Drivers => vec![format!("--drivers={}", self.world.drivers)],
            Need::History => producer
                .map(|producer| option("--history", &self.paths.history(producer)))
                .unwrap_or_default(),
        };
        needs.iter().flat_map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::businesses::Scenario;

    fn plan(database: &str) -> Plan {
        Plan {
            businesses: Scenario::named("all").unwrap().businesses,
            world: World { seed: 7, start: Timestamp::from_ms(0), drivers: 5, map: None },
            speed: 60.0,
            batch_period_ms: events::HOUR_MS,
            length_ms: Some(60_000),
            paths: Paths {
                program: "freshet".into(),
                bootstrap: "localhost:9092".into(),
                client_config: None,
                database: database.to_owned(),
                folder: "show".into(),
            },
        }
    }

    #[test]
    fn a_password_stands_on_no_command_line() {
        let plan = plan("postgres://me:secret@localhost/shop");
        let clock = SimulatedClock { started_wall_ms: 0, start: plan.world.start, speed: 60.0 };
        let workers = [plan.consumers(), plan.producers_and_jobs(&clock)].concat();
        for worker in &workers {
            assert!(!worker.args.iter().any(|arg| arg.contains("secret")), "{worker:?}");
        }
        let told: Vec<&str> = workers
            .iter()
            .filter(|worker| worker.env.contains(&("FRESHET_DATABASE", plan.paths.database.clone())))
            .map(|worker| worker.name.as_str())
            .collect();
        assert_eq!(told, ["batch-eta", "batch-fraud", "batch-recommendations"]);
    }

    #[test]
    fn each_process_is_told_the_name_of_the_file_that_has_the_password() {
        let without = plan("warehouse.sqlite");
        let paths = Paths { client_config: Some("c.properties".into()), ..without.paths.clone() };
        let with = Plan { paths, ..without.clone() };
        let clock = SimulatedClock { started_wall_ms: 0, start: with.world.start, speed: 60.0 };
        for (plan, told) in [(with, true), (without, false)] {
            for worker in [plan.consumers(), plan.producers_and_jobs(&clock)].concat() {
                let args = worker.args.join(" ");
                assert_eq!(args.contains("--client-config c.properties"), told, "{args}");
            }
        }
    }

    #[test]
    fn each_process_is_told_what_it_needs() {
        let plan = plan("warehouse.sqlite");
        let clock = SimulatedClock { started_wall_ms: 0, start: plan.world.start, speed: 60.0 };
        let workers = [plan.consumers(), plan.producers_and_jobs(&clock)].concat();
        let args = |name: &str| {
            workers.iter().find(|worker| worker.name == name).map(|worker| worker.args.join(" ")).unwrap()
        };
        assert!(args("gps").contains("--drivers=5"), "{}", args("gps"));
        assert!(args("swipes").contains("--until=1970-01-01T01:00:00.000Z"), "{}", args("swipes"));
        for learner in ["fraud", "batch-fraud"] {
            assert!(args(learner).contains("--history show/past-swipes.jsonl"), "{}", args(learner));
        }
        let waits: Vec<&str> = workers
            .iter()
            .filter(|worker| worker.history.is_some())
            .map(|worker| worker.name.as_str())
            .collect();
        assert_eq!(waits, ["fraud", "recommendations", "batch-fraud", "batch-recommendations"]);
    }
}
