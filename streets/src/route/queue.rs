//! The priority queue and the labels that all searches share.

use std::cmp::Reverse;

use dary_heap::QuaternaryHeap;

use crate::map::LinkId;

/// A link and the cost at which it was reached, as one number: the bits of the cost above those of
/// the link. The bits of a double that is not negative are in the order of its value, so the
/// cheapest comes first and equal costs in the order of ids, by one comparison of whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry(u128);

impl Entry {
    fn new(cost: f64, link: LinkId) -> Self {
        debug_assert!(cost >= 0.0, "a way to link {} costs {cost}: no way costs less than nothing", link.0);
        // A zero may have a sign; its bits would put it behind everything.
        Self(u128::from((cost + 0.0).to_bits()) << 32 | u128::from(link.0))
    }

    fn cost(self) -> f64 {
        f64::from_bits((self.0 >> 32) as u64)
    }

    fn link(self) -> LinkId {
        LinkId(self.0 as u32)
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
    heap: QuaternaryHeap<Reverse<Entry>>,
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
    #[inline]
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

    /// Notes a way to a link, if it is better than what was known, and says whether it is. The link
    /// is not visited before it is [pushed](Frontier::push).
    #[inline]
    pub(super) fn improve(&mut self, link: LinkId, cost: f64, via: LinkId) -> bool {
        let better = cost < self.cost(link);
        if better {
            self.labels[link.index()] = Label { cost, via, search: self.search };
        }
        better
    }

    /// Queues a link that was reached at this cost.
    #[inline]
    pub(super) fn push(&mut self, link: LinkId, cost: f64) {
        self.heap.push(Reverse(Entry::new(cost, link)));
    }

    /// The cheapest link that is not yet done with; outdated entries are passed over.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<(LinkId, f64)> {
        while let Some(Reverse(entry)) = self.heap.pop() {
            if entry.cost() <= self.cost(entry.link()) {
                return Some((entry.link(), entry.cost()));
            }
        }
        None
    }

    /// A lower bound on the cost of all that is still to come; infinite when nothing is.
    #[inline]
    pub(super) fn least(&self) -> f64 {
        self.heap.peek().map_or(f64::INFINITY, |Reverse(entry)| entry.cost())
    }
}
