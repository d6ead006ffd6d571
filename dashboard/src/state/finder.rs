//! The command palette: every key of the table by its words, and every pane by its name.
//!
//! What is typed narrows the list; Enter does what the selected entry says. An entry that does
//! nothing now stays in the list, with the reason: so the list teaches what there is, wherever the
//! cursor is.
//!
//! # Simplifications
//! - A text is found in the words of an entry, not letter by letter: `row sel` finds "more about
//!   the selected row", `mrsr` does not.

use crate::state::State;
use crate::state::keys::{Act, Binding};
use crate::state::pane::Pane;
use crate::state::table::SECTIONS;

/// What an entry does.
#[derive(Clone, Copy)]
pub(crate) enum Deed {
    /// What a key does.
    Key(&'static Binding),
    /// Focuses this pane.
    Pane(Pane),
}

/// A line of the palette.
pub(crate) struct Entry {
    pub(crate) deed: Deed,
    /// The key that does the same.
    pub(crate) key: String,
    pub(crate) words: String,
    /// Why it does nothing now.
    pub(crate) off: Option<&'static str>,
}

/// The entries that contain every word of what is typed; those that work come first.
pub(crate) fn entries(state: &State, typed: &str) -> Vec<Entry> {
    let typed = typed.to_lowercase();
    let words: Vec<&str> = typed.split_whitespace().collect();
    let is_found = |entry: &Entry| {
        // The footer's word finds a key, too: `redrive`.
        let brief = if let Deed::Key(binding) = entry.deed { binding.brief } else { "" };
        let text = format!("{} {brief}", entry.words).to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let (mut found, off): (Vec<_>, Vec<_>) =
        all(state).into_iter().filter(is_found).partition(|entry| entry.off.is_none());
    found.extend(off);
    found
}

fn all(state: &State) -> Vec<Entry> {
    let mut all = Vec::new();
    for binding in SECTIONS.iter().flat_map(|(_, bindings)| *bindings) {
        // To move is for the keys alone, and the panes have entries of their own.
        let is_move = matches!(
            binding.act,
            Act::Up | Act::Down | Act::PageUp | Act::PageDown | Act::Focus | Act::Back | Act::Palette
        );
        if is_move {
            continue;
        }
        all.push(Entry {
            deed: Deed::Key(binding),
            key: binding.shown(state).to_owned(),
            words: binding.does.to_owned(),
            off: binding.off(state),
        });
    }
    for pane in state.panes.iter().map(|its| its.pane) {
        all.push(Entry {
            deed: Deed::Pane(pane),
            key: state.number(pane).map_or_else(String::new, String::from),
            words: format!("pane: {}", pane.name()),
            off: if state.is_presenting() {
                Some("not in the view for a projector: P leaves it")
            } else {
                (!state.has(pane)).then_some(pane.spec().absent)
            },
        });
    }
    all
}
