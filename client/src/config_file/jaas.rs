//! `sasl.jaas.config`: who logs in, in the form of Java's authentication service.
//!
//! `org.apache.kafka.common.security.plain.PlainLoginModule required username="ada" password="…";`

/// What may stand behind the module.
const FLAGS: [&str; 4] = ["required", "requisite", "sufficient", "optional"];

/// A login module and its options.
pub(super) struct Login {
    /// Its name, without the package.
    pub(super) module: String,
    options: Vec<(String, String)>,
}

impl Login {
    /// The value of an option.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().rev().find(|(key, _)| key == name).map(|(_, value)| &**value)
    }
}

/// Reads one login, which a semicolon ends.
pub(super) fn parse(text: &str) -> Option<Login> {
    let (module, rest) = text.trim_start().split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    let (flag, mut rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_alphabetic())?);
    if !FLAGS.iter().any(|known| known.eq_ignore_ascii_case(flag)) {
        return None;
    }
    let mut options = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(behind) = rest.strip_prefix(';') {
            let module = module.rsplit('.').next().unwrap_or(module).to_owned();
            return behind.trim().is_empty().then_some(Login { module, options });
        }
        let (key, value) = rest.split_once('=')?;
        let (value, behind) = read_value(value.trim_start())?;
        options.push((key.trim_end().to_owned(), value));
        rest = behind;
    }
}

/// A value in either kind of quotes, with escapes, or without quotes; and what stands behind it.
fn read_value(text: &str) -> Option<(String, &str)> {
    let mut rest = text.chars();
    let Some(quote @ ('"' | '\'')) = rest.next() else {
        let end = text.find(|c: char| c == ';' || c.is_whitespace())?;
        let (value, behind) = text.split_at(end);
        return Some((value.to_owned(), behind));
    };
    let mut value = String::new();
    loop {
        match rest.next()? {
            '\\' => value.push(match rest.next()? {
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                other => other,
            }),
            c if c == quote => return Some((value, rest.as_str())),
            c => value.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_read_in_every_form_that_clouds_write() {
        for text in [
            "org.apache.kafka.common.security.plain.PlainLoginModule required username='ada' password='s;e=\"c\\'t';",
            "org.apache.kafka.common.security.plain.PlainLoginModule required\tusername=\"ada\"  password=\"s;e=\\\"c't\" ;",
            " kafkashaded.org.apache.kafka.common.security.plain.PlainLoginModule REQUIRED serviceName=x username = ada password=\"s;e=\\\"c't\"; ",
        ] {
            let login = parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(login.module, "PlainLoginModule");
            assert_eq!(login.option("username"), Some("ada"), "{text}");
            assert_eq!(login.option("password"), Some("s;e=\"c't"), "{text}");
            assert_eq!(login.option("user"), None);
        }
        assert_eq!(parse("a.b.IAMLoginModule required;").unwrap().module, "IAMLoginModule");
    }

    #[test]
    fn what_is_no_login_is_none() {
        for text in [
            "",
            "a.B",
            "a.B required",
            "a.B needed username='ada';",
            "a.B required username='ada'",
            "a.B required username='ada;",
            "a.B required username;",
            "a.B required username='ada'; a.B required;",
            "a.B required username='ada\\",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
