//! Trying again what may pass: after a second, two, four, … half a minute.

use std::fmt::Display;
use std::time::Duration;

use super::progress::{WAITING, resumed, waiting_for};
use super::{BatchError, Control, DesiredState};
use crate::warehouse::{Warehouse, WarehouseError};
use processor::mart::Mart;

/// The longest wait between two attempts.
const LONGEST: Duration = Duration::from_secs(30);

/// A transient error: the same attempt may succeed later.
pub(crate) trait Outage: Display {
    /// What has to come back. However it fails meanwhile, that is one matter: a server that is
    /// killed closes connections, then refuses them, then starts up.
    fn waits_for(&self) -> String;
}

impl Outage for WarehouseError {
    fn waits_for(&self) -> String {
        format!("the database {}", self.database())
    }
}

/// Of a job's errors only the cluster's are waited out here; the database's have been.
impl Outage for BatchError {
    fn waits_for(&self) -> String {
        "the cluster".to_owned()
    }
}

/// How long to wait before the next attempt, and whether there is one.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    /// Retries that are left; none for as many as it takes.
    left: Option<u32>,
    next: Duration,
}

impl Backoff {
    /// At most `retries` of them, the first after `first`.
    pub(crate) fn new(retries: Option<u32>, first: Duration) -> Self {
        Self { left: retries, next: first }
    }

    fn next_wait(&mut self) -> Option<Duration> {
        self.left = match self.left {
            Some(0) => return None,
            left => left.map(|left| left - 1),
        };
        let wait = self.next;
        self.next = (2 * self.next).min(LONGEST);
        Some(wait)
    }

    /// Says what happened, and waits. The error comes back when it was tried often enough, or the
    /// lane is to end.
    pub(crate) fn wait<E: Outage>(&mut self, error: E, control: &Control) -> Result<(), E> {
        let Some(wait) = self.next_wait().filter(|_| control.desired_state() != DesiredState::Stop) else {
            return Err(error);
        };
        let left = self.left.map_or_else(String::new, |left| format!(", {left} more after that"));
        tracing::warn!(target: WAITING, "{error}; trying again in {:.0} s{left}", wait.as_secs_f64().ceil());
        waiting_for(&error.waits_for(), &error, wait);
        let desired = control.desired_state();
        if control.wait_while(desired, wait) == DesiredState::Stop { Err(error) } else { Ok(()) }
    }
}

/// Asks the database again until it answers, or it is no use.
pub(crate) fn retry_with_backoff<T>(
    mut backoff: Backoff,
    control: &Control,
    mut attempt: impl FnMut() -> Result<T, WarehouseError>,
) -> Result<T, WarehouseError> {
    let mut waited = false;
    loop {
        match attempt() {
            Err(error) if error.is_transient() => {
                waited = true;
                backoff.wait(error, control)?;
            }
            other => {
                if waited && other.is_ok() {
                    resumed();
                }
                return other;
            }
        }
    }
}

/// Opens the database that `--database` names. One that is down is retried, `retries` times, or
/// as often as it takes; the first time after a second.
pub fn open_with_retry(
    database: &str,
    marts: &[&'static Mart],
    retries: Option<u32>,
    control: &Control,
) -> Result<Box<dyn Warehouse>, WarehouseError> {
    retry_with_backoff(Backoff::new(retries, Duration::from_secs(1)), control, || {
        crate::warehouse::open(database, marts)
    })
}

/// The same, only to ask it: one that may be read and not written will do.
pub fn open_read_only_with_retry(
    database: &str,
    marts: &[&'static Mart],
    retries: Option<u32>,
    control: &Control,
) -> Result<Box<dyn Warehouse>, WarehouseError> {
    let first_wait = Duration::from_secs(1);
    retry_with_backoff(Backoff::new(retries, first_wait), control, || {
        crate::warehouse::open_read_only(database, marts)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down() -> WarehouseError {
        WarehouseError::Down { database: "db".to_owned(), reason: "no server there".to_owned() }
    }

    #[test]
    fn waits_double_up_to_half_a_minute() {
        let mut backoff = Backoff::new(Some(7), Duration::from_secs(1));
        let waits: Vec<_> = std::iter::from_fn(|| backoff.next_wait()).map(|wait| wait.as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        let mut endless = Backoff::new(None, Duration::from_secs(1));
        assert!((0..1000).all(|_| endless.next_wait().is_some()));
    }

    #[test]
    fn what_is_transient_is_retried_and_what_is_not_is_not() {
        let backoff = Backoff::new(Some(3), Duration::ZERO);
        let mut attempts = 0;
        let done = retry_with_backoff(backoff.clone(), &Control::new(), || {
            attempts += 1;
            if attempts < 3 { Err(down()) } else { Ok(attempts) }
        });
        assert_eq!(done.unwrap(), 3);
        let mut attempts = 0;
        let failed = retry_with_backoff(backoff.clone(), &Control::new(), || {
            attempts += 1;
            Err::<(), _>(down())
        });
        assert!(matches!(failed, Err(WarehouseError::Down { .. })));
        assert_eq!(attempts, 4, "once, and three times more");
        let mut attempts = 0;
        let refused = retry_with_backoff(backoff, &Control::new(), || {
            attempts += 1;
            Err::<(), _>(WarehouseError::NotADatabase { database: "text".to_owned() })
        });
        assert!(refused.is_err());
        assert_eq!(attempts, 1);
    }

    #[test]
    fn a_lane_that_is_to_end_does_not_wait() {
        let control = Control::new();
        control.stop();
        let failed = retry_with_backoff(Backoff::new(None, LONGEST), &control, || Err::<(), _>(down()));
        assert!(failed.is_err());
    }
}
