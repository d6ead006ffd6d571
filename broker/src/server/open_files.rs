//! How many files this process may open.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the soft limit to the hard one. Each partition has its files open, and each client its
/// socket; the soft limit is low for the sake of programs that count on small numbers (`select`).
pub(super) fn allow_as_many_as_may_be() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!("the limit of open files stays as it is: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one() {
        let before = getrlimit(Resource::Nofile);
        let lower = before.maximum.map_or(1 << 16, |maximum| maximum - 1);
        setrlimit(Resource::Nofile, rustix::process::Rlimit { current: Some(lower), ..before }).unwrap();
        allow_as_many_as_may_be();
        assert_eq!(getrlimit(Resource::Nofile).current, before.maximum);
    }
}
