//! The supervisor against real processes: the worker is a shell.

use super::*;

fn shell(name: &str, script: &str) -> WorkerSpec {
    WorkerSpec {
        name: name.to_owned(),
        role: name.to_owned(),
        lane: None,
        group: None,
        bursts: &[],
        history: None,
        program: "/bin/sh".into(),
        args: vec!["-c".to_owned(), script.to_owned()],
        env: Vec::new(),
    }
}

/// Waits for the next news that `wanted` accepts.
fn next(supervisor: &mut Supervisor, wanted: impl Fn(&WorkerNews) -> bool) -> WorkerNews {
    loop {
        let raw = supervisor.news.recv_timeout(Duration::from_secs(10)).expect("news within ten seconds");
        if let Some(news) = supervisor.take(raw).filter(&wanted) {
            return news;
        }
    }
}

fn said(supervisor: &mut Supervisor, text: &str) {
    next(supervisor, |news| matches!(news, WorkerNews::Said { line, .. } if line == text));
}

fn ended(supervisor: &mut Supervisor) -> Ended {
    match next(supervisor, |news| matches!(news, WorkerNews::Ended { .. })) {
        WorkerNews::Ended { how, .. } => how,
        other => unreachable!("asked for an end, not {other:?}"),
    }
}

#[test]
fn a_killed_worker_is_reported_and_restarted() {
    let mut supervisor = Supervisor::default();
    supervisor.start(shell("eta", "echo up >&2; read line; echo $line >&2; read line")).unwrap();
    said(&mut supervisor, "up");
    assert!(supervisor.kill("eta"));
    assert_eq!(ended(&mut supervisor), Ended::Signal(9));
    assert_eq!(supervisor.worker("eta").unwrap().state, WorkerState::Ended(Ended::Signal(9)));
    assert!(!supervisor.order("eta", Order::Pause), "there is no worker to pause");

    assert!(supervisor.restart("eta").unwrap());
    said(&mut supervisor, "up");
    assert!(supervisor.order("eta", Order::Pause));
    said(&mut supervisor, "pause");
    assert_eq!(supervisor.worker("eta").unwrap().state, WorkerState::Paused);
    assert_eq!(supervisor.worker("eta").unwrap().restarts, 1);
    assert!(supervisor.shutdown(Duration::from_secs(10)).is_empty(), "it ends when its input does");
}

#[test]
fn an_exit_code_is_kept_with_the_last_words() {
    let mut supervisor = Supervisor::default();
    supervisor.start(shell("fraud", "echo port 9092 is not there >&2; exit 3")).unwrap();
    assert_eq!(ended(&mut supervisor), Ended::Exit(3));
    let worker = supervisor.worker("fraud").unwrap();
    assert_eq!(worker.last_line.as_deref(), Some("port 9092 is not there"));
    assert_eq!(Ended::Exit(3).to_string(), "failed with exit code 3");
}

#[test]
fn what_a_worker_tells_comes_in_its_order_and_before_its_end() {
    let mut supervisor = Supervisor::default();
    let script = r#"echo 'no JSON'; echo '{"kind":"warning","text":"w"}'; echo '{"kind":"resumed"}'; exit 0"#;
    supervisor.start(shell("eta", script)).unwrap();
    let told = |line| WorkerNews::Line { worker: "eta".to_owned(), line };
    for line in [WorkerLine::Warning { text: "w".to_owned() }, WorkerLine::Resumed] {
        assert_eq!(next(&mut supervisor, |_| true), told(line));
    }
    assert_eq!(ended(&mut supervisor), Ended::Exit(0));
}

#[test]
fn scaling_counts_from_two_and_never_below_one() {
    let mut supervisor = Supervisor::default();
    supervisor.start(shell("eta", "read line")).unwrap();
    assert_eq!(supervisor.scale_up("eta").unwrap().as_deref(), Some("eta-2"));
    assert_eq!(supervisor.scale_up("eta").unwrap().as_deref(), Some("eta-3"));
    assert_eq!(supervisor.scale_down("eta").as_deref(), Some("eta-3"));
    assert_eq!(supervisor.scale_down("eta").as_deref(), Some("eta-2"));
    assert_eq!(supervisor.scale_down("eta"), None);
    assert_eq!(supervisor.workers().len(), 1);
}

#[test]
fn who_does_not_listen_is_killed_in_the_end() {
    let mut supervisor = Supervisor::default();
    supervisor.start(shell("deaf", "trap '' TERM; echo up >&2; while :; do read line || :; done")).unwrap();
    said(&mut supervisor, "up");
    let pid = supervisor.worker("deaf").unwrap().pid;
    assert_eq!(supervisor.shutdown(Duration::from_millis(50)), ["deaf"]);
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "its process is gone");
}

#[test]
fn orders_are_read_as_they_are_written() {
    for order in
        [Order::Pause, Order::Resume, Order::Burst, Order::Stop, Order::Close, Order::Period(900_000)]
    {
        assert_eq!(Order::read(&order.line()), Some(order));
    }
    for line in ["dance", "period", "period soon", "period -1"] {
        assert_eq!(Order::read(line), None, "{line}");
    }
}
