//! The `freshet` binary: it puts the parts together and starts them.
//!
//! Every part is a process of this one program (`freshet produce gps`, `freshet consume eta`, …).
//! Here stand the command line and the commands; what they put together stands in the other crates.
//!
//! Exit codes: 0 done, 1 an expectation failed or something broke, 2 wrong usage, 3 could not
//! connect, 128 and the number of the signal that ended it (Ctrl-C: 130).

#![cfg_attr(not(test), deny(clippy::wildcard_enum_match_arm))]
// Whatever is written goes through `output`, which makes it harmless.
#![deny(clippy::print_stdout, clippy::print_stderr)]

#[macro_use]
mod output;

mod cli;
mod commands;
mod fields;
mod metrics;
mod progress;
mod repeated;
mod screen_lines;
mod temporary;
mod worker_lines;
mod xdg;

use std::process::ExitCode;

use text::escape;
use tikv_jemallocator::Jemalloc;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::format::debug_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use cli::{Cli, Command};
use repeated::OnceASecond;
use scenarios::control;
use screen_lines::SaidOnScreen;
use worker_lines::WorkerLines;

/// A show is a dozen processes of a dozen threads, whose memory is mostly short-lived: fetched
/// records, answers, rows. What glibc keeps of it, scattered over an arena for each thread, was a
/// fifth of all. How this one is set stands in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    let cli = command_line();
    // Words go to standard error, data to standard output; what librdkafka mutters is for those who
    // ask (RUST_LOG=debug).
    let wanted =
        || EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,progress=info"));
    let harmless = debug_fn(|out, _, value| write!(out, "{}", escape(&format!("{value:?}"))));
    let words = tracing_subscriber::fmt::layer()
        .fmt_fields(harmless.delimited(" "))
        .with_writer(screen_lines::stderr)
        .with_target(false)
        .without_time()
        .with_ansi(
            std::env::var_os("NO_COLOR").is_none() && std::io::IsTerminal::is_terminal(&std::io::stderr()),
        )
        .map_event_format(OnceASecond::new)
        .with_filter(wanted());
    let on_screen = SaidOnScreen.with_filter(wanted());
    let lines = cli.command.is_supervised().then(|| WorkerLines.with_filter(filter_fn(WorkerLines::takes)));
    tracing_subscriber::registry().with(words).with(on_screen).with(lines).init();
    let done = match cli.command {
        Command::Demo(args) => commands::demo::run(&args),
        Command::Broker(args) => commands::broker::run(&args),
        Command::Produce(args) => commands::produce::run(&args),
        Command::Consume(args) => commands::consume::run(&args),
        Command::Batch(args) => commands::batch::run(&args),
        Command::Report(args) => commands::report::run(&args),
        Command::Dashboard(args) => commands::dashboard::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Tail(args) => commands::tail::run(&args),
        Command::Topics(args) => commands::topics::run(&args),
        Command::Brokers(args) => commands::brokers::run(&args),
        Command::Groups(args) => commands::groups::run(&args),
        Command::Send(args) => commands::send::run(&args),
        Command::Record(args) => commands::record::run(&args),
        Command::Replay(args) => commands::replay::run(&args),
        Command::Ledger(args) => commands::ledger::run(&args),
        Command::Compare(args) => commands::compare::run(&args),
        Command::Map(command) => commands::map::run(&command),
        Command::Bench(command) => commands::bench::run(&command),
        Command::Manual(args) => commands::manual::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say!("freshet: {}", sentence(&error));
            ExitCode::from(code(&error))
        }
    }
}

/// What is said to who asks for nothing: each of the three who come finds a beginning.
const WHAT_TO_TRY: [&str; 4] = [
    "see it:            freshet demo",
    "connect your code: freshet broker, a Kafka on localhost:9092 for any client",
    "test with it:      the pytest fixture `kafka`, or `with freshet.Broker() as broker:` in Python",
    "freshet --help lists everything",
];

/// What is asked for. Of a wrong argument clap says what it is: so it is told of it once more,
/// harmless.
fn command_line() -> Cli {
    if std::env::args_os().len() < 2 {
        for line in WHAT_TO_TRY {
            say!("{line}");
        }
        std::process::exit(2);
    }
    Cli::read(std::env::args_os()).unwrap_or_else(|error| {
        let harmless = std::env::args_os().map(|argument| escape(&argument.to_string_lossy()).into_owned());
        Cli::read(harmless).err().unwrap_or(error).exit()
    })
}

/// What happened and why, in one sentence. Some errors quote their cause themselves; it is not said
/// twice.
fn sentence(error: &anyhow::Error) -> String {
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !said.contains(&cause) {
            said += &format!(": {cause}");
        }
    }
    said
}

/// The exit code that says what kind of failure it was.
fn code(error: &anyhow::Error) -> u8 {
    use client::ClusterError;
    use lanes::warehouse::WarehouseError;
    let unreachable = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<ClusterError>().is_some_and(ClusterError::is_outage)
            || cause.downcast_ref::<WarehouseError>().is_some_and(WarehouseError::is_outage)
    };
    if error.downcast_ref::<scenarios::Interrupted>().is_some() {
        control::exit_code_of_signal().unwrap_or(130)
    } else if error.chain().any(unreachable) {
        3
    } else {
        1
    }
}
