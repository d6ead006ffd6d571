//! The names of businesses and of their parts, as values on the command line.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use scenarios::business::{Business, Job, Worker};
use scenarios::businesses::{ALL, Scenario, workers_of};

/// A business, by its producer.
pub(super) fn producer() -> impl TypedValueParser<Value = &'static Business> {
    one_of(ALL.iter().map(|&business| (business.producer.name, business.producer.help, business)))
}

/// A worker of the stream lane.
pub(super) fn worker() -> impl TypedValueParser<Value = &'static Worker> {
    one_of(workers_of(ALL).into_iter().map(|worker| (worker.name, worker.help, worker)))
}

/// A job of the batch lane.
pub(super) fn job() -> impl TypedValueParser<Value = &'static Job> {
    one_of(ALL.iter().map(|business| (business.job.name, business.job.help, &business.job)))
}

/// A business, by its logic over a file.
pub(super) fn replay() -> impl TypedValueParser<Value = &'static Business> {
    one_of(ALL.iter().map(|&business| (business.replay.name, business.replay.help, business)))
}

/// The businesses of a show.
pub(super) fn scenario() -> impl TypedValueParser<Value = Scenario> {
    let all = (Scenario::ALL, "Ride-share, payments and the shop together");
    let each = ALL.iter().map(|business| (business.name, business.help));
    let names = std::iter::once(all).chain(each);
    one_of(names.filter_map(|(name, help)| Some((name, help, Scenario::named(name)?))))
}

/// Takes one of these names, of which each has its help, for what it names.
fn one_of<T: Clone + Send + Sync + 'static>(
    named: impl Iterator<Item = (&'static str, &'static str, T)>,
) -> impl TypedValueParser<Value = T> {
    let named: Vec<_> = named.collect();
    let values: Vec<_> = named.iter().map(|(name, help, _)| PossibleValue::new(*name).help(*help)).collect();
    PossibleValuesParser::new(values).map(move |name| {
        let (.., value) = named
            .iter()
            .find(|(known, ..)| *known == name)
            .expect("the parser takes only the names that it was given");
        value.clone()
    })
}
