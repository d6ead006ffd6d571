//! What waits for the answers of a group.

use dashboard::Waiting;

use super::Show;
use crate::business::Business;
use crate::ledger::{LedgerEntry, QuestionAnswerPair, Sums};

impl Show {
    /// What a group's lag means to the business: the customers who wait for an answer, and the
    /// money that is at stake meanwhile.
    pub(super) fn waiting(&self, group: &str, ledger: &[(QuestionAnswerPair, Sums)]) -> Option<Waiting> {
        let of_group = |business: &&&Business| business.ledger.pair.group == group;
        let business = self.config.businesses.iter().find(of_group)?;
        let LedgerEntry { pair, waiting, .. } = &business.ledger;
        let known = self.views.iter().find(|(of, _)| of.id == business.id)?.1.waiting();
        let in_flight = || Some((ledger.iter().find(|(of, _)| of == pair)?.1.in_flight, None));
        let (cases, cents) = known.map(|(cases, cents)| (cases, Some(cents))).or_else(in_flight)?;
        (cases > 0).then(|| Waiting { cases, what: (*waiting).to_owned(), cents })
    }

    /// The same of a group that has answered all.
    pub fn nothing_waiting(&self, group: &str) -> Option<Waiting> {
        let (business, view) = self.views.iter().find(|(of, _)| of.ledger.pair.group == group)?;
        let (what, cents) = (business.ledger.waiting.to_owned(), view.waiting().map(|_| 0));
        Some(Waiting { cases: 0, what, cents })
    }
}
