//! How many files this process may open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Of macOS (`OPEN_MAX`, setrlimit(2)): there the hard limit may be none, and the soft one can't be
/// raised above this.
const OPEN_MAX: u64 = 10_240;

/// Raises the soft limit to the hard one. Each partition has its files open, and each client its
/// socket; the soft limit is low for the sake of programs that count on small numbers (`select`).
pub(super) fn allow_as_many_as_may_be() {
    let before = getrlimit(Resource::Nofile);
    if before.current == before.maximum {
        return;
    }
    let raise_to = |current| setrlimit(Resource::Nofile, Rlimit { current, ..before });
    let raised = raise_to(before.maximum).or_else(|error| match before.current {
        Some(now) if now < OPEN_MAX => raise_to(Some(OPEN_MAX)),
        Some(_) | None => Err(error),
    });
    if let Err(error) = raised {
        tracing::debug!("the limit of open files stays as it is: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one() {
        let before = getrlimit(Resource::Nofile);
        let lower = before.maximum.map_or(1 << 16, |maximum| maximum - 1);
        setrlimit(Resource::Nofile, Rlimit { current: Some(lower), ..before }).unwrap();
        allow_as_many_as_may_be();
        assert_eq!(getrlimit(Resource::Nofile).current, before.maximum);
    }
}
