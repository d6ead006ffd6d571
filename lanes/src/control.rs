//! What a person can ask of a running lane: pause, resume, stop.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::WorkerStats;

/// What a lane is asked to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DesiredState {
    /// Work.
    #[default]
    Run,
    /// Stay, but read nothing.
    Pause,
    /// Finish what was begun, hand everything over, end.
    Stop,
}

/// The handle on a running lane. Clones control the same lane; the program wires it to its keys and
/// signals.
#[derive(Clone, Debug, Default)]
pub struct Control(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    desired: DesiredState,
    stats: WorkerStats,
    period_ms: Option<i64>,
    closed: bool,
}

impl Control {
    /// A control whose lane is to run.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads nothing until [`resume`](Self::resume). A lane in a group stays in it.
    pub fn pause(&self) {
        self.request(DesiredState::Pause);
    }

    /// Goes on.
    pub fn resume(&self) {
        self.request(DesiredState::Run);
    }

    /// Ends the lane in good order. There is no way back.
    pub fn stop(&self) {
        self.request(DesiredState::Stop);
    }

    /// Asks a job of the batch lane to run so often from its next boundary on: at least one
    /// millisecond of event time.
    pub fn set_period_ms(&self, period_ms: i64) {
        self.held().period_ms = Some(period_ms.max(1));
        self.0.changed.notify_all();
    }

    /// The period that was asked for last, if any was.
    pub fn period_ms(&self) -> Option<i64> {
        self.held().period_ms
    }

    /// Tells a job of the batch lane that no more will come: the end of the input closes the last
    /// period, so what is left is due.
    pub fn close(&self) {
        self.held().closed = true;
        self.0.changed.notify_all();
    }

    /// Whether no more will come.
    pub fn is_closed(&self) -> bool {
        self.held().closed
    }

    /// What was asked last.
    pub fn desired_state(&self) -> DesiredState {
        self.held().desired
    }

    /// What the lane has done so far; at most a second old.
    pub fn stats(&self) -> WorkerStats {
        self.held().stats.clone()
    }

    pub(crate) fn report(&self, stats: WorkerStats) {
        self.held().stats = stats;
    }

    /// Waits until another state than `desired`, another period, or the end of the input is said,
    /// at most `timeout`. Returns what is asked then.
    #[expect(clippy::disallowed_methods, reason = "the edge: waiting is done in wall-clock time")]
    pub(crate) fn wait_while(&self, desired: DesiredState, timeout: Duration) -> DesiredState {
        let deadline = Instant::now() + timeout;
        let mut state = self.held();
        let (period_ms, closed) = (state.period_ms, state.closed);
        while state.desired == desired && state.period_ms == period_ms && state.closed == closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self.0.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.desired
    }

    fn request(&self, desired: DesiredState) {
        let mut state = self.held();
        if state.desired != DesiredState::Stop {
            state.desired = desired;
        }
        drop(state);
        self.0.changed.notify_all();
    }

    fn held(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_final_and_wakes_who_waits() {
        let control = Control::new();
        let waiting = control.clone();
        let waiter =
            std::thread::spawn(move || waiting.wait_while(DesiredState::Run, Duration::from_mins(1)));
        control.stop();
        assert_eq!(waiter.join().unwrap(), DesiredState::Stop);
        control.resume();
        assert_eq!(control.desired_state(), DesiredState::Stop);
    }

    #[test]
    fn the_dial_wakes_who_waits_for_a_boundary() {
        let control = Control::new();
        assert_eq!(control.period_ms(), None);
        let waiting = control.clone();
        let waiter = std::thread::spawn(move || {
            while waiting.period_ms().is_none() {
                waiting.wait_while(DesiredState::Run, Duration::from_mins(1));
            }
            waiting.period_ms()
        });
        control.set_period_ms(900_000);
        assert_eq!(waiter.join().unwrap(), Some(900_000));
    }

    #[test]
    fn waiting_ends() {
        let control = Control::new();
        assert_eq!(control.wait_while(DesiredState::Run, Duration::from_millis(1)), DesiredState::Run);
        assert_eq!(control.wait_while(DesiredState::Pause, Duration::from_mins(1)), DesiredState::Run);
    }
}
