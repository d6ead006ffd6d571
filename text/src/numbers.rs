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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let numbers = [0, 999, 1_000, 8_412, 123_456, u64::MAX];
        let texts = ["0", "999", "1,000", "8,412", "123,456", "18,446,744,073,709,551,615"];
        assert_eq!(numbers.map(grouped), texts);
    }
}
