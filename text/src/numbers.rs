//! Numbers and money as a person reads them, the same on the screen, in reports and in summaries.

/// A whole number in groups of three digits: `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of things: `1 record`, `1,204 records`.
pub fn plural(count: u64, word: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{} {word}{s}", grouped(count))
}

/// Cents as an amount without its currency: `1,204.50`.
pub fn amount(cents: i64) -> String {
    let sign = if cents < 0 { "−" } else { "" };
    format!("{sign}{}", magnitude(cents))
}

/// Cents as money: `$1,204.50`. The one way in which any of our programs writes it.
pub fn money(cents: i64) -> String {
    let sign = if cents < 0 { "−" } else { "" };
    format!("{sign}${}", magnitude(cents))
}

fn magnitude(cents: i64) -> String {
    let size = cents.unsigned_abs();
    format!("{}.{:02}", grouped(size / 100), size % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let numbers = [0, 999, 1_000, 8_412, 123_456, u64::MAX];
        let texts = ["0", "999", "1,000", "8,412", "123,456", "18,446,744,073,709,551,615"];
        assert_eq!(numbers.map(grouped), texts);
    }

    #[test]
    fn one_thing_is_no_plural() {
        assert_eq!(
            [0, 1, 8_412].map(|count| plural(count, "record")),
            ["0 records", "1 record", "8,412 records"]
        );
    }

    #[test]
    fn money_has_its_currency() {
        let cents = [0, 5, -5, 100_000, 123_456_789, i64::MIN];
        let texts = ["$0.00", "$0.05", "−$0.05", "$1,000.00", "$1,234,567.89", "−$92,233,720,368,547,758.08"];
        assert_eq!(cents.map(money), texts);
        assert_eq!(cents.map(amount), texts.map(|text| text.replace('$', "")));
    }
}
