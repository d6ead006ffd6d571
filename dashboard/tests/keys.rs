//! Properties of `update`: whatever is pressed and whatever comes, in any order.

use std::sync::Arc;

use dashboard::{
    Action, Cmd, Command, ControlState, Key, Msg, Palette, Pane, Progress, State, Target, update,
};
use dashboard_testing::{Sample, normal, state, text, type_keys};
use proptest::prelude::*;

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        8 => proptest::sample::select("123456789hjklgGzftsrbXR+- /?nabc:OAopNwuiI[]0yM".chars().collect::<Vec<_>>()).prop_map(Key::Char),
        1 => any::<char>().prop_map(Key::Char),
        4 => proptest::sample::select(vec![
            Key::Enter, Key::Esc, Key::Tab, Key::BackTab, Key::Backspace, Key::Up, Key::Down, Key::Left, Key::Right,
            Key::Home, Key::End, Key::PageUp, Key::PageDown, Key::Ctrl('u'), Key::Ctrl('d'),
            Key::Ctrl('z'),
        ]),
    ]
}

fn msg() -> impl Strategy<Value = Msg> {
    prop_oneof![
        12 => key().prop_map(Msg::Key),
        2 => proptest::sample::select(Sample::ALL.to_vec()).prop_map(|sample| Msg::Snapshot(Arc::new(sample.snapshot()))),
        1 => (0..200_u16, 0..80_u16).prop_map(|(width, height)| Msg::Resize(width, height)),
        1 => Just(Msg::Tick),
        1 => Just(Msg::Notice("saved".into())),
    ]
}

fn fresh() -> State {
    dashboard_testing::state(Sample::Normal, (120, 40))
}

fn asked(cmds: &[Cmd]) -> Vec<(Action, Target)> {
    cmds.iter()
        .filter_map(|cmd| match cmd {
            Cmd::Send(Command { action, target, .. }) => Some((*action, target.clone())),
            _ => None,
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// No sequence panics; what cannot be undone is asked for by Enter alone; ids count up; nothing
    /// quits unless told to.
    #[test]
    fn any_sequence(msgs in proptest::collection::vec(msg(), 1..60)) {
        let mut state = fresh();
        let mut last_id = 0;
        for (at, msg) in msgs.into_iter().enumerate() {
            let pressed = if let Msg::Key(key) = &msg { Some(*key) } else { None };
            for cmd in update(&mut state, msg, at as u64 * 100) {
                match cmd {
                    Cmd::Send(command) => {
                        prop_assert!(command.id > last_id);
                        last_id = command.id;
                        if matches!(
                            command.action,
                            Action::Kill | Action::Rewind | Action::Redrive { .. } | Action::Reset(_)
                        ) {
                            prop_assert_eq!(pressed, Some(Key::Enter), "{:?}", command);
                        }
                        prop_assert!(pressed.is_some(), "only keys ask: {:?}", command);
                    }
                    // Enter: an entry of the palette, or the answer to the question.
                    Cmd::Quit => prop_assert!(
                        matches!(pressed, Some(Key::Char('q' | 'y') | Key::Enter)),
                        "{:?} quits", pressed
                    ),
                    Cmd::Suspend => prop_assert_eq!(pressed, Some(Key::Ctrl('z'))),
                    Cmd::Draw
                    | Cmd::Save
                    | Cmd::SaveSettings
                    | Cmd::Copy(_)
                    | Cmd::Mouse(_)
                    | Cmd::Read(_)
                    | Cmd::PollEvery(_) => {}
                }
            }
        }
    }

    /// The workers of a foreign cluster are let alone: only what takes no worker can be asked for.
    #[test]
    fn nothing_is_asked_of_a_foreign_cluster(keys in proptest::collection::vec(key(), 1..80)) {
        let mut state = fresh();
        update(&mut state, Msg::Snapshot(Arc::new(Sample::Foreign.snapshot())), 0);
        for key in keys {
            let cmds = update(&mut state, Msg::Key(key), 1);
            let is_for_the_cluster = |(action, _): &(Action, Target)| {
                matches!(
                    action,
                    Action::Redrive { .. } | Action::Reset(_) | Action::CreateTopic { .. } | Action::Send
                )
            };
            prop_assert!(asked(&cmds).iter().all(is_for_the_cluster), "{:?} asked for {:?}", key, cmds);
        }
    }
}

#[test]
fn space_pauses_and_resumes_what_the_cursor_points_at() {
    let mut state = fresh();
    assert_eq!(asked(&type_keys(&mut state, "2jj ")), [(Action::Pause, Target::Group("fraud".into()))]);
    update(&mut state, Msg::Snapshot(Arc::new(Sample::Paused.snapshot())), 20);
    assert_eq!(asked(&type_keys(&mut state, " ")), [(Action::Resume, Target::Group("fraud".into()))]);
    assert_eq!(asked(&type_keys(&mut state, "⏎j ")), [(Action::Resume, Target::Worker("fraud-1".into()))]);
}

#[test]
fn restart_and_scale_act_without_a_question() {
    let mut state = fresh();
    let group = || Target::Group("eta".into());
    assert_eq!(
        asked(&type_keys(&mut state, "2r+-")),
        [(Action::Restart, group()), (Action::ScaleUp, group()), (Action::ScaleDown, group())]
    );
    // On one of two workers, scaling is still about the group.
    assert_eq!(
        asked(&type_keys(&mut state, "⏎jr+")),
        [(Action::Restart, Target::Worker("eta-1".into())), (Action::ScaleUp, group())]
    );
}

#[test]
fn a_burst_is_about_a_topic() {
    let mut state = fresh();
    assert_eq!(
        asked(&type_keys(&mut state, "1b")),
        [(Action::Burst, Target::Topic("driver_locations".into()))]
    );
    assert_eq!(asked(&type_keys(&mut state, "1jjjb")), [], "only a consumer produces road_traversals");
    assert_eq!(asked(&type_keys(&mut state, "2b")), []);
}

#[test]
fn killing_asks_first_and_cancel_is_the_default() {
    let mut state = fresh();
    assert_eq!(asked(&type_keys(&mut state, "2jjX⏎")), []);
    assert_eq!(asked(&type_keys(&mut state, "X⎋")), []);
    assert_eq!(asked(&type_keys(&mut state, "Xq")), [], "q only leaves the question");
    assert_eq!(asked(&type_keys(&mut state, "X⇥⇥⏎")), []);
    assert_eq!(asked(&type_keys(&mut state, "X⇥⏎")), [(Action::Kill, Target::Group("fraud".into()))]);
    assert_eq!(asked(&type_keys(&mut state, "R⇥⏎")), [(Action::Rewind, Target::Group("fraud".into()))]);
    assert_eq!(asked(&type_keys(&mut state, "kkkK")), [], "k never kills");
}

/// While the question is open the world goes on; the answer is about whom the question named.
#[test]
fn the_target_is_the_one_at_key_down() {
    let mut state = fresh();
    type_keys(&mut state, "2jjX");
    let mut moved = normal(0);
    moved.groups.data.remove(2);
    update(&mut state, Msg::Snapshot(Arc::new(moved)), 20);
    assert_eq!(asked(&type_keys(&mut state, "⇥⏎")), [(Action::Kill, Target::Group("fraud".into()))]);
}

/// A row keeps its cursor when others come and go.
#[test]
fn the_cursor_stays_with_its_row() {
    let mut state = fresh();
    type_keys(&mut state, "2jj");
    let mut moved = normal(0);
    moved.groups.data.swap(0, 2);
    update(&mut state, Msg::Snapshot(Arc::new(moved)), 20);
    assert_eq!(asked(&type_keys(&mut state, "r")), [(Action::Restart, Target::Group("fraud".into()))]);
}

/// A group may be called anything: also as another group's member would be.
#[test]
fn a_group_that_is_named_like_another_ones_member_is_only_itself() {
    let mut state = fresh();
    let mut hostile = normal(0);
    hostile.groups.data.truncate(6);
    hostile.groups.data[5].id = "fraud\nfraud-1".into();
    update(&mut state, Msg::Snapshot(Arc::new(hostile)), 10);
    // Opened, fraud has a row for its worker; the other group is the last row.
    type_keys(&mut state, "2jj⏎G");
    assert_eq!(asked(&type_keys(&mut state, "r")), [], "it is not ours to restart");
    type_keys(&mut state, "⏎");
    let shown = dashboard_testing::text(&state, (120, 60));
    assert!(shown.contains("▾ fraud·fraud-1") && shown.contains("▾ fraud  "), "both are open:\n{shown}");
}

/// The program that starts the dashboard says which panes there are: no number leads to another,
/// and no line speaks of one.
#[test]
fn a_show_has_the_panes_it_was_given() {
    let panes = Pane::of_show([Pane::Payments]);
    let mut state = State::new(Palette::Dark, &panes);
    update(&mut state, Msg::Resize(80, 24), 0);
    update(&mut state, Msg::Snapshot(Arc::new(normal(0))), 0);
    for (digit, pane) in ('1'..).zip(&panes) {
        type_keys(&mut state, &digit.to_string());
        assert_eq!(state.focus(), *pane, "{digit}");
    }
    type_keys(&mut state, "7");
    assert_eq!(state.focus(), Pane::Events, "there is no seventh");
    type_keys(&mut state, "⇥");
    assert_eq!(state.focus(), Pane::Throughput, "after the last comes the first");
    let shown = dashboard_testing::text(&state, (80, 24));
    assert!(
        shown.contains("4 payments") && shown.contains("5 lanes") && shown.contains("1–6 pane"),
        "{shown}"
    );
    assert!(!shown.contains("city") && !shown.contains(" 6 shop"), "{shown}");
    let wide = dashboard_testing::text(&state, (200, 60));
    assert!(panes.iter().all(|pane| wide.contains(pane.name())), "{wide}");
    assert_eq!(wide.matches('╭').count(), panes.len() + 1, "one frame more, of the picture:\n{wide}");
}

#[test]
#[should_panic(expected = "a show has one pane lag, not two")]
fn no_pane_is_there_twice() {
    State::new(Palette::Dark, &[Pane::Lag, Pane::Events, Pane::Lag]);
}

#[test]
fn what_is_typed_into_a_filter_is_no_command() {
    let mut state = fresh();
    assert_eq!(type_keys(&mut state, "2/frXRq r⏎"), []);
    // No group contains that: nothing is selected, so nothing can be restarted.
    assert_eq!(type_keys(&mut state, "r"), []);
    assert_eq!(type_keys(&mut state, "⎋/fraud⏎r").len(), 1);
}

/// The last keys of all: q and Ctrl-C. Ctrl-C works everywhere, also in a filter and in a question.
#[test]
fn quitting() {
    for (keys, twice) in [("q", "qq"), ("?q", "?qq"), ("q", "q⏎")] {
        assert_eq!(type_keys(&mut fresh(), keys), [], "{keys} asks");
        assert_eq!(type_keys(&mut fresh(), twice), [Cmd::Quit], "{twice}");
    }
    for keys in ["q⎋", "qn", "qw"] {
        let mut state = fresh();
        assert_eq!(type_keys(&mut state, keys), [], "{keys}: any other key goes on");
        assert_eq!(type_keys(&mut state, "q"), [], "and the next q asks again");
    }
    // Somebody else's cluster goes on without us: there is nothing to ask.
    let mut attached = state(Sample::Foreign, (120, 40));
    assert_eq!(type_keys(&mut attached, "q"), [Cmd::Quit]);
    for before in ["/", "2X", "?", "z", "q"] {
        let mut state = fresh();
        type_keys(&mut state, before);
        assert_eq!(update(&mut state, Msg::Key(Key::Ctrl('c')), 11), [Cmd::Quit], "after {before}");
    }
}

/// Nothing changed, nothing to draw: an idle cluster costs no frames, however often it is looked
/// at.
#[test]
fn no_draws_when_nothing_changed() {
    let mut state = fresh();
    for second in 0..5_u64 {
        for quarter in 0..4 {
            let now = second * 1_000 + quarter * 250;
            let mut same = normal(0);
            same.taken_at_ms += now as i64;
            assert_eq!(update(&mut state, Msg::Snapshot(Arc::new(same)), now), []);
            assert_eq!(update(&mut state, Msg::Tick, now), []);
        }
    }
    assert!(!update(&mut state, Msg::Snapshot(Arc::new(normal(1))), 5_000).is_empty(), "a change is drawn");
}

/// A feed that falls silent is said after three seconds, and then counted.
#[test]
fn silence_is_noticed() {
    let mut state = fresh();
    assert_eq!(state.next_change_ms(), Some(3_000));
    assert_eq!(update(&mut state, Msg::Tick, 2_999), []);
    assert_eq!(update(&mut state, Msg::Tick, 3_000), [Cmd::Draw]);
    assert_eq!(state.next_change_ms(), Some(4_000));
    let again = update(&mut state, Msg::Snapshot(Arc::new(normal(0))), 4_500);
    assert_eq!(again, [Cmd::Draw], "the same data, but no longer silent");
}

#[test]
fn frozen_means_frozen() {
    let mut state = fresh();
    type_keys(&mut state, "f");
    assert_eq!(update(&mut state, Msg::Snapshot(Arc::new(normal(5))), 20), []);
    assert_eq!(
        state.latest().map(|latest| latest.taken_at_ms),
        Some(normal(5).taken_at_ms),
        "the world goes on"
    );
    type_keys(&mut state, "f");
    assert!(!update(&mut state, Msg::Snapshot(Arc::new(normal(6))), 30).is_empty());
}

/// Requested, accepted, observed; each step is drawn, and the finished control leaves after a
/// while.
#[test]
fn controls_report_their_progress() {
    let mut state = fresh();
    type_keys(&mut state, "2r");
    let mut step = |progress: Progress, now| {
        let mut snapshot = normal(0);
        snapshot.controls = vec![ControlState { id: 1, progress, note: None }];
        update(&mut state, Msg::Snapshot(Arc::new(snapshot)), now)
    };
    assert_eq!(step(Progress::Accepted, 200), [Cmd::Draw]);
    assert_eq!(step(Progress::Accepted, 300), []);
    assert_eq!(step(Progress::Observed, 1_400), [Cmd::Draw]);
    assert_eq!([4_000, 5_000, 6_300].map(|now| step(Progress::Observed, now)), [[], [], []]);
    assert_eq!(update(&mut state, Msg::Tick, 6_500), [Cmd::Draw]);
    update(&mut state, Msg::Snapshot(Arc::new(normal(0))), 7_600);
    assert_eq!(state.next_change_ms(), Some(10_600), "only silence is left to wait for");
}

/// What was done is said for five seconds, also while snapshots come all the time and no tick does.
#[test]
fn the_footer_gives_the_keys_their_place_back() {
    let mut state = state(Sample::Normal, (120, 40));
    type_keys(&mut state, "2r");
    let mut foot = |now| {
        let mut snapshot = normal(now);
        let note = Some("partition 0, offset 9329".to_owned());
        snapshot.controls = vec![ControlState { id: 1, progress: Progress::Observed, note }];
        update(&mut state, Msg::Snapshot(Arc::new(snapshot)), now);
        text(&state, (120, 40)).lines().last().unwrap_or_default().to_owned()
    };
    assert!([1_000, 2_500, 4_000, 5_900].map(&mut foot).iter().all(|foot| foot.contains("✓ partition 0")));
    assert!(!foot(6_000).contains('✓'), "{}", foot(6_000));
}

/// Of two turns of the dial only the second is carried out, and the first is never over.
#[test]
fn a_request_that_another_has_overtaken_leaves_the_footer() {
    let mut state = state(Sample::Normal, (120, 40));
    type_keys(&mut state, "<<");
    let mut foot = |now| {
        let mut snapshot = normal(now);
        let control = |id, progress| ControlState { id, progress, note: None };
        snapshot.controls = vec![control(1, Progress::Accepted), control(2, Progress::Observed)];
        update(&mut state, Msg::Snapshot(Arc::new(snapshot)), now);
        text(&state, (120, 40)).lines().last().unwrap_or_default().to_owned()
    };
    assert!(foot(1_000).contains("run every 15 min"), "{}", foot(1_000));
    assert!(!foot(7_000).contains("run every"), "{}", foot(7_000));
}

#[test]
fn the_period_changes_step_by_step_from_what_was_requested_last() {
    let mut state = fresh();
    let mut snapshot = normal(0);
    snapshot.lanes.data.can_turn = false;
    update(&mut state, Msg::Snapshot(Arc::new(snapshot)), 0);
    assert_eq!(type_keys(&mut state, "<"), [], "these jobs do not obey it");
    update(&mut state, Msg::Snapshot(Arc::new(normal(0))), 0);
    let turned = asked(&type_keys(&mut state, "<<>"));
    let words: Vec<&str> = turned.iter().map(|(action, _)| action.word()).collect();
    assert_eq!(words, ["run every half hour", "run every 15 min", "run every half hour"]);
    assert!(turned.iter().all(|(_, target)| *target == Target::Batch));
    let ten_seconds = asked(&type_keys(&mut state, "<<<<<<<<<<<<")).len();
    assert_eq!(ten_seconds, 4, "15 min, 5 min, a minute, 10 s, and no further");
}
