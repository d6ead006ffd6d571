//! Names from outside, in a sentence.

use text::{escape, fit};

/// The longest name that is written out, in cells.
const LONGEST: u16 = 80;
/// The longest reason, in characters.
const LONGEST_REASON: usize = 300;
/// So many similar names are offered.
const OFFERED: usize = 3;

/// A name from outside, harmless and not too long.
pub(super) fn short(name: &str) -> String {
    // Cut first: a name may have megabytes.
    let cut: String = name.chars().take(usize::from(LONGEST) + 1).collect();
    fit(&escape(&cut), LONGEST).into_owned()
}

/// A reason from outside, which may be longer than a name.
pub(super) fn harmless(reason: &str) -> String {
    let cut: String = reason.chars().take(LONGEST_REASON).collect();
    escape(&cut).into_owned()
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(names: &[impl AsRef<str>]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// Those of `names` that `wanted` may have been meant to be: as a question, or nothing.
pub(super) fn did_you_mean<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut similar: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| Some((distance(wanted, name)?, name)))
        .filter(|&(_, name)| name != wanted)
        .collect();
    similar.sort_unstable();
    let similar: Vec<_> = similar.iter().take(OFFERED).map(|(_, name)| short(name)).collect();
    (!similar.is_empty()).then(|| format!("did you mean {}?", similar.join(" or ")))
}

/// How many letters must be put in, left out, replaced or swapped to make one name of the other;
/// none if so many that they are different names. Case and separators don't count.
fn distance(one: &str, other: &str) -> Option<usize> {
    let letters = |name: &str| -> Vec<char> {
        let plain = name.chars().filter(|char| !matches!(char, '-' | '_' | '.'));
        plain.flat_map(char::to_lowercase).take(usize::from(LONGEST)).collect()
    };
    let (one, other) = (letters(one), letters(other));
    let most = 1 + one.len().min(other.len()) / 4;
    if one.len().abs_diff(other.len()) > most {
        return None;
    }
    // Optimal string alignment: three rows of the table are enough.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, against) in other.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != against);
            let mut best = replaced.min(last[column + 1] + 1).min(next[column] + 1);
            if row > 0 && column > 0 && one[row - 1] == *against && other[column - 1] == *letter {
                best = best.min(before[column - 1] + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut last, next);
    }
    Some(last[other.len()]).filter(|distance| *distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_names_are_offered_and_others_not() {
        let topics = ["card_swipes", "clicks", "click", "driver_locations", "Card-Swipe", "c"];
        let offered = |wanted| did_you_mean(wanted, topics);
        assert_eq!(offered("card_swipse").as_deref(), Some("did you mean Card-Swipe or card_swipes?"));
        assert_eq!(offered("cardswipes").as_deref(), Some("did you mean card_swipes or Card-Swipe?"));
        assert_eq!(offered("CLICKS").as_deref(), Some("did you mean clicks or click?"));
        assert_eq!(offered("payments"), None);
        assert_eq!(offered(""), Some("did you mean c?".to_owned()));
        assert_eq!(did_you_mean("same", ["same"]), None, "what is there was meant");
    }

    #[test]
    fn a_name_is_short_and_harmless() {
        assert_eq!(short("kafka\u{1b}[2J"), "kafka\\u{1b}[2J");
        assert!(short(&"x".repeat(100_000)).chars().count() <= 80);
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }
}
