//! What a file says, in librdkafka's words.

use std::collections::BTreeMap;
use std::path::Path;

use super::names::TAKEN_AS_IT_IS;
use super::properties::Entry;
use super::{Problem, jaas};
use crate::check_servers;

const MECHANISMS: [&str; 3] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];
/// Others that people write there. Nothing else is quoted: it may be a password on a wrong line.
const OTHER_MECHANISMS: [&str; 6] =
    ["AWS_MSK_IAM", "GSSAPI", "OAUTHBEARER", "SCRAM-SHA-1", "SCRAM_SHA_256", "SCRAM_SHA_512"];

/// The properties of a file that say how a cluster is reached; of two with the same name the last.
pub(super) struct Given<'a> {
    entries: BTreeMap<&'a str, &'a Entry>,
    out: Vec<(String, String)>,
}

/// How a protocol reaches the cluster.
struct Protocol {
    name: String,
    sasl: bool,
    tls: bool,
}

impl<'a> Given<'a> {
    pub(super) fn new(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let entries = entries.into_iter().map(|entry| (&*entry.key, entry)).collect();
        Self { entries, out: Vec::new() }
    }

    /// The bootstrap servers.
    pub(super) fn servers(&self) -> Result<Option<&'a str>, Problem> {
        let names = ["bootstrap.servers", "metadata.broker.list"];
        let Some(entry) = names.into_iter().find_map(|name| self.entries.get(name)) else { return Ok(None) };
        if entry.value.is_empty() {
            return Ok(None);
        }
        let what = |wrong| format!("{} can't be used: {wrong}", entry.key);
        check_servers(&entry.value).map_err(|wrong| Problem::at(entry, what(wrong)))?;
        Ok(Some(&entry.value))
    }

    /// librdkafka's properties. `has_tls` says whether it was built with it.
    pub(super) fn properties(mut self, has_tls: bool) -> Result<Vec<(String, String)>, Problem> {
        let protocol = self.protocol()?;
        let needs_tls = |what: String, line| {
            let remedy = "needs OpenSSL, which this freshet is built without: build it with `cargo build --release \
                          -p freshet --features ssl`";
            Problem { line, what: format!("{what} {remedy}") }
        };
        self.out.push(("security.protocol".to_owned(), protocol.name.to_ascii_lowercase()));
        // Before what another build could do: a login that none can do is of no use there either.
        let mechanism = protocol.sasl.then(|| self.login()).transpose()?;
        if protocol.tls && !has_tls {
            let what = format!("security.protocol={}", protocol.name);
            return Err(needs_tls(what, self.line("security.protocol")));
        }
        if let Some(mechanism) = mechanism {
            if mechanism != "PLAIN" && !has_tls {
                return Err(needs_tls(format!("sasl.mechanism={mechanism}"), self.line("sasl.mechanism")));
            }
        } else if let Some(entry) = self.entries.values().find(|entry| entry.key.starts_with("sasl.")) {
            let tls =
                if protocol.tls { "SASL_SSL" } else { "SASL_SSL, or SASL_PLAINTEXT where there is no TLS" };
            return Err(Problem::at(
                entry,
                format!("{} is of no use to {}: write security.protocol={tls}", entry.key, protocol.name),
            ));
        }
        if protocol.tls {
            self.authorities()?;
            self.certificate()?;
            self.verification();
        }
        let as_it_is = TAKEN_AS_IT_IS.into_iter().filter(|name| protocol.tls || !name.contains("ssl"));
        let as_it_is: Vec<_> = as_it_is.filter_map(|name| Some((name, self.value(name)?))).collect();
        for (name, value) in as_it_is {
            self.set(name, value);
        }
        Ok(self.out)
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.entries.get(name).map(|entry| &*entry.value)
    }

    fn line(&self, name: &str) -> Option<usize> {
        self.entries.get(name).map(|entry| entry.line)
    }

    fn set(&mut self, name: &str, value: &str) {
        self.out.push((name.to_owned(), value.to_owned()));
    }

    fn protocol(&self) -> Result<Protocol, Problem> {
        let Some(entry) = self.entries.get("security.protocol") else {
            return Ok(Protocol { name: "PLAINTEXT".to_owned(), sasl: false, tls: false });
        };
        let name = entry.value.to_ascii_uppercase();
        let (sasl, tls) = match &*name {
            "PLAINTEXT" => (false, false),
            "SSL" => (false, true),
            "SASL_PLAINTEXT" => (true, false),
            "SASL_SSL" => (true, true),
            _ => {
                // Not quoted: it may be a password on a wrong line.
                let what = "security.protocol is none that there is: write PLAINTEXT, SSL, SASL_PLAINTEXT or \
                            SASL_SSL";
                return Err(Problem::at(entry, what.to_owned()));
            }
        };
        Ok(Protocol { name, sasl, tls })
    }

    /// Sets mechanism, user and password; the mechanism.
    fn login(&mut self) -> Result<String, Problem> {
        let mechanism = self.entries.get("sasl.mechanism").or_else(|| self.entries.get("sasl.mechanisms"));
        let Some(mechanism) = mechanism else {
            let line = self.line("security.protocol");
            return Err(Problem {
                line,
                what: format!("sasl.mechanism is missing: write {}", or(&MECHANISMS)),
            });
        };
        if !MECHANISMS.contains(&&*mechanism.value) {
            let other = OTHER_MECHANISMS.iter().find(|other| other.eq_ignore_ascii_case(&mechanism.value));
            let what = format!(
                "sasl.mechanism{} is none that freshet can use: write {}, and ask the cluster's people for a user \
                 and password of that kind",
                other.map(|other| format!("={other}")).unwrap_or_default(),
                or(&MECHANISMS)
            );
            return Err(Problem::at(mechanism, what));
        }
        let (user, password) = match self.entries.get("sasl.jaas.config") {
            Some(entry) => credentials_in(entry)?,
            None => self.plain_credentials().ok_or_else(|| {
                let what = "user and password are missing: write sasl.jaas.config as Java's clients have it, or \
                            sasl.username and sasl.password";
                Problem::at(mechanism, what.to_owned())
            })?,
        };
        let mechanism = mechanism.value.clone();
        self.set("sasl.mechanism", &mechanism);
        self.set("sasl.username", &user);
        self.set("sasl.password", &password);
        Ok(mechanism)
    }

    fn plain_credentials(&self) -> Option<(String, String)> {
        Some((self.value("sasl.username")?.to_owned(), self.value("sasl.password")?.to_owned()))
    }

    /// Whom to believe that the cluster is what it says.
    fn authorities(&mut self) -> Result<(), Problem> {
        let own = self.value("ssl.ca.location");
        if let Some(pem) = self.value("ssl.truststore.certificates") {
            self.set("ssl.ca.pem", pem);
        } else if let Some(location) = own {
            self.set("ssl.ca.location", location);
        } else if let Some(entry) = self.entries.get("ssl.truststore.location").copied() {
            let file = &*entry.value;
            match store_type(file, self.value("ssl.truststore.type")) {
                Store::Pem => self.set("ssl.ca.location", file),
                store => {
                    let export = match store {
                        Store::Pkcs12 => format!("openssl pkcs12 -in {file} -nokeys -out ca.pem"),
                        _ => format!("keytool -list -rfc -keystore {file} > ca.pem"),
                    };
                    let what = format!(
                        "{file} is a truststore for Java, which librdkafka can't read: make a PEM file of it with \
                         `{export}` and write ssl.truststore.type=PEM and ssl.truststore.location=ca.pem, or leave \
                         it out where a public authority has signed the cluster's certificate"
                    );
                    return Err(Problem::at(entry, what));
                }
            }
        } else if self.value("ssl.ca.pem").is_none() {
            // The system's, wherever it keeps them: an OpenSSL that is linked in doesn't know.
            self.set("ssl.ca.location", "probe");
        }
        Ok(())
    }

    /// Our own certificate, where the cluster asks for one.
    fn certificate(&mut self) -> Result<(), Problem> {
        for (java, ours) in [
            ("ssl.keystore.certificate.chain", "ssl.certificate.pem"),
            ("ssl.keystore.key", "ssl.key.pem"),
            ("ssl.certificate.location", "ssl.certificate.location"),
            ("ssl.key.location", "ssl.key.location"),
        ] {
            if let Some(value) = self.value(java) {
                self.set(ours, value);
            }
        }
        let Some(entry) = self.entries.get("ssl.keystore.location").copied() else { return Ok(()) };
        let file = &*entry.value;
        match store_type(file, self.value("ssl.keystore.type")) {
            Store::Pem => {
                self.set("ssl.certificate.location", file);
                self.set("ssl.key.location", file);
            }
            Store::Pkcs12 => {
                self.set("ssl.keystore.location", file);
                if let Some(password) = self.value("ssl.keystore.password") {
                    self.set("ssl.keystore.password", password);
                }
            }
            Store::Jks => {
                let what = format!(
                    "{file} is a keystore in a form that only Java reads: make another of it with `keytool \
                     -importkeystore -srckeystore {file} -destkeystore client.p12 -deststoretype PKCS12` and write \
                     ssl.keystore.type=PKCS12 and ssl.keystore.location=client.p12"
                );
                return Err(Problem::at(entry, what));
            }
        }
        Ok(())
    }

    /// Whether the name in the cluster's certificate must be its address. Java says with nothing
    /// that it need not.
    fn verification(&mut self) {
        if let Some(algorithm) = self.value("ssl.endpoint.identification.algorithm") {
            let ours = if algorithm.is_empty() { "none".to_owned() } else { algorithm.to_ascii_lowercase() };
            self.set("ssl.endpoint.identification.algorithm", &ours);
        }
    }
}

/// User and password as Java's clients are told them.
fn credentials_in(entry: &Entry) -> Result<(String, String), Problem> {
    let form = "write org.apache.kafka.common.security.plain.PlainLoginModule required username=\"…\" \
                password=\"…\"; with a backslash at the end of a line that goes on";
    let login = jaas::parse(&entry.value)
        .ok_or_else(|| Problem::at(entry, format!("sasl.jaas.config can't be read: {form}")))?;
    if !["PlainLoginModule", "ScramLoginModule"].contains(&&*login.module) {
        let what = "sasl.jaas.config names a login module that only Java has: freshet logs in with the user and \
                    password of PlainLoginModule or ScramLoginModule";
        return Err(Problem::at(entry, what.to_owned()));
    }
    let part = |name| login.option(name).map(str::to_owned);
    part("username").zip(part("password")).ok_or_else(|| {
        Problem::at(entry, format!("sasl.jaas.config lacks the username or the password: {form}"))
    })
}

/// The form of a file of certificates or keys.
enum Store {
    Pem,
    Pkcs12,
    Jks,
}

/// As the file's configuration says, or else its name: Java's default is JKS.
fn store_type(file: &str, said: Option<&str>) -> Store {
    let ending = Path::new(file).extension().and_then(|ending| ending.to_str());
    match said.or(ending).map(str::to_ascii_uppercase).as_deref() {
        Some("PEM" | "CRT" | "CER") => Store::Pem,
        Some("PKCS12" | "P12" | "PFX") => Store::Pkcs12,
        _ => Store::Jks,
    }
}

/// `a, b or c`
fn or(names: &[&str]) -> String {
    let Some((last, others)) = names.split_last() else { return String::new() };
    format!("{} or {last}", others.join(", "))
}
