//! Text for a terminal: made harmless, measured in cells, and laid out in tables.
//!
//! A group id, a record, an error message of a server can hold any character, and a terminal obeys
//! some of them: `ESC ]0;` changes the title of its window, `ESC [2J` clears it, a line feed begins
//! a line that looks like one of ours, a mark of direction makes a name look like another (Boucher
//! and Anderson 2021, "Trojan Source", CVE-2021-42574). Which characters these are is decided in
//! one place, [`is_unsafe`]; what becomes of them depends on where the text goes:
//!
//! | where | by | an escape character becomes |
//! |---|---|---|
//! | a line of words | [`escape`] | `\u{1b}`, so that the text can be read back |
//! | a cell of the screen | [`clean`] | `·`, one cell wide |
//! | whatever a command writes | [`SafeWriter`] | `\u001b`, which in JSON is the same text |
//!
//! Commands write through a [`SafeWriter`], so that none can forget. What they compose of names
//! from outside they [`escape`] or put into a [`Table`], which does so: only there it is known that
//! a line feed is part of a name.
//!
//! # Simplifications
//! - Combining marks are kept in lines, where they belong to the letter before them, and dropped in
//!   cells: no two terminals agree about their width.
//! - Joiners are escaped, and with them an emoji or a word in Persian that needs one.
//! - Letters that look like others (Cyrillic `а`) are letters: this is no protection from them.
//! - The width of a character is that of the Unicode standard (UAX #11), as `unicode-width` has it;
//!   some terminals draw some emoji differently.

mod cells;
mod numbers;
mod safe;
mod table;

pub use cells::{clean, fit, fit_id, text_width, width, wrap};
pub use numbers::{amount, grouped, money, plural};
pub use safe::{SafeWriter, escape, is_unsafe};
pub use table::Table;
