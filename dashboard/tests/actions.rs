//! What can be done on any cluster, and taken back: offsets, topics, records, undo; and how lists
//! are sorted.

use std::sync::Arc;

use dashboard::{Action, Cmd, Command, Key, Msg, NewRecord, OffsetSpec, Snapshot, State, Target, update};
use dashboard_testing::{Sample, keys, normal, records, state, text};

const SIZE: (u16, u16) = (120, 40);

/// Presses keys; what they ask to read is there with the next snapshot.
fn press(state: &mut State, text: &str) -> Vec<(Action, Target)> {
    let mut commands = Vec::new();
    for key in keys(text) {
        for cmd in update(state, Msg::Key(key), 10) {
            if let Cmd::Send(Command { action, target, .. }) = cmd {
                commands.push((action, target));
            } else if let Cmd::Read(query) = cmd {
                let records = query.as_ref().map(|query| Arc::new(records(query)));
                let snapshot = Snapshot { records, ..normal(0) };
                update(state, Msg::Snapshot(Arc::new(snapshot)), 20);
            }
        }
    }
    commands
}

fn foot(state: &State) -> String {
    text(state, SIZE).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn the_offsets_of_a_group_are_set_after_a_place_and_a_question() {
    let mut state = state(Sample::Normal, SIZE);
    press(&mut state, "2jjO");
    assert!(
        foot(&state).contains("set the offsets of fraud to: ▏ beginning, end, an offset"),
        "{}",
        foot(&state)
    );
    assert_eq!(press(&mut state, "soon⏎"), []);
    assert!(foot(&state).contains("write beginning, end, an offset"), "{}", foot(&state));
    for _ in 0..4 {
        update(&mut state, Msg::Key(Key::Backspace), 10);
    }
    assert_eq!(press(&mut state, "15m⏎"), [], "it asks first");
    let shown = text(&state, SIZE);
    assert!(shown.contains("Set the offsets of fraud to 2026-01-06 17:17:07 UTC?"), "{shown}");
    assert!(shown.contains("stopped for it and started again"), "its workers are ours:\n{shown}");
    let at = normal(0).taken_at_ms - 900_000;
    let reset = (Action::Reset(OffsetSpec::At(at)), Target::Group("fraud".into()));
    assert_eq!(press(&mut state, "⇥⏎"), [reset]);
    assert_eq!(press(&mut state, "Oend⏎⏎"), [], "Cancel is the default");
}

/// What one confirms is whole: a question that is too long for its box has two lines.
#[test]
fn no_question_is_cut() {
    for size in [(60, 16), (80, 24), (120, 40), (200, 60)] {
        for (keys, words) in [
            ("2GO2026-11-29T22:27⏎", ["Set the offsets of batch-recommendations", "22:27:00 UTC?"]),
            ("1G⏎G⏎A", ["all letters in dead_letters", "again?"]),
            ("1G⏎G⏎R", ["Send the record of", "letter 3@1209 again?"]),
        ] {
            let mut state = state(Sample::Normal, size);
            press(&mut state, keys);
            let shown = text(&state, size);
            assert!(
                words.iter().all(|words| shown.contains(words)) && shown.contains("Cancel"),
                "{size:?} {keys}:\n{shown}"
            );
        }
    }
    // Also a topic with the longest name that Kafka takes.
    let mut state = state(Sample::Normal, SIZE);
    let mut snapshot = normal(0);
    let name = "x".repeat(249);
    snapshot.groups.data[0].id.clone_from(&name);
    update(&mut state, Msg::Snapshot(Arc::new(snapshot)), 20);
    press(&mut state, "2gOend⏎");
    let shown = text(&state, SIZE);
    assert!(shown.matches('x').count() >= 249 && shown.contains("to the end?"), "{shown}");
}

/// A time is that of a wall clock, not the show's; the example is of today.
#[test]
fn the_line_for_a_place_says_which_clock_it_means() {
    let mut state = state(Sample::Normal, (200, 60));
    press(&mut state, "2jjO");
    let shown = text(&state, (200, 60));
    assert!(shown.contains("wall-clock time (UTC) 17:17 or 2026-01-06T17:17"), "{shown}");
}

/// Whose members are not ours must stop them: it is said before, and not only by the refusal.
#[test]
fn of_a_group_that_is_not_ours_the_question_says_what_kafka_wants() {
    let mut state = state(Sample::Foreign, SIZE);
    press(&mut state, "2O0⏎");
    let shown = text(&state, SIZE);
    assert!(shown.contains("Set the offsets of eta to offset 0?"), "{shown}");
    assert!(shown.contains("It has members that are not ours"), "{shown}");
    let reset = (Action::Reset(OffsetSpec::Offset(0)), Target::Group("eta".into()));
    assert_eq!(press(&mut state, "⇥⏎"), [reset]);
    let mut empty = Sample::Foreign.snapshot();
    empty.groups.data[0].members.clear();
    update(&mut state, Msg::Snapshot(Arc::new(empty)), 20);
    press(&mut state, "Oend⏎");
    assert!(text(&state, SIZE).contains("It has no members now."), "{}", text(&state, SIZE));
}

#[test]
fn a_topic_is_created_from_three_lines() {
    let mut state = state(Sample::Foreign, SIZE);
    assert_eq!(press(&mut state, "Nmy topic⏎"), []);
    assert!(foot(&state).contains("a name has letters, digits"), "{}", foot(&state));
    press(&mut state, "⎋Nmine⏎");
    assert!(foot(&state).contains("partitions of mine: ▏ nothing: 4"), "{}", foot(&state));
    assert_eq!(press(&mut state, "0⏎"), [], "none is too few");
    press(&mut state, "⎋Nmine⏎6⏎");
    assert!(foot(&state).contains("mine keeps a record for: "), "{}", foot(&state));
    let day = Action::CreateTopic { partitions: 6, retention_ms: Some(86_400_000) };
    assert_eq!(press(&mut state, "1d⏎"), [(day, Target::Topic("mine".into()))]);
    let by_default = Action::CreateTopic { partitions: 4, retention_ms: None };
    assert_eq!(press(&mut state, ":create a topic⏎mine⏎⏎⏎"), [(by_default, Target::Topic("mine".into()))]);
}

#[test]
fn a_record_is_written_to_the_selected_topic_or_the_open_one() {
    let mut state = state(Sample::Normal, SIZE);
    let record = |topic: &str, key: Option<&str>, value: &str| {
        let (topic, key, value) = (topic.into(), key.map(Into::into), value.into());
        [(Action::Send, Target::Record(NewRecord { topic, key, value }))]
    };
    assert_eq!(
        press(&mut state, "1wcard 7⏎{\"a\": 1}⏎"),
        record("driver_locations", Some("card 7"), "{\"a\": 1}")
    );
    assert_eq!(press(&mut state, "⏎w⏎x⏎"), record("driver_locations", None, "x"), "among its records too");
    assert_eq!(press(&mut state, "⎋2w"), [], "no topic is selected there");
}

/// What is pasted is a text and not keys: a line break enters nothing, and a `q` ends nothing.
#[test]
fn a_text_that_is_pasted_is_one_line_or_nothing() {
    let mut state = state(Sample::Normal, SIZE);
    let paste = |state: &mut State, text: &str| update(state, Msg::Paste(text.into()), 10);
    assert_eq!(paste(&mut state, "q\nX\n"), [Cmd::Draw]);
    assert!(text(&state, SIZE).contains("what was pasted went nowhere"));
    press(&mut state, "1wcard 7⏎");
    paste(&mut state, "{\r\n  \"a\": \"quick\u{1b}[2J\",\n\t\"q\": 1\n}\n");
    let written = press(&mut state, "⏎");
    let [(Action::Send, Target::Record(record))] = &written[..] else { panic!("{written:?}") };
    assert_eq!(record.value, r#"{ "a": "quick[2J", "q": 1 }"#);

    // Half of a value is another value.
    press(&mut state, "w⏎");
    paste(&mut state, &"x".repeat(100_001));
    assert!(text(&state, SIZE).contains("100,001 characters are too many, at most 100,000"));
    paste(&mut state, &"x".repeat(100_000));
    press(&mut state, "y");
    assert!(text(&state, SIZE).contains("100,001 characters are too many"), "also of what is typed");
    let written = press(&mut state, "⏎");
    let [(Action::Send, Target::Record(record))] = &written[..] else { panic!("{written:?}") };
    assert_eq!(record.value.len(), 100_000);

    // The palette and the filter take it too.
    press(&mut state, ":");
    paste(&mut state, "them\ne");
    assert!(text(&state, SIZE).contains("them e"));
    press(&mut state, "⎋2/");
    paste(&mut state, "fraud\n");
    press(&mut state, "⏎");
    assert!(text(&state, SIZE).contains("/fraud"), "{}", text(&state, SIZE));
}

#[test]
fn pauses_and_scaling_are_undone_one_by_one() {
    let mut state = state(Sample::Normal, SIZE);
    assert_eq!(press(&mut state, "u"), [], "nothing was done");
    press(&mut state, "2jj ");
    press(&mut state, "kk+");
    let (eta, fraud) = (Target::Group("eta".into()), Target::Group("fraud".into()));
    assert_eq!(press(&mut state, "u"), [(Action::ScaleDown, eta)]);
    assert_eq!(press(&mut state, "u"), [(Action::Resume, fraud)]);
    assert_eq!(press(&mut state, "ur"), [(Action::Restart, Target::Group("eta".into()))], "r is not undone");
    assert_eq!(press(&mut state, "u"), []);
}

#[test]
fn the_interval_goes_step_by_step_and_is_on_the_screen() {
    let mut state = state(Sample::Normal, SIZE);
    let mut polled = |key| {
        let cmds = update(&mut state, Msg::Key(Key::Char(key)), 10);
        let shown = text(&state, SIZE).lines().next().unwrap_or_default().to_owned();
        (cmds.into_iter().find(|cmd| *cmd != Cmd::Draw), shown)
    };
    assert_eq!(polled('[').0, None, "it is asked as often as can be");
    for (ms, words) in
        [(500, "polls every 500 ms"), (1_000, "polls every second"), (2_000, "polls every 2 s")]
    {
        let (cmd, shown) = polled(']');
        assert_eq!(cmd, Some(Cmd::PollEvery(ms)));
        assert!(shown.contains(words), "{shown}");
    }
    assert_eq!(polled(']').0, None, "and no less often");
    assert_eq!(polled('[').0, Some(Cmd::PollEvery(1_000)));
}

/// The names of the lag pane's rows, from the top.
fn groups(state: &State) -> Vec<String> {
    let shown = text(state, SIZE);
    let rows = shown.lines().filter_map(|line| line.split_once("▸ "));
    rows.filter_map(|(_, row)| row.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn groups_are_sorted_and_hidden_and_the_cursor_stays_on_its_row() {
    let mut state = state(Sample::Normal, SIZE);
    press(&mut state, "2z");
    let given = groups(&state);
    press(&mut state, "jjo");
    let by_lag = groups(&state);
    let place = |name: &str| by_lag.iter().position(|group| group == name);
    assert!(place("batch-eta") < place("fraud") && place("fraud") < place("eta"), "{by_lag:?}");
    assert!(text(&state, SIZE).contains("by lag"), "{}", text(&state, SIZE));
    assert_eq!(press(&mut state, "r"), [(Action::Restart, Target::Group("fraud".into()))]);
    press(&mut state, "i");
    assert!(!groups(&state).contains(&"fraud".to_owned()), "{:?}", groups(&state));
    assert!(text(&state, SIZE).contains("1 hidden"));
    press(&mut state, "oo");
    let by_name = groups(&state);
    assert!(by_name.is_sorted(), "{by_name:?}");
    press(&mut state, "oI");
    assert_eq!(groups(&state), given, "as it was");
}

#[test]
fn topics_are_sorted_by_rate_and_name() {
    let mut state = state(Sample::Normal, SIZE);
    let first = |state: &State| {
        let shown = text(state, SIZE);
        let row = shown.lines().skip(5).find_map(|line| line.strip_prefix("│ ").map(str::to_owned));
        row.and_then(|row| row.split_whitespace().next().map(str::to_owned))
    };
    press(&mut state, "1zooo");
    assert_eq!(first(&state).as_deref(), Some("card_swipes"), "{}", text(&state, SIZE));
    press(&mut state, "oo");
    assert_eq!(first(&state).as_deref(), Some("driver_locations"), "{}", text(&state, SIZE));
    assert_eq!(press(&mut state, "5o"), [], "payments have their own order");
    assert!(!text(&state, SIZE).contains("by rate"));
}
