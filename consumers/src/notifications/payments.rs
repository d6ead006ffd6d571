//! Texts to card holders.

use events::{CardSwipe, Decision, FraudDecision, Notification, NotificationKind};
use processor::bounded::FifoMap;

use super::sms;

/// So many swipes are remembered, decided or not.
const MOST_SWIPES: usize = 65_536;

/// Swipes, and what was decided about them.
#[derive(Debug)]
pub(super) struct Payments {
    swipes: FifoMap<String, Known>,
    /// Swipes whose decision, or decisions whose swipe, did not come before newer ones needed the
    /// room.
    pub(super) given_up: u64,
}

#[derive(Debug)]
enum Known {
    /// Of the swipe, what a text needs: "12.50 EUR".
    Swipe(String),
    Decision(FraudDecision),
    Told,
}

impl Default for Payments {
    fn default() -> Self {
        Self { swipes: FifoMap::new(MOST_SWIPES), given_up: 0 }
    }
}

impl Payments {
    /// A card was swiped; mostly the decision comes later.
    pub(super) fn swipe(&mut self, swipe: &CardSwipe) -> Option<Notification> {
        match self.swipes.get_mut(&swipe.swipe_id) {
            None => {
                self.add(&swipe.swipe_id, Known::Swipe(amount(swipe)));
                None
            }
            Some(known @ Known::Decision(_)) => {
                let Known::Decision(decision) = std::mem::replace(known, Known::Told) else { return None };
                Some(told(&decision, &amount(swipe)))
            }
            Some(Known::Swipe(_) | Known::Told) => None,
        }
    }

    /// A swipe was decided.
    pub(super) fn decision(&mut self, decision: &FraudDecision) -> Option<Notification> {
        match self.swipes.get_mut(&decision.swipe_id) {
            None => {
                self.add(&decision.swipe_id, Known::Decision(decision.clone()));
                None
            }
            Some(known @ Known::Swipe(_)) => {
                let Known::Swipe(amount) = std::mem::replace(known, Known::Told) else { return None };
                Some(told(decision, &amount))
            }
            Some(Known::Decision(_) | Known::Told) => None,
        }
    }

    fn add(&mut self, swipe_id: &str, known: Known) {
        let evicted = self.swipes.push(swipe_id.to_owned(), known);
        self.given_up += u64::from(evicted.is_some_and(|(_, known)| !matches!(known, Known::Told)));
    }
}

fn told(decision: &FraudDecision, amount: &str) -> Notification {
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
