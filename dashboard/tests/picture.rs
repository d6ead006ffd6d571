//! The one picture: of each business one log, with a bookmark for each lane.

use std::sync::Arc;

use dashboard::{Glyphs, Msg, Palette, Pane, Source, State, Theme, update};
use dashboard_testing::{Sample, draw, panes, state, text};

const SIZES: [(u16, u16); 5] = [(80, 24), (100, 30), (120, 30), (120, 40), (200, 60)];

/// The logs of the picture: it is the first pane.
fn picture(screen: &str) -> Vec<&str> {
    let logs = rows_of(screen).into_iter().filter(|row| row.contains(['├', '|']) && !row.contains(" · "));
    logs.collect()
}

/// All of its rows.
fn rows_of(screen: &str) -> Vec<&str> {
    let rows: Vec<&str> = screen.lines().skip(2).collect();
    let end = rows.iter().position(|row| row.starts_with(['╰', '`', '+']) && row.len() > 1);
    assert!(rows[0].contains("one log, two bookmarks"), "{screen}");
    rows[1..end.filter(|end| *end > 0).expect("its frame ends")].to_vec()
}

#[test]
fn one_picture_is_the_first_pane_at_every_size() {
    for size in SIZES {
        let screen = text(&state(Sample::Normal, size), size);
        let rows = picture(&screen);
        assert_eq!(rows.len(), 3, "{screen}");
        for (row, business) in rows.iter().zip(["ride-share", "payments", "shop"]) {
            let (batch, stream) = (row.find('◇').expect("the batch"), row.find('◆').expect("the stream"));
            assert!(row.contains(business) && batch < stream, "{row}");
            assert!(row.contains("batch 41 min behind") && row.contains(" ms"), "{row}");
            assert!(!row.contains('…'), "nothing is cut: {row}");
        }
    }
}

#[test]
fn it_can_be_read_without_colours_and_in_ascii() {
    for (width, height) in SIZES {
        let of_sample = state(Sample::Normal, (width, height));
        let theme = Theme { palette: Palette::Mono, glyphs: Glyphs::Ascii, ..Theme::default() };
        let buf = draw(&of_sample, (width, height), &theme);
        let row = |y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>();
        let payments = (0..height).map(row).find(|row| row.contains("payments")).expect("a row");
        let bar = payments.split('|').find(|part| part.contains('=')).expect("a bar");
        let place = |mark| bar.find(mark).unwrap_or_else(|| panic!("{mark} in {bar}"));
        assert!(place('=') < place('o') && place('o') < place('*'), "{bar}");
    }
}

/// A payments show has no log of a shop; a foreign cluster has no lanes to compare.
#[test]
fn only_the_businesses_that_are_here_have_a_log() {
    for size in SIZES {
        let mut snapshot = Sample::Normal.snapshot();
        snapshot.lanes.data.readers.retain(|readers| readers.business == "payments");
        let mut of_payments = State::new(Palette::Dark, &Pane::of_show([Pane::Payments]));
        update(&mut of_payments, Msg::Snapshot(Arc::new(snapshot)), 0);
        let screen = text(&of_payments, size);
        assert_eq!(picture(&screen).len(), 1, "{screen}");
        let foreign = text(&state(Sample::Foreign, size), size);
        assert!(!foreign.contains("bookmarks"), "{foreign}");
    }
}

/// The panes below do not move when the first data comes.
#[test]
fn its_room_is_there_from_the_beginning() {
    for size in SIZES {
        let mut before = State::new(Palette::Dark, &panes());
        update(&mut before, Msg::Resize(size.0, size.1), 0);
        let empty = text(&before, size);
        for screen in
            [&empty, &text(&state(Sample::Empty, size), size), &text(&state(Sample::Normal, size), size)]
        {
            picture(screen);
            let last = if size == (80, 24) { 6 } else { 9 };
            assert!(screen.lines().nth(last).is_some_and(|row| row.starts_with('╰')), "{screen}");
        }
    }
}

#[test]
fn it_says_what_it_waits_for_and_when_it_is_old() {
    let mut snapshot = Sample::Normal.snapshot();
    snapshot.lanes.data.readers[1].batch_age_ms = None;
    snapshot.groups.data.retain(|group| !group.id.contains("fraud"));
    snapshot.lanes.data.freshness.retain(|of| of.business != "fraud");
    let mut waiting = state(Sample::Normal, (120, 40));
    update(&mut waiting, Msg::Snapshot(Arc::new(snapshot)), 0);
    let screen = text(&waiting, (120, 40));
    let payments = picture(&screen)[1];
    assert!(payments.contains("batch no run yet") && payments.contains("stream not started"), "{payments}");
    assert!(!payments.contains(['◆', '◇', '━']), "nothing is read: {payments}");

    // A job's first run has read, and is not out; that another job runs says nothing of it.
    for (running, words) in [(true, "batch running now"), (false, "batch no run seen")] {
        let mut snapshot = Sample::Normal.snapshot();
        snapshot.lanes.data.readers[1].batch_age_ms = None;
        snapshot.lanes.data.running = true;
        snapshot.lanes.data.readers[1].running = running;
        update(&mut waiting, Msg::Snapshot(Arc::new(snapshot)), 0);
        let screen = text(&waiting, (120, 40));
        assert!(picture(&screen)[1].contains(words), "{screen}");
    }

    let stale = text(&state(Sample::Stale, (120, 40)), (120, 40));
    assert!(stale.lines().nth(2).expect("its frame").contains("stale 12 s"), "{stale}");
    // Sources count whole seconds: the first one has no age yet.
    let mut snapshot = Sample::Normal.snapshot();
    snapshot.lanes.source = dashboard::Source::Stale { for_ms: 0, reason: "no answer".into() };
    update(&mut waiting, Msg::Snapshot(Arc::new(snapshot)), 0);
    let screen = text(&waiting, (120, 40));
    assert!(screen.lines().nth(2).expect("its frame").contains("stale: no answer"), "{screen}");
    assert!(!screen.contains("stale 0"), "{screen}");
    let mut absent = Sample::Normal.snapshot();
    absent.lanes.source = Source::Absent;
    update(&mut waiting, Msg::Snapshot(Arc::new(absent)), 0);
    assert!(!text(&waiting, (120, 40)).contains("bookmarks"));
}

/// A consumer that was killed is left of the job that it should be ahead of.
#[test]
fn a_dead_consumer_is_seen_in_the_picture() {
    let screen = text(&state(Sample::Dead, (120, 40)), (120, 40));
    let payments = picture(&screen)[1];
    assert!(payments.contains("stream 38 s behind"), "{payments}");
    let healthy = text(&state(Sample::Normal, (120, 40)), (120, 40));
    let place = |row: &str| row.chars().position(|char| char == '◆').expect("its bookmark");
    assert!(place(payments) < place(picture(&healthy)[1]), "{payments}");
}

/// Below each log stands one case, and what both lanes made of it, or that there is none yet.
#[test]
fn one_case_of_each_business_is_followed_in_both_lanes() {
    for size in [(100, 30), (120, 30), (120, 40), (200, 60)] {
        let screen = text(&state(Sample::Normal, size), size);
        let rows = rows_of(&screen);
        assert_eq!(rows.len(), 6, "a log and a case of each business: {screen}");
        for (row, who) in
            rows.iter().skip(1).step_by(2).zip(["ride t045-1", "card-002685", "session-0001207"])
        {
            assert!(row.contains(who) && row.contains("stream ") && row.contains("batch "), "{row}");
        }
    }
    let mut early = Sample::Normal.snapshot();
    early.lanes.data.cases[1] = dashboard::FollowedCase {
        business: "payments".into(),
        stream: vec!["no card looks stolen\u{1b}[2J yet".into()],
        ..dashboard::FollowedCase::default()
    };
    let mut shown = state(Sample::Normal, (120, 40));
    update(&mut shown, Msg::Snapshot(Arc::new(early)), 0);
    let screen = text(&shown, (120, 40));
    let row = rows_of(&screen)[3];
    assert!(
        row.contains("· no card looks stolen") && !row.contains('\u{1b}') && !row.contains("batch"),
        "{row}"
    );
}
