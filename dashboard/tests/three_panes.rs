//! A terminal as it opens, of 80x24 to 120x30: the bill, the lag, and one pane that a person chose.

use std::sync::Arc;

use dashboard::{Key, Msg, Palette, Pane, State, update};
use dashboard_testing::{Sample, panes, state, text};

const SIZES: [(u16, u16); 4] = [(80, 24), (99, 31), (100, 30), (120, 30)];

fn press(state: &mut State, keys: &[Key]) {
    for key in keys {
        update(state, Msg::Key(*key), 0);
    }
}

/// The numbers in the borders of the panes that are drawn, from the top; the one picture has none.
fn drawn(state: &State, size: (u16, u16)) -> Vec<String> {
    let screen = text(state, size);
    let title = |part: &str| part.split_whitespace().next().map(str::to_owned);
    let titles = screen.lines().flat_map(|line| line.split("╭ ").skip(1).filter_map(title));
    titles.filter(|title| title.parse::<u8>().is_ok()).collect()
}

#[test]
fn small_windows_carry_the_lesson() {
    for size in SIZES {
        let shown = text(&state(Sample::Normal, size), size);
        let has = |words: &[&str]| {
            let lacks = words.iter().find(|word| !shown.contains(**word));
            assert_eq!(lacks, None, "{size:?}:\n{shown}");
        };
        has(&["stream 18 ms", "batch 41 min", "cost", "$1", "clicks", "texts"]);
        has(&["7 lanes", "ETA error, min", "wrong texts", "missed clicks", "0 lost"]);
        has(&["one log, two bookmarks", "payments", "◇", "◆", "batch 41 min behind", "stream 2.2 ms"]);
        has(&["4 city", "trip-88"]);
        if size == (80, 24) {
            has(&["lag  ▲ fraud 420, 1.8 s  ▼ recommendations 180, 220 ms  others 1.1 s at most"]);
        } else {
            has(&["2 lag", "eta", "fraud"]);
        }
        assert!(!shown.contains("1 throughput  records"), "{shown}");
        // Below the lesson, the one picture with its cases, the tabs and a frame.
        let from = if size == (80, 24) {
            10
        } else if size.0 < 100 {
            9
        } else {
            12
        };
        let bill = shown.lines().skip(from).take(5).map(|row| row.split("││").next().unwrap_or(row));
        assert!(bill.clone().all(|row| !row.contains('…')), "no figure is cut: {shown}");
        let money = bill
            .skip(3)
            .find(|row| {
                ["money lost, $", "fraud loss + wrong declines, $"].iter().any(|name| row.contains(name))
            })
            .expect("a row of money");
        assert!(["1,204.50", "1,205"].iter().any(|cost| money.contains(cost)), "what waiting cost: {shown}");
    }
    assert_eq!(drawn(&state(Sample::Normal, (60, 16)), (60, 16)), ["4"], "one pane and tabs");
}

#[test]
fn digits_and_tab_choose_the_pane_beside_the_bill() {
    for size in SIZES {
        let beside = |state: &State| -> Vec<String> {
            drawn(state, size).into_iter().filter(|number| number != "7" && number != "2").collect()
        };
        let mut state = state(Sample::Normal, size);
        let has_lag = size != (80, 24);
        let panes = 2 + usize::from(has_lag);
        for digit in ['1', '3', '4', '5', '6', '8'] {
            press(&mut state, &[Key::Char(digit)]);
            assert_eq!(beside(&state), [digit.to_string()]);
            // Who looks at the lag or the bill has not chosen another pane; the smallest window
            // shows the lag in its place for as long as it is looked at.
            press(&mut state, &[Key::Char('2')]);
            let while_lag = if has_lag { vec![digit.to_string()] } else { Vec::new() };
            assert_eq!((state.focus(), beside(&state)), (Pane::Lag, while_lag));
            assert!(drawn(&state, size).contains(&"2".to_owned()), "{}", text(&state, size));
            press(&mut state, &[Key::Char('7')]);
            assert_eq!((state.focus(), beside(&state)), (Pane::Lanes, vec![digit.to_string()]));
            assert_eq!(drawn(&state, size).len(), panes, "{}", text(&state, size));
        }
        press(&mut state, &[Key::Tab]);
        assert_eq!((state.focus(), beside(&state)), (Pane::Events, vec!["8".to_owned()]));
        press(&mut state, &[Key::Tab]);
        assert_eq!((state.focus(), beside(&state)), (Pane::Throughput, vec!["1".to_owned()]));
        press(&mut state, &[Key::Char('2'), Key::Char('z')]);
        assert_eq!(drawn(&state, size), ["2"], "z: one pane on the whole screen");
        press(&mut state, &[Key::Char('z')]);
        assert_eq!(drawn(&state, size).len(), panes, "and back");
    }
}

#[test]
fn a_show_begins_with_its_first_business() {
    let focus = |sample| state(sample, (80, 24)).focus();
    assert_eq!(focus(Sample::Normal), Pane::City);
    assert_eq!(focus(Sample::Markets), Pane::Markets);
    assert_eq!(focus(Sample::Foreign), Pane::Throughput);
    let mut snapshot = Sample::Normal.snapshot();
    snapshot.city.source = dashboard::Source::Absent;
    let mut state = State::new(Palette::Dark, &panes());
    update(&mut state, Msg::Resize(80, 24), 0);
    update(&mut state, Msg::Snapshot(Arc::new(snapshot.clone())), 0);
    assert_eq!(state.focus(), Pane::Payments, "who attaches finds out which are there");
    // What was chosen is gone.
    snapshot.payments.source = dashboard::Source::Absent;
    press(&mut state, &[Key::Char('7')]);
    update(&mut state, Msg::Snapshot(Arc::new(snapshot)), 0);
    assert_eq!(drawn(&state, (80, 24)), ["7", "6"]);
}

#[test]
fn a_window_that_would_show_more_when_larger_says_so_once() {
    let words = "a window of 120x40 shows all panes";
    let says = |state: &State, size| text(state, size).contains(words);
    let mut state = State::new(Palette::Dark, &panes());
    update(&mut state, Msg::Resize(120, 30), 0);
    assert!(says(&state, (120, 30)));
    update(&mut state, Msg::Tick, 3_999);
    assert!(says(&state, (120, 30)));
    update(&mut state, Msg::Tick, 4_000);
    assert!(!says(&state, (120, 30)));
    update(&mut state, Msg::Resize(80, 24), 5_000);
    assert!(!says(&state, (80, 24)), "it was said");
    let mut large = State::new(Palette::Dark, &panes());
    update(&mut large, Msg::Resize(120, 40), 0);
    assert!(!says(&large, (120, 40)));
}

/// The line of the lag hides no group that is behind: what has no room is counted.
#[test]
fn the_line_of_the_lag_counts_what_it_has_no_room_for() {
    let mut snapshot = Sample::Normal.snapshot();
    for (at, group) in snapshot.groups.data.iter_mut().enumerate() {
        group.trend = dashboard::Trend::Dead;
        group.id = format!("a-consumer-group-with-a-very-long-name-of-its-own-{at}");
    }
    let dead = snapshot.groups.data.len();
    let mut state = state(Sample::Normal, (80, 24));
    update(&mut state, Msg::Snapshot(Arc::new(snapshot)), 0);
    let screen = text(&state, (80, 24));
    let line = screen.lines().find(|line| line.starts_with(" lag ")).expect("the lag has a line");
    let named = line.matches('✖').count();
    assert!(named > 0 && line.contains(&format!("+{} behind", dead - named)), "{line}");
}
