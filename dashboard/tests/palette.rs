//! The command palette: the same deeds as the keys, found by their words.

use std::sync::Arc;

use dashboard::{Action, Cmd, Command, Msg, Pane, Snapshot, Target, update};
use dashboard_testing::{Sample, state, text, type_keys};

const SIZE: (u16, u16) = (120, 40);

#[test]
fn what_is_typed_finds_a_deed_and_enter_does_it() {
    let mut state = state(Sample::Normal, SIZE);
    assert_eq!(type_keys(&mut state, "2jj:restart⏎").len(), 1);
    let cmds = type_keys(&mut state, ":more inst⏎");
    let [Cmd::Send(Command { action, target, .. })] = cmds.as_slice() else { panic!("{cmds:?}") };
    assert_eq!((action, target), (&Action::ScaleUp, &Target::Group("fraud".into())));
    assert_eq!(type_keys(&mut state, ":end, and⏎⏎"), [Cmd::Quit]);
}

/// What cannot be undone is asked about, whichever way it was chosen.
#[test]
fn what_asks_first_by_key_asks_first_here() {
    let mut state = state(Sample::Normal, SIZE);
    assert_eq!(type_keys(&mut state, "2jj:kill⏎⏎"), [], "Cancel is the default");
    assert_eq!(type_keys(&mut state, ":kill⏎⇥⏎").len(), 1);
}

#[test]
fn an_entry_that_is_off_stays_with_its_reason_and_does_nothing() {
    let mut state = state(Sample::Foreign, SIZE);
    type_keys(&mut state, "2:restart");
    let shown = text(&state, SIZE);
    assert!(shown.contains("– not ours: only workers that this demo started"), "{shown}");
    assert_eq!(type_keys(&mut state, "⏎"), []);
    let shown = text(&state, SIZE);
    assert!(
        shown.contains("palette") && shown.lines().last().is_some_and(|line| line.contains("not ours")),
        "{shown}"
    );
    type_keys(&mut state, "⎋");
    assert!(!text(&state, SIZE).contains("palette ─"));
}

/// Those that work come first; nothing that matches is no deed.
#[test]
fn deeds_that_work_come_first() {
    let mut state = state(Sample::Normal, SIZE);
    type_keys(&mut state, "2:consumer");
    let shown = text(&state, SIZE);
    let place = |words: &str| shown.find(words).unwrap_or_else(|| panic!("{words}:\n{shown}"));
    assert!(place("kill the selected consumer") < shown.len());
    type_keys(&mut state, "⎋1:consumer");
    let shown = text(&state, SIZE);
    assert!(shown.contains("– no consumer is selected: pick one in the lag pane"), "{shown}");
    type_keys(&mut state, " xyz");
    assert!(text(&state, SIZE).contains("nothing here is called that"));
    assert_eq!(type_keys(&mut state, "⏎"), []);
}

/// Also what works only elsewhere is found, by the word that the footer has for it there.
#[test]
fn a_deed_of_another_screen_is_found_with_the_way_to_it() {
    let mut state = state(Sample::Normal, SIZE);
    type_keys(&mut state, ":redrive");
    let shown = text(&state, SIZE);
    assert!(shown.contains("only in a topic's records (Enter on a topic)"), "{shown}");
    type_keys(&mut state, "⎋:go to");
    assert!(!text(&state, SIZE).contains("nothing here is called that"), "{}", text(&state, SIZE));
}

#[test]
fn every_pane_is_found_by_its_name() {
    let mut state = state(Sample::Normal, SIZE);
    type_keys(&mut state, ":events⏎");
    assert_eq!(state.focus(), Pane::Events);
    type_keys(&mut state, ":pane: city⏎");
    assert_eq!(state.focus(), Pane::City);
    let foreign = Arc::new(Snapshot { ..Sample::Foreign.snapshot() });
    update(&mut state, Msg::Snapshot(foreign), 20);
    type_keys(&mut state, ":pane: city");
    assert!(text(&state, SIZE).contains("– no positions on this cluster"), "{}", text(&state, SIZE));
}
