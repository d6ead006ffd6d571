//! Numbers and words as a person reads them. Whatever is unknown or not a number is [`UNKNOWN`],
//! never 0.

use text::{clean, text_width};
pub(crate) use text::{grouped as count, money, plural};

use crate::snapshot::{LaneVerdict, Unit};

/// How the unknown is written.
pub(crate) const UNKNOWN: &str = "–";

/// [`count`], or unknown.
pub(crate) fn maybe_count(number: Option<u64>) -> String {
    number.map_or_else(|| UNKNOWN.to_string(), count)
}

/// A number in at most five characters: `940`, `1.2k`, `84M`.
pub(crate) fn short(number: f64) -> String {
    if !number.is_finite() {
        return UNKNOWN.to_string();
    }
    let mut value = number;
    for unit in ["", "k", "M", "G", "T", "P", "E"] {
        if value.abs() < 999.5 {
            // One decimal where it says something: 1.2k, but 12k, and never 1.0k.
            let rounded = (value * 10.0).round() / 10.0;
            return if unit.is_empty() || rounded.abs() >= 10.0 || rounded.fract() == 0.0 {
                format!("{value:.0}{unit}")
            } else {
                format!("{value:.1}{unit}")
            };
        }
        value /= 1000.0;
    }
    ">999E".to_string()
}

/// A number a second, a minute, a case: whole above 10, one decimal below.
pub(crate) fn number(value: Option<f64>) -> String {
    match value {
        Some(value) if value.is_finite() => {
            let sign = if value < 0.0 { "−" } else { "" };
            let size = value.abs();
            if size >= 1e15 {
                format!("{sign}{}", short(size))
            } else if size >= 9.95 || ((size * 10.0).round() / 10.0).fract() == 0.0 {
                format!("{sign}{}", count(size.round() as u64))
            } else {
                format!("{sign}{size:.1}")
            }
        }
        _ => UNKNOWN.to_string(),
    }
}

/// Cents that were summed as a float, as money, or unknown.
pub(crate) fn maybe_money(cents: Option<f64>) -> String {
    with_currency(&plain_money(cents))
}

fn plain_money(cents: Option<f64>) -> String {
    match cents {
        Some(cents) if cents.is_finite() && cents.abs() < 9e17 => text::amount(cents.round() as i64),
        Some(cents) if cents.is_finite() => short(cents / 100.0),
        _ => UNKNOWN.to_string(),
    }
}

/// A sum of money with its currency, behind the sign; the unknown has none.
pub(crate) fn with_currency(sum: &str) -> String {
    match sum.strip_prefix(['−', '-']) {
        Some(size) => format!("−${size}"),
        None if sum == UNKNOWN => sum.to_owned(),
        None => format!("${sum}"),
    }
}

/// A figure of the bill in its unit, or unknown; money without its currency, which the line's name
/// says.
pub(crate) fn amount(unit: Unit, value: Option<f64>) -> String {
    match unit {
        Unit::Count => number(value),
        Unit::Cents => plain_money(value),
    }
}

/// The same, and money with its currency.
pub(crate) fn figure(unit: Unit, value: Option<f64>) -> String {
    match unit {
        Unit::Count => number(value),
        Unit::Cents => maybe_money(value),
    }
}

/// The same in at most so many cells if it can be: money loses its cents, then any figure its last
/// digits.
pub(crate) fn amount_within(unit: Unit, value: Option<f64>, cells: u16) -> String {
    let whole = value.map(|value| match unit {
        Unit::Count => value.round(),
        Unit::Cents => (value / 100.0).round(),
    });
    let ways = [amount(unit, value), number(whole)];
    let fitting = ways.into_iter().find(|words| text_width(words) <= cells);
    fitting.unwrap_or_else(|| whole.map_or_else(|| UNKNOWN.to_string(), short))
}

/// A verdict that names neither lane, from the longest way to say it to the shortest; none for one
/// that does, whose amount says more. `unit` is that of the line.
pub(crate) fn verdict(verdict: &LaneVerdict, unit: Unit) -> Vec<String> {
    match verdict {
        LaneVerdict::StreamWins | LaneVerdict::BatchWins => Vec::new(),
        LaneVerdict::AsGood { margin } => {
            let margin = figure(unit, Some(*margin));
            vec![
                format!("equivalent, within ±{margin}"),
                format!("equivalent ±{margin}"),
                "equivalent".into(),
                "≈ equal".into(),
            ]
        }
        LaneVerdict::TooFew { evidence, of, needed } => {
            let (evidence, of) = (count(*evidence), clean(of));
            let mut words = Vec::new();
            if let Some(needed) = needed.map(count) {
                words.push(format!("no clear difference yet ({evidence} {of}; about {needed} needed)"));
                words.push(format!("unclear: {evidence} of ~{needed} {of}"));
                words.push(format!("{evidence} of ~{needed} {of}"));
                words.push(format!("{evidence}/~{needed} {of}"));
            }
            words.push(format!("no clear difference yet ({evidence} {of})"));
            words.push(format!("unclear: {evidence} {of}"));
            words.push("unclear".into());
            words
        }
    }
}

/// A length of time, rounded to what matters: `18 ms`, `1.2 s`, `38 s`, `41 min`, `2 h 05`, `3 d`.
pub(crate) fn duration(ms: f64) -> String {
    if !ms.is_finite() {
        return UNKNOWN.to_string();
    }
    // Also for −0.0, which is not less than 0.
    let ms = if ms > 0.0 { ms } else { 0.0 };
    let seconds = ms / 1000.0;
    if ms < 9.95 && ms > 0.0 {
        format!("{ms:.1} ms")
    } else if ms < 999.5 {
        format!("{ms:.0} ms")
    } else if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else if seconds < 59.5 {
        format!("{seconds:.0} s")
    } else if seconds < 3570.0 {
        format!("{:.0} min", seconds / 60.0)
    } else if seconds < 86_400.0 * 2.0 {
        let minutes = (seconds / 60.0).round() as u64;
        let (hours, minutes) = (minutes / 60, minutes % 60);
        if minutes == 0 { format!("{hours} h") } else { format!("{hours} h {minutes:02}") }
    } else if seconds < 86_400.0 * 1e6 {
        format!("{} d", count((seconds / 86_400.0).round() as u64))
    } else {
        "for ever".to_string()
    }
}

/// [`duration`], or unknown.
pub(crate) fn maybe_duration(ms: Option<f64>) -> String {
    ms.map_or_else(|| UNKNOWN.to_string(), duration)
}

/// How old something is, exactly or at least: `38 s`, `>10 min`.
pub(crate) fn age(ms: Option<f64>, is_minimum: bool) -> String {
    ms.map_or_else(
        || UNKNOWN.to_string(),
        |ms| format!("{}{}", if is_minimum { ">" } else { "" }, duration(ms)),
    )
}

/// A probability with three digits: `0.0398 %`, `21.0 %`. What is nearly nothing or nearly certain
/// is neither.
pub(crate) fn percent(probability: f64) -> String {
    let percent = probability * 100.0;
    if !percent.is_finite() {
        UNKNOWN.to_string()
    } else if percent <= 0.0 {
        "0 %".into()
    } else if percent < 0.000_999_5 {
        "under 0.001 %".into()
    } else if (99.95..100.0).contains(&percent) {
        "over 99.9 %".into()
    } else {
        // The digits after the point that make three of what is before it and behind its zeros.
        let magnitude = (percent * (1.0 + 5e-4)).log10().floor() as i32;
        format!("{percent:.*} %", usize::try_from(2 - magnitude).unwrap_or(0))
    }
}

/// Minutes and seconds to go: `6:10`; hours as `1:02:03`.
pub(crate) fn countdown(seconds: f64) -> String {
    if !seconds.is_finite() {
        return UNKNOWN.to_string();
    }
    let sign = if seconds <= -0.5 { "−" } else { "" };
    let seconds = seconds.abs().min(359_999.0).round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{sign}{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{sign}{minutes}:{seconds:02}")
    }
}

/// How far off a time is: `+0:12`, `−4:47`.
pub(crate) fn deviation(seconds: f64) -> String {
    let sign = if seconds >= 0.5 { "+" } else { "" };
    format!("{sign}{}", countdown(seconds))
}

/// Bytes on disk: `1.2 MB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let shown = short(bytes as f64);
    match shown.strip_suffix(|unit: char| unit.is_ascii_alphabetic()) {
        Some(digits) => format!("{digits} {}B", &shown[digits.len()..]),
        None => format!("{shown} B"),
    }
}

/// The time of day of an instant (milliseconds since 1970 UTC), shifted to a place's clock:
/// `14:32:07`.
pub(crate) fn time_of_day(at_ms: i64, utc_offset_min: i32) -> String {
    let seconds = at_ms.div_euclid(1000).saturating_add(i64::from(utc_offset_min) * 60);
    let of_day = seconds.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// The same without its seconds: `14:32`.
pub(crate) fn minute_of_day(at_ms: i64, utc_offset_min: i32) -> String {
    time_of_day(at_ms, utc_offset_min)[..5].to_owned()
}

/// Its day of the week: `Tue`. The first of January 1970 was a Thursday.
pub(crate) fn weekday(at_ms: i64, utc_offset_min: i32) -> &'static str {
    let seconds = at_ms.div_euclid(1000).saturating_add(i64::from(utc_offset_min) * 60);
    ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][seconds.div_euclid(86_400).rem_euclid(7) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_loses_its_least_digits_first() {
        let money = |cells| amount_within(Unit::Cents, Some(-130_850.0), cells);
        assert_eq!([9, 8, 6, 5].map(money), ["−1,308.50", "−1,309", "−1,309", "-1.3k"]);
        let count = |cells| amount_within(Unit::Count, Some(12_345.0), cells);
        assert_eq!([6, 5].map(count), ["12,345", "12k"]);
        assert_eq!(amount_within(Unit::Cents, None, 3), UNKNOWN);
        assert_eq!(amount_within(Unit::Count, Some(f64::NAN), 1), UNKNOWN);
    }

    #[test]
    fn probabilities_have_three_digits() {
        let shown = [0.000_398_390_143_247, 0.004, 0.030_04, 0.21, 0.931_2, 0.099_96, 0.000_1, 1.0, 0.0];
        assert_eq!(
            shown.map(percent),
            ["0.0398 %", "0.400 %", "3.00 %", "21.0 %", "93.1 %", "10.0 %", "0.0100 %", "100 %", "0 %"]
        );
        assert_eq!([0.999_99, 1e-9, f64::NAN].map(percent), ["over 99.9 %", "under 0.001 %", UNKNOWN]);
        assert_eq!(percent(f64::MAX), UNKNOWN);
    }

    #[test]
    fn counts_and_shorts() {
        assert_eq!(count(0), "0");
        assert_eq!(count(8412), "8,412");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(
            [0.0, 940.0, 999.6, 1_234.0, 12_345.0, 84e6, 1.0e3].map(short),
            ["0", "940", "1k", "1.2k", "12k", "84M", "1k"]
        );
        assert_eq!(short(f64::NAN), UNKNOWN);
    }

    #[test]
    fn numbers_that_are_not_there() {
        assert_eq!(number(None), UNKNOWN);
        assert_eq!(number(Some(f64::INFINITY)), UNKNOWN);
        assert_eq!(number(Some(0.0)), "0");
        assert_eq!(number(Some(0.36)), "0.4");
        assert_eq!(number(Some(-1497.6)), "−1,498");
        let cents = [Some(120_450.0), Some(-5.0), Some(1e20), None];
        assert_eq!(cents.map(maybe_money), ["$1,204.50", "−$0.05", "$1E", UNKNOWN]);
        assert_eq!(amount(Unit::Cents, Some(-120_450.0)), "−1,204.50", "the line's name says the currency");
        assert_eq!(figure(Unit::Cents, Some(-120_450.0)), "−$1,204.50");
    }

    #[test]
    fn durations_round_to_what_matters() {
        let ms =
            [0.0, 2.34, 18.2, 999.7, 1_240.0, 38_000.0, 41.0 * 60_000.0, 7_500_000.0, 4.0 * 86_400_000.0];
        assert_eq!(
            ms.map(duration),
            ["0 ms", "2.3 ms", "18 ms", "1.0 s", "1.2 s", "38 s", "41 min", "2 h 05", "4 d"]
        );
        assert_eq!(duration(59_700.0), "1 min");
        assert_eq!(duration(3_590_000.0), "1 h");
        assert_eq!(duration(f64::MAX), "for ever");
        assert_eq!([370.0, 3723.0, -62.0].map(countdown), ["6:10", "1:02:03", "−1:02"]);
        assert_eq!([12.4, -287.0, 0.3, f64::NAN].map(deviation), ["+0:12", "−4:47", "0:00", UNKNOWN]);
    }

    #[test]
    fn the_calendar() {
        // `date -u -d @1767709927` says Tue Jan  6 14:32:07 UTC 2026.
        assert_eq!(weekday(1_767_709_927_000, 0), "Tue");
        assert_eq!(time_of_day(1_767_709_927_000, 0), "14:32:07");
        assert_eq!(time_of_day(1_767_709_927_000, -180), "11:32:07");
        assert_eq!(weekday(i64::MIN, i32::MIN).len(), 3, "any instant has a day");
    }

    #[test]
    fn bytes_have_units() {
        assert_eq!(bytes(940), "940 B");
        assert_eq!(bytes(1_240_000), "1.2 MB");
    }
}
