//! Which businesses there are.
//!
//! A business is one value: everything that the rest of the show needs to know of it
//! ([`Business`]). Code that asks *which businesses are there?* asks [`ALL`], and code that asks
//! something about one asks its value. So a new business is a file like
//! [`ride_share`](crate::ride_share) and a name in [`ALL`], and no command, plan, ledger or screen
//! has to be told. *How to add a business* in ARCHITECTURE.md goes through it step by step.
//!
//! A worker that serves several businesses, such as the one that sends texts, stands in
//! [`SHARED_WORKERS`].

use bill::Lane;
use processor::mart::Mart;

use crate::business::{Business, Worker};
use crate::ledger::LedgerEntry;

/// Every business, in the order in which they are shown.
pub static ALL: &[&Business] = &[
    &crate::ride_share::RIDE_SHARE,
    &crate::payments::PAYMENTS,
    &crate::shop::SHOP,
    &crate::markets::MARKETS,
];

/// The workers that serve several businesses.
static SHARED_WORKERS: &[&Worker] = &[&crate::notifications::NOTIFICATIONS];

/// The workers of the stream lane that run with these businesses: their own, in order, then the
/// shared ones.
pub fn workers_of(businesses: &[&'static Business]) -> Vec<&'static Worker> {
    let own = businesses.iter().flat_map(|business| business.workers);
    let serves = |worker: &Worker| businesses.iter().any(|business| worker.serves.contains(&business.id));
    own.chain(SHARED_WORKERS.iter().copied().filter(|worker| serves(worker))).collect()
}

/// What the ledger audits for these businesses; first the pairs whose records alone prove that
/// nothing was lost.
pub fn ledger_entries(businesses: &[&'static Business]) -> Vec<&'static LedgerEntry> {
    let mut entries: Vec<&LedgerEntry> = businesses.iter().map(|business| &business.ledger).collect();
    entries.sort_by_key(|entry| !entry.pair.every_record_is_answered);
    entries
}

/// What every business keeps in the warehouse.
pub fn marts() -> Vec<&'static Mart> {
    ALL.iter().map(|business| business.mart).collect()
}

/// The businesses of a show, by the name of its scenario.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// What the command line calls it.
    pub name: &'static str,
    /// The businesses that run, in the order in which they are shown.
    pub businesses: Vec<&'static Business>,
}

impl Scenario {
    /// The name of the scenario in which every business runs that is in every show.
    pub const ALL: &'static str = "all";

    /// The scenario of this name.
    pub fn named(name: &str) -> Option<Self> {
        if name == Self::ALL {
            let businesses = ALL.iter().copied().filter(|business| business.in_every_show).collect();
            return Some(Self { name: Self::ALL, businesses });
        }
        let business = ALL.iter().copied().find(|business| business.name == name)?;
        Some(Self { name: business.name, businesses: vec![business] })
    }

    /// Whether no business was chosen.
    pub fn is_all(&self) -> bool {
        self.name == Self::ALL
    }
}

/// The lane that a consumer group of ours works for; none for another program's.
pub fn lane_of_group(group: &str) -> Option<Lane> {
    if ALL.iter().any(|business| business.job.group == group) {
        return Some(Lane::Batch);
    }
    workers_of(ALL).iter().any(|worker| worker.name == group).then_some(Lane::Stream)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use events::Topic;

    use super::*;
    use crate::business::Logic;

    #[test]
    fn the_inputs_are_the_processors() {
        for worker in workers_of(ALL) {
            let processor = (worker.processors)(&Logic::default(), &|| true).unwrap()();
            assert_eq!(processor.inputs(), worker.inputs, "{}", worker.name);
        }
        for Business { job, .. } in ALL {
            let processor = (job.processors)(&Logic::default(), events::HOUR_MS, &|| true).unwrap()();
            assert_eq!(processor.inputs(), job.inputs, "{}", job.group);
        }
    }

    #[test]
    fn topics_are_those_of_their_business_and_role() {
        use events::Role::{Answer, BatchAnswer, Input, Intermediate, Table, Truth};
        for business in ALL {
            let own = |topics: &[Topic], roles: &[events::Role]| {
                for topic in topics {
                    assert!(roles.contains(&topic.role()), "{}: {topic} is no {roles:?}", business.name);
                    assert!(topic.business().is_none_or(|of| of == business.id), "{topic}");
                }
            };
            own(business.producer.topics, &[Input, Truth]);
            own(business.job.inputs, &[Input]);
            own(business.job.outputs, &[BatchAnswer]);
            for worker in business.workers {
                own(worker.inputs, &[Input, Table, Intermediate]);
                own(worker.outputs, &[Answer, Table, Intermediate]);
                assert!(worker.serves.contains(&business.id), "{} serves its own business", worker.name);
            }
        }
    }

    #[test]
    fn every_topic_of_a_business_has_a_writer() {
        let writers = |business: &Business| {
            let workers = business.workers.iter().flat_map(|worker| worker.outputs);
            business.producer.topics.iter().chain(business.job.outputs).chain(workers).copied().collect()
        };
        for business in ALL {
            let written: BTreeSet<Topic> = writers(business);
            let all = Topic::ALL.iter().copied().filter(|topic| topic.business() == Some(business.id));
            for topic in all {
                assert!(written.contains(&topic), "no process of {} writes {topic}", business.name);
            }
        }
    }

    #[test]
    fn the_bill_knows_a_business_as_it_is() {
        for business in ALL {
            let part = business.bill;
            assert_eq!((part.business, part.name), (business.id, business.name));
            assert_eq!(part.job, business.job.group, "whose runs give the batch lane's answers");
        }
    }

    #[test]
    fn names_are_unique() {
        let unique = |names: Vec<&str>| {
            let set: BTreeSet<&str> = names.iter().copied().collect();
            assert_eq!(set.len(), names.len(), "{names:?}");
        };
        unique(ALL.iter().map(|business| business.name).chain([Scenario::ALL]).collect());
        let workers = workers_of(ALL);
        let groups = workers.iter().map(|worker| worker.name);
        let jobs = ALL.iter().map(|business| business.job.group);
        unique(groups.chain(jobs).chain(ALL.iter().map(|business| business.producer.name)).collect());
    }

    #[test]
    fn a_shared_worker_runs_with_each_that_it_serves_and_once() {
        let workers = |name: &str| -> Vec<&str> {
            let scenario = Scenario::named(name).unwrap();
            workers_of(&scenario.businesses).iter().map(|worker| worker.name).collect()
        };
        assert_eq!(workers("all"), ["eta", "traffic", "fraud", "recommendations", "notifications"]);
        assert_eq!(workers("payments"), ["fraud", "notifications"]);
        assert_eq!(workers("shop"), ["recommendations"]);
        assert!(Scenario::named("weather").is_none());
    }

    #[test]
    fn the_lane_of_a_group_is_known_by_its_whole_name() {
        assert_eq!(lane_of_group("batch-eta"), Some(Lane::Batch));
        assert_eq!(lane_of_group("eta"), Some(Lane::Stream));
        assert_eq!(lane_of_group("batch-of-a-student"), None);
    }
}
