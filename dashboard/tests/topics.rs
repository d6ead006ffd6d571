//! The topics of the throughput pane: which stand there, and which fold away.

use std::sync::Arc;

use dashboard::{Key, Msg, Snapshot, State, update};
use dashboard_testing::{Sample, state, text};

const SIZE: (u16, u16) = (80, 24);

fn press(state: &mut State, keys: &[Key]) {
    for key in keys {
        update(state, Msg::Key(*key), 0);
    }
}

fn take(state: &mut State, snapshot: &Snapshot) {
    update(state, Msg::Snapshot(Arc::new(snapshot.clone())), 0);
}

/// The first word of each row of the pane's list, zoomed.
fn rows(state: &State) -> Vec<String> {
    let screen = text(state, SIZE);
    let heads = |line: &&str| line.trim_end_matches(['│', ' ']).ends_with("total");
    let inside = screen.lines().skip(4).skip_while(heads).take_while(|line| !line.starts_with('╰'));
    let words = inside.map(|line| line.trim_matches(['│', '┃', ' ']).to_owned());
    let row = |line: String| match line.split_once("  ") {
        Some((name, _)) => name.to_owned(),
        None => line,
    };
    // An empty row stands before the chart of the selected topic.
    words.take_while(|line| !line.is_empty()).map(row).collect()
}

/// The throughput pane on the whole screen.
fn throughput() -> State {
    let mut state = state(Sample::Normal, SIZE);
    press(&mut state, &[Key::Char('1'), Key::Char('z')]);
    state
}

#[test]
fn silent_topics_fold_into_one_row_that_enter_opens_and_closes() {
    let mut state = throughput();
    let folded = rows(&state);
    assert_eq!(folded.last().map(String::as_str), Some("+ 4 silent topics"), "{folded:?}");
    assert!(!folded.iter().any(|row| row == "chargebacks" || row == "dead_letters"), "{folded:?}");

    press(&mut state, &[Key::Char('G')]);
    assert!(text(&state, SIZE).contains("Enter unfold"), "{}", text(&state, SIZE));
    press(&mut state, &[Key::Enter]);
    let opened = rows(&state);
    let at = opened.iter().position(|row| row == "− 4 silent topics").expect("the row is still there");
    assert_eq!(opened[at + 1..], ["chargebacks", "eta_batch", "recommendations_batch", "dead_letters"]);
    press(&mut state, &[Key::Enter]);
    assert_eq!(rows(&state), folded, "the cursor stayed on the row");

    press(&mut state, &[Key::Enter, Key::Char('G'), Key::Enter]);
    assert!(text(&state, SIZE).contains("records of dead_letters"), "a silent topic has records too");
    press(&mut state, &[Key::Esc, Key::Esc, Key::Esc, Key::Char('z')]);
    let selected = rows(&state);
    assert!(selected.contains(&"dead_letters".to_owned()), "the selected one stays: {selected:?}");
    assert_eq!(selected.last().map(String::as_str), Some("+ 3 silent topics"));
}

/// Two minutes without a record: a job that runs once a minute does not come and go.
#[test]
fn a_topic_that_falls_silent_folds_away_unless_it_is_selected() {
    let mut snapshot = Sample::Normal.snapshot();
    let quiet = |snapshot: &mut Snapshot, seconds: usize| {
        let history = &mut snapshot.topics.data[2].history_per_second;
        history.fill(12.0);
        let from = history.len() - seconds;
        history[from..].fill(0.0);
        snapshot.topics.data[2].in_per_second = Some(0.0);
    };
    let is_row = |state: &State| rows(state).contains(&"trips".to_owned());
    let mut state = throughput();
    for (seconds, stands) in [(119, true), (120, false)] {
        quiet(&mut snapshot, seconds);
        take(&mut state, &snapshot);
        assert_eq!(is_row(&state), stands, "{seconds} s");
    }
    assert_eq!(rows(&state).last().map(String::as_str), Some("+ 5 silent topics"));

    let mut state = throughput();
    press(&mut state, &[Key::Down, Key::Down]);
    take(&mut state, &snapshot);
    assert!(is_row(&state), "it is not taken away under the cursor");
    press(&mut state, &[Key::Up]);
    assert!(!is_row(&state));
}

#[test]
fn a_filter_finds_silent_topics() {
    let mut state = throughput();
    press(&mut state, &[Key::Char('/'), Key::Char('b'), Key::Char('a'), Key::Char('t'), Key::Enter]);
    assert_eq!(rows(&state), ["eta_batch", "recommendations_batch"]);
}

/// Who has just made a topic looks for it; and a foreign cluster's topics are all there is.
#[test]
fn topics_of_the_user_never_fold() {
    let mut snapshot = Sample::Normal.snapshot();
    let silent = snapshot.topics.data.iter_mut().find(|topic| topic.name == "dead_letters");
    silent.expect("the sample has a silent topic").ours = false;
    let mut state = throughput();
    take(&mut state, &snapshot);
    assert!(rows(&state).contains(&"dead_letters".to_owned()));
    take(&mut state, &Sample::Foreign.snapshot());
    assert!(!rows(&state).iter().any(|row| row.contains("silent")));
}

/// What is read is what our workers say; of a topic that only others read the commits are known,
/// which its rate says.
#[test]
fn a_rate_of_commits_says_that_it_is_one() {
    let mut snapshot = Sample::Normal.snapshot();
    let clicks = snapshot.topics.data.iter_mut().find(|topic| topic.name == "clicks").expect("clicks");
    clicks.out_per_second = Some(1_000.0);
    let row = |snapshot: &dashboard::Snapshot| {
        let mut state = state(Sample::Normal, (200, 60));
        update(&mut state, Msg::Snapshot(Arc::new(snapshot.clone())), 0);
        let shown = text(&state, (200, 60));
        let is_marked = shown.contains("c committed, not read");
        let row = shown.lines().find(|row| row.contains("│ clicks ")).map(str::to_owned);
        (row.unwrap_or_else(|| panic!("{shown}")), is_marked)
    };
    let (both, is_marked) = row(&snapshot);
    assert!(both.contains(" 1,040 ") && !is_marked, "what we read and what others commit: {both}");
    let clicks = snapshot.topics.data.iter_mut().find(|topic| topic.name == "clicks").expect("clicks");
    clicks.out_per_second = None;
    let (alone, is_marked) = row(&snapshot);
    assert!(alone.contains(" 40c ") && is_marked, "{alone}");
}
