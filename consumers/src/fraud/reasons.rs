//! The reasons of a decision, in words: the families of features that add most to the probability
//! of fraud, each as one phrase with its numbers.

use events::{HOUR_MS, Timestamp};
use text::money;

use super::decide::Ruling;
use super::facts::Facts;
use super::features::Family;

/// The most reasons that are given.
const MOST: usize = 3;
/// What a family must add to the log-odds to be named: a factor of about 1.5.
const LEAST: f32 = 0.4;

const FAMILIES: [Family; Family::COUNT] = [
    Family::Amount,
    Family::Burst,
    Family::Velocity,
    Family::Hour,
    Family::NewTerminal,
    Family::Terminal,
    Family::Probing,
    Family::Rush,
    Family::Card,
    Family::Travel,
    Family::Category,
    Family::Suspicion,
    Family::History,
];

/// The reasons with most weight first. A rule that decided on its own comes before the model's.
pub(super) fn reasons(
    ruling: Ruling,
    facts: &Facts,
    contributions: &[f32; Family::COUNT],
    at_ms: i64,
) -> Vec<String> {
    let mut reasons = Vec::with_capacity(MOST);
    match ruling {
        Ruling::Blocked { since_ms } => {
            reasons.push(format!("card blocked since {}", clock_time(since_ms)));
        }
        Ruling::Explored => reasons.push("let through to learn what it was".to_owned()),
        Ruling::Approved | Ruling::Declined => {}
    }
    let mut weighty: Vec<(f32, Family)> = FAMILIES
        .into_iter()
        .map(|family| (contributions[family as usize], family))
        .filter(|(weight, _)| *weight > LEAST)
        .collect();
    // The order of families breaks ties, so that the words are the same in every run.
    weighty.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
    for (_, family) in weighty {
        if reasons.len() == MOST {
            break;
        }
        // Two families may have the same words for what they saw.
        if let Some(reason) = phrase(family, facts, at_ms).filter(|reason| !reasons.contains(reason)) {
            reasons.push(reason);
        }
    }
    reasons
}

/// One phrase, or none when the family's numbers would not convince anyone.
fn phrase(family: Family, facts: &Facts, at_ms: i64) -> Option<String> {
    match family {
        Family::Amount => amount(facts),
        Family::Burst | Family::Velocity => burst(family, facts, at_ms),
        Family::Hour => (facts.hour_habit < -0.5 || facts.history < 10)
            .then(|| format!("{:02}:00 is an unusual hour", facts.hour)),
        Family::NewTerminal => (facts.visits == 0).then(|| "first time at this terminal".to_owned()),
        Family::Terminal => terminal(facts),
        Family::Probing => (facts.tiny_cards > 1).then(|| {
            format!("{} cards tried tiny amounts at this terminal within an hour", facts.tiny_cards)
        }),
        Family::Rush => (facts.rush > 0.3)
            .then(|| format!("terminal {:.0} times as busy as usual", facts.rush.exp().max(2.0))),
        Family::Card => card(facts),
        Family::Travel => travel(facts),
        Family::Category => facts
            .category_share
            .filter(|share| *share < 0.05)
            .map(|_| "unusual trade for this card".to_owned()),
        Family::Suspicion => {
            (facts.suspicion > 0.3).then(|| "follows a suspicious swipe of this card".to_owned())
        }
        Family::History => (facts.history < 10).then(|| match facts.history {
            0 => "card never seen before".to_owned(),
            seen => format!("card seen only {} before", times(seen)),
        }),
    }
}

fn amount(facts: &Facts) -> Option<String> {
    let over = (facts.ln - facts.usual_ln).exp();
    let amount = money(facts.cents);
    if facts.cents <= 0 {
        Some(if facts.cents == 0 { format!("card check of {amount}") } else { format!("refund of {amount}") })
    } else if facts.history >= 3 && over >= 1.8 {
        Some(format!("{amount} is {over:.1} times the card's usual {}", money(facts.usual_ln.exp() as i64)))
    } else if facts.z_population > 0.5 {
        Some(format!("{amount} is a large amount"))
    } else if facts.z_population < -1.0 || over < 0.3 {
        Some(format!("{amount} is a tiny amount"))
    } else if facts.z_terminal.abs() > 1.5 {
        Some(format!("{amount} is unusual for this terminal"))
    } else {
        None
    }
}

fn burst(family: Family, facts: &Facts, at_ms: i64) -> Option<String> {
    if facts.burst.count > 0 {
        let count = facts.burst.count + 1;
        let most = facts.burst.largest_cents.max(facts.cents);
        let span = span(at_ms - facts.burst.started_ms);
        if facts.burst.count >= 2 && facts.burst.mean_ln() < facts.usual_ln - 0.7 {
            return Some(if facts.ln > facts.burst.mean_ln() + 1.5 {
                format!("after {} small swipes within {span}", facts.burst.count)
            } else if most < facts.usual_ln.exp() as i64 {
                format!("{count} swipes under {} in {span}", money(round_up(most)))
            } else {
                format!("{count} swipes in {span}")
            });
        }
        if family == Family::Burst || facts.burst.count >= 2 {
            return Some(format!("{count} swipes in {span}"));
        }
    }
    let (day, month) = (facts.counts[1], facts.counts[3]);
    let usual = month.saturating_sub(day) as f32 / 29.0;
    if facts.history >= 10 && day >= 3 && day as f32 > 1.8 * usual {
        return Some(format!("{day} swipes in a day, {}", usual_swipes(usual)));
    }
    let spent = facts.sums[1] as f32;
    let usual = ((facts.sums[3] - facts.sums[1]).max(0) as f32) / 29.0;
    let is_much = facts.history >= 10 && spent > 2.0 * usual && spent > 0.0;
    is_much.then(|| format!("{} spent in a day, {} is usual", money(facts.sums[1]), usual_money(usual)))
}

/// How many swipes a day are usual: less than one in twenty days is none.
fn usual_swipes(a_day: f32) -> String {
    if a_day < 0.05 { "none is usual".to_owned() } else { format!("{a_day:.1} are usual") }
}

/// The usual cents a day as a sum.
fn usual_money(cents_a_day: f32) -> String {
    if cents_a_day < 1.0 { "nothing".to_owned() } else { money(cents_a_day as i64) }
}

fn terminal(facts: &Facts) -> Option<String> {
    let [day, week, month] = facts.terminal_frauds;
    let (rate, swipes) = facts.terminal_rates[1];
    if swipes >= 3 && rate >= 0.2 {
        Some(format!("{:.0} % fraud in this terminal's latest known week", rate * 100.0))
    } else if day > 1 {
        Some(format!("{day} chargebacks at this terminal in a day"))
    } else if week > 0 {
        Some(format!("{} at this terminal in 7 days", chargebacks(week)))
    } else if month > 0 {
        Some(format!("{} at this terminal in 30 days", chargebacks(month)))
    } else {
        (facts.terminal_seen < 10).then(|| "terminal hardly ever seen before".to_owned())
    }
}

fn card(facts: &Facts) -> Option<String> {
    let [_, week, month] = facts.card_frauds;
    if week > 0 {
        Some(format!("{} on this card in 7 days", chargebacks(week)))
    } else {
        (month > 0).then(|| format!("{} on this card in 30 days", chargebacks(month)))
    }
}

fn travel(facts: &Facts) -> Option<String> {
    if let Some(((km, hours), kmh)) = facts.travel.zip(facts.speed_kmh())
        && kmh > 150.0
    {
        return Some(format!("{km:.0} km away {} before", span((hours * HOUR_MS as f32) as i64)));
    }
    facts.from_home_km.filter(|km| *km > 20.0).map(|km| format!("{km:.0} km from where the card is used"))
}

/// The next whole unit of money: what a row of amounts is under.
fn round_up(cents: i64) -> i64 {
    (cents / 100 + 1) * 100
}

/// A moment with its time first: a narrow screen cuts the rest, and the day is known.
fn clock_time(at_ms: i64) -> String {
    let instant = Timestamp::from_ms(at_ms).to_string();
    let (day, time) = instant.split_once('T').expect("a timestamp has a day and a time");
    format!("{} on {day}", time.split('.').next().unwrap_or(time))
}

fn span(ms: i64) -> String {
    let seconds = ms.unsigned_abs() / 1_000;
    match seconds {
        0..=1 => "1 second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        91..=7_200 => format!("{} minutes", (seconds + 30) / 60),
        _ => format!("{} hours", (seconds + 1_800) / 3_600),
    }
}

fn times(count: u32) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn chargebacks(count: u32) -> String {
    if count == 1 { "1 chargeback".to_owned() } else { format!("{count} chargebacks") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hardly_ever_is_not_written_as_a_zero() {
        assert_eq!(usual_swipes(1.0 / 29.0), "none is usual");
        assert_eq!(usual_swipes(2.0 / 29.0), "0.1 are usual");
        assert_eq!([usual_money(0.4), usual_money(1_250.0)], ["nothing", "$12.50"]);
    }
}
