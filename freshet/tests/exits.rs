//! However a show ends, it leaves no process and no folder, and says by its code what ended it.

#![expect(clippy::unwrap_used, reason = "a test stops at the first thing that is not as expected")]
#![expect(clippy::disallowed_methods, reason = "waiting for other processes takes wall-clock time")]

mod common;

use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{PATIENCE, children, freshet, lines, signal, until};

/// Starts a show of one business and sends it `times` signals. What it said last.
fn ended_by(name: &str, number: i32, times: u32, options: &[&str]) -> Vec<String> {
    let case = format!("{name} x {times} {options:?}");
    let temporary = tempfile::tempdir().unwrap();
    let mut show = freshet()
        .args(["demo", "--headless", "--listen", "127.0.0.1:0", "--scenario", "ride-share", "--drivers", "5"])
        .args(options)
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = lines(show.stdout.take().unwrap());
    said.recv_timeout(PATIENCE).expect("a line a second");
    until("all workers are there", || children(show.id()).len() >= 4);
    said.recv_timeout(PATIENCE).expect("a line a second");
    let workers = children(show.id());
    let began = Instant::now();
    for _ in 0..times {
        signal(show.id(), name);
    }
    let status = show.wait().unwrap();
    let took = began.elapsed();
    assert_eq!(status.code(), Some(128 + number), "{case}");
    // Two seconds are promised, where no other test runs beside.
    assert!(took < Duration::from_secs(3), "{case} took {took:?}");
    until(&case, || workers.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()));
    let left: Vec<_> =
        std::fs::read_dir(temporary.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{case} leaves {left:?}");
    said.iter().collect()
}

#[test]
fn a_show_that_gets_one_signal_ends_in_order_whether_or_not_it_has_a_duration() {
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        for options in [&[][..], &["--duration", "60s"]] {
            let said = ended_by(name, number, 1, options);
            assert!(said.iter().any(|line| line.starts_with("The bill (quote this)")), "a summary: {said:?}");
        }
    }
}

#[test]
fn a_show_that_gets_two_signals_ends_at_once_and_leaves_nothing_either() {
    for (name, number) in [("INT", 2), ("TERM", 15)] {
        ended_by(name, number, 2, &["--duration", "60s"]);
    }
}

#[test]
fn a_broker_that_gets_a_signal_says_so_as_service_managers_expect() {
    let folder = tempfile::tempdir().unwrap();
    for (name, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        let mut broker = freshet()
            .args(["broker", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder.path().join(name))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        lines(broker.stdout.take().unwrap()).recv_timeout(PATIENCE).expect("it listens");
        signal(broker.id(), name);
        assert_eq!(broker.wait().unwrap().code(), Some(128 + number), "{name}");
    }
}

/// So it serves a program in any language, and is gone whatever becomes of that.
#[test]
fn a_supervised_broker_ends_with_its_standard_input_and_takes_its_folder_along() {
    let temporary = tempfile::tempdir().unwrap();
    let mut broker = freshet()
        .args(["broker", "--listen", "127.0.0.1:0", "--temporary", "--supervised"])
        .env("TMPDIR", temporary.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    lines(broker.stdout.take().unwrap()).recv_timeout(PATIENCE).expect("it listens");
    let folders = || std::fs::read_dir(temporary.path()).unwrap().count();
    assert_eq!(folders(), 1);
    writeln!(broker.stdin.as_mut().unwrap(), "pause").unwrap();
    drop(broker.stdin.take());
    assert_eq!(broker.wait().unwrap().code(), Some(0));
    assert_eq!(folders(), 0);
}

#[test]
fn who_asks_for_nothing_is_told_what_to_try() {
    let said = freshet().output().unwrap();
    assert_eq!(said.status.code(), Some(2));
    let words = String::from_utf8(said.stderr).unwrap();
    for try_it in ["see it:            freshet demo\n", "freshet broker", "freshet.Broker()", "--help"] {
        assert!(words.contains(try_it), "{words}");
    }
}

#[test]
fn the_manual_has_a_page_for_each_command_and_completes_in_each_shell() {
    let folder = tempfile::tempdir().unwrap();
    let done = freshet().arg("manual").arg(folder.path()).output().unwrap();
    assert!(done.status.success());
    let share = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let help = String::from_utf8(freshet().arg("-h").output().unwrap().stdout).unwrap();
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let lines = commands.lines().take_while(|line| !line.is_empty());
    let names =
        lines.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    let commands: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(commands.contains(&"broker") && commands.contains(&"manual"), "{help}");
    for command in &commands {
        assert!(share(&format!("man/man1/freshet-{command}.1")).contains("SYNOPSIS"), "{command}");
    }
    let completions = [
        "bash-completion/completions/freshet.bash",
        "fish/vendor_completions.d/freshet.fish",
        "zsh/site-functions/_freshet",
    ];
    for name in completions {
        let text = share(name);
        for word in commands.iter().chain(&["bootstrap-servers"]) {
            assert!(text.contains(word), "{name}: {word}");
        }
    }
    let ask =
        "source $0; COMP_WORDS=(freshet to); COMP_CWORD=1; _freshet freshet to freshet; echo $COMPREPLY";
    let asked =
        Command::new("bash").args(["-c", ask]).arg(folder.path().join(completions[0])).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&asked.stdout), "topics\n", "{asked:?}");
}

/// On every address it says who may come in; the folder that it makes is for its user alone.
#[test]
fn a_broker_says_when_the_network_can_reach_it_and_keeps_its_folder_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    for (listen, open) in [("127.0.0.1:0", false), ("0.0.0.0:0", true)] {
        let data = folder.path().join(listen).join("deep");
        let mut broker = freshet()
            .args(["broker", "--listen", listen, "--data-dir"])
            .arg(&data)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        lines(broker.stdout.take().unwrap()).recv_timeout(PATIENCE).expect("it listens");
        for made in [data.as_path(), data.parent().unwrap()] {
            assert_eq!(made.metadata().unwrap().mode() & 0o777, 0o700, "{}", made.display());
        }
        signal(broker.id(), "TERM");
        let said = broker.wait_with_output().unwrap().stderr;
        let said = String::from_utf8(said).unwrap();
        assert_eq!(said.contains("can read, write and delete everything"), open, "{listen}: {said}");
    }
}

/// A headless show has no one who presses `r`.
#[test]
fn a_worker_of_a_headless_show_that_is_killed_is_started_again_and_that_is_said() {
    let temporary = tempfile::tempdir().unwrap();
    let mut show = freshet()
        .args(["demo", "--headless", "--listen", "127.0.0.1:0", "--scenario", "ride-share", "--drivers", "5"])
        .args(["--duration", "15s", "--format", "jsonl"])
        .env("TMPDIR", temporary.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said = lines(show.stdout.take().unwrap());
    let worker = |does: &str, what: &str| {
        children(show.id()).into_iter().find(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.split(|byte| *byte == 0).skip(1).take(2).eq([does.as_bytes(), what.as_bytes()])
        })
    };
    until("the cars drive", || worker("produce", "gps").is_some());
    signal(worker("consume", "eta").unwrap(), "KILL");
    let told: Vec<String> = said.iter().filter(|line| !line.contains(r#""type":"snapshot""#)).collect();
    for what in ["was killed; it is started again in 0.5 s (1 of 6 times in a row)", "was started again"] {
        assert!(told.iter().any(|line| line.contains(what)), "{what}: not in {told:#?}");
    }
    let summary: serde_json::Value = serde_json::from_str(told.last().unwrap()).unwrap();
    let eta = summary["businesses"].as_array().unwrap().iter().find(|one| one["business"] == "eta");
    let eta = eta.unwrap();
    assert!(eta["answered"].as_u64().unwrap() > 0 && eta["doubled"] == 0, "{eta}");
    assert_eq!(show.wait().unwrap().code(), Some(0), "{summary}");
}

#[test]
fn a_show_that_may_open_too_few_files_says_so_in_a_sentence() {
    let limited = "ulimit -Sn 256 && ulimit -Hn 256 && exec \"$0\" demo --headless --listen 127.0.0.1:0";
    let show = std::process::Command::new("bash")
        .args(["-c", limited, env!("CARGO_BIN_EXE_freshet")])
        .env_remove("FRESHET_BOOTSTRAP_SERVERS")
        .output()
        .unwrap();
    let said = String::from_utf8(show.stderr).unwrap();
    assert_eq!(show.status.code(), Some(1), "{said}");
    assert!(said.contains("the hard limit is 256") && said.lines().count() == 1, "{said}");
}
