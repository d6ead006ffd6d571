//! How the values of settings are read, and written again as Kafka writes them.

use crate::log::CleanupPolicy;

/// What a value looks like, in the numbers of `DescribeConfigs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub(crate) enum SettingKind {
    Unknown = 0,
    Boolean = 1,
    String = 2,
    Int = 3,
    Short = 4,
    Long = 5,
    Double = 6,
    List = 7,
    Class = 8,
    Password = 9,
}

impl SettingKind {
    /// A good value as Kafka writes it when it is asked.
    pub(super) fn canonical(self, value: &str) -> String {
        let value = value.trim();
        match self {
            Self::Boolean => value.to_ascii_lowercase(),
            Self::String | Self::Class | Self::Password | Self::Unknown => value.to_owned(),
            Self::Int | Self::Short | Self::Long => {
                value.parse().map_or(value.to_owned(), |n: i64| n.to_string())
            }
            Self::Double => double(value).map_or(value.to_owned(), java_double),
            Self::List => value.split(',').map(str::trim).collect::<Vec<_>>().join(","),
        }
    }
}

/// One word, and no other.
pub(super) fn only(value: &str, allowed: &str, expected: &'static str) -> Result<(), &'static str> {
    if value.trim() == allowed { Ok(()) } else { Err(expected) }
}

/// A whole number within bounds.
pub(super) fn long(value: &str, min: i64, max: i64, expected: &'static str) -> Result<i64, &'static str> {
    value.trim().parse().ok().filter(|number| (min..=max).contains(number)).ok_or(expected)
}

/// The same, which is only checked.
pub(super) fn number(value: &str, min: i64, max: i64, expected: &'static str) -> Result<(), &'static str> {
    long(value, min, max, expected).map(drop)
}

/// A truth value, however it is spelt.
pub(super) fn flag(value: &str) -> Result<(), &'static str> {
    let value = value.trim();
    let is_flag = value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false");
    if is_flag { Ok(()) } else { Err("true or false") }
}

/// A part of a whole.
pub(super) fn ratio(value: &str) -> Result<f64, &'static str> {
    // Kafka asks whether it is less than 0 or more than 1, which what is no number is not.
    double(value).filter(|ratio| ratio.is_nan() || (0.0..=1.0).contains(ratio)).ok_or("0 to 1")
}

/// All replicas, or each as its partition and its broker.
pub(super) fn throttled(value: &str) -> Result<(), &'static str> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_replica = |part: &str| {
        part.is_empty()
            || part
                .split_once(':')
                .is_some_and(|(partition, broker)| is_number(partition) && is_number(broker))
    };
    let good = value.trim() == "*" || value.split(',').map(str::trim).all(is_replica);
    if good { Ok(()) } else { Err("* or partition:broker,partition:broker,…") }
}

/// A whole number for a field.
pub(super) fn int(
    field: &mut u32,
    value: &str,
    min: i64,
    expected: &'static str,
) -> Result<(), &'static str> {
    *field = long(value, min, i64::from(i32::MAX), expected)? as u32;
    Ok(())
}

/// What becomes of old records; where nothing is said, nothing.
pub(super) fn policies(value: &str) -> Result<CleanupPolicy, &'static str> {
    let mut cleanup = CleanupPolicy { delete: false, compact: false };
    for policy in value.split(',').filter(|_| !value.trim().is_empty()) {
        match policy.trim() {
            "delete" => cleanup.delete = true,
            "compact" => cleanup.compact = true,
            _ => return Err("delete, compact, both with a comma between them, or nothing"),
        }
    }
    Ok(cleanup)
}

/// The parts of a list, each where it comes first.
pub(super) fn each_once(list: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in list.split(',').map(str::trim) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts.join(",")
}

/// A number as Java reads it, but for hexadecimal ones.
fn double(value: &str) -> Option<f64> {
    let value = value.trim();
    match value.trim_start_matches(['+', '-']) {
        "NaN" if value.len() <= 4 => return Some(f64::NAN),
        // Rust knows more words: inf, nan.
        digits if !digits.starts_with(|first: char| first.is_ascii_alphabetic()) => {}
        _ => return None,
    }
    // A literal of Java's may say what it is.
    value.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(value).parse().ok()
}

/// A number up to 1 as Java writes it.
fn java_double(number: f64) -> String {
    if number == 0.0 || number.abs() >= 1e-3 || number.is_nan() {
        return format!("{number:?}");
    }
    let text = format!("{number:E}");
    if text.contains('.') { text } else { text.replace('E', ".0E") }
}
