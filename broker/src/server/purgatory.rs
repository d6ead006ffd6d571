//! Joins and syncs that wait for the coordinator.

use std::collections::HashMap;
use std::sync::Mutex;

use tokio::sync::oneshot;

use crate::coordinator::{Effect, Token};

/// The coordinator's answers on their way to the connections that wait for them.
///
/// An answer may come before its connection has begun to wait, when another request on another
/// thread causes it. It is kept until then.
#[derive(Debug, Default)]
pub(super) struct Purgatory(Mutex<HashMap<Token, Entry>>);

#[derive(Debug)]
enum Entry {
    Waiting(oneshot::Sender<Effect>),
    Answered(Effect),
}

impl Purgatory {
    /// Waits for the answer to `token`.
    pub(super) fn wait(&self, token: Token) -> oneshot::Receiver<Effect> {
        let (sender, receiver) = oneshot::channel();
        let mut entries = self.lock();
        match entries.remove(&token) {
            Some(Entry::Answered(effect)) => {
                sender.send(effect).expect("the receiver is still in this function's hands");
            }
            other => {
                assert!(other.is_none(), "{token:?} is waited for twice");
                entries.insert(token, Entry::Waiting(sender));
            }
        }
        receiver
    }

    /// Hands answers to those who wait for them. One whose connection is gone is dropped.
    pub(super) fn deliver(&self, effects: Vec<Effect>) {
        if effects.is_empty() {
            return;
        }
        let mut entries = self.lock();
        for effect in effects {
            let (Effect::Join { token, .. } | Effect::Sync { token, .. }) = effect;
            match entries.remove(&token) {
                Some(Entry::Waiting(sender)) => {
                    let _gone_is_fine = sender.send(effect);
                }
                other => {
                    assert!(other.is_none(), "{token:?} is answered twice");
                    entries.insert(token, Entry::Answered(effect));
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Token, Entry>> {
        self.0.lock().expect("no thread panics while it holds this lock")
    }
}
