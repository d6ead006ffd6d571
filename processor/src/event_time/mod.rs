//! Tools of event time, which every domain needs: how far event time has come, and which events
//! were seen before.
//!
//! A processor reads no clock. All that it knows of time stands in the events, and these come out
//! of order, late, twice, or with a time that is plainly wrong. The three questions that follow are
//! answered here, once for all domains:
//!
//! - *How far has event time come?* The [`Watermark`], which one wrong clock alone can't carry
//!   away.
//! - *Is this window over?* When the watermark [has passed](Watermark::has_passed) its end plus the
//!   allowed lateness.
//! - *Was this event seen before?* The [`DeduplicationWindow`].
//!
//! # Simplifications
//! - A watermark holds for one processor, which is one partition of each input. Nothing combines
//!   the watermarks of several processors into one, as Flink does downstream of a shuffle: no
//!   processor here reads what several others have written and must wait for the slowest of them.

mod deduplication;
mod watermark;

pub use deduplication::{DeduplicationWindow, SharedWindow};
pub use watermark::{IN_A_ROW, Plausibility, Watermark};
