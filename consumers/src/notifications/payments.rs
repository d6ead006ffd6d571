//! Texts to card holders.

use events::{CardSwipe, Decision, FraudDecision, Notification, NotificationKind};
use processor::bounded::{FifoMap, fingerprint};

use super::sms;

/// How many swipes are kept, with or without a decision.
const MAX_SWIPES: usize = 65_536;

/// The join of swipes with their decisions.
#[derive(Debug)]
pub(super) struct Payments {
    /// By the [`fingerprint`] of the swipe's id.
    swipes: FifoMap<u64, JoinState>,
    /// Swipes that were evicted before their decision came, and decisions before their swipe.
    pub(super) given_up: u64,
}

#[derive(Debug)]
enum JoinState {
    /// The swipe has come. What a text needs of it: "12.50 EUR".
    Swipe(Box<str>),
    /// Few come before their swipe, and one takes five times the room of all else.
    Decision(Box<FraudDecision>),
    /// Both have come, and the text was sent.
    Sent,
}

impl Default for Payments {
    fn default() -> Self {
        Self { swipes: FifoMap::new(MAX_SWIPES), given_up: 0 }
    }
}

impl Payments {
    /// Takes a swipe; its decision usually comes later.
    pub(super) fn swipe(&mut self, swipe: &CardSwipe) -> Option<Notification> {
        let id = fingerprint(&swipe.swipe_id);
        match self.swipes.get_mut(&id) {
            None => {
                self.add(id, JoinState::Swipe(amount(swipe).into()));
                None
            }
            Some(state @ JoinState::Decision(_)) => {
                let JoinState::Decision(decision) = std::mem::replace(state, JoinState::Sent) else {
                    return None;
                };
                Some(notification(&decision, &amount(swipe)))
            }
            Some(JoinState::Swipe(_) | JoinState::Sent) => None,
        }
    }

    /// Takes a decision.
    pub(super) fn decision(&mut self, decision: &FraudDecision) -> Option<Notification> {
        let id = fingerprint(&decision.swipe_id);
        match self.swipes.get_mut(&id) {
            None => {
                self.add(id, JoinState::Decision(Box::new(decision.clone())));
                None
            }
            Some(state @ JoinState::Swipe(_)) => {
                let JoinState::Swipe(amount) = std::mem::replace(state, JoinState::Sent) else { return None };
                Some(notification(decision, &amount))
            }
            Some(JoinState::Decision(_) | JoinState::Sent) => None,
        }
    }

    fn add(&mut self, id: u64, state: JoinState) {
        let evicted = self.swipes.push(id, state);
        self.given_up += u64::from(evicted.is_some_and(|(_, state)| !matches!(state, JoinState::Sent)));
    }
}

fn notification(decision: &FraudDecision, amount: &str) -> Notification {
    let (kind, text) = match decision.decision {
        Decision::Approve => (NotificationKind::SwipeReceipt, format!("Your card was used: {amount}.")),
        Decision::Decline => {
            let why = if decision.reasons.is_empty() {
                String::new()
            } else {
                format!(" because of: {}", decision.reasons.join(", "))
            };
            (
                NotificationKind::SwipeDeclined,
                format!("We declined {amount}{why}. Was it you? Please call us."),
            )
        }
    };
    sms(decision.ts, &decision.card_id, kind, text)
}

/// "12.50 EUR", "a refund of 3.00", "a card check".
fn amount(swipe: &CardSwipe) -> String {
    let cents = swipe.amount_cents.unsigned_abs();
    let currency = swipe.currency.as_deref().map_or(String::new(), |currency| format!(" {currency}"));
    let figure = format!("{}.{:02}{currency}", cents / 100, cents % 100);
    match swipe.amount_cents {
        0 => "a card check".to_owned(),
        ..0 => format!("a refund of {figure}"),
        _ => figure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 65,536 of them are kept for each partition of the swipes.
    #[test]
    fn a_swipe_takes_its_number_and_three_words() {
        assert_eq!(size_of::<(u64, JoinState)>(), 32);
    }
}
