//! Java's properties files, as `java.util.Properties` reads them, in UTF-8.

/// What may stand round keys and values.
const BLANKS: [char; 3] = [' ', '\t', '\u{c}'];

/// One property of the file.
pub(super) struct Entry {
    /// The first of its lines, counted from 1.
    pub(super) line: usize,
    pub(super) key: String,
    /// Without blanks at its end, which no client of Kafka's takes as part of it.
    pub(super) value: String,
}

/// A `\u` that is not followed by what it must be, in the property that begins on this line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadEscape {
    pub(super) line: usize,
}

/// The properties of a file, in its order.
pub(super) fn parse(text: &str) -> Result<Vec<Entry>, BadEscape> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
    let mut lines = (1..).zip(text.lines());
    let mut entries = Vec::new();
    while let Some((line, first)) = lines.next() {
        let mut whole = first.trim_start_matches(BLANKS).to_owned();
        if whole.is_empty() || whole.starts_with(['#', '!']) {
            continue;
        }
        while goes_on(&whole) {
            whole.pop();
            let Some((_, next)) = lines.next() else { break };
            whole += next.trim_start_matches(BLANKS);
        }
        let (key, value) = split(&whole);
        let unescaped = |text| unescaped(text).ok_or(BadEscape { line });
        entries.push(Entry { line, key: unescaped(key)?, value: unescaped(value)?.trim_end().to_owned() });
    }
    Ok(entries)
}

/// Whether the backslash at the end, if there is one, is not itself escaped.
fn goes_on(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// Key and value, which `=`, `:` or a blank parts, with blanks round it.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    let parts = |c: char| {
        let was_escaped = escaped;
        escaped = !escaped && c == '\\';
        !was_escaped && (BLANKS.contains(&c) || c == '=' || c == ':')
    };
    let (key, rest) = line.split_at(line.find(parts).unwrap_or(line.len()));
    let rest = rest.trim_start_matches(BLANKS);
    (key, rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start_matches(BLANKS))
}

/// The text that is meant. Java's escapes are of UTF-16, so that two may be one character.
fn unescaped(text: &str) -> Option<String> {
    let mut units = Vec::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let meant = match c {
            '\\' => match rest.next() {
                None => continue,
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some('u') => {
                    let hex = rest.as_str().get(..4).filter(|hex| hex.bytes().all(|c| c.is_ascii_hexdigit()));
                    units.push(u16::from_str_radix(hex?, 16).ok()?);
                    rest.nth(3);
                    continue;
                }
                Some(other) => other,
            },
            c => c,
        };
        units.extend_from_slice(meant.encode_utf16(&mut [0; 2]));
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parsed(text: &str) -> Vec<(usize, String, String)> {
        parse(text).unwrap().into_iter().map(|Entry { line, key, value }| (line, key, value)).collect()
    }

    #[test]
    fn it_reads_what_java_reads() {
        let one = |line, key: &str, value: &str| vec![(line, key.to_owned(), value.to_owned())];
        for text in ["a.b=c", "a.b = c", "a.b: c", "a.b c", "\ta.b\t=\tc  ", "\u{feff}a.b=c\r\n", "a.b=c\r"] {
            assert_eq!(parsed(text), one(1, "a.b", "c"), "{text:?}");
        }
        assert_eq!(parsed("# no\n! no\n \n\n  # no \\\na=b"), one(6, "a", "b"), "no comment goes on");
        assert_eq!(parsed("\na = one \\\n   two \\\n\tthree\n"), one(2, "a", "one two three"));
        assert_eq!(parsed("a=b\\"), one(1, "a", "b"), "goes on with nothing");
        assert_eq!(parsed(r"a=b\\"), one(1, "a", r"b\"), "the backslash is escaped");
        assert_eq!(parsed(r"a\=b\:c\ d==e"), one(1, "a=b:c d", "=e"));
        assert_eq!(parsed(r"a=\t\n\r\f\q\u00e9\uD83D\uDE00é"), one(1, "a", "\t\n\r\u{c}qé😀é"));
        assert_eq!(parsed("a"), one(1, "a", ""));
        assert_eq!(parsed("a=1\nb=2").len(), 2);
        for text in [r"x=\u", r"x=\u12", r"x=\u12é4", r"x=\u+123", r"x=\uD83D"] {
            assert_eq!(parse(&format!("a=b\n{text}")).err(), Some(BadEscape { line: 2 }), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(text in any::<String>(), odd in r"[\\u0-9a-fé=: \n\r#]{0,40}") {
            let _ = (parse(&text), parse(&odd));
        }
    }
}
