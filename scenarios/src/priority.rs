//! Which process runs first when the processors are busy.
//!
//! Ten programs share a machine that may have two processors. A terminal hangs up after a tenth of
//! a second and a shopper waits for a page; a rider looks at the map once in a second or two, and a
//! job has an hour. To each of them all the others' work is in the way, so each says how long its
//! own can wait, and the kernel does the rest (nice(2)). Nothing is starved: a process of lower
//! priority gets what the others leave, and a tenth or less of a processor that is wanted by all.
//!
//! # Simplifications
//! - Elsewhere than on Linux everybody is equal.

use crate::kernel;

/// How long the work of a thread can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// Seen within a second or two: positions, arrival times, texts, the screen.
    Moments,
    /// Not seen within the hour.
    Hours,
}

/// Lowers the priority of the calling thread and of those that it will start: all work that is more
/// urgent goes first.
pub fn lower_priority(can_wait: Priority) {
    let steps = match can_wait {
        Priority::Moments => 10,
        Priority::Hours => 15,
    };
    kernel::lower_priority(steps);
}
