//! Graphs have a time axis and a maximum, and each pane a sentence of what it is.

use dashboard::{Key, Msg, State, update};
use dashboard_testing::{Sample, presenting, state, text};

fn press(state: &mut State, keys: &str) {
    for key in keys.chars() {
        let key = if key == '⏎' { Key::Enter } else { Key::Char(key) };
        update(state, Msg::Key(key), 0);
    }
}

#[test]
fn graphs_have_a_time_axis_and_a_maximum() {
    let size = (120, 40);
    // The sample's topic had 11,030 at most; the group's lag wavers about 18.
    for (sample, keys, highest) in
        [(Sample::Normal, "1z", "11,030"), (Sample::Normal, "2z", "29"), (Sample::Markets, "4j⏎", ".")]
    {
        let mut state = state(sample, size);
        press(&mut state, keys);
        let shown = text(&state, size);
        let axis =
            shown.lines().find(|row| row.contains(" ago ─")).unwrap_or_else(|| panic!("{keys}: {shown}"));
        assert!(axis.contains("─ now"), "{axis}");
        let bars: Vec<&str> = shown.lines().filter(|row| row.contains("███")).collect();
        let before =
            |row: &str| row.split(['█', '▁', '▂', '▃', '▄', '▅', '▆', '▇']).next().unwrap_or("").to_owned();
        let all: Vec<String> = shown.lines().map(before).collect();
        assert!(
            !bars.is_empty() && all.iter().any(|row| row.contains(highest)),
            "{keys} lacks {highest}: {shown}"
        );
    }
    assert!(text(&presenting(size), size).contains("max $1,205"));
}

/// Also where the help scrolls.
#[test]
fn the_help_says_what_the_focused_pane_is() {
    for size in [(80, 24), (120, 40)] {
        for (digit, sentence) in [
            ('1', "Throughput: records a second"),
            ('2', "so up to 1 s is normal"),
            ('3', "Partitions: each is a log"),
            ('4', "City: streets by their speed"),
            ('5', "Payments: each row is a card swipe"),
            ('6', "Shop: what one visitor did"),
            ('7', "Lanes, stream and batch: one logic"),
            ('8', "Events: what happened"),
        ] {
            let mut state = state(Sample::Normal, size);
            press(&mut state, &format!("{digit}?jjjj"));
            let shown = text(&state, size);
            assert!(shown.contains(sentence), "{size:?} {digit}: {shown}");
        }
        let mut state = presenting(size);
        press(&mut state, "?");
        assert!(text(&state, size).contains("One log, two bookmarks: both lanes"), "{}", text(&state, size));
    }
}
