//! What the steps of a run hand on to each other.

use std::collections::HashMap;

use client::TopicPartition;
use events::Event;
use processor::mart::Mart;

use crate::warehouse::Rows;

/// What a run has taken from the log, and what is to be done with it at its end.
pub(super) struct Taken {
    pub(super) records: u64,
    pub(super) rows: Rows,
    /// Answers that rest on this run, with the partition of their questions.
    pub(super) owed: Vec<(i32, Event)>,
    /// The first record of each partition that belongs to a later window.
    pub(super) first_left: HashMap<TopicPartition, i64>,
}

impl Taken {
    pub(super) fn new(marts: &[&'static Mart]) -> Self {
        Self { records: 0, rows: Rows::new(marts), owed: Vec::new(), first_left: HashMap::new() }
    }
}
