//! The priority queue and the labels that all searches share.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::map::LinkId;

/// A link and the cost at which it was reached, the cheapest first, equal
/// costs in the order of ids.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Entry {
    cost: f64,
    link: LinkId,
}

impl Eq for Entry {}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        // Turned round: the standard heap gives its greatest first.
        other.cost.total_cmp(&self.cost).then(other.link.cmp(&self.link))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[derive(Clone, Copy, Debug)]
struct Label {
    cost: f64,
    /// The link before it (after it, when searching backwards); itself where the search began.
    via: LinkId,
    /// The search that wrote it: a label of an older search counts as none, so
    /// that nothing need be wiped.
    search: u32,
}

/// Labels and queue of one search, with room that is used again.
#[derive(Debug, Default)]
pub(super) struct Frontier {
    labels: Vec<Label>,
    heap: BinaryHeap<Entry>,
    search: u32,
}

impl Frontier {
    /// Forgets the last search and makes room for this many links.
    pub(super) fn clear(&mut self, links: usize) {
        self.heap.clear();
        if self.labels.len() != links || self.search == u32::MAX {
            self.labels.clear();
            self.labels.resize(links, Label { cost: f64::INFINITY, via: LinkId(0), search: 0 });
            self.search = 0;
        }
        self.search += 1;
    }

    /// The least cost known for a link; infinite when it has not been seen.
    pub(super) fn cost(&self, link: LinkId) -> f64 {
        let label = &self.labels[link.index()];
        if label.search == self.search { label.cost } else { f64::INFINITY }
    }

    /// The link from which this one was reached; none where the search began. Only for links that
    /// have been reached.
    pub(super) fn via(&self, link: LinkId) -> Option<LinkId> {
        let via = self.labels[link.index()].via;
        (via != link).then_some(via)
    }

    /// Notes a way to a link, and says whether it is better than what was known.
    pub(super) fn improve(&mut self, link: LinkId, cost: f64, via: LinkId) -> bool {
        let better = cost < self.cost(link);
        if better {
            self.labels[link.index()] = Label { cost, via, search: self.search };
            self.heap.push(Entry { cost, link });
        }
        better
    }

    /// The cheapest link that is not yet done with; outdated entries are passed over.
    pub(super) fn pop(&mut self) -> Option<(LinkId, f64)> {
        while let Some(Entry { cost, link }) = self.heap.pop() {
            if cost <= self.cost(link) {
                return Some((link, cost));
            }
        }
        None
    }

    /// A lower bound on the cost of all that is still to come; infinite when nothing is.
    pub(super) fn least(&self) -> f64 {
        self.heap.peek().map_or(f64::INFINITY, |entry| entry.cost)
    }
}
