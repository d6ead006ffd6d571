//! No size and no value makes a view panic, and what the terminal then shows is what was drawn.

use std::sync::Arc;

use dashboard::{Cache, Cmd, Glyphs, Key, Msg, Palette, Snapshot, State, Theme, update, view};
use dashboard_testing::{Sample, city_map, draw, panes, records};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// A state in one of many situations, all of which the sizes go through.
fn situation(number: usize, snapshot: &Arc<Snapshot>, map: &Arc<dashboard::CityMap>) -> State {
    let mut state = State::new(Palette::Dark, &panes());
    update(&mut state, Msg::Map(Arc::clone(map)), 0);
    update(&mut state, Msg::Snapshot(Arc::clone(snapshot)), 0);
    let mut press = |keys: &[Key]| {
        for key in keys {
            for cmd in update(&mut state, Msg::Key(*key), 0) {
                if let Cmd::Read(Some(query)) = cmd {
                    let records = Some(Arc::new(records(&query)));
                    let snapshot = Snapshot { records, ..Snapshot::clone(snapshot) };
                    update(&mut state, Msg::Snapshot(Arc::new(snapshot)), 0);
                }
            }
        }
    };
    press(&[Key::Char(char::from(b'1' + (number % 8) as u8))]);
    match number / 8 % 9 {
        0 => {}
        1 => press(&[Key::Enter, Key::Char('z')]),
        5 => press(&[Key::Char('1'), Key::Enter, Key::Char('o'), Key::Char('x'), Key::Enter]),
        6 => press(&[Key::Char('1'), Key::Enter, Key::PageUp, Key::Enter]),
        7 => press(&[Key::Char(':'), Key::Down, Key::Down]),
        8 => press(&[Key::Char(':'), Key::Char('r'), Key::Char('e')]),
        2 => press(&[Key::Char('?'), Key::PageDown]),
        3 => press(&[Key::Char('X')]),
        _ => press(&[Key::Char('/'), Key::Char('o')]),
    }
    state
}

#[test]
fn every_size_from_nothing_to_130x50() {
    let map = Arc::new(city_map());
    let snapshots = Sample::ALL.map(|sample| Arc::new(sample.snapshot()));
    let mut number = 0;
    for width in 0..=130_u16 {
        for height in 0..=50_u16 {
            // 8 panes, 9 modes, 8 samples: 576 situations, which have no common factor with 51
            // rows.
            let state = situation(number, &snapshots[number / 72 % 8], &map);
            let area = Rect::new(0, 0, width, height);
            view(&state, &mut Cache::default(), &Theme::default(), area, &mut Buffer::empty(area));
            number += 1;
        }
    }
}

/// Drawing into a part of a buffer touches nothing else, and a part that lies outside is no reason
/// to panic.
#[test]
fn a_part_of_a_buffer() {
    let state = situation(0, &Arc::new(Sample::Extreme.snapshot()), &Arc::new(city_map()));
    let mut buf = Buffer::empty(Rect::new(0, 0, 100, 40));
    buf.set_string(0, 0, "x".repeat(100), ratatui::style::Style::new());
    let area = Rect::new(10, 5, 70, 20);
    view(&state, &mut Cache::default(), &Theme::default(), area, &mut buf);
    for y in 0..40 {
        for x in 0..100 {
            if !area.contains((x, y).into()) {
                assert_eq!(buf[(x, y)].symbol(), if y == 0 { "x" } else { " " }, "{x},{y}");
            }
        }
    }
    view(&state, &mut Cache::default(), &Theme::default(), Rect::new(90, 30, 200, 200), &mut buf);
}

#[test]
fn ascii_and_block_glyphs_are_what_they_say() {
    let map = Arc::new(city_map());
    let snapshot = Arc::new(Sample::Extreme.snapshot());
    for (glyphs, allowed) in [
        (Glyphs::Ascii, (|char: char| char.is_ascii()) as fn(char) -> bool),
        (Glyphs::Block, |char| !(0x2800..=0x28ff).contains(&u32::from(char))),
    ] {
        for number in 0..72 {
            let state = situation(number, &snapshot, &map);
            let buf = draw(&state, (120, 40), &Theme { glyphs, ..Theme::default() });
            for cell in buf.content() {
                assert!(cell.symbol().chars().all(allowed), "{:?} in situation {number}", cell.symbol());
            }
        }
    }
}

/// Whatever names there are in a cluster: the terminal is sent no character that it obeys, and
/// none that is invisible.
#[test]
fn no_cell_holds_an_unsafe_character() {
    let map = Arc::new(city_map());
    let snapshot = Arc::new(Sample::Extreme.snapshot());
    for number in 0..72 {
        let state = situation(number, &snapshot, &map);
        for cell in draw(&state, (200, 60), &Theme::default()).content() {
            assert!(!cell.symbol().contains(text::is_unsafe), "{:?} in situation {number}", cell.symbol());
        }
    }
}
