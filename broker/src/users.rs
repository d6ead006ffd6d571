//! Who may log in, and with what.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use std::sync::{Arc, OnceLock};
use std::thread;

use protocol::scram::{Keys, Mechanism, nonce_of};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use thiserror::Error;
use tokio_rustls::rustls::crypto::ring;

/// More than this is no file of users.
const MAX_BYTES: u64 = 1 << 20;

/// Why there are no users. No variant holds anything of a line: it may be a password.
#[derive(Debug, Error)]
pub enum UsersError {
    /// The file can't be read.
    #[error("can't read the users in {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Others could let themselves in.
    #[error("others can write to {}, and so let themselves in: chmod 600 it", file.display())]
    Writable {
        /// The file.
        file: PathBuf,
    },
    /// A line is none of a user.
    #[error("line {line} of {} {what}: a user is a line name:password", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It would be cut, most likely in the middle of a user.
    #[error("{} is larger than a file of users can be, {MAX_BYTES} bytes", file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
    },
    /// It has no user.
    #[error("there is no user in {}: a user is a line name:password", file.display())]
    NoUser {
        /// The file.
        file: PathBuf,
    },
}

/// The users of a broker and their passwords.
pub struct Users {
    users: BTreeMap<String, User>,
    /// All salts come of it: also for names that there are not, so that none can be told from
    /// others by its salt.
    secret: [u8; 32],
}

struct User {
    password: String,
    /// Digests are of equal length, whatever the passwords.
    digest: [u8; 32],
    /// What SCRAM makes of the password, by mechanism. It takes milliseconds, so that a start does
    /// not wait for it.
    keys: [OnceLock<Keys>; Mechanism::ALL.len()],
}

impl Users {
    /// Reads a file with a `name:password` a line; `#` begins a line that is a comment.
    pub fn read(file: &Path) -> Result<Self, UsersError> {
        let unreadable = |source| UsersError::Unreadable { file: file.to_owned(), source };
        let mut open = File::open(file).map_err(unreadable)?;
        let mode = open.metadata().map_err(unreadable)?.permissions().mode();
        if mode & 0o022 != 0 {
            return Err(UsersError::Writable { file: file.to_owned() });
        }
        if mode & 0o044 != 0 {
            tracing::warn!("others can read the passwords in {}: chmod 600 it", file.display());
        }
        let mut text = String::new();
        open.by_ref().take(MAX_BYTES + 1).read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > MAX_BYTES {
            return Err(UsersError::TooLarge { file: file.to_owned() });
        }
        Self::parse(&text, file)
    }

    fn parse(text: &str, file: &Path) -> Result<Self, UsersError> {
        let mut users = BTreeMap::new();
        // Windows' editors begin a text with a byte order mark.
        let text = text.trim_start_matches('\u{feff}');
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                continue;
            }
            let wrong = |what| UsersError::Line { file: file.to_owned(), line: at + 1, what };
            let (name, password) = line.split_once(':').ok_or_else(|| wrong("has no colon"))?;
            if name.trim().is_empty() || password.is_empty() {
                return Err(wrong("lacks the name or the password"));
            }
            if name.trim() != name {
                return Err(wrong("has a blank before or behind the name, which no login has"));
            }
            if password.trim() != password {
                tracing::warn!(
                    "the password on line {} of {} begins or ends with a blank, which is part of it",
                    at + 1,
                    file.display()
                );
            }
            let digest = Sha256::digest(password).into();
            let user = User { password: password.to_owned(), digest, keys: Default::default() };
            if users.insert(name.to_owned(), user).is_some() {
                return Err(wrong("has the name of a user above it"));
            }
        }
        if users.is_empty() {
            return Err(UsersError::NoUser { file: file.to_owned() });
        }
        Ok(Self { users, secret: random() })
    }

    /// Whether this is a user's name and password. It takes as long whichever of them is wrong.
    pub(crate) fn has(&self, name: &str, password: &str) -> bool {
        let digest = self.users.get(name).map(|user| &user.digest);
        let given: [u8; 32] = Sha256::digest(password).into();
        let same = given.ct_eq(digest.unwrap_or(&[0; 32]));
        bool::from(same & Choice::from(u8::from(digest.is_some())))
    }

    /// The names of all users, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.users.keys().map(String::as_str)
    }

    /// Whether there is a user of this name.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.users.contains_key(name)
    }

    /// The salt of a name, be there such a user or not.
    pub(crate) fn salt(&self, mechanism: Mechanism, name: &str) -> Vec<u8> {
        mechanism.salt(&self.secret, name)
    }

    /// What SCRAM makes of a user's password.
    pub(crate) fn keys(&self, mechanism: Mechanism, name: &str) -> Option<&Keys> {
        let user = self.users.get(name)?;
        let keys = &user.keys[mechanism as usize];
        Some(keys.get_or_init(|| Keys::of(mechanism, &user.password, &self.salt(mechanism, name))))
    }

    /// Makes the keys of all, in a thread of its own: then a login takes as long for a name that
    /// there is as for any other. Who logs in before waits for the own keys alone.
    pub(crate) fn make_keys(self: &Arc<Self>) {
        let users = Arc::downgrade(self);
        let make = move || {
            let names: Vec<String> =
                users.upgrade().map_or_else(Vec::new, |users| users.names().map(str::to_owned).collect());
            for name in names {
                // The broker may have ended.
                let Some(users) = users.upgrade() else { return };
                for mechanism in Mechanism::ALL {
                    users.keys(mechanism, &name);
                }
            }
        };
        if let Err(error) = thread::Builder::new().name("users' keys".into()).spawn(make) {
            tracing::debug!("keys are made as users log in: {error}");
        }
    }

    /// What a broker contributes to one login by SCRAM.
    pub(crate) fn nonce() -> String {
        nonce_of(random())
    }
}

/// Bytes that cannot be guessed.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    ring::default_provider().secure_random.fill(&mut bytes).expect("the system has randomness");
    bytes
}

/// Without any password.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.users.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Users, UsersError> {
        Users::parse(text, Path::new("users"))
    }

    #[test]
    fn a_user_has_its_own_password_and_no_other() {
        let users = parse("\u{feff}ada:se:cret \n# who else may come\n\nbob:b2\r\n").unwrap();
        for (name, password, may) in [
            ("ada", "se:cret ", true),
            ("ada", "se:cret", false),
            ("ada", "b2", false),
            ("bob", "b2", true),
            ("\u{feff}ada", "se:cret ", false),
            ("eve", "b2", false),
            ("eve", "", false),
            ("", "", false),
        ] {
            assert_eq!(users.has(name, password), may, "{name:?} {password:?}");
        }
        assert_eq!(format!("{users:?}"), r#"{"ada", "bob"}"#, "no password");
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said_and_not_the_line() {
        for (text, reason) in [
            ("ada:a\nhunter2\n", "line 2 of users has no colon"),
            (":hunter2", "line 1 of users lacks"),
            ("hunter2:", "line 1 of users lacks"),
            (" hunter2:a", "line 1 of users has a blank"),
            ("hunter2 :a", "line 1 of users has a blank"),
            ("hunter2:a\nhunter2:b", "line 2 of users has the name"),
            ("# hunter2\n", "no user in users"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(reason) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_file_that_others_can_write_to_is_refused() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("users");
        std::fs::write(&file, "ada:secret\n").unwrap();
        for (mode, refused) in [(0o600, false), (0o644, false), (0o620, true), (0o602, true)] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(matches!(Users::read(&file), Err(UsersError::Writable { .. })), refused, "{mode:o}");
        }
        assert!(matches!(Users::read(folder.path()), Err(UsersError::Unreadable { .. })));
        let line = "a:1\n".repeat(1 << 18);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&file, line + "#").unwrap();
        assert!(matches!(Users::read(&file), Err(UsersError::TooLarge { .. })));
    }
}
