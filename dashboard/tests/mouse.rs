//! The mouse and the clipboard: what is pressed on is what was drawn there.

use std::sync::Arc;

use dashboard::{Cache, Cmd, Hit, Msg, Pane, Snapshot, State, Theme, update, view};
use dashboard_testing::{Sample, normal, records, state, text, type_keys};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const SIZE: (u16, u16) = (120, 40);

/// What is drawn at the first cell of a text, in the frame of this state.
fn hit(state: &State, text: &str) -> Option<Hit> {
    let area = Rect::new(0, 0, SIZE.0, SIZE.1);
    let (mut buf, mut cache) = (Buffer::empty(area), Cache::default());
    view(state, &mut cache, &Theme::default(), area, &mut buf);
    let row = |y| (0..SIZE.0).map(|x| buf[(x, y)].symbol()).collect::<String>();
    let (y, x) = (0..SIZE.1)
        .find_map(|y| {
            let row: String = row(y);
            row.find(text).map(|at| (y, row[..at].chars().count() as u16))
        })
        .unwrap_or_else(|| panic!("{text} is not on the screen"));
    cache.hit(x, y)
}

fn click(state: &mut State, text: &str) -> Vec<Cmd> {
    let hit = hit(state, text).unwrap_or_else(|| panic!("nothing is at {text}"));
    let mut all = Vec::new();
    for cmd in update(state, Msg::Click(hit), 10) {
        if let Cmd::Read(Some(query)) = &cmd {
            let snapshot = Snapshot { records: Some(Arc::new(records(query))), ..normal(0) };
            update(state, Msg::Snapshot(Arc::new(snapshot)), 20);
        }
        all.push(cmd);
    }
    all.retain(|cmd| *cmd != Cmd::Draw);
    all
}

#[test]
fn a_press_chooses_a_row_and_the_next_opens_it() {
    let mut state = state(Sample::Normal, SIZE);
    assert_eq!(click(&mut state, "truck_gps"), [], "it is chosen");
    assert_eq!(state.focus(), Pane::Throughput);
    let cmds = click(&mut state, "truck_gps");
    assert!(
        matches!(cmds.as_slice(), [Cmd::Read(Some(query))] if query.topic.starts_with("truck_gps")),
        "{cmds:?}"
    );
    // Among the records a press chooses too, and the next shows one whole.
    assert_eq!(click(&mut state, "17:32:05.356"), []);
    let cmds = click(&mut state, "17:32:05.356");
    assert!(matches!(cmds.as_slice(), [Cmd::Read(Some(query))] if query.whole.is_some()), "{cmds:?}");
    // A tab leads out of them.
    assert_eq!(click(&mut state, "2 lag"), [Cmd::Read(None)]);
    assert_eq!(state.focus(), Pane::Lag);
}

#[test]
fn the_wheel_moves_the_cursor_of_the_pane_below_it() {
    let mut state = state(Sample::Normal, SIZE);
    let lag = hit(&state, "▸ eta").expect("a row");
    update(&mut state, Msg::Wheel(lag, 3), 10);
    assert_eq!(state.focus(), Pane::Lag);
    assert_eq!(type_keys(&mut state, "y"), [Cmd::Copy("recommendations".into())], "three rows down");
    update(&mut state, Msg::Wheel(lag, -3), 10);
    assert_eq!(type_keys(&mut state, "y"), [Cmd::Copy("eta".into())]);
}

/// Past the last entry of the palette there is nothing that Enter could do.
#[test]
fn the_wheel_stops_at_the_ends_of_the_palette_and_of_the_help() {
    let mut state = state(Sample::Normal, SIZE);
    let lag = hit(&state, "▸ eta").expect("a row");
    type_keys(&mut state, ":print a summary");
    update(&mut state, Msg::Wheel(lag, 1_000), 10);
    assert_eq!(type_keys(&mut state, "⏎"), []);
    assert!(text(&state, SIZE).contains("End the show?"));
    type_keys(&mut state, "⎋?");
    update(&mut state, Msg::Wheel(lag, 1_000), 10);
    let end = text(&state, SIZE);
    type_keys(&mut state, &"k".repeat(40));
    assert_ne!(text(&state, SIZE), end, "forty lines up from the end are other lines");
}

/// A question is never answered by one press, wherever it falls.
#[test]
fn a_question_takes_two_presses() {
    let mut state = state(Sample::Normal, SIZE);
    type_keys(&mut state, "2X");
    assert_eq!(click(&mut state, "  Kill  "), [], "it is chosen");
    assert_eq!(click(&mut state, "[ Kill ]").len(), 1, "and done");
    type_keys(&mut state, "X");
    assert_eq!(click(&mut state, "[ Cancel ]"), []);
    assert_eq!(type_keys(&mut state, "y").len(), 1, "the question is gone");
}

#[test]
fn an_entry_of_the_palette_is_chosen_and_done() {
    let mut state = state(Sample::Normal, SIZE);
    type_keys(&mut state, ":");
    assert_eq!(click(&mut state, "end, and print"), [], "the first is chosen already");
    assert_eq!(click(&mut state, "[ End ]"), [Cmd::Quit]);
    let mut state = self::state(Sample::Normal, SIZE);
    type_keys(&mut state, "q");
    assert_eq!(click(&mut state, "  Cancel  "), []);
    assert!(!text(&state, SIZE).contains("End the show?"), "the show goes on");
}

/// What is copied goes where a shell may read it.
#[test]
fn what_is_copied_is_harmless() {
    let mut hostile = normal(0);
    hostile.topics.data[0].name = "a\u{1b}]0;x\u{7}\u{202e}b".into();
    let mut state = state(Sample::Normal, SIZE);
    update(&mut state, Msg::Snapshot(Arc::new(hostile)), 20);
    let cmds = type_keys(&mut state, "1gy");
    let [Cmd::Copy(text)] = cmds.as_slice() else { panic!("{cmds:?}") };
    assert_eq!(text, "a\\u{1b}]0;x\\u{7}\\u{202e}b");
}

#[test]
fn the_mouse_can_be_given_back() {
    let mut state = state(Sample::Normal, SIZE);
    assert_eq!(type_keys(&mut state, "M"), [Cmd::Mouse(false)]);
    assert_eq!(type_keys(&mut state, "M"), [Cmd::Mouse(true)]);
    assert_eq!(type_keys(&mut state, ":save the settings⏎"), [Cmd::SaveSettings]);
}
