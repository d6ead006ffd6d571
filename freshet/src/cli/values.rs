//! What the values of options are, each with one type and one parser wherever it stands.
//!
//! An empty value is no value: a variable that is set to nothing, or quotes round a variable that
//! is not set, shows that a value is missing. It is refused with what to write instead.

use std::fmt;
use std::str::FromStr;

use events::Timestamp;

/// A length of time such as `30s`, `15m`, `1h`, `1d` or `250ms`, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Period(pub(crate) i64);

impl Period {
    /// In milliseconds of event time.
    pub(crate) fn ms(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let unit_ms = match unit {
            "ms" => 1.0,
            "s" => 1e3,
            "m" => 60e3,
            "h" => 3_600e3,
            "d" => 86_400e3,
            _ => {
                return Err(format!(
                    "`{text}` is not a length of time: write a number and ms, s, m, h or d, such as 15m"
                ));
            }
        };
        let number: f64 = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
        let ms = number * unit_ms;
        if ms > 3_650.0 * 86_400e3 {
            return Err(format!("`{text}` is longer than ten years"));
        }
        Ok(Self(ms as i64))
    }
}

/// A length of time that is one: of at least a millisecond.
pub(super) fn length(text: &str) -> Result<Period, String> {
    match text.parse::<Period>()? {
        Period(0) => Err("it is over before it has begun: write at least 1ms, such as 15m".to_owned()),
        period => Ok(period),
    }
}

/// How long the doctor may look: long enough to tell who is silent from who is waited for too
/// briefly.
pub(super) fn time_to_look(text: &str) -> Result<Period, String> {
    match text.parse::<Period>()? {
        Period(..100) => Err("no broker answers so fast: write at least 100ms, such as 2s".to_owned()),
        period => Ok(period),
    }
}

/// The time between two runs of a job.
pub(super) fn between_runs(text: &str) -> Result<Period, String> {
    match text.parse::<Period>()? {
        Period(0) => Err(
            "a job needs time between its runs, at least 1ms; without any it is the stream (`freshet consume`)"
                .to_owned(),
        ),
        period => Ok(period),
    }
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((start, end)) = text.split_once("..") else {
            return Err("write START..END, such as 2026-03-03T11:00Z..2026-03-03T12:00Z".to_owned());
        };
        let (start, end) = (instant(start)?, instant(end)?);
        if start >= end {
            return Err(format!("{start} is not before {end}: a window has a length"));
        }
        Ok(Self { start, end })
    }
}

/// Where the reading of a topic starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// With the oldest record that is kept.
    Beginning,
    /// With the next record.
    End,
    /// With the record at this offset of each partition.
    Offset(i64),
    /// With the first record that was sent then or later.
    Sent(Moment),
}

/// A moment of wall-clock time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// This one.
    At(Timestamp),
    /// So long before now.
    Ago(Period),
}

impl Moment {
    /// In milliseconds since 1970, when it is `now_ms`.
    pub(crate) fn ms(self, now_ms: i64) -> i64 {
        match self {
            Self::At(instant) => instant.ms(),
            Self::Ago(period) => now_ms.saturating_sub(period.ms()),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(ago) = text.parse() {
            return Ok(Self::Ago(ago));
        }
        instant(text).map(Self::At).map_err(|_| {
            format!(
                "`{text}` is no moment: write a time ago such as 15m, or an instant such as 2026-03-03T11:00:00Z"
            )
        })
    }
}

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "beginning" => return Ok(Self::Beginning),
            "end" => return Ok(Self::End),
            _ => {}
        }
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(Self::Offset).map_err(|_| format!("`{text}` is larger than any offset"));
        }
        text.parse().map(Self::Sent).map_err(|_| {
            format!(
                "`{text}` is no place in a topic: write beginning, end, an offset such as 1200, a time ago \
                 such as 15m, or an instant such as 2026-03-03T11:00:00Z"
            )
        })
    }
}

/// RFC 3339, with less where less is clear: a day alone, no seconds, no zone (then it is UTC).
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let (local, zone) = split_zone(text);
    let forms = [
        text.to_owned(),
        format!("{local}{zone}"),
        format!("{local}:00{zone}"),
        format!("{local}T00:00:00{zone}"),
    ];
    forms.iter().find_map(|form| form.parse().ok()).ok_or_else(|| {
        format!("`{text}` is no instant: write it as 2026-03-03T11:00:00Z, or a day as 2026-03-03")
    })
}

/// What stands before the zone of an instant, and the zone (`Z`, `+02:00`): UTC where it has none.
fn split_zone(text: &str) -> (&str, &str) {
    if let Some(local) = text.strip_suffix(['Z', 'z']) {
        return (local, "Z");
    }
    // A day has hyphens too, so a zone is looked for behind the time's T alone.
    let time = text.find(['T', 't', ' ']).unwrap_or(text.len());
    match text[time..].find(['+', '-']) {
        Some(sign) => text.split_at(time + sign),
        None => (text, "Z"),
    }
}

/// Any text but none.
pub(super) fn text(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it is empty: write a name, or leave the option away".to_owned());
    }
    Ok(text.to_owned())
}

/// Where a broker is, or several of them with commas between.
pub(super) fn servers(text: &str) -> Result<String, client::InvalidServers> {
    client::check_servers(text).map(|()| text.to_owned())
}

/// An address of which it is said elsewhere whether it can be one.
pub(super) fn address(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.split(',').any(|server| server.trim().is_empty()) {
        return Err("it is empty: write HOST:PORT, such as localhost:9092".to_owned());
    }
    Ok(text.to_owned())
}

/// Where rows are kept: a file that stays, or a server.
pub(super) fn database(text: &str) -> Result<String, String> {
    let named = text.trim();
    if named.is_empty() {
        return Err("it is empty: write a file's name for SQLite, or postgres://user@host:5432/name; \
             a variable FRESHET_DATABASE that is set to nothing counts too, `unset` it"
            .to_owned());
    }
    // To SQLite these are names of a database that is gone with its connection.
    if named == ":memory:" || named.starts_with("file:") {
        return Err(format!(
            "`{named}` is not kept, or not a file's name: what was loaded into it would be gone; write the \
             name of a file, such as warehouse.sqlite"
        ));
    }
    Ok(text.to_owned())
}

/// An amount of bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_bytes = match unit.trim_start() {
        "MB" => 1e6,
        "GB" => 1e9,
        "TB" => 1e12,
        _ => return Err(format!("`{text}` is not a size: write a number and MB, GB or TB, such as 1.5GB")),
    };
    let number: f64 = number.parse().map_err(|_| format!("`{number}` is not a number"))?;
    Ok((number * unit_bytes) as u64)
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("it must be a number from 0 to 1, such as 0.02".to_owned()),
    }
}

pub(super) fn speed(text: &str) -> Result<f64, String> {
    match text.trim_end_matches(['x', '×']).parse::<f64>() {
        Ok(speed) if (0.1..=100_000.0).contains(&speed) => Ok(speed),
        _ => Err("it must be a number from 0.1 to 100000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_of_time_are_written_as_people_do() {
        for (text, ms) in
            [("0s", 0), ("250ms", 250), ("30s", 30_000), ("1.5h", 5_400_000), ("1d", 86_400_000)]
        {
            assert_eq!(text.parse(), Ok(Period(ms)), "{text}");
        }
        for text in ["", "1", "h", "-1h", "1 h", "1e3s", "4000d", "1.2.3s"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
        for text in ["0s", "0.4ms", "", "0"] {
            assert!(length(text).is_err() && between_runs(text).is_err(), "{text}");
        }
        assert_eq!(length("1ms"), Ok(Period(1)));
        assert!(time_to_look("99ms").is_err());
        assert_eq!(time_to_look("100ms"), Ok(Period(100)));
    }

    #[test]
    fn sizes_are_written_as_people_do() {
        for (text, bytes) in [("1.5GB", 1_500_000_000), ("200 MB", 200_000_000), ("2TB", 2_000_000_000_000)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "1.5", "GB", "-1GB", "1.5.5GB", "1 GB more"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn windows_are_written_as_people_do() {
        let span = |text: &str| text.parse::<Span>();
        let hour = span("2026-03-03T11:00:00.000Z..2026-03-03T12:00:00.000Z").unwrap();
        for text in [
            "2026-03-03T11:00:00Z..2026-03-03T12:00:00Z",
            "2026-03-03T11:00Z..2026-03-03T12:00Z",
            "2026-03-03T11:00..2026-03-03T12:00",
            "2026-03-03T08:00:00-03:00..2026-03-03T12:00:00+00:00",
            "2026-03-03T08:00-03:00..2026-03-03T13:00+01:00",
        ] {
            assert_eq!(span(text), Ok(hour), "{text}");
        }
        assert_eq!(span("2026-03-03..2026-03-04").unwrap().start.to_string(), "2026-03-03T00:00:00.000Z");
        for text in
            ["", "2026-03-03", "2026-03-03..", "x..y", "2026-03-04..2026-03-03", "2026-03-03..2026-03-03"]
        {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn places_in_a_topic_are_written_as_people_do() {
        let places = [
            ("beginning", Start::Beginning),
            ("end", Start::End),
            ("0", Start::Offset(0)),
            ("9223372036854775807", Start::Offset(i64::MAX)),
            ("15m", Start::Sent(Moment::Ago(Period(900_000)))),
            ("2026-03-03T11:00Z", Start::Sent(Moment::At(instant("2026-03-03T11:00:00Z").unwrap()))),
            ("2026-03-03", Start::Sent(Moment::At(instant("2026-03-03").unwrap()))),
        ];
        for (text, place) in places {
            assert_eq!(text.parse(), Ok(place), "{text}");
        }
        for text in ["", "-1", "9223372036854775808", "the end", "1e3", "15 m"] {
            assert!(text.parse::<Start>().is_err(), "{text}");
        }
        for text in ["", "beginning", "7", "end", "-15m"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
        assert_eq!("15m".parse::<Moment>().unwrap().ms(1_000_000), 100_000);
        assert_eq!("10d".parse::<Moment>().unwrap().ms(i64::MIN), i64::MIN);
    }

    #[test]
    fn a_database_that_keeps_nothing_is_refused() {
        for text in ["", " ", ":memory:", "file::memory:?cache=shared"] {
            assert!(database(text).is_err(), "{text}");
        }
        assert_eq!(database("w.sqlite").as_deref(), Ok("w.sqlite"));
    }

    proptest! {
        /// Whatever is written is a value or an error.
        #[test]
        fn no_value_is_a_panic(text in any::<String>(), digits in "[0-9.:TZ+-]{0,30}[a-zé]?") {
            for text in [&text, &digits] {
                let _ = (text.parse::<Period>(), length(text), between_runs(text), instant(text));
                let _ = (text.parse::<Start>(), text.parse::<Moment>(), text.parse::<Span>(), address(text), database(text), share(text), speed(text), size(text));
            }
        }
    }
}
