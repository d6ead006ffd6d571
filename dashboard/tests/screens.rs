//! Every screen as text and as styles: four sizes, seven situations. `UPDATE_EXPECT=1 cargo test -p
//! dashboard` regenerates them; look at the difference before you commit it.

use std::fmt::Write;
use std::sync::Arc;

use dashboard::{Key, LaneVerdict, Msg, Palette, State, Theme, update};
use dashboard_testing::{Sample, draw, panes, screen, state};
use expect_test::expect_file;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

const SIZES: [(u16, u16); 4] = [(60, 16), (80, 24), (120, 40), (200, 60)];

/// The characters, then the styles: for each row its runs, as `columns look`.
fn describe(buf: &Buffer) -> String {
    let mut text = String::new();
    let area = buf.area;
    for y in 0..area.height {
        let row: String = (0..area.width).map(|x| buf[(x, y)].symbol()).collect();
        text.push_str(row.trim_end());
        text.push('\n');
    }
    for y in 0..area.height {
        let _ = write!(text, "{y:02}");
        let mut x = 0;
        while x < area.width {
            let look = look(buf, x, y);
            let start = x;
            while x < area.width && self::look(buf, x, y) == look {
                x += 1;
            }
            if !look.is_empty() {
                let _ = write!(text, " {start}-{}{look}", x - 1);
            }
        }
        text.push('\n');
    }
    text
}

fn look(buf: &Buffer, x: u16, y: u16) -> String {
    let cell = &buf[(x, y)];
    let mut look = String::new();
    for (mark, color) in [(':', cell.fg), ('@', cell.bg)] {
        match color {
            // A blank cell has no colour to see.
            _ if mark == ':' && cell.symbol() == " " => {}
            Color::Reset => {}
            _ => look.push_str(&format!("{mark}{color}").replace('#', "")),
        }
    }
    if cell.modifier.contains(Modifier::BOLD) && cell.symbol() != " " {
        look.push('*');
    }
    look
}

fn check(name: &str, sample: Sample, keys: &[Key]) {
    for size in SIZES {
        let path = format!("{}/tests/screens/{name}-{}x{}.txt", env!("CARGO_MANIFEST_DIR"), size.0, size.1);
        expect_file![path].assert_eq(&describe(&screen(sample, size, keys)));
    }
}

#[test]
fn normal() {
    check("normal", Sample::Normal, &[]);
}

/// Terminals as they open: the bill, the lag, and one pane beside them.
#[test]
fn three_panes() {
    for size in [(100, 30), (120, 30)] {
        for (name, sample, keys) in
            [("normal", Sample::Normal, [].as_slice()), ("dead", Sample::Dead, &[Key::Char('5')])]
        {
            let path =
                format!("{}/tests/screens/{name}-{}x{}.txt", env!("CARGO_MANIFEST_DIR"), size.0, size.1);
            expect_file![path].assert_eq(&describe(&screen(sample, size, keys)));
        }
    }
}

#[test]
fn empty() {
    check("empty", Sample::Empty, &[]);
}

#[test]
fn stale() {
    check("stale", Sample::Stale, &[Key::Char('4')]);
}

/// The partitions of a group without members, one of whose committed offsets retention has
/// overtaken.
#[test]
fn dead() {
    check("dead", Sample::Dead, &[Key::Char('2'), Key::Char('j'), Key::Char('j'), Key::Char('3')]);
}

/// The lag pane with a group opened, to show its workers.
#[test]
fn paused() {
    check("paused", Sample::Paused, &[Key::Char('2'), Key::Char('j'), Key::Char('j'), Key::Enter]);
}

#[test]
fn help() {
    check("help", Sample::Normal, &[Key::Char('2'), Key::Char('?')]);
}

#[test]
fn confirm() {
    check("confirm", Sample::Normal, &[Key::Char('2'), Key::Char('j'), Key::Char('j'), Key::Char('X')]);
}

/// Pane 7 when the frauds are too few to tell the lanes apart: it says how many there are and about
/// how many are needed, and neither says "equivalent" nor is green.
/// Without an interval nothing is known of a cost but its sum: it has the mark that line 2 gives
/// it, also where there are no colours.
#[test]
fn an_amount_without_an_interval_is_marked() {
    let mut snapshot = Sample::Normal.snapshot();
    let money = &mut snapshot.lanes.data.bill.items[2];
    (money.stream, money.batch) = (Some(734.0), Some(0.0));
    (money.interval_95, money.verdict) = (None, None);
    for size in [(80, 24), (120, 40), (200, 60)] {
        let mut state = state(Sample::Normal, size);
        update(&mut state, Msg::Snapshot(Arc::new(snapshot.clone())), 0);
        update(&mut state, Msg::Key(Key::Char('7')), 0);
        let screen = dashboard_testing::text(&state, size);
        let row = screen.lines().find(|row| row.contains("│ money lost, $ ")).expect("a row of money");
        assert!(row.contains("−7.34?"), "{size:?}: {row}");
    }
}

#[test]
fn too_few_to_tell() {
    let mut snapshot = Sample::Normal.snapshot();
    let money = &mut snapshot.lanes.data.bill.items[2];
    money.interval_95 = Some((-2_300.0, 250_000.0));
    let of = "frauds".to_owned();
    money.verdict = Some(LaneVerdict::TooFew { evidence: 71, of, needed: Some(400) });
    for (size, words) in [
        ((80, 24), "unclear: 71 of ~400 frauds"),
        ((120, 40), "71 of ~400 frauds"),
        ((200, 60), "71 of ~400 frauds"),
    ] {
        let mut state = state(Sample::Normal, size);
        update(&mut state, Msg::Snapshot(Arc::new(snapshot.clone())), 0);
        update(&mut state, Msg::Key(Key::Char('7')), 0);
        let buf = draw(&state, size, &Theme::default());
        let rows = (0..size.1).map(|y| (0..size.0).map(|x| buf[(x, y)].symbol()).collect::<String>());
        let (y, row) =
            rows.enumerate().find(|(_, row)| row.contains("│ money lost, $ ")).expect("a row of money");
        let (before, _) = row.split_once(words).unwrap_or_else(|| panic!("{size:?}: {row}"));
        let x = before.chars().count() as u16;
        let role = |(x, y): (u16, u16)| buf[(x, y)].fg;
        let dim = (0..size.0).find(|&x| buf[(x, 1)].symbol() == "c" && buf[(x + 1, 1)].symbol() == "o");
        assert_eq!(
            role((x, y as u16)),
            role((dim.expect("what waiting has cost"), 1)),
            "{size:?}: dim, as in line 2"
        );
        let path = format!("{}/tests/screens/too-few-{}x{}.txt", env!("CARGO_MANIFEST_DIR"), size.0, size.1);
        expect_file![path].assert_eq(&describe(&buf));
    }
}

/// What says how many cases are needed keeps apart from the figure of the batch before it.
#[test]
fn a_verdict_of_many_words_keeps_its_distance() {
    let mut snapshot = Sample::Normal.snapshot();
    let texts = &mut snapshot.lanes.data.bill.items[1];
    (texts.stream, texts.batch, texts.interval_95) = (Some(18.0), Some(15.0), Some((-9.0, 3.0)));
    let of = "texts due".to_owned();
    texts.verdict = Some(LaneVerdict::TooFew { evidence: 18, of, needed: Some(37) });
    let mut state = state(Sample::Normal, (120, 40));
    update(&mut state, Msg::Snapshot(Arc::new(snapshot)), 0);
    let buf = draw(&state, (120, 40), &Theme::default());
    let rows = (0..40).map(|y| (0..60).map(|x| buf[(x, y)].symbol()).collect::<String>());
    let row = rows.into_iter().find(|row| row.contains("wrong texts")).expect("a row of texts");
    assert!(row.contains("15    18/~37 texts due"), "{row}");
}

/// Every pane at 80x24, where it has the screen to itself.
#[test]
fn each_pane() {
    for (digit, name) in "12345678".chars().zip([
        "throughput",
        "lag",
        "partitions",
        "city",
        "payments",
        "shop",
        "lanes",
        "events",
    ]) {
        let path = format!("{}/tests/screens/pane-{name}-80x24.txt", env!("CARGO_MANIFEST_DIR"));
        expect_file![path].assert_eq(&describe(&screen(Sample::Normal, (80, 24), &[Key::Char(digit)])));
    }
}

/// The dial's effect is seen beside the total: what waiting costs in an hour since it was moved.
#[test]
fn what_the_dial_changed_stands_beside_the_total() {
    let mut snapshot = Sample::Normal.snapshot();
    let text = |snapshot: &dashboard::Snapshot| {
        let mut state = State::new(Palette::Dark, &panes());
        update(&mut state, Msg::Snapshot(Arc::new(snapshot.clone())), 0);
        let buf = draw(&state, (120, 40), &Theme::default());
        describe(&buf)
    };
    snapshot.lanes.data.dial_moved_ms = snapshot.title.clock_ms.map(|now| now - 60_000);
    assert!(text(&snapshot).contains("since 14:31:07 an hour: measuring…"), "{}", text(&snapshot));
    for (item, rate) in snapshot.lanes.data.bill.items.iter_mut().zip([300.0, 3.0, 41_200.0, 96.0]) {
        item.cost_per_hour = Some(rate);
    }
    let text = text(&snapshot);
    assert!(text.contains("since 14:31:07 an hour: $412.00 · 300 min · 96 clicks"), "{text}");
}

/// The records of a topic, and one of them whole; dead letters, and the question before their
/// records are sent again.
#[test]
fn records_of_a_topic() {
    let open = [Key::Char('1'), Key::Enter];
    check("records", Sample::Normal, &open);
    check("record-whole", Sample::Normal, &[&open[..], &[Key::Char('k'), Key::Enter]].concat());
    // The silent topics are opened, and the last of them is that of the dead letters.
    let letters = [Key::Char('1'), Key::Char('G'), Key::Enter, Key::Char('G'), Key::Enter];
    for (name, keys) in
        [("letters", [].as_slice()), ("letter-whole", &[Key::Enter]), ("redrive", &[Key::Char('R')])]
    {
        let path = format!("{}/tests/screens/{name}-100x30.txt", env!("CARGO_MANIFEST_DIR"));
        expect_file![path].assert_eq(&describe(&screen(
            Sample::Normal,
            (100, 30),
            &[letters.as_slice(), keys].concat(),
        )));
    }
}

/// Everything there is to do, and what is off with the reason why.
#[test]
fn palette() {
    check("palette", Sample::Normal, &[Key::Char(':')]);
    let typed: Vec<Key> = ":group".chars().map(Key::Char).collect();
    let path = format!("{}/tests/screens/palette-foreign-100x30.txt", env!("CARGO_MANIFEST_DIR"));
    expect_file![path].assert_eq(&describe(&screen(Sample::Foreign, (100, 30), &typed)));
}

/// A show of its own, and with more about the selected pair.
#[test]
fn markets() {
    check("markets", Sample::Markets, &[]);
    check("markets-detail", Sample::Markets, &[Key::Char('4'), Key::Char('j'), Key::Enter]);
}

#[test]
fn a_foreign_cluster_is_a_lag_monitor() {
    let path = format!("{}/tests/screens/foreign-120x40.txt", env!("CARGO_MANIFEST_DIR"));
    expect_file![path].assert_eq(&describe(&screen(Sample::Foreign, (120, 40), &[])));
}

/// The lesson is on every screen: what the streams know, what the batch knows, what the delay has
/// cost.
#[test]
fn the_lesson_is_everywhere() {
    let snapshot = Arc::new(Sample::Normal.snapshot());
    for width in 24..=200 {
        for height in [4, 16, 60] {
            let mut state = State::new(Palette::Dark, &panes());
            update(&mut state, Msg::Snapshot(Arc::clone(&snapshot)), 0);
            let buf = draw(&state, (width, height), &Theme::default());
            let row = |y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>();
            let top: String = (0..height.min(3)).map(row).collect::<Vec<_>>().join("\n");
            for word in ["stream 18 ms", "batch 41 min", "cost", "$1"] {
                assert!(top.contains(word), "{width}x{height} lacks {word:?}:\n{top}");
            }
        }
    }
}
