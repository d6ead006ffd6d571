//! How each question gets one answer, however often the worker dies.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::error::Error;

use events::{Event, Source, Topic};
use goldenscript::Context;
use processor::Processor;

use crate::arrival::{Arrival, parse};
use crate::commit_metadata::{CommitMetadata, PartitionId};
use crate::merge::Next;
use crate::published_answers::PublishedAnswers;
use crate::task::Task;
use crate::toy::{Toy, swipe};

const QUESTIONS: Topic = Topic::CardSwipes;
const ANSWERS: [Topic; 2] = [Topic::FraudDecisions, Topic::DeadLetters];

/// What a script can say.
#[derive(goldenscript::Command)]
enum Command {
    /// The cluster has so many more of the answers that were sent, or all.
    Acknowledge { answers: Option<usize> },
    /// Shows all answers on the cluster.
    Answers,
    /// A question that can't be read.
    Broken { value: String },
    /// Waits until the cluster has all answers, then commits.
    Commit,
    /// The worker dies. What it knew is gone, and the answers that were not acknowledged.
    Crash,
    /// Retention takes all questions before an offset.
    Expire { before: i64 },
    /// Processes so many questions, or all that are there.
    Process { questions: Option<usize> },
    /// A worker starts: what it knows is the log and the last commit.
    Start,
    /// A question is appended to the log: `swipe s0 alice`.
    Swipe { id: String, card: String },
}

/// What the cluster has: the partition 0 of each topic, and the group's commit.
struct Cluster {
    questions: Vec<Arrival>,
    /// The first of them that retention has left.
    earliest: i64,
    /// By topic, each with the header that says what it answers.
    answers: BTreeMap<Topic, Vec<(String, Event)>>,
    /// The offset, and the text beside it.
    committed: (i64, String),
}

/// What a worker has while it lives.
struct Worker {
    task: Task,
    /// The next offset that its client fetches.
    fetched: i64,
    /// Answers that are on their way.
    sent: VecDeque<(String, Event)>,
    /// One past the last acknowledged answer on a topic.
    ends: BTreeMap<PartitionId, i64>,
}

struct Runner {
    cluster: Cluster,
    worker: Option<Worker>,
}

fn shown(answer: &Event) -> String {
    match answer {
        Event::FraudDecisions(decision) => format!("{} {}", decision.swipe_id, decision.reasons.join(" ")),
        Event::DeadLetters(letter) => letter.error.clone(),
        other => panic!("the toy answers no {}", other.topic()),
    }
}

impl Cluster {
    fn append(&mut self, content: impl FnOnce(i64) -> Arrival) {
        let offset = self.questions.len() as i64;
        self.questions.push(content(offset));
    }

    /// What [`rebuild`](crate::rebuild) does with topics.
    fn start(&self) -> (Worker, String) {
        let (committed, text) = &self.committed;
        let position = (*committed).max(self.earliest);
        let metadata = CommitMetadata::parse(text).unwrap_or_default();
        let mut toy = Toy::default();
        let past = &self.questions[self.earliest as usize..position as usize];
        past.iter().filter_map(|question| question.content.as_ref().ok()).for_each(|event| toy.learn(event));
        let (mut answered, mut answers_from) = (PublishedAnswers::default(), BTreeMap::new());
        for topic in ANSWERS {
            let from = metadata.answers_from.get(&(topic, 0)).copied().unwrap_or(0);
            for (source, _) in &self.answers[&topic][from as usize..] {
                let source = Source::parse(source.as_bytes()).expect("the source was written by us");
                if source.offset >= position {
                    answered.note(source.topic, source.offset, topic);
                }
            }
            answers_from.insert((topic, 0), from);
        }
        let output = format!("learnt from {}, found {} answered\n", past.len(), answered.len());
        let task = Task::new(0, Box::new(toy), &[(QUESTIONS, position)], answered, answers_from);
        (Worker { task, fetched: position, sent: VecDeque::new(), ends: BTreeMap::new() }, output)
    }

    /// Takes an answer, and returns where it lies.
    fn take(&mut self, source: String, answer: Event) -> (PartitionId, i64) {
        let topic = answer.topic();
        let log = self.answers.get_mut(&topic).expect("the toy answers on these topics");
        log.push((source, answer));
        ((topic, 0), log.len() as i64)
    }
}

impl Worker {
    fn process(&mut self, cluster: &Cluster, most: usize) -> String {
        let mut output = String::new();
        for _ in 0..most {
            let gaps = self.task.feed(|_| {
                let next = self.fetched.max(cluster.earliest);
                let question = cluster.questions.get(next as usize).cloned();
                self.fetched = next + i64::from(question.is_some());
                Ok::<_, Infallible>(question)
            });
            let Ok(gaps) = gaps;
            for gap in gaps {
                output += &format!("offsets {}..{} are gone\n", gap.from, gap.to);
            }
            let Next::Take(question) = self.task.next(i64::MAX) else { break };
            let (source, last_offset) =
                (Source { topic: QUESTIONS, partition: 0, offset: question.offset }, question.last_offset);
            let mut answers = Vec::new();
            let outcome = self.task.process(question, &mut answers);
            if outcome.already_answered > 0 {
                output += &format!("{source} was answered before\n");
            }
            for answer in answers {
                output += &format!("{source} is answered: {}\n", shown(&answer));
                self.sent.push_back((source.to_string(), answer));
            }
            self.task.answered(source.topic, last_offset);
        }
        output
    }

    fn acknowledge(&mut self, cluster: &mut Cluster, most: usize) {
        for (source, answer) in self.sent.drain(..most.min(self.sent.len())) {
            let (place, end) = cluster.take(source, answer);
            self.ends.insert(place, end);
        }
    }

    fn commit(&mut self, cluster: &mut Cluster) -> (i64, String) {
        self.acknowledge(cluster, usize::MAX);
        let metadata = self.task.commit_metadata(|place| self.ends.get(&place).copied());
        let (_, position) = self.task.positions().next().expect("the task has one input");
        (position, metadata.to_string())
    }
}

impl Runner {
    fn new() -> Self {
        let answers = ANSWERS.map(|topic| (topic, Vec::new())).into();
        let committed = (0, String::new());
        Self { cluster: Cluster { questions: Vec::new(), earliest: 0, answers, committed }, worker: None }
    }
}

impl goldenscript::Runner for Runner {
    type Command = Command;

    fn run(&mut self, command: &Command, _context: &Context) -> Result<String, Box<dyn Error>> {
        let cluster = &mut self.cluster;
        let arrival = |offset, content| Arrival {
            topic: QUESTIONS,
            partition: 0,
            offset,
            last_offset: offset,
            timestamp_ms: offset,
            content,
            bytes: None,
        };
        match command {
            Command::Swipe { id, card } => cluster.append(|offset| arrival(offset, Ok(swipe(id, card, 100)))),
            Command::Broken { value } => {
                cluster.append(|offset| arrival(offset, parse(QUESTIONS, 0, offset, Some(value.as_bytes()))));
            }
            Command::Expire { before } => cluster.earliest = *before,
            Command::Start => {
                let (worker, output) = cluster.start();
                self.worker = Some(worker);
                return Ok(output);
            }
            Command::Crash => self.worker = None,
            Command::Answers => {
                let lines = cluster.answers.iter().flat_map(|(topic, answers)| {
                    answers.iter().zip(0..).map(move |((source, answer), offset)| {
                        format!("{topic}/0/{offset} to {source}: {}\n", shown(answer))
                    })
                });
                return Ok(lines.collect());
            }
            Command::Process { questions } => {
                let worker = self.worker.as_mut().ok_or("no worker is alive")?;
                return Ok(worker.process(cluster, questions.unwrap_or(usize::MAX)));
            }
            Command::Acknowledge { answers } => {
                let worker = self.worker.as_mut().ok_or("no worker is alive")?;
                worker.acknowledge(cluster, answers.unwrap_or(usize::MAX));
            }
            Command::Commit => {
                let worker = self.worker.as_mut().ok_or("no worker is alive")?;
                cluster.committed = worker.commit(cluster);
                let (position, text) = &cluster.committed;
                return Ok(format!("offset {position}, {text}\n"));
            }
        }
        Ok(String::new())
    }
}

#[test]
fn task() {
    super::run(Runner::new(), "task");
}
