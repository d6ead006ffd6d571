//! `freshet demo`: everything at once.
//!
//! The demo holds nothing that could not run apart: it starts a broker, the workers as processes of
//! their own, and then watches as any outsider could. What it adds is order at the beginning and at
//! the end.

mod disk;
mod hour_before;
mod stall;
mod summary;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bill::{EventTimeBill, Lane};
use broker::{BrokerConfig, Cluster, Listener, SecurityProtocol};
use client::{Admin, Settings, Since};
use dashboard::Snapshot;
use events::Topic;
use scenarios::Interrupted;
use scenarios::business::{Business, Need, Worker, map};
use scenarios::businesses::{ledger_entries, workers_of};
use scenarios::plan::{Paths, Plan};
use scenarios::view::Closing;

use super::screen;
use crate::cli::{DemoArgs, Period};
use crate::metrics::Metrics;
use crate::output::width;
use crate::temporary;
use scenarios::clock::{SimulatedClock, wall_ms};
use scenarios::controller::ShowController;
use scenarios::ledger::audit;
use scenarios::observe::watch::Watch;
use scenarios::observe::{Show, ShowConfig};
use scenarios::supervise::{Order, Supervisor, WorkerSpec};
use scenarios::topics;

use disk::DiskUse;
use hour_before::HourBefore;
use stall::{Progress, StallTimer};
use summary::{BillSummary, BusinessSummary, LaneCost, LiveArrivals, Summary};

/// How long the consumers may take to be there before the first event is sent: the fraud model
/// learns from a history first.
const READY: Duration = Duration::from_mins(1);
/// How long the simulators have to set up their worlds before the show's clock starts, in
/// milliseconds of wall-clock time: one that starts late sends a second's events at once.
const HEAD_START_MS: i64 = 1_200;
/// How long a show that is over may stand still, while consumers and jobs answer what is left.
const DRAIN: Duration = Duration::from_mins(2);
/// Why a show is not waited for, which would be in vain.
const FULL: &str = "the disk is full, so the rest was neither sent nor answered: the bill lacks it";
/// How long a worker may take to end. With the broker's own end it must stay under two seconds.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Runs the show until its time is over, `q`, or Ctrl-C.
pub(crate) fn run(args: &DemoArgs) -> Result<()> {
    let screen = screen::Screen::choose(args.headless, args.format, &args.screen, &args.scenario.businesses)?;
    let mut metrics = Metrics::of(&args.metrics)?;
    let hour = HourBefore::before(args);
    // A bill for a person to look at; a headless show has one at its end. Nothing runs yet that
    // Ctrl-C would have to end.
    let past = (screen.is_terminal() && hour.has_bill()).then(|| hour.bill()).transpose()?;
    let servers = args.bootstrap_servers.as_deref();
    let given = super::connection(servers, args.client_config.as_deref(), super::Sayings::Said)?;
    if given.is_none() {
        disk::enough_files()?;
    }
    let kept = disk::kept(args)?;
    let folder = Folder::open(args.data_dir.as_deref())?;
    disk::warn_if_small(folder.path(), &kept);
    let (broker, settings, shown) = cluster(args, given, folder.path(), metrics.as_mut())?;
    let map = map(args.map.as_deref())?;
    let admin = Admin::connect(&settings, Duration::from_secs(5))?;
    topics::ensure_kept(&admin, Topic::ALL, |topic| kept.retention(topic))?;

    let plan = Plan {
        businesses: args.scenario.businesses.clone(),
        world: args.world(),
        speed: args.time.speed,
        batch_period_ms: args.batch_period.ms(),
        length_ms: args.duration.map(Period::ms),
        paths: Paths {
            program: std::env::current_exe().context("could not find the program's own file")?,
            bootstrap: settings.servers().to_owned(),
            client_config: args.client_config.clone(),
            database: args
                .database
                .clone()
                .unwrap_or_else(|| folder.path().join("warehouse.sqlite").display().to_string()),
            folder: folder.path().to_owned(),
        },
    };
    folder.temporary.names_database(&absolute(&plan.paths.database))?;
    let mut supervisor = Supervisor::default();
    let consumers = plan.consumers();
    let groups = consumers.iter().filter_map(|spec| spec.group.clone()).collect();
    // Workers that learn from a history start when it is written; none waits for that with an empty
    // screen.
    let (learners, others): (Vec<_>, Vec<_>) = consumers.into_iter().partition(|spec| spec.history.is_some());
    for spec in others {
        let name = spec.name.clone();
        supervisor.start(spec).with_context(|| format!("could not start the worker {name}"))?;
    }
    let show = Show::new(ShowConfig {
        name: show_name(args),
        bootstrap: shown,
        clock: None,
        seed: Some(args.time.seed),
        period_ms: args.batch_period.ms(),
        database: Some(lanes::warehouse::shown(&plan.paths.database)),
        map: Arc::clone(&map),
        businesses: plan.businesses.clone(),
        ends: args.headless && args.duration.is_some(),
    });
    let watch = Watch::start(&settings, Since::Beginning)?;
    let mut controller = ShowController::new(
        show,
        watch,
        Admin::connect(&settings, Duration::from_secs(2))?,
        Some(supervisor),
    )
    .with_drivers(has_cars(args).then_some(args.drivers))
    .with_folder(folder.path())
    .with_log_bound(kept, broker.is_some() && args.disk.is_none())
    .with_metrics(metrics.as_mut().map(Metrics::of_show));
    metrics.map(Metrics::serve).transpose()?;
    if !screen.is_terminal() {
        controller.restart_crashed_workers();
    }

    controller.start_later(write_histories(&plan, &learners)?);
    if let Some(past) = past {
        controller.expect_past(past);
    }
    let of_the_others = plan.clone();
    controller.start_when_ready(groups, READY, move |now_ms| {
        let Plan { world, speed, .. } = &of_the_others;
        let clock =
            SimulatedClock { started_wall_ms: now_ms + HEAD_START_MS, start: world.start, speed: *speed };
        (clock, of_the_others.producers_and_jobs(&clock))
    });

    let deadline = args.duration.map(|duration| Duration::from_millis(duration.ms() as u64));
    let how = screen.run(&mut controller, &map, deadline)?;
    screen.say("ending the workers");
    let kept = controller.log_bound().cloned();
    let mut summary = finish(args, &plan, how, controller, &settings, &admin)?;
    summary.disk = kept.map(|kept| DiskUse::new(folder.path(), &kept));
    // Our clients end before the broker, or they would report that it is gone.
    drop(admin);
    if let Some(broker) = broker {
        broker.shutdown()?;
    }
    screen.summary(&summary.text(width(), args.verbose), &summary.json())?;
    drop(folder);
    match how {
        screen::Left::Interrupted => return Err(Interrupted.into()),
        screen::Left::Time | screen::Left::Quit | screen::Left::Unread => {}
    }
    if summary.failed.is_empty() { Ok(()) } else { bail!("{}", summary.failed.join("; ")) }
}

/// The show's own broker, unless a cluster is given; how the show's processes reach it, and what a
/// person is shown of where it is.
fn cluster(
    args: &DemoArgs,
    given: Option<Settings>,
    folder: &Path,
    metrics: Option<&mut Metrics>,
) -> Result<(Option<Cluster>, Settings, String)> {
    let (broker, settings, shown) = if let Some(settings) = given {
        let shown = settings.servers().to_owned();
        (None, settings, shown)
    } else {
        let (broker, own) = embedded_broker(args, folder, metrics)?;
        let shown = broker.bootstrap_servers();
        (Some(broker), Settings::new(own), shown)
    };
    Ok((broker, settings.with_client_id("freshet"), shown))
}

/// The show's own broker, and where its own processes reach it.
///
/// An address that is advertised is meant for others, and need not be reachable from here; nor do
/// the show's processes speak TLS. Then there is one more listener, on this machine alone, that
/// tells its clients itself.
fn embedded_broker(
    args: &DemoArgs,
    folder: &Path,
    metrics: Option<&mut Metrics>,
) -> Result<(Cluster, String)> {
    let mut listeners = args.listen.listeners()?;
    let usable = listeners.iter().position(|listener| {
        listener.advertised.is_none() && listener.protocol == SecurityProtocol::Plaintext
    });
    let own = usable.unwrap_or_else(|| {
        listeners.push(Listener::on_this_machine());
        listeners.len() - 1
    });
    let beside = metrics.as_deref().and_then(Metrics::address);
    let config = BrokerConfig {
        listeners,
        certificate: args.listen.certificate(),
        users: args.listen.users()?,
        num_partitions: topics::PARTITIONS,
        auto_create_topics: !args.no_auto_create,
        request_metrics: metrics.map(Metrics::of_requests),
        ..BrokerConfig::new(folder.join("log"))
    };
    let broker = super::broker::start(config, beside)?;
    super::broker::say_how_to_connect(&broker);
    let servers = broker.listening()[own].bootstrap_servers();
    Ok((broker, servers))
}

/// Writes the histories of the show, and hands on who learns from each when it is there.
///
/// A thread each: the longest decides when the show's clock can start.
fn write_histories(
    plan: &Plan,
    learners: &[WorkerSpec],
) -> Result<Receiver<Result<Vec<WorkerSpec>, String>>> {
    let (written, history) = channel();
    for producer in plan.histories() {
        let (plan, written) = (plan.clone(), written.clone());
        let its = learners.iter().filter(|spec| spec.history == Some(producer.name));
        let its: Vec<WorkerSpec> = its.cloned().collect();
        thread::Builder::new().name(format!("history-{}", producer.name)).spawn(move || {
            let done = plan.write_history(producer).map(|()| its).map_err(|error| format!("{error:#}"));
            let _ = written.send(done);
        })?;
    }
    Ok(history)
}

/// Ends the workers in order: who asks first, then, when all is answered, who answers.
fn finish(
    args: &DemoArgs,
    plan: &Plan,
    how: screen::Left,
    mut controller: ShowController,
    settings: &Settings,
    admin: &Admin,
) -> Result<Summary> {
    let ended_ms = wall_ms();
    let clock = controller.show.clock();
    // Only a show that has come to its end is waited for until all of it is answered. One that a
    // person ends earlier ends at once.
    let mut failed = Vec::new();
    let is_full = controller.disk_is_full();
    if is_full {
        failed.push(FULL.to_owned());
    }
    let patient = args.headless && how == screen::Left::Time && !is_full;
    if patient {
        // Each producer ends by itself when it has sent the show's last event, a moment after its
        // time on a busy machine.
        let sent = |controller: &mut ShowController, _: &Snapshot| !controller.any_runs(None);
        failed.extend(await_all(&mut controller, "its last events were not sent", sent));
    }
    controller.order(None, Order::Stop);
    if patient {
        controller.order(Some(Lane::Batch), Order::Close);
        failed.extend(drain(&mut controller));
        // Who still waits for something that is away, such as the database, has not done its part.
        failed.extend(controller.waiting().map(|(worker, what)| format!("{worker}: {what}")));
    }
    let snapshot = controller.snapshot();
    let costs = [Lane::Stream, Lane::Batch]
        .into_iter()
        .filter_map(|lane| {
            Some(LaneCost::new(lane.name(), controller.cpu_s(lane)?, controller.show.lanes.records(lane)))
        })
        .collect();
    if let Some(supervisor) = controller.supervisor.take() {
        let unwell: Vec<String> = supervisor
            .workers()
            .iter()
            .filter(|worker| worker.failed())
            .map(|worker| format!("{} {}", worker.spec.name, worker.how_it_is()))
            .collect();
        if patient {
            failed.extend(unwell);
        }
        for name in supervisor.shutdown(PATIENCE) {
            tracing::warn!("{name} did not end in time and was killed");
        }
    }
    let mut businesses = Vec::new();
    // The log decides, not a worker that may have lost something. Of a show that ends before all is
    // answered, the screen has seen what there is to know.
    let sums = if patient {
        let ledger = audit(settings, admin, &ledger_entries(&plan.businesses), None, |_| {})?;
        let sums = ledger.sums();
        failed.extend(sums.iter().filter_map(|(pair, sums)| super::ledger::wrong(&ledger, *pair, sums)));
        sums
    } else {
        controller.show.ledger()
    };
    let waited_for = workers_of(&plan.businesses).into_iter();
    for Worker { name: business, .. } in waited_for.filter(|worker| worker.freshness.is_some()) {
        let of_business = sums.iter().find(|(pair, _)| pair.group == *business).map(|(_, sums)| *sums);
        let (events_in, answers_out) = controller.show.lanes.counts(business);
        let freshness =
            snapshot.lanes.data.freshness.iter().find(|freshness| freshness.business == *business);
        businesses.push(BusinessSummary {
            business,
            events_in,
            answers_out,
            freshness_p50_ms: freshness.and_then(|freshness| freshness.p50_ms),
            freshness_p99_ms: freshness.and_then(|freshness| freshness.p99_ms),
            ledger: of_business,
        });
    }
    let bill = match (controller.show.event_time_bill.as_mut(), clock) {
        (Some(bill), Some(clock)) => {
            // A person who pressed `q` saw a show without an end: what was said in its last moments
            // is still on its way.
            let end = plan.end(&clock).filter(|_| patient);
            let end = end.unwrap_or_else(|| clock.simulated(ended_ms).plus_ms(-60_000));
            BillSummary::from(bill.finish(end))
        }
        _ => (&controller.show.bill).into(),
    };
    let mut replays = controller.show.event_time_bill.iter().flat_map(EventTimeBill::live_vs_replay);
    let live_arrivals = replays.next().map(|(business, apart)| LiveArrivals::new(business, apart));
    let closings: Vec<Closing> = plan
        .businesses
        .iter()
        .filter_map(|business| business.closing)
        .map(|closing| closing(&snapshot))
        .collect();
    Ok(Summary {
        lasted_s: clock.map_or(0.0, |clock| (ended_ms - clock.started_wall_ms) as f64 / 1000.0),
        speed: args.time.speed,
        simulated_s: clock.map_or(0.0, |clock| clock.simulated(ended_ms).since_seconds(clock.start)),
        businesses,
        closing_sentences: closings.iter().map(|closing| closing.sentence.clone()).collect(),
        closing: closings.into_iter().map(|closing| (closing.key, closing.json)).collect(),
        dead_letters: controller.show.dead_letters(),
        costs,
        bill,
        live_arrivals,
        wall_clock_bill: (&controller.show.bill).into(),
        failed,
        disk: None,
    })
}

/// Waits until both lanes have read everything, the batch jobs by a last run, and the screen has
/// seen it. What is missing, if nothing comes any more.
fn drain(controller: &mut ShowController) -> Option<String> {
    // The first polls may have been made before the last records were sent.
    let (mut quiet, mut said) = (0, false);
    await_all(controller, "its last events were not answered", |controller, snapshot| {
        if let Some((worker, what)) = controller.waiting().next().filter(|_| !said) {
            said = true;
            tracing::warn!(
                "the show is over, and {worker} is waited for until nothing comes for {} s: {what}",
                DRAIN.as_secs()
            );
        }
        // A job's group has committed all that it will when its last run is out. Who has committed
        // nothing yet is still on its way.
        let lag = |id: &String| snapshot.groups.data.iter().find(|group| group.id == *id)?.lag_records;
        let all_read =
            !controller.awaits_restart() && controller.groups_at_work().iter().all(|id| lag(id) == Some(0));
        let still = snapshot.topics.data.iter().all(|topic| topic.in_per_second.unwrap_or(0.0) <= 0.0);
        quiet = if all_read && still && controller.show.has_read_all() { quiet + 1 } else { 0 };
        quiet >= 4
    })
}

/// Takes observations until they are as they should be. What they are `otherwise`, if they still
/// are not so and nothing has come for [`DRAIN`].
#[expect(clippy::disallowed_methods, reason = "the edge: patience is measured in wall-clock time")]
fn await_all(
    controller: &mut ShowController,
    otherwise: &str,
    mut is_so: impl FnMut(&mut ShowController, &Snapshot) -> bool,
) -> Option<String> {
    let mut stall = StallTimer::new(DRAIN);
    loop {
        let snapshot = controller.snapshot();
        if is_so(controller, &snapshot) {
            return None;
        }
        if controller.disk_is_full() {
            return Some(FULL.to_owned());
        }
        if stall.has_stalled(std::time::Instant::now(), Progress::of(&snapshot)) {
            let seconds = DRAIN.as_secs();
            return Some(format!(
                "the show has ended, {otherwise}, and for {seconds} s nothing more came: the bill lacks them"
            ));
        }
        controller.take_in(Duration::from_millis(100));
    }
}

/// Whether cars drive in the show.
fn has_cars(args: &DemoArgs) -> bool {
    let needs_map = |business: &&Business| business.producer.needs.contains(&Need::Map);
    args.scenario.businesses.iter().any(needs_map)
}

/// What the first line calls the show: its city, or that of the map's file; a scenario without
/// streets by its own name.
fn show_name(args: &DemoArgs) -> String {
    if !has_cars(args) {
        return args.scenario.name.to_owned();
    }
    let file = args.map.as_deref().and_then(Path::file_stem);
    file.map_or_else(|| "la serena".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// A database's name as it is found from any directory, without its password.
fn absolute(database: &str) -> String {
    let file = (!database.contains("://")).then(|| std::path::absolute(database).ok()).flatten();
    file.map_or_else(|| lanes::warehouse::shown(database), |file| file.display().to_string())
}

/// Where the log and the database are while the show runs.
struct Folder {
    /// A folder that stays, if one is given.
    given: Option<PathBuf>,
    /// Everything else; `freshet report` finds the show by it.
    temporary: temporary::Folder,
}

impl Folder {
    fn open(given: Option<&Path>) -> Result<Self> {
        let Some(path) = given else {
            return Ok(Self { given: None, temporary: temporary::Folder::new()? });
        };
        if path.exists() && !path.is_dir() {
            bail!("{} is a file, not a folder: pass another --data-dir", path.display());
        }
        DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(|| {
            format!("could not make the folder {}: pass another --data-dir", path.display())
        })?;
        let mut inside =
            std::fs::read_dir(path).with_context(|| format!("could not look into {}", path.display()))?;
        if inside.next().is_some() {
            bail!("{} is not empty: a show begins from nothing, so pass an empty --data-dir", path.display());
        }
        Ok(Self { given: Some(path.to_owned()), temporary: temporary::Folder::new()? })
    }

    fn path(&self) -> &Path {
        self.given.as_deref().unwrap_or(self.temporary.path())
    }
}
