//! A place in a topic, as people write it: where to read on, and where a group is set to.
//!
//! # Simplifications
//! - Instants are UTC, as the times of the records on the screen are.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in each partition of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "place", content = "at", rename_all = "snake_case")]
pub enum OffsetSpec {
    /// The oldest record that is kept.
    Beginning,
    /// Behind the newest.
    End,
    /// This offset, or the nearest that there is.
    Offset(i64),
    /// The first record that was sent then or later: wall-clock time, milliseconds since 1970 UTC.
    At(i64),
}

/// Where a record is in its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RecordAt {
    /// Its partition.
    pub partition: i32,
    /// Its offset in that partition.
    pub offset: i64,
}

impl fmt::Display for RecordAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.partition, self.offset)
    }
}

/// How a place is written, for the line in which it is typed: the times are examples of a quarter
/// of an hour before `now_ms`, which no clock of a show has.
pub(crate) fn forms(now_ms: i64) -> String {
    let ms = now_ms.saturating_sub(QUARTER_MS).max(0);
    let (year, month, day) = date_of(ms.div_euclid(DAY_MS));
    let minute = ms.rem_euclid(DAY_MS) / 60_000;
    let time = format!("{:02}:{:02}", minute / 60, minute % 60);
    format!(
        "beginning, end, an offset, 15m ago, wall-clock time (UTC) {time} or {year}-{month:02}-{day:02}T{time}"
    )
}

const QUARTER_MS: i64 = 900_000;
const DAY_MS: i64 = 86_400_000;

impl OffsetSpec {
    /// Reads a place as it is typed at `now_ms` of wall-clock time. `Err` says how to write one.
    pub(crate) fn read(text: &str, now_ms: i64) -> Result<OffsetSpec, String> {
        let text = text.trim();
        let wrong = || format!("write {}", forms(now_ms));
        match text {
            "beginning" => return Ok(OffsetSpec::Beginning),
            "end" => return Ok(OffsetSpec::End),
            _ => {}
        }
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text
                .parse()
                .map(OffsetSpec::Offset)
                .map_err(|_| "that is larger than any offset".to_owned());
        }
        let past = |ms: i64| OffsetSpec::At(now_ms.saturating_sub(ms).max(0));
        if let Some(ago_ms) = length_ms(text.strip_suffix("ago").unwrap_or(text).trim_end()) {
            return Ok(past(ago_ms));
        }
        let text = text.strip_suffix(['Z', 'z']).unwrap_or(text);
        if let Some(time_ms) = time_ms(text) {
            // The last time that a clock showed this.
            let today = now_ms.div_euclid(DAY_MS) * DAY_MS + time_ms;
            return Ok(OffsetSpec::At(if today > now_ms { today - DAY_MS } else { today }));
        }
        let (day, time) = text.split_once(['T', ' ']).unwrap_or((text, "00:00"));
        match (day_ms(day), time_ms(time)) {
            (Some(day), Some(time)) => Ok(OffsetSpec::At(day + time)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for OffsetSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OffsetSpec::Beginning => write!(f, "the beginning"),
            OffsetSpec::End => write!(f, "the end"),
            OffsetSpec::Offset(offset) => write!(f, "offset {offset}"),
            OffsetSpec::At(ms) => {
                let (year, month, day) = date_of(ms.div_euclid(DAY_MS));
                let second = ms.rem_euclid(DAY_MS) / 1000;
                let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
                write!(f, "{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
            }
        }
    }
}

/// A length of time such as `90s`, `15m`, `2h`, `1d`, in milliseconds.
pub(crate) fn length_ms(text: &str) -> Option<i64> {
    let unit_ms = match text.chars().next_back()? {
        's' => 1_000,
        'm' => 60_000,
        'h' => 3_600_000,
        'd' => DAY_MS,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = is_number.then(|| digits.parse().ok())??;
    number.checked_mul(unit_ms)
}

/// Two or three numbers with colons between, as milliseconds of a day.
fn time_ms(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(|part| number(part, 2));
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    let is_time = parts.next().is_none() && hour < 24 && minute < 60 && second < 60;
    is_time.then_some((hour * 3600 + minute * 60 + second) * 1000)
}

/// `2026-03-03`, as milliseconds since 1970.
fn day_ms(text: &str) -> Option<i64> {
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4)?;
    let (month, day) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    if parts.next().is_some() || !(1970..=9999).contains(&year) {
        return None;
    }
    // Counted from March, a leap day is the last of its year (Hinnant's `days_from_civil`).
    let from_march = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days =
        from_march * 365 + from_march / 4 - from_march / 100 + from_march / 400 + day_of_year - 719_468;
    // There is no 30th of February: it would come back as another day.
    (date_of(days) == (year, month, day)).then_some(days * DAY_MS)
}

/// At most so many digits, and at least one.
fn number(text: &str, digits: usize) -> Option<i64> {
    let is_number = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// Year, month and day of so many days since 1970 (Howard Hinnant, "chrono-compatible low-level
/// date algorithms", 2014).
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 2026-03-03T11:00:00Z, a Tuesday.
    const NOW: i64 = 1_772_535_600_000;

    #[test]
    fn places_are_written_as_people_do() {
        for (text, place) in [
            ("beginning", OffsetSpec::Beginning),
            (" end ", OffsetSpec::End),
            ("0", OffsetSpec::Offset(0)),
            ("1200", OffsetSpec::Offset(1200)),
            ("15m", OffsetSpec::At(NOW - 900_000)),
            ("15m ago", OffsetSpec::At(NOW - 900_000)),
            ("10:45", OffsetSpec::At(NOW - 900_000)),
            ("10:45:30", OffsetSpec::At(NOW - 870_000)),
            ("11:30", OffsetSpec::At(NOW + 1_800_000 - DAY_MS)),
            ("2026-03-03T10:45", OffsetSpec::At(NOW - 900_000)),
            ("2026-03-03 10:45:00Z", OffsetSpec::At(NOW - 900_000)),
            ("2026-03-03", OffsetSpec::At(NOW - 11 * 3_600_000)),
            ("2024-02-29", OffsetSpec::At(1_709_164_800_000)),
            ("1970-01-01", OffsetSpec::At(0)),
        ] {
            assert_eq!(OffsetSpec::read(text, NOW), Ok(place), "{text}");
        }
        let wrong =
            ["", "-1", "9223372036854775808", "1.5h", "2026-02-30", "2026-13-01", "24:00", "10:60", "h"];
        for text in wrong {
            assert!(OffsetSpec::read(text, NOW).is_err(), "{text}");
        }
        assert_eq!(OffsetSpec::At(NOW).to_string(), "2026-03-03 11:00:00 UTC");
        let forms = forms(NOW);
        assert!(forms.ends_with("wall-clock time (UTC) 10:45 or 2026-03-03T10:45"), "{forms}");
    }

    proptest! {
        /// What is shown of an instant is read as the same instant; no text is a panic.
        #[test]
        fn an_instant_is_read_as_it_is_shown(seconds in 0..253_402_300_799_i64, text in any::<String>()) {
            let place = OffsetSpec::At(seconds * 1000);
            let shown = place.to_string();
            prop_assert_eq!(OffsetSpec::read(shown.trim_end_matches(" UTC"), NOW), Ok(place));
            let _ = OffsetSpec::read(&text, i64::MAX);
        }
    }
}
