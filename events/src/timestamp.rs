//! Event time: an instant of the simulated (or recorded) world.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc, Weekday};
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds in an hour of event time.
pub const HOUR_MS: i64 = 3_600_000;
/// Milliseconds in a day of event time.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// The first and the last instant that RFC 3339 can write: years 0000 to 9999.
const MIN_MS: i64 = -62_167_219_200_000;
const MAX_MS: i64 = 253_402_300_799_999;

/// An instant of event time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// In JSON it is RFC 3339 in UTC with milliseconds, as `2026-03-03T11:00:00.000Z`; any other offset
/// or precision that RFC 3339 allows is understood too. Arithmetic saturates at the years 0000 and
/// 9999, the ends of what can be written down, so that a hostile clock can't make it overflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest instant there is.
    pub const MIN: Self = Self(MIN_MS);
    /// The latest instant there is.
    pub const MAX: Self = Self(MAX_MS);

    /// The instant `ms` milliseconds after the Unix epoch, held within the years 0000 to 9999.
    pub fn from_ms(ms: i64) -> Self {
        Self(ms.clamp(MIN_MS, MAX_MS))
    }

    /// Milliseconds since the Unix epoch.
    pub fn ms(self) -> i64 {
        self.0
    }

    /// The instant `ms` milliseconds later (earlier when negative).
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self::from_ms(self.0.saturating_add(ms))
    }

    /// The instant `seconds` later, to the nearest millisecond. Not-a-number counts as zero.
    #[must_use]
    pub fn plus_seconds(self, seconds: f64) -> Self {
        self.plus_ms((seconds * 1000.0).round() as i64)
    }

    /// Milliseconds from `earlier` to this instant; negative when this one is the earlier.
    pub fn since_ms(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Seconds from `earlier` to this instant; negative when this one is the earlier.
    pub fn since_seconds(self, earlier: Self) -> f64 {
        self.since_ms(earlier) as f64 / 1000.0
    }

    /// The start of the period of `period_ms` that this instant falls into. Periods are aligned to
    /// midnight UTC of 1970-01-01, so every period that divides a day is aligned to each midnight.
    #[must_use]
    pub fn floor(self, period_ms: i64) -> Self {
        assert!(period_ms > 0, "a period has a length");
        Self::from_ms(self.0.div_euclid(period_ms) * period_ms)
    }

    /// The hour of the day in UTC, 0 to 23.
    pub fn hour(self) -> u32 {
        (self.0.rem_euclid(DAY_MS) / HOUR_MS) as u32
    }

    /// The day of the week in UTC.
    pub fn weekday(self) -> Weekday {
        self.date_time().weekday()
    }

    /// The same instant as chrono writes it.
    fn date_time(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).expect("a Timestamp is held within chrono's range")
    }
}

/// RFC 3339 in UTC with milliseconds.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.to_ascii()).expect("digits are UTF-8"))
    }
}

impl Timestamp {
    /// The 24 bytes of the RFC 3339 form. It stands in every event, so it is written without the
    /// formatting machinery.
    fn to_ascii(self) -> [u8; 24] {
        let at = self.date_time();
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |from: usize, digits: usize, value: u32| {
            let mut rest = value;
            for place in (from..from + digits).rev() {
                text[place] = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        };
        put(0, 4, at.year() as u32);
        put(5, 2, at.month());
        put(8, 2, at.day());
        put(11, 2, at.hour());
        put(14, 2, at.minute());
        put(17, 2, at.second());
        put(20, 3, at.timestamp_subsec_millis());
        text
    }

    /// Reads exactly the form that [`Display`](fmt::Display) writes, or says that it is another.
    fn from_ascii(text: &[u8]) -> Option<Self> {
        let text: &[u8; 24] = text.try_into().ok()?;
        let number = |from: usize, digits: usize| {
            text[from..from + digits].iter().try_fold(0_u32, |value, byte| {
                byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0'))
            })
        };
        let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (23, b'Z')];
        if marks.iter().any(|&(place, mark)| text[place] != mark) {
            return None;
        }
        NaiveDate::from_ymd_opt(number(0, 4)? as i32, number(5, 2)?, number(8, 2)?)?
            .and_hms_milli_opt(number(11, 2)?, number(14, 2)?, number(17, 2)?, number(20, 3)?)
            .map(|at| Self::from_ms(at.and_utc().timestamp_millis()))
    }
}

impl FromStr for Timestamp {
    type Err = chrono::ParseError;

    /// Reads any RFC 3339 instant; what is finer than a millisecond is cut off.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Self::from_ascii(text.as_bytes()) {
            Some(at) => Ok(at),
            None => DateTime::parse_from_rfc3339(text).map(|at| Self::from_ms(at.timestamp_millis())),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.to_ascii()).expect("digits are UTF-8"))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rfc3339;
        impl Visitor<'_> for Rfc3339 {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 instant such as 2026-03-03T11:00:00.000Z")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(|_| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Rfc3339).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_every_form_of_rfc_3339() {
        let same = [
            "2026-03-03T11:00:00.000Z",
            "2026-03-03T11:00:00Z",
            "2026-03-03T08:00:00-03:00",
            "2026-03-03t11:00:00.0004z",
        ];
        for text in same {
            assert_eq!(text.parse::<Timestamp>().unwrap().to_string(), same[0], "{text}");
        }
        for text in ["", "2026-03-03", "2026-02-30T11:00:00.000Z", "2026-03-03T25:00:00.000Z", "1772535600"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn periods_are_aligned_to_midnight() {
        let at: Timestamp = "2026-03-03T11:42:17.250Z".parse().unwrap();
        assert_eq!(at.floor(HOUR_MS).to_string(), "2026-03-03T11:00:00.000Z");
        assert_eq!(at.floor(6 * HOUR_MS).to_string(), "2026-03-03T06:00:00.000Z");
        assert_eq!(at.floor(DAY_MS).to_string(), "2026-03-03T00:00:00.000Z");
        assert_eq!(Timestamp::from_ms(-1).floor(DAY_MS).ms(), -DAY_MS);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(ms in MIN_MS..=MAX_MS) {
            let at = Timestamp::from_ms(ms);
            prop_assert_eq!(at.to_string().parse::<Timestamp>().unwrap(), at);
            prop_assert_eq!(at.to_string(), at.date_time().to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
        }

        #[test]
        fn arithmetic_stays_within_what_can_be_written(ms: i64, more: i64, seconds: f64) {
            let at = Timestamp::from_ms(ms).plus_ms(more).plus_seconds(seconds);
            prop_assert!((MIN_MS..=MAX_MS).contains(&at.ms()));
        }
    }
}
