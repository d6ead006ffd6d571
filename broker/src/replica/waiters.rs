//! Who wants to know when a partition grows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;

/// One parked fetch, known to every partition it reads from.
///
/// A fetch that parks must *register, then read, then wait*. In any other order an append could
/// fall between the read and the wait, and the fetch would sleep through it until its deadline.
#[derive(Debug, Default)]
pub(crate) struct Waiter {
    notified: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Waiter {
    /// Says whom to wake from now on.
    pub(crate) fn set_waker(&self, waker: &Waker) {
        let mut current = self.waker.lock().expect("no thread panics while it holds this lock");
        if !current.as_ref().is_some_and(|current| current.will_wake(waker)) {
            *current = Some(waker.clone());
        }
    }

    /// Whether something happened since this was last asked.
    pub(crate) fn take_notified(&self) -> bool {
        self.notified.swap(false, Ordering::AcqRel)
    }

    /// Wakes the fetch; several times before it runs are one time.
    fn notify(&self) {
        if !self.notified.swap(true, Ordering::AcqRel)
            && let Some(waker) = &*self.waker.lock().expect("no thread panics while it holds this lock")
        {
            waker.wake_by_ref();
        }
    }
}

/// The fetches parked at one partition.
#[derive(Debug, Default)]
pub struct Waiters(Mutex<Vec<Arc<Waiter>>>);

impl Waiters {
    /// From now on every append notifies `waiter`.
    pub(crate) fn add(&self, waiter: &Arc<Waiter>) {
        self.lock().push(Arc::clone(waiter));
    }

    /// No append notifies `waiter` any more.
    pub(crate) fn remove(&self, waiter: &Arc<Waiter>) {
        let mut waiters = self.lock();
        if let Some(index) = waiters.iter().position(|known| Arc::ptr_eq(known, waiter)) {
            waiters.swap_remove(index);
        }
    }

    /// Something was appended, or the partition is no more.
    pub(crate) fn notify_all(&self) {
        for waiter in self.lock().iter() {
            waiter.notify();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Waiter>>> {
        self.0.lock().expect("no thread panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn appends_before_the_fetch_runs_wake_it_once() {
        let (count, waiter, waiters) =
            (Arc::new(Count::default()), Arc::new(Waiter::default()), Waiters::default());
        waiter.set_waker(&Waker::from(Arc::clone(&count)));
        waiters.add(&waiter);
        waiters.notify_all();
        waiters.notify_all();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(waiter.take_notified());
        assert!(!waiter.take_notified());
        waiters.notify_all();
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        waiters.remove(&waiter);
        waiters.notify_all();
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
    }
}
