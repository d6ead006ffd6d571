//! The view for a projector: `P`.

use std::sync::Arc;

use dashboard::{Cmd, Glyphs, Key, Msg, Palette, PastBill, Snapshot, Source, State, Theme, Unit, update};
use dashboard_testing::{Sample, draw, panes, presenting, state, text};
use expect_test::expect_file;

const SIZES: [(u16, u16); 5] = [(80, 24), (100, 30), (120, 30), (120, 40), (200, 60)];

fn press(state: &mut State, key: char) -> Vec<Cmd> {
    update(state, Msg::Key(Key::Char(key)), 0)
}

/// Two numbers, the bar, and the curve, with nothing cut; and the first line, for the clock.
#[test]
fn a_projector_shows_two_numbers_the_bar_and_the_curve() {
    for size in SIZES {
        let shown = text(&presenting(size), size);
        let path =
            format!("{}/tests/screens/presentation-{}x{}.txt", env!("CARGO_MANIFEST_DIR"), size.0, size.1);
        expect_file![path]
            .assert_eq(&shown.lines().map(|row| row.trim_end().to_owned() + "\n").collect::<String>());
        for words in
            ["stream is behind", "batch is behind", "ride-share", "payments", "shop", "◆", "◇", "Tue 14:32"]
        {
            assert!(shown.contains(words), "{size:?} lacks {words}:\n{shown}");
        }
        for words in
            ["cost of batch delay since the start", "$1,204.50", "1,498", "max $1,205", "14:32", "P back"]
        {
            assert!(shown.contains(words), "{size:?} lacks {words}:\n{shown}");
        }
        assert!(
            size.0 < 100 || shown.contains("from 13:02"),
            "{size:?}: of what time the curve is:\n{shown}"
        );
        assert!(shown.matches('█').count() > 100, "{size:?}: big figures:\n{shown}");
        assert!(!shown.contains('…') && !shown.contains("7 lanes"), "{shown}");
    }
}

#[test]
fn the_projector_needs_neither_colours_nor_blocks() {
    let size = (120, 40);
    let theme = Theme { palette: Palette::Mono, glyphs: Glyphs::Ascii, ..Theme::default() };
    let buf = draw(&presenting(size), size, &theme);
    let rows: Vec<String> =
        (0..size.1).map(|y| (0..size.0).map(|x| buf[(x, y)].symbol()).collect()).collect();
    assert!(rows.iter().all(|row| row.is_ascii()), "{rows:#?}");
    // `41 min`, the top of the letters.
    assert!(rows.iter().any(|row| row.contains("###   ###      ###                #")), "{rows:#?}");
    let bar = rows.iter().find(|row| row.contains("payments")).expect("its bar");
    assert!(bar.contains('#') && bar.contains('o') && bar.contains('*') && bar.contains(':'), "{bar}");
}

#[test]
fn p_and_escape_go_back_and_only_what_is_seen_can_be_changed() {
    let size = (120, 40);
    let mut state = presenting(size);
    let is_presenting = |state: &State| text(state, size).contains("stream is behind");
    for key in ['2', 'z', '+', '/', 'X', ' ', 'b'] {
        assert_eq!(press(&mut state, key), [], "{key:?}");
    }
    assert!(is_presenting(&state));
    assert!(matches!(press(&mut state, '<')[..], [Cmd::Send(_), Cmd::Draw]), "the dial turns");
    press(&mut state, '?');
    assert!(text(&state, size).contains("for a projector"), "{}", text(&state, size));
    update(&mut state, Msg::Key(Key::Esc), 0);
    assert!(is_presenting(&state), "back from the help");
    update(&mut state, Msg::Key(Key::Esc), 0);
    assert!(!is_presenting(&state));
    press(&mut state, 'P');
    assert!(is_presenting(&state));
    press(&mut state, 'P');
    assert!(!is_presenting(&state) && text(&state, size).contains("7 lanes"));
}

/// Nothing to present: a cluster without lanes, or no data yet.
#[test]
fn without_lanes_there_is_nothing_to_present() {
    let size = (120, 40);
    for sample in [Sample::Foreign, Sample::Empty] {
        let mut state = state(sample, size);
        assert_eq!(press(&mut state, 'P'), [], "{}", sample.name());
    }
    let mut gone = presenting(size);
    let mut snapshot = Sample::Normal.snapshot();
    snapshot.lanes.source = Source::Absent;
    update(&mut gone, Msg::Snapshot(Arc::new(snapshot)), 0);
    assert!(text(&gone, size).contains("1 throughput"), "{}", text(&gone, size));
}

#[test]
fn it_names_who_is_behind_and_says_when_it_is_old() {
    let size = (120, 40);
    let mut dead = state(Sample::Dead, size);
    press(&mut dead, 'P');
    assert!(text(&dead, size).contains("stream is behind: fraud"), "{}", text(&dead, size));
    let mut one = Sample::Normal.snapshot();
    one.lanes.data.readers[1].batch_age_ms = None;
    let mut partly = state(Sample::Normal, size);
    update(&mut partly, Msg::Snapshot(Arc::new(one)), 0);
    press(&mut partly, 'P');
    let shown = text(&partly, size);
    assert!(shown.contains("batch is behind, payments no run yet"), "{shown}");
    let mut empty = Sample::Normal.snapshot();
    let lanes = &mut empty.lanes.data;
    (lanes.batch_age_ms, lanes.stream_delay_ms) = (None, None);
    lanes.freshness.clear();
    lanes.bill.items.iter_mut().for_each(|item| item.batch = None);
    let mut early = State::new(Palette::Dark, &panes());
    update(&mut early, Msg::Snapshot(Arc::new(empty)), 0);
    press(&mut early, 'P');
    let shown = text(&early, size);
    assert!(shown.contains("batch has not run yet") && shown.contains("after the first run"), "{shown}");
}

/// Every sample at every size from the card on, and hostile values.
#[test]
fn no_size_and_no_value_breaks_it() {
    for sample in Sample::ALL {
        let mut state = state(sample, (120, 40));
        press(&mut state, 'P');
        for width in (1..=130_u16).step_by(3) {
            for height in 1..=45_u16 {
                update(&mut state, Msg::Resize(width, height), 0);
                draw(&state, (width, height), &Theme::default());
            }
        }
    }
}

/// A sum is of the time that the bill counts, not of the time that this dashboard has watched; and
/// the bill of the hours before the show is not taken for that of the show.
#[test]
fn it_says_of_what_time_the_sums_are() {
    let size = (120, 40);
    let mut snapshot = Sample::Normal.snapshot();
    let shown = |snapshot: &Snapshot| {
        let mut state = State::new(Palette::Dark, &panes());
        update(&mut state, Msg::Snapshot(Arc::new(snapshot.clone())), 0);
        press(&mut state, 'P');
        text(&state, size)
    };
    let now_ms = snapshot.title.clock_ms.expect("a clock");
    snapshot.lanes.data.counted_since_ms = Some(now_ms - 2 * 3_600_000);
    assert!(shown(&snapshot).contains("cost of batch delay since 12:32:07"), "{}", shown(&snapshot));

    let bill = snapshot.lanes.data.bill.clone();
    snapshot.lanes.data.bill.items.iter_mut().for_each(|item| item.batch = None);
    let unknown = shown(&snapshot);
    assert!(unknown.contains("after a later run") && !unknown.contains('$'), "{unknown}");
    snapshot.lanes.data.past = Some(PastBill { from_ms: now_ms - 3_600_000, until_ms: now_ms, bill });
    let past = shown(&snapshot);
    assert!(past.contains("cost of batch delay, 13:32–14:32, before the show"), "{past}");
    assert!(past.contains("$1,204.50") && !past.contains("since"), "{past}");
    assert!(!past.contains("max "), "it has no curve: {past}");

    snapshot.lanes.data.past = None;
    snapshot.lanes.data.past_is_due = true;
    for item in &mut snapshot.lanes.data.bill.items {
        (item.stream, item.cases) = (None, None);
    }
    assert!(shown(&snapshot).contains("cost of delay before the show: being computed"));
}

/// A source that is silent is named, and what was saved stands behind its sign.
#[test]
fn it_names_a_silent_source_and_writes_what_was_saved_with_its_currency() {
    let size = (120, 40);
    let mut state = presenting(size);
    let mut snapshot = Sample::Normal.snapshot();
    let money = snapshot.lanes.data.bill.items.iter_mut().find(|item| item.unit == Unit::Cents);
    let money = money.expect("a line in cents");
    (money.stream, money.batch) = (Some(90_000.0), Some(40_000.0));
    snapshot.lanes.source = Source::Stale { for_ms: 12_000, reason: "timed out".into() };
    update(&mut state, Msg::Snapshot(Arc::new(snapshot)), 0);
    let shown = text(&state, size);
    assert!(shown.contains("min −$500") && shown.contains("stale 12 s: timed out"), "{shown}");
}
