//! A selected row stays on its item while the list moves.

use std::sync::Arc;

use dashboard::{Decision, Key, Msg, Notice, Snapshot, State, Verdict, update};
use dashboard_testing::{Sample, normal, state, text};

const SIZE: (u16, u16) = (120, 40);

fn press(state: &mut State, keys: &[Key]) {
    for key in keys {
        update(state, Msg::Key(*key), 0);
    }
}

/// A payments pane on the whole screen.
fn payments() -> State {
    let mut state = state(Sample::Normal, SIZE);
    press(&mut state, &[Key::Char('5'), Key::Char('z')]);
    state
}

/// The busy afternoon after so many more swipes.
fn after(swipes: i64) -> Arc<Snapshot> {
    let mut snapshot = normal(0);
    let recent = &mut snapshot.payments.data.recent;
    for swipe in 1..=swipes {
        let newest = recent[0].at_ms + 500;
        let card_id = format!("new-{swipe}");
        let amount_cents = 100 + swipe;
        recent.insert(0, Decision { at_ms: newest, card_id, amount_cents, ..Decision::default() });
    }
    recent.truncate(36);
    Arc::new(snapshot)
}

/// Which card the detail is about: a row of the pane that says the probability.
fn detail(state: &State) -> String {
    let shown = text(state, SIZE);
    let row = shown.lines().find(|row| row.contains("probability of fraud"));
    row.unwrap_or_else(|| panic!("no detail:\n{shown}")).split_whitespace().nth(1).expect("a card").to_owned()
}

#[test]
fn a_moved_cursor_stays_on_its_item_and_so_does_its_detail() {
    let mut state = payments();
    press(&mut state, &[Key::Char('j'), Key::Char('j'), Key::Char('j'), Key::Char('j'), Key::Enter]);
    assert_eq!(detail(&state), "card-0981");
    for swipes in [1, 7, 20] {
        update(&mut state, Msg::Snapshot(after(swipes)), 0);
        assert_eq!(detail(&state), "card-0981", "after {swipes} swipes");
    }
    // Back to the first row by a key, it is an item like another.
    press(&mut state, &[Key::Esc, Key::Char('g'), Key::Char('j'), Key::Char('k'), Key::Enter]);
    let selected = detail(&state);
    update(&mut state, Msg::Snapshot(after(22)), 0);
    assert_eq!(detail(&state), selected);
}

/// Who has moved nothing reads the news from the top; who opens it reads one item.
#[test]
fn what_is_read_does_not_change_under_the_eyes() {
    let mut state = payments();
    update(&mut state, Msg::Snapshot(after(1)), 0);
    press(&mut state, &[Key::Enter]);
    assert_eq!(detail(&state), "new-1", "the newest");
    update(&mut state, Msg::Snapshot(after(5)), 0);
    assert_eq!(detail(&state), "new-1");
    // It leaves the list: what is said of it stays, and no other row is marked.
    update(&mut state, Msg::Snapshot(after(0)), 0);
    assert_eq!(detail(&state), "new-1");
    let buf = dashboard_testing::draw(&state, SIZE, &dashboard::Theme::default());
    let marked = (3..38).filter(|y| buf[(1, *y)].bg != ratatui::style::Color::Reset).count();
    assert_eq!(marked, 0, "{}", text(&state, SIZE));
    press(&mut state, &[Key::Esc, Key::Enter]);
    assert_eq!(detail(&state), "card-0412", "closed, the list is read from its top again");
}

#[test]
fn the_first_row_follows_the_news_again() {
    let mut state = payments();
    press(&mut state, &[Key::Char('j'), Key::Char('g')]);
    update(&mut state, Msg::Snapshot(after(3)), 0);
    press(&mut state, &[Key::Enter]);
    assert_eq!(detail(&state), "new-3");
}

/// A run of a job is known some time after it ended: the list goes by when things happened.
#[test]
fn events_are_in_the_order_of_their_times() {
    let mut snapshot = normal(0);
    let at_ms = snapshot.timeline.notices[3].at_ms + 1;
    let late = Notice { at_ms, subject: "late".into(), text: "heard of last".into(), ..Notice::default() };
    snapshot.timeline.push(late);
    let mut state = state(Sample::Normal, SIZE);
    update(&mut state, Msg::Snapshot(Arc::new(snapshot)), 0);
    press(&mut state, &[Key::Char('8'), Key::Char('z')]);
    let shown = text(&state, SIZE);
    let times: Vec<&str> = shown
        .lines()
        .filter_map(|row| row.split_whitespace().nth(1))
        .filter(|time| time.len() == 8 && time.starts_with("17:"))
        .collect();
    assert!(times.len() > 10 && times.is_sorted_by(|a, b| a >= b), "{times:?}");
    assert!(shown.contains("late  heard of last"), "{shown}");
}

/// Percentiles are of the newest swipes and the share is of all: the border says which is which.
#[test]
fn the_border_says_of_which_swipes_its_figures_are() {
    for (size, words) in [
        ((80, 24), "newest: p50 2.2 ms  p99 9.4 ms  p99.9 31 ms  all: 99.98 % in 100 ms"),
        ((120, 40), "newest: p99 9.4 ms  p99.9 31 ms  all: 99.98 % in 100 ms"),
    ] {
        let mut state = state(Sample::Normal, size);
        press(&mut state, &[Key::Char('5')]);
        let shown = text(&state, size);
        assert!(shown.contains(words), "{size:?}:\n{shown}");
    }
}

/// What decides about a reason is there in the narrowest pane.
#[test]
fn a_reason_keeps_its_useful_part() {
    let mut snapshot = normal(0);
    let reasons = [
        ("7 swipes under $2.00 in 4 minutes", "$2.00 in 4"),
        ("$850.00 is 307.1 times the card's usual $2.76", "307.1"),
        ("card blocked since 13:51:36 on 2026-03-05", "card blocked since 13:51"),
    ];
    for (reason, useful) in reasons {
        let newest = &mut snapshot.payments.data.recent[0];
        (newest.verdict, newest.amount_cents) = (Verdict::Declined, 85_000);
        newest.reasons = vec![reason.into()];
        for size in [(80, 24), (100, 30), (120, 40), (200, 60)] {
            let mut state = state(Sample::Normal, size);
            update(&mut state, Msg::Snapshot(Arc::new(snapshot.clone())), 0);
            press(&mut state, &[Key::Char('5')]);
            let shown = text(&state, size);
            assert!(shown.contains(useful), "{size:?} lacks {useful}:\n{shown}");
        }
    }
}
